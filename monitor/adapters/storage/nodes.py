"""What several processes agree on, in the database; see `services.nodes`."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, delete, func, or_, select, update

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema_nodes import key_prints, serving, sockets, turns
from monitor.adapters.storage.statements import insert, insert_new
from monitor.services.nodes import Serving

_ROW: Final = 0


class SqlNodes:
    """Implements `services.nodes.Nodes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_turn(self, name: str, holder: str, now: int, until: int) -> bool:
        return await self._database.run(lambda connection: take_turn(connection, name, holder, now, until))

    async def leave_turn(self, name: str, holder: str) -> None:
        gone = delete(turns).where(turns.c.name == name, turns.c.holder == holder)
        await self._database.run(lambda connection: connection.execute(gone))

    async def serving(self) -> Serving | None:
        return await self._database.read(_serving)

    async def serve(self, version: str, *, unless_any: bool = False) -> Serving:
        return await self._database.run(lambda connection: serve(connection, version, unless_any), durable=True)

    async def told(self, number: int) -> None:
        done = update(serving).where(serving.c.told < number).values(told=number)
        await self._database.run(lambda connection: connection.execute(done))

    async def key_print(self, tenant: str, given: str) -> str:
        return await self._database.run(lambda connection: key_print(connection, tenant, given), durable=True)

    async def note_sockets(self, numbers: Mapping[tuple[str, str], int], now: int) -> None:
        await self._database.run(lambda connection: note_sockets(connection, numbers, now), durable=True)

    async def socket(self, tenant: str, session: str) -> int:
        row = select(sockets.c.seq).where(sockets.c.tenant == tenant, sockets.c.session == session)
        return await self._database.read(lambda connection: connection.scalar(row) or 0)

    async def forget_sockets(self, before: int) -> None:
        old = delete(sockets).where(sockets.c.at < before)
        await self._database.run(lambda connection: connection.execute(old))


def take_turn(connection: Connection, name: str, holder: str, now: int, until: int) -> bool:
    row = turns.c
    connection.execute(insert_new(connection, turns), {"name": name, "holder": holder, "until": until})
    return bool(connection.execute(
        update(turns).where(row.name == name, or_(row.holder == holder, row.until <= now))
        .values(holder=holder, until=until)).rowcount)


def _serving(connection: Connection) -> Serving | None:
    found = connection.execute(select(serving)).one_or_none()
    return None if found is None else Serving(found.number, found.version, found.told >= found.number)


def serve(connection: Connection, version: str, unless_any: bool) -> Serving:
    now = _serving(connection)
    if now is not None and (unless_any or now.version == version):
        return now
    if now is None:
        connection.execute(serving.insert(), {"id": _ROW, "number": 1, "version": version, "told": 0})
        return Serving(1, version, told=False)
    connection.execute(update(serving).values(number=now.number + 1, version=version))
    return Serving(now.number + 1, version, told=False)


def key_print(connection: Connection, tenant: str, given: str) -> str:
    connection.execute(insert_new(connection, key_prints), {"tenant": tenant, "print": given})
    return str(connection.scalar(select(key_prints.c.print).where(key_prints.c.tenant == tenant)))


def note_sockets(connection: Connection, numbers: Mapping[tuple[str, str], int], now: int) -> None:
    new = insert(connection, sockets)
    higher = func.greatest if connection.dialect.name == "postgresql" else func.max
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[sockets.c.tenant, sockets.c.session],
            set_={"seq": higher(sockets.c.seq, new.excluded.seq), "at": new.excluded.at}),
        [{"tenant": tenant, "session": session, "seq": seq, "at": now}
         for (tenant, session), seq in sorted(numbers.items())])
