"""A partition's log over what a consumer group delivers, whatever that leaves out, repeats or brings late."""

import asyncio
from collections.abc import Sequence

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.partitionlog import PartitionLog
from monitor.adapters.bus.kafka.rereader import Read
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.frames import Entry, Frame, Tick
from monitor.services.records import Numbered
from tests.contract.test_log import frame


class Topic:
    """The messages of one partition, from `first` on."""

    def __init__(self, messages: Sequence[Sequence[Entry]], first: int = 0) -> None:
        self.messages = [Read(first + i, 1_000, entries) for i, entries in enumerate(messages)]
        self.first = first
        self.reads = 0

    async def read(self, partition: int, offset: int, most: int) -> Sequence[Read]:
        self.reads += 1
        return self.messages[offset - self.first :][:most]

    async def bounds(self, partition: int) -> tuple[int, int]:
        return self.first, self.first + len(self.messages)

    async def first_since(self, partition: int, at: int) -> int | None:
        return None

    def numbered(self) -> list[Numbered]:
        return [Numbered(wire.seq_of(m.offset, k), entry) for m in self.messages for k, entry in enumerate(m.entries)]


async def never(partition: int, entries: Sequence[Entry]) -> int:
    raise AssertionError


async def opened(topic: Topic, *, events: int = 1_000) -> PartitionLog:
    return await PartitionLog.opened(0, rereader=topic, send=never, memory_events=events)


async def everything(log: PartitionLog, lane: int | None, events: int) -> list[Numbered]:
    found: list[Numbered] = []
    while step := await log.read(after=found[-1].seq if found else 0, lane=lane, events=events):
        found += step
    return found


ENTRY = st.one_of(
    st.builds(lambda n: frame(n), st.integers(1, 4)), st.builds(lambda n: frame(n, lane=HOST_SIDE), st.integers(1, 3)),
    st.builds(Tick, st.integers(1, 9)))
MESSAGES = st.lists(st.lists(ENTRY, max_size=3), min_size=1, max_size=12)


@given(MESSAGES, st.integers(0, 3), st.data())
def test_every_entry_is_read_once_and_in_order(messages: list[list[Entry]], first: int, data: st.DataObject) -> None:
    """`opened` when some messages are there; the group then delivers from anywhere, with gaps and again."""
    there = data.draw(st.integers(0, len(messages)))
    offsets = data.draw(st.lists(st.integers(first, first + len(messages) - 1), max_size=20))
    events = data.draw(st.integers(1, 6))

    async def run() -> None:
        topic = Topic(messages[:there], first)
        log = await opened(topic)
        topic.messages = Topic(messages, first).messages
        for offset in offsets:
            await log.feed(topic.messages[offset - first])
        so_far = [n for n in topic.numbered() if n.seq <= log.end()]
        for lane in (None, HOST_SIDE, VIEWERS):
            assert await everything(log, lane, events) == [
                n for n in so_far if lane is None or not isinstance(n.entry, Frame) or n.entry.lane == lane]
        for offset in range(first, first + len(messages)):  # the group goes on to the end
            await log.feed(topic.messages[offset - first])
        expected = topic.numbered()
        assert await everything(log, None, events) == expected
        for lane in (HOST_SIDE, VIEWERS):
            own = [n for n in expected if not isinstance(n.entry, Frame) or n.entry.lane == lane]
            assert await everything(log, lane, events) == own
        last = expected[-1].seq if expected else wire.before(first)
        assert await log.read(after=last, lane=None, events=1) == []
        assert log.end() == last

    asyncio.run(run())


async def test_what_was_there_before_is_read_again() -> None:
    topic = Topic([[frame(2)], [], [frame(1, lane=HOST_SIDE), frame(3)], []])
    log = await opened(topic)
    assert log.end() == wire.seq_of(2, 1)
    assert await everything(log, None, 100) == topic.numbered()
    assert await log.first() == 1


async def test_a_group_that_begins_far_behind_hides_nothing() -> None:
    """Who has read on by itself is not told that there is nothing more, since nothing more was delivered yet."""
    topic = Topic([[frame(2)] for _ in range(9)])
    log = await opened(topic)
    await log.feed(topic.messages[0])
    for lane in (None, VIEWERS):
        assert await everything(log, lane, 3) == topic.numbered()


async def test_who_keeps_up_reads_nothing_again() -> None:
    topic = Topic([])
    log = await opened(topic)
    for i in range(50):
        await log.feed(Read(i, 100, [frame(2), frame(1, lane=HOST_SIDE)]))
    before = topic.reads
    for lane in (None, HOST_SIDE, VIEWERS):
        assert len(await everything(log, lane, 10)) == (100 if lane is None else 50)
    assert topic.reads == before


async def test_feeding_waits_while_too_much_is_unread() -> None:
    log = await opened(Topic([]), events=10)
    for i in range(3):
        await log.feed(Read(i, 100, [frame(2)]))
    waiting = asyncio.create_task(log.feed(Read(3, 100, [frame(2)])))
    await asyncio.sleep(0)
    assert not waiting.done()
    await log.read(after=wire.seq_of(2, 0), lane=VIEWERS, events=1)
    await waiting
    assert log.backlog(wire.seq_of(2, 0), lane=VIEWERS) == 2


async def test_a_log_that_closes_holds_nobody_up() -> None:
    log = await opened(Topic([]), events=2)
    await log.feed(Read(0, 100, [frame(2)]))
    feeding = asyncio.create_task(log.feed(Read(1, 100, [frame(2)])))
    waiting = asyncio.create_task(log.wait(10**9, timeout=60))
    await asyncio.sleep(0)
    await log.close()
    await feeding
    assert not await waiting


async def test_lag_counts_messages() -> None:
    log = await opened(Topic([]))
    for i in range(5):
        await log.feed(Read(i, 100, [frame(2), Tick(1)]))
    assert log.messages_after(log.end()) == 0
    assert log.messages_after(wire.seq_of(1, 0)) == 3


def test_numbers_name_their_offset() -> None:
    for offset in (0, 1, 7_000_000_000):
        for k in (0, 1, wire.MOST_ENTRIES - 1):
            assert wire.offset_of(wire.seq_of(offset, k)) == offset
        assert wire.before(offset) < wire.seq_of(offset, 0) <= wire.before(offset) + 1


@pytest.mark.parametrize(("value", "headers", "why"), [
    (b"", [], "missing"), (wire.pack([Tick(1)]), [("redpost-format", b"x")], "no number"),
    (b"\xc1", wire.headers(), "not a list"), (wire.pack([]), wire.headers(), "0 entries"),
    (None, wire.headers(), "not a list"), (wire.pack([Tick(1)] * 257), wire.headers(), "257 entries"),
])
def test_what_nobody_can_read_says_why(value: bytes | None, headers: list[tuple[str, bytes]], why: str) -> None:
    with pytest.raises(wire.Poison, match=why):
        wire.unpack(value, headers)


def test_rooms_are_spread_as_kafka_spreads_keys() -> None:
    places = list(range(12))
    for tenant, room in (("local", "room-1"), ("local", "room-2"), ("agency", "直播间")):
        assert wire.partition_of(tenant, room, 12) == DefaultPartitioner()(f"{tenant}/{room}".encode(), places, places)
