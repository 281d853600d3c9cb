"""Start and snapshots: room state is a function of the log, so a restart loads a snapshot and reads the log again."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.alerts import GroupingSettings
from monitor.domain.broadcasts import Broadcast, Rooms
from monitor.domain.errors import NewerFormat
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.frames import Swap
from monitor.engine.engineset import EngineSet
from monitor.services.admission import Admission
from monitor.services.context import Keep, Ring, Windows
from monitor.services.correlating import Merged, MergedState, named
from monitor.services.lane import STATE_FORMAT, Lane, LaneState
from monitor.services.ports import Judgements, Log
from monitor.services.records import Numbered, Position, Snapshot

_READ_AHEAD: Final = 20_000
LANES: Final = (HOST_SIDE, VIEWERS)
EngineOf = Callable[[str], Awaitable[EngineSet]]


class Saved(Struct):
    """What one snapshot holds. `rooms` (the admission's, as of `rooms_seq`) and `merged` go with the host side's only.

    `read_from`: a restart reads the log again after this sequence number.
    """

    lane: LaneState
    rooms: bytes = b""
    rooms_seq: int = 0
    read_from: int = 0
    merged: MergedState | None = None


class Cursor:
    """A lane in work: what is read of the log, what is committed."""

    def __init__(self, lane: Lane, position: Position, snapshot_seq: int) -> None:
        self.lane = lane
        self.position = position
        self.read = position.seq
        self.snapshot_seq = snapshot_seq


class Recovered(Struct):
    """`broadcasts`: sequence number of each frame that is admitted and not yet judged → the broadcast of its events."""

    cursors: list[Cursor]
    admission: Admission
    read_from: int
    windows: Windows
    merged: Merged
    broadcasts: dict[int, list[str]] = {}

    def admit(self, entries: Sequence[Numbered]) -> list[Broadcast]:
        """The broadcasts that changed."""
        found, changed = self.admission.admit(entries)
        self.broadcasts.update(found)
        return changed


async def recover(
    store: Judgements, engine: EngineSet, engine_of: EngineOf, *, grouping: GroupingSettings, ring_bytes: int,
    keep: Keep, silence_ms: int,
) -> Recovered:
    """Claim both lanes and load their snapshots. Raises NewerFormat for state that a newer version wrote."""
    windows = Windows()
    cursors: list[Cursor] = []
    host = Saved(LaneState())
    for number in LANES:
        position = await store.claim(number)
        snapshot = await store.snapshot(number)
        saved = _decoded(snapshot.state) if snapshot else Saved(LaneState())
        if number == HOST_SIDE:
            host = saved
        for room, some in saved.lane.windows.of.items():
            for window in some:
                windows.merge(room, window)
        serving = await engine_of(saved.lane.engine) if saved.lane.engine else engine
        lane = Lane(number, serving, grouping, state=saved.lane, windows=windows, silence_ms=silence_ms,
                    ring=Ring(number, max_bytes=ring_bytes, keep=keep))
        cursors.append(Cursor(lane, position, snapshot.seq if snapshot else 0))
    rooms = msgspec.msgpack.decode(host.rooms, type=Rooms) if host.rooms else Rooms()
    admission = Admission(rooms, host.rooms_seq, silence_ms=silence_ms)
    admission.remember()
    read_from = min(host.read_from, *(c.snapshot_seq for c in cursors))
    engines = {version: await engine_of(version) for version in named(host.merged)}
    merged = Merged(cursors[0].lane.engine, grouping, host.merged, engines)
    return Recovered(cursors, admission, max(read_from, host.rooms_seq), windows, merged)


def _decoded(state: bytes) -> Saved:
    saved = msgspec.msgpack.decode(state, type=Saved)
    if saved.lane.format > STATE_FORMAT:
        raise NewerFormat(f"room state of format {saved.lane.format}, this version reads up to {STATE_FORMAT}",
                          hint="start the newer version again, or restore a backup of this one")
    return saved


async def version_at_end(log: Log, cursors: Sequence[Cursor]) -> str:
    """The engine set that the log's newest entry will be judged by: swaps may wait behind events not yet judged."""
    version, after = cursors[0].lane.engine.version, min(cursor.position.seq for cursor in cursors)
    while entries := await log.read(after=after, lane=None, events=_READ_AHEAD):
        version = next((n.entry.version for n in reversed(entries) if isinstance(n.entry, Swap)), version)
        after = entries[-1].seq
    return version


async def first_engine(store: Judgements, log: Log, engine_of: EngineOf) -> EngineSet | None:
    """The engine set that a start begins with: the one of the snapshot, else the first that the log names; None while
    it names none."""
    snapshot = await store.snapshot(HOST_SIDE)
    if snapshot is not None:
        return await engine_of(_decoded(snapshot.state).lane.engine)
    after = await log.first() - 1
    while entries := await log.read(after=after, lane=None, events=_READ_AHEAD):
        for numbered in entries:
            if isinstance(numbered.entry, Swap):
                return await engine_of(numbered.entry.version)
        after = entries[-1].seq
    return None


class Saving(Struct):
    """Both lanes' snapshots, each with its lane's epoch; a restart reads the log again after `read_from`."""

    snapshots: list[tuple[Snapshot, int]]
    read_from: int


def saving(state: Recovered, archived: Sequence[int]) -> Saving:
    """Everything as of the committed positions. It takes a while where much is remembered: on the engine's thread,
    where nothing is judged meanwhile, the loop goes on."""
    cursors, admission = state.cursors, state.admission
    held = [cursor.lane.ring.first_held() for cursor in cursors if cursor.lane.ring is not None]
    needed = [seq - 1 for seq in held if seq is not None]
    read_from = min([*needed, *archived, *(cursor.position.seq for cursor in cursors)])
    rooms_seq, rooms = admission.as_of(read_from)
    snapshots: list[tuple[Snapshot, int]] = []
    for cursor in cursors:
        saved = Saved(cursor.lane.snapshot())
        if cursor.lane.number == HOST_SIDE:
            saved = Saved(saved.lane, rooms, rooms_seq, read_from, state.merged.snapshot())
        data = msgspec.msgpack.encode(saved)
        snapshots.append((Snapshot(cursor.lane.number, cursor.position.seq, data), cursor.position.epoch))
    return Saving(snapshots, min(rooms_seq, read_from))


async def save(store: Judgements, state: Recovered, made: Saving) -> int:
    """Store both snapshots in one transaction: what waits for the other lane must be of the same moment. The place from
    which a restart would read again."""
    await store.save_snapshots(made.snapshots)
    for cursor in state.cursors:
        cursor.snapshot_seq = cursor.position.seq
    return made.read_from
