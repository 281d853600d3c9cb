"""What the pipeline asks of a classifier, and the linear one that serves. Without one every score is unknown."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Final, NamedTuple, Protocol, TypeVar

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from monitor.domain.events import KINDS, ROLES
from monitor.engine.batch import CODES, Batch, parts_of
from monitor.engine.grams import Grams, Read, places, read
from monitor.engine.patterns import ContactSpan, covered
from monitor.engine.rounded import Rounded
from monitor.engine.views import Index, Views

Scores = NDArray[np.float32]
Real = TypeVar("Real", np.float32, np.float64)
Chance = Annotated[float, Meta(ge=0, le=1)]

ASIDE: Final = len(KINDS) + len(ROLES)
"""Rows that tell of the event rather than its text: its kind, then the speaker's role."""
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

    @property
    def verticals(self) -> tuple[str, ...]:
        """The trades that it tells apart; most have none."""
        ...

    def score(
        self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], verticals: Index | None = None
    ) -> Scores:
        """float32[n, categories], calibrated probabilities. The result of an event does not depend on its batch.
        `contacts`: contact data, which is not read. `verticals`: int64[n], which of the scorer's the room's trade is;
        -1, or None for all: none of them."""
        ...

    def known(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> tuple[int, int]:
        """(n-grams of the batch on the weightiest quarter of the model's rows, all of its n-grams): about a quarter of
        what it has never seen, more than half of what it knows."""
        ...

    def reasons(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], category: str) -> list["Reason"]:
        """What carried the score of the one event of the batch, the weightiest first."""
        ...


class Thresholds(Struct, frozen=True):
    """From which probability on a score is a finding `alone`, from which on it agrees with a rule that holds `beside`
    it, and from which on it is a finding `amid` the words of a rule that does not hold; 1: only as alone."""

    alone: Chance
    beside: Chance
    amid: Chance = 1.0

    @property
    def enough_amid(self) -> float:
        """Never more than alone."""
        return min(self.alone, self.amid)


class Reason(NamedTuple):
    """An n-gram at [start, end) of the text, and what it added to the log-odds."""

    start: int
    end: int
    weight: float


class Common(Struct, frozen=True):
    """How much what tells violations of any category from lawful lines counts in each category: the decision of that
    column times `weight`, but no more than `most` of it, or it would name wrong categories, too."""

    weight: float = 0.3
    most: float = 0.25


class Weights(Struct, frozen=True):
    """`table`: float32[buckets + 1, k], whose last row is zero; `aside`: float32[ASIDE, k]; `bias`: float32[k];
    `slope`, `offset`: float32[c], from the decision function to log-odds (Platt); `trades`: float32[verticals, k],
    None where it tells none apart. k is c, or c + 1 with `common`, whose column is the last."""

    grams: Grams
    table: Scores
    aside: Scores
    bias: Scores
    slope: Scores
    offset: Scores
    trades: Scores | None = None
    common: Common | None = None


def joined(margins: NDArray[Real], common: Common | None) -> NDArray[Real]:
    """[n, c]: the decision function of each category. `margins`: [n, k], what the columns say."""
    if common is None:
        return margins
    shared = np.minimum(margins[:, -1:], margins.dtype.type(common.most)) * margins.dtype.type(common.weight)
    decided: NDArray[Real] = margins[:, :-1] + shared
    return decided


class LinearScorer:
    """One-vs-rest linear models over one table: the rows of a text's n-grams, summed and scaled. The table is rounded
    (`Rounded`); all else is as it was fitted."""

    def __init__(
        self, weights: Weights, categories: Sequence[str], version: str, thresholds: Mapping[str, Thresholds],
        verticals: Sequence[str] = (),
    ) -> None:
        self._grams, self._slope, self._offset = weights.grams, weights.slope, weights.offset
        self._table, self._common = Rounded(weights.table), weights.common
        self._thresholds = thresholds
        self._categories = tuple(categories)
        self._version = version
        self._verticals = tuple(verticals)
        unknown = np.zeros((1, weights.table.shape[1]), np.float32)
        self._by_trade: Scores = unknown if weights.trades is None else np.concatenate([weights.trades, unknown])
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

    @property
    def table(self) -> Scores:
        """float32[buckets + 1, k]: the weights that judge, made anew."""
        return self._table.rows()

    @property
    def verticals(self) -> tuple[str, ...]:
        return self._verticals

    def decide(
        self, views: Views, batch: Batch, contacts: Sequence[ContactSpan] = (), verticals: Index | None = None
    ) -> Scores:
        """float32[n, c]: the decision function, before calibration."""
        return joined(self.margins(views, batch, contacts, verticals), self._common)

    def margins(
        self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], verticals: Index | None = None
    ) -> Scores:
        """float32[n, k]: what each column of the table says."""
        found = self._read(views, batch, contacts)
        total: Scores = self._by_code[batch.codes(np.arange(len(batch.starts)))]
        if verticals is not None:
            total += self._by_trade[verticals]  # -1 is the last row, which is zero
        if found.kinds:
            scale = self._grams.scale(found.counts).astype(np.float32)
            total += self._table.sums(found.buckets, found.begins) * scale[:, None]
        return total

    def score(
        self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], verticals: Index | None = None
    ) -> Scores:
        odds = self.decide(views, batch, contacts, verticals) * self._slope + self._offset
        chances: Scores = 1 / (1 + np.exp(-np.maximum(odds, _LEAST_ODDS)))
        return chances

    @cached_property
    def _weighty(self) -> NDArray[np.bool_]:
        """bool[buckets + 1]: the weightiest quarter of the rows. In a full table hardly any is zero, and n-grams that
        were never learnt fall on rows at random."""
        weights = np.abs(self.table).max(axis=1)
        return np.asarray((weights > 0) & (weights >= np.quantile(weights[:-1], 0.75)), dtype=bool)

    def known(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> tuple[int, int]:
        found = self._read(views, batch, contacts)
        return int(self._weighty[found.buckets].sum()), int(found.counts.sum())

    def reasons(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], category: str) -> list[Reason]:
        column = self._categories.index(category)
        found, where = self._read(views, batch, contacts), places(views, covered(contacts, views, batch.starts))
        scale = float(self._slope[column]) * float(self._grams.scale(found.counts)[0])
        shared = 0.0
        if self._common and self.margins(views, batch, contacts)[0, -1] < self._common.most:
            shared = self._common.weight
        reasons: list[Reason] = []
        for (layer, size), buckets in zip(found.kinds, found.buckets, strict=True):
            begins, ends, at = where[layer]
            rows = self._table.rows(buckets[at[: max(at.size - size + 1, 0)]])
            carried = ((rows[:, column] + shared * rows[:, -1]) * scale).tolist()
            reasons += map(Reason, begins.tolist(), ends[size - 1 :].tolist(), carried)
        return sorted(reasons, key=lambda reason: -abs(reason.weight))

    def _read(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> Read:
        return read(self._grams, views, covered(contacts, views, batch.starts))
