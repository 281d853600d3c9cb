"""A start reads the log again up to what is committed: state comes back, and nothing is written a second time."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol

from monitor.domain.errors import ConfigError
from monitor.domain.frames import Frame, Swap, Tick
from monitor.services.archiver import Archiver
from monitor.services.committer import Committer
from monitor.services.lane import Admitted, Outcome
from monitor.services.ports import Log
from monitor.services.records import Numbered
from monitor.services.recovery import Cursor, EngineOf, Recovered

_READ_AHEAD: Final = 20_000


class OnEngine(Protocol):
    def __call__(self, work: Callable[..., Outcome], *args: Any) -> Awaitable[Outcome]:
        """Run `work` where nothing else is judged."""
        ...


class Rereading:
    """See `run`. What the archive has not on disk, and lines of the rings, come again; alerts and findings do not."""

    def __init__(
        self, log: Log, state: Recovered, *, engine_of: EngineOf, on_engine: OnEngine, committer: Committer,
        archiver: Archiver,
    ) -> None:
        self._log, self._state = log, state
        self._engine_of, self._on_engine = engine_of, on_engine
        self._committer, self._archiver = committer, archiver

    async def run(self) -> None:
        """Raises ConfigError where the log ends before what is committed."""
        admission, cursors = self._state.admission, self._state.cursors
        goal, end = max(cursor.position.seq for cursor in cursors), self._log.end()
        if goal > end:
            raise ConfigError(f"the store is at entry {goal} of a log that ends at {end}",
                              hint="this log is not the store's own: restore both from one backup")
        after = max(admission.seq, await self._log.first() - 1)
        waiting: list[Numbered] = []  # for the other half of their request, which may lie beyond the goal
        while after < goal or waiting:
            found = await self._log.read(after=after, lane=None, events=_READ_AHEAD)
            entries = [e for e in found if e.seq <= goal] or found[:1]
            if not entries:
                break
            self._state.admit(entries)
            waiting += entries
            admitted = [e for e in waiting if e.seq <= admission.seq]
            waiting = waiting[len(admitted):]
            for numbered in admitted:
                if numbered.seq > self._state.read_from:
                    await self._entry(numbered)
                else:
                    self._state.broadcasts.pop(numbered.seq, None)
            after = entries[-1].seq
        for told in self._state.merged.release(min(cursor.position.seq for cursor in cursors)):
            Outcome().add(told, self._state.windows)  # it is stored already; lines around it may not be

    async def _entry(self, numbered: Numbered) -> None:
        for cursor in self._state.cursors:
            if numbered.seq <= cursor.position.seq:
                await self._again(cursor, numbered)

    async def _again(self, cursor: Cursor, numbered: Numbered) -> None:
        entry, seq = numbered.entry, numbered.seq
        if isinstance(entry, Swap):
            engine = await self._engine_of(entry.version)
            if seq > cursor.snapshot_seq:
                self._take(cursor, await self._on_engine(cursor.lane.swap, seq, entry.accepted_at, engine))
                self._state.merged.swap(seq, engine)
            else:
                cursor.lane.engine = engine
        elif isinstance(entry, Tick):
            if seq > cursor.snapshot_seq:
                ticked = await self._on_engine(cursor.lane.tick, seq, entry.accepted_at)
                self._take(cursor, ticked)
        elif isinstance(entry, Frame) and entry.lane == cursor.lane.number:
            item = [Admitted(seq, entry, self._state.broadcasts.pop(seq))]
            again = partial(cursor.lane.run, item, remember_only=seq <= cursor.snapshot_seq)
            outcome = await self._on_engine(again)
            self._take(cursor, outcome)
            await self._archiver.again(entry.lane, seq, outcome)

    def _take(self, cursor: Cursor, outcome: Outcome) -> None:
        self._state.merged.add(cursor.lane.number, outcome.notes)
        self._committer.add_context(cursor, outcome.context)
