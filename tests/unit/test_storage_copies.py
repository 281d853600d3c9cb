"""Backups beside running writes, and what is wrong with them."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from monitor.adapters.sqlite import sqlite3
from monitor.adapters.storage.copies import check
from monitor.adapters.storage.store import SqlStore
from monitor.domain.errors import ConfigError, NewerFormat, RedpostError, StorageError
from monitor.services.records import AlertFilter
from tests.contract.test_store import Writer, finding


def rows(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT id FROM findings").fetchall()


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = await SqlStore.open(tmp_path / "store.db")
    yield store
    await store.close()


@pytest.fixture
async def backup(store: SqlStore, tmp_path: Path) -> Path:
    await (await Writer.of(store))(*(finding(f"f{n}") for n in range(50)))
    await store.backup(tmp_path / "backup.db")
    return tmp_path / "backup.db"


async def test_a_backup_beside_running_writes_is_one_moment(store: SqlStore, tmp_path: Path) -> None:
    write = await Writer.of(store)
    for n in range(20):
        await write(finding(f"f{n}"))

    async def go_on() -> None:
        for n in range(20, 80):
            await write(finding(f"f{n}"))

    await asyncio.gather(go_on(), *(store.backup(tmp_path / f"{n}.db") for n in range(3)))
    for n in range(3):
        copy = tmp_path / f"{n}.db"
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        check(copy)
        again = await SqlStore.open(copy)
        (position,) = await again.positions()
        found = await again.alerts("local", AlertFilter(), cursor=None, limit=1_000)
        assert 20 <= position.seq == len(found.alerts) == (await again.outbox_bounds("local"))[1]
        (update,) = await (await Writer.of(again))(finding("after"))
        assert update.seq == position.seq + 1
        await again.close()
    assert [name for name in names(tmp_path) if "partial" in name] == []
    await store.close()  # as the fixture does once more: closing what is closed is no error


async def test_a_backup_never_overwrites(store: SqlStore, backup: Path, tmp_path: Path) -> None:
    before = rows(backup)
    with pytest.raises(ConfigError):
        await store.backup(backup)
    with pytest.raises(ConfigError):
        await store.backup(tmp_path / "store.db")
    with pytest.raises(StorageError):
        await store.backup(tmp_path / "no folder" / "backup.db")
    assert rows(backup) == before


def damage(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 3))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def scribble(path: Path) -> None:
    path.write_bytes(b"no database" * 500)


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


def make_another(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE shop (id INTEGER)")


def orphan(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM alerts")


@pytest.mark.parametrize(
    "harm, error",
    [
        (damage, StorageError),
        (cut, StorageError),
        (scribble, StorageError),
        (orphan, StorageError),
        (empty, ConfigError),
        (make_another, ConfigError),
        (Path.unlink, ConfigError),
        (make_newer, NewerFormat),
    ],
)
async def test_a_bad_backup_is_refused(
    backup: Path, tmp_path: Path, harm: "type[object]", error: type[RedpostError]
) -> None:
    harm(backup)
    before = names(tmp_path)
    with pytest.raises(error) as refused:
        check(backup)
    assert refused.value.hint
    assert names(tmp_path) == before
