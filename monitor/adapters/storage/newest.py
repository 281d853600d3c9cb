"""Searching segments for the newest events that match."""

from collections.abc import Callable
from functools import reduce
from typing import Any, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from monitor.services.records import ArchiveQuery, KeptEvent

_AT_LEAST: Final = 256  # candidates looked at together

Order = tuple[int, int, int]
"""(at, seq, place in the segment): what newest first goes by."""
Key = tuple[str, str, int]
"""(source, id, revision)"""


class Newest:
    """The newest events found so far, at most `query.limit` (> 0), each (source, id, revision) once.

    `abandoned`: nobody waits for them any more, so that nothing is to be looked at.
    """

    def __init__(self, tenant: str, query: ArchiveQuery) -> None:
        self.tenant = tenant
        self.query = query
        self.abandoned = False
        self._since = query.since
        self._found: dict[Key, tuple[Order, KeptEvent]] = {}

    def events(self) -> list[KeptEvent]:
        return [event for _, event in self._found.values()]

    def has_passed(self, at: int) -> bool:
        """True where nothing of this time (UTC ms) or before it can be among the newest."""
        return self.abandoned or (self._since is not None and at < self._since)

    def wants(self, at: int) -> bool:
        """False where everything of this time (UTC ms) or after it is too new."""
        return self.query.until is None or at < self.query.until

    def begin(self) -> None:
        """A segment: what is found counts at once, since each event is known by its key."""

    def end(self) -> None:
        """As `begin`."""

    def look(self, read: Callable[[list[str]], Any], lane: int, *, start: int = 0) -> None:
        """Take what matches from a segment, or a part of it behind `start` rows; `read(columns)` gives its table."""
        places = self._matching(read)
        if not len(places):
            return
        table = read(_COLUMNS)
        step, new = max(self.query.limit, _AT_LEAST), 0
        for done in range(0, len(places), step):
            part = places[done : done + step]
            for place, row in zip(part.tolist(), table.take(part).to_pylist(), strict=True):
                new += self._take(start + place, row, lane)
            if new >= self.query.limit:
                break
        self._keep_newest()

    def _keep_newest(self) -> None:
        best = sorted(self._found.items(), key=lambda item: item[1][0], reverse=True)[: self.query.limit]
        self._found = dict(best)
        if len(best) == self.query.limit:
            self._since = best[-1][1][0][0]

    def _matching(self, read: Callable[[list[str]], Any]) -> "np.ndarray[Any, Any]":
        """Places of the rows that match, newest first."""
        query = self.query
        wanted = ["tenant", "at"] + [name for name in ("room", "kind", "text") if getattr(query, name) is not None]
        if query.rooms is not None and query.room is None:
            wanted.append("room")
        table = read(wanted)
        conditions = [pc.equal(table["tenant"], self.tenant)]
        if query.room is not None:
            conditions.append(pc.equal(table["room"], query.room))
        if query.kind is not None:
            conditions.append(pc.equal(table["kind"], query.kind))
        if query.rooms is not None:
            conditions.append(pc.is_in(table["room"], value_set=pa.array(query.rooms, pa.string())))
        if self._since is not None:
            conditions.append(pc.greater_equal(table["at"], self._since))
        if query.until is not None:
            conditions.append(pc.less(table["at"], query.until))
        if query.text is not None:
            conditions.append(pc.match_substring(table["text"], query.text))
        places = np.flatnonzero(reduce(pc.and_, conditions).to_numpy())
        return places[np.lexsort((places, table["at"].to_numpy()[places]))[::-1]]

    def _take(self, place: int, row: dict[str, Any], lane: int) -> bool:
        """True where the event was not known yet."""
        order: Order = (row["at"], row.pop("seq"), place)
        key: Key = (row["source"], row["id"], row["revision"])
        known = self._found.get(key)
        if known is None or known[0] < order:
            masked = [mask["kind"] for mask in row.pop("masks")]
            self._found[key] = (order, KeptEvent(lane=lane, masked=masked, **row))
        return known is None


_COLUMNS: Final = [
    "source", "id", "revision", "room", "broadcast", "kind", "stage", "role", "speaker", "at", "offset_ms", "text",
    "masks", "sampled_out", "seq",
]  # fmt: skip
