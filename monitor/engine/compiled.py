"""Rules as the engine runs them: bits instead of names, codes instead of sets; compiled once for a set."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache
from math import inf
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from monitor.domain.conditions import And, Condition, Not, Ref, evaluate
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Tier
from monitor.domain.rules import Context, Rule, Selection, Side
from monitor.engine.batch import CODES, parts_of
from monitor.engine.reach import Reaching, ending_at
from monitor.engine.scope import Scope
from monitor.engine.views import ViewTables

Possible = tuple[bool, bool]
IF_SELLING: Final = 2
"""The rule applies to an unknown speaker where the text sells."""
_RARE: Final = 0.0003
"""What is no likelier than this is looked for in every text, since a second look costs more than its hits."""


class Sparing(NamedTuple):
    """Selection `by` has the hits of these contexts; it vetoes the selections in `of` (a bit mask), or none."""

    by: int
    of: int
    contexts: tuple[int, ...]


SENTENCE_ENDS: Final = "。!?;…"
"""In the plain view."""


class CompiledContext:
    """`parts[i]`: how far the hits of part i reach."""

    def __init__(self, index: int, context: Context, tables: ViewTables) -> None:
        self.index = index
        self.context = context
        turns = ["".join(map(chr, tables.fold(turn).tolist())) for turn in context.turns]
        ends = {commas: ending_at([*SENTENCE_ENDS, *turns, *([] if commas else [","])]) for commas in (True, False)}
        self.parts = [Reaching(0, 0, part.within, part.side, ends[part.commas]) for part in context.parts]


def gated(rule: Rule, silent: Container[str]) -> bool:
    """Does the rule ask a classifier whether it may hold? `silent`: ids of rules that make no finding. What those hear
    is lawful mostly, and people may be in danger: both are heard whatever a classifier finds."""
    return rule.applies.likely and bool(rule.category) and rule.tier is not Tier.CARE and rule.id not in silent


class CompiledRule:
    """Selection i has bit 1 << i. `early`: selections that are looked for in every text; without a hit of one of them
    the condition cannot hold. `shown`: those whose hits a finding shows. `gated`: it asks a classifier
    whether it may hold. `aside`: it is only tried. `by_score`: nothing in the text is asked for. `contexts`: index by
    name. `costs`: about how likely a character of speech begins a hit of each selection."""

    def __init__(
        self, index: int, rule: Rule, zone: ZoneInfo, contexts: Mapping[str, int] = {},
        costs: Sequence[float] = (), *, gated: bool = False, aside: bool = False,
    ) -> None:
        self.index, self.aside = index, aside
        self.rule = rule
        self.names = [s.name for s in rule.selections]
        self._bit = {name: 1 << i for i, name in enumerate(self.names)}
        self.allow = self._mask(s for s in rule.selections if s.allow)
        self.vetoes = self._reaching(rule.selections, "veto")
        self.nears = self._in_turn(self._reaching(rule.selections, "near"))
        self.unless = [i for i, s in enumerate(rule.selections) if s.unless or s.unless_patterns]
        self.times = [(i, s.times) for i, s in enumerate(rule.selections) if s.times > 1]
        self.spares, self.mentions = self._contexts(rule.selections, contexts)
        self.contexts = frozenset(c for of in (*self.spares, *self.mentions) for c in of.contexts)
        self.unproven = self._mask(s for s in rule.selections if s.unproven)
        self.listed = [(i, s.detector, s.listed) for i, s in enumerate(rule.selections) if s.listed]
        self.exempt = self._exempt()
        silent = self.allow | self._mask(s for s in rule.selections if s.veto)
        silent |= 0 if self.exempt is None else 1 << self.exempt.by
        self.rooms = [(i, s.room) for i, s in enumerate(rule.selections) if s.room]
        self.scores = [(i, s.score, s.gte) for i, s in enumerate(rule.selections) if s.score]
        self.placeless = self._mask(s for s in rule.selections if s.score or s.room or (s.context and not s.veto))
        positive = self._positive(rule.condition)
        costs = costs or [0.0] * len(rule.selections)
        rare = self._mask(s for s, cost in zip(rule.selections, costs, strict=True) if cost <= _RARE)
        asked = positive
        for near in reversed(self.nears):  # what is asked for first comes last
            asked |= near.of if asked >> near.by & 1 else 0
        self.early = (asked & rare | self._needed(rule.condition, costs)[1]) & ~self.placeless
        self.shown = positive & ~silent
        self.gated = gated
        self.by_score = bool(self.scores) and not positive & ~self.placeless
        self.restrained = bool(self.allow or self.vetoes or self.nears or self.times or self.spares or self.unproven
                               or self.listed)
        self.codes = _codes(rule.applies.kinds, rule.applies.stages, rule.applies.speakers)
        self.scope = Scope(rule, zone)
        self._possible: dict[int, bool] = {}
        self.promising: Callable[[int], bool] = cache(self._promising)
        self.promising_early: Callable[[int], bool] = cache(lambda bits: self._promising(bits | ~self.early))
        """The same, when of those that are looked for early no others than these are hit."""

    def _exempt(self) -> Reaching | None:
        exempt = self.rule.exempt
        return None if exempt is None else Reaching(self.names.index(exempt.selection), 0, exempt.within, Side.EITHER)

    def _mask(self, selections: Iterable[Selection]) -> int:
        return sum(self._bit[s.name] for s in selections)

    def _of(self, targets: Sequence[str]) -> int:
        if "all" in targets:
            return (1 << len(self.names)) - 1 & ~self._mask(s for s in self.rule.selections if s.veto)
        return sum(self._bit[target] for target in set(targets))

    @staticmethod
    def _in_turn(nears: list[Reaching]) -> list[Reaching]:
        """Each after those of the hits that it asks for, so that it asks for hits that count."""
        left, found = nears, list[Reaching]()
        while left:
            waiting = sum(1 << near.by for near in left)
            ready = [near for near in left if not near.of & waiting] or left  # a circle: as they stand
            found += ready
            left = [near for near in left if near not in ready]
        return found

    def unless_of(self, selection: int) -> int:
        """What hits of the phrases are numbered that only look like this selection."""
        return len(self.names) + selection

    def _reaching(self, selections: Sequence[Selection], which: str) -> list[Reaching]:
        found = []
        for i, selection in enumerate(selections):
            reach = selection.veto if which == "veto" else selection.near
            if reach is not None and not selection.context:
                found.append(Reaching(i, self._of(reach.of), reach.within, reach.side))
        return found

    def _contexts(
        self, selections: Sequence[Selection], known: Mapping[str, int]
    ) -> tuple[list[Sparing], list[Sparing]]:
        spares: list[Sparing] = []
        mentions: list[Sparing] = []
        for i, selection in enumerate(selections):
            numbers = tuple(known[name] for name in selection.context)
            if numbers and selection.veto is not None:
                spares.append(Sparing(i, self._of(selection.veto.of), numbers))
            elif numbers:
                mentions.append(Sparing(i, 0, numbers))
        return spares, mentions

    def _positive(self, condition: Condition, *, negated: bool = False) -> int:
        if isinstance(condition, Ref):
            return 0 if negated else self._bit[condition.name]
        if isinstance(condition, Not):
            return self._positive(condition.part, negated=not negated)
        bits = 0
        for part in condition.parts:
            bits |= self._positive(part, negated=negated)
        return bits

    def _needed(self, condition: Condition, costs: Sequence[float]) -> tuple[float, int]:
        """(cost, the cheapest selections of which one must have a hit); of no use is what can hold without any."""
        if isinstance(condition, Ref):
            return self._cheapest(self._bit[condition.name], costs)
        if isinstance(condition, Not):
            return inf, 0
        parts = [self._needed(part, costs) for part in condition.parts]
        if isinstance(condition, And):
            return min(parts)
        needed = 0
        for _, bits in parts:
            needed |= bits
        return sum(cost for cost, _ in parts), needed

    def _cheapest(self, bit: int, costs: Sequence[float], seen: int = 0) -> tuple[float, int]:
        """As `_needed`, of one selection: itself, or what must stand near it."""
        if bit & (self.placeless | seen):
            return inf, 0
        found = [(costs[bit.bit_length() - 1], bit)]
        for near in self.nears:
            if bit >> near.by & 1:
                near_by = [self._cheapest(1 << i, costs, seen | bit) for i in range(len(costs)) if near.of >> i & 1]
                found.append((sum(cost for cost, _ in near_by), sum(bits for _, bits in near_by)))
        return min(found)

    def _promising(self, bits: int) -> bool:
        """Could the rule hold when no other selections than these are hit?"""
        left = bits | self.placeless
        for near in self.nears:
            if not near.of & left:
                left &= ~(1 << near.by)
        return self.possible(left)

    def possible(self, bits: int) -> bool:
        """Could the condition hold when these selections have hits left? Hits may still be vetoed, never added."""
        bits |= self.placeless
        known = self._possible.get(bits)
        if known is None:
            known = self._possible[bits] = self._could(self.rule.condition, bits)[0]
        return known

    def _could(self, condition: Condition, bits: int) -> Possible:
        """(can be true, can be false)"""
        if isinstance(condition, Ref):
            return bool(self._bit[condition.name] & bits), True
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


@cache
def _codes(
    kinds: frozenset[Kind] | None, stages: frozenset[Stage] | None, speakers: frozenset[Role] | None,
) -> bytes:
    """By code of an event, whether a rule of these applies. 0: it does not · 1: it does · IF_SELLING."""
    return bytes([_applies(*parts_of(code), kinds, stages, speakers) for code in range(CODES)])


def _applies(
    kind: Kind, role: Role, stage: Stage,
    kinds: frozenset[Kind] | None, stages: frozenset[Stage] | None, speakers: frozenset[Role] | None,
) -> int:
    if kind is Kind.SIGNAL or (kinds is not None and kind not in kinds) or (stages is not None and stage not in stages):
        return 0
    if speakers is None or role in speakers:
        return 1
    if role is Role.UNKNOWN:
        return 1 if Role.VIEWER in speakers else IF_SELLING if Role.OFFICIAL in speakers else 0
    return 0
