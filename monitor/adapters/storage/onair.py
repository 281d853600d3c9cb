"""What the wall of rooms and a broadcast's timeline are made of."""

from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, RowMapping, func, select

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.records import finding_of
from monitor.adapters.storage.schema import alerts, broadcasts, findings
from monitor.adapters.storage.schema_post import cues
from monitor.domain.alerts import AlertState
from monitor.domain.broadcasts import Broadcast
from monitor.domain.cues import Corrected, Cue
from monitor.domain.findings import Severity
from monitor.services.onair import Point
from monitor.services.wall import MINUTE_MS, Pulse

LONGEST_MS: Final = 660_000
"""How long after an alert was opened a finding may still join it: its longest time and the lateness allowed."""


class _Kept(Struct):
    """Of what is packed beside an alert."""

    corrected: Corrected | None = None


_kept: Final = msgspec.msgpack.Decoder(_Kept)
_cue: Final = msgspec.msgpack.Decoder(Cue)


def aired(connection: Connection, tenant: str, room: str, broadcast: str | None, limit: int) -> list[Broadcast]:
    row = broadcasts.c
    query = select(broadcasts).where(row.tenant == tenant, row.room == room)
    if broadcast is not None:
        query = query.where(row.id == broadcast)
    rows = connection.execute(query.order_by(row.started_at.desc(), row.id.desc()).limit(limit))
    return [Broadcast(**found._mapping) for found in rows]


def points(connection: Connection, broadcast: Broadcast, since: int, limit: int) -> list[Point]:
    alert, finding = alerts.c, findings.c
    rows = connection.execute(
        select(finding.body, alert.id, alert.state, alert.outcome, alert.review)
        .join(findings, finding.alert_id == alert.id)
        .where(alert.tenant == broadcast.tenant, alert.broadcast == broadcast.id, alert.room == broadcast.room,
               finding.withdrawn.is_(None), finding.at >= since)
        .order_by(finding.at.desc(), finding.id.desc()).limit(limit))
    return [_point(row) for row in rows.mappings()]


def _point(row: RowMapping) -> Point:
    found = finding_of(row["body"])
    corrected = None if row["review"] is None else _kept.decode(row["review"]).corrected
    return Point(
        finding=found.id, alert=row["id"], source=found.source, event=found.event_id, at=found.at, lane=found.lane,
        severity=found.severity, tier=found.tier, category=found.category, rule=found.rule, title=found.title,
        text=found.text, spans=found.spans, state=AlertState(row["state"]), outcome=row["outcome"],
        corrected_at=None if corrected is None else corrected.at)


def cues_of(connection: Connection, broadcast: Broadcast, since: int, limit: int) -> list[Cue]:
    row = cues.c
    rows = connection.scalars(
        select(row.body).where(row.tenant == broadcast.tenant, row.room == broadcast.room, row.at >= since)
        .order_by(row.at, row.id).limit(limit))
    return [cue for cue in map(_cue.decode, rows) if cue.broadcast == broadcast.id]


def pulses(connection: Connection, tenant: str, since: int) -> list[Pulse]:
    """Counted from the alerts that were opened late enough to have a finding since."""
    alert, finding = alerts.c, findings.c
    minute = (finding.at - since) // MINUTE_MS
    key = alert.room, alert.broadcast, minute.label("minute"), alert.severity
    rows = connection.execute(
        select(*key, func.count())
        .join(findings, finding.alert_id == alert.id)
        .where(alert.tenant == tenant, alert.at >= since - LONGEST_MS, finding.withdrawn.is_(None),
               finding.at >= since)
        .group_by(*key))
    return [Pulse(room=room, broadcast=broadcast, minute=at, severity=Severity(severity), count=count)
            for room, broadcast, at, severity, count in rows]


class SqlAir:
    """Implements `AirStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def aired(self, tenant: str, room: str, *, broadcast: str | None, limit: int) -> list[Broadcast]:
        return await self._database.read(lambda connection: aired(connection, tenant, room, broadcast, limit))

    async def points(self, broadcast: Broadcast, *, since: int, limit: int) -> list[Point]:
        return await self._database.read(lambda connection: points(connection, broadcast, since, limit))

    async def cues(self, broadcast: Broadcast, *, since: int, limit: int) -> list[Cue]:
        return await self._database.read(lambda connection: cues_of(connection, broadcast, since, limit))

    async def pulses(self, tenant: str, *, since: int) -> list[Pulse]:
        return await self._database.read(lambda connection: pulses(connection, tenant, since))
