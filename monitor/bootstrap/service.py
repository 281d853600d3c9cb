"""One service: its adapters, its services and its web application, made, run and closed."""

import asyncio
import shutil
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Final, cast

from aiohttp import web

from monitor.adapters.blobs import databases
from monitor.adapters.bundled import bundled, model_folder, view_tables
from monitor.adapters.bus.embedded import EmbeddedLog, LogSettings, open_log
from monitor.adapters.clock import SteadyClock
from monitor.adapters.failpoints import FailPoints
from monitor.adapters.keys import KeyFiles
from monitor.adapters.ml.shelf import ModelShelf
from monitor.adapters.outside import Outside
from monitor.adapters.process import give_memory_back, trim_heap
from monitor.adapters.recordfiles import read
from monitor.adapters.spool import Spool
from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web.app import build_app
from monitor.adapters.web.door import BACKLOG, Door
from monitor.adapters.web.hub import SseHub
from monitor.adapters.web.services import WebServices, WebSettings
from monitor.bootstrap.checks import cannot_listen, check_address, check_folder, is_open
from monitor.bootstrap.compiling import compile_aside
from monitor.bootstrap.learning import learn_aside
from monitor.bootstrap.notices import clock_set, key_made, most_connections
from monitor.bootstrap.persons import open_persons
from monitor.bootstrap.post import PostDesks
from monitor.bootstrap.ruleworks import RuleWorks, rule_folder
from monitor.bootstrap.stores import open_store
from monitor.bootstrap.telling import Telling
from monitor.domain.errors import RedpostError, StorageError
from monitor.domain.frames import Swap
from monitor.domain.tenants import LOCAL
from monitor.engine.engineset import EngineSet
from monitor.services.admission import kept_ms
from monitor.services.auditing import Auditing
from monitor.services.demo import play
from monitor.services.demo_organisation import furnish, link_rooms
from monitor.services.demo_sound import recording
from monitor.services.detect import Detect, DetectSettings
from monitor.services.evidence import EvidenceDesk
from monitor.services.housekeeping import Housekeeping, HousekeepingSettings
from monitor.services.ingest import KEY_MEMORY, Ingest, IngestSettings
from monitor.services.labelling import Labelling
from monitor.services.learning import Learning
from monitor.services.lifecycle import Lifecycle
from monitor.services.observing import Observer
from monitor.services.ports import Logger
from monitor.services.pseudonyms import Pseudonyms
from monitor.services.roomlimit import RoomLimit
from monitor.services.rulebook import Rulebook, Why
from monitor.settings import Settings

_LAST_REQUESTS_S: Final = 3
"""How long a stop waits for requests that are being answered."""
_LAST_JUDGEMENT_S: Final = 5
"""How long a stop waits for what is being judged. With the requests: less than the 10 s that containers are given."""


class Service:
    """Everything that one process runs. `async with Service.opened(settings)`, then `run`."""

    def __init__(self, settings: Settings, *, demo: bool, logger: Logger) -> None:
        self.settings = settings
        self.demo = demo
        self.logger = logger
        self.clock = SteadyClock(partial(clock_set, logger))
        self.outside = Outside(private=settings.outside.private)
        self.telemetry = PrometheusTelemetry()
        self.failpoint = FailPoints.from_environment()
        self.folder = Path(settings.data.dir)
        self.stopping = asyncio.Event()
        self.reload_wanted = asyncio.Event()
        self.fatal: BaseException | None = None
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Adapters, then services; state is rebuilt from the log before anything is answered."""
        check_folder(self.folder)
        check_address(self.settings)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        tenants = await self._data()
        first = self.log.end() == 0
        self._judges()
        self._learns()
        await self.works.load()
        engine = await self.rulebook.load()
        await self._detecting(engine)
        self.evidence = EvidenceDesk(self.store, self.detect, lambda: self.rulebook.current).evidence
        self.post.join(self.evidence, self.archive, lambda: self.rulebook.current)
        if first or await self.detect.version_at_end() != engine.version:
            await self.log.append([Swap(self.clock.now(), engine.version)])
        self._taking_in(tenants, first=first)
        self.labelling = Labelling(self.store, engine.tables, self.clock)
        self._keeping_house()

    async def _data(self) -> set[str]:
        """Store, log and archive; the tenants that have a token."""
        s = self.settings
        database = await open_store(s)
        self._stack.push_async_callback(database.close)
        self.store = SqlStore(database)
        self.hub = SseHub(self.telemetry, last=await self.store.outbox_ends())
        self.post = await PostDesks.opened(database, self.hub, self.telemetry, self.clock, s)
        if self.demo:
            text = (bundled("config") / "demo/organisation.yml").read_text(encoding="utf-8")
            await furnish(self.post.organising, self.clock, read(text, "organisation.yml"))
        self.persons = await open_persons(database, self.post.organising, self.clock, self.telemetry, s,
                                          demo=self.demo, stack=self._stack)
        self.telling = Telling(
            database, self.post.organising, self.hub, tables=view_tables(), outside=self.outside, zone=s.tenant.zone,
            clock=self.clock, telemetry=self.telemetry, logger=self.logger)
        self._stack.push_async_callback(self.telling.close)
        self.room_links = await link_rooms(self.telling.links, self.post.organising) if self.demo else {}
        tokens = [token for token in await self.store.tokens() if token.revoked_at is None]
        if is_open(s) and tokens:
            self.logger.warning("open_on_loopback", hint="there are tokens, but programs of this machine need none, a "
                                "proxy or tunnel that adds no header included; set http.require_token")
        self.log: EmbeddedLog = await open_log(
            LogSettings(path=self.folder / "log.db", cache_bytes=s.log.cache_bytes), logger=self.logger,
            on_fatal=self._fail, failpoint=self.failpoint)
        self._stack.push_async_callback(self.log.close)
        self.clock.go_on_from(self.log.latest())
        self.archive = await ParquetArchive.open(
            self.folder / "archive", log=self.logger, failpoint=self.failpoint)
        self._stack.push_async_callback(self.archive.close)
        return {token.tenant for token in tokens}

    def _judges(self) -> None:
        """Rules and classifiers, to be loaded."""
        s = self.settings
        cache = self.folder / "cache"
        self.models = ModelShelf(model_folder(s.model.dir), self.folder / "models")
        folder = rule_folder(s, demo=self.demo, over=lambda: self.works.laid())
        self.rulebook = Rulebook(folder, self.store, view_tables(), logger=self.logger,
                                 telemetry=self.telemetry, clock=self.clock,
                                 models=self.models, databases=databases(cache),
                                 aside=partial(compile_aside, cache=cache), after_compiling=give_memory_back,
                                 rooms=self.post.rooms.contexts, record=self.post.posts.write)
        self.works = RuleWorks(self.post.database, folder, self.rulebook, self.log, self.archive, self.post, s,
                               clock=self.clock, logger=self.logger)
        self._stack.push_async_callback(self.works.dry_runs.stop)
        self.lifecycle = Lifecycle(self.models, lambda: self.rulebook.reload(self.log), clock=self.clock,
                                   logger=self.logger, record=self.post.posts.write)

    async def _detecting(self, engine: EngineSet) -> None:
        s = self.settings
        self.detect = Detect(
            log=self.log, store=self.store, archive=self.archive, publisher=self.telling.publisher,
            telemetry=self.telemetry, logger=self.logger, clock=self.clock, engine=engine,
            engine_of=self.rulebook.engine_of, failpoint=self.failpoint, keep=Spool(self.folder).keep,
            placing=self.post.dispatcher, listen=self.telling.corrections.listen,
            observer=Observer(self.telemetry, self.rulebook.shadow_of),
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
            also=(auditing.look, self.persons.signing.forget))

    def _learns(self) -> None:
        """Trainings, in processes of their own."""
        train = partial(learn_aside, data=self.folder, model=self.settings.model.dir)
        self.learning = Learning(train, lambda: self.rulebook.reload(self.log), clock=self.clock, logger=self.logger)
        self._stack.push_async_callback(self.learning.close)

    async def listen(self) -> str:
        """Bind and answer; the address."""
        s = self.settings
        self.web = WebSettings(
            host=s.http.host, loopback=is_open(s), limits=self.ingest.settings.limits,
            max_body_bytes=s.http.max_body_bytes, max_decompressed_bytes=s.http.max_decompressed_bytes,
            max_sockets=s.http.max_sockets, body_timeout_s=s.http.body_timeout_s,
            answers_ms=self.post.retention.answers_ms)
        app = build_app(
            WebServices(
                ingest=self.ingest, session_seq=self.log.session_seq, labelling=self.labelling,
                lifecycle=self.lifecycle, learning=self.learning, review=self.post.review, misses=self.post.misses,
                links=self.post.links, organising=self.post.organising, exporting=self.post.exporting,
                figures=self.post.figures(self.lifecycle.listed),
                evening=self.post.evening, air=self.post.air, planning=self.post.planning, signing=self.persons.signing,
                people=self.persons.people, trail=self.post.posts, checking=self.post.checking,
                answers=self.post.answers, store=self.store,
                archive=self.archive, hub=self.hub, holding=self.post.holding, trying=self.post.trying,
                outside=self.outside,
                cues=self.telling.cues, room_links=self.telling.links, cue_hub=self.telling.cue_hub,
                messenger=self.telling.messenger, workbench=self.works.workbench, rule_trial=self.works.trial,
                dry_runs=self.works.dry_runs,
                reload=lambda: self.rulebook.reload(self.log), health=self._unready,
                alive=lambda: self.fatal is None, telemetry=self.telemetry, clock=self.clock, logger=self.logger,
                evidence=self.evidence, recordings=_recordings() if self.demo else {}),
            self.web)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_LAST_REQUESTS_S)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        loop = asyncio.get_running_loop()
        self.door = Door(cast(web.Server, runner.server), most_connections(self.logger, s.http.connections),
                         head_s=s.http.head_timeout_s,
                         on_full=lambda: self.telemetry.count("connections_refused_total"),
                         on_slow=lambda: self.telemetry.count("connections_slow_total"), later=loop.call_later)
        try:
            listening = await loop.create_server(
                self.door, s.http.host, s.http.port, backlog=BACKLOG)
        except OSError as error:
            raise cannot_listen(s, error) from error
        self._stack.callback(listening.close)
        host, port = listening.sockets[0].getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def run(self) -> bool:
        """Until `stop`; False where the last judgement took too long to be waited for: the next start reads it again.

        Raises what failed: then the process is to end rather than to acknowledge on.
        """
        judging = asyncio.create_task(self.detect.run())
        others = [asyncio.ensure_future(work) for work in self._beside()]
        waiting = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait([judging, waiting, *others], return_when=asyncio.FIRST_COMPLETED)
            failed = [t for t in (judging, *others) if t.done() and t.exception() is not None]
            if failed:
                raise failed[0].exception() or RuntimeError
            if self.fatal is not None:
                raise self.fatal
        finally:
            self.stopping.set()
            waiting.cancel()
            for task in others:
                task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
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
        yield self.post.rooms.follow(lambda: self.rulebook.refresh_rooms(self.log), self.stopping)
        if self.settings.rules.watch:
            yield self.rulebook.watch(self.log, every_s=1, stop=self.stopping)
        if self.demo:
            streams = sorted((bundled("config") / "demo").glob("*.ndjson"))
            yield play([p.read_bytes() for p in streams], self.ingest, self.clock, self.stopping)

    async def _reload_when_wanted(self) -> None:
        while True:
            await self.reload_wanted.wait()
            self.reload_wanted.clear()
            with suppress(RedpostError):  # said and counted where it happened; the old rules go on judging
                await self.rulebook.reload_unasked(self.log, Why.SIGNAL)

    async def _clocks(self) -> None:
        while True:
            with suppress(StorageError):  # the disk refuses: they are as due a second later
                await self.post.pass_time()
                await self.works.pass_time()
            await asyncio.sleep(1)

    async def close(self) -> None:
        await self._stack.aclose()

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

    def _fail(self, error: BaseException) -> None:
        self.fatal = error
        self.logger.error("fatal", error=repr(error))
        self.stopping.set()


def _recordings() -> dict[str, bytes]:
    """By what the demo's records name."""
    return {"demo:food": recording((bundled("config") / "demo/food.ndjson").read_bytes())}
