"""Pattern scans over the plain view, and contact data. Places are code points of the joined text."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import hyperscan

from monitor.engine.databases import PATTERN_FLAGS, compiled
from monitor.engine.detectors import DETECTORS
from monitor.engine.views import Views

Place = tuple[int, int, int]  # pattern, start, end


class ContactSpan(NamedTuple):
    """Contact data in event `event`; code points of that event's text."""

    event: int
    start: int
    end: int
    kind: str


def longest(db: hyperscan.Database, data: bytes) -> dict[tuple[int, int], int]:
    """(pattern, start) → its longest end; byte offsets."""
    found: dict[tuple[int, int], int] = {}

    def on_match(n: int, start: int, end: int, flags: int, context: object) -> None:
        key = (n, start)
        if end > found.get(key, 0):
            found[key] = end

    db.scan(data, match_event_handler=on_match)
    return found


def places(db: hyperscan.Database, views: Views) -> list[Place]:
    """Hits in the whole batch, the longest per pattern and start."""
    found = longest(db, views.plain_bytes)
    return _placed(found, views, db) if found else []


def places_in(db: hyperscan.Database, text: str, offset: int) -> list[Place]:
    """Hits in one event's plain text, which begins at `offset` of the joined text."""
    data = text.encode()
    return [
        (n, offset + len(data[:start].decode()), offset + len(data[:end].decode()))
        for (n, start), end in longest(db, data).items() if end > start
    ]


def _placed(found: dict[tuple[int, int], int], views: Views, db: hyperscan.Database) -> list[Place]:
    """From byte offsets to code points. A hit over a text's end means that a pattern matched the line feed: the texts
    under it are scanned again, each alone."""
    data, begins, byte_begins = views.plain_bytes, views.begins, views.byte_begins
    crossing: set[int] = set()
    placed: list[Place] = []
    for (n, start), end in found.items():
        text = bisect_right(byte_begins, start) - 1
        if b"\n" in data[start:end]:
            crossing.update(range(text, bisect_right(byte_begins, end - 1)))
        elif end > start:
            begin = begins[text] + len(data[byte_begins[text] : start].decode())
            placed.append((n, begin, begin + len(data[start:end].decode())))
    if crossing:
        ends = [*(b - 1 for b in byte_begins[1:]), len(data)]
        placed = [p for p in placed if bisect_right(begins, p[1]) - 1 not in crossing]
        for text in crossing:
            placed += places_in(db, data[byte_begins[text] : ends[text]].decode(), begins[text])
    return placed


@cache
def _detectors() -> hyperscan.Database:
    return compiled([d.pattern.encode() for d in DETECTORS], PATTERN_FLAGS)


def contacts(views: Views, starts: Sequence[int]) -> list[ContactSpan]:
    """Contact data, each place and kind once."""
    found: dict[ContactSpan, None] = {}
    for n, start, _ in places(_detectors(), views):
        event = bisect_right(starts, start) - 1
        end = starts[event + 1] - 1 if event + 1 < len(starts) else len(views.plain)
        for a, b in DETECTORS[n].check(views.plain_text, start, end):
            found[ContactSpan(event, a - starts[event], b - starts[event], DETECTORS[n].name)] = None
    return list(found)

