"""Many literals of one view, found by their first two or three units, in numpy, at all places of a text at once.

They are sorted by what opens them, which takes a twentieth of the time that Hyperscan takes to compile them. Where the
first three units of some stand, those are compared whole: of 70,000 literals two or three for each line of a text.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.engine.views import LF, Index, Units, ranges

_MIXED: Final = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)
_ROOM: Final = 8
"""Buckets for each literal, so that most of what stands in texts falls into none that holds one."""
_BITS: Final = range(10, 21)
_TWO, _MORE = 1, 2

Marks = NDArray[np.uint32]


class Openings(Struct, frozen=True, array_like=True):
    """Of l literals in order of their marks. `marks`: uint32[l], made of what opens them; the highest `bits` are the
    bucket. `order`: int32[l], their numbers. `begins`: int32[l + 1], where each stands in `units` (uint16)."""

    bits: int
    marks: bytes
    order: bytes
    begins: bytes
    units: bytes


def openings_of(literals: Sequence[str]) -> Openings:
    """Of literals of at least two 16-bit units each, without line feeds. Each one's number is its place."""
    units: Units = np.frombuffer("".join(literals).encode("utf-16-le", "surrogatepass"), dtype=np.uint16)
    sizes = np.fromiter(map(len, literals), dtype=np.int64, count=len(literals))
    starts = np.cumsum(sizes) - sizes
    third = np.append(units, np.uint16(LF))[np.where(sizes > 2, starts + 2, units.size)].astype(np.uint32)
    two, three = _marks(units[starts].astype(np.uint32), units[starts + 1].astype(np.uint32), third)
    marks = np.where(sizes > 2, three, two)
    order = np.argsort(marks, kind="stable")
    bits = min(max((len(literals) * _ROOM).bit_length(), _BITS[0]), _BITS[-1])
    return Openings(bits, marks[order].tobytes(), order.astype(np.int32).tobytes(),
                    np.cumsum([0, *sizes[order]], dtype=np.int32).tobytes(),
                    units[ranges(starts[order], sizes[order])[1]].tobytes())


def _marks(first: Marks, second: Marks, third: Marks) -> tuple[Marks, Marks]:
    """Of the first two units, which is odd, and of all three, which is even."""
    two = first * _MIXED[0] + second * _MIXED[1]
    three = two + third * _MIXED[2]
    return two | np.uint32(1), three & np.uint32(0xFFFFFFFE)


class Opened:
    """Literals, ready to be found."""

    def __init__(self, openings: Openings) -> None:
        self._marks: Marks = np.frombuffer(openings.marks, dtype=np.uint32)
        self._order: Index = np.frombuffer(openings.order, dtype=np.int32).astype(np.int64)
        self._begins: Index = np.frombuffer(openings.begins, dtype=np.int32).astype(np.int64)
        self._units: Units = np.frombuffer(openings.units, dtype=np.uint16)
        self._shift = np.uint32(32 - openings.bits)
        buckets = self._marks >> self._shift
        held = np.bincount(buckets, minlength=1 << openings.bits)
        self._firsts = np.concatenate(([0], np.cumsum(held))).astype(np.int32)
        self._holds = np.zeros(held.size, dtype=np.uint8)
        self._holds[buckets[self._marks & 1 == 1]] |= _TWO
        self._holds[buckets[self._marks & 1 == 0]] |= _MORE
        self._end: Units = np.full(max(np.diff(self._begins).max(initial=0), 2), LF, dtype=np.uint16)

    def find(self, units: Units) -> tuple[Index, Index]:
        """Hits: the literal's number, and where it begins in `units`; int64[h] each."""
        padded = np.concatenate((units, self._end))
        wide = padded[: units.size + 2].astype(np.uint32)
        two, three = _marks(wide[:-2], wide[1:-1], wide[2:])
        at_two = np.flatnonzero(self._holds.take(two >> self._shift) & _TWO != 0)
        at_three = np.flatnonzero(self._holds.take(three >> self._shift) & _MORE != 0)
        at = np.concatenate((at_two, at_three))
        marks = np.concatenate((two[at_two], three[at_three]))
        buckets = (marks >> self._shift).astype(np.int64)
        firsts = self._firsts[buckets].astype(np.int64)
        which, literals = ranges(firsts, self._firsts[buckets + 1] - firsts)
        same = np.flatnonzero(self._marks[literals] == marks[which])
        if not same.size:
            return same, same
        return self._whole(padded, literals[same], at[which[same]])

    def _whole(self, padded: Units, literals: Index, at: Index) -> tuple[Index, Index]:
        """Those that stand there."""
        begins = self._begins[literals]
        sizes = self._begins[literals + 1] - begins
        which, unit = ranges(begins, sizes)
        wrong = padded[unit + (at - begins)[which]] != self._units[unit]
        whole = np.flatnonzero(np.bincount(which[wrong], minlength=at.size) == 0)
        return self._order[literals[whole]], at[whole]
