"""What a classifier reads of a text: hashed n-grams of its folded characters and of their syllables.

The texts of a batch are hashed at once. Training and serving share this code, so both see the same features.
Hashing of n-grams without a dictionary: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.engine.views import LF, Index, Units, Views

Buckets = NDArray[np.int64]

_STEP: Final = np.uint32(0x9E3779B1)
_LAST: Final = np.uint32(0x85EBCA77)
_SYLLABLES: Final = np.uint32(0x51ED270B)
"""Where the hash of syllables begins, so that they share no n-gram with characters."""
MOST_BITS: Final = 20


class Grams(Struct, frozen=True):
    """Which n-grams: sizes of those of characters (the skeleton view) and of syllables (the sound view); 2**bits
    buckets. Each occurrence counts 1 / √(n-grams of the text + `shrink`), so that a few characters decide little."""

    bits: int = 17
    characters: tuple[int, ...] = (1, 2, 3)
    syllables: tuple[int, ...] = (2, 3)
    shrink: int = 8

    @property
    def buckets(self) -> int:
        return 1 << self.bits

    def scale(self, counts: Index) -> NDArray[np.float64]:
        """float64[n]: what one n-gram of each text counts. `counts`: n-grams of each text."""
        return 1 / np.sqrt(np.maximum(counts + self.shrink, 1))


class Hashed(NamedTuple):
    """The n-grams of one size of a layer of u units. `buckets`: int64[u], that of the n-gram that begins at each unit;
    `Grams.buckets`, one past the last, where none does. `size`: units of each."""

    layer: int
    size: int
    buckets: Buckets


class Read(NamedTuple):
    """A batch of n texts as n-grams. `hashed`: of each layer and size; `begins`: of each layer int64[n], the unit at
    which each text begins, the unit before the next one being a line feed; `counts`: int64[n], n-grams of each text;
    `where`: of each layer int64[u], the code point of each unit."""

    hashed: list[Hashed]
    begins: list[Index]
    counts: Index
    where: list[Index]


def read(grams: Grams, views: Views, gone: NDArray[np.bool_] | None = None) -> Read:
    """`gone`: bool[N], the code points that are not to be read (contact data)."""
    hashed: list[Hashed] = []
    begins: list[Index] = []
    where: list[Index] = []
    counts: Index | None = None
    for number, (sizes, seed) in enumerate(((grams.characters, np.uint32(0)), (grams.syllables, _SYLLABLES))):
        if not sizes:
            continue
        units, at = _layer(views, syllables=number == 1)
        if gone is not None:
            left = ~gone[at]
            units, at = units[left], at[left]
        feeds = np.flatnonzero(units == LF)
        firsts = np.concatenate(([0], feeds + 1))
        lengths = np.diff(np.append(firsts, units.size + 1)) - 1
        for size, buckets in _windows(units, sizes, seed, grams):
            hashed.append(Hashed(len(begins), size, buckets))
            found = np.maximum(lengths - size + 1, 0)
            counts = found if counts is None else counts + found
        begins.append(firsts)
        where.append(at)
    return Read(hashed, begins, np.zeros(0, np.int64) if counts is None else counts, where)


def _layer(views: Views, *, syllables: bool) -> tuple[Units, Index]:
    """Units and the code point that each begins at."""
    if not syllables:
        return views.skeleton, views.where
    layer = views.sound_layer
    return layer.units, layer.where if layer.at is None else layer.where[layer.at[:-1]]


def _windows(
    units: Units, sizes: Sequence[int], seed: np.uint32, grams: Grams
) -> Iterator[tuple[int, Buckets]]:
    """A line feed closes the text: one is put behind the last. Yields each size with the buckets of its windows."""
    wide = np.append(units, np.uint16(LF)).astype(np.uint32)
    inside = wide != LF
    state = np.full(wide.size, seed, dtype=np.uint32)
    valid = inside.copy()
    for size in range(1, max(sizes) + 1):
        last = wide[size - 1 :]
        state = (state[: last.size] ^ last) * _STEP
        state ^= state >> np.uint32(15)
        valid = valid[: last.size] & inside[size - 1 :]
        if size in sizes:
            buckets = np.full(wide.size, grams.buckets, dtype=np.int64)
            mixed = (state + np.uint32(size)) * _LAST
            mixed ^= mixed >> np.uint32(13)
            mixed *= _STEP
            buckets[: last.size] = np.where(valid, mixed >> np.uint32(32 - grams.bits), np.uint32(grams.buckets))
            yield size, buckets
