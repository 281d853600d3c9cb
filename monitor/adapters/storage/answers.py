"""Kept answers, by the key that a sender chose."""

from typing import Final

import zstandard
from sqlalchemy import Connection, delete, select, tuple_

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.records import FAST
from monitor.adapters.storage.schema_post import idempotency
from monitor.adapters.storage.statements import insert
from monitor.services.answers import Answered, Key

_row: Final = idempotency.c


class SqlAnswers:
    """Implements `Answers`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def answer(self, key: Key, *, since: int) -> Answered | None:
        return await self._database.read(lambda connection: find(connection, key, since))

    async def keep_answer(self, key: Key, answered: Answered) -> None:
        await self._database.run(lambda connection: keep(connection, key, answered), durable=True)

    async def expire(self, *, before: int, limit: int) -> int:
        return await self._database.run(lambda connection: expire(connection, before, limit))


def find(connection: Connection, key: Key, since: int) -> Answered | None:
    row = connection.execute(
        select(_row.request, _row.status, _row.body, _row.at)
        .where(_row.tenant == key.tenant, _row.actor == key.actor, _row.key == key.key, _row.at >= since)).first()
    if row is None:
        return None
    return Answered(row.request, row.status, zstandard.ZstdDecompressor().decompress(row.body), row.at)


def keep(connection: Connection, key: Key, answered: Answered) -> None:
    statement = insert(connection, idempotency)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_row.tenant, _row.actor, _row.key],
            set_={name: statement.excluded[name] for name in ("request", "status", "body", "at")}),
        {"tenant": key.tenant, "actor": key.actor, "key": key.key, "request": answered.request,
         "status": answered.status, "body": zstandard.ZstdCompressor(level=FAST).compress(answered.body),
         "at": answered.at})


def expire(connection: Connection, before: int, limit: int) -> int:
    names = (_row.tenant, _row.actor, _row.key)
    old = connection.execute(select(*names).where(_row.at < before).order_by(_row.at).limit(limit)).all()
    if old:
        connection.execute(delete(idempotency).where(tuple_(*names).in_([tuple(name) for name in old])))
    return len(old)
