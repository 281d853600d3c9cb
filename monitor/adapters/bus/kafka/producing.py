"""Writing to the topic: what comes for a partition within a moment goes as one message, and is acknowledged once the
brokers have it.

Entries of one call stay together and in order: the two halves of a request are neighbours in the log.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaProducer
from msgspec import Struct

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers, refusals, started
from monitor.domain.errors import BusyError
from monitor.domain.frames import Entry, Frame

MOST_BYTES: Final = 8 * 2**20
"""Of a message; the topic allows as much."""
_MOST_PENDING: Final = 4_096
"""Entries that wait for the brokers, from which on nothing is taken."""


class _Waiting(Struct, eq=False):
    entries: list[Entry]
    done: asyncio.Future[int]


class _Gathering:
    """What goes to one partition next."""

    def __init__(self) -> None:
        self.calls: list[_Waiting] = []
        self.entries = self.events = 0
        self.timer: asyncio.TimerHandle | None = None
        self.sending = asyncio.Lock()


class KafkaProducer:
    """`await start()` first. Used from one event loop."""

    def __init__(self, brokers: Brokers, *, linger_s: float = 0.02, most_events: int = 512) -> None:
        self._brokers = brokers
        self._linger_s, self._most_events = linger_s, most_events
        self._gathering: dict[int, _Gathering] = {}
        self._pending = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._producer = AIOKafkaProducer(
            **brokers.common(), acks="all", enable_idempotence=True, compression_type="lz4", linger_ms=0,
            max_request_size=MOST_BYTES, max_batch_size=2**18)

    async def start(self) -> None:
        await started(self._producer, self._brokers)

    async def close(self) -> None:
        """Everything that was given is sent first."""
        for partition, gathering in self._gathering.items():
            if gathering.calls:
                self._flush(partition)
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._producer.stop()

    async def send(self, partition: int, entries: Sequence[Entry]) -> int:
        """The number of the last entry. Raises BusyError where too much waits, StorageError where the brokers refuse:
        then none of it is there, or all of it will be seen twice at most, under the same ids."""
        if self._pending >= _MOST_PENDING:
            raise BusyError(f"{self._pending} entries wait for the brokers", retry_after=1,
                            hint="send again a second later; where that goes on, the brokers are too slow")
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        gathering = self._gathering.setdefault(partition, _Gathering())
        if gathering.entries + len(entries) > wire.MOST_ENTRIES:
            self._flush(partition)
        gathering.calls.append(_Waiting(list(entries), done))
        gathering.entries += len(entries)
        gathering.events += sum(len(entry) for entry in entries if isinstance(entry, Frame))
        self._pending += len(entries)
        if gathering.events >= self._most_events or not any(isinstance(entry, Frame) for entry in entries):
            self._flush(partition)
        elif gathering.timer is None:
            gathering.timer = asyncio.get_running_loop().call_later(self._linger_s, self._flush, partition)
        return await done

    async def raw(
        self, topic: str, value: bytes, headers: Sequence[tuple[str, bytes]], *, key: bytes | None = None,
        partition: int | None = None,
    ) -> None:
        """A message as it is, to another topic; returns once the brokers have it."""
        with refusals(self._brokers, f"writing to {topic}"):
            await self._producer.send_and_wait(topic, value, key=key, headers=headers, partition=partition)

    def _flush(self, partition: int) -> None:
        gathering = self._gathering[partition]
        calls, gathering.calls = gathering.calls, []
        gathering.entries = gathering.events = 0
        if gathering.timer is not None:
            gathering.timer.cancel()
            gathering.timer = None
        if calls:
            task = asyncio.create_task(self._sent(partition, gathering.sending, calls))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _sent(self, partition: int, sending: asyncio.Lock, calls: list[_Waiting]) -> None:
        entries = [entry for call in calls for entry in call.entries]
        try:
            with refusals(self._brokers, f"writing to {self._brokers.events}/{partition}"):
                async with sending:  # in the order of the calls
                    record = await self._producer.send(
                        self._brokers.events, wire.pack(entries), partition=partition, headers=wire.headers())
                offset = (await record).offset
        except BaseException as error:
            for call in calls:
                if not call.done.done():
                    call.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        finally:
            self._pending -= len(entries)
        k = -1
        for call in calls:
            k += len(call.entries)
            if not call.done.done():
                call.done.set_result(wire.seq_of(offset, k))
