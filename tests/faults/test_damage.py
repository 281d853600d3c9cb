"""Data that are damaged, foreign, newer or somebody else's: the service says so and does not start."""

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import zstandard

from monitor.adapters.sqlite import sqlite3
from monitor.services.lane import LaneState
from monitor.services.recovery import Saved
from tests.faults.harness import Client, Server, positions, query, serving
from tests.faults.outcome import check, outcome_of
from tests.faults.streams import cut, stream

BATCHES = cut(stream(5, 900), 60)


async def _filled(data: Path) -> None:
    async with serving(data) as server, Client(server) as client:
        await client.deliver(BATCHES)
        await client.settle()
        assert await server.stop() == 0


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("filled") / "data"
    asyncio.run(_filled(data))
    return data


@pytest.fixture
def data(tmp_path: Path, filled: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "data"))


def garble(path: Path, start: int, end: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\x5a" * (end - start))


def halve(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)


def age_snapshot(data: Path) -> None:
    state = msgspec.msgpack.encode(Saved(LaneState(format=99)))
    with closing(sqlite3.connect(data / "store.db")) as db, db:
        db.execute("UPDATE snapshots SET state = ?", (zstandard.ZstdCompressor().compress(state),))


Damage = Callable[[Path], object]
CASES: dict[str, tuple[Damage, str]] = {
    "store, first page": (lambda d: garble(d / "store.db", 0, 4_096), "store.db"),
    "store, header": (lambda d: garble(d / "store.db", 0, 100), "store.db"),
    "store, later pages": (lambda d: garble(d / "store.db", 4_096, 40 * 4_096), "store.db"),
    "store, half": (lambda d: halve(d / "store.db"), "store.db"),
    "store, a few bytes": (lambda d: os.truncate(d / "store.db", 100), "store.db"),
    "store, another file": (lambda d: shutil.copy(d / "log.db", d / "store.db"), "not a redpost store"),
    "store, newer": (lambda d: execute(d / "store.db", "UPDATE alembic_version SET version_num = '9999'"), "9999"),
    "snapshot, newer": (age_snapshot, "newer version"),
    "log, first page": (lambda d: garble(d / "log.db", 0, 4_096), "log.db"),
    "log, header": (lambda d: garble(d / "log.db", 0, 100), "log.db"),
    "log, later pages": (lambda d: garble(d / "log.db", 4_096, 40 * 4_096), "log.db"),
    "log, half": (lambda d: halve(d / "log.db"), "log.db"),
    "log, a few bytes": (lambda d: os.truncate(d / "log.db", 100), "log.db"),
    "log, empty": (lambda d: os.truncate(d / "log.db", 0), "log"),
    "log, gone": (lambda d: (d / "log.db").unlink(), "log"),
    "log, another file": (lambda d: shutil.copy(d / "store.db", d / "log.db"), "no log of redpost"),
    "log, newer": (lambda d: execute(d / "log.db", "PRAGMA user_version = 99"), "newer version"),
}


@pytest.mark.parametrize("case", CASES)
async def test_damaged(data: Path, case: str) -> None:
    damage, words = CASES[case]
    damage(data)
    server = Server(data)
    server.spawn()
    assert not await server.ready()
    assert await server.ended() == 2, server.output()
    told = server.output()
    assert words in told and "hint: " in told
    assert "Traceback" not in told and "Error(" not in told


async def test_a_lost_store_is_made_again_from_the_log(data: Path) -> None:
    for path in data.glob("store.db*"):
        path.unlink()
    async with serving(data) as server, Client(server) as client:
        await client.settle()
        check(await outcome_of(client), BATCHES)
        assert await server.stop() == 0, server.output()


async def test_a_damaged_segment_is_made_again_from_the_log(data: Path) -> None:
    for path in (data / "archive").rglob("0-*.parquet"):
        garble(path, 0, path.stat().st_size)
    async with serving(data) as server, Client(server) as client:
        assert "archive_segment_unreadable" in server.output()
        check(await outcome_of(client), BATCHES)
        assert await server.stop() == 0, server.output()


async def test_a_lost_pseudonym_key_is_told(data: Path) -> None:
    for folder in (data.with_name("first"), data):
        async with serving(folder) as server:
            assert "pseudonym_key_made" not in server.output()
    shutil.rmtree(data / "keys")
    async with serving(data) as server:
        assert "pseudonym_key_made" in server.output()


async def test_two_processes_never_share_a_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with serving(data) as server, Client(server) as client:
        await client.deliver(BATCHES[:5])
        await client.settle()
        epochs = query(data / "store.db", "SELECT lane, epoch FROM positions")
        second = Server(data)
        second.starts = 10
        second.spawn()
        assert not await second.ready()
        assert await second.ended() == 2
        assert f"in use by process {server.pid}" in second.output() and "hint: " in second.output()
        assert "Traceback" not in second.output()
        await client.deliver(BATCHES[5:])
        await client.settle()
        assert query(data / "store.db", "SELECT lane, epoch FROM positions") == epochs
        check(await outcome_of(client), BATCHES)
        await server.kill()
        await second.start()  # what a dead process held is free
        client.server = second
        assert positions(data)[0].seq >= positions(data)[0].last
        check(await outcome_of(client), BATCHES)
        assert await second.stop() == 0
