"""Script checks: each version a row, its summary apart from its lines, so that lists unpack no lines."""

from typing import Annotated, Final

import msgspec
import zstandard
from msgspec import Meta
from sqlalchemy import Connection, or_, select

from monitor.adapters.storage import trail
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.records import FAST
from monitor.adapters.storage.schema_post import checks
from monitor.domain.audit import Deed
from monitor.services.checking import Check, CheckFilter, CheckPage, Details, Summary, numbered
from monitor.services.paging import packed_cursor, unpacked_cursor

VERSION_DIGITS: Final = 8
"""Of a row's id: the check's, a dot, and so many digits."""
_encoder: Final = msgspec.msgpack.Encoder()
_row: Final = msgspec.msgpack.Decoder(tuple[Summary, bytes])
_details: Final = msgspec.msgpack.Decoder(Details)
_cursors: Final = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)], str])


class SqlChecks:
    """Implements `Checks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, tenant: str, check: Check, deed: Deed) -> Check:
        return await self._database.run(lambda connection: keep(connection, tenant, check, deed), durable=True)

    async def one(self, tenant: str, name: str, version: int | None) -> Check | None:
        return await self._database.read(lambda connection: one(connection, tenant, name, version))

    async def page(self, tenant: str, where: CheckFilter, *, cursor: str | None, limit: int) -> CheckPage:
        return await self._database.read(
            lambda connection: page(connection, tenant, where, cursor=cursor, limit=limit))


def keep(connection: Connection, tenant: str, check: Check, deed: Deed) -> Check:
    before = one(connection, tenant, check.summary.id, None)
    kept = numbered(check, before.summary.version + 1 if before is not None else 1)
    packed = zstandard.ZstdCompressor(level=FAST).compress(_encoder.encode(kept.details))
    connection.execute(checks.insert(), {
        "tenant": tenant, "id": _key(kept.summary.id, kept.summary.version), "at": kept.summary.at,
        "body": _encoder.encode((kept.summary, packed))})
    trail.append(connection, [msgspec.structs.replace(deed, facts={**deed.facts, "version": kept.summary.version})])
    return kept


def one(connection: Connection, tenant: str, name: str, version: int | None) -> Check | None:
    row = checks.c
    query = select(row.body).where(row.tenant == tenant)
    if version is None:
        query = query.where(row.id >= f"{name}.", row.id < f"{name}/").order_by(row.id.desc()).limit(1)
    else:
        query = query.where(row.id == _key(name, version))
    body = connection.scalar(query)
    if body is None:
        return None
    summary, packed = _row.decode(body)
    return Check(summary, _details.decode(zstandard.ZstdDecompressor().decompress(packed)))


def page(connection: Connection, tenant: str, where: CheckFilter, *, cursor: str | None, limit: int) -> CheckPage:
    row = checks.c
    query = select(row.id, row.at, row.body).where(row.tenant == tenant)
    if where.id is not None:
        query = query.where(row.id >= f"{where.id}.", row.id < f"{where.id}/")
    if where.since is not None:
        query = query.where(row.at >= where.since)
    if where.until is not None:
        query = query.where(row.at < where.until)
    if cursor is not None:
        at, last = unpacked_cursor(cursor, _cursors)
        query = query.where(row.at <= at, or_(row.at < at, row.id < last))
    rows = connection.execute(query.order_by(row.at.desc(), row.id.desc()).limit(limit + 1)).all()
    shown = rows[:limit]
    after = packed_cursor((shown[-1].at, shown[-1].id)) if len(rows) > limit else None
    return CheckPage([_row.decode(found.body)[0] for found in shown], after)


def _key(name: str, version: int) -> str:
    """Versions of one check stand side by side, in their order."""
    return f"{name}.{version:0{VERSION_DIGITS}}"
