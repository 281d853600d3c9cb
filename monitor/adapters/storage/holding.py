"""What is held back, on a database."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, func, or_, select

from monitor.adapters.storage import storms
from monitor.adapters.storage.cases import case_of, standing
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.records import alert_of
from monitor.adapters.storage.schema import HELD, LIVE, alerts
from monitor.adapters.storage.statements import parts
from monitor.domain.alerts import Alert
from monitor.domain.storms import Breaker
from monitor.domain.suppression import Hold, Standing
from monitor.services.cases import Case, Storm
from monitor.services.holding import HoldCount, Units
from monitor.services.paging import packed_cursor, unpacked_cursor
from monitor.services.records import AlertPage

_MOST: Final = 200
"""Holders that are listed."""
_keys: Final = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)], str])


class SqlHolds:
    """Implements `Holds`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing_storms(self) -> list[tuple[str, str, str]]:
        return await self._database.read(storms.standing)

    async def calm(self, breaker: Breaker, now: int) -> int:
        return await self._database.run(lambda connection: storms.calm(connection, breaker, now))

    async def storms(self, tenant: str, names: Sequence[str]) -> dict[str, Storm]:
        return await self._database.read(lambda connection: storms.several(connection, tenant, names))

    async def holders(self, tenant: str, units: Units) -> tuple[dict[str, int], list[HoldCount]]:
        return await self._database.read(lambda connection: holders(connection, tenant, units))

    async def held(
        self, tenant: str, why: Hold, by: str, units: Units, *, cursor: str | None, limit: int
    ) -> AlertPage:
        return await self._database.read(
            lambda connection: held(connection, tenant, why, by, units, cursor=cursor, limit=limit))

    async def left(self, tenant: str, why: Hold, by: str, units: Units) -> int:
        query = select(func.count()).where(*_of(tenant, why, by), *_in(units))
        return await self._database.read(lambda connection: connection.scalar(query) or 0)

    async def standing(self, tenant: str, room: str) -> list[Standing]:
        return await self._database.read(lambda connection: standing(connection, {tenant: {room}}).get(
            (tenant, room), []))

    async def since(self, tenant: str, at: int, units: Units, *, limit: int) -> list[Case]:
        return await self._database.read(lambda connection: since(connection, tenant, at, units, limit))

    async def alike(self, tenant: str, case: Case, units: Units, *, limit: int) -> list[Alert]:
        query = select(alerts).where(
            alerts.c.tenant == tenant, alerts.c.alike == case.kept.alike, LIVE, alerts.c.room != case.alert.room,
            *_in(units)).order_by(alerts.c.priority.desc(), alerts.c.id).limit(limit)
        return await self._database.read(
            lambda connection: [alert_of(row) for row in connection.execute(query).mappings()])


def _in(units: Units) -> list[ColumnElement[bool]]:
    return [] if units is None else [alerts.c.unit.in_(units)]


def _of(tenant: str, why: Hold, by: str) -> list[ColumnElement[bool]]:
    return [alerts.c.tenant == tenant, alerts.c.held_by == by, HELD, alerts.c.reason == why.value]


def holders(connection: Connection, tenant: str, units: Units) -> tuple[dict[str, int], list[HoldCount]]:
    """As the port says; answered from the index of what is held."""
    many = func.count().label("many")
    held = [alerts.c.tenant == tenant, HELD, *_in(units)]
    totals = {row.reason: row.many for row in connection.execute(
        select(alerts.c.reason, many).where(*held).group_by(alerts.c.reason).order_by(alerts.c.reason))}
    rows = connection.execute(
        select(alerts.c.reason, alerts.c.held_by, many, func.min(alerts.c.id).label("sample")).where(*held)
        .group_by(alerts.c.held_by, alerts.c.reason).order_by(many.desc(), alerts.c.held_by).limit(_MOST)).all()
    shown = {row["id"]: alert_of(row) for some in parts([row.sample for row in rows])
             for row in connection.execute(select(alerts).where(alerts.c.id.in_(some))).mappings()}
    return totals, [HoldCount(why=Hold(row.reason), by=row.held_by, held=row.many, sample=shown[row.sample])
                    for row in rows]


def held(
    connection: Connection, tenant: str, why: Hold, by: str, units: Units, *, cursor: str | None, limit: int
) -> AlertPage:
    """As the port says."""
    query = select(alerts).where(*_of(tenant, why, by), *_in(units))
    if cursor is not None:
        priority, name = unpacked_cursor(cursor, _keys)
        query = query.where(alerts.c.priority <= priority, or_(alerts.c.priority < priority, alerts.c.id < name))
    rows = connection.execute(
        query.order_by(alerts.c.priority.desc(), alerts.c.id.desc()).limit(limit + 1)).mappings().all()
    found = [alert_of(row) for row in rows[:limit]]
    last = found[-1] if len(rows) > limit else None
    return AlertPage(found, None if last is None else packed_cursor((last.priority, last.id)))


def since(connection: Connection, tenant: str, at: int, units: Units, limit: int) -> list[Case]:
    """As the port says."""
    live = connection.execute(select(alerts).where(alerts.c.tenant == tenant, LIVE, *_in(units)).limit(limit))
    recent = connection.execute(
        select(alerts).where(alerts.c.tenant == tenant, alerts.c.at >= at, ~LIVE, *_in(units))
        .order_by(alerts.c.at.desc()).limit(limit))
    return [case_of(row) for rows in (live, recent) for row in rows.mappings()]
