"""The archive port on Parquet files: what is judged is buffered as frames and written a segment at a time."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]

from monitor.adapters.storage.counting import Tally
from monitor.adapters.storage.newest import Newest
from monitor.adapters.storage.segmentfile import Segment, Unusable
from monitor.adapters.storage.segments import Judged, table_of
from monitor.adapters.storage.shelf import Shelf
from monitor.domain.frames import Frame
from monitor.services.ports import FailPoint, Logger
from monitor.services.records import ArchiveQuery, KeptEvent, Mask, Series, TallyQuery

Looking = Newest | Tally


class Moved(Exception):
    """A segment was rewritten, or merged with others, while a search went through the list."""


class ParquetArchive:
    """`await ParquetArchive.open(folder, log=…)`. One thread writes, another one searches. `writer`: a thread
    that other archives write on, too, one segment after another; it is theirs to end.

    What is not flushed is lost with the process: whoever keeps frames reads them from the log again, from
    `position` on.
    """

    def __init__(self, shelf: Shelf, writer: ThreadPoolExecutor | None = None) -> None:
        self._shelf = shelf
        self._buffers: dict[int, dict[int, Judged]] = {}
        self._flushing = asyncio.Lock()
        self._writer = writer or ThreadPoolExecutor(1, thread_name_prefix="archive-writer")
        self._own = [] if writer else [self._writer]
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="archive-search")

    @classmethod
    async def open(
        cls, root: Path, *, log: Logger, failpoint: FailPoint = lambda name, events=0: None, reads_only: bool = False,
        writer: ThreadPoolExecutor | None = None,
    ) -> "ParquetArchive":
        """`reads_only`: for a search beside the process that writes; what it merges meanwhile may be missed.

        Raises NewerFormat where a newer version wrote a segment, StorageError.
        """
        pa.set_memory_pool(pa.system_memory_pool())  # gives back what a segment took; the default pool keeps it
        archive = cls(Shelf(root, log=log, failpoint=failpoint, reads_only=reads_only), writer)
        try:
            await asyncio.get_running_loop().run_in_executor(archive._writer, archive._shelf.open)
        except BaseException:
            await archive.close()
            raise
        return archive

    async def keep(self, lane: int, seq: int, frame: Frame, broadcasts: Sequence[str], masks: Sequence[Mask]) -> None:
        if len(frame):
            self._buffers.setdefault(lane, {})[seq] = Judged(seq, frame, broadcasts, masks)

    async def flush(self, lane: int) -> int:
        """As the port says; on StorageError everything stays buffered."""
        async with self._flushing:
            buffer = self._buffers.get(lane, {})
            judged = [buffer[seq] for seq in sorted(buffer)]
            if judged:
                await asyncio.get_running_loop().run_in_executor(self._writer, self._shelf.put, lane, judged)
            for item in judged:
                if buffer.get(item.seq) is item:  # else it was written again meanwhile
                    del buffer[item.seq]
        return self.position(lane)

    def position(self, lane: int) -> int:
        return self._shelf.ends.get(lane, 0)

    async def search(self, tenant: str, query: ArchiveQuery) -> list[KeptEvent]:
        """A cancelled search stops after the part of a segment that it is reading."""
        if query.limit <= 0:
            return []
        newest = Newest(tenant, query)
        await self._look_at_all(newest)
        return newest.events()

    async def tally(self, tenant: str, query: TallyQuery) -> list[Series]:
        """Ends early as a search does."""
        tally = Tally(tenant, query)
        await self._look_at_all(tally)
        return tally.series()

    async def _look_at_all(self, newest: Looking) -> None:
        seen = set[Segment]()
        try:
            await self._look_at_buffers(newest)  # first: what is flushed meanwhile is in the segments listed later
            while True:
                try:
                    await self._look_at_segments(newest, seen)
                except Moved:
                    continue
                return
        except asyncio.CancelledError:
            newest.abandoned = True
            raise

    async def _look_at_buffers(self, newest: Looking) -> None:
        loop = asyncio.get_running_loop()
        buffered = [(lane, [item for _, item in sorted(kept.items())]) for lane, kept in self._buffers.items()]
        for lane, judged in buffered:
            await loop.run_in_executor(self._searcher, _look, newest, judged, lane)

    async def _look_at_segments(self, newest: Looking, seen: set[Segment]) -> None:
        """All but those in `seen`, which grows. Raises Moved."""
        for segment in self._shelf.segments:
            if newest.has_passed(segment.facts.at_max):
                break
            if segment not in seen and newest.wants(segment.facts.at_min):
                await self._read(segment, newest)
                seen.add(segment)

    async def _read(self, segment: Segment, newest: Looking) -> None:
        try:
            await self._look_into(segment, newest)
        except Unusable as bad:
            if segment not in self._shelf.segments:
                raise Moved from bad
            await asyncio.get_running_loop().run_in_executor(self._writer, self._shelf.drop, bad.path, bad.error)

    async def _look_into(self, segment: Segment, newest: Looking) -> None:
        await asyncio.get_running_loop().run_in_executor(self._searcher, _look_into, self._shelf, segment, newest)

    async def expire(self, *, before: int) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._shelf.expire, before)

    async def tidy(self, *, before: int) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._shelf.tidy, before)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, self._shelf.close)
        for pool in (*self._own, self._searcher):
            await asyncio.get_running_loop().run_in_executor(None, pool.shutdown)


def _look(newest: Looking, judged: Sequence[Judged], lane: int) -> None:
    tenant, room = newest.tenant, newest.query.room
    concerned = [j for j in judged if j.frame.tenant == tenant and (room is None or room in j.frame.rooms)]
    if concerned:
        newest.begin()
        newest.look(table_of(concerned).select, lane)
        newest.end()


def _look_into(shelf: Shelf, segment: Segment, newest: Looking) -> None:
    newest.begin()
    with closing(shelf.reader(segment)) as reader:
        for group in sorted(reader.groups, key=lambda group: group.at_max, reverse=True):
            if newest.has_passed(group.at_max):
                break
            if newest.wants(group.at_min):
                newest.look(partial(reader.read, group), segment.lane, start=group.start)
    newest.end()
