"""Counting a room's events in segments by time."""

from collections.abc import Callable
from functools import reduce
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc  # type: ignore[import-untyped]

from monitor.services.records import Series, TallyQuery

Counts = dict[tuple[str, int], "np.ndarray[Any, Any]"]
"""(kind, lane) → events in each bucket."""


class Tally:
    """The counts so far, of each position of the log once: a segment counts when all of it was read, and what was
    counted before, buffered or in one that was merged meanwhile, is passed over.

    `abandoned`: nobody waits for them any more, so that nothing is to be looked at.
    """

    def __init__(self, tenant: str, query: TallyQuery) -> None:
        self.tenant = tenant
        self.query = query
        self.abandoned = False
        self._counts: Counts = {}
        self._known: dict[int, np.ndarray[Any, Any]] = {}  # positions by lane
        self._reading: Counts = {}
        self._positions: dict[int, list[np.ndarray[Any, Any]]] = {}

    def series(self) -> list[Series]:
        return [Series(kind=kind, lane=lane, counts=counts.tolist())
                for (kind, lane), counts in sorted(self._counts.items())]

    def has_passed(self, at: int) -> bool:
        return self.abandoned or at < self.query.since

    def wants(self, at: int) -> bool:
        return at < self.query.until

    def begin(self) -> None:
        """A segment, or what is buffered; another one that broke off does not count."""
        self._reading, self._positions = {}, {}

    def look(self, read: Callable[[list[str]], Any], lane: int, *, start: int = 0) -> None:
        query = self.query
        table = read(_COLUMNS)
        conditions = [pc.equal(table["tenant"], self.tenant), pc.equal(table["room"], query.room),
                      pc.greater_equal(table["at"], query.since), pc.less(table["at"], query.until)]
        table = table.filter(reduce(pc.and_, conditions))
        if lane in self._known:
            table = table.filter(~np.isin(table["seq"].to_numpy(), self._known[lane]))
        if not table.num_rows:
            return
        self._positions.setdefault(lane, []).append(np.unique(table["seq"].to_numpy()))
        places = (table["at"].to_numpy() - query.since) // query.bucket_ms
        kinds = table["kind"].cast("string").to_numpy()
        for kind in np.unique(kinds.astype(str)).tolist():
            counts = self._reading.setdefault((kind, lane), np.zeros(query.buckets, np.int64))
            counts += np.bincount(places[kinds == kind], minlength=query.buckets)

    def end(self) -> None:
        """All of it was read."""
        for key, counts in self._reading.items():
            self._counts[key] = self._counts.get(key, 0) + counts
        for lane, positions in self._positions.items():
            known = [self._known[lane]] if lane in self._known else []
            self._known[lane] = np.unique(np.concatenate([*known, *positions]))
        self.begin()


_COLUMNS: Final = ["tenant", "room", "at", "kind", "seq"]
