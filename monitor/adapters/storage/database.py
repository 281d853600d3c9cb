"""A database of ours, whatever it is made of. Work is handed over as a function of a SQLAlchemy Core `Connection`, so
that the same functions run on SQLite and on PostgreSQL.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection

from monitor.adapters.storage.migrate import HEAD, SCRIPTS

READERS: Final = 2
"""Reads that go on at once."""

T = TypeVar("T")
Work = Callable[[Connection], T]


def nothing() -> None:
    """The default of what may be called around a transaction."""


class Database(ABC):
    """`await Database.open(place)`; then `run` writes and `read` reads, from any task of one loop; then `close`."""

    @staticmethod
    async def open(place: Path | str, *, scripts: Path = SCRIPTS, head: str = HEAD) -> "Database":
        """A file of SQLite's, made where there is none and brought to revision `head`; or the database of a URL
        (postgresql://…), which has that revision already: `redpost migrate` sees to it.

        Raises NewerFormat for a newer one, ConfigError for a database of something else, StorageError.
        """
        if isinstance(place, Path):
            from monitor.adapters.storage.sqlitefile import SqliteDatabase  # each pays for its own driver only

            return await SqliteDatabase.opened(place, scripts=scripts, head=head)
        from monitor.adapters.storage.postgres import PostgresDatabase

        return await PostgresDatabase.opened(place, scripts=scripts, head=head)

    @abstractmethod
    async def run(
        self, work: Work[T], *, before: Callable[[], None] = nothing, after: Callable[[], None] = nothing,
        durable: bool = False,
    ) -> T:
        """`work` in one transaction, beside which nobody else writes: all of it is kept, or none where it raises.

        `before` and `after` are called around the transaction. `durable` waits for the disk (fsync); otherwise a power
        cut may lose the last transactions, which the log then gives again.
        """

    @abstractmethod
    async def read(self, work: Work[T]) -> T:
        """`work` on one unchanging view of what is committed, beside the writer."""

    @abstractmethod
    async def backup(self, target: Path) -> None:
        """A consistent copy as a new file, beside running writes. Raises ConfigError where `target` exists."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what is under way, then close."""
