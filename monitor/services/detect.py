"""Detect: the log in, findings and alerts out. One loop; the engine and the store work on threads of their own.

Host speech goes first: the loop empties lane 0, then takes a bounded bite of lane 1; while lane 0 does not get empty,
lane 1 has a bite a second. What a batch produced and how far its lane is read are one transaction. Any unexpected error
leaves `run`: the process ends rather than acknowledge on.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from msgspec import Struct

from monitor.domain.alerts import GroupingSettings
from monitor.domain.errors import BusyError, StorageError
from monitor.domain.events import VIEWERS
from monitor.domain.findings import Finding
from monitor.domain.frames import Entry, Frame, Swap, Tick, portions
from monitor.engine.engineset import EngineSet
from monitor.services.archiver import Archiver
from monitor.services.cases import Placing
from monitor.services.committer import Committer
from monitor.services.context import Keep, in_memory
from monitor.services.dispatch import UNPLACED
from monitor.services.lane import Admitted, Outcome
from monitor.services.observing import Observer, Sight
from monitor.services.ports import Clock, FailPoint, Judgements, Keeping, Log, Logger, Publisher, Telemetry
from monitor.services.records import ContextLine, FrameJudged
from monitor.services.recovery import Cursor, EngineOf, Recovered, recover, save, saving, version_at_end
from monitor.services.rereading import Rereading

_READ_AHEAD: Final = 20_000
_MOVED_EVERY_MS: Final = 10_000
_VIEWERS_EVERY_MS: Final = 1_000
_MOST_NOTES: Final = 50_000
"""Entries of the host side whose notes wait for the comments, from which it waits itself: clients are told to send
later."""
_T = TypeVar("_T")
Listen = Callable[[EngineSet, Sequence[FrameJudged], Sequence[Finding]], None]


class DetectSettings(Struct, frozen=True):
    """`batch`, `host_batch`: fewest comments and most events judged at once · `bite_ms`: what a bite of comments may
    take while host speech waits · `linger_s`: how long a small batch waits for more."""

    batch: int = 512
    host_batch: int = 4_096
    bite_ms: int = 25
    linger_s: float = 0.005
    linger_below: int = 200
    snapshot_ms: int = 10_000
    commit_ms: int = 1_000
    tick_ms: int = 1_000
    archive_ms: int = 60_000
    archive_events: int = 50_000
    ring_bytes: int = 128 * 2**20
    silence_ms: int = 1_800_000
    grouping: GroupingSettings = GroupingSettings()


class Detect:
    """`engine_of` gives the engine set of a version in the log; `engine` is the one that judges an empty log; `keep` is
    where judged frames wait that an alert may want lines of; `listen` is told, on the thread that
    judges, what was judged.

    `start`, then `run`. `trimmable`: a restart reads the log again after this sequence number.
    """

    def __init__(
        self, *, log: Log, store: Judgements, archive: Keeping, publisher: Publisher, telemetry: Telemetry,
        logger: Logger, clock: Clock, engine: EngineSet, engine_of: EngineOf, settings: DetectSettings,
        failpoint: FailPoint, keep: Keep = in_memory, observer: Observer | None = None, placing: Placing = UNPLACED,
        listen: Listen = lambda engine, judged, findings: None, executor: ThreadPoolExecutor | None = None,
    ) -> None:
        """`executor`: a thread that others judge on, too; it is theirs to end."""
        self._log, self._store, self._keep = log, store, keep
        self._telemetry, self._logger, self._clock = telemetry, logger, clock
        self._first, self._engine_of = engine, engine_of
        self.settings = settings
        self._failpoint = failpoint
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._own_executor = executor is None
        self._recovered: Recovered | None = None
        self._committer = Committer(store, publisher, telemetry, clock, failpoint, placing)
        self._archiver = Archiver(archive, clock, logger)
        self._observer = observer or Observer(telemetry)
        self._listen = listen
        self._stop = asyncio.Event()
        self._bite_events = settings.batch
        self._saved_at = self._moved_at = self._committed_at = self._began_at = self._viewers_at = 0
        self.trimmable = 0
        self.ready = False

    @property
    def _state(self) -> Recovered:
        if self._recovered is None:
            raise RuntimeError("start() first")
        return self._recovered

    def backlog(self, lane: int) -> int:
        """Events of the lane that are durable and not yet judged."""
        return self._log.backlog(self._state.cursors[lane].read, lane=lane) if self._recovered else 0

    def unwritten(self) -> int:
        """Judged events that the archive has in memory only."""
        return self._archiver.unwritten()

    def positions(self) -> tuple[int, int]:
        """The committed position of each lane."""
        host, viewers = self._state.cursors
        return host.position.seq, viewers.position.seq

    @property
    def engine(self) -> EngineSet:
        """The one that judges the host side."""
        return self._state.cursors[0].lane.engine

    def judging(self) -> str:
        """Its version."""
        return self.engine.version

    def classifying(self) -> str:
        """The version of its classifier, `none` without one."""
        return self.engine.scorer.version if self.engine.scorer else "none"

    async def version_at_end(self) -> str:
        """The version that the log's newest entry will be judged by."""
        return await version_at_end(self._log, self._state.cursors)

    def oldest_unjudged_ms(self) -> int:
        """How long the oldest durable, unjudged event has waited at most: since its lane last judged something, or
        since the start."""
        if self._recovered is None:
            return 0
        waiting = [c.lane.state.now for c in self._state.cursors if self.backlog(c.lane.number)]
        return max(0, self._clock.now() - max(min(waiting), self._began_at)) if waiting else 0

    def rooms_live(self) -> int:
        return sum(b.ended_at is None for b in self._state.admission.rooms.current.values())

    def rooms_known(self) -> list[tuple[str, str, int]]:
        """(tenant, room, when its last event was accepted, UTC ms) of all that are remembered."""
        return [(b.tenant, b.room, b.seen_at) for b in self._state.admission.rooms.current.values()]

    async def fresh_lines(self, tenant: str, room: str, *, since: int, until: int) -> list[ContextLine]:
        """Lines of a room that are too young to be stored with its alerts. Times in UTC ms."""

        def look() -> list[ContextLine]:
            return [line for cursor in self._state.cursors
                    if cursor.lane.ring is not None
                    for line in cursor.lane.ring.lines((tenant, room), since=since, until=until)]

        return await self.on_engine(look)

    def stop(self) -> None:
        self._stop.set()

    async def start(self) -> None:
        """Claim both lanes, load the snapshots and read the log again up to what is committed; writes nothing."""
        s = self.settings
        self._recovered = state = await recover(
            self._store, self._first, self._engine_of, grouping=s.grouping, ring_bytes=s.ring_bytes,
            keep=self._keep, silence_ms=s.silence_ms)
        self._committer.serve(state.cursors)
        await Rereading(self._log, state, engine_of=self._engine_of, on_engine=self.on_engine,
                        committer=self._committer, archiver=self._archiver).run()
        self._archiver.begin(state.cursors, read_from=state.read_from)
        self._committed_at = self._saved_at = self._began_at = self._clock.now()
        self.ready = True

    async def run(self) -> None:
        """Until `stop`; then everything judged is committed. Raises whatever went wrong, OwnershipLost included."""
        host, viewers = self._state.cursors
        self._committer.start()
        try:
            while not self._stop.is_set():
                await self._admit_new()
                busy = await self._bite(host, self.settings.host_batch, upto=self._state.admission.seq)
                if not busy or self._viewers_due():
                    busy = await self._viewers_bite(viewers, upto=host.read) or busy
                await self._when_due()
                if not busy:
                    await self._idle()
            await self._when_due(everything=True)
        finally:
            if self._own_executor:
                self._executor.shutdown(wait=True, cancel_futures=True)

    def _viewers_due(self) -> bool:
        """Comments are late while host speech waits, but they do not stand still."""
        waited_ms = self._clock.now() - self._viewers_at
        return waited_ms >= _VIEWERS_EVERY_MS or self._state.merged.waiting > _MOST_NOTES

    async def _viewers_bite(self, viewers: Cursor, *, upto: int) -> bool:
        """As many comments as take about `bite_ms`: few cost mostly their hops, many let the host wait."""
        started = self._clock.now()
        busy = await self._bite(viewers, self._bite_events, upto=upto)
        self._viewers_at = self._clock.now()
        took = self._viewers_at - started
        if took > self.settings.bite_ms:
            self._bite_events = max(self.settings.batch, self._bite_events // 2)
        elif self.backlog(VIEWERS) > self._bite_events:
            self._bite_events = min(self.settings.host_batch, self._bite_events * 2)
        return busy

    async def _idle(self) -> None:
        """Sleep until something comes; write a tick where nothing does."""
        if not await self._log.wait(self._state.admission.seq, timeout=self.settings.tick_ms / 1000):
            if not self._stop.is_set():
                await self._tick()
        elif self.settings.linger_s and self.backlog(0) + self.backlog(1) < self.settings.linger_below:
            await asyncio.sleep(self.settings.linger_s)

    async def _tick(self) -> None:
        """Where the log takes nothing, time stands still for the rooms; that alone is no reason to end."""
        try:
            await self._log.append([Tick(self._clock.now())])
        except (BusyError, StorageError) as error:
            self._logger.warning("tick_refused", error=str(error))
            await asyncio.sleep(self.settings.tick_ms / 1000)

    async def _admit_new(self) -> None:
        admission = self._state.admission
        while admission.taken < self._log.end():
            entries = await self._log.read(after=admission.taken, lane=None, events=_READ_AHEAD)
            if not entries:
                break
            self._committer.changed(self._state.admit(entries))

    async def _bite(self, cursor: Cursor, events: int, *, upto: int) -> bool:
        """Judge the next entries of a lane up to this place in the log; False where there are none."""
        entries = await self._log.read(after=cursor.read, lane=cursor.lane.number, events=events)
        entries = [e for e in entries if e.seq <= upto]
        if not entries:
            if cursor.read < upto:
                await self._add(cursor, Outcome(), upto)
            return False
        frames: list[Admitted] = []
        for numbered in entries:
            entry = numbered.entry
            if isinstance(entry, Frame):
                frames.append(Admitted(numbered.seq, entry, self._state.broadcasts.pop(numbered.seq)))
            else:
                await self._judge(cursor, frames)
                frames = []
                await self._control(cursor, numbered.seq, entry)
        await self._judge(cursor, frames)
        return True

    async def _control(self, cursor: Cursor, seq: int, entry: Entry) -> None:
        outcome = Outcome()
        if isinstance(entry, Tick):
            outcome = await self.on_engine(cursor.lane.tick, seq, entry.accepted_at)
        elif isinstance(entry, Swap):
            engine = await self._engine_of(entry.version)
            outcome = await self.on_engine(cursor.lane.swap, seq, entry.accepted_at, engine)
            self._state.merged.swap(seq, engine)
            self._logger.info("engine_set_swapped", lane=cursor.lane.number, version=entry.version)
        await self._add(cursor, outcome, seq)

    async def _judge(self, cursor: Cursor, frames: list[Admitted]) -> None:
        for some in portions(frames, lambda admitted: len(admitted.frame.text)):
            await self._judge_together(cursor, some)

    async def _judge_together(self, cursor: Cursor, frames: Sequence[Admitted]) -> None:
        def work() -> tuple[Outcome, list[Sight]]:
            self._failpoint("judging", sum(len(f.frame) for f in frames))
            engine = cursor.lane.engine
            outcome = cursor.lane.run(frames)
            self._listen(engine, outcome.judged, outcome.findings)
            scored, outcome.scored = outcome.scored, []
            return outcome, self._observer.look(engine.tables, [f.frame for f in frames], scored, engine.rooms)

        started = self._clock.now()
        outcome, sights = await self.on_engine(work)
        self._observer.take(sights)
        self._telemetry.observe("engine_seconds", (self._clock.now() - started) / 1000, phase="judge")
        self._failpoint("judged")
        self._telemetry.observe("batch_events", outcome.events)
        await self._add(cursor, outcome, frames[-1].seq)
        await self._archiver.keep(cursor.lane.number, outcome)

    async def _add(self, cursor: Cursor, outcome: Outcome, read: int) -> None:
        """The lane is judged up to `read`. What needs both lanes goes with it, so that a position is never committed
        without all that is found up to there."""
        state = self._state
        state.merged.add(cursor.lane.number, outcome.notes)
        outcome.notes = []
        upto = min(read, *(other.read for other in state.cursors if other is not cursor))
        merged = Outcome()
        if state.merged.ready(upto):
            for told in await self.on_engine(state.merged.release, upto):
                merged.add(told, state.windows)
        self._committer.add(cursor, outcome, read, merged=merged)

    async def _when_due(self, *, everything: bool = False) -> None:
        """By the clock: positions without findings, moved broadcasts, archive segments, snapshots."""
        now, s = self._clock.now(), self.settings
        if everything or now - self._moved_at >= _MOVED_EVERY_MS:
            self._moved_at = now
            self._committer.changed(self._state.admission.moved())
        if everything or now - self._committed_at >= s.commit_ms:
            self._committed_at = now
            self._committer.start()
            self._observer.tell()
        await self._archiver.when_due(
            self._state.cursors, every_ms=s.archive_ms, events=s.archive_events, everything=everything)
        if everything or now - self._saved_at >= s.snapshot_ms:
            self._saved_at = now
            await self._save()

    async def _save(self) -> None:
        state = self._state
        for cursor in state.cursors:
            self._committer.add_context(cursor, await self.on_engine(cursor.lane.flush))
        await self._committer.settle()
        state.windows.prune(now=min(c.lane.state.now for c in state.cursors))
        state.admission.remember()
        made = await self.on_engine(saving, state, list(self._archiver.upto.values()))
        self.trimmable = await save(self._store, state, made)

    async def on_engine(self, work: Callable[..., _T], *args: Any) -> _T:
        """What comes of it on the thread that judges, between two batches."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)
