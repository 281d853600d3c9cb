"""Which places words reach. What stands in one text is sorted once; each question then costs a search by halves."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from monitor.domain.rules import Side
from monitor.engine.views import Views

Place = tuple[int, int]
"""Half-open, in code points of the joined text."""


class Reaching(NamedTuple):
    """A veto or a `near` of selection `by` on the selections in `of` (a bit mask). `turns` finds, at each place, the
    shortest of the words that end the reach."""

    by: int
    of: int
    within: int
    side: Side
    turns: re.Pattern[str] | None = None


def ending_at(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern for `turns`: of the words that begin at a place, the shortest."""
    return re.compile(f"(?=({'|'.join(map(re.escape, sorted(words, key=len)))}))")


class Places:
    """Some places of one text."""

    def __init__(self, places: Iterable[Place]) -> None:
        ordered = sorted(places)
        ends = [end for _, end in ordered]
        self._starts = [start for start, _ in ordered]
        self._furthest = list(accumulate(ends, max))  # end of those up to here
        self._nearest = list(accumulate(reversed(ends), min))[::-1]  # end of those from here on

    def end_before(self, start: int) -> int | None:
        """The furthest end of those that begin before `start`."""
        k = bisect_left(self._starts, start)
        return self._furthest[k - 1] if k else None

    def around(self, start: int, end: int) -> bool:
        """Does one of them hold all of [start, end)?"""
        k = bisect_right(self._starts, start)
        return k > 0 and self._furthest[k - 1] >= end

    def inside(self, start: int, end: int) -> bool:
        """Does one of them lie within [start, end)?"""
        k = bisect_left(self._starts, start)
        return k < len(self._starts) and self._nearest[k] <= end


class Reached:
    """What words at these places reach. `text`: where the text begins and ends.

    The nearest word on each side decides: whatever lies between it and a hit lies between all others and the hit, too.
    """

    def __init__(self, words: Iterable[Place], reach: Reaching, views: Views, text: Place = (0, 0)) -> None:
        self._words = list(words)
        self._reach, self._views, self._text = reach, views, text

    @cached_property
    def _before(self) -> Places:
        return Places(self._words)

    @cached_property
    def _after(self) -> Places:
        """Mirrored, so that what comes after stands before."""
        return Places([(-end, -start) for start, end in self._words])

    @cached_property
    def _barriers(self) -> Places | None:
        turns = self._reach.turns
        return turns and Places([m.span(1) for m in turns.finditer(self._views.plain_text, *self._text)])

    def __call__(self, start: int, end: int) -> bool:
        """Does one of the words stand on the wanted side, within so many skeleton code points? Overlap is no
        distance."""
        if not self._words:
            return False
        side = self._reach.side
        if side is not Side.AFTER:
            last = self._before.end_before(start)
            if last is not None and self._close(last, start):
                return True
        if side is not Side.BEFORE:
            first = self._after.end_before(-end)
            if first is not None and self._close(end, -first):
                return True
        return side is Side.EITHER and self._before.inside(start, end)

    def _close(self, start: int, end: int) -> bool:
        if end <= start:
            return True
        if self._views.skeleton_between(start, end) > self._reach.within:
            return False
        return self._barriers is None or not self._barriers.inside(start, end)
