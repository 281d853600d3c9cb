"""Masking: one code point for one, so that every span of the original still holds."""

from collections.abc import Iterable
from typing import Final

MARK: Final = "*"


def mask_text(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """`text` with the code points of each [start, end) replaced by `*`; its length stays the same.

    Spans may come in any order, overlap, and reach beyond the end. Raises ValueError for a negative start.
    """
    parts: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start < 0:
            raise ValueError(f"a span starts at {start}")
        start, end = max(start, done), min(end, len(text))
        if start < end:
            parts += (text[done:start], MARK * (end - start))
            done = end
    return "".join((*parts, text[done:])) if done else text
