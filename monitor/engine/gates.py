"""Characters without which a pattern cannot match: a look at a text's own characters spares most runs.

A text holds one of a pattern's atoms (see atoms) far more often than all of its parts. The parts that each match must
have give sets of characters, of each of which the text must hold one.
"""

import re._constants as op  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable
from typing import Any, Final

from monitor.engine.atoms import parsed

Chars = frozenset[str]

_MOST: Final = 3
"""Gates of one pattern: the rarest; more of them stop little."""
_SET: Final = 64
"""Characters of a set that is worth asking for."""


def gates_of(pattern: str, chance: Callable[[str], float]) -> list[Chars]:
    """Sets of characters, the rarest first; each match holds one of each. `chance`: how frequent a character is."""
    found = set(_sequence(parsed(pattern), chance))
    return sorted(found, key=lambda chars: (_cost(chars, chance), sorted(chars)))[:_MOST]


def _cost(chars: Chars, chance: Callable[[str], float]) -> float:
    return sum(map(chance, chars))


def _sequence(items: Iterable[Any], chance: Callable[[str], float]) -> list[Chars]:
    return [gate for code, value in items for gate in _part(code, value, chance)]


def _part(code: Any, value: Any, chance: Callable[[str], float]) -> list[Chars]:
    if code is op.LITERAL:
        return [frozenset(chr(value))]
    if code is op.IN:
        return _set(value)
    if code is op.SUBPATTERN:
        return _sequence(value[-1], chance)
    if code is op.BRANCH:
        return _either([_sequence(branch, chance) for branch in value[1]], chance)
    if code in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0]:
        return _sequence(value[2], chance)
    return []


def _either(branches: list[list[Chars]], chance: Callable[[str], float]) -> list[Chars]:
    """One character of the rarest gate of each branch, where each has one."""
    if not all(branches):
        return []
    return [frozenset().union(*(min(gates, key=lambda chars: _cost(chars, chance)) for gates in branches))]


def _set(items: Iterable[Any]) -> list[Chars]:
    found: set[str] = set()
    for code, value in items:
        if code is op.LITERAL:
            found.add(chr(value))
        elif code is op.RANGE and value[1] - value[0] < _SET:
            found.update(map(chr, range(value[0], value[1] + 1)))
        elif code is op.CATEGORY and value is op.CATEGORY_DIGIT:
            found.update("0123456789")
        else:
            return []
    return [frozenset(found)]
