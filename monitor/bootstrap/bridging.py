"""A bridge: what third parties write to Kafka, into the log. There may be several; they share the partitions."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from monitor.adapters.bus.kafka.bridge import KafkaBridge
from monitor.adapters.bus.kafka.deadletters import DeadLetters
from monitor.adapters.bus.kafka.nodelog import NodeLog
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.topics import Topics
from monitor.adapters.clock import SteadyClock
from monitor.adapters.keys import SharedKey
from monitor.adapters.storage.nodes import SqlNodes
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.adapters.web.auth import Tokens
from monitor.bootstrap.kafka import brokers_of, tenants_of, wanted_of
from monitor.bootstrap.notices import clock_set
from monitor.bootstrap.probing import listen
from monitor.bootstrap.running import run_beside
from monitor.bootstrap.stores import open_store
from monitor.domain.errors import ConfigError
from monitor.services.admission import kept_ms
from monitor.services.ingest import KEY_MEMORY, Ingest, IngestSettings
from monitor.services.nodes import check_keys
from monitor.services.ports import Logger
from monitor.services.pseudonyms import Pseudonyms
from monitor.services.roomlimit import RoomLimit
from monitor.settings import Settings


class Bridge:
    """`await open()`, `await listen()`, `await run()`, `await close()`; `stopping` ends the run."""

    name = "bridge"

    def __init__(self, settings: Settings, *, logger: Logger) -> None:
        self.settings, self.logger = settings, logger
        self.clock = SteadyClock(partial(clock_set, logger))
        self.telemetry = PrometheusTelemetry()
        self.stopping = asyncio.Event()
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        s, tenants = self.settings, tenants_of(self.settings)
        if not tenants:
            raise ConfigError("there is nothing to bridge: no tenant writes to a topic of its own",
                              hint="name them in bus.tenants, then run `redpost topics apply`")
        if not s.store.url:
            raise ConfigError("a bridge compares its pseudonym key with the other nodes', and no store is named",
                              hint="set store.url to their PostgreSQL database")
        keys = SharedKey(s.pseudonym.key_file)
        database = await open_store(s)
        self._stack.push_async_callback(database.close)
        self.store = SqlStore(database)
        await check_keys(SqlNodes(database), tenants, keys.key_of)
        brokers = brokers_of(s)
        async with Topics(brokers) as topics:
            await topics.check(wanted_of(s))
        producer = KafkaProducer(brokers, linger_s=s.bus.linger_ms / 1000)
        await producer.start()
        self._stack.push_async_callback(producer.close)
        dead_letters = DeadLetters(brokers, producer, self.telemetry, self.logger)
        self._stack.push_async_callback(dead_letters.close)
        log = NodeLog(producer, s.bus.partitions, announce=_nothing, note=_nothing)
        pseudonyms = Pseudonyms(keys.key_of)
        pseudonyms.prepare(tenants)
        ingest = Ingest(
            log=log, pseudonyms=pseudonyms, clock=self.clock, telemetry=self.telemetry, backlog=lambda lane: 0,
            rooms=RoomLimit(s.ingest.rooms, kept_ms=kept_ms(s.broadcast.silence_ms)), place=log.place, via="kafka",
            settings=IngestSettings(limits=s.ingest.limits(),
                                    recent=s.ingest.duplicates_window_bytes // (2 * KEY_MEMORY)))
        self.bridge = KafkaBridge(brokers, tenants, ingest.accept, dead_letters, self.telemetry, self.logger,
                                  group=s.bus.group, session_s=s.bus.session_s)
        await self.bridge.start()
        self._stack.push_async_callback(self.bridge.close)

    async def listen(self) -> str:
        """Bind what answers /metrics, /healthz and /readyz; the address."""
        return await listen(self.settings, self.telemetry, Tokens(self.store, self.logger, fresh_s=10), self._stack,
                            alive=lambda: True, unready=list)

    async def run(self) -> None:
        """Until `stopping`. Raises what failed."""
        await run_beside(self.stopping, [self.bridge.run()])

    async def close(self) -> None:
        await self._stack.aclose()


async def _nothing(*_: object) -> None:
    """No rules are loaded here, and no WebSocket comes."""
