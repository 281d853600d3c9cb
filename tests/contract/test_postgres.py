"""What is PostgreSQL's own: revisions, refusals, many processes that write, a server that goes away."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, func, insert, select, text

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.postgres import PostgresDatabase, migrate_to_head
from monitor.adapters.storage.schema import outbox
from monitor.adapters.storage.schema_nodes import metadata
from monitor.adapters.storage.store import SqlStore
from monitor.domain.errors import ConfigError, NewerFormat, StorageError
from monitor.services.records import AlertFilter, Commit
from tests.contract.test_store import finding
from tests.parts.postgres import Cluster, own_postgres

WRITTEN_FOR_SQLITE = (
    "tests/unit/test_post_flow.py", "tests/unit/test_storms.py", "tests/unit/test_rulework.py",
    "tests/unit/test_organising.py", "tests/unit/test_evening.py", "tests/unit/test_exporting.py",
    "tests/unit/test_nodes.py", "tests/unit/test_onlookers.py", "tests/unit/test_dryrun.py",
    "tests/unit/test_learning.py",
    "tests/functional/test_scenario.py",
)


async def test_the_revisions_make_the_tables_of_the_schema(postgres: Cluster) -> None:
    url = await postgres.empty()
    assert await migrate_to_head(url)
    assert not await migrate_to_head(url)
    database = await PostgresDatabase.opened(url)

    def differences(connection: Connection) -> list[object]:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await database.read(differences) == []

    def partial(connection: Connection) -> dict[str, bool]:
        rows = connection.execute(text(
            "SELECT c.relname, i.indpred IS NOT NULL FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"))
        return {name: found for name, found in rows}

    found = await database.read(partial)
    for table in metadata.sorted_tables:
        for index in table.indexes:
            wanted = index.dialect_options["postgresql"]["where"] is not None
            assert found[str(index.name)] == wanted, index.name
    await database.close()


async def test_two_that_migrate_at_once_take_turns(postgres: Cluster) -> None:
    url = await postgres.empty()
    assert sorted(await asyncio.gather(migrate_to_head(url), migrate_to_head(url))) == [False, True]


async def test_only_the_command_migrates(postgres: Cluster) -> None:
    url = await postgres.empty()
    with pytest.raises(ConfigError, match="has no tables"):
        await Database.open(url)
    await migrate_to_head(url, head="0014")
    with pytest.raises(ConfigError, match="revision 0014"):
        await Database.open(url)
    await migrate_to_head(url)
    database = await Database.open(url)
    await database.run(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    await database.close()
    with pytest.raises(NewerFormat):
        await Database.open(url)


async def test_what_is_not_ours_or_not_there_is_refused(postgres: Cluster, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        await Database.open(postgres.of("nothing_of_the_kind"))
    with pytest.raises(StorageError, match="does not answer"):
        await Database.open("postgresql://postgres@127.0.0.1:1/x")
    with pytest.raises(ConfigError, match="mysql"):
        await Database.open("mysql://somebody@127.0.0.1/x")
    bare = await PostgresDatabase.opened(await postgres.fresh())
    with pytest.raises(ConfigError, match="pg_dump"):
        await bare.backup(tmp_path / "copy")
    await bare.close()


async def test_secrets_are_in_no_message(postgres: Cluster) -> None:
    with pytest.raises(StorageError) as refused:
        await Database.open("postgresql://somebody:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(refused.value)


async def test_writers_of_many_processes_take_turns(postgres: Cluster) -> None:
    """Numbers that are made of what is stored come out whole, whoever makes them."""
    url = await postgres.fresh()
    nodes = [await PostgresDatabase.opened(url) for _ in range(3)]

    def next_number(connection: Connection) -> int:
        last = connection.scalar(select(func.max(outbox.c.seq))) or 0
        connection.execute(insert(outbox).values(tenant="t", seq=last + 1, what="opened", alert_id="a"))
        return int(last) + 1

    given = await asyncio.gather(*(nodes[i % 3].run(next_number, durable=i % 2 == 0) for i in range(120)))
    assert sorted(given) == list(range(1, 121))
    for node in nodes:
        await node.close()


async def test_a_transaction_that_raises_leaves_nothing(postgres: Cluster) -> None:
    database = await PostgresDatabase.opened(await postgres.fresh())

    def half(connection: Connection) -> None:
        connection.execute(insert(outbox).values(tenant="t", seq=1, what="opened", alert_id="a"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(half)
    assert await database.read(lambda connection: connection.scalar(select(func.count()).select_from(outbox))) == 0
    with pytest.raises(StorageError, match="may not be written"):
        await database.read(lambda connection: connection.execute(
            insert(outbox).values(tenant="t", seq=1, what="opened", alert_id="a")))
    await database.close()


async def test_a_server_that_was_killed_is_used_again_once_it_is_back() -> None:
    with own_postgres() as cluster:
        store = SqlStore(await Database.open(await cluster.fresh()))
        position = await store.claim(0)
        first = Commit(position=replace(position, seq=1), expected=0, findings=[finding("f1")])
        second = Commit(position=replace(position, seq=2), expected=1, findings=[finding("f2", room="room-2")])
        await store.apply([first])
        await store.save_rule_set("v", b"on disk")
        cluster.stop(now=True)
        with pytest.raises(StorageError):
            await store.apply([second])
        cluster.start()
        await store.apply([second])
        page = await store.alerts("local", AlertFilter(), cursor=None, limit=10)
        assert len(page.alerts) == 2
        await store.close()


def test_suites_that_were_written_for_sqlite_pass(postgres: Cluster) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.parts.on_postgres", "-m", "not soak", *WRITTEN_FOR_SQLITE],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]
