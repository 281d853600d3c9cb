"""Texts of rule files as people wrote them, which of them judge, and how their rules did."""

from typing import Final

import msgspec
from sqlalchemy import Connection, func, select

from monitor.adapters.storage import trail
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import alerts, shadow_hours
from monitor.adapters.storage.schema_post import releases, rule_edits
from monitor.adapters.storage.statements import how_many
from monitor.domain.audit import Deed
from monitor.domain.errors import Conflict
from monitor.domain.misses import is_manual
from monitor.domain.moves import Outcome
from monitor.services.ruleeditions import Edition, Released, RuleFigures, RuleRelease

_encoder: Final = msgspec.msgpack.Encoder()
_edition: Final = msgspec.msgpack.Decoder(Edition)
_release: Final = msgspec.msgpack.Decoder(RuleRelease)


class SqlRuleEdits:
    """Implements `RuleEdits`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def editions(self) -> list[Edition]:
        return await self._database.read(lambda connection: [_edition.decode(body) for body in connection.scalars(
            select(rule_edits.c.about).order_by(rule_edits.c.path, rule_edits.c.version))])

    async def releases(self) -> list[RuleRelease]:
        return await self._database.read(lambda connection: [_release.decode(body) for body in connection.scalars(
            select(releases.c.about).order_by(releases.c.id))])

    async def text(self, path: str, version: int) -> bytes | None:
        query = select(rule_edits.c.text).where(rule_edits.c.path == path, rule_edits.c.version == version)
        return await self._database.read(lambda connection: connection.scalar(query))

    async def add(self, edition: Edition, text: bytes, deed: Deed) -> None:
        await self._database.run(lambda connection: add(connection, edition, text, deed), durable=True)

    async def keep(self, release: RuleRelease, deed: Deed) -> RuleRelease:
        return await self._database.run(lambda connection: keep(connection, release, deed), durable=True)

    async def figures(self, tenant: str, since: int) -> dict[str, RuleFigures]:
        return await self._database.read(lambda connection: figures(connection, tenant, since))


def add(connection: Connection, edition: Edition, text: bytes, deed: Deed) -> None:
    latest = connection.scalar(select(func.max(rule_edits.c.version)).where(rule_edits.c.path == edition.path)) or 0
    if latest != edition.version - 1:
        raise Conflict(f"{edition.path} has version {latest} by now", hint="read it again, then take your change over")
    connection.execute(rule_edits.insert(), {
        "path": edition.path, "version": edition.version, "about": _encoder.encode(edition), "text": text})
    trail.append(connection, [deed])


def keep(connection: Connection, release: RuleRelease, deed: Deed) -> RuleRelease:
    """A new one, with id 0, is given the next number; else what became of it."""
    row = releases.c
    if not release.id:
        number = (connection.scalar(select(func.max(row.id))) or 0) + 1
        release = msgspec.structs.replace(release, id=number)
        connection.execute(releases.insert(), {"id": number, **_columns(release)})
    else:
        changed = connection.execute(releases.update().where(
            row.id == release.id, row.state == Released.WAITING).values(**_columns(release)))
        if not changed.rowcount:
            raise Conflict(f"release {release.id} waits no more", hint="read the file again")
    trail.append(connection, [deed])
    return release


def _columns(release: RuleRelease) -> dict[str, object]:
    return {"path": release.path, "version": release.version, "state": release.state.value, "due": release.due,
            "about": _encoder.encode(release)}


def figures(connection: Connection, tenant: str, since: int) -> dict[str, RuleFigures]:
    """By rule, of alerts and of what was found in the shadow at or after `since` (UTC ms)."""
    row = alerts.c
    query = select(
        row.rule, func.sum(row.recurrence), func.count(), how_many(row.outcome == Outcome.VIOLATION.value),
        how_many(row.outcome != ""),
    ).where(row.tenant == tenant, row.at >= since).group_by(row.rule)
    found = {rule: RuleFigures(hits=int(hits or 0), alerts=int(count), violations=int(bad or 0), decided=int(done or 0))
             for rule, hits, count, bad, done in connection.execute(query) if not is_manual(rule)}
    hour = shadow_hours.c
    tried = select(hour.rule, func.sum(hour.findings)).where(hour.tenant == tenant, hour.hour >= since)
    for rule, count in connection.execute(tried.group_by(hour.rule)):
        found[rule] = msgspec.structs.replace(found.get(rule, RuleFigures()), shadow=int(count))
    return found
