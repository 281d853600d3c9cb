"""A day of the demo's rooms gives the same findings and alerts in one process and in three workers that die and come.

Both read the same frames with the same times of acceptance, the same ticks, and the new rules at the same place of each
room's order; the one from a log of its own into SQLite, the others from Kafka into PostgreSQL.
"""

import asyncio
import random
import shutil
import signal
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from monitor.adapters.bus.embedded import LogSettings, open_log
from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.clock import SteadyClock
from monitor.adapters.rulefiles import RuleFolder
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import alerts
from monitor.adapters.storage.store import SqlStore
from monitor.domain import frames
from monitor.domain.decoding import Limits, decode
from monitor.domain.events import RELATIVE, Event, at_ms
from monitor.domain.frames import Entry, Swap, Tick
from monitor.engine.engineset import EngineSet
from monitor.services.bundles import Bundle
from monitor.services.demo import looped
from monitor.services.detect import Detect, DetectSettings
from tests.fakes.archive import MemoryArchive
from tests.faults.cluster import TENANT, Scene
from tests.faults.comparing import Found, found_in
from tests.faults.harness import ROOT, until
from tests.faults.inside import GROUPING, START, Quiet
from tests.faults.processes import PARTITIONS, WorkerProcess
from tests.faults.singlepass import Nobody
from tests.faults.streams import ZONE, tables
from tests.parts.postgres import Cluster

DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
SEED: Final = 20261127
PACKS: Final = ("food", "jewellery", "entertainment")
Minute = tuple[int, dict[int, list[Entry]]]
"""When it ends (UTC ms), and what comes in it, by partition."""


def rule_sets(folder: Path) -> list[tuple[EngineSet, Bundle]]:
    """Some of the shipped packs; then the same with a pack less."""
    found = []
    for n, packs in enumerate((PACKS, PACKS[1:])):
        place = folder / f"rules-{n}"
        place.mkdir()
        for name in ("contexts.yml", "clauses.yml", "duties.yml"):
            shutil.copy(ROOT / "rules" / name, place / name)
        for pack in packs:
            shutil.copytree(ROOT / "rules" / pack, place / pack)
        source = RuleFolder(place, rooms=None, zone=ZONE)
        bundle = source.read()
        found.append((EngineSet(source.parse(bundle)[0], tables(), zone=ZoneInfo(ZONE)), bundle))
    return found


def said() -> list[Event]:
    """24 hours: each room one broadcast after another, with a pause of up to an hour in between."""
    rng = random.Random(SEED)
    every: list[Event] = []
    for path in sorted((ROOT / "config/demo").glob("*.ndjson")):
        script = decode(path.read_bytes(), Limits(relative_ms=RELATIVE), now_ms=START).events
        length = max(at_ms(event) or 0 for event in script)
        start = START + rng.randrange(10 * MINUTE_MS)
        while start + length < START + DAY_MS:
            every += looped(script, start=start)
            start += length + rng.randrange(20 * MINUTE_MS, 50 * MINUTE_MS)
    return sorted(every, key=lambda event: at_ms(event) or 0)


def day() -> Iterator[Minute]:
    events, first = said(), 0
    for end in range(START + MINUTE_MS, START + DAY_MS + MINUTE_MS, MINUTE_MS):
        last = first
        places: dict[int, list[Event]] = {}
        while last < len(events) and (at_ms(events[last]) or 0) < end:
            event = events[last]
            places.setdefault(wire.partition_of(TENANT, event.room, PARTITIONS), []).append(event)
            last += 1
        first = last
        yield end, {place: list(frames.build(some, tenant=TENANT, accepted_at=end, pseudonym=str,
                                             revision_of=lambda event: event.revision or 0))
                    for place, some in places.items()}


async def in_one_process(folder: Path, minutes: Sequence[Minute], engines: Sequence[EngineSet]) -> Database:
    versions = {engine.version: engine for engine in engines}

    async def engine_of(version: str) -> EngineSet:
        return versions[version]

    log = await open_log(LogSettings(path=folder / "log.db"), logger=Quiet(), on_fatal=lambda error: None)
    await log.append([Swap(START, engines[0].version)])
    for n, (end, places) in enumerate(minutes):
        if n == len(minutes) // 2:
            await log.append([Swap(end, engines[1].version)])
        for entries in places.values():
            await log.append(entries)
        await log.append([Tick(end)])
    database = await Database.open(folder / "store.db")
    detect = Detect(
        log=log, store=SqlStore(database), archive=MemoryArchive(), publisher=Nobody(), telemetry=Quiet(),
        logger=Quiet(), clock=SteadyClock(lambda *_: None), engine=engines[0], engine_of=engine_of,
        failpoint=lambda name, events=0: None, settings=DetectSettings(grouping=GROUPING, silence_ms=1_800_000))
    await detect.start()
    judging = asyncio.create_task(detect.run())
    end = log.end()
    await until(lambda: judging.done() or min(detect.positions()) >= end)
    detect.stop()
    await judging
    await log.close()
    return database


async def results(database: Database) -> tuple[Found, set[str]]:
    rows = await database.read(lambda connection: set(connection.scalars(select(alerts.c.id))))
    return await found_in(database), rows


async def test_a_day_in_one_process_and_in_three_workers(
    brokers: Brokers, postgres: Cluster, tmp_path: Path,
) -> None:
    sets, minutes = rule_sets(tmp_path), list(day())
    engines = [engine for engine, _ in sets]
    scene = Scene(brokers, postgres, await postgres.fresh(), tmp_path)
    await scene.open()
    try:
        for engine, bundle in sets:
            await scene.store.save_rule_set(engine.version, msgspec.msgpack.encode(bundle))
        workers = [scene.worker(broadcast__silence_ms=1_800_000) for _ in range(3)]
        supervising = asyncio.create_task(_supervised(workers))
        everywhere = partial(_everywhere, scene)
        await everywhere(Swap(START, engines[0].version))
        quarter = len(minutes) // 4
        for n, (end, places) in enumerate(minutes):
            if n == quarter:
                await _all_taken(scene, workers)
                await workers[0].kill()
            if n == 2 * quarter:
                await everywhere(Swap(end, engines[1].version))
            if n == 3 * quarter:
                workers[1].signal(signal.SIGTERM)
            await asyncio.gather(*(scene.producer.send(place, entries) for place, entries in places.items()))
            await everywhere(Tick(end))
        await scene.settled()
        supervising.cancel()
        assert sum(worker.starts for worker in workers) >= 5
        (tmp_path / "one").mkdir()
        alone = await in_one_process(tmp_path / "one", minutes, engines)
        findings, opened = await results(scene.database)
        assert len(findings) > 150 and len(opened) > 100
        assert (findings, opened) == await results(alone)
        await alone.close()
    finally:
        await scene.close()
        await postgres.drop(scene.url)


async def _supervised(workers: Sequence[WorkerProcess]) -> None:
    """Whichever has ended, however it did, is started again."""
    while True:
        for worker in workers:
            if not worker.running():
                worker.start()
        await asyncio.sleep(0.1)


async def _everywhere(scene: Scene, entry: Entry) -> None:
    await asyncio.gather(*(scene.producer.send(partition, [entry]) for partition in range(PARTITIONS)))


async def _all_taken(scene: Scene, workers: Sequence[WorkerProcess]) -> None:
    await until(lambda: len({p for worker in workers for p in worker.taken()}) == PARTITIONS)
