"""A worker: partitions of the topic in, findings and alerts out, under Faust."""

import asyncio
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from monitor.adapters.blobs import databases
from monitor.adapters.bundled import model_folder, view_tables
from monitor.adapters.bus.kafka.deadletters import DeadLetters
from monitor.adapters.bus.kafka.host import FaustHost
from monitor.adapters.bus.kafka.partitionlog import PartitionLog
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.rereader import KafkaRereader, Read
from monitor.adapters.bus.kafka.topics import Topics
from monitor.adapters.bus.kafka.wire import Poison
from monitor.adapters.clock import SteadyClock
from monitor.adapters.failpoints import FailPoints
from monitor.adapters.ml.shelf import ModelShelf
from monitor.adapters.outside import Outside
from monitor.adapters.process import give_memory_back, trim_heap
from monitor.adapters.spool import Spool
from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.cues import SqlCues
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web.auth import Tokens
from monitor.bootstrap.checks import check_folder
from monitor.bootstrap.compiling import compile_aside
from monitor.bootstrap.kafka import brokers_of, wanted_of
from monitor.bootstrap.notices import clock_set
from monitor.bootstrap.post import PostDesks
from monitor.bootstrap.probing import listen
from monitor.bootstrap.ruleworks import rule_folder
from monitor.bootstrap.running import run_beside
from monitor.bootstrap.stores import open_store
from monitor.bootstrap.telling import Telling
from monitor.domain.errors import StorageError
from monitor.engine.engineset import EngineSet
from monitor.services.canary import Canary
from monitor.services.detect import Detect, DetectSettings
from monitor.services.drift import Drift
from monitor.services.following import follow_cues
from monitor.services.housekeeping import Chores, ChoreSettings, tell_judging
from monitor.services.observing import Observer
from monitor.services.owning import Closes, Fed, Owning
from monitor.services.partitions import OfPartition, Together
from monitor.services.ports import Logger
from monitor.services.records import Update
from monitor.services.rulebook import Rulebook
from monitor.services.watchdog import Watchdog
from monitor.settings import Settings

_LINGER_S: Final = 0.02
_LINGER_BELOW: Final = 1_000
_ARCHIVE_MS: Final = 3_000
"""Web nodes show what was said once it is in the archive."""
_ARCHIVE_EVENTS: Final = 8_000
_TIDY_AFTER_MS: Final = 30_000
_MOST_UNWRITTEN: Final = 500_000
_DAY_MS: Final = 86_400_000


class Nobody:
    """Updates are read from the outbox by the web nodes."""

    def publish(self, updates: Sequence[Update]) -> None: ...


class Worker:
    """`await open()`, `await run()`, `await close()`; `stopping` ends the run."""

    name = "worker"

    def __init__(self, settings: Settings, *, logger: Logger) -> None:
        self.settings, self.logger = settings, logger
        self.clock = SteadyClock(partial(clock_set, logger))
        self.telemetry = PrometheusTelemetry()
        self.failpoint = FailPoints.from_environment()
        self.folder = Path(settings.data.dir)
        self.brokers = brokers_of(settings)
        self.stopping = asyncio.Event()
        self.fatal: BaseException | None = None
        self._stack = AsyncExitStack()
        self._archives: dict[int, ParquetArchive] = {}

    async def open(self) -> None:
        check_folder(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with Topics(self.brokers) as topics:
            await topics.check(wanted_of(self.settings))
        await self._data()
        self._judges()
        await self.telling.go_on(self.store)
        await self._bus()

    async def _data(self) -> None:
        s = self.settings
        database = await open_store(s)
        self._stack.push_async_callback(database.close)
        self.store = SqlStore(database)
        self.together = Together(self.store)
        self.post = await PostDesks.opened(database, Nobody(), self.telemetry, self.clock, s)
        self.telling = Telling(
            database, self.post.organising, Nobody(), tables=view_tables(), outside=Outside(private=s.outside.private),
            zone=s.tenant.zone, clock=self.clock, telemetry=self.telemetry, logger=self.logger)
        self._stack.push_async_callback(self.telling.close)

    def _judges(self) -> None:
        s = self.settings
        cache = self.folder / "cache"
        known = databases(cache)
        models = ModelShelf(model_folder(s.model.dir), s.shared / "models")
        self.rulebook = Rulebook(
            rule_folder(s, known), self.store, view_tables(), logger=self.logger, telemetry=self.telemetry,
            clock=self.clock, models=models, databases=known,
            aside=partial(compile_aside, cache=cache), after_compiling=give_memory_back,
            rooms=self.post.rooms.contexts)
        self.drift = Drift(models, self.telemetry, self.logger)
        self.observer = Observer(self.telemetry, self.rulebook.shadow_of, drift=self.drift)

    async def _bus(self) -> None:
        self.clients()
        for client in (self.rereader, self.producer):
            await client.start()
            self._stack.push_async_callback(client.close)
        self._stack.push_async_callback(self.dead_letters.close)

    def clients(self) -> None:
        """What talks to the brokers and shares out their partitions; nothing is connected yet."""
        s = self.settings
        self.rereader = KafkaRereader(self.brokers)
        self.producer = KafkaProducer(self.brokers, linger_s=s.bus.linger_ms / 1000)
        self.dead_letters = DeadLetters(self.brokers, self.producer, self.telemetry, self.logger)
        self._engine_thread, self._archive_thread = (
            ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("engine", "archive-writer"))
        for thread in (self._engine_thread, self._archive_thread):
            self._stack.callback(thread.shutdown, wait=False, cancel_futures=True)
        self.owning = Owning(
            open_log=self._open_log, store_of=lambda partition: OfPartition(self.together, partition),
            engine_of=lambda version: self.rulebook.engine_of(version),
            detect=self._detect, failed=self.failed, telemetry=self.telemetry, logger=self.logger)
        self.host = FaustHost(self.brokers, self, group=s.bus.group, session_s=s.bus.session_s,
                              folder=str(self.folder / "faust"))
        self.watchdog = Watchdog(self.owning, lambda: self.host.rebalancing, self.clock, self.telemetry,
                                 session_ms=s.bus.session_s * 1000)

    async def _open_log(self, partition: int) -> Fed:
        return await PartitionLog.opened(partition, rereader=self.rereader, send=self.producer.send,
                                         memory_events=self.settings.bus.memory_events)

    async def _detect(self, partition: int, log: Fed, engine: EngineSet) -> tuple[Detect, Closes]:
        s = self.settings
        spool = self.folder / "spool"
        spool.mkdir(exist_ok=True, mode=0o700)
        archive = self._archives[partition] = await ParquetArchive.open(
            s.shared / "archive" / f"p{partition:04d}", log=self.logger, failpoint=self.failpoint,
            writer=self._archive_thread)
        return Detect(
            log=log, store=OfPartition(self.together, partition), archive=archive, publisher=self.telling.publisher,
            telemetry=self.telemetry, logger=self.logger, clock=self.clock, engine=engine,
            engine_of=self.rulebook.engine_of, failpoint=self.failpoint, keep=Spool(spool).keep,
            placing=self.post.dispatcher, listen=self.telling.corrections.listen, executor=self._engine_thread,
            observer=self.observer,
            settings=DetectSettings(
                batch=s.engine.batch_events, linger_s=_LINGER_S, linger_below=_LINGER_BELOW,
                snapshot_ms=s.engine.snapshot_s * 1000, archive_ms=_ARCHIVE_MS, archive_events=_ARCHIVE_EVENTS,
                silence_ms=s.broadcast.silence_ms, grouping=s.alerts.grouping())), archive

    async def listen(self) -> str:
        """Bind what answers /metrics, /healthz and /readyz; the address."""
        tokens = Tokens(self.store, self.logger, fresh_s=10)
        return await listen(self.settings, self.telemetry, tokens, self._stack, alive=lambda: self.fatal is None,
                            unready=self._unready)

    async def run(self) -> None:
        """Until `stopping`; then everything that was judged is committed. Raises what failed."""
        await self.host.start()
        await run_beside(self.stopping, (
            *self.telling.beside(), self._clocks(), self.watchdog.run(), self._cues(),
            self._chores().run(self.stopping)), fatal=lambda: self.fatal)
        await self.owning.close()
        await self.host.stop()

    async def close(self) -> None:
        await self._stack.aclose()

    def failed(self, error: BaseException) -> None:
        self.fatal = self.fatal or error
        self.stopping.set()

    async def assigned(self, partitions: Any) -> None:
        await self.owning.assigned(partitions)

    async def revoked(self, partitions: Any) -> None:
        await self.owning.revoked(partitions)

    async def deliver(self, partition: int, message: Read) -> None:
        await self.owning.deliver(partition, message)

    def poison(self, partition: int, record: Any, why: Poison) -> None:
        self.dead_letters.put(partition, record, why)

    def _unready(self) -> list[str]:
        reasons = [] if self.fatal is None else ["it is about to end"]
        if self.host.rebalancing:
            reasons.append("the workers share out the partitions")
        return reasons

    def _chores(self) -> Chores:
        """Of the archives of its partitions."""
        def owned() -> list[ParquetArchive]:
            return [archive for partition, archive in self._archives.items() if partition in self.owning.shares]

        async def expire() -> None:
            for archive in owned():
                await archive.expire(before=self.clock.now() - self.settings.events.keep_days * _DAY_MS)

        async def tidy(before: int) -> bool:
            return any([await archive.tidy(before=before) for archive in owned()])

        async def tell() -> None:
            free = min(shutil.disk_usage(place).free for place in (self.folder, self.settings.shared))
            tell_judging(self.owning.judging(), free, self.telemetry)
            if not self.owning.judging():
                self.telemetry.forget("canary_last_ok_timestamp_seconds", "ruleset_info", "model_info")

        canary = Canary(lambda: next(iter(self.owning.judging()), None), self.clock, self.telemetry, self.logger)
        trims = (canary.look, self.drift.look, expire, partial(asyncio.to_thread, trim_heap))
        return Chores(gauges=(tell,), trims=trims, tidy=(tidy,), logger=self.logger, clock=self.clock,
                      settings=ChoreSettings(tidy_after_ms=_TIDY_AFTER_MS))

    async def _cues(self) -> None:
        """What web nodes cue may be corrected on air."""
        await follow_cues(SqlCues(self.post.database), self.post.organising.tenants, self.telling.corrections.watch,
                          self.clock)

    async def _clocks(self) -> None:
        """Records and models that web nodes change are taken; what the archive refuses does not grow for ever."""
        while True:
            await self.post.organising.load()
            await self.rulebook.follow_shadows()
            waiting = self.owning.unwritten()
            if waiting > _MOST_UNWRITTEN:
                raise StorageError(f"{waiting} judged events wait for the archive at {self.settings.shared}",
                                   hint="bring the folder back, or free space there; the log has all of them")
            await asyncio.sleep(1)
