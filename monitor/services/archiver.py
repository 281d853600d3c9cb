"""What is judged goes to the archive: buffered at once, written beside the judging when it is due."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from monitor.domain.errors import StorageError
from monitor.services.lane import Outcome
from monitor.services.ports import Clock, Keeping, Logger
from monitor.services.recovery import Cursor


class Archiver:
    """Used from one event loop. `upto`: by lane, everything up to this entry is on disk, or was when it was asked.

    What the disk refuses stays buffered and is written at a later turn: until then `upto` stands still, so that the
    log keeps what a restart would read again. Whoever takes events in is to stop before that is too much.
    """

    def __init__(self, archive: Keeping, clock: Clock, logger: Logger) -> None:
        self._archive, self._clock, self._logger = archive, clock, logger
        self._unflushed = 0
        self._buffered: Counter[int] = Counter()  # events, by lane
        self._counted: Counter[int] = Counter()  # the last entry of which they are, by lane
        self._flushed_at = clock.now()
        self._running: asyncio.Task[None] | None = None
        self.upto: dict[int, int] = {}

    def unwritten(self) -> int:
        """Events that are buffered."""
        return self._buffered.total()

    def begin(self, cursors: Sequence[Cursor], *, read_from: int) -> None:
        """What lies before `read_from` is kept, also where a lane has no segment that says so."""
        self.upto = {c.lane.number: min(c.position.seq, max(self._archive.position(c.lane.number), read_from))
                     for c in cursors}
        self._flushed_at = self._clock.now()

    async def again(self, lane: int, seq: int, outcome: Outcome) -> None:
        """What a re-read judged at `seq`: kept unless it is on disk."""
        if seq > self._archive.position(lane):
            await self.keep(lane, outcome)

    async def keep(self, lane: int, outcome: Outcome) -> None:
        """What comes again, since more of it is masked, is a frame of the last minute, and in place of what was kept of
        it: not counted."""
        for kept in outcome.judged:
            if kept.seq > self._counted[lane]:
                self._counted[lane] = kept.seq
                self._unflushed += len(kept.frame)
                self._buffered[lane] += len(kept.frame)
            await self._archive.keep(lane, kept.seq, kept.frame, kept.broadcasts, kept.masks)
        outcome.judged = []

    async def when_due(
        self, cursors: Sequence[Cursor], *, every_ms: int, events: int, everything: bool = False
    ) -> None:
        """Begin to write what is buffered, where it is as old or as much as this; `everything`: write it all, and wait
        for it."""
        now = self._clock.now()
        if not (everything or now - self._flushed_at >= every_ms or self._unflushed >= events):
            return
        if self._running is not None and (everything or self._running.done()):
            await self._running
            self._running = None
        if self._running is None:
            self._flushed_at, self._unflushed = now, 0
            self._running = asyncio.create_task(self._flush(cursors))
        if everything:
            await self._running

    async def _flush(self, cursors: Sequence[Cursor]) -> None:
        for cursor in cursors:
            lane, upto = cursor.lane.number, cursor.read
            events = self._buffered[lane]
            try:
                await self._archive.flush(lane)
            except StorageError as error:
                self._logger.warning("archive_refused", lane=lane, error=str(error))
                continue
            self.upto[lane] = upto
            self._buffered[lane] -= events
