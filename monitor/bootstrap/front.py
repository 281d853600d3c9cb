"""What answers people and programs: the store, the post's desks, the workbench of rules, and the web application.

How events are judged, here or elsewhere, is for those who inherit from it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from secrets import token_bytes
from typing import Final, cast

from aiohttp import web

from monitor.adapters.blobs import databases
from monitor.adapters.bundled import bundled, model_folder, view_tables
from monitor.adapters.clock import SteadyClock
from monitor.adapters.failpoints import FailPoints
from monitor.adapters.ml.shelf import ModelShelf
from monitor.adapters.outside import Outside
from monitor.adapters.process import give_memory_back
from monitor.adapters.recordfiles import read
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.storage.trainings import SqlTrainings
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web.app import build_app
from monitor.adapters.web.door import BACKLOG, Door
from monitor.adapters.web.hub import SseHub
from monitor.adapters.web.services import WebServices, WebSettings
from monitor.bootstrap.checks import cannot_listen, is_open
from monitor.bootstrap.compiling import compile_aside
from monitor.bootstrap.learning import learn_aside
from monitor.bootstrap.notices import clock_set, most_connections
from monitor.bootstrap.persons import open_persons
from monitor.bootstrap.post import PostDesks
from monitor.bootstrap.ruleworks import RuleWorks, rule_folder
from monitor.bootstrap.telling import Telling
from monitor.domain.errors import RedpostError
from monitor.engine.engineset import EngineSet
from monitor.services.demo_organisation import furnish, link_rooms
from monitor.services.demo_sound import recording
from monitor.services.evidence import EvidenceDesk, FreshLines
from monitor.services.ingest import Ingest
from monitor.services.labelling import Labelling
from monitor.services.learning import Learning
from monitor.services.lifecycle import Lifecycle
from monitor.services.onlookers import Onlookers
from monitor.services.ports import Archive, Logger, Publisher, Sink
from monitor.services.rulebook import Rulebook, Why
from monitor.settings import Settings

_LAST_REQUESTS_S: Final = 3
"""How long a stop waits for requests that are being answered."""


class Front:
    """Its parts in the order in which they need each other: `_desks`, `_judges`, `_answers`, then `listen`."""

    log: Sink
    archive: Archive
    ingest: Ingest
    session_seq: Callable[[str, str], Awaitable[int]]
    cue_look_s: float = 15
    shared = False
    """Other processes answer people, too."""

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
        self.media_key = token_bytes(32)
        self._stack = AsyncExitStack()

    async def _desks(self, database: Database, publisher: Publisher) -> set[str]:
        """`publisher`: takes what people change. The tenants that have a token."""
        s = self.settings
        self.post = await PostDesks.opened(database, publisher, self.telemetry, self.clock, s)
        self.post.evening.listening = self.onlookers.listening
        if self.demo:
            text = (bundled("config") / "demo/organisation.yml").read_text(encoding="utf-8")
            await furnish(self.post.organising, self.clock, read(text, "organisation.yml"))
        self.persons = await open_persons(database, self.post.organising, self.clock, self.telemetry, s,
                                          demo=self.demo, stack=self._stack)
        self.telling = Telling(
            database, self.post.organising, publisher, tables=view_tables(), outside=self.outside, zone=s.tenant.zone,
            clock=self.clock, telemetry=self.telemetry, logger=self.logger)
        self._stack.push_async_callback(self.telling.close)
        self.room_links = await link_rooms(self.telling.links, self.post.organising) if self.demo else {}
        tokens = [token for token in await self.store.tokens() if token.revoked_at is None]
        if is_open(s) and tokens:
            self.logger.warning("open_on_loopback", hint="there are tokens, but programs of this machine need none, a "
                                "proxy or tunnel that adds no header included; set http.require_token")
        return {token.tenant for token in tokens}

    async def _stored(self, database: Database) -> None:
        self._stack.push_async_callback(database.close)
        self.store = SqlStore(database)
        self.hub = SseHub(self.telemetry, last=await self.store.outbox_ends())
        self.onlookers = Onlookers(self.hub)

    def _judges(self, models: Path) -> None:
        """Rules and classifiers, to be loaded. `models`: where those that were trained lie."""
        s = self.settings
        cache = self.folder / "cache"
        known = databases(cache)
        self.models = ModelShelf(model_folder(s.model.dir), models)
        folder = rule_folder(s, known, demo=self.demo, over=lambda: self.works.laid())
        self.rulebook = Rulebook(folder, self.store, view_tables(), logger=self.logger,
                                 telemetry=self.telemetry, clock=self.clock,
                                 models=self.models, databases=known,
                                 aside=partial(compile_aside, cache=cache), after_compiling=give_memory_back,
                                 rooms=self.post.rooms.contexts, record=self.post.posts.write)
        self.works = RuleWorks(self.post.database, folder, self.rulebook, self.log, self.archive, self.post, s,
                               clock=self.clock, logger=self.logger, shared=self.shared)
        self._stack.push_async_callback(self.works.dry_runs.close)
        self.lifecycle = Lifecycle(self.models, lambda: self.rulebook.reload(self.log), clock=self.clock,
                                   logger=self.logger, record=self.post.posts.write)
        train = partial(learn_aside, data=self.folder, model=s.model.dir, store=s.store.url, shared=s.data.shared)
        self.learning = Learning(train, SqlTrainings(self.post.database), lambda: self.rulebook.reload(self.log),
                                 clock=self.clock, logger=self.logger)
        self._stack.push_async_callback(self.learning.close)

    def _answers(self, engine: EngineSet, lines: FreshLines) -> None:
        """`lines`: what was said so lately that the store has not got it yet."""
        self.evidence = EvidenceDesk(self.store, lines, lambda: self.rulebook.current).evidence
        self.post.join(self.evidence, self.archive, lambda: self.rulebook.current)
        self.labelling = Labelling(self.store, engine.tables, self.clock)

    async def listen(self) -> str:
        """Bind and answer; the address."""
        s = self.settings
        self.web = WebSettings(
            host=s.http.host, loopback=is_open(s), limits=self.ingest.settings.limits,
            max_body_bytes=s.http.max_body_bytes, max_decompressed_bytes=s.http.max_decompressed_bytes,
            max_sockets=s.http.max_sockets, body_timeout_s=s.http.body_timeout_s,
            answers_ms=self.post.retention.answers_ms, cue_look_s=self.cue_look_s)
        app = build_app(
            WebServices(
                ingest=self.ingest, session_seq=self.session_seq, labelling=self.labelling,
                lifecycle=self.lifecycle, learning=self.learning, review=self.post.review, misses=self.post.misses,
                links=self.post.links, organising=self.post.organising, exporting=self.post.exporting,
                figures=self.post.figures(self.lifecycle.listed),
                evening=self.post.evening, air=self.post.air, planning=self.post.planning, signing=self.persons.signing,
                people=self.persons.people, trail=self.post.posts, checking=self.post.checking,
                answers=self.post.answers, store=self.store,
                archive=self.archive, hub=self.hub, onlookers=self.onlookers, holding=self.post.holding,
                trying=self.post.trying, outside=self.outside,
                cues=self.telling.cues, room_links=self.telling.links, cue_hub=self.telling.cue_hub,
                messenger=self.telling.messenger, workbench=self.works.workbench, rule_trial=self.works.trial,
                dry_runs=self.works.dry_runs, shadows=self.works.shadows,
                reload=lambda: self.rulebook.reload(self.log), health=self._unready,
                alive=lambda: self.fatal is None, telemetry=self.telemetry, clock=self.clock, logger=self.logger,
                evidence=self.evidence, recordings=_recordings() if self.demo else {}, media_key=self.media_key),
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

    async def _reload_when_wanted(self) -> None:
        while True:
            await self.reload_wanted.wait()
            self.reload_wanted.clear()
            with suppress(RedpostError):  # said and counted where it happened; the old rules go on judging
                await self.rulebook.reload_unasked(self.log, Why.SIGNAL)

    async def close(self) -> None:
        await self._stack.aclose()

    def _unready(self) -> list[str]:
        """Why it is not ready; nothing where it is."""
        raise NotImplementedError

    def _fail(self, error: BaseException) -> None:
        self.fatal = error
        self.logger.error("fatal", error=repr(error))
        self.stopping.set()


def _recordings() -> dict[str, bytes]:
    """By what the demo's records name."""
    return {"demo:food": recording((bundled("config") / "demo/food.ndjson").read_bytes())}
