"""Figures: counted in the index of lists, so that no alert is looked up; what waits, in that of live ones.

To group a hundred thousand rows takes longer than to read them. So a time is counted in parts, two at once, and other
readers have their turn between them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from monitor.adapters.storage.alerts import seen
from monitor.adapters.storage.database import READERS, Database
from monitor.adapters.storage.schema import LIVE, alerts
from monitor.adapters.storage.statements import how_many
from monitor.domain.findings import Severity
from monitor.domain.moves import Outcome
from monitor.services.figures import AGES_S, HOUR_MS, Backlog, Counts, FigureFilter, Load, RuleShare, Slice

_row: Final = alerts.c
_GRADES: Final = [severity.value for severity in Severity]
_BY_GRADE: Final = case({name: grade for grade, name in enumerate(_GRADES)}, value=_row.severity)
_PARTS: Final = 4
Counted = Counter[Any]


class SqlFigures:
    """Implements `FigureStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, tenant: str, where: FigureFilter, *, now: int) -> Counts:
        theirs = [_row.tenant == tenant, *_bounds(where)]
        turns = asyncio.Semaphore(READERS)

        async def part(since: int, until: int) -> Mapping[str, Counted]:
            ranged = [*theirs, _row.at >= since, _row.at < until]
            async with turns:
                return await self._database.read(lambda connection: {
                    name: count(connection, ranged, where) for name, count in _COUNTED.items()})

        found = await asyncio.gather(*(part(*bounds) for bounds in pairwise(_cuts(where))))
        whole = {name: sum((some[name] for some in found), Counter()) for name in _COUNTED}
        waiting = await self._database.read(lambda connection: _backlog(connection, [*theirs, LIVE], now))
        return _told(whole, waiting)

    async def last_found(self, tenant: str) -> dict[str, int]:
        return await self._database.read(lambda connection: last_found(connection, tenant))


def _cuts(where: FigureFilter) -> list[int]:
    """The ends of the parts: whole steps."""
    steps = -(-(where.until - where.since) // where.step_ms)
    parts = min(_PARTS, steps)
    return [*(where.since + part * steps // parts * where.step_ms for part in range(parts)), where.until]


def _bounds(where: FigureFilter) -> Iterable[ColumnElement[bool]]:
    yield from seen(where.units, where.posts)
    if where.within is not None:
        yield _row.unit.in_(where.within)
    if where.post is not None:
        yield _row.post == where.post
    if where.room is not None:
        yield _row.room == where.room


def _rules(connection: Connection, ranged: list[Any], where: FigureFilter) -> Counted:
    """By step, rule and first category, as metrics do: (…, 0) alerts, (…, 1) decided ones, (…, 2) violations."""
    step = (_row.at - where.since) // where.step_ms
    decided = how_many(_row.outcome != "")
    broken = how_many(_row.outcome == Outcome.VIOLATION.value)
    rows = connection.execute(
        select(step, _row.rule, func.max(_row.categories), func.count(), decided, broken)
        .where(*ranged).group_by(step, _row.rule))
    return Counter({(where.since + number * where.step_ms, rule, next(iter(categories.split()), ""), what): many
                    for number, rule, categories, *counted in rows for what, many in enumerate(counted)})


def _times(took: ColumnElement[int]) -> Callable[[Connection, list[Any], FigureFilter], Counted]:
    """By one number, which is grouped in two thirds of the time that two columns take."""
    key = took * len(_GRADES) + _BY_GRADE

    def count(connection: Connection, ranged: list[Any], _: FigureFilter) -> Counted:
        rows = connection.execute(select(key, func.count()).where(*ranged, took.is_not(None)).group_by(key))
        return Counter({divmod(number, len(_GRADES)): many for number, many in rows})

    return count


def _load(connection: Connection, ranged: list[Any], _: FigureFilter) -> Counted:
    hour = _row.decided_at - _row.decided_at % HOUR_MS
    rows = connection.execute(
        select(_row.post, hour, func.count()).where(*ranged, _row.decided_at.is_not(None)).group_by(_row.post, hour))
    return Counter({(post, at): many for post, at, many in rows})


_COUNTED: Final = {"rules": _rules, "claims": _times(_row.claim_s), "decisions": _times(_row.decide_s),
                   "load": _load}


def _told(whole: Mapping[str, Counted], waiting: list[Backlog]) -> Counts:
    slices, rules = Counter[tuple[int, str]](), Counter[tuple[str, int]]()
    for (at, rule, category, what), many in whole["rules"].items():
        rules[rule, what] += many
        if what == 0:
            slices[at, category] += many
    shares = [RuleShare(rule=rule, alerts=rules[rule, 0], decided=rules[rule, 1], violations=rules[rule, 2])
              for rule in {rule for rule, _ in rules}]
    return Counts(
        slices=[Slice(at, category, many) for (at, category), many in sorted(slices.items())],
        claims=_by_severity(whole["claims"]), decisions=_by_severity(whole["decisions"]),
        rules=sorted(shares, key=lambda each: (-each.decided, -each.alerts, each.rule)),
        load=[Load(post, at, many) for (post, at), many in sorted(whole["load"].items())], backlog=waiting)


def _by_severity(times: Counted) -> dict[str, dict[int, int]]:
    """The gravest first."""
    found: dict[str, dict[int, int]] = {name: {} for name in reversed(_GRADES)}
    for (seconds, grade), many in times.items():
        found[_GRADES[grade]][seconds] = many
    return {severity: some for severity, some in found.items() if some}


def _backlog(connection: Connection, theirs: list[Any], now: int) -> list[Backlog]:
    """The gravest first."""
    edges = [now - seconds * 1_000 for seconds in AGES_S]
    within = [_row.at > edges[0], *(and_(_row.at <= later, _row.at > edge) for later, edge in pairwise(edges)),
              _row.at <= edges[-1]]
    ages = [how_many(age) for age in within]
    rows = connection.execute(
        select(_row.severity, func.count(), func.min(_row.at), *ages).where(*theirs).group_by(_row.severity))
    found = {severity: Backlog(severity, many, oldest, list(aged)) for severity, many, oldest, *aged in rows}
    return [found[severity] for severity in reversed(_GRADES) if severity in found]


def last_found(connection: Connection, tenant: str) -> dict[str, int]:
    """From rule to rule in their index: a look-up for each, however many alerts there are."""
    first = select(func.min(_row.rule).label("rule")).where(_row.tenant == tenant).cte("found", recursive=True)
    beyond = select(func.min(_row.rule)).where(_row.tenant == tenant, _row.rule > first.c.rule).scalar_subquery()
    rules = first.union_all(select(beyond).where(first.c.rule.is_not(None)))
    latest = (select(func.max(_row.at)).where(_row.tenant == tenant, _row.rule == rules.c.rule)
              .correlate(rules).scalar_subquery())
    rows = connection.execute(select(rules.c.rule, latest).where(rules.c.rule.is_not(None)))
    return {str(rule): int(at) for rule, at in rows}
