"""What the Kafka bus does, on a real broker."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.deadletters import DeadLetters, read_all, resend
from monitor.adapters.bus.kafka.partitionlog import PartitionLog
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.rereader import KafkaRereader, read_message
from monitor.adapters.bus.kafka.topics import Topics, Wanted
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.errors import ConfigError, NewerFormat, NotFound, StorageError
from monitor.domain.events import HOST_SIDE
from monitor.domain.frames import Tick
from tests.contract.test_log import Silent, frame, seqs
from tests.parts.kafka import topics

PARTITIONS = 3


class Quiet(Silent):
    def error(self, event: str, **facts: object) -> None: ...


@pytest.fixture
async def producer(brokers: Brokers) -> AsyncIterator[KafkaProducer]:
    await topics(brokers, PARTITIONS)
    producer = KafkaProducer(brokers)
    await producer.start()
    yield producer
    await producer.close()


@pytest.fixture
async def rereader(brokers: Brokers, producer: KafkaProducer) -> AsyncIterator[KafkaRereader]:
    rereader = KafkaRereader(brokers)
    await rereader.start()
    yield rereader
    await rereader.close()


async def test_topics_are_made_once_and_mended(brokers: Brokers) -> None:
    wanted = Wanted(partitions=PARTITIONS, replication=1, tenants=["agency"])
    async with Topics(brokers) as made:
        with pytest.raises(ConfigError, match="is not there"):
            await made.check(wanted)
        assert [change.topic for change in await made.apply(wanted)] == [
            brokers.events, brokers.dead_letter, brokers.events_in("agency")]
        assert await made.apply(wanted) == []
        await made.check(wanted)
        longer = Wanted(partitions=PARTITIONS, replication=1, keep_hours=100)
        with pytest.raises(ConfigError, match=r"retention\.ms is"):
            await made.check(longer)
        assert [change.topic for change in await made.apply(longer)] == [brokers.events]
        await made.check(longer)
        for refused in (made.apply, made.check):
            with pytest.raises(ConfigError, match="has 3 partitions"):
                await refused(Wanted(partitions=4, replication=1))


async def test_too_many_copies_for_these_brokers(brokers: Brokers) -> None:
    async with Topics(brokers) as made:
        with pytest.raises(ConfigError, match="could not be made"):
            await made.apply(Wanted(partitions=1, replication=3))


async def test_what_is_acknowledged_is_read_again(producer: KafkaProducer, rereader: KafkaRereader) -> None:
    log = await PartitionLog.opened(1, rereader=rereader, send=producer.send)
    assert log.end() == 0
    pair = [frame(3, lane=HOST_SIDE), frame(2)]
    together = await asyncio.gather(log.append(pair), log.append([frame(5)]))
    assert together == [2, 3]  # in one message
    later = await log.append([Tick(7)])
    assert later == wire.seq_of(1, 0)
    again = await PartitionLog.opened(1, rereader=rereader, send=producer.send)
    found = await again.read(after=0, lane=None, events=100)
    assert seqs(found) == [1, 2, 3, later] and [n.entry for n in found] == [*pair, frame(5), Tick(7)]
    assert again.end() == later and await again.read(after=later, lane=None, events=1) == []
    other = await PartitionLog.opened(2, rereader=rereader, send=producer.send)
    assert other.end() == 0


async def test_much_at_once_keeps_its_order(producer: KafkaProducer, rereader: KafkaRereader) -> None:
    sent = [[frame(3, at=i), frame(1, at=i, lane=HOST_SIDE)] for i in range(600)]
    numbers = await asyncio.gather(*(producer.send(0, entries) for entries in sent))
    assert list(numbers) == sorted(set(numbers))
    log = await PartitionLog.opened(0, rereader=rereader, send=producer.send)
    found, after = [], 0
    while step := await log.read(after=after, lane=None, events=500):
        found += [numbered.entry for numbered in step]
        after = step[-1].seq
    assert found == [entry for entries in sent for entry in entries]
    assert wire.offset_of(after) < 600  # they went together


async def test_a_time_names_its_message(producer: KafkaProducer, rereader: KafkaRereader) -> None:
    for _ in range(3):
        await producer.send(0, [Tick(1)])
    log = await PartitionLog.opened(0, rereader=rereader, send=producer.send)
    assert await log.first_since(0) == 1
    assert await log.first_since(2**45) == log.end() + 1


async def test_what_is_not_kept_any_more_stops_the_start(producer: KafkaProducer, rereader: KafkaRereader) -> None:
    await producer.send(0, [Tick(1)])
    with pytest.raises(ConfigError, match="no longer hold"):
        await rereader.read(0, 17, 1)


async def test_brokers_that_do_not_answer() -> None:
    nobody = Brokers(bootstrap="127.0.0.1:1")
    with pytest.raises(StorageError, match="do not answer"):
        await KafkaRereader(nobody).start()
    producer = KafkaProducer(nobody)
    with pytest.raises(StorageError, match="do not answer"):
        await producer.start()


async def test_poison_goes_to_the_dead_letters_and_back(
    brokers: Brokers, producer: KafkaProducer, rereader: KafkaRereader
) -> None:
    await producer.raw(brokers.events, b"not ours", [("x", b"y")], partition=1)
    await producer.send(1, [Tick(4)])
    telemetry = PrometheusTelemetry()
    letters = DeadLetters(brokers, producer, telemetry, Quiet())
    messages = await rereader.read(1, 0, 10)
    assert [list(message.entries) for message in messages] == [[], [Tick(4)]]
    record = type("Record", (), {"offset": 0, "value": b"not ours", "headers": [("x", b"y")], "key": None})()
    seen: list[str] = []
    read_message(record, lambda record, why: (seen.append(str(why)), letters.put(1, record, why))[0])
    await letters.close()
    [letter] = await read_all(brokers)
    assert (letter.come_from, letter.why, letter.size) == (f"{brokers.events}/1/0", seen[0], 8)
    assert await resend(brokers, letter.offset) == f"{brokers.events}/1"
    with pytest.raises(NotFound):
        await resend(brokers, 99)
    assert len(await rereader.read(1, 0, 10)) == 3


async def test_a_newer_format_stops(brokers: Brokers, producer: KafkaProducer, rereader: KafkaRereader) -> None:
    await producer.raw(brokers.events, wire.pack([Tick(1)]), [(wire.FORMAT_HEADER, b"99")], partition=0)
    with pytest.raises(NewerFormat, match="99"):
        await rereader.read(0, 0, 1)
