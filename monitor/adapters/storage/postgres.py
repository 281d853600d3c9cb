"""A PostgreSQL database that many processes share.

All that was written for one writer holds here, too: a transaction that writes begins with one lock of the whole
database, so writers take turns, numbers are given without gaps and are seen in order, and what is due is done once.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from monitor.adapters.storage.database import Database, Work, nothing
from monitor.adapters.storage.migrate import HEAD, SCRIPTS, migrate, revision_of
from monitor.adapters.storage.pgfailures import refusals
from monitor.domain.errors import ConfigError

T = TypeVar("T")

_WRITERS: Final = 0x7265_6470_6F73_7401
"""The lock of those who write; any number that no other program of this database takes."""
_MIGRATION: Final = _WRITERS + 1
_LOCK: Final = text(f"SELECT pg_advisory_xact_lock({_WRITERS})")
_BEGIN: Final = text(f"SELECT set_config('synchronous_commit', :commit, true), pg_advisory_xact_lock({_WRITERS})")
_STANDSTILL_S: Final = 8
"""A writer that stands still in its turn, or is cut off, would keep all others from writing. Between two statements the
server ends it after so long; in the middle of one that comes in parts it does not: whoever has waited as long does."""
_END_STANDSTILL: Final = text("""
    SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = :high AND objid = :low
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND wait_event = 'ClientRead' AND now() - state_change > make_interval(secs => :still)
    """).bindparams(high=_WRITERS >> 32, low=_WRITERS & 0xFFFF_FFFF, still=_STANDSTILL_S - 1)
_TURNS: Final = 5
_TOO_LONG: Final = "55P03"
_COLLATIONS: Final = ("C", "POSIX", "C.UTF-8", "C.utf8")


class PostgresDatabase(Database):
    """`await PostgresDatabase.opened(url)`. Work runs on the event loop, which goes on while the database answers."""

    def __init__(self, engine: AsyncEngine, place: str) -> None:
        """`place`: the URL without its secrets."""
        self._engine, self.place = engine, place
        self._writing = asyncio.Lock()  # one of this process waits for the turn, the rest of the pool reads
        self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @classmethod
    async def opened(
        cls, url: str, *, scripts: Path = SCRIPTS, head: str = HEAD, pool: int = 8, lock_s: int = _STANDSTILL_S,
        standstill_s: int = _STANDSTILL_S,
    ) -> "PostgresDatabase":
        """Raises ConfigError for a database of another revision, of something else, or that sorts otherwise."""
        database = _connected(url, pool=pool, lock_s=lock_s, idle_s=standstill_s)
        try:
            with refusals(database.place):
                async with database._engine.connect() as connection:
                    await _check_collation(connection, database.place)
                    found = await connection.run_sync(
                        lambda own: revision_of(own, where=database.place, scripts=scripts, head=head))
            if found != head:
                has = f"revision {found}, this version needs {head}" if found else "no tables"
                raise ConfigError(
                    f"{database.place} has {has}",
                    hint="run `redpost migrate`, while no other version of redpost runs on it")
        except BaseException:
            await database.close()
            raise
        return database

    async def run(
        self, work: Work[T], *, before: Callable[[], None] = nothing, after: Callable[[], None] = nothing,
        durable: bool = False,
    ) -> T:
        before()
        with refusals(self.place):
            async with self._writing:
                result = await self._in_turn(work, "on" if durable else "off")
        after()
        return result

    async def _in_turn(self, work: Work[T], commit: str) -> T:
        for left in reversed(range(_TURNS)):
            waiting = True
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(_BEGIN, {"commit": commit})
                    waiting = False
                    return await connection.run_sync(work)
            except DBAPIError as error:
                if not (waiting and left and getattr(error.orig, "sqlstate", "") == _TOO_LONG):
                    raise
            async with self._engine.begin() as connection:
                await connection.execute(_END_STANDSTILL)
        raise AssertionError  # the last turn returns or raises

    async def read(self, work: Work[T]) -> T:
        with refusals(self.place):
            async with self._reading.connect() as connection, connection.begin():
                return await connection.run_sync(work)

    async def filled(
        self, pages: AsyncIterator[tuple[Table, Sequence[Mapping[str, Any]]]], *, refuse: Callable[[Connection], None],
    ) -> None:
        """All rows in one transaction; `refuse` looks first and raises where they must not come."""
        with refusals(self.place):
            async with self._writing, self._engine.begin() as connection:
                await connection.execute(_LOCK)
                await connection.run_sync(refuse)
                async for table, rows in pages:
                    await connection.execute(table.insert(), list(rows))

    async def backup(self, target: Path) -> None:
        raise ConfigError(f"{self.place} is not copied by redpost", hint="use pg_dump, or your database's own backups")

    async def close(self) -> None:
        await self._engine.dispose()


async def migrate_to_head(url: str, *, scripts: Path = SCRIPTS, head: str = HEAD) -> bool:
    """Bring the database to `head`, in one transaction; whether anything changed. Two at once take turns."""
    database = _connected(url, pool=1, lock_s=300, idle_s=300)
    try:
        with refusals(database.place):
            async with database._engine.begin() as connection:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION})"))
                await connection.execute(_LOCK)
                await _check_collation(connection, database.place)

                def work(own: Connection) -> bool:
                    found = revision_of(own, where=database.place, scripts=scripts, head=head)
                    migrate(own, before_upgrade=lambda revision: None, scripts=scripts, head=head)
                    return found != head

                return await connection.run_sync(work)
    finally:
        await database.close()


def _connected(url: str, *, pool: int, lock_s: int, idle_s: int = _STANDSTILL_S) -> PostgresDatabase:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("store.url is no URL of a database", hint="postgresql://USER@HOST/DATABASE") from error
    if parsed.get_backend_name() != "postgresql":
        raise ConfigError(f"a store on {parsed.get_backend_name()} is not supported",
                          hint="postgresql://USER@HOST/DATABASE, or no store.url for SQLite in data.dir")
    engine = create_async_engine(
        parsed.set(drivername="postgresql+asyncpg"), pool_size=pool, max_overflow=0, pool_pre_ping=True,
        pool_timeout=30, hide_parameters=True, connect_args={"timeout": 10, "server_settings": {
            "application_name": f"redpost-{os.getpid()}", "jit": "off", "lock_timeout": f"{lock_s}s",
            "statement_timeout": "120s", "idle_in_transaction_session_timeout": f"{idle_s}s"}})
    return PostgresDatabase(engine, parsed.render_as_string(hide_password=True))


async def _check_collation(connection: AsyncConnection, place: str) -> None:
    """Lists go by the order of code points, as on SQLite."""
    found = await connection.scalar(text("SELECT datcollate FROM pg_database WHERE datname = current_database()"))
    if found not in _COLLATIONS:
        raise ConfigError(f"{place} sorts text by {found}, not by code points",
                          hint="make the database with: createdb --template template0 --locale C.UTF-8 NAME")
