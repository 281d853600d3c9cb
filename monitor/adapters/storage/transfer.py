"""All that a store on SQLite holds, into an empty database of PostgreSQL: at once, or not at all."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select, tuple_

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.postgres import PostgresDatabase
from monitor.adapters.storage.schema_nodes import metadata
from monitor.domain.errors import Conflict, StorageError

_ROWS: Final = 1_000
OF_THE_LOG: Final = ("positions", "snapshots")
"""How far a log was read, and what was remembered there: of no use to another log."""
Rows = Sequence[Mapping[str, Any]]


async def transfer(
    source: Database, target: PostgresDatabase, *, with_log: bool,
    tell: Callable[[str, int], None] = lambda table, rows: None,
) -> dict[str, int]:
    """Rows by table. `with_log`: the service goes on with the same log. `tell` hears of each table that is through.

    Raises Conflict where the target holds rows already, StorageError where what arrived is not what was sent.
    """
    tables = [table for table in metadata.sorted_tables if with_log or table.name not in OF_THE_LOG]

    async def pages() -> AsyncIterator[tuple[Table, Rows]]:
        for table in tables:
            rows = 0
            async for page in _pages(source, table):
                rows += len(page)
                yield table, page
            tell(table.name, rows)

    await target.filled(pages(), refuse=_refuse_full)
    counts = {table.name: await source.read(_counted(table)) for table in tables}
    arrived = {table.name: await target.read(_counted(table)) for table in tables}
    if counts != arrived:
        raise StorageError(f"{sum(counts.values())} rows were sent and {sum(arrived.values())} arrived",
                           hint="somebody wrote meanwhile: stop the service, empty the database and do it again")
    return counts


async def _pages(source: Database, table: Table) -> AsyncIterator[Rows]:
    """By the primary key, from behind the last one."""
    key = list(table.primary_key)
    last: tuple[Any, ...] | None = None
    while True:
        query = select(table).order_by(*key).limit(_ROWS)
        if last is not None:
            query = query.where(tuple_(*key) > tuple_(*last))

        def page(connection: Connection, query: Any = query) -> list[dict[str, Any]]:
            return [dict(row) for row in connection.execute(query).mappings()]

        rows = await source.read(page)
        if not rows:
            return
        yield rows
        last = tuple(rows[-1][column.name] for column in key)


def _counted(table: Table) -> Callable[[Connection], int]:
    return lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0


def _refuse_full(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        if connection.scalar(select(func.count()).select_from(table)):
            raise Conflict(f"the database holds rows in {table.name} already",
                           hint="make an empty one, and `redpost migrate` it")
