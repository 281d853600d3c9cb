"""What third parties write to Kafka comes into the log, on a real broker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.bridge import KafkaBridge
from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.deadletters import DeadLetters, read_all, resend
from monitor.adapters.bus.kafka.nodelog import NodeLog
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.rereader import KafkaRereader
from monitor.adapters.bus.kafka.topics import Topics, Wanted
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.errors import BusyError, NotFound
from monitor.domain.frames import Frame, utterances
from monitor.services.ingest import Ingest, IngestSettings, Receipt
from monitor.services.pseudonyms import Pseudonyms
from tests.contract.test_kafka import Quiet
from tests.faults.harness import until
from tests.faults.inside import START, Clock

PARTITIONS = 3
Item = dict[str, Any]


async def _none(*_: object) -> None:
    raise AssertionError


def item(n: int, **more: Any) -> Item:
    return {"id": f"e{n}", "room": f"r{n % 7}", "kind": "comment", "text": f"第{n}条", "at": START,
            "speaker": {"role": "viewer", "id": f"viewer-{n % 5}"}, **more}


class Place:
    """A topic of the log, one of two tenants each, and a producer."""

    def __init__(self, brokers: Brokers, producer: KafkaProducer, rereader: KafkaRereader) -> None:
        self.brokers, self.producer, self.rereader = brokers, producer, rereader
        self.telemetry = PrometheusTelemetry()
        self.log = NodeLog(producer, PARTITIONS, announce=_none, note=_none)
        self.dead_letters = DeadLetters(brokers, producer, self.telemetry, Quiet())

    def ingest(self) -> Ingest:
        return Ingest(log=self.log, pseudonyms=Pseudonyms(lambda tenant: tenant.encode().ljust(32, b"k")),
                      clock=Clock(), telemetry=self.telemetry, settings=IngestSettings(), backlog=lambda lane: 0,
                      place=self.log.place, via="kafka")

    @asynccontextmanager
    async def bridge(self, accept: Any = None) -> AsyncIterator[None]:
        bridge = KafkaBridge(self.brokers, ["agency", "street"], accept or self.ingest().accept, self.dead_letters,
                             self.telemetry, Quiet(), group="g", session_s=6)
        await bridge.start()
        running = asyncio.create_task(bridge.run())
        try:
            yield
        finally:
            if not running.cancel():
                running.result()
            await asyncio.gather(running, return_exceptions=True)
            await bridge.close()
            await self.dead_letters.close()

    async def write(self, tenant: str, values: Sequence[bytes], *, partition: int = 0) -> None:
        await asyncio.gather(*(self.producer.raw(self.brokers.events_in(tenant), value, [], partition=partition)
                               for value in values))

    async def bridged(self) -> list[tuple[str, str, str, str]]:
        """(tenant, event, room, speaker) of all partitions, each where its room belongs."""
        found = []
        for partition in range(PARTITIONS):
            first, end = await self.rereader.bounds(partition)
            at = first
            while at < end:
                for message in await self.rereader.read(partition, at, 100):
                    at = message.offset + 1
                    for frame in message.entries:
                        assert isinstance(frame, Frame)
                        for said in utterances(frame, range(len(frame)), [""] * len(frame)):
                            assert wire.partition_of(said.tenant, said.room, PARTITIONS) == partition
                            found.append((said.tenant, said.id, said.room, said.speaker))
        return found


@pytest.fixture
async def place(brokers: Brokers) -> AsyncIterator[Place]:
    async with Topics(brokers) as topics:
        await topics.apply(Wanted(partitions=PARTITIONS, replication=1, tenants=["agency", "street"]))
    producer, rereader = KafkaProducer(brokers), KafkaRereader(brokers)
    await producer.start()
    await rereader.start()
    yield Place(brokers, producer, rereader)
    await rereader.close()
    await producer.close()


async def come(place: Place, many: int) -> list[tuple[str, str, str, str]]:
    async def all_there() -> list[tuple[str, str, str, str]] | None:
        found = await place.bridged()
        return found if len({each[:2] for each in found}) >= many else None

    found: list[tuple[str, str, str, str]] = await until(all_there)
    return found


async def test_each_tenants_messages_with_pseudonyms_of_its_own(place: Place) -> None:
    async with place.bridge():
        for tenant in ("agency", "street"):
            await place.write(tenant, [msgspec.json.encode(item(n)) for n in range(40)], partition=1)
        found = await come(place, 80)
    assert len(found) == 80
    assert {each[1] for each in found} == {f"e{n}" for n in range(40)}
    speakers = {tenant: {each[3] for each in found if each[0] == tenant} for tenant in ("agency", "street")}
    assert all(len(each) == 5 and not any("viewer" in name for name in each) for each in speakers.values())
    assert not speakers["agency"] & speakers["street"]


async def test_what_is_no_event_is_named_and_nothing_waits_for_it(place: Place) -> None:
    wrong = [b"", b"[]", b"nonsense", msgspec.json.encode({"id": "x", "room": "r"}),
             *(msgspec.json.encode(item(n, kind="nothing")) for n in range(300))]
    good = [msgspec.json.format(msgspec.json.encode(item(n)), indent=2) for n in range(1_000, 1_040)]
    async with place.bridge():
        await place.write("agency", [*wrong, *good])
        await come(place, 40)
    letters = await read_all(place.brokers)
    assert len(letters) == len(wrong)
    assert {letter.come_from for letter in letters} == {
        f"{place.brokers.events_in('agency')}/0/{offset}" for offset in range(len(wrong))}
    assert all(letter.size == 0 and letter.why for letter in letters)  # it may name viewers: it stays where it is
    assert await resend(place.brokers, letters[0].offset) == f"{place.brokers.events_in('agency')}/0"
    async with place.bridge():
        async def again() -> bool:
            return len(await read_all(place.brokers)) == len(wrong) + 1

        await until(again)


async def test_one_that_ends_before_it_notes_down_is_followed_by_another(place: Place) -> None:
    values = [msgspec.json.encode(item(n)) for n in range(200)]
    ingest, told = place.ingest(), asyncio.Event()

    async def accept(tenant: str, body: bytes) -> Receipt:
        receipt = await ingest.accept(tenant, body)
        told.set()
        await asyncio.Event().wait()  # it dies here
        return receipt

    await place.write("agency", values)
    async with place.bridge(accept):
        await told.wait()
    async with place.bridge():
        await come(place, 200)
    assert {each[1] for each in await place.bridged()} == {f"e{n}" for n in range(200)}


async def test_brokers_that_refuse_are_waited_for(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.adapters.bus.kafka.bridge._PAUSE_S", 0.01)
    ingest, refused = place.ingest(), [3]

    async def accept(tenant: str, body: bytes) -> Receipt:
        if refused[0]:
            refused[0] -= 1
            raise BusyError("too much waits", retry_after=1)
        return await ingest.accept(tenant, body)

    async with place.bridge(accept):
        await place.write("agency", [msgspec.json.encode(item(n)) for n in range(10)])
        assert len(await come(place, 10)) == 10
    assert not refused[0]


async def test_a_letter_that_is_gone(place: Place) -> None:
    with pytest.raises(NotFound):
        await resend(place.brokers, 7)
