"""Terms for rules: words that missed violations of a category have in common, and lawful lines have not."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from monitor.domain.labelled import Labelled
from monitor.domain.masking import MARK
from monitor.services.measures import Bools

LEAST: Final = 2
"""Lines that must have a word, and characters that it must have."""
Words = Callable[[str], Iterable[str]]


class Term(Struct, frozen=True):
    """`missed`: lines that nothing finds and that have the word, of `of` such lines; `lawful`: lawful lines with it."""

    word: str
    missed: int
    of: int
    lawful: int


def terms(
    lines: Sequence[Labelled], found: Bools, categories: Sequence[str], words: Words, *, lawful: int = 0
) -> dict[str, list[Term]]:
    """By category, those of most missed lines first; categories without one are left out.

    `found`: bool[n, c], what rules and classifier find of these categories. `lawful`: in how many lawful lines a word
    may stand. `words` cuts a text into words.
    """
    said = Counter(word for line in lines if not line.labels for word in _words(line, words))
    suggested = {}
    for column, category in enumerate(categories):
        missed = [line for line, hit in zip(lines, found[:, column].tolist(), strict=True)
                  if category in line.labels and not hit]
        common = Counter(word for line in missed for word in _words(line, words))
        some = [Term(word, n, len(missed), said[word]) for word, n in common.items()
                if n >= LEAST and said[word] <= lawful]
        if some:
            suggested[category] = sorted(some, key=lambda term: (-term.missed, -len(term.word), term.word))
    return suggested


def _words(line: Labelled, words: Words) -> set[str]:
    """Each once; no single characters, no numbers or marks, nothing that was masked."""
    return {word for word in words(line.text) if len(word) >= LEAST and MARK not in word and any(
        c.isalpha() for c in word)}
