"""Figures: counted in the index of lists, so that no alert is looked up; what waits, in that of live ones.

What takes long is to sort many alerts into groups and to hand over many rows. So rules are counted step by step, whose
alerts are few, and times come as one text of numbers for each post and severity. A month is read in parts, two at once,
and other readers have their turn between them.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, Connection, Text, and_, bindparam, cast, func, select

from monitor.adapters.storage.alerts import seen
from monitor.adapters.storage.database import READERS, Database
from monitor.adapters.storage.schema import LIVE, alerts
from monitor.adapters.storage.statements import how_many
from monitor.domain.findings import Severity
from monitor.domain.moves import Outcome
from monitor.services.figures import AGES_S, HOUR_MS, Backlog, Counts, FigureFilter, Load, RuleShare, Slice

_row: Final = alerts.c
_GRADES: Final = [severity.value for severity in reversed(Severity)]
"""The gravest first."""
_PARTS: Final = 4
Steps = Sequence[tuple[int, int]]
"""From when until when each lasts."""


class _Rule(NamedTuple):
    """What a rule found in a step, under its first category, as metrics do."""

    at: int
    rule: str
    category: str
    alerts: int
    decided: int
    violations: int


class _Pace(NamedTuple):
    """Numbers with commas between them, None where there are none: seconds, and hours since 1970."""

    post: str
    severity: str
    claims: str | None
    decisions: str | None
    hours: str | None


Found = tuple[list[_Rule], list[_Pace]]


class SqlFigures:
    """Implements `FigureStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, tenant: str, where: FigureFilter, *, now: int) -> Counts:
        theirs = [_row.tenant == tenant, *_bounds(where)]
        turns = asyncio.Semaphore(READERS)

        async def part(steps: Steps) -> Found:
            async with turns:
                return await self._database.read(lambda connection: (
                    _rules(connection, theirs, steps), _paces(connection, theirs, steps)))

        found = await asyncio.gather(*(part(steps) for steps in _parts(where)))
        return await self._database.read(
            lambda connection: _told(found, _backlog(connection, [*theirs, LIVE], now)))

    async def last_found(self, tenant: str) -> dict[str, int]:
        return await self._database.read(lambda connection: last_found(connection, tenant))


def _parts(where: FigureFilter) -> list[Steps]:
    steps = [(at, min(at + where.step_ms, where.until)) for at in range(where.since, where.until, where.step_ms)]
    size = -(-len(steps) // _PARTS)
    return [steps[first : first + size] for first in range(0, len(steps), size)]


def _bounds(where: FigureFilter) -> Iterable[ColumnElement[bool]]:
    yield from seen(where.units, where.posts)
    if where.within is not None:
        yield _row.unit.in_(where.within)
    if where.post is not None:
        yield _row.post == where.post
    if where.room is not None:
        yield _row.room == where.room


def _rules(connection: Connection, theirs: list[Any], steps: Steps) -> list[_Rule]:
    decided = how_many(_row.outcome != "")
    broken = how_many(_row.outcome == Outcome.VIOLATION.value)
    counted = (select(_row.rule, func.max(_row.categories), func.count(), decided, broken)
               .where(*theirs, _row.at >= bindparam("since"), _row.at < bindparam("until")).group_by(_row.rule))
    return [_Rule(since, rule, next(iter(categories.split()), ""), *many)
            for since, until in steps
            for rule, categories, *many in connection.execute(counted, {"since": since, "until": until})]


def _paces(connection: Connection, theirs: list[Any], steps: Steps) -> list[_Pace]:
    (since, _), (_, until) = steps[0], steps[-1]
    numbers = [func.aggregate_strings(cast(each, Text), ",")
               for each in (_row.claim_s, _row.decide_s, _row.decided_at // HOUR_MS)]
    rows = connection.execute(
        select(_row.post, _row.severity, *numbers).where(*theirs, _row.at >= since, _row.at < until)
        .group_by(_row.post, _row.severity))
    return [_Pace(*row) for row in rows]


def _told(found: Iterable[Found], waiting: list[Backlog]) -> Counts:
    slices, shares = Counter[tuple[int, str]](), dict[str, list[int]]()
    paces = [pace for _, some in found for pace in some]
    for each in (each for some, _ in found for each in some):
        slices[each.at, each.category] += each.alerts
        known = shares.get(each.rule, (0, 0, 0))
        shares[each.rule] = [known[0] + each.alerts, known[1] + each.decided, known[2] + each.violations]
    rules = [RuleShare(rule=rule, alerts=many, decided=decided, violations=broken)
             for rule, (many, decided, broken) in shares.items()]
    load = {post: _counted(pace.hours for pace in paces if pace.post == post) for post in {pace.post for pace in paces}}
    return Counts(
        slices=[Slice(at, category, many) for (at, category), many in sorted(slices.items())],
        claims=_by_severity((pace.severity, pace.claims) for pace in paces),
        decisions=_by_severity((pace.severity, pace.decisions) for pace in paces),
        rules=sorted(rules, key=lambda each: (-each.decided, -each.alerts, each.rule)),
        load=[Load(post, hour * HOUR_MS, many) for post in sorted(load) for hour, many in load[post].items()],
        backlog=waiting)


def _by_severity(times: Iterable[tuple[str, str | None]]) -> dict[str, Mapping[int, int]]:
    every = list(times)
    found = {grade: _counted(numbers for severity, numbers in every if severity == grade) for grade in _GRADES}
    return {grade: some for grade, some in found.items() if some}


def _counted(numbers: Iterable[str | None]) -> dict[int, int]:
    """How often each occurs, the least first."""
    text = ",".join(some for some in numbers if some)
    if not text:
        return {}
    values, many = np.unique(np.fromstring(text, np.int64, sep=","), return_counts=True)
    return dict(zip(values.tolist(), many.tolist(), strict=True))


def _backlog(connection: Connection, theirs: list[Any], now: int) -> list[Backlog]:
    """The gravest first."""
    edges = [now - seconds * 1_000 for seconds in AGES_S]
    within = [_row.at > edges[0], *(and_(_row.at <= later, _row.at > edge) for later, edge in pairwise(edges)),
              _row.at <= edges[-1]]
    ages = [how_many(age) for age in within]
    rows = connection.execute(
        select(_row.severity, func.count(), func.min(_row.at), *ages).where(*theirs).group_by(_row.severity))
    found = {severity: Backlog(severity, many, oldest, list(aged)) for severity, many, oldest, *aged in rows}
    return [found[severity] for severity in _GRADES if severity in found]


def last_found(connection: Connection, tenant: str) -> dict[str, int]:
    """From rule to rule in their index: a look-up for each, however many alerts there are."""
    first = select(func.min(_row.rule).label("rule")).where(_row.tenant == tenant).cte("found", recursive=True)
    beyond = select(func.min(_row.rule)).where(_row.tenant == tenant, _row.rule > first.c.rule).scalar_subquery()
    rules = first.union_all(select(beyond).where(first.c.rule.is_not(None)))
    latest = (select(func.max(_row.at)).where(_row.tenant == tenant, _row.rule == rules.c.rule)
              .correlate(rules).scalar_subquery())
    rows = connection.execute(select(rules.c.rule, latest).where(rules.c.rule.is_not(None)))
    return {str(rule): int(at) for rule, at in rows}
