"""The latest dry run of each rule file."""

from typing import Final

import msgspec
from sqlalchemy import Connection, delete, select, update

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema_post import dry_runs
from monitor.adapters.storage.statements import insert
from monitor.services.dryrecords import DryRun, KeptRun

_encoder: Final = msgspec.msgpack.Encoder()
_run: Final = msgspec.msgpack.Decoder(DryRun)


class SqlDryRuns:
    """Implements `KeptRuns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, tenant: str, path: str) -> KeptRun | None:
        return await self._database.read(lambda connection: run(connection, tenant, path))

    async def begin(self, tenant: str, run: DryRun, *, since: int, most: int) -> None:
        await self._database.run(lambda connection: begin(connection, tenant, run, since, most), durable=True)

    async def change(self, tenant: str, run: DryRun, *, alive_at: int | None) -> bool:
        return await self._database.run(lambda connection: change(connection, tenant, run, alive_at),
                                        durable=alive_at is None)

    async def abandon(self) -> None:
        nobody = update(dry_runs).where(dry_runs.c.alive_at.is_not(None)).values(alive_at=None)
        await self._database.run(lambda connection: connection.execute(nobody))


def run(connection: Connection, tenant: str, path: str) -> KeptRun | None:
    found = connection.execute(select(dry_runs.c.body, dry_runs.c.alive_at).where(
        dry_runs.c.tenant == tenant, dry_runs.c.path == path)).one_or_none()
    return None if found is None else KeptRun(_run.decode(found.body), found.alive_at)


def begin(connection: Connection, tenant: str, run: DryRun, since: int, most: int) -> None:
    row = dry_runs.c
    new = insert(connection, dry_runs)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[row.tenant, row.path],
            set_={name: new.excluded[name] for name in ("asked_at", "body", "alive_at")}),
        {"tenant": tenant, "path": run.path, "asked_at": run.asked_at, "body": _encoder.encode(run),
         "alive_at": run.asked_at})
    connection.execute(delete(dry_runs).where(row.asked_at < since))
    latest = select(row.path).where(row.tenant == tenant).order_by(row.asked_at.desc(), row.path).limit(most)
    connection.execute(delete(dry_runs).where(row.tenant == tenant, row.path.not_in(latest)))


def change(connection: Connection, tenant: str, run: DryRun, alive_at: int | None) -> bool:
    row = dry_runs.c
    return bool(connection.execute(
        update(dry_runs).where(row.tenant == tenant, row.path == run.path, row.asked_at == run.asked_at,
                               row.alive_at.is_not(None))
        .values(body=_encoder.encode(run), alive_at=alive_at)).rowcount)
