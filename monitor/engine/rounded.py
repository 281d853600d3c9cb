"""A table of weights as whole numbers, whose rows are gathered and summed fast.

A weight has eight bits in a field of sixteen, so the sum of 258 rows stays in its field; four fields are one int64, so
numpy gathers and sums four columns at once. Sums of whole numbers do not depend on their order.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.engine.views import Index

Floats = NDArray[np.float32]
Words = NDArray[np.int64]

MOST: Final = 127
"""The largest weight of a column, in steps."""
ROWS: Final = (2**15 - 1) // MOST
"""Of so many rows no sum leaves its field."""
_FIELDS: Final = 4
_HALF: Final = -(2**15)
_HALVES: Final = 0x8000_8000_8000_8000 - 2**64
"""Half of a field's range. With it on top no field is below zero, so none borrows from the next."""
_AT_ONCE: Final = 256


class Rounded:
    """`step`: float32[c], what one is worth in each column: its largest weight is worth `MOST`."""

    def __init__(self, table: Floats) -> None:
        """`table`: float32[rows, c]."""
        largest = np.abs(table).max(axis=0)
        self.step: Floats = np.where(largest > 0, largest, 1).astype(np.float32) / np.float32(MOST)
        rows, self._columns = table.shape
        fields = np.zeros((rows, -(-self._columns // _FIELDS) * _FIELDS), np.int16)
        fields[:, : self._columns] = np.rint(table / self.step)
        self._words: Words = (fields ^ _HALF).view(np.int64) - _HALVES

    def rows(self, at: Index | slice = slice(None)) -> Floats:
        """float32[k, c]: these rows, as they are rounded."""
        return self._fields(self._words[at]) * self.step

    def sums(self, gathered: Index, begins: Index) -> Floats:
        """float32[n, c]: for each text the sum of all rows that `gathered` names between where it begins and where the
        next one does. `gathered`: int64[k, u] with 0 < k < `ROWS`; `begins`: int64[n], ascending."""
        most, units = ROWS // len(gathered), gathered.shape[1]
        long = np.flatnonzero(np.diff(begins, append=units) > most).tolist()
        if not long:
            return self._fields(self._sums(gathered, begins)) * self.step
        edges = [*begins.tolist(), units]
        cuts = [np.arange(edges[text] + most, edges[text + 1], most) for text in long]
        pieces = np.sort(np.concatenate((begins, *cuts)))
        parts, first = self._fields(self._sums(gathered, pieces)), pieces.searchsorted(begins)
        total = parts[first].astype(np.float32)  # holds whole numbers of 24 bits
        for text, cut in zip(long, cuts, strict=True):
            total[text] += parts[first[text] + 1 :][: cut.size].sum(axis=0)
        return total * self.step

    def _sums(self, gathered: Index, begins: Index) -> Words:
        """int64[n, words], of texts that are short enough; of so many at once that a core's cache holds their rows."""
        found = np.empty((begins.size, self._words.shape[1]), np.int64)
        one, *others = gathered
        for number, (first, last) in enumerate(pairwise([*begins[::_AT_ONCE].tolist(), one.size])):
            texts = slice(number * _AT_ONCE, (number + 1) * _AT_ONCE)
            rows = self._words.take(one[first:last], axis=0, mode="clip")  # all are there, and need no check
            for more in others:
                rows += self._words.take(more[first:last], axis=0, mode="clip")
            np.add.reduceat(rows, begins[texts] - first, axis=0, out=found[texts])
        return found

    def _fields(self, words: Words) -> NDArray[np.int16]:
        """int16[k, c]: what k rows of words hold."""
        return ((words + _HALVES).view(np.int16) ^ _HALF)[:, : self._columns]
