"""A web node: it takes events in, writes them to Kafka, and shows what workers find. There may be any number.

What is to be done once, by clocks, is done by the node whose turn it is; the database says whose.
"""

import asyncio
import os
import secrets
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Final

from monitor.adapters.bus.kafka.nodelog import NodeLog
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.topics import Topics
from monitor.adapters.keys import SharedKey
from monitor.adapters.process import trim_heap
from monitor.adapters.storage.gathered import GatheredArchive
from monitor.adapters.storage.nodes import SqlNodes
from monitor.adapters.storage.onlookers import SqlGatherings
from monitor.bootstrap.checks import check_address, check_folder
from monitor.bootstrap.front import Front
from monitor.bootstrap.kafka import brokers_of, wanted_of
from monitor.bootstrap.running import run_beside
from monitor.bootstrap.stores import open_store
from monitor.domain.errors import ConfigError, StorageError
from monitor.domain.tenants import LOCAL
from monitor.services.admission import kept_ms
from monitor.services.auditing import Auditing
from monitor.services.following import KeptLines, OutboxFollower
from monitor.services.housekeeping import Chores, ChoreSettings, QueueGauges, in_steps
from monitor.services.ingest import KEY_MEMORY, Ingest, IngestSettings
from monitor.services.nodes import Announcing, SocketNumbers, Turn, check_keys, derived
from monitor.services.onlookers import SharedOnlookers
from monitor.services.pseudonyms import Pseudonyms
from monitor.services.roomlimit import RoomLimit

_KEEPERS: Final = (
    "alerts_open", "alerts_unrouted", "alert_oldest_open_seconds", "sla_overdue", "storm_breakers_open",
    "rooms_expected_silent", "reviewers_on_duty", "reviewers_connected", "audit_chain_ok",
)
"""Gauges that the node whose turn it is tells for all."""
_AWAY_MS: Final = 10_000
"""The store may be away for so long before the node says that it is not ready."""
_REFRESH_TURNS: Final = 5
_SOCKETS_MS: Final = 7 * 86_400_000
"""A WebSocket session that was away for longer is a new one."""


class WebNode(Front):
    """`await open()`, `await listen()`, `await run()`, `await close()`."""

    cue_look_s = 1.0  # other nodes give cues, too
    shared = True

    async def open(self) -> None:
        s = self.settings
        check_folder(self.folder)
        check_address(s)
        _check_store(s.store.url)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.brokers = brokers_of(s)
        async with Topics(self.brokers) as topics:
            await topics.check(wanted_of(s))
        await self._nodes()
        self._judges(s.shared / "models")
        await self.works.load()
        engine = await self.rulebook.load()
        serving = await self.nodes.serve(engine.version, unless_any=True)
        if serving.version != engine.version:
            self.logger.warning("rules_differ", serving=serving.version, here=engine.version,
                                hint="what judges goes on; SIGHUP lets this node's rules judge")
            await self.rulebook.adopt(serving.version)
        self._answers(engine, KeptLines(self.archive))
        self._taking_in()
        self._keeping_house()

    async def _nodes(self) -> None:
        """The store, the way to the brokers, and what nodes agree on."""
        s = self.settings
        database = await open_store(s)
        await self._stored(database)
        self.follower = OutboxFollower(self.store, self.hub, await self.store.outbox_ends(),
                                       stepped_back=self.hub.step_back)
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.onlookers = self.shared_onlookers = SharedOnlookers(
            self.hub, SqlGatherings(database), self.clock, process=name)
        tenants = await self._desks(database, self.follower)
        self.nodes = SqlNodes(database)
        self.keys = SharedKey(s.pseudonym.key_file)
        await check_keys(self.nodes, {LOCAL, *tenants}, self.keys.key_of)
        self.media_key = derived(self.keys.key_of(LOCAL), "redpost-media")
        self.producer = KafkaProducer(self.brokers, linger_s=s.bus.linger_ms / 1000)
        await self.producer.start()
        self._stack.push_async_callback(self.producer.close)
        self.turn = Turn(self.nodes, self.clock, self.logger, name="clocks", holder=name)
        sockets = SocketNumbers(self.nodes, self.clock)
        self.announcing = Announcing(self.nodes, self.turn, lambda swap: self.log.everywhere(swap), self.clock,
                                     lambda version: self.rulebook.adopt(version))
        self.log: NodeLog = NodeLog(self.producer, s.bus.partitions, announce=self.announcing.announce,
                                    note=sockets.note)
        self.session_seq = sockets.of
        self.archive = GatheredArchive.of(s.shared / "archive")
        self._stack.push_async_callback(self.archive.close)

    def _taking_in(self) -> None:
        s = self.settings
        pseudonyms = Pseudonyms(self.keys.key_of)
        pseudonyms.prepare({LOCAL})
        self.ingest = Ingest(
            log=self.log, pseudonyms=pseudonyms, clock=self.clock, telemetry=self.telemetry,
            backlog=lambda lane: 0, rooms=RoomLimit(s.ingest.rooms, kept_ms=kept_ms(s.broadcast.silence_ms)),
            place=self.log.place, settings=IngestSettings(
                limits=s.ingest.limits(), recent=s.ingest.duplicates_window_bytes // (2 * KEY_MEMORY)))

    def _keeping_house(self) -> None:
        s = self.settings
        auditing = Auditing(self.post.posts, self.telemetry, self.logger)
        pace = ChoreSettings()

        async def disk() -> None:
            self.telemetry.gauge("disk_free_bytes", shutil.disk_usage(self.folder).free)

        async def leave_to_others() -> None:
            if not self.turn.mine:
                self.telemetry.forget(*_KEEPERS)

        def mine(work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
            async def when() -> None:
                if self.turn.mine:
                    await work()

            return when

        self.chores = Chores(
            gauges=(disk, leave_to_others, mine(QueueGauges(self.store, self.telemetry, self.clock).look)),
            trims=(mine(lambda: self.store.trim_outbox(keep=s.outbox.keep)),
                   mine(partial(in_steps, self.post.retention.step, pace.tidy_pause_s)),
                   mine(lambda: self.nodes.forget_sockets(self.clock.now() - _SOCKETS_MS)),
                   mine(self.persons.signing.forget), mine(auditing.look), partial(asyncio.to_thread, trim_heap)),
            tidy=(), logger=self.logger, clock=self.clock, settings=pace)

    async def run(self) -> bool:
        """Until `stopping`. Raises what failed: then the process is to end rather than to acknowledge on."""
        await run_beside(self.stopping, self._beside())
        return True

    def _beside(self) -> Iterator[Awaitable[None]]:
        yield self.turn.run()
        yield self.announcing.run(self.logger)
        yield self.follower.run()
        yield self.shared_onlookers.run()
        yield self.chores.run(self.stopping)
        yield self._reload_when_wanted()
        yield self._clocks()
        yield self.post.evening.run(self.stopping, mine=self._mine)
        yield self.post.onboarding.run(self.stopping, mine=self._mine)
        yield self.telling.messenger.run(self._mine)
        yield self.post.rooms.follow(self._refresh_rooms, self.stopping)
        if self.settings.rules.watch:
            yield self.rulebook.watch(self.log, every_s=1, stop=self.stopping)

    def _mine(self) -> bool:
        return self.turn.mine

    async def _refresh_rooms(self) -> None:
        if self.turn.mine:
            await self.rulebook.refresh_rooms(self.log)

    async def _clocks(self) -> None:
        turn = 0
        while True:
            with suppress(StorageError):  # the store refuses: they are as due a second later
                await self.post.organising.load()
                self._stored_at = self.clock.now()
                if turn % _REFRESH_TURNS == 0:
                    await self.works.refresh()
                if self.turn.mine:
                    await self.post.pass_time_beside()
                    await self.works.pass_time()
            turn += 1
            await asyncio.sleep(1)

    _stored_at: int | None = None

    def _unready(self) -> list[str]:
        if self._stored_at is None or self.clock.now() - self._stored_at <= _AWAY_MS:
            return []
        return ["the store does not answer"]


def _check_store(url: str) -> None:
    if not url:
        raise ConfigError("a web node shares its store with others, and none is named",
                          hint="set store.url to a PostgreSQL database; `redpost serve` does everything in one process")
