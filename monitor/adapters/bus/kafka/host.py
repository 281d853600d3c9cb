"""Faust as a thin host: it shares the partitions of `events` among the workers and delivers what they hold.

The shape is the one that lost nothing in all faults that were measured: acks are switched off before the first batch is
taken and given by hand, one stream, no tables; what the group has committed decides nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Final, Protocol

import faust
from mode import CrashingSupervisor

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.rereader import Read, read_message

_MESSAGES: Final = 64
_WITHIN_S: Final = 0.02
_RAW: Final[dict[str, Any]] = {
    "key_type": bytes, "key_serializer": "raw", "value_type": bytes, "value_serializer": "raw"}


class Owner(Protocol):
    """Who judges the partitions that this process is given."""

    async def assigned(self, partitions: Iterable[int]) -> None: ...

    async def revoked(self, partitions: Iterable[int]) -> None:
        """Returns once nothing of them is written any more."""
        ...

    async def deliver(self, partition: int, message: Read) -> None:
        """Waits while too much is unread."""
        ...

    def poison(self, partition: int, record: Any, why: wire.Poison) -> None: ...

    def failed(self, error: BaseException) -> None:
        """The process must end."""
        ...


class FaustHost:
    """`await start()`, `await stop()`."""

    def __init__(self, brokers: Brokers, owner: Owner, *, group: str, session_s: float, folder: str) -> None:
        self._owner = owner
        self._topic = brokers.events
        self.app = faust.App(
            group, broker=[f"kafka://{each}" for each in brokers.bootstrap.split(",")], store="memory://",
            datadir=folder,
            processing_guarantee="at_least_once", web_enabled=False, topic_disable_leader=True,
            topic_allow_declare=False, consumer_auto_offset_reset="earliest", broker_session_timeout=session_s,
            broker_heartbeat_interval=max(0.5, session_s / 5), broker_commit_interval=0.5,
            consumer_max_fetch_size=2**20, stream_buffer_maxsize=256, stream_wait_empty=False,
            producer_acks=-1, worker_redirect_stdouts=False, logging_config=None)
        self.app.on_partitions_assigned.connect(self._assigned)
        self.app.on_partitions_revoked.connect(self._revoked)
        topic = self.app.topic(brokers.events, **_RAW)
        self._agent = self.app.agent(topic, name="detect", supervisor_strategy=CrashingSupervisor)(self._detect)
        for name in ("faust", "mode", "aiokafka"):
            logging.getLogger(name).setLevel(logging.WARNING)

    async def start(self) -> None:
        await self.app.start()

    async def stop(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.app.stop(), 10)

    @property
    def rebalancing(self) -> bool:
        return bool(self.app.rebalancing)

    def partitions(self) -> set[int]:
        """Those that this process has now."""
        return {each.partition for each in self.app.consumer.assignment() if each.topic == self._topic}

    async def _assigned(self, *told: Any, **_: Any) -> None:
        await self._guarded(self._owner.assigned, told[1])

    async def _revoked(self, *told: Any, **_: Any) -> None:
        await self._guarded(self._owner.revoked, told[1])

    async def _guarded(self, tell: Callable[[Iterable[int]], Awaitable[None]], topics: Iterable[Any]) -> None:
        try:
            await tell(sorted(each.partition for each in topics if each.topic == self._topic))
        except Exception as error:
            self._owner.failed(error)

    async def _detect(self, stream: Any) -> None:
        stream.enable_acks = False  # first of all: a crash would else acknowledge what is buffered
        try:
            async for batch in stream.noack_take(_MESSAGES, within=_WITHIN_S):
                for event in batch:
                    record = event.message
                    message = read_message(
                        record, lambda record, why: self._owner.poison(record.partition, record, why))
                    await self._owner.deliver(record.partition, message)
                for event in batch:
                    await stream.ack(event)
        except Exception as error:
            self._owner.failed(error)
            raise
