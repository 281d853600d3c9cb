"""A text that is little but one sign or short unit again and again: 666666666, 哈哈哈哈哈哈哈哈."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from monitor.engine.views import Views, span_of

REPEATS: Final = "repeats"
TIMES: Final = 8
LONGEST: Final = 4
"""Code points of a unit; the space or the mark between two counts as its part."""


def repeats(views: Views, starts: Sequence[int]) -> list[tuple[int, int, int]]:
    """(event, start, end), code points of the event's text: a unit of 1 to `LONGEST` that stands there at least `TIMES`
    in a row, and makes up four fifths of the text. One a text at most, that of the shortest unit. Signs are told apart
    as they are written. Linear time."""
    points = np.frombuffer(views.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    found: dict[int, tuple[int, int]] = {}
    for unit in range(1, LONGEST + 1):
        again = np.zeros(max(len(points) - unit, 0) + 2, dtype=bool)
        again[1:-1] = (points[:-unit] == points[unit:]) & (points[:-unit] != ord("\n"))  # nothing goes on over lines
        edges = np.flatnonzero(np.diff(again)).reshape(-1, 2)
        for start, end in edges[edges[:, 1] - edges[:, 0] >= unit * (TIMES - 1)].tolist():
            event = int(np.searchsorted(starts, start, side="right")) - 1
            begin, stop = span_of(event, starts, views)
            if (end + unit - start) * 5 >= (stop - begin) * 4:
                found.setdefault(event, (start - begin, end + unit - begin))
    return [(event, *span) for event, span in sorted(found.items())]
