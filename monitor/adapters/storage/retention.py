"""The end of what was kept long enough, a few rows at a time."""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, Table, bindparam, delete, func, select

from monitor.adapters.storage import trail
from monitor.adapters.storage.alerts import EVIDENCE_MS
from monitor.adapters.storage.cases import case_of
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import alert_categories, alerts, context_chunks, findings, labels
from monitor.adapters.storage.schema_post import checks, cues, moves, queue, rulings
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


class SqlExpiry:
    """Implements `Expiry`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expire(self, kind: Kind, *, before: int, now: int, limit: int) -> int:
        work = _checks if kind is Kind.CHECKS else _alerts
        return await self._database.run(lambda connection: _each(connection, work, kind, before, now, limit))


_Work = Callable[[Connection, str, Kind, int, int], list[int]]
"""(connection, tenant, kind, before, limit) → the times of what went, oldest first."""


def _each(connection: Connection, work: _Work, kind: Kind, before: int, now: int, limit: int) -> int:
    """Tenant by tenant, until so many went."""
    gone = 0
    table = checks if kind is Kind.CHECKS else alerts
    tenant = connection.scalar(select(func.min(table.c.tenant)))
    while tenant is not None and gone < limit:
        times = work(connection, tenant, kind, before, limit - gone)
        if times:
            facts = {"count": len(times), "first_at": times[0], "last_at": times[-1], "before": before}
            trail.append(connection, [
                Deed(tenant=tenant, by=TIME, at=now, what="list.expire", on=kind.value, facts=facts)])
        gone += len(times)
        tenant = connection.scalar(select(func.min(table.c.tenant)).where(table.c.tenant > tenant))
    return gone


def _checks(connection: Connection, tenant: str, kind: Kind, before: int, limit: int) -> list[int]:
    row = checks.c
    found = connection.execute(
        select(row.id, row.at).where(row.tenant == tenant, row.at < before).order_by(row.at, row.id).limit(limit)).all()
    if found:
        connection.execute(delete(checks).where(row.tenant == tenant, row.id.in_([one.id for one in found])))
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
