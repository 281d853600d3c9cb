"""Reading alerts: the list, page by page, and the evidence of one."""

from heapq import nsmallest
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, not_, or_, select

from monitor.adapters.storage.records import alert_of, finding_of, lines_of
from monitor.adapters.storage.schema import alert_categories, alerts, context_chunks, findings
from monitor.domain.alerts import Alert, AlertState
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.findings import Finding
from monitor.domain.labels import Label
from monitor.domain.misses import MANUAL, MANUAL_RULES
from monitor.services.paging import packed_cursor, unpacked_cursor
from monitor.services.records import AlertFilter, AlertPage, ContextLine, Evidence

T = TypeVar("T")
EVIDENCE_MS: Final = 60_000
"""How far evidence reaches before an alert's first finding and after its last (ms)."""

LINES: Final = 400
"""How many lines of each lane evidence holds at most."""

_cursors: Final = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)], str])


def page(connection: Connection, tenant: str, where: AlertFilter, *, cursor: str | None, limit: int) -> AlertPage:
    """Newest first, those of one time by id. Raises InputError for a bad cursor."""
    at: ColumnElement[int] = alerts.c.at
    name: ColumnElement[str] = alerts.c.id
    query = select(alerts).where(alerts.c.tenant == tenant, *_conditions(where))
    if where.category is not None and _has_more(where):
        query = query.where(alerts.c.categories.contains(f" {where.category} ", autoescape=True))
    elif where.category is not None:
        at, name = alert_categories.c.at, alert_categories.c.alert_id
        query = query.join(alert_categories, alert_categories.c.alert_id == alerts.c.id).where(
            alert_categories.c.tenant == tenant, alert_categories.c.category == where.category
        )
    if where.since is not None:
        query = query.where(at >= where.since)
    if where.until is not None:
        query = query.where(at < where.until)
    if cursor is not None:
        last_at, last = read_cursor(cursor)
        query = query.where(at <= last_at, or_(at < last_at, name > last))
    newest = at + 0 if where.source == MANUAL else at  # few are manual: found by their rules, not by going back in time
    rows = connection.execute(query.order_by(newest.desc(), name).limit(limit + 1)).mappings().all()
    found = [alert_of(row) for row in rows[:limit]]
    return AlertPage(found, write_cursor(found[-1]) if len(rows) > limit and found else None)


def _has_more(where: AlertFilter) -> bool:
    """Than a category and a time: a rare category is found by a tree of its own, with another filter by that one's."""
    return replace(where, category=None, since=None, until=None) != AlertFilter()


def _conditions(where: AlertFilter) -> list[ColumnElement[bool]]:
    wanted: dict[Any, str | None] = {
        alerts.c.room: where.room,
        alerts.c.broadcast: where.broadcast,
        alerts.c.rule: where.rule,
        alerts.c.tier: where.tier,
        alerts.c.severity: where.severity,
        alerts.c.state: where.state,
        alerts.c.post: where.post,
        alerts.c.outcome: where.outcome,
        alerts.c.claimed_by: where.claimed_by,
    }
    found: list[ColumnElement[bool]] = [column == value for column, value in wanted.items() if value is not None]
    found += seen(where.units, where.posts)
    if where.source is not None:
        manual = alerts.c.rule.in_(MANUAL_RULES)
        found.append(manual if where.source == MANUAL else not_(manual))
    if where.within is not None:
        found.append(alerts.c.unit.in_(where.within))
    return found


def seen(units: tuple[str, ...] | None, posts: tuple[str, ...]) -> list[ColumnElement[bool]]:
    """Of rooms of these units, or what lies before these posts; `units` None: all."""
    if units is None:
        return []
    theirs = alerts.c.unit.in_(units)
    return [or_(theirs, alerts.c.post.in_(posts)) if posts else theirs]


def write_cursor(last: Alert | Label) -> str:
    return packed_cursor((last.at, last.id))


def read_cursor(cursor: str) -> tuple[int, str]:
    """(at, id) of the last one of the page before. Raises InputError for what `write_cursor` did not write."""
    return unpacked_cursor(cursor, _cursors)


def evidence(connection: Connection, tenant: str, alert: str) -> Evidence | None:
    """Standing findings, of a withdrawn alert all that it had; and the room's lines around them."""
    row = connection.execute(select(alerts).where(alerts.c.id == alert, alerts.c.tenant == tenant)).mappings().first()
    if row is None:
        return None
    found = alert_of(row)
    query = select(findings.c.body).where(findings.c.alert_id == alert)
    if found.state is not AlertState.WITHDRAWN:
        query = query.where(findings.c.withdrawn.is_(None))
    held = sorted((finding_of(body) for (body,) in connection.execute(query)), key=lambda found: (found.at, found.id))
    lines = [line for lane in (HOST_SIDE, VIEWERS) for line in _around(connection, found, held, lane)]
    return Evidence(found, held, sorted(lines, key=_oldest_first))


def _around(connection: Connection, alert: Alert, held: list[Finding], lane: int) -> list[ContextLine]:
    """The lines of one lane that are nearest to the alert's opening."""
    first = min((finding.at for finding in held), default=alert.at) - EVIDENCE_MS
    last = max((alert.last_at, *(finding.at for finding in held))) + EVIDENCE_MS
    chunk = context_chunks.c
    rows = connection.execute(
        select(chunk.body)
        .where(chunk.tenant == alert.tenant, chunk.room == alert.room, chunk.lane == lane)
        .where(chunk.to_at >= first, chunk.from_at <= last)
        .order_by(chunk.first_seq, chunk.digest)
    )
    lines: dict[tuple[str, str, int], ContextLine] = {}
    for (body,) in rows:
        for line in lines_of(body):
            if first <= line.at <= last:
                lines.setdefault((line.source, line.event_id, line.revision), line)
    return nsmallest(LINES, lines.values(), key=lambda line: abs(line.at - alert.at))


def _oldest_first(line: ContextLine) -> tuple[int, int, str, str, int]:
    return line.at, line.lane, line.source, line.event_id, line.revision
