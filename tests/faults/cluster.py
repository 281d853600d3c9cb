"""Workers in processes of their own on a real Kafka and a real PostgreSQL, and what a single pass over their log gives.

The single pass runs here, alone and undisturbed, on the very messages that the workers read (their ticks included),
into a store of its own.
"""

import asyncio
import math
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
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
from monitor.domain.errors import StorageError
from monitor.domain.events import Event
from monitor.domain.frames import Entry, Swap
from monitor.engine.engineset import EngineSet
from monitor.services.detect import Detect, DetectSettings
from monitor.services.partitions import OfPartition
from monitor.services.records import Update
from monitor.services.recovery import Saved, first_engine
from tests.fakes.archive import MemoryArchive
from tests.faults.harness import ROOT, SETTINGS, Batch, until
from tests.faults.inside import GROUPING, START, Clock, Quiet, bundles, engines
from tests.parts.kafka import topics
from tests.parts.postgres import Cluster

PARTITIONS: Final = 4
TENANT: Final = "local"
Found = dict[str, tuple[str, str | None]]
"""By finding: its alert, and why it no longer stands."""


class WorkerProcess:
    """`redpost worker` on a data folder of its own, started again and again."""

    command = "worker"

    def __init__(self, data: Path, brokers: Brokers, store: str, **settings: object) -> None:
        self.data = data
        self.settings = {**SETTINGS, "bus.brokers": brokers.bootstrap, "bus.prefix": brokers.prefix,
                         "bus.partitions": PARTITIONS, "bus.session_s": 6, "store.url": store,
                         **{name.replace("__", "."): value for name, value in settings.items()}}
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def options(self) -> list[str]:
        return ["--data", str(self.data)]

    def output(self, name: str = "err") -> str:
        return (self.data.parent / f"{self.data.name}-{self.starts}.{name}").read_text(errors="replace")

    def start(self, failpoint: str = "") -> None:
        assert self.process is None or self.process.poll() is not None
        self.starts += 1
        environ = {name: value for name, value in os.environ.items() if not name.startswith("REDPOST_")}
        for name, value in self.settings.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            environ["REDPOST_" + name.upper().replace(".", "__")] = text
        environ |= {"REDPOST_FAILPOINT": failpoint, "REDPOST_TELEMETRY__LOG_LEVEL": "info"}
        place = self.data.parent / f"{self.data.name}-{self.starts}"
        with place.with_suffix(".out").open("wb") as out, place.with_suffix(".err").open("wb") as err:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "monitor", self.command, *self.options(), "--port", "0"],
                cwd=ROOT, env=environ, stdout=out, stderr=err)

    def taken(self) -> list[int]:
        """Partitions that this process took, so far."""
        return [int(each) for each in re.findall(r'"partition": (\d+)[^\n]*"partition_taken"', self.output())]

    def lag(self) -> float:
        """What its metrics say of messages that are not committed; infinite where they say nothing yet."""
        address = re.search(r"answers on (http://\S+)\n", self.output("out"))
        if address is None:
            return math.inf
        with urllib.request.urlopen(f"{address[1]}/metrics") as answer:  # noqa: S310
            told = re.search(r"^redpost_partition_lag(?:\{[^}]*\})? (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(told[1]) if told else math.inf

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self) -> int:
        """The exit status, once it has ended."""
        assert self.process is not None
        process = self.process
        await until(lambda: process.poll() is not None)
        return int(process.returncode)

    async def kill(self) -> None:
        if self.running():
            self.signal(signal.SIGKILL)
            await self.ended()


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
        return {lane: _comparable(found.state) for lane in range(2 * PARTITIONS)
                if (found := await self.store.snapshot(lane)) is not None
                and found.seq == at[lane] >= at.get(lane ^ 1, 0)}

    async def ends(self) -> dict[int, int]:
        """The number of each partition's last entry."""
        return {partition: (await PartitionLog.opened(partition, rereader=self.rereader, send=_nothing)).end()
                for partition in range(PARTITIONS)}

    async def single_pass(self) -> tuple[Found, dict[int, Saved]]:
        """Findings and states of one undisturbed process over the log up to where it was judged: a last tick may have
        come behind that."""
        at = await self.positions()
        place = self.folder / "single-pass.db"
        place.unlink(missing_ok=True)
        database = await Database.open(place)
        store = SqlStore(database)

        async def engine_of(version: str) -> EngineSet:
            return engines()[version]

        for partition in range(PARTITIONS):
            judged = wire.offset_of(max(at.get(2 * partition + side, 1) for side in (0, 1))) + 1
            log = await PartitionLog.opened(partition, rereader=Until(self.rereader, judged), send=_refused)
            own = OfPartition(store, partition)
            engine = await first_engine(own, log, engine_of)
            assert engine is not None
            detect = Detect(
                log=log, store=own, archive=MemoryArchive(), publisher=Nobody(), telemetry=Quiet(), logger=Quiet(),
                clock=Clock(), engine=engine, engine_of=engine_of, failpoint=lambda name, events=0: None,
                settings=DetectSettings(snapshot_ms=10**9, commit_ms=0, grouping=GROUPING))
            await detect.start()
            judging = asyncio.create_task(detect.run())
            await until(partial(_over, judging, detect, log))
            detect.stop()
            await judging
        states = {lane: _comparable(found.state) for lane in range(2 * PARTITIONS)
                  if (found := await store.snapshot(lane)) is not None}
        found = await found_in(database)
        await database.close()
        return found, states

    async def check(self) -> None:
        """Call it once all workers have stopped by themselves: all that was stored is what a single pass gives."""
        found, states = await self.single_pass()
        assert found
        mine = await self.found()
        assert {name: mine[name] for name in mine.keys() - found.keys()} == {}, "findings that a single pass has not"
        assert {name: found[name] for name in found.keys() - mine.keys()} == {}, "findings that are missing"
        assert mine == found
        stored = await self.states()
        at = await self.positions()
        assert stored
        for lane, state in ((lane, state) for lane, state in states.items() if lane in stored):
            differing = list(_differences(*(msgspec.to_builtins(each, str_keys=False, builtin_types=(bytes,))
                                            for each in (stored[lane], state)), ""))
            if at[lane] != at.get(lane ^ 1, 0):  # what one lane has seen of a last tick waits for the other
                differing = [each for each in differing if not each.startswith(".merged")]
            assert not differing, f"lane {lane}: " + "; ".join(differing)[:4_000]


class Until:
    """A re-reader to which the log ends before an offset."""

    def __init__(self, rereader: KafkaRereader, end: int) -> None:
        self._rereader, self._end = rereader, end
        self.first_since = rereader.first_since

    async def bounds(self, partition: int) -> tuple[int, int]:
        first, end = await self._rereader.bounds(partition)
        return first, min(end, self._end)

    async def read(self, partition: int, offset: int, most: int) -> list[Read]:
        return await self._rereader.read(partition, offset, min(most, self._end - offset)) if offset < self._end else []


class Nobody:
    def publish(self, updates: Sequence[Update]) -> None: ...


def _over(judging: asyncio.Task[None], detect: Detect, log: PartitionLog) -> bool:
    return judging.done() or min(detect.positions()) >= log.end()


async def _nothing(partition: int, entries: Sequence[Entry]) -> int:
    raise AssertionError


async def _refused(partition: int, entries: Sequence[Entry]) -> int:
    raise StorageError("a single pass writes no ticks")


def framed(events: Sequence[Any]) -> list[Entry]:
    """Events, or what they are made of, of one partition as a message has them."""
    events = msgspec.convert(events, list[Event])
    return list(frames.build(events, tenant=TENANT, accepted_at=START, pseudonym=str,
                             revision_of=lambda event: event.revision or 0))


async def found_in(database: Database) -> Found:
    rows = await database.read(lambda connection: connection.execute(
        select(findings.c.id, findings.c.alert_id, findings.c.withdrawn)).all())
    return {row.id: (row.alert_id, row.withdrawn) for row in rows}


def _differences(mine: Any, its: Any, path: str) -> Iterator[str]:
    """Where two states part, however deep; states within states are bytes. When a room is looked at next may be
    earlier than it need be."""
    if path.endswith(".wake"):
        return
    if isinstance(mine, bytes) and isinstance(its, bytes) and mine != its:
        mine, its = (msgspec.msgpack.decode(each, strict=False) for each in (mine, its))
    if isinstance(mine, dict) and isinstance(its, dict):
        for key in mine.keys() | its.keys():
            yield from _differences(mine.get(key), its.get(key), f"{path}.{key}")
    elif isinstance(mine, list) and isinstance(its, list) and len(mine) == len(its):
        for i, pair in enumerate(zip(mine, its, strict=True)):
            yield from _differences(*pair, f"{path}.{i}")
    elif mine != its:
        yield f"{path}: {str(mine)[:300]} instead of {str(its)[:300]}"


def _comparable(state: bytes) -> Saved:
    """Without how far the lines of the rings and the archive had come, which says nothing of rooms."""
    saved = msgspec.msgpack.decode(state, type=Saved)
    return msgspec.structs.replace(saved, rooms=b"", rooms_seq=0, read_from=0)


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
