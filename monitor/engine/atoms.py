"""What a text must hold for a pattern to have a chance: a few literals, one of which is in every hit.

The same idea as RE2's FilteredRE2 (Cox, "Regular Expression Matching with a Trigram Index", 2012): the literals of all
patterns go into the one literal scan, and a pattern runs only on texts in which one of its own was seen.
"""

import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from math import inf
from typing import Any, Final

from msgspec import Struct

MOST: Final = 512
"""Literals that one pattern may need."""
_EXACT: Final = 128
"""Strings that a part is spelled out in."""
_CLASS: Final = 40
"""Characters of a set that is spelled out, not passed over."""

Share = Callable[[str], tuple[float, float] | None]
"""How likely a character is at first, and behind another one; None for one that cannot be looked for."""


class Strings(Struct, frozen=True, gc=False):
    """Strings of which only the number and the sums are known until they are spelled out: most sets are passed over.

    `bare`: how many of them hold nothing that can be looked for. `first`, `behind`: how likely a text holds one of the
    others by itself, and behind something else; so what joined strings cost is known before they are. `made`: the
    strings, or two sets to join, or sets to put together.
    """

    size: int
    bare: int
    first: float
    behind: float
    cost: float
    made: "tuple[str, ...] | _Joined | list[Strings]"


class _Joined(Struct, frozen=True, gc=False):
    left: Strings
    right: Strings


class Part(Struct, frozen=True, gc=False):
    """What one part of a pattern matches. `exact`: everything that it can match, or None where that is too much.
    `needs`: each match holds one of these; None where nothing is sure."""

    exact: Strings | None = None
    needs: Strings | None = None


_ANYTHING: Final = Part()
_EMPTY: Final = Strings(1, 1, 0.0, 1.0, inf, ("",))
_NOTHING: Final = Part(_EMPTY)


@lru_cache(maxsize=1)
def parsed(pattern: str) -> Any:
    """(code, value) of each part. Raises re.error for what is no pattern."""
    return parser.parse(pattern)


class Atoms:
    """Finds the literals of which each hit of a pattern holds at least one, as cheap as possible. `share`: see Share;
    `each`: what one more literal costs, as a chance."""

    def __init__(self, share: Share, each: float = 0.0) -> None:
        self._share = share
        self._each = each
        self._chars: dict[int, Part] = {}

    def of(self, pattern: str) -> set[str] | None:
        """None where there are none. Raises re.error for what is no pattern."""
        needs = self._sequence(parsed(pattern)).needs
        return None if needs is None else _shortest(set(_spelled(needs)))

    def _strings(
        self, size: int, bare: int, first: float, behind: float, made: tuple[str, ...] | _Joined | list[Strings],
    ) -> Strings:
        cost = inf if bare or size > MOST else first + size * self._each
        return Strings(size, bare, first, behind, cost, made)

    def _sequence(self, items: Iterable[Any]) -> Part:
        """Parts one after the other: exact strings grow as long as they stay few; the best that went by is kept."""
        exact: Strings | None = _EMPTY
        needs, cost, whole = None, inf, True
        for code, value in items:
            part = self._char(value) if code is op.LITERAL else self._part(code, value)
            if part.needs is not None and part.needs.cost < cost:
                needs, cost = part.needs, part.needs.cost
            if exact is not None and part.exact is not None and exact.size * part.exact.size <= _EXACT:
                exact = self._joined(exact, part.exact)
                continue
            whole = False
            if exact is not None and exact.cost < cost:
                needs, cost = exact, exact.cost
            exact = part.exact
        if exact is not None and exact.cost < cost:
            needs = exact
        return Part(exact if whole else None, needs)

    def _part(self, code: Any, value: Any) -> Part:
        if code is op.IN:
            return self._set(value)
        if code is op.AT:
            return _NOTHING
        if code is op.SUBPATTERN:
            return self._sequence(value[-1])
        if code is op.BRANCH:
            return self._either([self._sequence(branch) for branch in value[1]])
        if code in (op.MAX_REPEAT, op.MIN_REPEAT):
            return self._repeated(*value)
        return _ANYTHING

    def _char(self, point: int) -> Part:
        found = self._chars.get(point)
        if found is None:
            share = self._share(chr(point))
            found = self._chars[point] = _exactly(
                self._strings(1, share is None, *(share or (0.0, 1.0)), (chr(point),)))
        return found

    def _set(self, items: Iterable[Any]) -> Part:
        points: list[int] = []
        for code, value in items:
            if code is op.LITERAL:
                points.append(value)
            elif code is op.RANGE and value[1] - value[0] < _CLASS:
                points += range(value[0], value[1] + 1)
            elif code is op.CATEGORY and value is op.CATEGORY_DIGIT:
                points += b"0123456789"
            else:
                return _ANYTHING
        if len(points) > _CLASS:
            return _ANYTHING
        return _exactly(self._union([self._char(point).exact for point in set(points)]))

    def _either(self, parts: list[Part]) -> Part:
        exact = self._union([part.exact for part in parts])
        needs = self._union([part.needs for part in parts])
        if exact is not None and exact.size > _EXACT:
            exact = None
        return Part(exact, _cheaper(exact, needs))

    def _repeated(self, least: int, most: Any, items: Iterable[Any]) -> Part:
        part = self._sequence(items)
        one = part.exact
        if one is None or most is op.MAXREPEAT or most > 3 or one.size ** most > _EXACT:
            return Part(None, part.needs) if least else _ANYTHING
        times = [_EMPTY]
        for _ in range(most):
            times.append(self._joined(times[-1], one))
        return _exactly(self._union(times[least:]))

    def _joined(self, one: Strings, other: Strings) -> Strings:
        made: tuple[str, ...] | _Joined = _Joined(one, other)
        if one.size == other.size == 1 and isinstance(one.made, tuple) and isinstance(other.made, tuple):
            made = (one.made[0] + other.made[0],)
        return self._strings(
            one.size * other.size, one.bare * other.bare, one.first * other.behind + one.bare * other.first,
            one.behind * other.behind, made)

    def _union(self, sets: Sequence[Strings | None]) -> Strings | None:
        size, bare, first, behind, found = 0, 0, 0.0, 0.0, list[Strings]()
        for each in sets:
            if each is None:
                return None
            size, bare, first, behind = size + each.size, bare + each.bare, first + each.first, behind + each.behind
            found.append(each)
        return self._strings(size, bare, first, behind, found)


def _cheaper(one: Strings | None, other: Strings | None) -> Strings | None:
    """As literals to look for; None where neither can be."""
    if one is None or (other is not None and other.cost < one.cost):
        one = other
    return None if one is None or one.cost == inf else one


def _exactly(exact: Strings | None) -> Part:
    return Part(exact, _cheaper(exact, None))


def _spelled(strings: Strings) -> Collection[str]:
    made, rights = strings.made, list[Strings]()
    while isinstance(made, _Joined):  # long sequences lean to the left
        rights.append(made.right)
        made = made.left.made
    found: Collection[str] = {text for each in made for text in _spelled(each)} if isinstance(made, list) else made
    for right in reversed(rights):
        found = [text + more for more in _spelled(right) for text in found]
    return found


def _shortest(texts: set[str]) -> set[str]:
    """Those that hold none of the others."""
    sizes = sorted(set(map(len, texts)))
    if len(sizes) == 1:
        return texts
    return {text for text in texts if not any(
        text[start : start + size] in texts
        for size in sizes if size < len(text) for start in range(len(text) - size + 1))}
