"""The correlations of an engine set, made ready: where each runs, and which findings it wants."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from monitor.domain.correlations import Correlation, CorrelationRule, CorrelationType, Field
from monitor.domain.rules import AnyRule, RoomContext
from monitor.engine.correlation_lanes import placed, silenced
from monitor.engine.scope import Scope


class Correlations:
    """`rules`: by id · `placed`: lanes → what the correlator of these lanes is made of · `watched`: rules whose
    findings are fed · `by_text`: those of them whose texts are compared · `silenced`: rules that make no finding ·
    `absences`: whether statements are waited for.

    `others`: all other rules of the rule set, whether they are run or not.
    """

    def __init__(self, rules: Iterable[CorrelationRule], others: Iterable[AnyRule], zone: ZoneInfo) -> None:
        self.rules = {rule.id: rule for rule in rules}
        applies = {rule.id: rule.applies for rule in others}
        self.placed = placed(self.rules.values(), applies.__getitem__)
        self.silenced = silenced(self.rules.values())
        self.watched = self._leaves(rule.correlation for rule in self.rules.values())
        self.by_text = self._leaves(rule.correlation for rule in self.rules.values()
                                    if rule.correlation.wave or rule.correlation.field is Field.TEXT)
        self.absences = any(rule.correlation.type is CorrelationType.ABSENCE for rule in self.rules.values())
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
