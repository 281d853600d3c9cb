"""What a text must hold for a pattern to have a chance: a few literals, one of which is in every hit.

The same idea as RE2's FilteredRE2 (Cox, "Regular Expression Matching with a Trigram Index", 2012): the literals of all
patterns go into the one literal scan, and a pattern runs only on texts in which one of its own was seen.
"""

import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from itertools import product
from math import inf
from typing import Any, Final

from msgspec import Struct

MOST: Final = 512
"""Literals that one pattern may need."""
_EXACT: Final = 128
"""Strings that a part is spelled out in."""
_CLASS: Final = 40
"""Characters of a set that is spelled out, not passed over."""

Strings = frozenset[str] | None


class Part(Struct, frozen=True):
    """What one part of a pattern matches. `exact`: everything that it can match, or None where that is too much.
    `needs`: each match holds one of these, or None where nothing is sure."""

    exact: Strings = None
    needs: Strings = None


_ANYTHING: Final = Part()


def atoms_of(pattern: str, cost: Callable[[str], float]) -> Strings:
    """Literals of which each hit of the pattern holds at least one, as cheap as possible; None where there are none.

    `cost`: of looking for this literal, mostly how likely a text holds it; infinite where it cannot be looked for.
    Raises re.error for what is no pattern.
    """
    reader = _Reader(cost)
    found = reader.best(reader.sequence(parsed(pattern)))
    return None if found is None else frozenset(atom for atom in found if found.isdisjoint(_inside(atom)))


@lru_cache(maxsize=1)
def parsed(pattern: str) -> Any:
    """(code, value) of each part. Raises re.error for what is no pattern."""
    return parser.parse(pattern)


def _inside(text: str) -> Iterator[str]:
    """Its parts, but for itself."""
    size = len(text)
    return (text[start:end] for start in range(size) for end in range(start + 1, size + 1) if end - start < size)


class _Reader:
    def __init__(self, cost: Callable[[str], float]) -> None:
        self._cost = cache(lambda strings: sum(map(cost, strings)))

    def best(self, part: Part) -> Strings:
        """The better of the two as literals to look for."""
        return self._better(part.exact, part.needs)

    def _better(self, one: Strings, other: Strings) -> Strings:
        """The cheaper."""
        costs = [self._cost(s) if s and len(s) <= MOST else inf for s in (one, other)]
        if costs == [inf, inf]:
            return None
        return one if costs[0] <= costs[1] else other

    def sequence(self, items: Iterable[Any]) -> Part:
        """Parts one after the other: exact strings grow as long as they stay few; the best that went by is kept."""
        exact: Strings = frozenset(("",))
        needs: Strings = None
        whole = True
        for code, value in items:
            part = self._part(code, value)
            needs = self._better(needs, self.best(part))
            if exact is not None and part.exact is not None and len(exact) * len(part.exact) <= _EXACT:
                exact = frozenset(a + b for a, b in product(exact, part.exact))
                continue
            whole = False
            needs = self._better(needs, exact)
            exact = part.exact
        return Part(exact if whole else None, self._better(needs, exact))

    def _part(self, code: Any, value: Any) -> Part:
        if code is op.LITERAL:
            return Part(frozenset((chr(value),)))
        if code is op.IN:
            return _set(value)
        if code is op.AT:
            return Part(frozenset(("",)))
        if code is op.SUBPATTERN:
            return self.sequence(value[-1])
        if code is op.BRANCH:
            return self._either([self.sequence(branch) for branch in value[1]])
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self._repeated(*value)
        return _ANYTHING

    def _either(self, parts: list[Part]) -> Part:
        exact = _union([part.exact for part in parts])
        return Part(exact if exact is not None and len(exact) <= _EXACT else None, _union(map(self.best, parts)))

    def _repeated(self, least: int, most: Any, items: Iterable[Any]) -> Part:
        part = self.sequence(items)
        if part.exact is not None and most is not op.MAXREPEAT and most <= 3 and len(part.exact) ** most <= _EXACT:
            return Part(frozenset("".join(each) for n in range(least, most + 1)
                                  for each in product(part.exact, repeat=n)))
        return Part(None, self.best(part)) if least else _ANYTHING


def _union(sets: Iterable[Strings]) -> Strings:
    found: set[str] = set()
    for each in sets:
        if each is None:
            return None
        found |= each
    return frozenset(found)


def _set(items: Iterable[Any]) -> Part:
    found: list[str] = []
    for code, value in items:
        if code is op.LITERAL:
            found.append(chr(value))
        elif code is op.RANGE and value[1] - value[0] < _CLASS:
            found += map(chr, range(value[0], value[1] + 1))
        elif code is op.CATEGORY and value is op.CATEGORY_DIGIT:
            found += "0123456789"
        else:
            return _ANYTHING
    return Part(frozenset(found)) if len(found) <= _CLASS else _ANYTHING
