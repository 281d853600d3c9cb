"""Spans in one text: half-open, code points."""

from collections.abc import Iterable

Spans = list[tuple[int, int]]


def apart(candidates: Iterable[tuple[int, int]], size: int) -> Spans:
    """Those that overlap none before them, in order of place. `size`: of the text."""
    taken = bytearray(size)
    kept: Spans = []
    for start, end in candidates:
        if taken.find(1, start, end) < 0:
            taken[start:end] = b"\1" * (end - start)
            kept.append((start, end))
    return sorted(kept)
