"""The correlations of an engine set, made ready: where each runs, and which findings it wants."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from monitor.domain.correlations import Correlation, CorrelationRule, CorrelationType, Field
from monitor.domain.findings import Tier
from monitor.domain.rules import AnyRule, RoomContext
from monitor.engine.correlation_lanes import placed, silenced
from monitor.engine.scope import Scope


class Correlations:
    """`rules`: by id · `placed`: lanes → what the correlator of these lanes is made of · `watched`: rules whose
    findings are fed · `by_text`: those of them whose texts are compared · `silenced`: rules that make no finding,
    orientations among them · `absences`: whether statements are waited for · `closing_ms`: the longest window that is
    judged when it is over · `within_ms`: the longest time that a statement may take.

    `others`: all other rules of the rule set, whether they are run or not. `shadows`: ids of rules that are only tried,
    which silence each other and none that makes findings.
    """

    def __init__(
        self, rules: Iterable[CorrelationRule], others: Iterable[AnyRule], zone: ZoneInfo,
        shadows: frozenset[str] = frozenset(),
    ) -> None:
        self.rules = {rule.id: rule for rule in rules}
        others = list(others)
        applies = {rule.id: rule.applies for rule in others}
        self.placed = placed(self.rules.values(), applies.__getitem__)
        self.silenced = (
            silenced(rule for rule in self.rules.values() if rule.id not in shadows)
            | silenced(self.rules.values()) & shadows | {rule.id for rule in others if rule.tier is Tier.ORIENTATION})
        self.watched = self._leaves(rule.correlation for rule in self.rules.values())
        self.by_text = self._leaves(rule.correlation for rule in self.rules.values()
                                    if rule.correlation.wave or rule.correlation.field is Field.TEXT)
        self.absences = any(rule.correlation.type is CorrelationType.ABSENCE for rule in self.rules.values())
        closing = [rule.correlation.timespan_ms for rule in self.rules.values() if _closes(rule)]
        self.closing_ms = max(closing, default=0)
        self.within_ms = max((rule.correlation.within_ms for rule in self.rules.values()), default=0)
        self._scopes = {rule.id: Scope(rule, zone) for rule in self.rules.values()}

    def holds_in(self, rule: str, room: RoomContext | None, at: int) -> bool:
        """Does the correlation hold in this room at this time (UTC ms)?"""
        scope = self._scopes[rule]
        return scope.in_force(at) and (not scope.room_bound or scope.in_room(room))

    def _leaves(self, correlations: Iterable[Correlation]) -> frozenset[str]:
        """The rules that are no correlations, to which these refer in the end."""
        found: set[str] = set()
        ahead = [name for one in correlations for name in one.refers]
        while ahead:
            name = ahead.pop()
            if name in self.rules:
                ahead += self.rules[name].correlation.refers
            else:
                found.add(name)
        return frozenset(found)


def _closes(rule: CorrelationRule) -> bool:
    """Is a window judged when it is over?"""
    return rule.correlation.condition is not None and rule.correlation.condition.high is not None
