"""Patterns of rules as they are run, and the words without which each cannot match.

A pattern runs in RE2, in linear time. Its words are found once and kept across starts.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from math import inf, prod
from typing import Any, Final

import re2
from msgspec import Struct

from monitor.domain.rules import Selection, View
from monitor.engine.atoms import Atoms
from monitor.engine.characters import Characters
from monitor.engine.databases import Halved, undivided
from monitor.engine.gates import Chars, GateReader
from monitor.engine.spellings import FREQUENT
from monitor.engine.terms import alternatives, fold_pattern
from monitor.engine.views import Views, ViewTables

# Zipf's law, fitted to 31,000 characters of hosts and viewers.
_FREQUENT: Final = {char: 0.2 / (8 + rank) for rank, char in enumerate(FREQUENT)}
_RARE: Final = 0.0002
_BESIDE: Final = {char: min(1.0, 8 * share) for char, share in _FREQUENT.items()}  # neighbours are no strangers
_NEVER: Final = 4
"""Terms of so many characters are too rare to count."""
_EACH: Final = 5e-6
"""What one more literal costs, as a chance: it is compiled, kept and scanned for even where it stands nowhere. So a few
words that stand a little more often are better than a hundred rare ones."""
_MANY: Final = 500
"""Patterns that are worth another process."""
_EVERYWHERE: Final = 1000.0
"""More than anything else that is looked for, where no word is."""
MAX_MEMORY: Final = 2**20
"""Bytes that one compiled pattern may take; a pattern that would need more is refused."""
_USUAL_MEMORY: Final = 2**16
"""Enough for nearly all. The automaton grows up to what it may take while texts are read, so thousands of patterns must
not be given more than they need."""

OVERLAPPING: Final = 64
"""Hits of more characters do not overlap, so that `好+` takes linear time on a text of 好 alone."""


class OneText:
    """One text of the batch, as patterns read it."""

    __slots__ = ("_low", "_views", "_written", "plain", "start")

    def __init__(self, views: Views, start: int, end: int) -> None:
        self._views, self.start = views, start
        self._low = views.kept_before[start]
        self.plain = views.plain_text[start:end]
        self._written: dict[bool, tuple[str, bytes]] = {}

    @property
    def end(self) -> int:
        return self.start + len(self.plain)

    def written(self, *, skeleton: bool) -> tuple[str, bytes]:
        """The plain view or the skeleton, as a string and in UTF-8."""
        if skeleton not in self._written:
            text = self._views.skeleton_text[self._low : self._views.kept_before[self.end]] if skeleton else self.plain
            self._written[skeleton] = text, text.encode()
        return self._written[skeleton]

    def place(self, start: int, end: int, *, skeleton: bool) -> tuple[int, int]:
        """In the joined text, of a place in what is written."""
        if not skeleton:
            return self.start + start, self.start + end
        where, low = self._views.where, self._low
        return int(where[low + start]), int(where[low + end - 1]) + 1


class Pattern:
    """One pattern. Hits are the longest from each start; after a very long one, from its end on."""

    __slots__ = ("_expression", "_folded", "view")

    def __init__(self, folded: str, view: View) -> None:
        self.view = view
        self._folded = folded
        self._expression: Any = None

    def check(self) -> None:
        """Raises ValueError where the linear-time engine refuses it or where it matches nothing at all."""
        if self._compiled().search(b""):
            raise ValueError("it matches the empty text")

    def _compiled(self) -> Any:
        """Made when it is first needed: most patterns of a set never are, in one process."""
        if self._expression is None:
            try:
                self._expression = _within(_USUAL_MEMORY, self._folded)
            except ValueError:
                self._expression = _within(MAX_MEMORY, self._folded)
        return self._expression

    def hits(self, text: OneText) -> list[tuple[int, int]]:
        """Code points of the joined text."""
        skeleton = self.view is not View.PLAIN
        return [text.place(a, b, skeleton=skeleton) for a, b in self._spans(*text.written(skeleton=skeleton))]

    def _spans(self, text: str, data: bytes) -> list[tuple[int, int]]:
        search = self._compiled().search
        found, at, chars, last = [], 0, 0, 0
        while (match := search(data, at)) is not None:
            start, end = match.span()
            chars += len(data[last:start].decode())
            size = len(data[start:end].decode())
            found.append((chars, chars + size))
            last = start
            at = start + len(text[chars].encode()) if size <= OVERLAPPING else end
        return found


@cache
def _options(memory: int) -> Any:
    options = re2.Options()
    options.longest_match, options.never_capture = True, True
    options.log_errors, options.max_mem = False, memory
    return options


def _within(memory: int, pattern: str) -> Any:
    try:
        return re2.compile(pattern.encode(), _options(memory))
    except re2.error as error:
        raise ValueError(_said(error)) from error


def _said(error: Exception) -> str:
    what = error.args[0] if error.args else error
    return what.decode(errors="replace") if isinstance(what, bytes) else str(what)


def chance(units: str) -> float:
    """About how likely a text holds these units, by the frequency of characters in speech; infinite for none."""
    if not units:
        return inf
    return _FREQUENT.get(units[0], _RARE) * prod([_BESIDE.get(unit, 8 * _RARE) for unit in units[1:]])


class _Shares(dict[str, tuple[float, float] | None]):
    """A character's chances in `chance`: at first, and behind another one; None for what the skeleton drops."""

    def __init__(self, characters: Characters) -> None:
        super().__init__()
        self._characters = characters

    def __missing__(self, char: str) -> tuple[float, float] | None:
        kept = self._characters.skeleton(char)
        found = self[char] = (_FREQUENT.get(char, _RARE), _BESIDE.get(char, 8 * _RARE)) if kept else None
        return found


class Needs(Struct, frozen=True):
    """What a text must hold for a pattern to match: one of `atoms`, as the skeleton shows them, and a character of each
    of `gates`."""

    atoms: list[str]
    gates: list[Chars]


class Reader:
    """Folds patterns and finds what they need, each pattern once. `known`: by folded pattern, from an earlier start;
    what is known was checked then."""

    def __init__(self, tables: ViewTables, known: dict[str, Needs]) -> None:
        self.characters = Characters(tables)
        self.known = known
        self.parts = cache(self._parts)
        self._sound: set[str] = set()
        self._atoms = Atoms(_Shares(self.characters).__getitem__, _EACH)
        self._gates = GateReader(chance)
        self._chance = cache(chance)

    def _parts(self, pattern: str) -> list[str]:
        """Its outermost alternatives, folded."""
        return alternatives(fold_pattern(pattern, self.characters))

    def read(self, patterns: Iterable[str], halved: Halved) -> None:
        """Finds what all of these need that can be run. Many are shared with another process."""
        unknown = [parts for parts in map(self.parts, dict.fromkeys(patterns))
                   if any(each not in self.known for each in parts)]
        share = halved if len(unknown) >= _MANY else undivided
        self.known.update(share(self._read, unknown, of=tuple[str, Needs]))

    def _read(self, unknown: Sequence[list[str]]) -> list[tuple[str, Needs]]:
        """A pattern is checked as a whole: where it can be run, so can its alternatives."""
        found: list[tuple[str, Needs]] = []
        for parts in unknown:
            with suppress(ValueError):
                Pattern("|".join(parts), View.PLAIN).check()
                self._sound.update(parts)
            for each in parts:
                with suppress(ValueError):
                    found.append((each, self.needs(each)))
        return found

    def needs(self, folded: str) -> Needs:
        """Raises ValueError for a pattern that cannot be run."""
        found = self.known.get(folded)
        if found is None:
            if folded not in self._sound:
                Pattern(folded, View.PLAIN).check()
            found = self.known[folded] = self._needs(folded)
        return found

    def _needs(self, folded: str) -> Needs:
        try:
            found = self._atoms.of(folded)
            atoms = sorted(set(self.characters.skeleton("\n".join(found)).split("\n"))) if found else []
            return Needs(atoms, self._gates.of(folded, atoms))
        except re.error as error:
            raise ValueError(str(error)) from error

    def likelihood(self, selection: Selection) -> float:
        """About how likely a character of speech begins a hit of this selection. Faulty patterns count as none."""
        characters, found = self.characters, 0.0
        for term in selection.terms:
            if len(term) < _NEVER:
                found += min(1.0, chance(characters.skeleton(characters.plain(term))))
        for each in chain.from_iterable(map(self.parts, selection.patterns)):
            with suppress(ValueError):
                atoms = self.needs(each).atoms
                found += sum(map(self._chance, atoms)) if atoms else _EVERYWHERE
        return found
