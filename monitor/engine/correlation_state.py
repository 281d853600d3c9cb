"""What a correlator remembers: plain values, serialisable, bounded. Times in UTC ms."""

from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.errors import NewerFormat
from monitor.engine.correlation_events import EventRef, Observation

STATE_FORMAT: Final = 1
NEVER: Final = 2**62
LATENESS_MS: Final = 5_000


class Limits(Struct, frozen=True):
    """`lateness_ms`: how much disorder is put in order · `keep_ms`: how far back a withdrawal reaches ·
    `named`: events that a finding names · `repeats`: observations of one value (of a rule, of a speaker) in a group ·
    `known`: what is remembered of all rooms together, see `Room.weight`."""

    lateness_ms: int = LATENESS_MS
    keep_ms: int = 600_000
    sweep_ms: int = 30_000
    named: int = 50
    repeats: int = 8
    windows: int = 64
    groups: int = 1_000
    pending: int = 20_000
    events: int = 50_000
    rooms: int = 50_000
    known: int = 200_000
    heard: int = 64


class Window(Struct):
    """[start, until]: everything of the group in it belongs to this window. `id` is "" until it is reported.

    `closing`: it is judged when it is over. `members`: as many as are needed to see whether it still holds; `counts`:
    value → members.
    """

    start: int
    until: int
    members: list[Observation]
    counts: dict[str, int]
    closing: bool = False
    id: str = ""
    named: int = 0


class Group(Struct):
    """Observations that no window has taken, in order, and the windows that are remembered, in order of their start."""

    items: list[Observation] = []
    counts: dict[str, int] = {}  # value → items
    windows: list[Window] = []


class Waves(Struct):
    """Texts that stand for those like them. `bands`: a part of a fingerprint → the one that has it; `seen`: → when."""

    bands: dict[int, int] = {}
    seen: dict[int, int] = {}


class Chain(Struct):
    """The statement must be heard from `since` to `due`; `due` is NEVER once that is settled."""

    since: int
    due: int


class Duty(Struct):
    """One absence rule in one broadcast. `firsts`: what may have begun it, where it begins once (the earliest counts,
    until `began` settles that); `missed`: deadlines that were reported; before `folded` nothing changes any more;
    `ended`: when the broadcast was over, as of the last look."""

    chains: list[Chain] = []
    firsts: list[EventRef] = []
    heard: list[EventRef] = []
    missed: list[int] = []
    began: bool = False
    folded: int = 0
    next_due: int = NEVER
    ended: int | None = None


class Bounds(Struct):
    """When a broadcast began, when it last did, and when it last ended; None where that is not known."""

    start: int | None = None
    again: int | None = None
    end: int | None = None


GroupKey = tuple[str, ...]  # rule, then the values that the group has in common
DutyKey = tuple[str, str]  # rule, broadcast
RoomKey = tuple[str, str]  # tenant, room


class Room(Struct):
    """`latest`: the latest event time seen, `accepted` that event's acceptance; before `mark` all is in order and done.

    `events`: id of an event that was fed → its time. `closing`: heap of (until, group) of windows to be judged. `wake`:
    when the room is looked at by itself.
    """

    tenant: str
    room: str
    latest: int
    accepted: int
    mark: int
    swept: int
    pending: list[Observation] = []
    events: dict[str, int] = {}
    groups: dict[GroupKey, Group] = {}
    waves: dict[GroupKey, Waves] = {}
    duties: dict[DutyKey, Duty] = {}
    broadcasts: dict[str, Bounds] = {}
    closing: list[tuple[int, GroupKey]] = []
    next_due: int = NEVER
    wake: int = NEVER

    @property
    def weight(self) -> int:
        """Events and demands: everything else grows with these."""
        return len(self.events) + sum(len(duty.chains) for duty in self.duties.values())


class State(Struct):
    """`now`: the latest `accepted_at`. `fed`: events and signals since the rooms were last weighed. `definitions`:
    rule → digest of its correlation; others' state is of no use."""

    format: int = STATE_FORMAT
    now: int = 0
    fed: int = 0
    rooms: dict[RoomKey, Room] = {}
    definitions: dict[str, str] = {}


class _Format(Struct):
    format: int


_encoder: Final = msgspec.msgpack.Encoder()


def encode(state: State) -> bytes:
    """Room by room: one call for all of them would let no other thread run meanwhile."""
    rooms = {key: msgspec.Raw(_encoder.encode(room)) for key, room in state.rooms.items()}
    return _encoder.encode(msgspec.structs.asdict(state) | {"rooms": rooms})


def decode(data: bytes) -> State:
    """Raises NewerFormat for what a newer version wrote, msgspec.MsgspecError for what is no state."""
    found = msgspec.msgpack.decode(data, type=_Format).format
    if found > STATE_FORMAT:
        raise NewerFormat(f"correlation state of format {found}, this version reads up to {STATE_FORMAT}",
                          hint="start the newer version again, or restore a backup of this one")
    return msgspec.msgpack.decode(data, type=State)
