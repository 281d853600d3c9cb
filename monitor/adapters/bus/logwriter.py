"""The thread that writes the embedded log: group commit, trimming in steps, checkpoints."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final

from msgspec import Struct

from monitor.adapters.bus.logfile import LogFile
from monitor.adapters.bus.logrows import Packed, Totals
from monitor.adapters.sqlite import sqlite3
from monitor.services.ports import FailPoint, Logger

GROUP: Final = 32
"""Appends in one commit at most."""
TRIM_STEP: Final = 32
"""Entries deleted in one transaction at most (some 10 ms); a group of appends is written between two."""


@dataclass(eq=False, slots=True)
class Append:
    entries: Sequence[Packed]
    bytes: int  # encoded
    done: "asyncio.Future[int]"


@dataclass(eq=False, slots=True)
class Trim:
    before: int  # once the writer has begun: the first entry to keep
    accepted_before: int  # UTC ms
    max_bytes: int
    done: "asyncio.Future[int]"
    begun: bool = False
    dropped: int = 0


Job = Append | Trim


class Written(Struct, frozen=True):
    """The group is durable. `totals` has one item for each entry, in order."""

    group: Sequence[Append]
    totals: Sequence[Totals]


class Refused(Struct, frozen=True):
    """The disk refused; of `jobs` nothing was kept, of a trim nothing more."""

    jobs: Sequence[Job]
    error: sqlite3.Error


class Trimmed(Struct, frozen=True):
    """Everything up to `totals` went; `finished` where that was the job's last step."""

    job: Trim
    totals: Totals
    finished: bool


class Died(Struct, frozen=True):
    """The thread has ended by an error that nobody foresaw."""

    error: BaseException


Report = Written | Refused | Trimmed | Died


class LogWriter:
    """Owns the file from `start` on and closes it in the end. `tell` is called in the thread."""

    def __init__(
        self, file: LogFile, *, tell: Callable[[Report], None], logger: Logger, failpoint: FailPoint,
        idle_wal_bytes: int, wal_bytes: int,
    ) -> None:
        self._file = file
        self._tell = tell
        self._logger = logger
        self._failpoint = failpoint
        self._idle_wal_bytes = idle_wal_bytes
        self._wal_bytes = wal_bytes
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._trims: deque[Trim] = deque()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job) -> None:
        self._queue.put(job)

    def close(self) -> None:
        """Write what is queued, end the trims where they are, close the file. Blocks until that is done."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing:  # what closes it is the last in the queue
                self._turn()
            for trim in self._trims:
                self._tell(Trimmed(trim, self._file.trimmed, True))
        except BaseException as error:  # whatever it is, it must not end this thread unnoticed
            self._tell(Died(error))
        finally:
            self._file.close()

    def _turn(self) -> None:
        group = self._collect()
        if group:
            self._commit(group)
        if self._trims:
            self._trim()
        unsaved = self._file.unsaved
        if unsaved >= self._wal_bytes or (unsaved >= self._idle_wal_bytes and self._queue.empty()):
            self._checkpoint()

    def _collect(self) -> list[Append]:
        """What queues, up to one group; waits for a job only where there is nothing else to do."""
        group: list[Append] = []
        while len(group) < GROUP:
            try:
                job = self._queue.get(block=not (group or self._trims or self._closing))
            except Empty:
                break
            if job is None:
                self._closing = True
            elif isinstance(job, Trim):
                self._trims.append(job)
            else:
                group.append(job)
        return group

    def _commit(self, group: list[Append]) -> None:
        entries = [packed for job in group for packed in job.entries]
        try:
            totals = self._file.append(entries)
        except sqlite3.OperationalError as error:
            self._tell(Refused(group, error))
            return
        self._failpoint("accepted", sum(packed.events for packed in entries))
        self._tell(Written(group, totals))

    def _trim(self) -> None:
        """One step of the oldest trim."""
        trim = self._trims[0]
        try:
            more = self._trim_step(trim)
        except sqlite3.OperationalError as error:
            self._trims.popleft()
            self._tell(Refused([trim], error))
            return
        if not more:
            self._trims.popleft()
            if trim.dropped:
                self._checkpoint()
        self._tell(Trimmed(trim, self._file.trimmed, not more))

    def _trim_step(self, trim: Trim) -> bool:
        """Delete, then shrink; whether there is more to do."""
        if not trim.begun:
            trim.begun = True
            trim.before = self._file.cut(
                before=trim.before, accepted_before=trim.accepted_before, max_bytes=trim.max_bytes
            )
        first = self._file.trimmed.seq + 1
        if first < trim.before:
            trim.dropped += self._file.drop(min(trim.before, first + TRIM_STEP))
            return True
        if self._file.shrink():
            return True
        self._file.forget_sessions()
        return False

    def _checkpoint(self) -> None:
        try:
            self._file.checkpoint()
        except sqlite3.OperationalError as error:  # the WAL keeps everything; the next attempt comes by itself
            self._logger.warning("log_checkpoint_failed", path=str(self._file.path), error=str(error))
