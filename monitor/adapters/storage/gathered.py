"""The archives of several workers, as one that is only searched.

Each worker writes a folder for each of its partitions; here they are looked through together. What a worker has not
written yet is not seen.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]

from monitor.adapters.storage.archive import Looking, Moved, ParquetArchive
from monitor.adapters.storage.listing import listed
from monitor.adapters.storage.segmentfile import Reader, Segment, Unusable, read_facts, refusals
from monitor.adapters.storage.shelf import newest_first, place_of

_FRESH_S: Final = 0.5
_WHOLE_S: Final = 60
_LATEST: Final = 2
"""Days that are looked at each time: what workers write."""


class GatheredShelf:
    """The segments below `<root>/*/<day>`. Every method belongs in one thread; `segments` may be read from others."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.segments: tuple[Segment, ...] = ()
        self.ends: dict[int, int] = {}
        self._known: dict[Path, Segment] = {}
        self._bad: set[Path] = set()
        self._looked_at = self._whole_at = -1e9

    def refresh(self, *, now: bool = False) -> None:
        """Raises StorageError, NewerFormat. Unless `now`, what was looked at a moment ago is good enough."""
        at = time.monotonic()
        if not now and at - self._looked_at < _FRESH_S:
            return
        whole = now or at - self._whole_at >= _WHOLE_S
        with refusals(self.root):
            folders = [days for each in listed(self.root, "*") if (days := listed(each, "????-??-??"))]
            days = [day for each in folders for day in (each if whole else each[-_LATEST:])]
            found = {path for day in days for path in listed(day, "*.parquet")} - self._bad
        known = {path: segment for path, segment in self._known.items()
                 if path in found or (not whole and path not in self._bad and path.parent not in days)}
        for path in found - known.keys():
            segment = self._segment(path)
            if segment is not None:
                known[path] = segment
        self._known, self.segments = known, tuple(sorted(known.values(), key=newest_first))
        self._looked_at = at
        if whole:
            self._whole_at = at

    def _segment(self, path: Path) -> Segment | None:
        place = place_of(path)
        if place is None:
            return None
        try:
            return Segment(path, *place, read_facts(path))
        except Unusable as bad:
            if not isinstance(bad.error, FileNotFoundError):
                self._bad.add(path)  # its worker sets it aside
            return None

    def reader(self, segment: Segment) -> Reader:
        """To be closed. Raises Unusable, StorageError."""
        return Reader(segment.path)

    def forget(self, path: Path, error: Exception) -> None:
        """It could not be read: gone, or damaged."""
        if not isinstance(error, FileNotFoundError):
            self._bad.add(path)
        self.refresh(now=True)

    def close(self) -> None:
        """Nothing is held."""


class GatheredArchive(ParquetArchive):
    """`GatheredArchive.of(root)`. Searched only; who writes are the workers."""

    _shelf: GatheredShelf  # type: ignore[assignment]

    @classmethod
    def of(cls, root: Path) -> "GatheredArchive":
        pa.set_memory_pool(pa.system_memory_pool())
        return cls(GatheredShelf(root))  # type: ignore[arg-type]

    async def _look_at_all(self, newest: Looking) -> None:
        await asyncio.get_running_loop().run_in_executor(self._searcher, self._shelf.refresh)
        await super()._look_at_all(newest)

    async def _read(self, segment: Segment, newest: Looking) -> None:
        try:
            await self._look_into(segment, newest)
        except Unusable as bad:
            await asyncio.get_running_loop().run_in_executor(self._searcher, self._shelf.forget, bad.path, bad.error)
            raise Moved from bad

    async def expire(self, *, before: int) -> int:
        return 0

    async def tidy(self, *, before: int) -> bool:
        return False
