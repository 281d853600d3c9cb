"""What a single pass over the workers' log gives: it runs here, alone and undisturbed, on the very messages that they
read (their ticks included), into a store of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.partitionlog import PartitionLog
from monitor.adapters.bus.kafka.rereader import KafkaRereader, Read
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.store import SqlStore
from monitor.domain.errors import StorageError
from monitor.domain.frames import Entry
from monitor.engine.engineset import EngineSet
from monitor.services.detect import Detect, DetectSettings
from monitor.services.partitions import OfPartition
from monitor.services.records import Update
from monitor.services.recovery import first_engine
from tests.fakes.archive import MemoryArchive
from tests.faults.comparing import Results, comparable, found_in
from tests.faults.harness import until
from tests.faults.inside import GROUPING, Clock, Quiet, engines
from tests.faults.processes import PARTITIONS


async def single_pass(rereader: KafkaRereader, at: Mapping[int, int], place: Path) -> Results:
    """What one undisturbed process gives over the log up to where it was judged, `at` by lane: a last tick may have
    come behind that. `place`: a file for its store."""
    place.unlink(missing_ok=True)
    database = await Database.open(place)
    store = SqlStore(database)

    async def engine_of(version: str) -> EngineSet:
        return engines()[version]

    for partition in range(PARTITIONS):
        judged = wire.offset_of(max(at.get(2 * partition + side, 1) for side in (0, 1))) + 1
        log = await PartitionLog.opened(partition, rereader=Until(rereader, judged), send=_refused)
        own = OfPartition(store, partition)
        engine = await first_engine(own, log, engine_of)
        assert engine is not None
        detect = Detect(
            log=log, store=own, archive=MemoryArchive(), publisher=Nobody(), telemetry=Quiet(), logger=Quiet(),
            clock=Clock(), engine=engine, engine_of=engine_of, failpoint=lambda name, events=0: None,
            settings=DetectSettings(snapshot_ms=10**9, commit_ms=0, tick_ms=20, grouping=GROUPING))
        await detect.start()
        judging = asyncio.create_task(detect.run())
        await until(partial(_over, judging, detect, log))
        detect.stop()
        await judging
    states = {lane: comparable(found.state) for lane in range(2 * PARTITIONS)
              if (found := await store.snapshot(lane)) is not None}
    found = await found_in(database)
    await database.close()
    return Results(found, states, at)


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


async def _refused(partition: int, entries: Sequence[Entry]) -> int:
    raise StorageError("a single pass writes no ticks")
