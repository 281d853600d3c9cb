"""Workers on a real Kafka and a real PostgreSQL of this machine, beside the same engine without them.

python -m tests.bench.worker [--only speed|memory] [--events N] [--workers N …] [--rooms N] [--json FILE]

The topic is filled beforehand, 250 events a message, 1 % of them with a finding. Broker and database run on the last
core, the workers on the others (with two cores, both workers share one). The rate is that between a tenth and nine
tenths of the events, by the positions that are committed.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition

from monitor.adapters.bundled import view_tables
from monitor.adapters.bus.embedded import LogSettings, open_log
from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.rereader import KafkaRereader
from monitor.adapters.bus.kafka.topics import Topics, Wanted
from monitor.adapters.clock import SteadyClock
from monitor.adapters.rulefiles import RuleFolder
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.store import SqlStore
from monitor.domain import frames
from monitor.domain.events import Event
from monitor.domain.frames import Entry, Swap
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.services.detect import Detect, DetectSettings
from monitor.services.making import compiled
from tests.bench import corpus, packs
from tests.bench.worker_memory import memory
from tests.fakes.archive import MemoryArchive
from tests.faults.harness import until
from tests.faults.inside import Quiet
from tests.faults.processes import WorkerProcess
from tests.faults.singlepass import Nobody
from tests.parts.postgres import Cluster
from tests.parts.running import free_ports, script

SEED: Final = 20261127
PARTITIONS: Final = 4
EACH: Final = 250
SHARE: Final = 0.01
ROOMS: Final = 1_000


def now() -> int:
    return int(time.time() * 1000)


def messages(count: int) -> dict[int, list[list[Entry]]]:
    """By partition, what each message holds."""
    _, single, paired = corpus.rules(SEED)
    texts = corpus.texts(SEED, min(count, 200_000), SHARE, single, paired)
    events: dict[int, list[Event]] = {p: [] for p in range(PARTITIONS)}
    decode = corpus.decoder().decode
    for line in corpus.lines(texts, rooms=ROOMS, at=now()):
        event = decode(line)
        events[wire.partition_of("local", event.room, PARTITIONS)].append(event)
    made: dict[int, list[list[Entry]]] = {}
    for partition, own in events.items():
        made[partition] = [list(frames.build(own[i : i + EACH], tenant="local", accepted_at=now(), pseudonym=str,
                                             revision_of=lambda event: 0)) for i in range(0, len(own), EACH)]
    return made


class Bench:
    def __init__(self, events: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="redpost-bench-"))
        self.folder.chmod(0o755)
        self.events = events

    async def open(self) -> None:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        self.kafka = script("kafka.sh", "start", "--data", str(self.folder / "kafka"), "--port", str(free_ports(2)))
        self.cluster = Cluster(self.folder / "postgres")

    async def filled(self) -> None:
        self.brokers = Brokers(bootstrap=self.kafka)
        async with Topics(self.brokers) as topics:
            await topics.apply(Wanted(partitions=PARTITIONS, replication=1))
        rules = self.folder / "rules"
        packs.write(rules, SEED)
        source = RuleFolder(rules, rooms=None, zone="Asia/Shanghai")
        self.bundle = source.read()
        self.engine = compiled(source, self.bundle, view_tables(), Databases(), check=False)
        self.made = messages(min(self.events, 200_000))
        await self._fill()

    async def _fill(self) -> None:
        """The same texts again and again, each time under other ids."""
        producer = KafkaProducer(self.brokers, linger_s=0, most_events=1)
        await producer.start()
        for partition in range(PARTITIONS):
            await producer.send(partition, [Swap(now(), self.engine.version)])
        self.sent = 0
        for turn in range(max(1, self.events // 200_000)):
            waiting = []
            for partition, each in self.made.items():
                for entries in each:
                    waiting.append(producer.send(partition, [_again(entry, turn) for entry in entries]))
                    self.sent += sum(len(entry) for entry in entries if isinstance(entry, frames.Frame))
                    if len(waiting) == 200:
                        await asyncio.gather(*waiting)
                        waiting = []
            await asyncio.gather(*waiting)
        await producer.close()

    async def bare(self) -> float:
        """Events a second of a consumer that only fetches."""
        consumer = AIOKafkaConsumer(**self.brokers.common(), group_id=None, auto_offset_reset="earliest",
                                    max_partition_fetch_bytes=4 * 2**20)
        await consumer.start()
        consumer.assign([TopicPartition(self.brokers.events, p) for p in range(PARTITIONS)])
        ends = await consumer.end_offsets(list(consumer.assignment()))
        left, began = sum(ends.values()), time.process_time()
        while left:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                left -= len(records)
        took = time.process_time() - began
        await consumer.stop()
        return self.sent / took

    async def alone(self) -> tuple[float, float]:
        """The same engine without Kafka, the embedded log and SQLite on one core: events a second, µs of processor an
        event."""
        log = await open_log(LogSettings(path=self.folder / "log.db"), logger=Quiet(), on_fatal=lambda error: None)
        total = 0
        for turn in range(2):
            for each in self.made.values():
                for entries in each:
                    await log.append([_again(entry, turn) for entry in entries])
                    total += sum(len(entry) for entry in entries if isinstance(entry, frames.Frame))
        database = await Database.open(self.folder / "alone.db")

        async def engine_of(version: str) -> EngineSet:
            return self.engine

        detect = Detect(
            log=log, store=SqlStore(database), archive=MemoryArchive(), publisher=Nobody(), telemetry=Quiet(),
            logger=Quiet(), clock=SteadyClock(lambda *_: None), engine=self.engine, engine_of=engine_of,
            failpoint=lambda name, events=0: None, settings=DetectSettings())
        await detect.start()
        judging = asyncio.create_task(detect.run())
        marks = []
        for mark in (0.1, 0.9):
            await until(lambda mark=mark: judging.done() or min(detect.positions()) >= mark * log.end(), seconds=600)
            marks.append((time.perf_counter(), time.process_time()))
        (began, before), (ended, after) = marks
        detect.stop()
        await judging
        await database.close()
        await log.close()
        return 0.8 * total / (ended - began), (after - before) / (0.8 * total) * 1e6

    async def workers(self, count: int) -> dict[str, Any]:
        url = await self.cluster.fresh()
        database = await Database.open(url)
        store = SqlStore(database)
        await store.save_rule_set(self.engine.version, msgspec.msgpack.encode(self.bundle))
        group = f"bench-{count}-{now()}"
        workers = [WorkerProcess(self.folder / f"w{count}-{k}", self.brokers, url, bus__group=group,
                                 model__dir="none", rules__dir=str(self.folder / "rules"), bus__partitions=PARTITIONS,
                                 telemetry__log_level="info", engine__snapshot_s=10)
                   for k in range(count)]
        rereader = KafkaRereader(self.brokers)
        await rereader.start()
        ends = [(await rereader.bounds(p))[1] for p in range(PARTITIONS)]
        await rereader.close()
        others = sorted(os.sched_getaffinity(0) ^ set(range(os.cpu_count() or 1)))
        for k, worker in enumerate(workers):
            worker.start()
            assert worker.process is not None
            os.sched_setaffinity(worker.process.pid, {others[k % len(others)]})
        whole = sum(ends)

        async def share() -> float:
            return sum(wire.offset_of(each.seq) for each in await store.positions()) / 2 / whole

        marks: dict[float, tuple[float, float]] = {}
        processes = [psutil.Process(worker.process.pid) for worker in workers if worker.process is not None]
        peak = 0

        async def past(mark: float) -> bool:
            nonlocal peak
            peak = max(peak, *(each.memory_info().rss for each in processes))
            return await share() >= mark

        for mark in (0.1, 0.9):
            await until(lambda mark=mark: past(mark), seconds=900)
            cpu = sum(sum(each.cpu_times()[:2]) for each in processes)
            marks[mark] = (time.perf_counter(), cpu)
        took = marks[0.9][0] - marks[0.1][0]
        judged = 0.8 * self.sent
        for worker in workers:
            worker.signal(signal.SIGTERM)
            await worker.ended()
        await database.close()
        cpu = marks[0.9][1] - marks[0.1][1]
        return {"workers": count, "events_s": round(judged / took), "us": cpu / judged * 1e6, "peak_mb": peak >> 20}

    async def close(self) -> None:
        script("kafka.sh", "stop", "--data", str(self.folder / "kafka"))
        self.cluster.stop(now=True)
        shutil.rmtree(self.folder)


def _again(entry: Entry, turn: int) -> Entry:
    if not isinstance(entry, frames.Frame):
        return entry
    return msgspec.structs.replace(entry, ids=[f"{turn}-{name}" for name in entry.ids])


async def run(events: int, counts: Sequence[int]) -> dict[str, Any]:
    bench = Bench(events)
    try:
        await bench.open()
        await bench.filled()
        report: dict[str, Any] = {"events": bench.sent, "partitions": PARTITIONS, "each": EACH, "seed": SEED}
        bare = await bench.bare()
        report["bare_events_s_of_processor"] = round(bare)
        print(f"bare consumer   {bare:,.0f} events a second of processor")  # noqa: T201
        os.sched_setaffinity(0, set(range(os.cpu_count() or 1)) - os.sched_getaffinity(0) or {0})
        rate, cpu = await bench.alone()
        report["alone"] = {"events_s": round(rate), "us": cpu}
        print(f"engine alone    {rate:,.0f} events/s, {cpu:.2f} µs an event, one core, SQLite")  # noqa: T201
        os.sched_setaffinity(0, {max(range(os.cpu_count() or 1))})
        for count in counts:
            found = await bench.workers(count)
            report[f"workers {count}"] = found
            print(f"{count} worker(s)     {found['events_s']:,} events/s = {found['events_s'] / rate:.2f} × alone, "  # noqa: T201
                  f"{found['us']:.2f} µs an event, peak {found['peak_mb']} MB")
        return report
    finally:
        await bench.close()


async def hold(rooms: int) -> dict[str, Any]:
    bench = Bench(0)
    try:
        await bench.open()
        report = await memory(bench.kafka, bench.cluster, bench.folder, seed=SEED, rooms=rooms, at=now() - 3_600_000)
        for start in ("cold", "again"):
            told = ", ".join(f"{when} {mb['now']} MB (peak {mb['peak']}, not of files {mb['own']})"
                             for when, mb in report[start].items())
            print(f"memory, {rooms:,} rooms, start {start}: {told}")  # noqa: T201
        return report
    finally:
        await bench.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", choices=["speed", "memory"])
    parser.add_argument("--rooms", type=int, default=10_000)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4_096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    known = json.loads(options.json.read_text()) if options.json.exists() else {}
    if options.only != "memory":
        known["worker"] = asyncio.run(run(options.events, options.workers))
    if options.only != "speed":
        known["worker_memory"] = asyncio.run(hold(options.rooms))
    options.json.write_text(json.dumps(known, indent=2))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
