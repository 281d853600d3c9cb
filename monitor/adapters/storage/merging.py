"""Which neighbouring segments are worth being merged into one, and the merging, step by step.

A merge makes the file of every event that it rewrites several times as large. So an event is rewritten about as often
as that factor fits into the largest size: O(log n) times, however small the pieces were in which it came.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from time import monotonic
from typing import Any, Final

from monitor.adapters.storage.segmentfile import Made, Piece, Segment, making, rows

MOST_EVENTS: Final = 500_000
MOST_BYTES: Final = 32 * 2**20
"""What a merged segment holds at most."""
MOST_FILES: Final = 32
"""How many go into one at once: that many are removed in one step, at up to 1 ms each on a busy disk."""

GROWTH: Final = 8
"""How many times as large as the largest of its parts a merged segment must be, where more segments will follow."""
LAST_GROWTH: Final = 9 / 8
"""The same for the segments of a day that is over."""


def worth_merging(segments: Iterable[Segment], before: int) -> Iterator[list[Segment]]:
    """Runs of neighbours to merge, each in order; none where nothing is worth it.

    They are of one lane and one day, nothing is missing between them, and all events lie before `before` (UTC ms).
    """
    for _, lane in groupby(sorted(segments, key=lambda s: (s.lane, s.first, s.last)), key=lambda s: s.lane):
        of_lane = list(lane)
        today = of_lane[-1].day
        for chain in _chains(of_lane, before):
            yield from _runs(chain, GROWTH if chain[0].day == today else LAST_GROWTH)


def _chains(segments: Sequence[Segment], before: int) -> Iterator[list[Segment]]:
    chain: list[Segment] = []
    last_day, end = "", 0
    for segment in segments:
        if segment.facts.at_max >= before:
            continue
        day = segment.day
        if chain and (segment.first > end + 1 or day != last_day):
            yield chain
            chain = []
        chain.append(segment)
        last_day, end = day, segment.last
    if chain:
        yield chain


def _runs(chain: Sequence[Segment], growth: float) -> Iterator[list[Segment]]:
    """Parts of the chain, as long as may be, that grow as they must and become no larger than they may."""
    start = 0
    while start < len(chain):
        events = size = largest = end = 0
        for place in range(start, min(start + MOST_FILES, len(chain))):
            facts = chain[place].facts
            events, size, largest = events + facts.events, size + facts.bytes, max(largest, facts.events)
            if events > MOST_EVENTS or size > MOST_BYTES:
                break
            if events >= growth * largest:
                end = place + 1
        if end:
            yield list(chain[start:end])
        start = end or start + 1


class Merge:
    """A run of segments that is becoming one."""

    def __init__(self, run: Sequence[Segment]) -> None:
        self.run = run
        folder, lane = run[0].path.parent, run[0].lane
        self._steps = making(Piece(folder, lane, run[0].first, max(old.last for old in run), self._tables()))

    def _tables(self) -> Iterator[Any]:
        end = 0
        for segment in self.run:
            yield from rows(segment.path, end + 1, segment.last)  # ranges overlap where a crash left them so
            end = max(end, segment.last)

    def go_on(self, seconds: float) -> Made | None:
        """For about that long; what is to take the run's place, once it is there.

        Raises OSError, StorageError, Unusable; then nothing is left of it.
        """
        end = monotonic() + seconds
        try:
            while True:
                next(self._steps)
                if monotonic() >= end:
                    return None
        except StopIteration as done:
            finished: Made = done.value
            return finished

    def close(self) -> None:
        """Leave it off; nothing is left of it."""
        self._steps.close()
