"""What rules ask of a classifier, as columns of its scores."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.engine.compiled import CompiledRule
from monitor.engine.scorer import Scorer, Scores
from monitor.engine.views import Index


class Likely:
    """`events`, in order: those in which some gated rule may hold. `may`: bool[events, rules]."""

    def __init__(self, events: Index, size: int, may: NDArray[np.bool_]) -> None:
        self.events: list[int] = events.tolist()
        self._row = np.full(size, len(self.events))
        self._row[events] = np.arange(len(self.events))
        self._may = np.concatenate((may, np.zeros((1, may.shape[1]), dtype=bool)))

    def allows(self, events: Index, rules: NDArray[Any]) -> NDArray[np.bool_]:
        """Of n pairs: bool[n]."""
        found: NDArray[np.bool_] = self._may[self._row[events], rules]
        return found


class Weighed(NamedTuple):
    """A score, and the least one that would count."""

    category: str
    score: float
    least: float


class Asked(NamedTuple):
    """What a selection asks of a column (None: unknown): a score of `least`, or of `amid` where a rule of that category
    nearly holds."""

    selection: int
    column: int | None
    least: float
    amid: float


class Scoring:
    """`categories`: the columns; none without a classifier."""

    def __init__(self, rules: Sequence[CompiledRule], scorer: Scorer | None) -> None:
        self.categories = scorer.categories if scorer else ()
        column = {name: i for i, name in enumerate(self.categories)}
        limits = [scorer.thresholds[name] for name in self.categories] if scorer else []
        self._beside = np.array([limit.beside for limit in limits], dtype=np.float32)
        self._limits = limits
        self.asked = [[self._asked(rule, i, column.get(name), gte) for i, name, gte in rule.scores] for rule in rules]
        """Of each rule."""
        self._gated = [rule.gated for rule in rules]
        carried = [(rule.index, each.column, each.amid) for rule, asked in zip(rules, self.asked, strict=True)
                   for each in asked if each.column is not None]
        self._carried = [rule for rule, _, _ in carried]
        self._columns = np.array([column for _, column, _ in carried], dtype=np.int64)
        self._enough = np.array([amid for _, _, amid in carried], dtype=np.float32)
        self._of = [[column[name] for name in rule.rule.category if name in column] for rule in rules]
        self._known = np.zeros((len(limits) + 1, len(rules)), dtype=np.float32)
        for rule, of in zip(rules, self._of, strict=True):
            self._known[of or [-1], rule.index] = rule.gated  # of unknown categories nothing is unlikely

    def _asked(self, rule: CompiledRule, selection: int, column: int | None, gte: float) -> Asked:
        if gte or column is None:
            return Asked(selection, column, gte or 1.0, gte or 1.0)
        limit = self._limits[column]
        return Asked(selection, column, limit.alone, limit.enough_amid if rule.by_score else limit.alone)

    def carried(self, scores: Scores) -> Iterator[tuple[int, int]]:
        """(event, rule) where a score alone may carry the rule's condition."""
        events, carried = np.nonzero(scores[:, self._columns] >= self._enough)
        for event, rule in zip(events.tolist(), map(self._carried.__getitem__, carried.tolist()), strict=True):
            if not self.unlikely(rule, scores, event):
                yield event, rule

    def likely(self, scores: Scores) -> Likely:
        """Where gated rules may hold: where one of their categories is not unlikely."""
        enough = scores >= self._beside
        events = np.arange(len(scores)) if self._known[-1].any() else np.flatnonzero(enough.any(axis=1))
        known = np.concatenate((enough[events], np.ones((events.size, 1), dtype=bool)), axis=1)
        return Likely(events, len(scores), known.astype(np.float32) @ self._known > 0)

    def of(self, rule: int, scores: Scores, event: int) -> dict[str, float]:
        """The scores of the rule's categories and of those that it asks for."""
        columns = {*self._of[rule], *(each.column for each in self.asked[rule] if each.column is not None)}
        return {self.categories[at]: float(scores[event, at]) for at in sorted(columns)}

    def columns(self, rule: int) -> list[int]:
        """Those of the rule's categories."""
        return self._of[rule]

    def unlikely(self, rule: int, scores: Scores, event: int) -> list[Weighed]:
        """The scores of a gated rule's categories, where all are unlikely."""
        if not self._gated[rule] or self.agrees(rule, scores, event) is not False:
            return []
        return [Weighed(self.categories[at], float(scores[event, at]), float(self._beside[at]))
                for at in self._of[rule]]

    def agrees(self, rule: int, scores: Scores, event: int) -> bool | None:
        """Does the classifier find one of the rule's categories not unlikely? None: it has none of them."""
        of = self._of[rule]
        return any(scores[event, at] >= self._beside[at] for at in of) if of else None
