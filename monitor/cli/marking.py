"""A text with what was found in it marked."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from rich.text import Text

from monitor.cli.terminal import safe

AROUND: Final = 60
"""Characters of a long text that are shown on either side of what was found."""
NEAR: Final = 12
"""The same in a table."""
_JOINED: Final = "(?:[\u0300-\u036f\u20d0-\u20f0\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|\u200d.?)*"
_ALNUM: Final = f"(?:[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]{_JOINED})+"
_UNIT: Final = re.compile(f"{_ALNUM}(?:[_-]+{_ALNUM})*|[\U0001f1e6-\U0001f1ff]{{2}}|.{_JOINED}", re.DOTALL)
"""What no mark and no cut goes through: a word or number, an id, what is seen as one character."""


def marked(text: str, spans: Iterable[tuple[int, int]], *, brackets: bool, around: int = AROUND) -> Text:
    """`text` with the spans marked, by 【】 where there is no colour; spans that touch are one, words are not cut.

    What is further than `around` characters from all spans is left out; without spans, so is what follows them.
    """
    shown = _Shown(text)
    found = Text()
    done = 0
    for start, end in shown.whole(spans):
        found.append(shown.piece(done, start, around if done else 0, around))
        hit = safe(text[start:end])
        found.append(f"【{hit}】" if brackets else hit, style="bold reverse")
        done = end
    return found.append(shown.piece(done, len(text), around if done else 2 * around, 0))


def whole(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, grown to whole words and characters; those that overlap or touch as one."""
    return _Shown(text).whole(spans)


class _Shown:
    """A text in units."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._edges = [0, *accumulate(map(len, _UNIT.findall(text)))]

    def whole(self, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """The spans in order, grown to whole units; those that overlap or touch as one."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if start < end:
                start, end = self._before(start), self._after(end)
                if merged and start <= merged[-1][1]:
                    start, end = merged[-1][0], max(end, merged.pop()[1])
                merged.append((start, end))
        return merged

    def piece(self, start: int, end: int, head: int, tail: int) -> str:
        """The part from `start` to `end`, of a long one about `head` and `tail` characters of its ends."""
        if end - start <= head + tail + 1:
            return safe(self._text[start:end])
        return safe(self._text[start : self._before(start + head)] + "…" + self._text[self._after(end - tail) : end])

    def _before(self, place: int) -> int:
        return self._edges[bisect_right(self._edges, place) - 1]

    def _after(self, place: int) -> int:
        return self._edges[min(bisect_left(self._edges, place), len(self._edges) - 1)]
