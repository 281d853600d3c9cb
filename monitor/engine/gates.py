"""Characters without which a pattern cannot match: a look at a text's own characters spares most runs.

A text holds one of a pattern's atoms (see atoms) far more often than all of its parts. The parts that each match must
have give sets of characters, of each of which the text must hold one.
"""

import re._constants as op  # type: ignore[import-not-found]
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.engine.atoms import parsed
from monitor.engine.views import Index, Units, changes, ranges

Chars = frozenset[str]
_Gate = tuple[float, Chars]
"""How frequent its characters are together, and they."""

_MOST: Final = 3
"""Gates of one pattern: the rarest; more of them stop little."""
_SET: Final = 64
"""Characters of a set that is worth asking for."""
_COST: Final = itemgetter(0)


class GateReader:
    """Finds sets of characters, the rarest first, of each of which a match holds one. `chance`: how frequent one is."""

    def __init__(self, chance: Callable[[str], float]) -> None:
        self._chance = cache(chance)
        self._literals: dict[int, _Gate] = {}

    def of(self, pattern: str, atoms: Collection[str] = ()) -> list[Chars]:
        """`atoms`: of these words the text holds one already; what each of them opens is no gate. Raises re.error for
        what is no pattern."""
        found = {chars: cost for cost, chars in self._sequence(parsed(pattern))
                 if not atoms or any(map(chars.isdisjoint, atoms))}
        return sorted(found, key=lambda chars: (found[chars], sorted(chars)))[:_MOST]

    def _sequence(self, items: Iterable[Any]) -> list[_Gate]:
        found: list[_Gate] = []
        for code, value in items:
            if code is op.LITERAL:
                found.append(self._literals.get(value) or self._literal(value))
            elif code is op.IN:
                found += self._set(value)
            elif code is op.SUBPATTERN:
                found += self._sequence(value[-1])
            elif code is op.BRANCH:
                found += self._either(value[1])
            elif code in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0]:
                found += self._sequence(value[2])
        return found

    def _literal(self, point: int) -> _Gate:
        found = self._literals[point] = self._gate(frozenset(chr(point)))
        return found

    def _gate(self, chars: Chars) -> _Gate:
        return sum(map(self._chance, chars)), chars

    def _either(self, branches: Iterable[Iterable[Any]]) -> list[_Gate]:
        """One character of the rarest gate of each branch, where each has one."""
        rarest: list[Chars] = []
        for branch in branches:
            gates = self._sequence(branch)
            if not gates:
                return []
            rarest.append(min(gates, key=_COST)[1])
        return [self._gate(frozenset().union(*rarest))]

    def _set(self, items: Iterable[Any]) -> list[_Gate]:
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
        return [self._gate(frozenset(found))]


class Gates:
    """Those of many patterns, for many texts at once. `gates`: by pattern, at most _MOST of each."""

    def __init__(self, gates: Sequence[Sequence[Chars]]) -> None:
        numbers = {gate: number for number, gate in enumerate(dict.fromkeys(each for of in gates for each in of), 1)}
        chars = sorted({char for gate in numbers for char in gate if ord(char) < 65536})
        columns = {char: column for column, char in enumerate(chars, 1)}
        holds = np.zeros((len(numbers) + 1, -(-(len(columns) + 1) // 64) * 64), dtype=bool)
        holds[0, 0] = True
        for gate, number in numbers.items():
            holds[number, [columns[char] for char in gate if char in columns]] = True
        self._holds: NDArray[np.uint64] = np.packbits(holds, axis=1, bitorder="little").view(np.uint64)
        self._column: Index = np.zeros(65536, dtype=np.int64)  # 0: what no gate asks for, which every text has
        self._column[[ord(char) for char in columns]] = list(columns.values())
        self._of: Index = np.zeros((len(gates), _MOST), dtype=np.int64)  # 0: open for every text
        for pattern, of in enumerate(gates):
            self._of[pattern, : len(of)] = [numbers[gate] for gate in of]

    def open(self, patterns: Index, firsts: Index, counts: Index, units: Units) -> Index:
        """Which of n pairs of a pattern and a text can match. `firsts`, `counts`: int64[n], where each pair's text
        stands in `units` of the plain view, text by text."""
        one = changes(firsts)
        text = np.repeat(np.arange(one.size), np.diff(one, append=firsts.size))
        which, at = ranges(firsts[one], counts[one])
        column = self._column.take(units[at])
        has = np.zeros((one.size, self._holds.shape[1] * 8), dtype=np.uint8)
        has[:, 0] = 1
        bits = np.left_shift(1, column & 7).astype(np.uint8)
        np.bitwise_or.at(has.reshape(-1), which * has.shape[1] + (column >> 3), bits)
        words = has.view(np.uint64)
        left = np.arange(patterns.size)
        for gates in self._of.T:
            has_one = words.take(text[left], axis=0) & self._holds.take(gates[patterns[left]], axis=0)
            left = left[has_one.any(axis=1)]
        return left
