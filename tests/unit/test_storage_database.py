"""The SQLite file: its revisions, what a refusing disk does, and where tests may make it die."""

import shutil
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import Connection, create_engine, insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex, CreateTable

from monitor.adapters.sqlite import sqlite3
from monitor.adapters.storage import cases, commits, schema_post, statements
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.holding import SqlHolds
from monitor.adapters.storage.migrate import HEAD, SCRIPTS
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.records import alert_values
from monitor.adapters.storage.store import SqlStore
from monitor.domain.alerts import opened
from monitor.domain.errors import ConfigError, NewerFormat, OwnershipLost, StorageError
from monitor.domain.ids import alert_id
from monitor.domain.labels import Label
from monitor.domain.organisation import OPEN_END_MS
from monitor.services.cases import QueueFilter
from monitor.services.records import Commit, Position, Saved, Snapshot
from tests.contract.test_store import Writer, chunk, finding, line, listed

# --- revisions -------------------------------------------------------------------------------------------------------

NEXT = f"{int(HEAD) + 1:04}"
"""The revision after the newest one."""


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def modes(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}


def stamp(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def next_revision(folder: Path, body: str) -> Path:
    """The scripts with one more revision, NEXT."""
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    lines = [
        "from alembic import op",
        f"revision = {NEXT!r}",
        f"down_revision = {HEAD!r}",
        "",
        "def upgrade():",
        f"    {body}",
    ]
    (folder / "versions" / f"r{NEXT}_next.py").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_the_head_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_the_revisions_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await SqlStore.open(path)).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema_post.metadata) == []
    engine.dispose()
    assert rows(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]


async def test_what_is_written_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "store é?#%.db"
    store = await SqlStore.open(path)
    write = await Writer.of(store)
    await write(finding("a"), context=[chunk([line("x", finding("a").at)])])
    await store.save_snapshots([(Snapshot(0, 1, b"state"), 1)])
    await store.close()
    store = await SqlStore.open(path)
    assert await listed(store) == [alert_id("a")]
    assert await store.snapshot(0) == Snapshot(0, 1, b"state")
    assert await store.claim(0) == Position(0, 1, 2)
    with pytest.raises(OwnershipLost):
        await store.apply([Commit(position=Position(0, 2, 1), expected=1)])
    await store.close()
    assert list(modes(path.parent)) == [path.name]


async def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch(mode=0o644)
    store = await SqlStore.open(path)
    await Writer.of(store)
    found = modes(tmp_path)
    await store.close()
    assert found == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


async def test_an_older_revision_is_upgraded_after_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = await SqlStore.open(path)
    await (await Writer.of(store))(finding("a"))
    await store.close()
    scripts = next_revision(tmp_path / "100%", "op.execute('CREATE TABLE news (id INTEGER)')")
    for _ in range(2):  # the second time there is nothing to do
        database = await Database.open(path, scripts=scripts, head=NEXT)
        await database.close()
        copy = path.with_name(f"store.db.before-upgrade-{HEAD}")
        assert rows(path, "SELECT version_num FROM alembic_version") == [(NEXT,)]
        assert rows(path, "SELECT * FROM news") == []
        assert rows(copy, "SELECT version_num FROM alembic_version") == [(HEAD,)]
        assert rows(copy, "SELECT id FROM findings") == rows(path, "SELECT id FROM findings") == [("a",)]
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with pytest.raises(NewerFormat):
        await SqlStore.open(path)


async def test_a_store_of_the_first_revision_takes_labels_after_its_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await Database.open(path, head="0001")).close()
    store = await SqlStore.open(path)
    assert await store.save_labels("local", [Label(id="a", text="好", labels=[], at=1)]) == Saved(1, 0, 0)
    await store.close()
    copy = path.with_name("store.db.before-upgrade-0001")
    assert rows(copy, "SELECT name FROM sqlite_master WHERE name = 'labels'") == []
    assert rows(path, "SELECT tenant, id, at FROM labels") == [("local", "a", 1)]


async def test_alerts_of_an_older_store_keep_their_updates_and_wait_unrouted(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await Database.open(path, head="0002")).close()
    with closing(sqlite3.connect(path)) as db, db:
        known = [row[1] for row in db.execute("PRAGMA table_info(alerts)")]
        for found in (finding("a"), finding("b", tenant="other")):
            values = alert_values(opened(found))
            db.execute(f"INSERT INTO alerts ({', '.join(known)}) VALUES ({', '.join('?' * len(known))})",  # noqa: S608
                       [values[name] for name in known])
        told = [(7, "opened", alert_id("a")), (8, "opened", alert_id("b")), (9, "grown", alert_id("a"))]
        db.executemany("INSERT INTO outbox VALUES (?, ?, ?)", told)
    database = await Database.open(path)
    store, posts = SqlStore(database), SqlPosts(database)
    assert [(u.seq, u.what) for u in await store.updates("local", after=0, limit=9)] == [(7, "opened"), (9, "grown")]
    assert await store.outbox_ends() == {"local": 9, "other": 8}
    (update,) = await (await Writer.of(store))(finding("c"))
    assert update.seq == 10
    page = await posts.queue("local", QueueFilter(posts=("",)), cursor=None, limit=9)
    assert sorted(alert.id for card in page.cards for alert in card.alerts) == sorted([alert_id("a"), alert_id("c")])
    await store.close()


async def test_slots_and_shifts_of_an_older_store_get_their_times(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await Database.open(path, head="0011")).close()
    given = [("slot", "open", b'{"room":"r","starts":5}'), ("slot", "s", b'{"room":"r","starts":5,"ends":9}'),
             ("shift", "d", b'{"post":"p","people":["x"],"starts":6,"ends":7}'), ("room", "r", b"{}"),
             ("slot", "gone", None)]
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO records (tenant, kind, id, version, body, at, by) VALUES ('t', ?, ?, 1, ?, 0, 'x')",
                       given)
    database = await Database.open(path)
    assert rows(path, "SELECT id, starts, ends FROM records ORDER BY id") == [
        ("d", 6, 7), ("gone", None, None), ("open", 5, 5 + OPEN_END_MS), ("r", None, None), ("s", 5, 9)]
    assert {one.id for one in await SqlPosts(database).since("t", 0, over_before=9)} >= {"open", "r", "s", "gone"}
    await database.close()


async def test_alerts_of_an_older_store_get_their_categories(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await Database.open(path, head="0012")).close()
    with closing(sqlite3.connect(path)) as db, db:
        known = [row[1] for row in db.execute("PRAGMA table_info(alerts)")]
        for name, categories in (("a", ["minors", "absolute_claim"]), ("b", ["minors"]), ("c", [])):
            values = alert_values(opened(finding(name, category=categories or ["x"])))
            db.execute(f"INSERT INTO alerts ({', '.join(known)}) VALUES ({', '.join('?' * len(known))})",  # noqa: S608
                       [values.get(column, "") for column in known])
            db.executemany("INSERT INTO alert_categories (tenant, category, at, alert_id) VALUES ('local', ?, 1, ?)",
                           [(category, alert_id(name)) for category in categories])
    database = await Database.open(path)
    found = dict(rows(path, "SELECT id, categories FROM alerts"))
    assert {name: found[alert_id(name)] for name in "abc"} == {
        "a": " absolute_claim minors ", "b": " minors ", "c": ""}
    await database.close()


async def test_an_upgrade_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await SqlStore.open(path)).close()
    body = "op.execute('CREATE TABLE news (id INTEGER)'); op.drop_table('outbox'); raise KeyError('broken')"
    scripts = next_revision(tmp_path / "scripts", body)
    with pytest.raises(KeyError):
        await Database.open(path, scripts=scripts, head=NEXT)
    store = await SqlStore.open(path)
    assert await store.outbox_bounds("local") == (0, 0)
    await store.close()
    assert rows(path, "SELECT name FROM sqlite_master WHERE name = 'news'") == []


async def test_a_newer_revision_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await (await SqlStore.open(path)).close()
    stamp(path, "9999")
    before = rows(path, "SELECT name, sql FROM sqlite_master")
    with pytest.raises(NewerFormat) as refused:
        await SqlStore.open(path)
    assert "9999" in refused.value.message and refused.value.hint
    assert rows(path, "SELECT name, sql FROM sqlite_master") == before


async def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE shop (id INTEGER)")
    with pytest.raises(ConfigError):
        await SqlStore.open(path)
    assert rows(path, "SELECT name FROM sqlite_master") == [("shop",)]


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5_000])
async def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StorageError) as refused:
        await SqlStore.open(path)
    assert refused.value.hint
    assert path.read_bytes() == content


async def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        await SqlStore.open(tmp_path / "file" / "store.db")


def test_everything_compiles_on_postgresql() -> None:
    dialect = postgresql.dialect()
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in schema_post.metadata.sorted_tables]
    made += [
        str(CreateIndex(index).compile(dialect=dialect))
        for table in schema_post.metadata.sorted_tables
        for index in table.indexes
    ]
    assert len(made) > 15
    for table in schema_post.metadata.sorted_tables:
        new = statements._insert_new("postgresql", table)
        assert "ON CONFLICT DO NOTHING" in str(new.compile(dialect=dialect))
    for statement in (commits._advance, commits._known, commits._standing_of, commits._standing, cases._save,
                      cases._standing, cases._of_moments, cases._ruled):
        assert str(statement.compile(dialect=dialect))


# --- a refusing disk -------------------------------------------------------------------------------------------------


def limit(pages: int) -> Callable[[Connection], None]:
    """As if the disk held no more than the database and so many pages of 4 KiB."""

    def set_limit(connection: Connection) -> None:
        count = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {count + pages}")

    return set_limit


async def test_a_full_disk_keeps_nothing_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "store.db")
    store = SqlStore(database)
    write = await Writer.of(store)
    await write(finding("a"))
    await database.run(limit(3))
    commit = write.commit(
        findings=[finding(f"b{n}") for n in range(500)], context=[chunk([line("x", finding("a").at)])]
    )
    for _ in range(2):
        with pytest.raises(StorageError) as refused:
            await store.apply([commit])
        assert refused.value.retryable and "disk space" in refused.value.hint
        assert await store.positions() == [Position(0, 1, 1)]
        assert await store.outbox_bounds("local") == (1, 1)
        assert await listed(store) == [alert_id("a")]
    await database.run(limit(10**6))
    assert len(await store.apply([commit])) == 500
    await store.close()


async def test_a_mistake_is_not_taken_for_a_refusal(tmp_path: Path) -> None:
    store = await SqlStore.open(tmp_path / "store.db")
    write = await Writer.of(store)
    with pytest.raises(IntegrityError):
        await write(finding("a", room=None))
    assert await listed(store) == []
    await store.close()


# --- fail points -----------------------------------------------------------------------------------------------------


class Death(Exception):
    """What a fail point does to the process."""


async def test_the_fail_points_stand_around_the_transaction(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    passed: list[tuple[str, str, object]] = []
    deadly: list[str] = []

    def failpoint(name: str, events: int = 0) -> None:
        passed.append(
            (name, threading.current_thread().name.rstrip("_0"), rows(path, "SELECT seq FROM positions")[0][0])
        )
        if name in deadly:
            raise Death

    store = await SqlStore.open(path, failpoint=failpoint)
    write = await Writer.of(store)
    await write(finding("a"))
    assert passed == [("judged", "store-writer", 0), ("committed", "store-writer", 1)]
    deadly.append("judged")
    commit = write.commit(findings=[finding("b")])
    with pytest.raises(Death):
        await store.apply([commit])
    assert len(await listed(store)) == 1
    deadly[:] = ["committed"]
    with pytest.raises(Death):
        await store.apply([commit])
    assert len(await listed(store)) == 2
    deadly.clear()
    with pytest.raises(OwnershipLost):
        await store.apply([commit])
    assert await store.apply([replace(commit, expected=2, position=Position(0, 3, 1))]) == []
    await store.close()


async def test_an_older_store_with_several_storms_of_a_rule_opens(tmp_path: Path) -> None:
    """Each worker opened its own, before they counted together."""
    older = await Database.open(tmp_path / "old.db", head="0020")
    await older.run(lambda connection: connection.execute(insert(schema_post.storms), [
        {"tenant": "local", "id": name, "rule": "r", "began_at": 5, "ended_at": None, "held": 1, "waiting": 1}
        for name in ("s1", "s2")]))
    await older.close()
    database = await Database.open(tmp_path / "old.db")
    assert await SqlHolds(database).standing_storms() == []
    assert {storm.ended_at for storm in (await SqlHolds(database).storms("local", ["s1", "s2"])).values()} == {5}
    await database.close()
