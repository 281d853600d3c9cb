"""What rules ask of a classifier, as columns of its scores."""

from collections.abc import Iterator, Sequence

import numpy as np

from monitor.engine.compiled import CompiledRule
from monitor.engine.scorer import Scorer, Scores

_ALWAYS = 1 << 62


class Scoring:
    """`categories`: the columns; none without a classifier."""

    def __init__(self, rules: Sequence[CompiledRule], scorer: Scorer | None) -> None:
        self.categories = scorer.categories if scorer else ()
        column = {name: i for i, name in enumerate(self.categories)}
        limits = [scorer.thresholds[name] for name in self.categories] if scorer else []
        self._beside = np.array([limit.beside for limit in limits], dtype=np.float32)
        self._powers = np.left_shift(1, np.arange(len(limits), dtype=np.int64))
        self._enough = [limit.alone for limit in limits]
        self.asked: list[list[tuple[int, int | None, float]]] = [
            [(i, column.get(name), gte or self._alone(column.get(name))) for i, name, gte in rule.scores]
            for rule in rules]
        """Of each rule: selection, column (None: unknown), least score."""
        self._carried = [(rule.index, at, gte) for rule, asked in zip(rules, self.asked, strict=True)
                         for _, at, gte in asked if at is not None]
        self._of = [[column[name] for name in rule.rule.category if name in column] for rule in rules]
        self._wanted = [sum(1 << at for at in of) if of and rule.rule.applies.likely else _ALWAYS
                        for rule, of in zip(rules, self._of, strict=True)]

    def _alone(self, column: int | None) -> float:
        return 1.0 if column is None else self._enough[column]

    def carried(self, scores: Scores) -> Iterator[tuple[int, int]]:
        """(event, rule) where a score alone may carry the rule's condition."""
        for rule, at, gte in self._carried:
            for event in np.flatnonzero(scores[:, at] >= gte).tolist():
                yield event, rule

    def likely(self, scores: Scores) -> list[int]:
        """Of each event a bit for every category that a rule may hold in, and one for those that do not ask."""
        found: list[int] = ((scores >= self._beside) @ self._powers | _ALWAYS).tolist()
        return found

    def is_likely(self, rule: int, likely: int) -> bool:
        return bool(self._wanted[rule] & likely)

    def of(self, rule: int, scores: Scores, event: int) -> dict[str, float]:
        """The scores of the rule's categories and of those that it asks for."""
        columns = {*self._of[rule], *(at for _, at, _ in self.asked[rule] if at is not None)}
        return {self.categories[at]: float(scores[event, at]) for at in sorted(columns)}

    def agrees(self, rule: int, scores: Scores, event: int) -> bool | None:
        """Does the classifier find one of the rule's categories not unlikely? None: it has none of them."""
        of = self._of[rule]
        return bool((scores[event, of] >= self._beside[of]).any()) if of else None
