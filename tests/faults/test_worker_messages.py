"""Messages that are too large, come twice, late or out of order; rules that change while workers share out partitions;
errors that nobody expects: everything that was stored is what one undisturbed pass gives."""

import asyncio
import random

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from monitor.adapters.bus.kafka import deadletters, wire
from monitor.adapters.bus.kafka.producing import MOST_BYTES
from monitor.domain.errors import StorageError
from monitor.domain.frames import Tick
from tests.faults.cluster import TENANT, Scene, framed
from tests.faults.harness import Item, until
from tests.faults.inside import START
from tests.faults.processes import PARTITIONS
from tests.faults.staging import EVENTS, everything_taken, recovered, stage, stopped
from tests.faults.streams import BASE, HOST, cut, stream

__all__ = ["stage"]


def long(name: str, size: int) -> Item:
    """An event of so many characters, what violates something at its end."""
    return {"id": name, "source": "test", "room": "room-0", "at": BASE, "kind": "transcript",
            "text": "好" * size + HOST[0], "speaker": {"role": "host", "id": "h"}}


async def test_messages_that_are_too_large(stage: Scene) -> None:
    """Neither producer nor brokers take one; whoever sends it is told, and what others send goes on. As large as may
    be is judged like any other; more entries than a message holds nobody can read."""
    worker = stage.worker()
    worker.start()
    batches = cut(stream(31, EVENTS // 2), 100)
    await stage.send(batches[:15])
    ends = [await stage.rereader.bounds(p) for p in range(PARTITIONS)]
    with pytest.raises(StorageError, match="larger than the brokers take"):
        await stage.send([[long("over", MOST_BYTES // 3 + 1)]])
    other = AIOKafkaProducer(**stage.brokers.common(), max_request_size=4 * MOST_BYTES)
    await other.start()
    with pytest.raises(MessageSizeTooLargeError):
        await other.send_and_wait(stage.brokers.events, bytes(2 * MOST_BYTES), partition=0, headers=wire.headers())
    await other.stop()
    assert [end for _, end in ends] <= [(await stage.rereader.bounds(p))[1] for p in range(PARTITIONS)]
    await stage.send([[long("under", MOST_BYTES // 4)]])
    crowd = wire.pack([Tick(START)] * (wire.MOST_ENTRIES + 1))
    await stage.producer.raw(stage.brokers.events, crowd, wire.headers(), partition=1)
    await stage.send(batches[15:])
    await recovered(stage)
    await until(lambda: '"dead_letter"' in worker.output())
    await stopped(stage)
    await stage.check()
    assert await stage.found_of("under") and not await stage.found_of("over")


async def test_messages_that_come_twice(stage: Scene) -> None:
    """By a producer that does not know what it has sent, and by a dead letter that is sent again, and again."""
    worker = stage.worker()
    worker.start()
    batches = cut(stream(32, EVENTS), 50)
    await stage.swap(1)
    await stage.send(batches[:60])
    await recovered(stage)
    before = await stage.found()
    for partition in range(PARTITIONS):
        for message in await stage.messages(partition):
            if len(message.entries) and message.offset % 3 == 0:
                await stage.producer.raw(stage.brokers.events, wire.pack(message.entries), wire.headers(),
                                         partition=partition)
    event = long("letter", 10)
    partition = wire.partition_of(TENANT, "room-0", PARTITIONS)
    await stage.producer.raw(
        stage.brokers.dead_letter, wire.pack(framed([event])),
        [(deadletters.FROM, f"{stage.brokers.events}/{partition}/0".encode()), *wire.headers()], partition=0)
    for _ in range(2):
        await deadletters.resend(stage.brokers, 0)
    await stage.settled()
    again = await stage.found()
    [letter] = await stage.found_of("letter")
    assert {name for name in again if name != letter} == set(before)
    await worker.kill()
    worker.start()
    await stage.send(batches[60:])
    await recovered(stage)
    await stopped(stage)
    await stage.check()


async def test_messages_that_come_late_and_out_of_order(stage: Scene) -> None:
    rng = random.Random(33)
    items = stream(33, EVENTS)
    late = set(rng.sample(range(len(items)), 300))
    some = [i for i in range(len(items)) if i not in late]
    for start in range(0, len(some), 200):
        part = some[start : start + 200]
        rng.shuffle(part)
        some[start : start + 200] = part
    batches = cut([items[i] for i in (*some, *rng.sample(sorted(late), len(late)))], 50)
    first, second = stage.worker(), stage.worker()
    first.start()
    second.start()
    await stage.swap(1)
    await stage.send(batches[:60], pause_s=0.01)
    await everything_taken(stage)
    await first.kill()
    await stage.send(batches[60:], pause_s=0.01)
    first.start()
    await recovered(stage)
    await stopped(stage)
    await stage.check()


async def test_rules_that_change_while_partitions_are_shared_out(stage: Scene) -> None:
    first, second = stage.worker(), stage.worker()
    first.start()
    batches = cut(stream(34, EVENTS), 50)
    await stage.send(batches[:30])
    await everything_taken(stage)
    second.start()
    part = 30
    while not second.taken():  # swaps and events before, in and after the rebalance
        assert second.running(), second.output()
        await stage.swap(1 + part % 2)
        await stage.send(batches[part : part + 1], pause_s=0.2)
        part += 1
    await stage.swap(0)
    await first.kill()
    while len(set(second.taken())) < PARTITIONS:
        await stage.swap(1 + part % 2)
        await stage.send(batches[part : part + 1], pause_s=0.2)
        part += 1
    await stage.send(batches[part:])
    await recovered(stage)
    await stopped(stage)
    await stage.check()


@pytest.mark.parametrize("point", [
    "judged!9", *(pytest.param(f"{point}!{n}", marks=pytest.mark.soak)
                  for point in ("judging", "judged", "committed", "published") for n in (2, 11, 23))])
async def test_an_error_in_the_middle_of_a_batch(stage: Scene, point: str) -> None:
    """The process ends rather than go on; others take over, and so does the one that is started again."""
    one, other = stage.worker(), stage.worker()
    one.start(point)
    batches = cut(stream(35, EVENTS), 50)
    sending = asyncio.create_task(stage.send(batches, pause_s=0.05))
    await until(lambda: one.taken() or not one.running())
    other.start()
    assert await one.ended() == 70
    assert "Failed" in one.output()
    one.start()
    await sending
    await recovered(stage)
    await stopped(stage)
    await stage.check()
