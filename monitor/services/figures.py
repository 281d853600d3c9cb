"""Figures: how many alerts came, how long they waited, what became of them, and whether rules and model are well.

They count alerts, posts and hours, never persons.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.errors import InputError
from monitor.domain.people import ROOT, Actor, Permission
from monitor.domain.tenants import LOCAL
from monitor.engine.engineset import EngineSet
from monitor.services.lifecycle import ALL, ModelList
from monitor.services.organising import Organising
from monitor.services.ports import Clock
from monitor.services.sight import below, sight

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
LONGEST_MS: Final = 31 * DAY_MS
_FINE_MS: Final = 2 * DAY_MS
"""Up to so long a time is cut into hours, a longer one into days."""
SILENT_MS: Final = 30 * DAY_MS
AGES_S: Final = (300, 1_800, 7_200, 86_400)
"""Where the ages of a backlog are cut."""


class FigureFilter(Struct, frozen=True, kw_only=True):
    """Alerts of [since, until), UTC ms, in steps of `step_ms`. `units`, `posts`: as in `AlertFilter`: of rooms of these
    units, and what lies before these posts; `within`: of rooms of these units; None: of all."""

    since: int
    until: int
    step_ms: int
    units: tuple[str, ...] | None = None
    posts: tuple[str, ...] = ()
    within: tuple[str, ...] | None = None
    post: str | None = None
    room: str | None = None


class Slice(Struct, frozen=True):
    """`at`: where the step begins (UTC ms)."""

    at: int
    category: str
    alerts: int


class Load(Struct, frozen=True):
    """`at`: where the hour begins (UTC ms)."""

    post: str
    at: int
    decided: int


class RuleShare(Struct, frozen=True, kw_only=True):
    """`violations` of `decided`; the others are still open, or nobody had to decide them."""

    rule: str
    title: str = ""
    alerts: int
    decided: int
    violations: int


class Backlog(Struct, frozen=True):
    """What is to be decided now. `ages`: how many wait up to 5 min, 30 min, 2 h, a day, and longer."""

    severity: str
    alerts: int
    oldest_at: int
    ages: list[int]


class Counts(Struct, frozen=True, kw_only=True):
    """What the store has counted. `claims`, `decisions`: by severity, how many took so many whole seconds."""

    slices: list[Slice]
    claims: Mapping[str, Mapping[int, int]]
    decisions: Mapping[str, Mapping[int, int]]
    rules: list[RuleShare]
    load: list[Load]
    backlog: list[Backlog]


class Spread(Struct, frozen=True):
    """`severity` "": of all. Seconds: half took no longer than `p50_s`, nineteen in twenty no longer than `p95_s`."""

    severity: str
    alerts: int
    p50_s: int
    p95_s: int


class RuleHealth(Struct, frozen=True, kw_only=True):
    """`active`: rules that are run; `not_evaluated`: those that rest on something missing, by reason; `silent`: those
    that have found nothing for 30 days, with the last time that they did (UTC ms), None where they never have."""

    active: int
    not_evaluated: dict[str, int]
    silent: dict[str, int | None]


class ModelHealth(Struct, frozen=True, kw_only=True):
    """Ids as name/version, "": none. `macro_f1`: of the serving one, on its held-out test."""

    serving: str
    shadow: str
    macro_f1: float | None
    learnt_at: int


class FiguresAnswer(Struct, frozen=True, kw_only=True):
    """`total` alerts of [since, until), UTC ms, in steps of `step_ms`. `health` is for those who see the whole tenant,
    `model` for those of the operator's tenant who look after models."""

    now: int
    since: int
    until: int
    step_ms: int
    total: int
    over_time: list[Slice]
    claim: list[Spread]
    decide: list[Spread]
    rules: list[RuleShare]
    load: list[Load]
    backlog: list[Backlog]
    health: RuleHealth | None
    model: ModelHealth | None


class FigureStore(Protocol):
    """Raises StorageError."""

    async def counts(self, tenant: str, where: FigureFilter, *, now: int) -> Counts: ...

    async def last_found(self, tenant: str) -> dict[str, int]:
        """By rule, the time of its latest alert (UTC ms)."""
        ...


class Figures:
    """Used from one event loop."""

    def __init__(
        self, store: FigureStore, organising: Organising, engine: Callable[[], EngineSet],
        models: Callable[[], Awaitable[ModelList]], clock: Clock,
    ) -> None:
        self._store, self._organising, self._clock = store, organising, clock
        self._engine, self._models = engine, models

    async def of(self, actor: Actor, *, since: int | None = None, until: int | None = None, post: str | None = None,
                 room: str | None = None, unit: str | None = None) -> FiguresAnswer:
        """Of the units that the actor may see; by default of the last day. Raises InputError for too long a time."""
        now, organisation = self._clock.now(), self._organising.of(actor.tenant)
        until = now if until is None else until
        since = until - DAY_MS if since is None else since
        if not 0 < until - since <= LONGEST_MS:
            raise InputError("the time must begin before it ends, and last 31 days at most",
                             hint="bring `since` and `until` nearer to each other")
        bounds = sight(actor, organisation)
        where = FigureFilter(
            since=since, until=until, step_ms=HOUR_MS if until - since <= _FINE_MS else DAY_MS, units=bounds.units,
            posts=bounds.posts, within=None if unit is None else below(organisation, unit), post=post, room=room)
        counts, health, model = await asyncio.gather(
            self._store.counts(actor.tenant, where, now=now), self._rules(actor, now), self._model(actor))
        titles = self._titles()
        return FiguresAnswer(
            now=now, since=since, until=until, step_ms=where.step_ms, total=sum(each.alerts for each in counts.slices),
            over_time=counts.slices, claim=spreads(counts.claims), decide=spreads(counts.decisions),
            rules=[RuleShare(rule=each.rule, title=titles.get(each.rule, ""), alerts=each.alerts, decided=each.decided,
                             violations=each.violations) for each in counts.rules],
            load=counts.load, backlog=counts.backlog, health=health, model=model)

    def _titles(self) -> dict[str, str]:
        ruleset = self._engine().ruleset
        return {rule.id: rule.title for rule in (*ruleset.rules, *ruleset.correlations)}

    async def _rules(self, actor: Actor, now: int) -> RuleHealth | None:
        if not actor.may(Permission.SEE, (ROOT,)):
            return None
        engine, found = self._engine(), await self._store.last_found(actor.tenant)
        running = {*(each.rule.id for each in engine.rules), *engine.correlations.rules} - engine.shadows
        return RuleHealth(
            active=len(running), not_evaluated={why: many for why, many in engine.not_evaluated.items() if many},
            silent={name: found.get(name) for name in sorted(running) if found.get(name, 0) < now - SILENT_MS})

    async def _model(self, actor: Actor) -> ModelHealth | None:
        if actor.tenant != LOCAL or not actor.may(Permission.RULES, (ROOT,)):
            return None
        listed = await self._models()
        of = {model.role: model for model in listed.models if model.role}
        serving, shadow = of.get("serving"), listed.state.of(ALL).shadow
        return ModelHealth(serving=serving.id if serving else "", shadow=shadow,
                           macro_f1=serving.macro_f1 if serving else None,
                           learnt_at=serving.created_at if serving else 0)


def spreads(found: Mapping[str, Mapping[int, int]]) -> list[Spread]:
    """Of all, then of each severity; nothing where there is nothing to tell."""
    whole: Counter[int] = Counter()
    for times in found.values():
        whole.update(times)
    every = {"": whole, **found} if whole else {}
    return [Spread(severity, sum(times.values()), rank(times, 0.5), rank(times, 0.95))
            for severity, times in every.items() if times]


def rank(times: Mapping[int, int], share: float) -> int:
    """The least time that `share` of all do not exceed. `times`: how many took so long, not empty."""
    wanted, seen = share * sum(times.values()), 0
    for took in sorted(times):
        seen += times[took]
        if seen >= wanted:
            return took
    return max(times)
