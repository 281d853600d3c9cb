"""Messages that nobody can read go to a topic of their own, with why, where somebody can look at them."""

import asyncio
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from monitor.adapters.bus.kafka.connecting import Brokers, refusals
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.wire import Poison
from monitor.domain.errors import NotFound
from monitor.services.ports import Logger, Telemetry

_FROM: Final = "redpost-from"
_WHY: Final = "redpost-why"


class DeadLetters:
    """The log goes on meanwhile: a message that nobody can read holds no entries, wherever it is read."""

    def __init__(self, brokers: Brokers, producer: KafkaProducer, telemetry: Telemetry, logger: Logger) -> None:
        self._brokers, self._producer = brokers, producer
        self._telemetry, self._logger = telemetry, logger
        self._sending: set[asyncio.Task[None]] = set()

    def put(self, partition: int, record: Any, why: Poison) -> None:
        self._telemetry.count("dead_letter_total", reason="unreadable")
        self._logger.error("dead_letter", topic=self._brokers.events, partition=partition, offset=record.offset,
                           why=str(why), hint="`redpost topics dead-letters` shows it")
        task = asyncio.create_task(self._put(partition, record, why))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Returns once all are sent, or refused."""
        if self._sending:
            await asyncio.wait(self._sending)

    async def _put(self, partition: int, record: Any, why: Poison) -> None:
        headers = [(_FROM, f"{self._brokers.events}/{partition}/{record.offset}".encode()),
                   (_WHY, str(why).encode()[:1_000]), *(record.headers or ())]
        try:
            await self._producer.raw(self._brokers.dead_letter, record.value or b"", headers, key=record.key)
        except Exception as error:
            self._logger.warning("dead_letter_refused", offset=record.offset, error=repr(error))


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
    """Send one to where it came from, as it was; where that is. Raises NotFound."""
    record = next((each for each in await _records(brokers) if each.offset == offset), None)
    if record is None:
        raise NotFound(f"there is no dead letter {offset}", hint="`redpost topics dead-letters` lists them")
    letter = _letter(record)
    topic, partition, _ = letter.come_from.rsplit("/", 2)
    own = [(name, value) for name, value in record.headers if name not in (_FROM, _WHY)]
    producer = KafkaProducer(brokers)
    await producer.start()
    try:
        await producer.raw(topic, record.value, own, key=record.key, partition=int(partition))
    finally:
        await producer.close()
    return f"{topic}/{partition}"


def _letter(record: Any) -> Letter:
    told = {name: value.decode(errors="replace") for name, value in record.headers}
    return Letter(record.offset, told.get(_FROM, "?"), told.get(_WHY, "?"), len(record.value or b""))


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
