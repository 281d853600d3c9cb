"""One service: everything in one process, made, run and closed."""

import asyncio
import shutil
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from functools import partial
from typing import Final

from monitor.adapters.bundled import bundled
from monitor.adapters.bus.embedded import EmbeddedLog, LogSettings, open_log
from monitor.adapters.keys import KeyFiles
from monitor.adapters.process import trim_heap
from monitor.adapters.spool import Spool
from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.backup import noted
from monitor.bootstrap.checks import check_address, check_folder
from monitor.bootstrap.front import Front
from monitor.bootstrap.notices import key_made
from monitor.bootstrap.running import run_beside
from monitor.bootstrap.stores import open_store
from monitor.domain.errors import StorageError
from monitor.domain.frames import Swap
from monitor.domain.tenants import LOCAL
from monitor.engine.engineset import EngineSet
from monitor.services.admission import kept_ms
from monitor.services.auditing import Auditing
from monitor.services.canary import Canary
from monitor.services.demo import play
from monitor.services.detect import Detect, DetectSettings
from monitor.services.drift import Drift
from monitor.services.housekeeping import Housekeeping, HousekeepingSettings
from monitor.services.ingest import KEY_MEMORY, Ingest, IngestSettings
from monitor.services.observing import Observer
from monitor.services.pseudonyms import Pseudonyms
from monitor.services.roomlimit import RoomLimit

_LAST_JUDGEMENT_S: Final = 5
"""How long a stop waits for what is being judged. With the requests: less than the 10 s that containers are given."""


class Service(Front):
    """Everything that one process runs: `await open()`, `await listen()`, `await run()`, `await close()`."""

    log: EmbeddedLog

    async def open(self) -> None:
        """Adapters, then services; state is rebuilt from the log before anything is answered."""
        check_folder(self.folder)
        check_address(self.settings)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tenants = await self._data()
        first = self.log.end() == 0
        self._judges(self.folder / "models")
        await self.works.load()
        await self.works.dry_runs.abandon()
        engine = await self.rulebook.load()
        await self._detecting(engine)
        self._answers(engine, self.detect)
        if first or await self.detect.version_at_end() != engine.version:
            await self.log.append([Swap(self.clock.now(), engine.version)])
        self._taking_in(tenants, first=first)
        self._keeping_house()

    async def _data(self) -> set[str]:
        """Store, log and archive; the tenants that have a token."""
        s = self.settings
        database = await open_store(s)
        await self._stored(database)
        tenants = await self._desks(database, self.hub)
        self.log = await open_log(
            LogSettings(path=self.folder / "log.db", cache_bytes=s.log.cache_bytes), logger=self.logger,
            on_fatal=self._fail, failpoint=self.failpoint)
        self._stack.push_async_callback(self.log.close)
        self.session_seq = self.log.session_seq
        self.clock.go_on_from(self.log.latest())
        self.archive = await ParquetArchive.open(
            self.folder / "archive", log=self.logger, failpoint=self.failpoint)
        self._stack.push_async_callback(self.archive.close)
        return tenants

    async def _detecting(self, engine: EngineSet) -> None:
        s = self.settings
        self.drift = Drift(self.models, self.telemetry, self.logger)
        self.detect = Detect(
            log=self.log, store=self.store, archive=self.archive, publisher=self.telling.publisher,
            telemetry=self.telemetry, logger=self.logger, clock=self.clock, engine=engine,
            engine_of=self.rulebook.engine_of, failpoint=self.failpoint, keep=Spool(self.folder).keep,
            placing=self.post.dispatcher, listen=self.telling.corrections.listen,
            observer=Observer(self.telemetry, self.rulebook.shadow_of, drift=self.drift),
            settings=DetectSettings(
                batch=s.engine.batch_events, linger_s=s.engine.linger_ms / 1000, snapshot_ms=s.engine.snapshot_s * 1000,
                silence_ms=s.broadcast.silence_ms,
                grouping=s.alerts.grouping()))
        await self.detect.start()
        await self.telling.go_on(self.store)

    def _taking_in(self, tenants: set[str], *, first: bool) -> None:
        """`tenants`: those whose keys must be there. `first`: the log is new."""
        s = self.settings
        rooms = RoomLimit(s.ingest.rooms, kept_ms=kept_ms(s.broadcast.silence_ms))
        rooms.remember(self.detect.rooms_known())
        pseudonyms = Pseudonyms(KeyFiles(self.folder / "keys", key_file=s.pseudonym.key_file,
                                         on_made=partial(key_made, self.logger, first=first)).key_of)
        pseudonyms.prepare({LOCAL, *tenants})
        self.ingest = Ingest(
            log=self.log, pseudonyms=pseudonyms, clock=self.clock, telemetry=self.telemetry,
            backlog=self.detect.backlog, unwritten=self.detect.unwritten, rooms=rooms, settings=IngestSettings(
                limits=s.ingest.limits(),
                host_backlog=s.ingest.host_backlog, sample_from=s.ingest.sample_from, sample_keep=s.ingest.sample_keep,
                recent=s.ingest.duplicates_window_bytes // (2 * KEY_MEMORY)))

    def _keeping_house(self) -> None:
        s = self.settings
        auditing = Auditing(self.post.posts, self.telemetry, self.logger)
        self.housekeeping = Housekeeping(
            log=self.log, store=self.store, archive=self.archive, detect=self.detect, telemetry=self.telemetry,
            logger=self.logger, clock=self.clock, disk_free=lambda: shutil.disk_usage(self.folder).free,
            settings=HousekeepingSettings(
                log_keep_ms=s.log.keep_hours * 3_600_000, log_max_bytes=s.log.max_bytes,
                events_keep_ms=s.events.keep_days * 86_400_000, outbox_keep=s.outbox.keep),
            trim_heap=trim_heap, expire=self.post.retention.step,
            also=(Canary(lambda: self.detect, self.clock, self.telemetry, self.logger).look, auditing.look,
                  self.drift.look, self.persons.signing.forget, *([] if s.store.url else [self._tell_backup])))

    async def _tell_backup(self) -> None:
        self.telemetry.gauge("backup_last_success_timestamp_seconds", noted(self.folder))

    async def run(self) -> bool:
        """Until `stop`; False where the last judgement took too long to be waited for: the next start reads it again.

        Raises what failed: then the process is to end rather than to acknowledge on.
        """
        judging = asyncio.create_task(self.detect.run())
        await run_beside(self.stopping, self._beside(), main=judging, fatal=lambda: self.fatal)
        self.detect.stop()
        ended, _ = await asyncio.wait([judging], timeout=_LAST_JUDGEMENT_S)
        for task in ended:
            task.result()
        return bool(ended)

    def _beside(self) -> Iterator[Awaitable[None]]:
        """What runs beside the judging."""
        yield self.housekeeping.run(self.stopping)
        yield self._reload_when_wanted()
        yield self._clocks()
        yield self.post.evening.run(self.stopping)
        yield self.post.onboarding.run(self.stopping)
        yield from self.telling.beside()
        yield self.telling.messenger.run()
        yield self.post.rooms.follow(lambda: self.rulebook.refresh_rooms(self.log), self.stopping)
        if self.settings.rules.watch:
            yield self.rulebook.watch(self.log, every_s=1, stop=self.stopping)
        if self.demo:
            streams = sorted((bundled("config") / "demo").glob("*.ndjson"))
            yield play([p.read_bytes() for p in streams], self.ingest, self.clock, self.stopping)

    async def _clocks(self) -> None:
        while True:
            with suppress(StorageError):  # the disk refuses: they are as due a second later
                await self.post.pass_time()
                await self.works.pass_time()
            await asyncio.sleep(1)

    def _unready(self) -> list[str]:
        reasons = []
        if not self.detect.ready:
            reasons.append("room state is being read again from the log")
        if self.fatal is not None:
            reasons.append("the service is stopping after an error")
        waited_s = self.detect.oldest_unjudged_ms() // 1000
        if waited_s > self.settings.engine.late_s:
            reasons.append(f"an event has waited {waited_s} s to be judged, more than {self.settings.engine.late_s} s")
        return reasons
