"""What people reported: stored with its context, its label and its rows of history and trail, in one transaction."""

from typing import Final

import msgspec
from sqlalchemy import Connection, or_, select, update

from monitor.adapters.storage import labels as label_rows
from monitor.adapters.storage import trail
from monitor.adapters.storage.alerts import read_cursor, write_cursor
from monitor.adapters.storage.cases import case_of, single
from monitor.adapters.storage.commits import save_findings, settle
from monitor.adapters.storage.outbox import tell
from monitor.adapters.storage.records import chunk_values
from monitor.adapters.storage.schema import alerts, context_chunks
from monitor.adapters.storage.schema_post import moves
from monitor.adapters.storage.statements import insert_new
from monitor.domain.alerts import AlertState
from monitor.domain.misses import MANUAL_RULES
from monitor.domain.moves import Outcome
from monitor.services.cases import Case, Placing
from monitor.services.misses import Opened, Report

_encoder: Final = msgspec.msgpack.Encoder()
_LAWFUL: Final = (Outcome.NO_VIOLATION.value, Outcome.EXEMPT.value)


def report(connection: Connection, report: Report, placing: Placing) -> Opened:
    """As the port says."""
    tenant, alert, now = report.finding.tenant, report.moved.alert, report.reported.at
    known = single(connection, tenant, alert)
    if known is not None:
        return Opened(known, new=False)
    placed = save_findings(connection, [report.finding], placing, now)
    told = list(settle(connection, placed.touched, placed.fresh, {}, placing, now).values())
    case = single(connection, tenant, alert)
    if case is None:
        raise LookupError(f"alert {alert} was not stored")
    kept = msgspec.structs.replace(case.kept, reported=report.reported)
    connection.execute(update(alerts).where(alerts.c.id == alert).values(review=_encoder.encode(kept)))
    chunks = [chunk_values(chunk) for chunk in report.context]
    if chunks:
        connection.execute(insert_new(connection, context_chunks), chunks)
    label_rows.save(connection, tenant, [report.label])
    connection.execute(moves.insert(), [{
        "alert_id": alert, "version": report.moved.version, "tenant": tenant, "at": now, "by": report.moved.by,
        "body": _encoder.encode(report.moved)}])
    trail.append(connection, [report.deed])
    return Opened(msgspec.structs.replace(case, kept=kept), new=True, updates=tuple(tell(connection, told)))


def reported(connection: Connection, tenant: str, cursor: str | None, limit: int) -> tuple[list[Case], str | None]:
    """As the port says. By the index of rules: few of them are somebody's reports."""
    query = select(alerts).where(
        alerts.c.tenant == tenant, alerts.c.rule.in_(MANUAL_RULES),
        alerts.c.outcome.not_in(_LAWFUL), alerts.c.state != AlertState.WITHDRAWN.value)
    if cursor is not None:
        at, name = read_cursor(cursor)
        query = query.where(alerts.c.at <= at, or_(alerts.c.at < at, alerts.c.id > name))
    newest = (alerts.c.at + 0).desc()  # so that they are looked for by rule, not among all alerts
    rows = connection.execute(query.order_by(newest, alerts.c.id).limit(limit + 1)).mappings().all()
    found = [case_of(row) for row in rows[:limit]]
    return found, write_cursor(found[-1].alert) if len(rows) > limit else None
