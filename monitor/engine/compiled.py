"""Rules as the engine runs them: bits instead of names, codes instead of sets; compiled once for a set."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from monitor.domain.conditions import And, Condition, Not, Ref, evaluate
from monitor.domain.events import Kind, Role
from monitor.domain.rules import RoomContext, Rule, Selection, Side
from monitor.engine.batch import CODES, parts_of

Possible = tuple[bool, bool]


class Reaching:
    """A veto or a `near` of selection `by` on the selections in `of` (a bit mask)."""

    __slots__ = ("by", "of", "side", "within")

    def __init__(self, by: int, of: int, within: int, side: Side) -> None:
        self.by = by
        self.of = of
        self.within = within
        self.side = side


class CompiledRule:
    """Selection i has bit 1 << i. `early`: selections that the condition names without negation, so without a hit of
    them it cannot hold; `shown`: those whose hits a finding shows."""

    def __init__(self, index: int, rule: Rule, zone: ZoneInfo) -> None:
        self.index = index
        self.rule = rule
        self.names = [s.name for s in rule.selections]
        self._bit = {name: 1 << i for i, name in enumerate(self.names)}
        self.allow = self._mask(s for s in rule.selections if s.allow)
        self.vetoes = self._reaching(rule.selections, "veto")
        self.nears = self._reaching(rule.selections, "near")
        silent = self.allow | self._mask(s for s in rule.selections if s.veto)
        self.early = self._positive(rule.condition)
        self.shown = self.early & ~silent
        self.restrained = bool(self.allow or self.vetoes or self.nears)
        self.scores = [(i, s.score, s.gte) for i, s in enumerate(rule.selections) if s.score]
        self.unknown = self._mask(s for s in rule.selections if s.score)
        self.codes = bytes([self._applies(code) for code in range(CODES)])
        self.since, self.until = (_midnight(d, zone) for d in (rule.effective.since, rule.effective.until))
        applies = rule.applies
        self.room_bound = bool(applies.platforms is not None or applies.verticals is not None
                               or applies.rooms.having or applies.rooms.without)
        self._possible: dict[int, bool] = {}

    def _mask(self, selections: Iterable[Selection]) -> int:
        return sum(self._bit[s.name] for s in selections)

    def _reaching(self, selections: Sequence[Selection], which: str) -> list[Reaching]:
        found = []
        every = (1 << len(selections)) - 1
        for i, selection in enumerate(selections):
            reach = selection.veto if which == "veto" else selection.near
            if reach is not None:
                of = every & ~(1 << i) if reach.of == "all" else self._bit[reach.of]
                found.append(Reaching(i, of, reach.within, reach.side))
        return found

    def _positive(self, condition: Condition, *, negated: bool = False) -> int:
        if isinstance(condition, Ref):
            return 0 if negated else self._bit[condition.name]
        if isinstance(condition, Not):
            return self._positive(condition.part, negated=not negated)
        bits = 0
        for part in condition.parts:
            bits |= self._positive(part, negated=negated)
        return bits

    def _applies(self, code: int) -> int:
        """0: does not apply · 1: applies · 2: applies to an unknown speaker only where the text sells."""
        applies, (kind, role, stage) = self.rule.applies, parts_of(code)
        if kind is Kind.SIGNAL or (applies.kinds is not None and kind not in applies.kinds):
            return 0
        if applies.stages is not None and stage not in applies.stages:
            return 0
        speakers = applies.speakers
        if speakers is None or role in speakers:
            return 1
        if role is Role.UNKNOWN:
            return 1 if Role.VIEWER in speakers else 2 if Role.OFFICIAL in speakers else 0
        return 0

    def possible(self, bits: int) -> bool:
        """Could the condition hold when these selections were hit? Hits may still be vetoed, never added."""
        known = self._possible.get(bits)
        if known is None:
            known = self._possible[bits] = self._could(self.rule.condition, bits)[0]
        return known

    def _could(self, condition: Condition, bits: int) -> Possible:
        """(can be true, can be false)"""
        if isinstance(condition, Ref):
            bit = self._bit[condition.name]
            return bool(bit & (bits | self.unknown)), True
        if isinstance(condition, Not):
            true, false = self._could(condition.part, bits)
            return false, true
        parts = [self._could(part, bits) for part in condition.parts]
        if isinstance(condition, And):
            return all(t for t, _ in parts), any(f for _, f in parts)
        return any(t for t, _ in parts), all(f for _, f in parts)

    def holds(self, bits: int, unknown: int = 0) -> bool:
        """The condition on surviving hits; a selection in `unknown` has no value."""

        def value(name: str) -> bool | None:
            bit = self._bit[name]
            return True if bits & bit else None if unknown & bit else False

        return evaluate(self.rule.condition, value) is True

    def in_room(self, context: RoomContext | None) -> bool:
        """An unknown room has no platform, vertical or tag."""
        applies = self.rule.applies
        tags = set(context.tags) if context else set()
        if applies.platforms is not None and (context is None or context.platform not in applies.platforms):
            return False
        if applies.verticals is not None and (context is None or context.vertical not in applies.verticals):
            return False
        return tags.issuperset(applies.rooms.having) and tags.isdisjoint(applies.rooms.without)

    def in_force(self, at: int) -> bool:
        """`at`: UTC ms."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def _midnight(day: date | None, zone: ZoneInfo) -> int | None:
    """UTC ms of the day's first moment in the tenant's zone."""
    return None if day is None else round(datetime.combine(day, time(), zone).timestamp() * 1000)
