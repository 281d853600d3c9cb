"""Contact data and what else the built-in detectors find. Places are code points of the joined text."""

from bisect import bisect_right
from collections.abc import Container, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.engine.databases import Database, compiled
from monitor.engine.detectors import DETECTORS
from monitor.engine.detectors_alphabet import codes_of, spelled, table_of
from monitor.engine.repeats import REPEATS, repeats
from monitor.engine.views import Index, Views, ViewTables, span_of


class ContactSpan(NamedTuple):
    """What a detector found in event `event`; code points of that event's text. `masked`: it is contact data."""

    event: int
    start: int
    end: int
    kind: str
    masked: bool = True


@cache
def _codes() -> dict[str, int]:
    return codes_of(detector.pattern for detector in DETECTORS)


@cache
def _database() -> Database:
    return compiled([spelled(detector.pattern, _codes()) for detector in DETECTORS])


@cache
def _table(tables: ViewTables) -> NDArray[np.uint8]:
    return table_of(_codes(), tables.skip)


def prepare(tables: ViewTables) -> None:
    """Compile what all engines share, about 0.3 s in the process's first one, so that no event waits for it."""
    _database()
    _table(tables)


def covered(spans: Sequence[ContactSpan], views: Views, starts: Index) -> NDArray[np.bool_] | None:
    """bool[N]: the code points of contact data; None where there is none."""
    masked = [span for span in spans if span.masked]
    if not masked:
        return None
    found = np.zeros(len(views.plain), dtype=bool)
    for span in masked:
        begin = int(starts[span.event])
        found[begin + span.start : begin + span.end] = True
    return found


def contacts(views: Views, starts: Sequence[int], kinds: Container[str] | None = None) -> list[ContactSpan]:
    """Contact data always, and of the other kinds those in `kinds` (None: all); each place and kind once.

    A hit of a pattern proposes the whole text to its detector, so what else is in the batch changes nothing.
    """
    proposed: dict[tuple[int, int], None] = {}

    def on_match(n: int, start: int, end: int, flags: int, context: object) -> None:
        proposed[bisect_right(starts, end - 1) - 1, n] = None

    data = np.take(_table(views.tables), views.plain).tobytes()
    if data:
        _database().scan(data, on_match)
    found: list[ContactSpan] = []
    for event, n in sorted(proposed):
        detector = DETECTORS[n]
        if detector.masks or kinds is None or detector.name in kinds:
            text = views.plain[slice(*span_of(event, starts, views))].tobytes().decode("utf-16-le")
            found += [ContactSpan(event, a, b, detector.name, detector.masks) for a, b in detector.check(text)]
    if kinds is None or REPEATS in kinds:
        found += [ContactSpan(*place, REPEATS, masked=False) for place in repeats(views, starts)]
    return found
