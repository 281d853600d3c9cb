"""Ledgers: decided alerts of a span of time, each with its opening finding and the decisions before the last one."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, or_, select

from monitor.adapters.storage.alerts import read_cursor
from monitor.adapters.storage.cases import case_of
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.records import finding_of
from monitor.adapters.storage.schema import alerts, findings
from monitor.adapters.storage.schema_post import moves
from monitor.adapters.storage.statements import parts
from monitor.domain.ledgers import Entry, belongs
from monitor.domain.moves import Decide, Outcome
from monitor.domain.review import Ruling
from monitor.services.cases import Case, Moved
from monitor.services.ledgers import LedgerFilter, LedgerPage
from monitor.services.paging import packed_cursor
from monitor.services.ripples import TIME

_moved: Final = msgspec.msgpack.Decoder(Moved)
_opening: Final = (
    select(findings.c.body).where(findings.c.alert_id == bindparam("alert"))
    .order_by(findings.c.at, findings.c.id).limit(1))
_moves: Final = (
    select(moves.c.alert_id, moves.c.body).where(moves.c.alert_id.in_(bindparam("ids", expanding=True)))
    .order_by(moves.c.version))


class SqlLedgers:
    """Implements `Ledgers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, tenant: str, where: LedgerFilter, *, cursor: str | None, limit: int) -> LedgerPage:
        return await self._database.read(
            lambda connection: page(connection, tenant, where, cursor=cursor, limit=limit))


def page(connection: Connection, tenant: str, where: LedgerFilter, *, cursor: str | None, limit: int) -> LedgerPage:
    """Which lane an alert is of is known when it is unpacked, so a page may hold fewer than `limit`."""
    row = alerts.c
    query = select(alerts).where(row.tenant == tenant, row.outcome != "")
    if where.since is not None:
        query = query.where(row.at >= where.since)
    if where.until is not None:
        query = query.where(row.at < where.until)
    if where.units is not None:
        query = query.where(row.unit.in_(where.units))
    if cursor is not None:
        at, last = read_cursor(cursor)
        query = query.where(row.at >= at, or_(row.at > at, row.id > last))
    rows = connection.execute(query.order_by(row.at, row.id).limit(limit + 1)).mappings().all()
    cases = [case_of(found) for found in rows[:limit]]
    after = packed_cursor((cases[-1].alert.at, cases[-1].alert.id)) if len(rows) > limit else None
    return LedgerPage(_entries(connection, [case for case in cases if belongs(where.ledger, case.alert)]), after)


def _entries(connection: Connection, cases: Sequence[Case]) -> list[Entry]:
    unclear = _unclear(connection, [case.alert.id for case in cases])
    found = []
    for case in cases:
        body, alert, review = connection.scalar(_opening, {"alert": case.alert.id}), case.alert, case.review
        found.append(Entry(
            alert=alert, review=review, finding=finding_of(body) if body is not None else None,
            unclear=tuple(one for one in unclear.get(alert.id, ()) if one.by in review.barred),
            corrected=case.kept.corrected, kind=case.kept.kind, role=case.kept.role))
    return found


def _unclear(connection: Connection, ids: Sequence[str]) -> dict[str, list[Ruling]]:
    """Of each alert, who left it to a second person, and why; those that were undone, too."""
    found: dict[str, list[Ruling]] = {}
    for some in parts(list(ids)):
        for row in connection.execute(_moves, {"ids": some}):
            moved = _moved.decode(row.body)
            if moved.move.get("move") != "decide" or moved.by == TIME:  # the clock of deciding has the same name
                continue
            asked = msgspec.convert(moved.move, Decide)
            if asked.outcome is Outcome.UNCLEAR:
                found.setdefault(moved.alert, []).append(
                    Ruling(outcome=asked.outcome, reason=asked.reason, by=moved.by, at=moved.at, note=asked.note))
    return found
