"""What a classifier reads of a text: hashed n-grams of its folded characters and of their syllables.

The texts of a batch are hashed at once. Training and serving share this code, so both see the same features.
Hashing of n-grams without a dictionary: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, NamedTuple

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from monitor.engine.views import LF, Index, Layer, Units, Views

Buckets = NDArray[np.int64]

_STEP: Final = np.uint32(0x9E3779B1)
_LAST: Final = np.uint32(0x85EBCA77)
_SYLLABLES: Final = np.uint32(0x51ED270B)
"""Where the hash of syllables begins, so that they share no n-gram with characters."""
MOST_BITS: Final = 20
Size = Annotated[int, Meta(ge=1, le=8)]


class Grams(Struct, frozen=True):
    """Which n-grams: sizes of those of characters (the skeleton view) and of syllables (the sound view); 2**bits
    buckets. Each occurrence counts 1 / √(n-grams of the text + `shrink`), so that a few characters decide little."""

    bits: Annotated[int, Meta(ge=1, le=MOST_BITS)] = 17
    characters: tuple[Size, ...] = (1, 2, 3)
    syllables: tuple[Size, ...] = (2, 3)
    shrink: Annotated[int, Meta(ge=0)] = 8

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
    which each text begins, the unit before the next one being a line feed; `counts`: int64[n], n-grams of each text."""

    hashed: list[Hashed]
    begins: list[Index]
    counts: Index


def read(grams: Grams, views: Views, gone: NDArray[np.bool_] | None = None) -> Read:
    """`gone`: bool[N], the code points that are not to be read (contact data)."""
    hashed: list[Hashed] = []
    begins: list[Index] = []
    counts: Index = np.zeros(1 + views.text.count("\n"), np.int64)
    for sizes, seed, layer in _layers(grams, views):
        units = layer.units if gone is None else layer.units[~gone[layer.begins]]
        feeds = np.flatnonzero(units == LF)
        firsts = np.concatenate(([0], feeds + 1))
        lengths = np.diff(np.append(firsts, units.size + 1)) - 1
        for size, buckets in _windows(units, sizes, seed, grams):
            hashed.append(Hashed(len(begins), size, buckets))
            counts += np.maximum(lengths - size + 1, 0)
        begins.append(firsts)
    return Read(hashed, begins, counts)


def places(grams: Grams, views: Views, gone: NDArray[np.bool_] | None = None) -> list[tuple[Index, Index]]:
    """Of each layer that `read` reads: where each unit begins and ends, in code points (int64[u] each)."""
    found = []
    for _, _, layer in _layers(grams, views):
        every = np.arange(layer.units.size)
        begin, end = layer.place(every, every + 1)
        left = slice(None) if gone is None else ~gone[begin]
        found.append((begin[left], end[left]))
    return found


def _layers(grams: Grams, views: Views) -> Iterator[tuple[Sequence[int], np.uint32, Layer]]:
    """Sizes, seed and units of what is read."""
    if grams.characters:
        yield grams.characters, np.uint32(0), views.skeleton_layer
    if grams.syllables:
        yield grams.syllables, _SYLLABLES, views.sound_layer


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
