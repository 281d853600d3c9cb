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
_SEEDS: Final = (np.uint32(0), np.uint32(0x51ED270B))
"""Where the hash of characters begins, and that of syllables, so that they share no n-gram."""
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
    """The n-grams of one size of a layer. `buckets`: int64[u + 1], that of the n-gram that begins at each of the u
    units of the skeleton that are read; `Grams.buckets`, one past the last, where none does. `size`: units of each."""

    layer: int
    size: int
    buckets: Buckets


class Read(NamedTuple):
    """A batch of n texts as n-grams. `hashed`: of each layer and size; `begins`: int64[n], the unit at which each text
    begins, the unit before the next one being a line feed; `counts`: int64[n], n-grams of each text."""

    hashed: list[Hashed]
    begins: Index
    counts: Index


def read(grams: Grams, views: Views, gone: NDArray[np.bool_] | None = None) -> Read:
    """`gone`: bool[N], the code points that are not to be read (contact data)."""
    characters, syllables = _layers(views, gone)
    hashed: list[Hashed] = []
    begins = _begins(characters.units)
    counts: Index = np.zeros(begins.size, np.int64)
    for number, sizes, layer in ((0, grams.characters, characters), (1, grams.syllables, syllables)):
        lengths = np.diff(_begins(layer.units), append=layer.units.size + 1) - 1
        for size, buckets in _windows(layer.units, sizes, _SEEDS[number], grams):
            hashed.append(Hashed(number, size, buckets if layer.at is None else _spread(buckets, layer.at)))
            counts += np.maximum(lengths - size + 1, 0)
    return Read(hashed, begins, counts)


def places(views: Views, gone: NDArray[np.bool_] | None = None) -> list[tuple[Index, Index, Index]]:
    """Of each layer that `read` reads: where each unit begins and ends, in code points, and the unit of the skeleton
    that it begins at (int64 each)."""
    found = []
    for layer in _layers(views, gone):
        every = np.arange(layer.units.size)
        found.append((*layer.place(every, every + 1), every if layer.at is None else layer.at[:-1]))
    return found


def _layers(views: Views, gone: NDArray[np.bool_] | None) -> tuple[Layer, Layer]:
    """Characters and syllables."""
    return (views.skeleton_layer, views.sound_layer) if gone is None else views.without(gone)


def _begins(units: Units) -> Index:
    """Where each text begins."""
    return np.concatenate(([0], np.flatnonzero(units == LF) + 1))


def _spread(buckets: Buckets, at: Index) -> Buckets:
    """Each at the unit of the skeleton that it begins at. `at`: see `Layer`."""
    found = np.full(int(at[-1]) + 1, buckets[-1])
    found[at[:-1]] = buckets[:-1]
    return found


def _windows(
    units: Units, sizes: Sequence[int], seed: np.uint32, grams: Grams
) -> Iterator[tuple[int, Buckets]]:
    """A line feed closes the text: one is put behind the last. Yields each size with the buckets of its windows."""
    wide = np.append(units, np.uint16(LF)).astype(np.uint32)
    bars = np.where(wide == LF, np.uint32(grams.buckets), np.uint32(0))  # above all buckets: what holds one is none
    state, barred = np.full(wide.size, seed, dtype=np.uint32), bars
    for size in range(1, max(sizes, default=0) + 1):
        last = wide[size - 1 :]
        state = state[: last.size] ^ last
        state *= _STEP
        state ^= state >> np.uint32(15)
        barred = np.maximum(barred[: last.size], bars[size - 1 :])
        if size in sizes:
            mixed = (state + np.uint32(size)) * _LAST
            mixed ^= mixed >> np.uint32(13)
            mixed *= _STEP
            mixed >>= np.uint32(32 - grams.bits)
            buckets = np.full(wide.size, grams.buckets, dtype=np.int64)
            np.maximum(mixed, barred, out=buckets[: last.size])
            yield size, buckets
