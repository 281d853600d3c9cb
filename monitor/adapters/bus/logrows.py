"""What the rows of the embedded log's file say.

Each row carries running totals, so that a backlog, an age or a size is a look-up or a binary search over `seq`
instead of a sum over rows.
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from monitor.adapters.sqlite import sqlite3
from monitor.domain import frames
from monitor.domain.events import VIEWERS
from monitor.domain.frames import Entry, Frame

BOTH: Final = -1
"""Lane of the entries that belong to both lanes."""


class Totals(Struct, frozen=True):
    """Running totals of the log up to and including entry `seq`, the trimmed ones included."""

    seq: int = 0
    latest: int = 0  # the highest accepted_at so far, UTC ms
    host_events: int = 0
    viewer_events: int = 0
    bytes: int = 0  # of compressed payload

    def events(self, lane: int) -> int:
        return self.viewer_events if lane == VIEWERS else self.host_events

    def plus(self, packed: "Packed", size: int) -> "Totals":
        return Totals(
            self.seq + 1,
            max(self.latest, packed.entry.accepted_at),
            self.host_events + (0 if packed.lane == VIEWERS else packed.events),
            self.viewer_events + (packed.events if packed.lane == VIEWERS else 0),
            self.bytes + size,
        )


class Packed(Struct, frozen=True):
    """An entry on its way to the file. `data` is encoded, not compressed."""

    entry: Entry
    lane: int
    events: int
    data: bytes


def pack(entry: Entry) -> Packed:
    if isinstance(entry, Frame):
        return Packed(entry, entry.lane, len(entry), frames.encode(entry))
    return Packed(entry, BOTH, 0, frames.encode(entry))


def totals_at(db: sqlite3.Connection, seq: int) -> Totals:
    """Totals of entry `seq`; those of the last trimmed entry where `seq` is gone."""
    columns = "seq, latest, host_events, viewer_events, bytes"
    row = db.execute(
        f"SELECT {columns} FROM entries WHERE seq = ? UNION ALL SELECT {columns} FROM trimmed",  # noqa: S608 - a constant
        (seq,),
    ).fetchone()
    return Totals(*row)


def lowest(db: sqlite3.Connection, first: int, end: int, total: Callable[[Totals], int], at_least: int) -> int:
    """The lowest seq in [first, end] whose running total reaches `at_least`; end + 1 where none does."""
    return first + bisect_left(range(first, end + 1), at_least, key=lambda seq: total(totals_at(db, seq)))


def first_since(db: sqlite3.Connection, first: int, end: int, accepted_at: int) -> int:
    """The lowest seq in [first, end] accepted at or after `accepted_at` (UTC ms); end + 1 where none was.

    The running maximum finds it, except where a clock stepped back and the maximum is an entry's that is trimmed.
    """
    near = lowest(db, first, end, lambda totals: totals.latest, accepted_at)
    row = db.execute(
        "SELECT seq FROM entries WHERE seq BETWEEN ? AND ? AND accepted_at >= ? ORDER BY seq LIMIT 1",
        (near, end, accepted_at),
    ).fetchone()
    return row[0] if row else end + 1
