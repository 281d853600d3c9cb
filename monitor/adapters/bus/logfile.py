"""The SQLite file of the embedded log: lock, schema and the statements that write. Blocking; used by one thread.

`trimmed` holds the totals of the last entry that was trimmed, so that numbers and totals go on after it.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import zstandard

from monitor.adapters.bus.logrows import BOTH, Packed, Totals, first_since, lowest, totals_at
from monitor.adapters.sqlite import sqlite3
from monitor.domain import frames
from monitor.domain.errors import ConfigError, NewerFormat, StorageError
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.frames import Frame, Mark

FORMAT: Final = 1
"""Version of the file's schema (PRAGMA user_version); that of the entries in it is `frames.FORMAT`."""
APPLICATION: Final = 0x52504C47

_SCHEMA: Final = f"""
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, lane INTEGER NOT NULL, accepted_at INTEGER NOT NULL, n_events INTEGER NOT NULL,
    latest INTEGER NOT NULL, host_events INTEGER NOT NULL, viewer_events INTEGER NOT NULL, bytes INTEGER NOT NULL,
    payload BLOB NOT NULL);
CREATE INDEX entries_by_lane ON entries (lane);
CREATE TABLE sessions (
    tenant TEXT NOT NULL, session TEXT NOT NULL, last INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (tenant, session)) WITHOUT ROWID;
CREATE TABLE trimmed (
    seq INTEGER NOT NULL, latest INTEGER NOT NULL, host_events INTEGER NOT NULL, viewer_events INTEGER NOT NULL,
    bytes INTEGER NOT NULL, entry_format INTEGER NOT NULL);
INSERT INTO trimmed VALUES (0, 0, 0, 0, 0, {frames.FORMAT});
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
"""  # noqa: S608 - constants
_VACUUM_STEP: Final = 256  # pages
_PAGE: Final = 4_096
_COMMIT: Final = 4 * _PAGE  # what a small transaction writes to the WAL

_HINTS: Final = {
    sqlite3.SQLITE_FULL: "free space on its disk or keep the log for a shorter time, then send again",
    sqlite3.SQLITE_IOERR: "look for free space, and into the system's log for errors of the disk, then send again",
    sqlite3.SQLITE_BUSY: "another program holds the file (a shell, a backup): end it, then send again",
    sqlite3.SQLITE_READONLY: "give this user the right to write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "give this user the right to write the file and its folder",
}
_DAMAGED: Final = (
    "restore the file from a backup; or stop the service and move the file, its -wal and its -shm away to start with "
    "an empty log: what was not judged yet is then lost, alerts are kept elsewhere"
)


def storage_error(path: Path, error: sqlite3.Error, doing: str) -> StorageError:
    """`doing` is a participle: "written", "read", "opened"."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return StorageError(f"the log {path} could not be {doing}: {error}", hint=_HINTS.get(code, _DAMAGED))


class LogFile:
    """The one connection that writes and checkpoints, and the locks on the file. `end`, `trimmed`: totals of what is
    on disk and of what went; `lasts`: at opening, the last seq of either lane (those of both lanes count)."""

    def __init__(
        self, path: Path, db: sqlite3.Connection, locks: Sequence[int], *, spare_bytes: int, sessions: int
    ) -> None:
        self.path = path
        self._db = db
        self._locks = locks
        self._sessions = sessions
        self._compress: Final = zstandard.ZstdCompressor(level=1, write_checksum=True).compress
        self._spare_pages = spare_bytes // _PAGE
        self.trimmed = totals_at(db, -1)
        self.end = totals_at(db, self._number("SELECT max(seq) FROM entries"))
        self.lasts = (self._last_of(HOST_SIDE), self._last_of(VIEWERS))
        self.unsaved = 0  # bytes in the WAL since the last checkpoint, estimated

    @classmethod
    def open(cls, path: Path, *, max_pages: int, spare_bytes: int, sessions: int) -> "LogFile":
        """Open or create. `max_pages` > 0 limits the file; `spare_bytes` of free space stay in it for reuse; at
        most `sessions` are remembered.

        Raises ConfigError (locked, not a log, damaged), NewerFormat, StorageError (disk).
        """
        try:
            with ExitStack() as undo:
                lock = _lock(path)
                undo.callback(os.close, lock)
                own = _lock_itself(path)
                undo.callback(os.close, own)
                path.chmod(0o600)
                db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                undo.callback(db.close)
                _prepare(db, path, max_pages)
                file = cls(path, db, (own, lock), spare_bytes=spare_bytes, sessions=sessions)
                undo.pop_all()
                return file
        except sqlite3.OperationalError as error:
            raise storage_error(path, error, "opened") from error
        except sqlite3.DatabaseError as error:
            raise ConfigError(f"the log {path} is damaged or no log at all: {error}", hint=_DAMAGED) from error
        except OSError as error:
            raise ConfigError(
                f"the log {path} cannot be opened: {error.strerror}",
                hint="create its folder and let this user read and write there, or set another path",
            ) from error

    def close(self) -> None:
        """Close the connection (the last one checkpoints), then let go of the locks."""
        try:
            with suppress(sqlite3.Error):
                self._db.close()
        finally:
            for lock in self._locks:  # the log's own only now: closing it would let go of SQLite's locks
                os.close(lock)

    def append(self, entries: Sequence[Packed]) -> list[Totals]:
        """All in one transaction; the totals of each. Raises sqlite3.Error, and then nothing is kept."""
        rows: list[tuple[int | bytes, ...]] = []
        totals: list[Totals] = []
        end = self.end
        for packed in entries:
            payload = self._compress(packed.data)
            end = end.plus(packed, len(payload))
            totals.append(end)
            rows.append((end.seq, packed.lane, packed.entry.accepted_at, packed.events, end.latest, end.host_events,
                         end.viewer_events, end.bytes, payload))
        with self._transaction():
            self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.executemany(
                "INSERT INTO sessions VALUES (?, ?, ?, ?) ON CONFLICT (tenant, session)"
                " DO UPDATE SET last = max(last, excluded.last), seq = excluded.seq",
                _sessions(entries, self.end.seq),
            )
        self.unsaved += end.bytes - self.end.bytes + _COMMIT
        self.end = end
        return totals

    def cut(self, *, before: int, accepted_before: int, max_bytes: int) -> int:
        """The seq that a trim stops before. A trim takes from the front only, so that numbers have no holes."""
        keep, end = self.trimmed.seq + 1, self.end
        if end.bytes - self.trimmed.bytes > max_bytes:
            keep = lowest(self._db, keep, end.seq, lambda totals: totals.bytes, end.bytes - max_bytes) + 1
        return min(before, first_since(self._db, keep, end.seq, accepted_before))

    def drop(self, before: int) -> int:
        """Delete the entries with seq < `before` in one transaction; how many. Raises sqlite3.Error."""
        trimmed = totals_at(self._db, before - 1)
        with self._transaction():
            count = self._db.execute("DELETE FROM entries WHERE seq < ?", (before,)).rowcount
            self._db.execute(
                "UPDATE trimmed SET seq = ?, latest = ?, host_events = ?, viewer_events = ?, bytes = ?",
                (trimmed.seq, trimmed.latest, trimmed.host_events, trimmed.viewer_events, trimmed.bytes),
            )
        self.unsaved += _COMMIT
        self.trimmed = trimmed
        return count

    def forget_sessions(self) -> None:
        """Drop the sessions that were silent longest, beyond the number to remember."""
        self._db.execute(
            "DELETE FROM sessions WHERE seq <= (SELECT seq FROM sessions ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            (self._sessions,),
        )

    def shrink(self) -> bool:
        """Give some free pages back to the file system; whether there is more to give."""
        surplus = self._number("PRAGMA freelist_count") - self._spare_pages
        if surplus <= 0:
            return False
        self._db.executescript(f"PRAGMA incremental_vacuum({min(surplus, _VACUUM_STEP)})")  # execute() takes one page
        self.unsaved += min(surplus, _VACUUM_STEP) * _PAGE
        return surplus > _VACUUM_STEP

    def checkpoint(self) -> None:
        """Move what the WAL holds into the file; readers are not disturbed. Raises sqlite3.Error."""
        self.unsaved = 0
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _last_of(self, lane: int) -> int:
        """The highest seq held of `lane` and of those of both lanes; 0 where there is none."""
        return max(self._number("SELECT max(seq) FROM entries WHERE lane = ?", one) for one in (lane, BOTH))

    def _number(self, query: str, *arguments: int) -> int:
        """The one number that `query` gives; 0 for NULL."""
        return self._db.execute(query, arguments).fetchone()[0] or 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise


def _sessions(entries: Sequence[Packed], end: int) -> Iterable[tuple[str, str, int, int]]:
    for seq, packed in enumerate(entries, end + 1):
        entry = packed.entry
        if isinstance(entry, Frame | Mark) and entry.session:
            yield entry.tenant, entry.session, entry.session_seq, seq


def owner(path: Path) -> str:
    """The process that has this log open ("unknown" where it cannot be told), "" for none."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR)
    except OSError:
        return ""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner(lock)
    finally:
        os.close(lock)
    return ""


def _owner(lock: int) -> str:
    return os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"


def _lock(path: Path) -> int:
    """Take the lock file beside the log; its descriptor. It is never removed: that would race with its next owner."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        by = _owner(lock)
        os.close(lock)
        raise _in_use(path, f"process {by}") from error
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _lock_itself(path: Path) -> int:
    """Take the log, too, in case somebody deleted the lock file; its descriptor. SQLite's locks are of another kind."""
    own = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(own)
        raise _in_use(path, "a process whose lock file was deleted") from error
    return own


def _in_use(path: Path, by: str) -> ConfigError:
    return ConfigError(f"the log {path} is in use by {by}", hint="stop that process, or give this one a log of its own")


def _prepare(db: sqlite3.Connection, path: Path, max_pages: int) -> None:
    def pragma(name: str) -> int | str:
        value: int | str = db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    fresh = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if fresh:
        db.execute(f"PRAGMA page_size = {_PAGE}")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    elif pragma("application_id") != APPLICATION:
        raise ConfigError(f"{path} is a database, but no log of redpost", hint="set another path for the log")
    else:
        _check_format(path, "the log", int(pragma("user_version")), FORMAT)
    if pragma("journal_mode = WAL") != "wal":
        raise ConfigError(f"the log {path} cannot use a write-ahead log there", hint="put it on a local disk")
    for setting in ("synchronous = FULL", "wal_autocheckpoint = 0", "journal_size_limit = 64000000",
                    "cache_size = -8000", "secure_delete = FAST"):
        db.execute(f"PRAGMA {setting}")
    if max_pages:
        db.execute(f"PRAGMA max_page_count = {max_pages}")
    if fresh:
        db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
    written = db.execute("SELECT entry_format FROM trimmed").fetchone()[0]
    _check_format(path, "an entry of the log", written, frames.FORMAT)
    if written < frames.FORMAT:
        db.execute("UPDATE trimmed SET entry_format = ?", (frames.FORMAT,))


def _check_format(path: Path, what: str, found: int, known: int) -> None:
    if found > known:
        raise NewerFormat(
            f"{what} {path} was written by a newer version (format {found}, this version knows {known})",
            hint="start the version that wrote it, or a newer one",
        )
