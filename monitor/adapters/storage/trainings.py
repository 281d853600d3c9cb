"""The latest training of each tenant."""

from typing import Final

import msgspec
from sqlalchemy import Connection, or_, select, update

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema_nodes import trainings
from monitor.adapters.storage.statements import insert
from monitor.services.learning import KeptTraining, Training

_encoder: Final = msgspec.msgpack.Encoder()
_training: Final = msgspec.msgpack.Decoder(Training)


class SqlTrainings:
    """Implements `KeptTrainings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, tenant: str) -> KeptTraining | None:
        return await self._database.read(lambda connection: latest(connection, tenant))

    async def begin(self, training: Training, *, silent: int) -> bool:
        return await self._database.run(lambda connection: begin(connection, training, silent), durable=True)

    async def change(self, training: Training, *, alive_at: int | None) -> None:
        row = trainings.c
        now = update(trainings).where(row.tenant == training.tenant, row.asked_at == training.asked_at).values(
            body=_encoder.encode(training), alive_at=alive_at)
        await self._database.run(lambda connection: connection.execute(now), durable=alive_at is None)


def latest(connection: Connection, tenant: str) -> KeptTraining | None:
    found = connection.execute(
        select(trainings.c.body, trainings.c.alive_at).where(trainings.c.tenant == tenant)).one_or_none()
    return None if found is None else KeptTraining(_training.decode(found.body), found.alive_at)


def begin(connection: Connection, training: Training, silent: int) -> bool:
    row = trainings.c
    new = insert(connection, trainings)
    return bool(connection.execute(
        new.on_conflict_do_update(
            index_elements=[row.tenant], where=or_(row.alive_at.is_(None), row.alive_at <= silent),
            set_={name: new.excluded[name] for name in ("asked_at", "body", "alive_at")}),
        {"tenant": training.tenant, "asked_at": training.asked_at, "body": _encoder.encode(training),
         "alive_at": training.asked_at}).rowcount)
