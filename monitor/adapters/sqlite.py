"""SQLite, by the driver that brings a current one along where there is a build of it, else by Python's own.

Systems carry versions that can damage a file which two connections write at the same instant
(sqlite.org/wal.html#walresetbug); `repaired` tells.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["repaired", "sqlite3"]


def repaired(version: tuple[int, ...]) -> bool:
    """Is this SQLite without the WAL-reset bug?"""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
