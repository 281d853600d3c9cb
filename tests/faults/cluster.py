"""A real Kafka and a real PostgreSQL, workers on them, and what they stored."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import func, select

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.partitionlog import PartitionLog
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.rereader import KafkaRereader, Read
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import findings
from monitor.adapters.storage.store import SqlStore
from monitor.domain import frames
from monitor.domain.events import Event
from monitor.domain.frames import Entry, Swap
from monitor.services.recovery import Saved
from tests.faults.comparing import Found, Results, check, comparable, found_in
from tests.faults.harness import Batch, until
from tests.faults.inside import START, bundles, engines
from tests.faults.processes import PARTITIONS, WorkerProcess
from tests.faults.singlepass import single_pass
from tests.parts.kafka import topics
from tests.parts.postgres import Cluster

TENANT: Final = "local"


class Scene:
    """One topic, one database, workers."""

    def __init__(self, brokers: Brokers, cluster: Cluster, url: str, folder: Path, *, replication: int = 1) -> None:
        self.brokers, self.cluster, self.url, self.folder = brokers, cluster, url, folder
        self.replication = replication
        self.workers: list[WorkerProcess] = []
        self.sent = 0

    async def open(self) -> None:
        await topics(self.brokers, PARTITIONS, self.replication)
        await self._connect(self.url)
        for version, bundle in bundles().items():
            await self.store.save_rule_set(version, msgspec.msgpack.encode(bundle))
        self.producer = KafkaProducer(self.brokers, linger_s=0.005)
        await self.producer.start()
        self.rereader = KafkaRereader(self.brokers)
        await self.rereader.start()

    async def close(self) -> None:
        for worker in self.workers:
            await worker.kill()
        await self.rereader.close()
        await self.producer.close()
        await self.database.close()

    def worker(self, **settings: object) -> WorkerProcess:
        made = WorkerProcess(self.folder / f"worker-{len(self.workers)}", self.brokers, self.url,
                             **{"bus__replication": self.replication, **settings})
        self.workers.append(made)
        return made

    async def copied(self) -> str:
        """The URL of a copy of the database as it stands; nobody else may use it now."""
        await self.database.close()
        older = await self.cluster.fresh(template=self.url)
        await self._connect(self.url)
        return older

    async def put_back(self, url: str) -> None:
        """From now on this is the database."""
        await self.database.close()
        await self._connect(url)

    async def _connect(self, url: str) -> None:
        self.url = url
        self.database = await Database.open(url)
        self.store = SqlStore(self.database)

    async def swap(self, number: int) -> None:
        """From here on in every partition, the rules of this number judge."""
        version = list(engines())[number]
        await asyncio.gather(*(self.producer.send(p, [Swap(START, version)]) for p in range(PARTITIONS)))

    async def send(self, batches: Sequence[Batch], *, pause_s: float = 0.0) -> None:
        """Each batch's events, by partition, acknowledged by the brokers."""
        for batch in batches:
            by_partition: dict[int, list[Event]] = {}
            for event in msgspec.convert(batch, list[Event]):
                by_partition.setdefault(wire.partition_of(TENANT, event.room, PARTITIONS), []).append(event)
            await asyncio.gather(*(self.producer.send(partition, framed(events))
                                   for partition, events in by_partition.items()))
            self.sent += len(batch)
            await asyncio.sleep(pause_s)

    async def settled(self) -> None:
        """Everything that was sent up to now is judged and committed."""
        ends = await self.ends()

        async def reached() -> bool:
            found = await self.positions()
            return all(found.get(2 * p + side, 0) >= end for p, end in ends.items() for side in (0, 1))

        await until(reached)

    async def messages(self, partition: int) -> list[Read]:
        """All that the brokers hold of it."""
        first, end = await self.rereader.bounds(partition)
        found: list[Read] = []
        while first + len(found) < end:
            found += await self.rereader.read(partition, first + len(found), 1_000)
        return found

    async def positions(self) -> dict[int, int]:
        return {each.lane: each.seq for each in await self.store.positions()}

    async def found(self) -> Found:
        return await found_in(self.database)

    async def found_in(self, rooms: set[str]) -> int:
        """How many findings are stored of these rooms."""
        return int(await self.database.read(lambda connection: connection.execute(
            select(func.count()).where(findings.c.room.in_(rooms))).scalar_one()))

    async def found_of(self, event: str) -> list[str]:
        """The findings of this event."""
        return list(await self.database.read(lambda connection: connection.execute(
            select(findings.c.id).where(findings.c.event_id == event)).scalars().all()))

    async def states(self) -> dict[int, Saved]:
        """By lane, what its room state is, as a worker stored it when it stopped; not of a lane that was being taken
        over just then, whose state is in the log alone, nor of one that was behind the other of its partition."""
        at = await self.positions()
        return {lane: comparable(found.state) for lane in range(2 * PARTITIONS)
                if (found := await self.store.snapshot(lane)) is not None
                and found.seq == at[lane] >= at.get(lane ^ 1, 0)}

    async def ends(self) -> dict[int, int]:
        """The number of each partition's last entry."""
        return {partition: (await PartitionLog.opened(partition, rereader=self.rereader, send=_nothing)).end()
                for partition in range(PARTITIONS)}

    async def check(self) -> None:
        """Call it once all workers have stopped by themselves: all that was stored is what a single pass gives."""
        at = await self.positions()
        mine = Results(await self.found(), await self.states(), at)
        check(mine, await single_pass(self.rereader, at, self.folder / "single-pass.db"))


async def _nothing(partition: int, entries: Sequence[Entry]) -> int:
    raise AssertionError


def framed(events: Sequence[Any]) -> list[Entry]:
    """Events, or what they are made of, of one partition as a message has them."""
    events = msgspec.convert(events, list[Event])
    return list(frames.build(events, tenant=TENANT, accepted_at=START, pseudonym=str,
                             revision_of=lambda event: event.revision or 0))


@asynccontextmanager
async def scene(
    brokers: Brokers, cluster: Cluster, folder: Path, *, replication: int = 1
) -> AsyncIterator[Scene]:
    made = Scene(brokers, cluster, await cluster.fresh(), folder, replication=replication)
    await made.open()
    try:
        await made.swap(0)
        yield made
    finally:
        await made.close()
        await cluster.drop(made.url)
