"""The newest entries of a log in memory, so that a consumer that keeps up never reads them a second time."""

from bisect import bisect_right
from collections import deque

from msgspec import Struct

from monitor.adapters.bus.logreader import MOST_ENTRIES
from monitor.adapters.bus.logrows import BOTH, Totals
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.frames import Entry
from monitor.services.records import Numbered


def _cost(size: int) -> int:
    """Bytes of memory that a kept entry takes: of its objects and columns (measured: 1.6 to 3.0 times its encoding)."""
    return 1_700 + size * 9 // 4


class _Kept(Struct, frozen=True):
    numbered: Numbered
    totals: Totals
    lane: int
    events: int
    cost: int


class _Run:
    """Entries of one lane, or of all, in order. Every one of them with seq > `floor` is here."""

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self.items: deque[_Kept] = deque()

    def after(self, seq: int) -> int:
        """Index of the first item with a higher number."""
        return bisect_right(self.items, seq, key=lambda kept: kept.totals.seq)

    def evict(self) -> None:
        self.floor = self.items.popleft().totals.seq


class Recent:
    """At most `bytes_` (estimated) and `events` of the newest entries. `lasts` = the last seq of either lane."""

    def __init__(self, *, end: Totals, lasts: tuple[int, int], bytes_: int, events: int) -> None:
        self._all = _Run(end.seq)
        self._lanes = (_Run(lasts[HOST_SIDE]), _Run(lasts[VIEWERS]))
        self._base = end  # of the entry before the first one held
        self._bytes = 0
        self._events = 0
        self._most_bytes = bytes_
        self._most_events = events

    def add(self, entry: Entry, totals: Totals, *, lane: int, events: int, size: int) -> None:
        """`totals`: up to and including it. `size`: bytes of its encoding."""
        cost = _cost(size)
        kept = _Kept(Numbered(totals.seq, entry), totals, lane, events, cost)
        for run in (self._all, *self._runs(lane)):
            run.items.append(kept)
        self._bytes += cost
        self._events += events
        while self._all.items and (self._bytes > self._most_bytes or self._events > self._most_events):
            self._evict()

    def read(self, after: int, lane: int | None, events: int) -> list[Numbered] | None:
        """As `Log.read`; None where an entry that belongs to the answer may be on disk only."""
        run = self._all if lane is None else self._lanes[lane]
        if after < run.floor:
            return None
        found: list[Numbered] = []
        start = run.after(after)
        for i in range(start, min(start + MOST_ENTRIES, len(run.items))):
            kept = run.items[i]
            events -= kept.events
            if events < 0 and found:
                break
            found.append(kept.numbered)
        return found

    def totals(self, seq: int) -> Totals | None:
        """Running totals at entry `seq`; None where they are on disk only."""
        if seq < self._base.seq:
            return None
        index = self._all.after(seq)
        return self._all.items[index - 1].totals if index else self._base

    @property
    def base(self) -> Totals:
        """Running totals before the first entry held."""
        return self._base

    def trim(self, trimmed: Totals) -> None:
        """Forget the entries up to `trimmed`; what is left is complete if nothing older is on disk."""
        while self._all.items and self._base.seq < trimmed.seq:
            self._evict()
        if self._base.seq < trimmed.seq:
            self._base = trimmed
        for run in (self._all, *self._lanes):
            if run.floor <= trimmed.seq:
                run.floor = 0

    def _runs(self, lane: int) -> tuple[_Run, ...]:
        return self._lanes if lane == BOTH else (self._lanes[lane],)

    def _evict(self) -> None:
        gone = self._all.items[0]
        for run in (self._all, *self._runs(gone.lane)):
            run.evict()
        self._base = gone.totals
        self._bytes -= gone.cost
        self._events -= gone.events
