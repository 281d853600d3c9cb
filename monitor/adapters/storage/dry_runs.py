"""The latest dry run of each rule file."""

from typing import Final

import msgspec
from sqlalchemy import Connection, delete, select

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema_post import dry_runs
from monitor.adapters.storage.statements import insert
from monitor.services.dryrecords import DryRun

_encoder: Final = msgspec.msgpack.Encoder()
_run: Final = msgspec.msgpack.Decoder(DryRun)


class SqlDryRuns:
    """Implements `KeptRuns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(self) -> list[tuple[str, DryRun]]:
        rows = select(dry_runs.c.tenant, dry_runs.c.body)
        return await self._database.read(
            lambda connection: [(tenant, _run.decode(body)) for tenant, body in connection.execute(rows)])

    async def keep(self, tenant: str, run: DryRun, *, since: int, most: int) -> None:
        await self._database.run(lambda connection: keep(connection, tenant, run, since, most), durable=True)


def keep(connection: Connection, tenant: str, run: DryRun, since: int, most: int) -> None:
    row = dry_runs.c
    new = insert(connection, dry_runs)
    connection.execute(
        new.on_conflict_do_update(index_elements=[row.tenant, row.path],
                                  set_={"asked_at": new.excluded.asked_at, "body": new.excluded.body}),
        {"tenant": tenant, "path": run.path, "asked_at": run.asked_at, "body": _encoder.encode(run)})
    connection.execute(delete(dry_runs).where(row.asked_at < since))
    latest = select(row.path).where(row.tenant == tenant).order_by(row.asked_at.desc(), row.path).limit(most)
    connection.execute(delete(dry_runs).where(row.tenant == tenant, row.path.not_in(latest)))
