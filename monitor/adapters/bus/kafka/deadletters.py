"""Messages that nobody can read go to a topic of their own, with why, where somebody can look at them."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from monitor.adapters.bus.kafka.connecting import Brokers, refusals
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.wire import Poison
from monitor.domain.errors import NotFound
from monitor.services.ports import Logger, Telemetry

FROM: Final = "redpost-from"
_WHY: Final = "redpost-why"
_LEFT: Final = "redpost-left"
"""The message itself was left where it lies."""


class DeadLetters:
    """The log goes on meanwhile: a message that nobody can read holds no entries, wherever it is read."""

    def __init__(self, brokers: Brokers, producer: KafkaProducer, telemetry: Telemetry, logger: Logger) -> None:
        self._brokers, self._producer = brokers, producer
        self._telemetry, self._logger = telemetry, logger
        self._sending: set[asyncio.Task[None]] = set()
        for reason in ("unreadable", "refused"):
            telemetry.count("dead_letter_total", 0, reason=reason)  # so that the first one is an increase

    def put(self, partition: int, record: Any, why: Poison) -> None:
        self._telemetry.count("dead_letter_total", reason="unreadable")
        self._logger.error("dead_letter", topic=self._brokers.events, partition=partition, offset=record.offset,
                           why=str(why), hint="`redpost topics dead-letters` shows it")
        place = f"{self._brokers.events}/{partition}/{record.offset}"
        self._begin(self._put(place, record.value or b"", str(why), record.headers or (), record.key))

    def leave(self, record: Any, why: str) -> None:
        """What third parties sent stays where it is, since it may name viewers: where it lies is noted down."""
        self._telemetry.count("dead_letter_total", reason="refused")
        self._logger.error("dead_letter", topic=record.topic, partition=record.partition, offset=record.offset,
                           why=why, hint="`redpost topics dead-letters` shows it")
        self._begin(self._put(f"{record.topic}/{record.partition}/{record.offset}", b"", why, [(_LEFT, b"1")], None))

    def _begin(self, putting: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(putting)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Returns once all are sent, or refused."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def _put(
        self, place: str, value: bytes, why: str, more: Sequence[tuple[str, bytes]], key: bytes | None,
    ) -> None:
        headers = [(FROM, place.encode()), (_WHY, why.encode()[:1_000]), *more]
        try:
            await self._producer.raw(self._brokers.dead_letter, value, headers, key=key)
        except Exception as error:
            self._logger.warning("dead_letter_refused", place=place, error=repr(error))


class Letter(Struct, frozen=True):
    """`come_from`: topic/partition/offset. `size`: bytes."""

    offset: int
    come_from: str
    why: str
    size: int


async def read_all(brokers: Brokers) -> list[Letter]:
    """All that are kept, oldest first."""
    return [_letter(record) for record in await _records(brokers)]


async def resend(brokers: Brokers, offset: int) -> str:
    """Send one to where it came from, as it was; where that is. Raises NotFound, also where it was left in a topic that
    does not hold it any more."""
    record = next((each for each in await _records(brokers) if each.offset == offset), None)
    if record is None:
        raise NotFound(f"there is no dead letter {offset}", hint="`redpost topics dead-letters` lists them")
    letter = _letter(record)
    topic, partition, place = letter.come_from.rsplit("/", 2)
    if _LEFT in dict(record.headers):
        record = await _record(brokers, topic, int(partition), int(place))
    own = [(name, value) for name, value in record.headers if name not in (FROM, _WHY, _LEFT)]
    producer = KafkaProducer(brokers)
    await producer.start()
    try:
        await producer.raw(topic, record.value, own, key=record.key, partition=int(partition))
    finally:
        await producer.close()
    return f"{topic}/{partition}"


def _letter(record: Any) -> Letter:
    told = {name: value.decode(errors="replace") for name, value in record.headers}
    return Letter(record.offset, told.get(FROM, "?"), told.get(_WHY, "?"), len(record.value or b""))


async def _record(brokers: Brokers, topic: str, partition: int, offset: int) -> Any:
    place = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(**brokers.common(), group_id=None, enable_auto_commit=False)
    with refusals(brokers, f"reading {topic}/{partition}"):
        await consumer.start()
        try:
            consumer.assign([place])
            if (await consumer.beginning_offsets([place]))[place] <= offset:
                consumer.seek(place, offset)
                found = await consumer.getone(place)
                if found.offset == offset:
                    return found
        finally:
            await consumer.stop()
    raise NotFound(f"{topic}/{partition} does not hold message {offset} any more", hint="let it be sent again there")


async def _records(brokers: Brokers) -> list[Any]:
    topic = TopicPartition(brokers.dead_letter, 0)
    consumer = AIOKafkaConsumer(**brokers.common(), group_id=None, enable_auto_commit=False)
    found: list[Any] = []
    with refusals(brokers, f"reading {topic.topic}"):
        await consumer.start()
        try:
            consumer.assign([topic])
            await consumer.seek_to_beginning(topic)
            end = (await consumer.end_offsets([topic]))[topic]
            while await consumer.position(topic) < end:
                found += (await consumer.getmany(topic, timeout_ms=1_000)).get(topic, [])
        finally:
            await consumer.stop()
    return found
