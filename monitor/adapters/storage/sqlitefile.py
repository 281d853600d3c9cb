"""One SQLite file: one connection, in a thread of its own, writes and checkpoints; a few others only read.

That readers never checkpoint keeps clear of SQLite's WAL-reset bug (sqlite.org/wal.html#walresetbug), which needs two
connections that do. Work is handed over as a function of a SQLAlchemy Core `Connection`, so that the same functions
run on PostgreSQL.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, StaticPool, create_engine, event

from monitor.adapters.sqlite import sqlite3
from monitor.adapters.storage.copies import copy_database
from monitor.adapters.storage.database import READERS, Database, Work, nothing
from monitor.adapters.storage.failures import refusals
from monitor.adapters.storage.migrate import HEAD, SCRIPTS, migrate
from monitor.domain.errors import StorageError

BUSY_SECONDS: Final = 5.0

T = TypeVar("T")


class SqliteDatabase(Database):
    """`await SqliteDatabase.opened(path)`."""

    def __init__(self, path: Path, connection: Connection, writer: ThreadPoolExecutor) -> None:
        """`connection` belongs to the thread of `writer`."""
        self.path = path
        self._connection = connection
        self._writer = writer
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._read_engine = _engine(path, read_only=True)
        self._closed = False

    @classmethod
    async def opened(cls, path: Path, *, scripts: Path = SCRIPTS, head: str = HEAD) -> "SqliteDatabase":
        """Open or create the file (mode 0600) and bring it to revision `head`, after a copy of an older one.

        Raises NewerFormat for a newer one, ConfigError for a database of something else, StorageError.
        """
        writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(writer, _open, path, scripts, head)
        except BaseException:
            writer.shutdown(wait=False)
            raise
        return cls(path, connection, writer)

    async def run(
        self,
        work: Work[T],
        *,
        before: Callable[[], None] = nothing,
        after: Callable[[], None] = nothing,
        durable: bool = False,
    ) -> T:
        """`work` in one transaction of the writer: all of it is kept, or none where it raises.

        `before` and `after` are called in the writer's thread around the transaction. `durable` waits for the disk
        (fsync); otherwise a power cut may lose the last transactions, which the log then gives again.
        """

        def write() -> T:
            before()
            with refusals(self.path):
                if durable:
                    _pragma(self._connection, "synchronous=FULL")
                try:
                    with self._connection.begin():
                        result = work(self._connection)
                finally:
                    if durable:
                        _pragma(self._connection, "synchronous=NORMAL")
            after()
            return result

        return await asyncio.get_running_loop().run_in_executor(self._writer, write)

    async def read(self, work: Work[T]) -> T:
        """`work` on one unchanging view of what is committed, beside the writer."""

        def query() -> T:
            with refusals(self.path), self._read_engine.connect() as connection, connection.begin():
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, query)

    async def backup(self, target: Path) -> None:
        """A consistent copy as a new file, beside running writes. Raises ConfigError where `target` exists."""
        await asyncio.get_running_loop().run_in_executor(self._readers, copy_database, self.path, target)

    async def close(self) -> None:
        """Finish what is under way, then close; the writer last, since the last one to close checkpoints."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._readers.shutdown)
        self._read_engine.dispose()
        await loop.run_in_executor(self._writer, self._close_writer)
        await loop.run_in_executor(None, self._writer.shutdown)

    def _close_writer(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()


def _open(path: Path, scripts: Path, head: str) -> Connection:
    """The connection that writes; called in the writer's thread."""

    def keep_copy(revision: str) -> None:
        try:
            copy_database(path, path.with_name(f"{path.name}.before-upgrade-{revision}"), replace=True)
        except StorageError as error:
            megabytes = 2 * path.stat().st_size // 2**20 + 1
            raise StorageError(f"before its upgrade from revision {revision}, {path} could not be copied: {error}",
                               hint=f"free {megabytes} MB on its disk and start again; nothing was changed") from error

    with refusals(path):
        _own_file(path)
        engine = _engine(path, read_only=False)
        try:
            connection = engine.connect()
            with connection.begin():
                migrate(connection, before_upgrade=keep_copy, scripts=scripts, head=head)
            _pragma(connection, "foreign_keys=ON")  # only now: a migration may rebuild tables that others refer to
        except BaseException:
            engine.dispose()
            raise
    return connection


def _pragma(connection: Connection, setting: str) -> None:
    """Outside of a transaction, where SQLite takes no notice of some settings."""
    raw = connection.connection.dbapi_connection
    assert raw is not None  # noqa: S101 - for the type checker: the connection is open
    raw.cursor().execute(f"PRAGMA {setting}")


def _own_file(path: Path) -> None:
    """Create the file before SQLite does, readable by its owner only; -wal and -shm take over its mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StorageError(
            f"the database {path} cannot be opened: {error.strerror}",
            hint="check the folder, its owner and its mode",
        ) from error


def _engine(path: Path, *, read_only: bool) -> Engine:
    uri = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rw'}"

    def connect() -> sqlite3.Connection:
        # isolation_level=None: the driver would otherwise begin late, and not at all before a SELECT.
        raw = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        if read_only:
            return raw
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            raw.execute("PRAGMA synchronous=NORMAL")
            raw.execute("PRAGMA wal_autocheckpoint=4000")  # pages; rarer than the default, for shorter commits
            raw.execute("PRAGMA cache_size=-8192")  # KiB
        except sqlite3.Error:
            raw.close()
            raise
        return raw

    if read_only:
        engine = create_engine("sqlite://", module=sqlite3, creator=connect, poolclass=QueuePool, pool_size=READERS,
                               hide_parameters=True)
    else:
        engine = create_engine("sqlite://", module=sqlite3, creator=connect, poolclass=StaticPool,
                               hide_parameters=True)
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
