"""One immutable set of all that judges: tables, rules, scorer, rooms. Compiled aside, swapped between batches."""

from collections.abc import Iterable, Mapping
from copy import copy
from zoneinfo import ZoneInfo

import numpy as np
import numpy.ma  # numpy loads it at its first `unique`, when no file may be left to be opened
from numpy.typing import NDArray

from monitor.domain.conditions import names_in
from monitor.domain.correlations import CorrelationRule
from monitor.domain.ids import digest
from monitor.domain.rules import BUYING, SELLING, RoomContext, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.compiled import CompiledContext, CompiledRule, gated
from monitor.engine.correlation_set import Correlations
from monitor.engine.databases import Databases
from monitor.engine.looking import Looking
from monitor.engine.matcher import Matcher
from monitor.engine.patterns import prepare
from monitor.engine.scorer import Scorer
from monitor.engine.scoring import Scoring
from monitor.engine.trades import Trades
from monitor.engine.uncollected import uncollected
from monitor.engine.views import ViewTables


class EngineSet:
    """`version` changes with the rules, the scorer, the rooms and the tables. Never changed after it is made."""

    @uncollected()
    def __init__(
        self,
        ruleset: RuleSet,
        tables: ViewTables,
        *,
        rooms: Iterable[RoomContext] = (),
        scorer: Scorer | None = None,
        own: Mapping[str, Scorer] | None = None,
        zone: ZoneInfo,
        statuses: frozenset[Status] = frozenset((Status.ACTIVE,)),
        beside: frozenset[Status] = frozenset(),
        databases: Databases | None = None,
    ) -> None:
        """Raises RuleError for what only compiling finds. `own`: classifiers of tenants, each for its own events alone;
        `scorer` is for all others'. `statuses`: which rules make findings; `beside`: of which it is noted what they
        would find, `shadows` by id."""
        self.ruleset = ruleset
        self.tables = tables
        self.scorer = scorer
        self.rooms: Mapping[tuple[str, str], RoomContext] = {(r.tenant, r.room): r for r in rooms}
        running = [rule for rule in ruleset.rules if rule.status in statuses | beside]
        self.shadows = frozenset(rule.id for rule in ruleset.all() if rule.status in beside - statuses)
        self.zone = zone
        self.contexts = [CompiledContext(i, c, tables) for i, c in enumerate(ruleset.contexts.values())]
        numbers = {c.context.name: c.index for c in self.contexts}
        by_name = {c.context.name: c for c in self.contexts}
        self.trading = by_name.get(SELLING), by_name.get(BUYING)
        self.correlations = Correlations(
            [rule for rule in ruleset.correlations if rule.status in statuses | beside],
            [*ruleset.rules, *ruleset.correlations], zone, self.shadows)
        judged = scorer is not None or bool(own)
        gates = [judged and gated(rule, self.correlations.silenced) for rule in running]
        looking = Looking(ruleset, running, gates, tables, databases or Databases())
        self.rules = [CompiledRule(i, rule, zone, numbers, chances, gated=gate, aside=rule.id in self.shadows)
                      for i, (rule, chances, gate) in enumerate(zip(running, looking.chances, gates, strict=True))]
        self.bound: NDArray[np.bool_] = np.array([rule.scope.bound for rule in self.rules], dtype=bool)
        """By rule: does it depend on the room or the day?"""
        self.hears: NDArray[np.bool_] = np.zeros((len(self.rules), len(self.contexts)), dtype=bool)
        """By rule and context."""
        for rule in self.rules:
            self.hears[rule.index, list(rule.contexts)] = True
        prepare(tables)
        self.matcher = Matcher(self.rules, len(self.contexts), *looking.lexicons(self.rules, self.contexts))
        self.scoring = Scoring(self.rules, scorer)
        self.trades = Trades(scorer, self.rooms)
        self._in_room: dict[tuple[tuple[str, str] | None, int], bool] = {}
        self.own: Mapping[str, EngineSet] = self._with(own or {})
        models = [scorer.version if scorer else "",
                  *(f"{tenant}\n{each.scorer.version}" for tenant, each in sorted(self.own.items()) if each.scorer)]
        self.version = digest(
            ruleset.version, "\n".join(models), repr(sorted(self.rooms.items())), str(zone),
            str(sorted(tables.meta.items())), *sorted(statuses | {Status.SHADOW} if self.shadows else statuses),
        )

    @property
    def judging(self) -> int:
        """How many rules make findings of single events."""
        return sum(not rule.aside for rule in self.rules)

    def of(self, tenant: str) -> "EngineSet":
        """What judges this tenant's events: the same rules, beside the tenant's own classifier where it has one."""
        return self.own.get(tenant, self)

    def in_rooms(self, rooms: Iterable[RoomContext], version: str) -> "EngineSet":
        """The same rules and classifiers, with other knowledge of the rooms; costs what that does."""
        known = {(r.tenant, r.room): r for r in rooms}
        own: dict[int, EngineSet] = {}

        def told(one: EngineSet) -> EngineSet:
            other = copy(one)
            other.rooms, other.trades, other._in_room = known, Trades(one.scorer, known), {}
            return other

        made = told(self)
        for each in self.own.values():
            own.setdefault(id(each), told(each))
        made.own, made.version = {tenant: own[id(each)] for tenant, each in self.own.items()}, version
        return made

    def _with(self, own: Mapping[str, Scorer]) -> "dict[str, EngineSet]":
        """By tenant; one for each classifier that is not the one for all."""
        made: dict[str, EngineSet] = {"" if self.scorer is None else self.scorer.version: self}
        for scorer in own.values():
            if scorer.version not in made:
                other = made[scorer.version] = copy(self)
                other.scorer, other.scoring, other.own = scorer, Scoring(self.rules, scorer), {}
                other.trades = Trades(scorer, self.rooms)
        found = {tenant: made[scorer.version] for tenant, scorer in own.items()}
        return {tenant: each for tenant, each in found.items() if each is not self}

    @property
    def not_evaluated(self) -> dict[str, int]:
        """How many rules rest on something missing, by reason."""
        if self.scorer is not None:
            return {"no_model": 0}
        scored = [(names_in(r.rule.condition), {r.names[i] for i, _, _ in r.scores}) for r in self.rules
                  if r.scores and not r.aside]
        return {"no_model": sum(bool(named & scores) for named, scores in scored)}

    def correlates(self, rule: CorrelationRule, tenant: str, room: str, at: int) -> bool:
        """Does the correlation hold in this room at this time (UTC ms)?"""
        return self.correlations.holds_in(rule.id, self.rooms.get((tenant, room)), at)

    def active_in(self, rule: CompiledRule, room: tuple[str, str]) -> bool:
        if not rule.scope.room_bound:
            return True
        context = self.rooms.get(room)
        key = (room if context else None, rule.index)  # all rooms of which nothing is known are one
        known = self._in_room.get(key)
        if known is None:
            known = self._in_room[key] = rule.scope.in_room(context)
        return known
