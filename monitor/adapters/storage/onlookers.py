"""What each process tells of the pages that are open at it."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, select

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.records import alert_of
from monitor.adapters.storage.schema import alerts
from monitor.adapters.storage.schema_nodes import gatherings
from monitor.adapters.storage.statements import insert, parts
from monitor.domain.alerts import Alert
from monitor.services.onlookers import Gathering

_encoder: Final = msgspec.msgpack.Encoder()
_gathering: Final = msgspec.msgpack.Decoder(Gathering)


class SqlGatherings:
    """Implements `services.onlookers.Gatherings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, process: str, gathering: Gathering, *, now: int, until: int) -> None:
        await self._database.run(lambda connection: keep(connection, process, gathering, now, until))

    async def leave(self, process: str) -> None:
        gone = delete(gatherings).where(gatherings.c.process == process)
        await self._database.run(lambda connection: connection.execute(gone))

    async def others(self, process: str, now: int) -> dict[str, tuple[Gathering, int]]:
        rows = select(gatherings).where(gatherings.c.process != process, gatherings.c.until > now)
        return await self._database.read(lambda connection: {
            row.process: (_gathering.decode(row.body), row.until) for row in connection.execute(rows)})

    async def alerts(self, tenant: str, names: Sequence[str]) -> list[Alert]:
        return await self._database.read(lambda connection: [
            alert_of(row) for some in parts(names) for row in connection.execute(
                select(alerts).where(alerts.c.tenant == tenant, alerts.c.id.in_(some))).mappings()])


def keep(connection: Connection, process: str, gathering: Gathering, now: int, until: int) -> None:
    new = insert(connection, gatherings)
    connection.execute(delete(gatherings).where(gatherings.c.until <= now))
    connection.execute(
        new.on_conflict_do_update(index_elements=[gatherings.c.process],
                                  set_={"until": new.excluded.until, "body": new.excluded.body}),
        {"process": process, "until": until, "body": _encoder.encode(gathering)})
