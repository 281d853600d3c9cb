"""Reading the embedded log's file through a connection of its own, which never writes. Blocking."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from monitor.adapters.bus.logfile import storage_error
from monitor.adapters.bus.logrows import BOTH, Totals, first_since, totals_at
from monitor.adapters.sqlite import sqlite3
from monitor.domain import frames
from monitor.domain.errors import StorageError
from monitor.services.records import Numbered

MOST_ENTRIES: Final = 1_024
"""Entries that one read gives at most, whatever the number of their events."""

_ALL: Final = "SELECT seq, n_events, payload FROM entries WHERE seq > :after AND seq <= :end ORDER BY seq LIMIT :most"
# The first `most` of each lane by the index, then the first of these: no walk over the other lane's rows.
_LANE: Final = """
SELECT seq, n_events, payload FROM entries WHERE seq IN (
    SELECT * FROM (SELECT seq FROM entries WHERE lane = :lane AND seq > :after AND seq <= :end ORDER BY seq LIMIT :most)
    UNION ALL
    SELECT * FROM (SELECT seq FROM entries WHERE lane = :both AND seq > :after AND seq <= :end ORDER BY seq LIMIT :most)
) ORDER BY seq LIMIT :most
"""


class LogReader:
    """One read-only connection. Raises StorageError where the disk refuses or an entry is damaged.

    Used by one thread at a time. Opened after the connection that writes, closed before it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        uri = f"{path.absolute().as_uri()}?mode=ro"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        self._decompress: Final = zstandard.ZstdDecompressor().decompress

    def close(self) -> None:
        self._db.close()

    def read(self, after: int, lane: int | None, events: int, end: int) -> list[Numbered]:
        """As `Log.read`, of the entries up to `end`."""
        bounds = {"after": after, "end": end, "lane": lane, "both": BOTH, "most": MOST_ENTRIES}
        found: list[Numbered] = []
        with self._errors(), closing(self._db.execute(_ALL if lane is None else _LANE, bounds)) as rows:
            for seq, n_events, payload in rows:
                events -= n_events
                if events < 0 and found:
                    break
                found.append(Numbered(seq, self._entry(seq, payload)))
        return found

    def totals(self, seq: int) -> Totals:
        """Running totals at entry `seq`; at the last trimmed one where it is gone."""
        with self._errors():
            return totals_at(self._db, seq)

    def first_since(self, accepted_at: int, end: int) -> int:
        """As `Log.first_since`, of the entries up to `end`."""
        with self._errors(), self._snapshot():
            return first_since(self._db, totals_at(self._db, -1).seq + 1, end, accepted_at)

    def session_seq(self, tenant: str, session: str) -> int:
        with self._errors():
            row = self._db.execute(
                "SELECT last FROM sessions WHERE tenant = ? AND session = ?", (tenant, session)
            ).fetchone()
        return row[0] if row else 0

    def _entry(self, seq: int, payload: bytes) -> frames.Entry:
        try:
            return frames.decode(self._decompress(payload))
        except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeError) as error:
            raise StorageError(
                f"entry {seq} of the log {self._path} is damaged: {error}",
                hint="look into the system's log for errors of the disk; restore the file from a backup",
            ) from error

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several queries over one state of the file, whatever is written or trimmed meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise storage_error(self._path, error, "read") from error
