"""A consumer without a group: it reads any offsets of any partition, and commits nothing."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers, refusals, started
from monitor.domain.errors import ConfigError
from monitor.domain.frames import Entry

_PATIENCE_MS: Final = 10_000
_MOST_BYTES: Final = 2**20
"""Of the messages of one read."""


class Read(Struct, frozen=True):
    """A message with its entries; none where nobody can read it. `size`: bytes as sent."""

    offset: int
    size: int
    entries: Sequence[Entry]


def read_message(record: Any, poison: Callable[[Any, wire.Poison], None] = lambda record, why: None) -> Read:
    """`poison` is told of what nobody can read. Raises NewerFormat."""
    try:
        entries = wire.unpack(record.value, record.headers)
    except wire.Poison as why:
        poison(record, why)
        entries = []
    return Read(record.offset, len(record.value or b""), entries)


class KafkaRereader:
    """`await start()` first. One read at a time; others wait."""

    def __init__(self, brokers: Brokers) -> None:
        self._brokers = brokers
        self._busy = asyncio.Lock()
        self._consumer = AIOKafkaConsumer(
            **brokers.common(), group_id=None, enable_auto_commit=False, auto_offset_reset="none",
            fetch_max_wait_ms=100, max_partition_fetch_bytes=_MOST_BYTES)

    async def start(self) -> None:
        await started(self._consumer, self._brokers)

    async def close(self) -> None:
        await self._consumer.stop()

    async def bounds(self, partition: int) -> tuple[int, int]:
        topic = TopicPartition(self._brokers.events, partition)
        with refusals(self._brokers, f"asking for the offsets of {topic.topic}/{partition}"):
            first = await self._consumer.beginning_offsets([topic])
            end = await self._consumer.end_offsets([topic])
        return first[topic], end[topic]

    async def first_since(self, partition: int, at: int) -> int | None:
        topic = TopicPartition(self._brokers.events, partition)
        with refusals(self._brokers, f"asking for a time of {topic.topic}/{partition}"):
            found = (await self._consumer.offsets_for_times({topic: at}))[topic]
        return None if found is None else int(found.offset)

    async def read(self, partition: int, offset: int, most: int) -> list[Read]:
        """At most so many from `offset` on, and little more than a MB of them; none at the end. Raises ConfigError for
        what is not kept any more, and for a log with holes."""
        topic = TopicPartition(self._brokers.events, partition)
        async with self._busy:
            with refusals(self._brokers, f"reading {topic.topic}/{partition} again from {offset}"):
                if self._consumer.assignment() != {topic}:
                    self._consumer.assign([topic])
                self._consumer.seek(topic, offset)
                found = await self._consumer.getmany(topic, timeout_ms=1_000, max_records=most)
                records = found.get(topic, [])
                if not records and (await self._consumer.end_offsets([topic]))[topic] > offset:
                    found = await self._consumer.getmany(topic, timeout_ms=_PATIENCE_MS, max_records=most)
                    records = found.get(topic, [])
                    if not records:  # to say that there is nothing would be to pass over what is there
                        raise TimeoutError
        messages = [read_message(record) for record in _first(records)]
        for expected, message in enumerate(messages, offset):
            if message.offset != expected:
                raise ConfigError(f"partition {partition} of {topic.topic} has a hole at offset {expected}",
                                  hint="the topic must not be compacted nor written by transactions")
        return messages


def _first(records: Sequence[Any]) -> Iterator[Any]:
    """As many as are read in one go: one at least."""
    left = _MOST_BYTES
    for record in records:
        yield record
        left -= len(record.value or b"")
        if left <= 0:
            return
