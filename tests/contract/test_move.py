"""From SQLite to PostgreSQL: every row of every table, or none."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.postgres import PostgresDatabase
from monitor.adapters.storage.schema_nodes import metadata
from monitor.adapters.storage.transfer import OF_THE_LOG, transfer
from monitor.domain.errors import Conflict
from tests.functional.clikit import redpost
from tests.parts.postgres import Cluster

MANY = 2_345


def value_of(column: Any, i: int) -> Any:
    kind = column.type.python_type
    if kind is bool:
        return i % 2 == 0
    if kind is int:
        return i
    if kind is bytes:
        return b"\x00\xff%d" % i
    if kind in (dict, list):
        return ["read", f"中{i}"]
    return f"名😀{i:05d}"


async def filled(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """A store with rows in every table: many in one that is paged through."""
    database = await Database.open(path)

    def fill(connection: Connection) -> None:
        for table in metadata.sorted_tables:
            rows = MANY if table.name == "outbox" else 3
            connection.execute(insert(table), [
                {column.name: value_of(column, i) for column in table.columns} for i in range(1, rows + 1)])

    await database.run(fill)
    found = await everything(database)
    await database.close()
    return found


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    def rows(table: Table) -> Any:
        return lambda connection: [tuple(row) for row in connection.execute(
            select(table).order_by(*table.primary_key))]

    return {table.name: await database.read(rows(table)) for table in metadata.sorted_tables}


async def test_every_row_of_every_table_arrives(postgres: Cluster, tmp_path: Path) -> None:
    before = await filled(tmp_path / "store.db")
    assert all(before.values()), "no table is empty"
    url = await postgres.fresh()
    source, target = await Database.open(tmp_path / "store.db"), await PostgresDatabase.opened(url)
    told: list[tuple[str, int]] = []
    counts = await transfer(source, target, with_log=True, tell=lambda name, rows: told.append((name, rows)))
    assert await everything(target) == before
    assert dict(told) == counts and counts["outbox"] == MANY
    with pytest.raises(Conflict, match="holds rows"):
        await transfer(source, target, with_log=True)
    for database in (source, target):
        await database.close()


async def test_a_transfer_that_breaks_off_leaves_nothing(postgres: Cluster, tmp_path: Path) -> None:
    before = await filled(tmp_path / "store.db")
    source, target = await Database.open(tmp_path / "store.db"), await PostgresDatabase.opened(await postgres.fresh())

    def stop(name: str, rows: int) -> None:
        if name == "outbox":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await transfer(source, target, with_log=True, tell=stop)
    assert not any((await everything(target)).values())
    counts = await transfer(source, target, with_log=False)
    found = await everything(target)
    assert found == {name: [] if name in OF_THE_LOG else rows for name, rows in before.items()}
    assert not counts.keys() & set(OF_THE_LOG)
    for database in (source, target):
        await database.close()


def test_the_command(postgres: Cluster, tmp_path: Path) -> None:
    import asyncio

    before = asyncio.run(filled(tmp_path / "store.db"))
    url = asyncio.run(postgres.empty())
    refused = redpost("move", "--data", tmp_path, "--to", url)
    assert refused.code == 2 and "redpost migrate" in refused.err
    assert redpost("migrate", "--url", url).code == 0
    done = redpost("move", "--data", tmp_path, "--to", url)
    assert done.code == 0, done.err
    assert f"{sum(map(len, before.values())):,} rows" in done.out
    again = redpost("move", "--data", tmp_path, "--to", url)
    assert again.code == 2 and "holds rows" in again.err
    nowhere = redpost("move", "--data", tmp_path / "nowhere", "--to", url)
    assert nowhere.code == 2 and "there is no store" in nowhere.err


