"""redpost backup · restore: copies of a service at work, made whole again; and everything that is refused."""

import asyncio
import json
import re
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from monitor.adapters.keys import KeyFiles
from monitor.adapters.sqlite import sqlite3
from monitor.adapters.storage.backup import noted
from monitor.bootstrap import Service
from monitor.services.records import AlertFilter, ArchiveQuery
from monitor.settings import load
from tests.faults.harness import until
from tests.functional.clikit import RULES, Done, redpost


class Quiet:
    """A log that keeps errors only."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def info(self, event: str, **facts: object) -> None: ...

    def warning(self, event: str, **facts: object) -> None: ...

    def error(self, event: str, **facts: object) -> None:
        self.errors.append(f"{event} {facts}")


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[Service]:
    """The service on `data`, without HTTP; it archives, merges, commits and saves often."""
    settings = load(environ={}, overrides={"data.dir": data, "rules.dir": RULES, "rules.watch": False}).settings
    log = Quiet()
    service = Service(settings, demo=False, logger=log)
    await service.open()
    service.detect.settings = msgspec.structs.replace(
        service.detect.settings, archive_ms=50, commit_ms=20, snapshot_ms=100, tick_ms=50)
    service.housekeeping.settings = msgspec.structs.replace(
        service.housekeeping.settings, gauges_s=0.1, trim_s=0, tidy_after_ms=0, tidy_pause_s=0.005)
    task = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        service.stopping.set()
        await task
        await service.close()
    assert log.errors == []


class Sender:
    """Sends events that are all findings, each of a room of its own. `acknowledged`: their ids so far."""

    def __init__(self, service: Service, prefix: str) -> None:
        self.acknowledged: list[str] = []
        self._service = service
        self._prefix = prefix

    async def send(self, count: int) -> None:
        first = len(self.acknowledged)
        ids = [f"{self._prefix}{n}" for n in range(first, first + count)]
        lines = [{"id": each, "room": each, "kind": "transcript" if n % 2 else "comment",
                  "text": f"全网最好 想要的加微信 {each}"} for n, each in enumerate(ids)]
        receipt = await self._service.ingest.accept("local", "\n".join(map(json.dumps, lines)).encode())
        assert receipt.accepted == count
        self.acknowledged += ids

    async def go_on(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.send(10)
            await asyncio.sleep(0.002)


async def settled(service: Service) -> None:
    """Everything in the log is judged."""
    detect = service.detect
    async with asyncio.timeout(30):
        while detect.backlog(0) or detect.backlog(1) or not all(detect.positions()):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)


async def alerted(service: Service) -> set[str]:
    """The rooms of all alerts, each of which must be there once per rule."""
    found: list[tuple[str, str]] = []
    cursor: str | None = None
    while True:
        page = await service.store.alerts("local", AlertFilter(), cursor=cursor, limit=200)
        found += [(alert.room, alert.rule) for alert in page.alerts]
        cursor = page.next
        if cursor is None:
            break
    assert len(found) == len(set(found))
    return {room for room, _ in found}


async def archived(service: Service) -> list[str]:
    return sorted(event.id for event in await service.archive.search("local", ArchiveQuery(limit=10**6)))


async def call(*words: str | Path) -> Done:
    return await asyncio.to_thread(redpost, *words)


@pytest.mark.parametrize("where", ["data", "data/backup", "data/archive/2026-11-26", "elsewhere/../data/backup"])
def test_a_backup_inside_of_what_it_copies_is_refused(tmp_path: Path, where: str) -> None:
    """Such a folder would be merged, searched and copied as part of the next backup, and lost with the disk."""
    (tmp_path / "data").mkdir()
    done = redpost("token", "new", "--name", "feed", "--scopes", "ingest", "--data", tmp_path / "data")
    assert done.code == 0, done.err
    done = redpost("backup", tmp_path / where, "--data", tmp_path / "data")
    assert done.code == 2 and "lies in the data folder" in done.err and "elsewhere" in done.err
    assert not (tmp_path / "data/backup").exists()


def test_when_the_last_backup_was_is_noted_with_the_data_and_not_copied(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert noted(data) == 0
    data.mkdir()
    redpost("token", "new", "--name", "feed", "--scopes", "ingest", "--data", data)
    assert noted(data) == 0
    done = redpost("backup", tmp_path / "b", "--data", data)
    assert done.code == 0 and done.err == ""
    made_at = datetime.fromisoformat(json.loads((tmp_path / "b/manifest.json").read_text("utf-8"))["made_at"])
    assert 0 <= noted(data) - made_at.timestamp() < 1
    assert redpost("backup", data, "--data", data).code == 2 and noted(data) - made_at.timestamp() < 1
    assert redpost("restore", tmp_path / "b", "--data", tmp_path / "again").code == 0
    assert noted(tmp_path / "again") == 0


def test_a_good_copy_that_cannot_be_noted_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    redpost("token", "new", "--name", "feed", "--scopes", "ingest", "--data", data)
    (data / "last-backup").symlink_to("nowhere/at-all")
    done = redpost("backup", tmp_path / "b", "--data", data)
    assert done.code == 0 and "redpost_backup_last_success_timestamp_seconds" in done.err
    assert (tmp_path / "b/manifest.json").is_file()


async def test_a_service_shows_its_last_backup_and_that_its_rules_find(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running(data) as service:

        def shown(metric: str) -> float:
            found = re.search(rf"^redpost_{metric} (\S+)$", service.telemetry.render()[0].decode(), re.MULTILINE)
            return float(found[1]) if found else -1

        await until(lambda: shown("backup_last_success_timestamp_seconds") == 0)
        assert shown("canary_last_ok_timestamp_seconds") > 1.6e9
        assert (await call("backup", tmp_path / "b", "--data", data)).code == 0
        await until(lambda: shown("backup_last_success_timestamp_seconds") > 1.6e9)


async def test_copies_of_a_service_at_work_go_on_where_they_were(tmp_path: Path) -> None:
    data = tmp_path / "data"
    known: list[set[str]] = []
    async with running(data) as service:
        sender, stop = Sender(service, "a"), asyncio.Event()
        writing = asyncio.create_task(sender.go_on(stop))
        for n in range(3):
            await asyncio.sleep(0.3)
            while len(sender.acknowledged) <= 100 * (n + 1):
                await asyncio.sleep(0.02)
            known.append(set(sender.acknowledged))
            done = await call("backup", tmp_path / f"b{n}", "--data", data)
            assert (done.code, done.err) == (0, "")
        stop.set()
        await writing
        assert len(known[0]) > 100 and len(known[2]) > len(known[0]) and len(sender.acknowledged) > len(known[2])
        assert (await call("restore", tmp_path / "b0", "--data", data)).code == 2

    for n in range(3):
        again = tmp_path / f"again{n}"
        done = await call("restore", tmp_path / f"b{n}", "--data", again)
        assert (done.code, done.err) == (0, "")
        async with running(again) as service:
            await settled(service)
            kept = await archived(service)
            assert known[n] <= set(kept), "what was acknowledged before the backup began is in it"
            assert len(kept) == len(set(kept))
            assert await alerted(service) == set(kept), "what is in it is judged, once"
            sender = Sender(service, "new")
            await sender.send(20)
            await settled(service)
            assert set(sender.acknowledged) <= await alerted(service), "new events are not taken for old ones"
            assert sorted({*kept, *sender.acknowledged}) == await archived(service)
        assert KeyFiles(again / "keys").key_of("local") == KeyFiles(data / "keys").key_of("local")


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """The data folder of a service that has ended."""
    folder = tmp_path / "data"
    async with running(folder) as service:
        await Sender(service, "a").send(30)
        await settled(service)
    return folder


@pytest.fixture
def backup(data: Path, tmp_path: Path) -> Path:
    assert redpost("backup", tmp_path / "backup", "--data", data).code == 0
    return tmp_path / "backup"


def test_a_backup_and_its_manifest(data: Path, backup: Path, tmp_path: Path) -> None:
    manifest = json.loads((backup / "manifest.json").read_bytes())
    paths = sorted(path.relative_to(backup).as_posix() for path in backup.rglob("*") if path.is_file())
    assert sorted([*(part["path"] for part in manifest["files"]), "manifest.json"]) == paths
    assert {path.split("/")[0] for path in paths} == {"archive", "keys", "log.db", "manifest.json", "store.db"}
    assert manifest["format"] == 1
    assert {"redpost", "sqlite", "made_at", "store_revision", "log_format", "entry_format"} <= set(manifest)
    for path in (backup, *backup.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    done = redpost("restore", backup, "--data", tmp_path / "again")
    assert done.code == 0
    assert done.out == f"{len(paths) - 1} files in {tmp_path}/again, as of {manifest['made_at']}\n"
    for name in paths:
        if name != "manifest.json":
            assert (tmp_path / "again" / name).read_bytes() == (backup / name).read_bytes()
    assert not (tmp_path / "again/manifest.json").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_never_overwritten(data: Path, backup: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    for command, source, target in (
        ("backup", backup, data), ("restore", backup, data), ("backup", file, data), ("restore", backup, file),
    ):  # fmt: skip
        done = redpost(command, source, "--data", target)
        assert done.code == 2
        assert "exists" in done.err
    assert {path: path.read_bytes() for path in before} == before
    (tmp_path / "empty").mkdir()
    assert redpost("restore", backup, "--data", tmp_path / "empty").code == 0


async def test_a_running_service_is_named(tmp_path: Path) -> None:
    async with running(tmp_path / "data"):
        await call("backup", tmp_path / "b", "--data", tmp_path / "data")
        done = await call("restore", tmp_path / "b", "--data", tmp_path / "data")
    assert done.code == 2
    assert done.err.startswith(f"error: {tmp_path}/data is in use by process ")


def edit(change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def spoil(backup: Path) -> None:
        path = backup / "manifest.json"
        manifest = json.loads(path.read_bytes())
        change(manifest)
        path.write_text(json.dumps(manifest), encoding="utf-8")

    return spoil


def flip(name: str) -> Callable[[Path], None]:
    def spoil(backup: Path) -> None:
        (path,) = backup.glob(name)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    return lambda backup: next(iter(backup.glob(name))).unlink()


def add_a_file(manifest: dict[str, object]) -> None:
    files = manifest["files"]
    assert isinstance(files, list)
    files.append({"path": "archive/../../x", "bytes": 0, "sha256": ""})


@pytest.mark.parametrize(
    "spoil, told",
    [
        (flip("store.db"), "store.db is not what was written"),
        (flip("log.db"), "log.db is not what was written"),
        (flip("keys/*.key"), "keys/local.key is not what was written"),
        (remove("log.db"), "log.db is missing"),
        (remove("archive/*/0-*.parquet"), ".parquet is missing"),
        (remove("manifest.json"), "is no backup"),
        (lambda backup: (backup / "manifest.json").write_bytes(b"{"), "manifest.json cannot be read"),
        (edit(lambda manifest: manifest.update(files=[])), "names other files"),
        (edit(add_a_file), "names other files"),
        (edit(lambda manifest: manifest.update(format=2)), "newer formats"),
        (edit(lambda manifest: manifest.update(log_format=99)), "newer formats"),
        (edit(lambda manifest: manifest.update(entry_format=99)), "newer formats"),
    ],
)  # fmt: skip
def test_a_backup_that_is_none(backup: Path, tmp_path: Path, spoil: Callable[[Path], None], told: str) -> None:
    spoil(backup)
    done = redpost("restore", backup, "--data", tmp_path / "again")
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert not (tmp_path / "again").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_store_of_a_newer_version(backup: Path, tmp_path: Path, data: Path) -> None:
    with closing(sqlite3.connect(data / "store.db")) as store, store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
    done = redpost("backup", tmp_path / "b", "--data", data)
    assert done.code == 2
    assert "9999" in done.err
    assert not (tmp_path / "b").exists()


def test_folders_that_are_no_data(tmp_path: Path, data: Path) -> None:
    assert "is no data folder" in redpost("backup", tmp_path / "b", "--data", tmp_path / "nowhere").err
    shutil.rmtree(tmp_path / "data/archive")
    (tmp_path / "data/log.db").unlink()
    done = redpost("backup", tmp_path / "b", "--data", data)
    assert done.code == 2
    assert "has no log.db" in done.err
    assert not (tmp_path / "b").exists()


def test_a_damaged_log(tmp_path: Path, data: Path) -> None:
    path = data / "log.db"
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    path.write_bytes(content)
    done = redpost("backup", tmp_path / "b", "--data", data)
    assert (done.code, done.out) == (2, "")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["store.db", "log.db"])
def test_what_is_damaged_is_named(name: str, tmp_path: Path, data: Path) -> None:
    (data / name).write_bytes(b"no database" * 1000)
    done = redpost("backup", tmp_path / "b", "--data", data)
    assert (done.code, done.out) == (2, "")
    assert done.err == (f"error: the database {data / name} is not a database\n"
                        "hint: check the path, or restore the latest backup\n")


def test_a_place_where_nothing_can_be_made_is_named(tmp_path: Path, data: Path) -> None:
    (tmp_path / "file").touch()
    done = redpost("backup", tmp_path / "file/backup", "--data", data)
    assert done.code == 2
    assert done.err.startswith(f"error: {tmp_path}/file/.backup.")
    assert "Not a directory\nhint: check free space, the folder and its owner" in done.err


def test_tokens_alone_can_be_kept(tmp_path: Path) -> None:
    """A store that no service has written to yet."""
    data = tmp_path / "data"
    data.mkdir()
    redpost("token", "new", "--name", "x", "--scopes", "read", "--data", data)
    assert redpost("backup", tmp_path / "b", "--data", data).code == 0
    assert redpost("restore", tmp_path / "b", "--data", tmp_path / "again").code == 0
    assert redpost("token", "list", "--data", tmp_path / "again").out == redpost("token", "list", "--data", data).out
