"""What a batch's rules ask that has no place in the text: a classifier's scores, and what is known of the room."""

from collections.abc import Callable, Sequence

from monitor.domain.findings import Opinion
from monitor.domain.rules import Listed
from monitor.engine.alone import long_enough
from monitor.engine.batch import Batch
from monitor.engine.compiled import CompiledRule
from monitor.engine.conditions import Hit
from monitor.engine.detectors import value
from monitor.engine.engineset import EngineSet
from monitor.engine.patterns import ContactSpan
from monitor.engine.roomfacts import compares, is_proved, room_holds
from monitor.engine.scoring import Asked, Weighed
from monitor.engine.sightings import Pairs, pairs_of
from monitor.engine.views import Views


class Facts:
    """`scores`: float32[n, categories], or None without a classifier."""

    def __init__(self, engine: EngineSet, batch: Batch, views: Views, contacts: Sequence[ContactSpan]) -> None:
        self._engine, self._batch, self._views, self._contacts = engine, batch, views, contacts
        scorer = engine.scorer
        self.scores = scorer.score(views, batch, contacts, engine.trades.of(batch)) if scorer else None
        self.likely = engine.scoring.likely(self.scores) if self.scores is not None else None
        """Where gated rules may hold; None without a classifier: everywhere."""
        self._amid, self._spared = set[tuple[int, int]](), set[tuple[int, int]]()  # (event, column)

    def carrying(self) -> Pairs:
        """Events and rules of which a score alone may carry the condition."""
        carried = [] if self.scores is None else list(self._engine.scoring.carried(self.scores))
        if carried:
            enough = long_enough(self._views, self._batch.starts, self._contacts)
            rules = self._engine.rules
            carried = [(event, rule) for event, rule in carried if enough[event] or not rules[rule].by_score]
        return pairs_of(carried)

    def of(self, rule: CompiledRule, event: int) -> tuple[int, int, dict[str, float]]:
        """(selections that are true, those that are unknown, the scores)."""
        bits, unknown, known = 0, 0, dict[str, float]()
        for asked in self._engine.scoring.asked[rule.index]:
            if self.scores is None or asked.column is None:
                unknown |= 1 << asked.selection
            else:
                bits |= bool(self.scores[event, asked.column] >= self._least(asked, event)) << asked.selection
        if self.scores is not None:
            known = self._engine.scoring.of(rule.index, self.scores, event)
        if rule.rooms:
            room = self._engine.rooms.get(self._batch.room(event))
            for i, test in rule.rooms:
                found = room_holds(test, room, at=self._batch.at(event), age=self._batch.age(event),
                                   zone=self._engine.zone)
                bits |= bool(found) << i
                unknown |= (found is None) << i
        return bits, unknown, known

    def nearly(self, rule: CompiledRule, event: int, *, spared: bool) -> None:
        """The rule has its words here, but does not hold. `spared`: what stands around them makes them lawful."""
        (self._spared if spared else self._amid).update((event, at) for at in self._engine.scoring.columns(rule.index))

    def _least(self, asked: Asked, event: int) -> float:
        """The score that is enough here: a lower one where a rule of the category nearly holds and none is spared."""
        at = (event, asked.column)
        return asked.amid if at in self._amid and at not in self._spared else asked.least

    def weighed(self, rule: CompiledRule, event: int) -> tuple[list[Weighed], list[Weighed]]:
        """(scores that the rule's condition asks for, those of its categories where it asks for what is likely and this
        is not); none without a classifier."""
        if self.scores is None:
            return [], []
        scoring = self._engine.scoring
        asked = [Weighed(scoring.categories[at], float(self.scores[event, at]), self._least(each, event))
                 for each in scoring.asked[rule.index] if (at := each.column) is not None]
        return asked, scoring.unlikely(rule.index, self.scores, event)

    def opinion(self, rule: CompiledRule, event: int) -> Opinion:
        """What the classifier says of this rule's finding."""
        if self.scores is None:
            return Opinion.NONE
        if rule.by_score:
            return Opinion.ALONE
        agrees = self._engine.scoring.agrees(rule.index, self.scores, event)
        return Opinion.NONE if agrees is None else Opinion.AGREES if agrees else Opinion.DIFFERS

    def proved(self, event: int) -> Callable[[Hit], bool]:
        """Does the room hold a proof of this claim?"""

        def proved(hit: Hit) -> bool:
            room = self._engine.rooms.get(self._batch.room(event))
            return room is not None and is_proved(room, self._views.plain_text, hit.start, hit.end, self._engine.tables)

        return proved

    def priced(self, event: int) -> Callable[[Hit, str, Listed], bool]:
        """Does what this detector found compare so with the room's listed prices?"""

        def priced(hit: Hit, detector: str, how: Listed) -> bool:
            room = self._engine.rooms.get(self._batch.room(event))
            said = value(detector, self._views.plain_text[hit.start : hit.end])
            return room is not None and compares(said, room.listed_prices, how)

        return priced
