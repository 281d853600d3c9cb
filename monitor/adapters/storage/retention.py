"""The end of what was kept long enough, a few rows at a time."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, delete, func, select, true

from monitor.adapters.storage import trail
from monitor.adapters.storage.alerts import EVIDENCE_MS
from monitor.adapters.storage.cases import case_of
from monitor.adapters.storage.checks import VERSION_DIGITS
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import (
    alert_categories,
    alerts,
    context_chunks,
    findings,
    labels,
    shadow_findings,
    shadow_hours,
)
from monitor.adapters.storage.schema_post import (
    checks,
    cues,
    invitations,
    messages,
    moves,
    queue,
    room_links,
    rulings,
    sessions,
)
from monitor.domain.audit import Deed
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.moves import Outcome
from monitor.services.cases import Case
from monitor.services.retention import Kind

TIME: Final = "time"
_OF_ALERT: Final[Sequence[Table]] = (queue, moves, findings, cues)
"""Tables whose rows belong to an alert, by `alert_id`."""
_LONGEST_CHUNK_MS: Final = 120_000
_category: Final = delete(alert_categories).where(
    alert_categories.c.tenant == bindparam("of_tenant"), alert_categories.c.category == bindparam("of_category"),
    alert_categories.c.at == bindparam("of_at"), alert_categories.c.alert_id == bindparam("of_alert"))
_label: Final = delete(labels).where(
    labels.c.tenant == bindparam("of_tenant"), labels.c.id >= bindparam("first"), labels.c.id < bindparam("behind"))
_chunks: Final = delete(context_chunks).where(
    context_chunks.c.tenant == bindparam("of_tenant"), context_chunks.c.room == bindparam("of_room"),
    context_chunks.c.lane == bindparam("of_lane"), context_chunks.c.to_at <= bindparam("until"))


class _Rows(NamedTuple):
    """Rows that nothing else belongs to. `key`: tells one of a tenant's; `at`: from when on its time runs; `which`:
    those that may go at all; `told`: whether the trail says that they went; `hours`: a table of counts of theirs."""

    table: Table
    key: Column[str]
    at: ColumnElement[int]
    which: ColumnElement[bool] = true()
    told: bool = True
    hours: Table | None = None


_newer: Final = checks.alias("newer")
_behind: Final = func.substr(checks.c.id, 1, func.length(checks.c.id) - VERSION_DIGITS - 1) + "/"
_ROWS: Final[Mapping[Kind, _Rows]] = {
    Kind.CHECKS: _Rows(checks, checks.c.id, checks.c.at),
    Kind.CHECK_VERSIONS: _Rows(checks, checks.c.id, checks.c.at, select(_newer.c.id).where(
        _newer.c.tenant == checks.c.tenant, _newer.c.id > checks.c.id, _newer.c.id < _behind,
        func.length(_newer.c.id) == func.length(checks.c.id)).exists()),
    Kind.CUES: _Rows(cues, cues.c.id, cues.c.at),
    Kind.MESSAGES: _Rows(messages, messages.c.id, messages.c.at, messages.c.due.is_(None)),
    Kind.ROOM_LINKS: _Rows(room_links, room_links.c.sha256,
                           func.coalesce(room_links.c.revoked_at, room_links.c.expires_at)),
    Kind.INVITATIONS: _Rows(invitations, invitations.c.sha256,
                            func.coalesce(invitations.c.used_at, invitations.c.expires_at), told=False),
    Kind.SESSIONS: _Rows(sessions, sessions.c.id, sessions.c.created_at, told=False),
    Kind.SHADOWS: _Rows(shadow_findings, shadow_findings.c.id, shadow_findings.c.at, hours=shadow_hours),
}


class SqlExpiry:
    """Implements `Expiry`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expire(self, kind: Kind, *, before: int, now: int, limit: int) -> int:
        return await self._database.run(lambda connection: _each(connection, kind, before, now, limit))


def _each(connection: Connection, kind: Kind, before: int, now: int, limit: int) -> int:
    """Tenant by tenant, until so many went."""
    gone, rows = 0, _ROWS.get(kind)
    table = rows.table if rows else alerts
    if rows is not None and rows.hours is not None:
        connection.execute(delete(rows.hours).where(rows.hours.c.hour < before))
    tenant = connection.scalar(select(func.min(table.c.tenant)))
    while tenant is not None and gone < limit:
        most = limit - gone
        times = (_drop_rows(connection, tenant, rows, before, most) if rows
                 else _alerts(connection, tenant, kind, before, most))
        if times and (rows is None or rows.told):
            facts = {"count": len(times), "first_at": times[0], "last_at": times[-1], "before": before}
            trail.append(connection, [
                Deed(tenant=tenant, by=TIME, at=now, what="list.expire", on=kind.value, facts=facts)])
        gone += len(times)
        tenant = connection.scalar(select(func.min(table.c.tenant)).where(table.c.tenant > tenant))
    return gone


def _drop_rows(connection: Connection, tenant: str, rows: _Rows, before: int, limit: int) -> list[int]:
    """The times of what went, oldest first."""
    of_tenant = rows.table.c.tenant == tenant
    found = connection.execute(
        select(rows.key.label("key"), rows.at.label("at")).where(of_tenant, rows.at < before, rows.which)
        .order_by(rows.at, rows.key).limit(limit)).all()
    if found:
        connection.execute(delete(rows.table).where(of_tenant, rows.key.in_([one.key for one in found])))
    return [one.at for one in found]


def _alerts(connection: Connection, tenant: str, kind: Kind, before: int, limit: int) -> list[int]:
    row = alerts.c
    ruled = row.outcome == Outcome.VIOLATION if kind is Kind.CORRECTIONS else row.outcome != Outcome.VIOLATION
    rows = connection.execute(
        select(alerts).where(row.tenant == tenant, row.at < before, ruled).order_by(row.at, row.id).limit(limit)
    ).mappings().all()
    cases = [case_of(found) for found in rows]
    if cases:
        _drop(connection, tenant, cases)
    return [case.alert.at for case in cases]


def _drop(connection: Connection, tenant: str, cases: Sequence[Case]) -> None:
    ids = [case.alert.id for case in cases]
    for table in _OF_ALERT:
        connection.execute(delete(table).where(table.c.alert_id.in_(ids)))
    wordings = [case.kept.wording for case in cases if case.kept.wording]
    if wordings:
        connection.execute(delete(rulings).where(rulings.c.key.in_(wordings), rulings.c.alert_id.in_(ids)))
    listed = [{"of_tenant": tenant, "of_category": category, "of_at": case.alert.at, "of_alert": case.alert.id}
              for case in cases for category in case.alert.category]
    if listed:
        connection.execute(_category, listed)
    connection.execute(_label, [
        {"of_tenant": tenant, "first": f"review.{name}.", "behind": f"review.{name}/"} for name in ids])
    connection.execute(delete(alerts).where(alerts.c.id.in_(ids)))
    _drop_context(connection, tenant, cases)


def _drop_context(connection: Connection, tenant: str, cases: Sequence[Case]) -> None:
    """The lines around them, as far as no alert that stays shows them."""
    last: dict[str, int] = {}
    for case in cases:
        last[case.alert.room] = max(last.get(case.alert.room, 0), case.alert.last_at)
    ends = []
    for room, last_at in last.items():
        until = last_at + EVIDENCE_MS + _LONGEST_CHUNK_MS
        first = connection.scalar(
            select(func.min(alerts.c.at)).where(alerts.c.tenant == tenant, alerts.c.room == room))
        until = until if first is None else min(until, first - EVIDENCE_MS - 1)
        ends += [{"of_tenant": tenant, "of_room": room, "of_lane": lane, "until": until}
                 for lane in (HOST_SIDE, VIEWERS)]
    connection.execute(_chunks, ends)
