"""What the pipeline asks of a classifier, and the linear one that serves. Without one every score is unknown."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Final, NamedTuple, Protocol

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from monitor.domain.events import KINDS, ROLES
from monitor.engine.batch import CODES, Batch, parts_of
from monitor.engine.grams import Grams, Read, places, read
from monitor.engine.patterns import ContactSpan, covered
from monitor.engine.views import Views

Scores = NDArray[np.float32]
Chance = Annotated[float, Meta(ge=0, le=1)]

ASIDE: Final = len(KINDS) + len(ROLES)
"""Rows that tell of the event rather than its text: its kind, then the speaker's role."""
_AT_ONCE: Final = 128
_LEAST_ODDS: Final = np.float32(-80)
"""Below, `exp` overflows."""


class Scorer(Protocol):
    @property
    def version(self) -> str: ...

    @property
    def categories(self) -> tuple[str, ...]:
        """Column order of `score`."""
        ...

    @property
    def thresholds(self) -> Mapping[str, "Thresholds"]:
        """Of each category."""
        ...

    def score(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> Scores:
        """float32[n, categories], calibrated probabilities. The result of an event does not depend on its batch.
        `contacts`: contact data, which is not read."""
        ...

    def known(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> tuple[int, int]:
        """(n-grams of the batch on the weightiest quarter of the model's rows, all of its n-grams): about a quarter of
        what it has never seen, more than half of what it knows."""
        ...

    def reasons(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], category: str) -> list["Reason"]:
        """What carried the score of the one event of the batch, the weightiest first."""
        ...


class Thresholds(Struct, frozen=True):
    """From which probability on a score is a finding `alone`, and from which on it agrees with a rule that holds
    `beside` it."""

    alone: Chance
    beside: Chance


class Reason(NamedTuple):
    """An n-gram at [start, end) of the text, and what it added to the log-odds."""

    start: int
    end: int
    weight: float


class Weights(Struct, frozen=True):
    """`table`: float32[buckets + 1, c], whose last row is zero; `aside`: float32[ASIDE, c]; `bias`, `slope`, `offset`:
    float32[c], the last two from the decision function to log-odds (Platt, 1999)."""

    grams: Grams
    table: Scores
    aside: Scores
    bias: Scores
    slope: Scores
    offset: Scores


class LinearScorer:
    """One-vs-rest linear models over one table: the rows of a text's n-grams, summed and scaled."""

    def __init__(
        self, weights: Weights, categories: Sequence[str], version: str, thresholds: Mapping[str, Thresholds],
    ) -> None:
        self._weights = weights
        self._thresholds = thresholds
        self._categories = tuple(categories)
        self._version = version
        parts = [parts_of(code) for code in range(CODES)]
        rows = np.array([(KINDS.index(kind), len(KINDS) + ROLES.index(role)) for kind, role, _ in parts])
        self._by_code: Scores = weights.aside[rows].sum(axis=1) + weights.bias

    @property
    def version(self) -> str:
        return self._version

    @property
    def categories(self) -> tuple[str, ...]:
        return self._categories

    @property
    def thresholds(self) -> Mapping[str, Thresholds]:
        return self._thresholds

    def decide(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan] = ()) -> Scores:
        """float32[n, c]: the decision function, before calibration."""
        weights = self._weights
        found = read(weights.grams, views, covered(contacts, views, batch.starts))
        total: Scores = self._by_code[batch.codes(np.arange(len(batch.starts)))]
        scale = weights.grams.scale(found.counts).astype(np.float32)
        total += _summed(weights.table, found) * scale[:, None]
        return total

    def score(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> Scores:
        odds = self.decide(views, batch, contacts) * self._weights.slope + self._weights.offset
        chances: Scores = 1 / (1 + np.exp(-np.maximum(odds, _LEAST_ODDS)))
        return chances

    @cached_property
    def _weighty(self) -> NDArray[np.bool_]:
        """bool[buckets + 1]: the weightiest quarter of the rows. In a full table hardly any is zero, and n-grams that
        were never learnt fall on rows at random."""
        weights = np.abs(self._weights.table).max(axis=1)
        return np.asarray((weights > 0) & (weights >= np.quantile(weights[:-1], 0.75)), dtype=bool)

    def known(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> tuple[int, int]:
        found = read(self._weights.grams, views, covered(contacts, views, batch.starts))
        known = sum(int(self._weighty[hashed.buckets].sum()) for hashed in found.hashed)
        return known, int(found.counts.sum())

    def reasons(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], category: str) -> list[Reason]:
        column, weights = self._categories.index(category), self._weights
        gone = covered(contacts, views, batch.starts)
        found, where = read(weights.grams, views, gone), places(views, gone)
        scale = float(weights.slope[column]) * float(weights.grams.scale(found.counts)[0])
        reasons: list[Reason] = []
        for layer, size, buckets in found.hashed:
            begins, ends, at = where[layer]
            of = buckets[at[: max(at.size - size + 1, 0)]]
            carried = (weights.table[of, column] * scale).tolist()
            reasons += map(Reason, begins.tolist(), ends[size - 1 :].tolist(), carried)
        return sorted(reasons, key=lambda reason: -abs(reason.weight))


def _summed(table: Scores, found: Read) -> Scores:
    """float32[n, c]: the rows of each text's n-grams; of so many texts at once that a core's cache holds them."""
    texts = found.begins.size
    sums = np.zeros((texts, table.shape[1]), np.float32)
    if not found.hashed:
        return sums
    one, *others = (hashed.buckets for hashed in found.hashed)
    edges = [*found.begins.tolist(), one.size]
    for first in range(0, texts, _AT_ONCE):
        last = min(first + _AT_ONCE, texts)
        units = slice(edges[first], edges[last])
        rows: Scores = table.take(one[units], axis=0)
        for buckets in others:
            rows += table.take(buckets[units], axis=0)
        np.add.reduceat(rows, found.begins[first:last] - edges[first], axis=0, out=sums[first:last])
    return sums
