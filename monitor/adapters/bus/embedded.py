"""The embedded durable log: one SQLite file, one thread that writes, the newest entries in memory.

All state but the file is touched in the event loop only; the writer's thread reports there what became durable.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from monitor.adapters.bus.logfile import LogFile, storage_error
from monitor.adapters.bus.logreader import LogReader
from monitor.adapters.bus.logrows import Totals, pack
from monitor.adapters.bus.logwriter import Append, Died, Job, LogWriter, Refused, Report, Trim, Trimmed, Written
from monitor.adapters.bus.recent import Recent
from monitor.adapters.sqlite import repaired, sqlite3
from monitor.domain.errors import BusyError, StorageError
from monitor.domain.frames import Entry
from monitor.services.ports import FailPoint, Logger
from monitor.services.records import Numbered

T = TypeVar("T")


class LogSettings(Struct, frozen=True, kw_only=True):
    """Sizes in bytes.

    `cache_*`: the newest entries in memory. `pending_*`: what may wait to be written; beyond it an append is refused.
    `wal_bytes`: size of the WAL at which a checkpoint no longer waits for an idle moment; `idle_wal_bytes`: at which
    it uses one. `spare_bytes`: free space that stays in the file for reuse. `sessions`: WebSocket sessions
    remembered. `max_pages` > 0 limits the file's size (SQLite pages of 4 KiB).
    """

    path: Path
    cache_bytes: int = 32_000_000
    cache_events: int = 500_000
    pending_bytes: int = 64_000_000
    pending_entries: int = 4_096
    wal_bytes: int = 16_000_000
    idle_wal_bytes: int = 4_000_000
    spare_bytes: int = 64_000_000
    sessions: int = 100_000
    max_pages: int = 0


def _nothing(name: str, events: int = 0) -> None:
    """The fail point of production."""


async def open_log(
    settings: LogSettings,
    *,
    logger: Logger,
    on_fatal: Callable[[BaseException], None],
    failpoint: FailPoint = _nothing,
) -> "EmbeddedLog":
    """Open the log or create it.

    `on_fatal` is called in the event loop where the writer met an error that it cannot repair: the process must
    end. `failpoint("accepted", n_events)` is called in the writer's thread after a commit, before it is acknowledged.
    Raises ConfigError (in use, not a log, damaged), NewerFormat, StorageError (disk).
    """
    if not repaired(sqlite3.sqlite_version_info):
        logger.warning(
            "log_sqlite_wal_reset", version=sqlite3.sqlite_version,
            hint="this SQLite can damage a log that another program writes at the same time: leave the file to "
            "redpost alone, or use SQLite 3.51.3, 3.50.7, 3.44.6 or newer",
        )
    return await asyncio.to_thread(
        _open, settings, logger=logger, on_fatal=on_fatal, failpoint=failpoint, loop=asyncio.get_running_loop()
    )


def _open(
    settings: LogSettings, *, logger: Logger, on_fatal: Callable[[BaseException], None], failpoint: FailPoint,
    loop: asyncio.AbstractEventLoop,
) -> "EmbeddedLog":
    file = LogFile.open(settings.path, max_pages=settings.max_pages, spare_bytes=settings.spare_bytes,
                        sessions=settings.sessions)
    try:
        return EmbeddedLog(settings, file, logger=logger, on_fatal=on_fatal, failpoint=failpoint, loop=loop)
    except BaseException:
        file.close()
        raise


class EmbeddedLog:
    """`Log` over one SQLite file. Made by `open_log`; used in that event loop only."""

    def __init__(
        self, settings: LogSettings, file: LogFile, *, logger: Logger, on_fatal: Callable[[BaseException], None],
        failpoint: FailPoint, loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._settings = settings
        self._loop = loop
        self._on_fatal = on_fatal
        self._end = file.end
        self._trimmed = file.trimmed
        self._recent = Recent(
            end=file.end, lasts=file.lasts, bytes_=settings.cache_bytes, events=settings.cache_events,
        )
        self._recent.trim(file.trimmed)
        self._jobs: set[Job] = set()
        self._pending_bytes = 0
        self._pending_entries = 0
        self._waiters: set[tuple[int, asyncio.Future[None]]] = set()
        self._closed = False
        self._stopped = ""  # why nothing is taken any more
        self._lookup = LogReader(settings.path)  # point queries, in the event loop
        self._reader = LogReader(settings.path)
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="log-reader")
        self._writer = LogWriter(
            file, tell=self._tell, logger=logger, failpoint=failpoint,
            idle_wal_bytes=settings.idle_wal_bytes, wal_bytes=settings.wal_bytes,
        )
        self._writer.start()

    async def append(self, entries: Sequence[Entry]) -> int:
        """As the port. What a cancelled call was to write may be written all the same."""
        self._check_open()
        if not entries:
            return self._end.seq
        if self._pending_bytes >= self._settings.pending_bytes or (
            self._pending_entries >= self._settings.pending_entries
        ):
            raise BusyError(
                f"{self._pending_entries} frames wait to be written to the log", retry_after=1,
                hint="send again a second later; where that goes on, the disk is too slow for this rate",
            )
        packed = [pack(entry) for entry in entries]
        job = Append(packed, sum(len(one.data) for one in packed), self._loop.create_future())
        self._pending_bytes += job.bytes
        self._pending_entries += len(packed)
        return await self._do(job)

    async def read(self, *, after: int, lane: int | None, events: int) -> list[Numbered]:
        """As the port; 1,024 entries at most."""
        self._check_open()
        found = self._recent.read(after, lane, events)
        if found is None:
            end = self._end.seq
            found = await self._in_reader(lambda: self._reader.read(after, lane, events, end))
        return found

    async def wait(self, after: int, *, timeout: float) -> bool:  # noqa: ASYNC109 - the port's
        """As the port; False at once where the log closes."""
        if self._end.seq > after or self._stopped:
            return self._end.seq > after
        waiter = (after, self._loop.create_future())
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter[1]
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)
        return self._end.seq > after

    def end(self) -> int:
        return self._end.seq

    def latest(self) -> int:
        """The highest `accepted_at` of any entry ever (UTC ms); 0 for none."""
        return self._end.latest

    def backlog(self, after: int, *, lane: int) -> int:
        """As the port. A look-up on disk (some 10 µs) where `after` is older than what is in memory."""
        if after >= self._end.seq:
            return 0
        totals = self._trimmed
        if after > totals.seq:
            totals = self._recent.totals(after) or self._lookup.totals(after)
        return self._end.events(lane) - totals.events(lane)

    async def first_since(self, accepted_at: int) -> int:
        end = self._end.seq
        return await self._in_reader(lambda: self._reader.first_since(accepted_at, end))

    async def first(self) -> int:
        return self._trimmed.seq + 1

    async def session_seq(self, tenant: str, session: str) -> int:
        return await self._in_reader(lambda: self._reader.session_seq(tenant, session))

    async def trim(self, *, before: int, accepted_before: int, max_bytes: int) -> int:
        """As the port, from the front only: an entry stays as long as an older one does. `max_bytes` counts the
        entries as compressed."""
        self._check_open()
        return await self._do(Trim(before, accepted_before, max_bytes, self._loop.create_future()))

    async def close(self) -> None:
        """Write what was appended, then close. Appends from now on raise StorageError."""
        if self._closed:
            return
        self._closed = True
        self._stopped = self._stopped or "it is closed"
        self._wake()
        await asyncio.to_thread(self._reading.shutdown)
        self._reader.close()
        self._lookup.close()
        await asyncio.to_thread(self._writer.close)

    async def _do(self, job: Job) -> int:
        self._jobs.add(job)
        self._writer.put(job)
        return await job.done

    async def _in_reader(self, query: Callable[[], T]) -> T:
        self._check_open()
        return await self._loop.run_in_executor(self._reading, query)

    def _check_open(self) -> None:
        if self._stopped:
            raise StorageError(f"the log {self._settings.path} takes nothing: {self._stopped}",
                               hint="send again once the service has started anew")

    def _tell(self, report: Report) -> None:
        """In the writer's thread."""
        if not self._loop.is_closed():  # else nobody is left who waits
            self._loop.call_soon_threadsafe(self._hear, report)

    def _hear(self, report: Report) -> None:
        match report:
            case Written(group, totals):
                self._written(group, totals)
            case Trimmed(trim, trimmed, finished):
                self._trimmed = trimmed
                self._recent.trim(trimmed)
                if finished:
                    self._finish(trim, trim.dropped)
            case Refused(jobs, error):
                for job in jobs:
                    refusal = storage_error(self._settings.path, error, "written")
                    refusal.__cause__ = error
                    self._finish(job, refusal)
            case Died(error):
                self._died(error)

    def _written(self, group: Sequence[Append], totals: Sequence[Totals]) -> None:
        """What is durable becomes readable first, then acknowledged."""
        entries = [packed for job in group for packed in job.entries]
        for packed, each in zip(entries, totals, strict=True):
            self._recent.add(packed.entry, each, lane=packed.lane, events=packed.events, size=len(packed.data))
        last = self._end.seq
        self._end = totals[-1]
        for job in group:
            last += len(job.entries)
            self._finish(job, last)
        self._wake()

    def _finish(self, job: Job, result: int | StorageError) -> None:
        self._jobs.discard(job)
        if isinstance(job, Append):
            self._pending_bytes -= job.bytes
            self._pending_entries -= len(job.entries)
        if job.done.done():  # its caller was cancelled
            return
        if isinstance(result, StorageError):
            job.done.set_exception(result)
        else:
            job.done.set_result(result)

    def _wake(self) -> None:
        for after, waiter in self._waiters:
            if (self._end.seq > after or self._stopped) and not waiter.done():
                waiter.set_result(None)

    def _died(self, error: BaseException) -> None:
        self._stopped = "its writer has stopped"
        try:
            self._on_fatal(error)
        finally:
            for job in list(self._jobs):
                self._finish(job, StorageError(f"the log {self._settings.path} could not be written: {error}",
                                               hint="send again once the service has started anew"))
            self._wake()
