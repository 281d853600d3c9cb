"""What a classifier reads of a text: hashed n-grams of its folded characters and of their syllables.

The texts of a batch are hashed at once. Training and serving share this code, so both see the same features.
Hashing of n-grams without a dictionary: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009.
"""

from collections.abc import Collection, Iterator
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
_LF: Final = np.uint16(LF)
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


class Read(NamedTuple):
    """A batch of n texts as n-grams. `kinds`: (layer, size) of each kind; layer 0 characters, 1 syllables; `buckets`:
    int64[kinds, u + 1], that of the n-gram that begins at each of the u units of the skeleton that are read, or
    `Grams.buckets`, one past the last, where none does; `begins`: int64[n], the unit at which each text begins, the
    unit before the next one being a line feed; `counts`: int64[n], n-grams of each text."""

    kinds: list[tuple[int, int]]
    buckets: Buckets
    begins: Index
    counts: Index


def read(grams: Grams, views: Views, gone: NDArray[np.bool_] | None = None) -> Read:
    """`gone`: bool[N], the code points that are not to be read (contact data)."""
    layers = _layers(views, gone)
    sizes = (sorted(set(grams.characters)), sorted(set(grams.syllables)))
    split = layers[0].units.size + 1
    units = np.concatenate([layers[0].units, [_LF], layers[1].units, [_LF]])  # hashed alike, one behind the other
    ends = np.flatnonzero(units == LF)
    begins = np.concatenate(([0], ends[:-1] + 1))
    lengths = (ends - begins).reshape(2, -1)
    seeds = np.repeat(_SEEDS, (split, units.size - split))
    windows = dict(_windows(units, ends, seeds, {*sizes[0], *sizes[1]}, grams))
    kinds = [(number, size) for number in (0, 1) for size in sizes[number]]
    buckets = np.full((len(kinds), split), grams.buckets, np.int64)
    counts: Index = np.zeros(lengths.shape[1], np.int64)
    for row, (number, size) in zip(buckets, kinds, strict=True):
        at = layers[number].at
        row[slice(None) if at is None else at] = windows[size][split:] if number else windows[size][:split]
        counts += np.maximum(lengths[number] - size + 1, 0)
    return Read(kinds, buckets, begins[: counts.size], counts)


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


def _windows(
    units: Units, ends: Index, state: NDArray[np.uint32], sizes: Collection[int], grams: Grams
) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Each size with the bucket of the window that begins at each unit; none where it holds a line feed. `ends`: where
    those are, the last unit being one. `state`: the hash to begin with."""
    wide = units.astype(np.uint32)
    for size in range(1, max(sizes, default=0) + 1):
        last = wide[size - 1 :]
        state = state[: last.size] ^ last
        state *= _STEP
        state ^= state >> np.uint32(15)
        if size in sizes:
            mixed = np.empty_like(wide)
            some = np.add(state, np.uint32(size), out=mixed[: last.size])
            some *= _LAST
            some ^= some >> np.uint32(13)
            some *= _STEP
            some >>= np.uint32(32 - grams.bits)
            np.put(mixed, ends - np.arange(size)[:, None], grams.buckets, mode="clip")
            yield size, mixed
