"""What a database refuses, in the project's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from monitor.adapters.sqlite import sqlite3
from monitor.domain.errors import StorageError

_HINTS: Final = {
    sqlite3.SQLITE_FULL: ("has no room to grow", "free disk space; nothing of this write was kept"),
    sqlite3.SQLITE_IOERR: (
        "could not be read or written",
        "check the disk, its free space and its mount; nothing of this write was kept",
    ),
    sqlite3.SQLITE_READONLY: (
        "may not be written",
        "give the service's user write access to the file and its folder",
    ),
    sqlite3.SQLITE_PERM: ("may not be accessed", "give the service's user access to the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "check that its folder exists and is writable"),
    sqlite3.SQLITE_BUSY: ("is in use by another process", "stop the other process that writes to it"),
    sqlite3.SQLITE_LOCKED: ("is in use by another process", "stop the other process that writes to it"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "stop the service and restore the latest backup"),
    sqlite3.SQLITE_NOTADB: ("is not a database", "check the path, or restore the latest backup"),
}


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into StorageError; a mistake in a statement stays what it is."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        code = _code(error)
        if code not in _HINTS:
            raise
        what, hint = _HINTS[code]
        raise StorageError(f"the database {path} {what}", hint=hint) from error


@contextmanager
def refusals_of_copy(source: Path, target: Path) -> Iterator[None]:
    """As `refusals`: damage is the source's, all else the target's."""
    try:
        yield
    except sqlite3.Error as error:
        with refusals(source if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) else target):
            raise


def _code(error: DBAPIError | sqlite3.Error) -> int:
    origin = error.orig if isinstance(error, DBAPIError) else error
    return int(getattr(origin, "sqlite_errorcode", 0) & 0xFF)
