"""The way in for programs that write to Kafka themselves: plain messages of one event each, in a topic for each tenant.

The topic is the credential: whoever the brokers let write to it is believed to be the tenant. What comes is put into
frames, with viewers pseudonymised, and the group's offset follows once the brokers have these: a message is bridged at
least once, and known by its ids where it is bridged again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError

from monitor.adapters.bus.kafka.connecting import Brokers, refusals, started
from monitor.adapters.bus.kafka.deadletters import DeadLetters
from monitor.domain.errors import BusyError, StorageError
from monitor.domain.frames import portions
from monitor.services.ingest import Receipt
from monitor.services.ports import Logger, Telemetry

MOST: Final = 5_000
"""Messages that are bridged together; no more than one request may hold."""
_TOGETHER_BYTES: Final = 4 * 2**20
_FETCH_BYTES: Final = 2 * 2**20
_WAIT_MS: Final = 20
_PAUSE_S: Final = 1


class Accept(Protocol):
    def __call__(self, tenant: str, body: bytes) -> Awaitable[Receipt]:
        """As `services.ingest.Ingest.accept`."""
        ...


class KafkaBridge:
    """`await start()`, `await run()` until cancelled, `await close()`."""

    def __init__(
        self, brokers: Brokers, tenants: Sequence[str], accept: Accept, dead_letters: DeadLetters,
        telemetry: Telemetry, logger: Logger, *, group: str, session_s: int,
    ) -> None:
        self._brokers, self._accept, self._dead_letters = brokers, accept, dead_letters
        self._telemetry, self._logger = telemetry, logger
        self._tenant_of = {brokers.events_in(tenant): tenant for tenant in tenants}
        self._next: dict[Any, int] = {}
        self._consumer = AIOKafkaConsumer(
            *self._tenant_of, **brokers.common(), group_id=f"{group}-bridge", enable_auto_commit=False,
            auto_offset_reset="earliest", session_timeout_ms=session_s * 1_000, max_poll_records=MOST,
            max_partition_fetch_bytes=_FETCH_BYTES)

    async def start(self) -> None:
        await started(self._consumer, self._brokers)

    async def close(self) -> None:
        await self._consumer.stop()

    async def run(self) -> None:
        """Raises what the brokers refuse to a consumer."""
        while True:
            with refusals(self._brokers, "reading what third parties sent"):
                found = await self._consumer.getmany(timeout_ms=_WAIT_MS, max_records=MOST)
            self._tell(found)
            if not found:
                continue
            by_tenant: dict[str, list[Any]] = {}
            for place, records in found.items():
                by_tenant.setdefault(self._tenant_of[place.topic], []).extend(records)
            await asyncio.gather(*(self._bridged(tenant, records) for tenant, records in by_tenant.items()))
            with refusals(self._brokers, "noting down what is bridged"), suppress(CommitFailedError, IllegalStateError):
                # refused where partitions were shared out anew: whoever has them bridges this again
                await self._consumer.commit({place: records[-1].offset + 1 for place, records in found.items()})

    async def _bridged(self, tenant: str, records: Sequence[Any]) -> None:
        """Returns once the brokers have all that can be read of it."""
        whole = []
        for record in records:
            if (record.value or b"").lstrip()[:1] == b"{":
                whole.append(record)
            else:
                self._dead_letters.leave(record, "not a JSON object")
        for some in portions(whole, lambda record: len(record.value), most=_TOGETHER_BYTES, count=MOST):
            await self._take(tenant, some)

    async def _take(self, tenant: str, records: Sequence[Any]) -> None:
        body = b"\n".join(record.value.replace(b"\n", b" ") for record in records)
        receipt = await self._patiently(lambda: self._accept(tenant, body))
        if receipt.rejected_total > len(receipt.rejected) and len(records) > 1:
            middle = len(records) // 2  # until all that is wrong is told; what was taken is known
            await self._take(tenant, records[:middle])
            await self._take(tenant, records[middle:])
            return
        for rejected in receipt.rejected:
            self._dead_letters.leave(records[rejected.line - 1], f"{rejected.field}: {rejected.reason}")

    async def _patiently(self, work: Callable[[], Awaitable[Receipt]]) -> Receipt:
        """Where the brokers are away or slow, it waits: nothing is passed over."""
        while True:
            try:
                return await work()
            except (BusyError, StorageError) as error:
                self._logger.warning("bridge_waits", error=str(error))
                await asyncio.sleep(_PAUSE_S)

    def _tell(self, found: Mapping[Any, Sequence[Any]]) -> None:
        """How far it is behind what the brokers have."""
        for place, records in found.items():
            self._next[place] = records[-1].offset + 1
        known = [(self._consumer.highwater(place), self._next.get(place)) for place in self._consumer.assignment()]
        self._telemetry.gauge("bridge_lag", sum(max(0, end - at) for end, at in known if end and at is not None))
