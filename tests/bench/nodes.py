"""The way through web node, brokers, worker and database of this machine; and what the bridge carries.

python -m tests.bench.nodes [--only latency bridge] [--seconds N] [--messages N] [--json FILE]

Latency: a client sends to a web node 5,000 events/s, 100 a request, of 1,000 rooms; what the same node tells by SSE is
timed from the sending of the event. Everything shares the cores of the machine. Bridge: plain messages of one event
each are there beforehand; broker and database run on the last core, the bridge on the first, and the rate is that
between a tenth and nine tenths of them. Beside it, what a consumer that only fetches makes of the same topic.
"""

import argparse
import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.topics import Topics, Wanted
from tests.bench import corpus, packs
from tests.bench.service import SEED, SHARE, Run, _client, events, percentile
from tests.faults.harness import until
from tests.faults.processes import WorkerProcess
from tests.parts.postgres import Cluster
from tests.parts.running import free_ports, script

PARTITIONS: Final = 4
TENANT: Final = "agency"


class Node(WorkerProcess):
    command = "web"

    async def up(self) -> str:
        self.start()
        return await self.address()

    async def address(self) -> str:
        said = re.compile(r"(?:listens|answers) on (http://\S+)\n")
        return str((await until(lambda: said.search(self.output("out")), seconds=180))[1])


class BridgeProcess(Node):
    command = "bridge"

    def options(self) -> list[str]:
        return []


class Bench:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="redpost-bench-"))
        self.folder.chmod(0o755)

    async def open(self, *, pinned: bool) -> None:
        """`pinned`: broker, database and this process on the last core."""
        if pinned:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        self.brokers = Brokers(bootstrap=script(
            "kafka.sh", "start", "--data", str(self.folder / "kafka"), "--port", str(free_ports(2))))
        self.cluster = Cluster(self.folder / "postgres")
        async with Topics(self.brokers) as topics:
            await topics.apply(Wanted(partitions=PARTITIONS, replication=1, tenants=[TENANT]))
        packs.write(self.folder / "rules", SEED)
        (self.folder / "key").write_text(secrets.token_hex(32))
        self.url = await self.cluster.fresh()
        self.settings = {
            "bus__partitions": PARTITIONS, "bus__tenants": TENANT, "model__dir": "none",
            "rules__dir": self.folder / "rules", "data__shared": self.folder / "shared",
            "pseudonym__key_file": self.folder / "key", "ingest__future_ms": 10**9}

    def process(self, kind: type[WorkerProcess], name: str) -> Any:
        return kind(self.folder / name, self.brokers, self.url, **self.settings)

    async def close(self) -> None:
        script("kafka.sh", "stop", "--data", str(self.folder / "kafka"))
        self.cluster.stop(now=True)
        shutil.rmtree(self.folder)


async def latency(seconds: int) -> dict[str, Any]:
    bench = Bench()
    await bench.open(pinned=False)
    _, single, paired = corpus.rules(SEED)
    run = Run("nodes", 5_000, 100, 1_000, seconds)
    lines = events(run, single, paired)
    node, worker = bench.process(Node, "web"), bench.process(WorkerProcess, "worker")
    address = await node.up()
    worker.start()
    await until(lambda: worker.output().count("partition_taken") == PARTITIONS, seconds=180)
    processes = [psutil.Process(each.process.pid) for each in (node, worker)]
    before = [sum(each.cpu_times()[:2]) for each in processes]
    got = await _client(run, address, lines)
    used = [(sum(each.cpu_times()[:2]) - was) / got["took"] for each, was in zip(processes, before, strict=True)]
    peak = [each.memory_info().rss >> 20 for each in processes]
    for each in (node, worker):
        each.signal(signal.SIGTERM)
        await each.ended()
    await bench.close()
    seen = [took for took, _ in got["seen"]]
    return {"rate": got["accepted"] / got["took"], "accepted": got["accepted"], "sent": len(lines),
            "ack_ms": [percentile(got["acks"], share) * 1e3 for share in (0.5, 0.99)],
            "visible_ms": [percentile(seen, share) * 1e3 for share in (0.5, 0.99)], "alerts": len(seen),
            "cpu": used, "rss_mb": peak}


async def bridge(messages: int) -> dict[str, Any]:
    bench = Bench()
    await bench.open(pinned=True)
    _, single, paired = corpus.rules(SEED)
    texts = corpus.texts(SEED, min(messages, 100_000), SHARE, single, paired)
    topic = bench.brokers.events_in(TENANT)
    producer = AIOKafkaProducer(**bench.brokers.common(), linger_ms=20, compression_type="lz4", max_batch_size=2**18)
    await producer.start()
    now = int(time.time() * 1000)
    for first in range(0, messages, len(texts)):
        for line in corpus.lines(texts[: messages - first], first=first, at=now):
            await producer.send(topic, line, key=line[line.index(b'"room'):][:24])
    await producer.stop()
    bare = await _bare(bench.brokers, topic)
    process = bench.process(BridgeProcess, "bridge")
    others = sorted(os.sched_getaffinity(0) ^ set(range(os.cpu_count() or 1)))
    process.start()
    os.sched_setaffinity(process.process.pid, set(others[:1]))
    address = await process.address()
    used = psutil.Process(process.process.pid)
    marks: list[tuple[float, float, float]] = []
    async with aiohttp.ClientSession() as session:
        async def bridged() -> float:
            async with session.get(f"{address}/metrics") as answer:
                return sum(float(line.rsplit(" ", 1)[1]) for line in (await answer.text()).splitlines()
                           if line.startswith("redpost_ingest_events_total"))

        for mark in (0.1, 0.9):
            async def past(mark: float = mark) -> float:
                many = await bridged()
                return many if many >= mark * messages else 0

            many = await until(past, seconds=600)
            marks.append((time.perf_counter(), sum(used.cpu_times()[:2]), many))
        await until(lambda: _all(bridged, messages), seconds=600)
    process.signal(signal.SIGTERM)
    await process.ended()
    await bench.close()
    (began, cpu, first), (ended, after, last) = marks
    return {"events_s": (last - first) / (ended - began), "us": (after - cpu) / (last - first) * 1e6, "bare": bare,
            "messages": messages}


async def _all(bridged: Any, messages: int) -> bool:
    return bool(await bridged() >= messages)


async def _bare(brokers: Brokers, topic: str) -> float:
    """Messages a second of processor that a consumer alone fetches."""
    consumer = AIOKafkaConsumer(**brokers.common(), group_id=None, auto_offset_reset="earliest",
                                max_partition_fetch_bytes=4 * 2**20)
    await consumer.start()
    consumer.assign([TopicPartition(topic, p) for p in range(PARTITIONS)])
    whole = left = sum((await consumer.end_offsets(list(consumer.assignment()))).values())
    began = time.process_time()
    while left:
        left -= sum(map(len, (await consumer.getmany(timeout_ms=1_000)).values()))
    took = time.process_time() - began
    await consumer.stop()
    return whole / took


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=["latency", "bridge"])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report: dict[str, Any] = {}
    if "latency" in args.only:
        row = report["latency"] = await latency(args.seconds)
        sys.stdout.write(f"latency  {row['rate']:,.0f} events/s through a web node and a worker · acknowledged p50 "
              f"{row['ack_ms'][0]:.0f} p99 {row['ack_ms'][1]:.0f} ms · alert visible p50 {row['visible_ms'][0]:.0f} "
              f"p99 {row['visible_ms'][1]:.0f} ms ({row['alerts']} alerts) · CPU node {row['cpu'][0]:.0%} worker "
              f"{row['cpu'][1]:.0%} · RSS {row['rss_mb'][0]} and {row['rss_mb'][1]} MB\n")
    if "bridge" in args.only:
        row = report["bridge"] = await bridge(args.messages)
        sys.stdout.write(f"bridge   {row['events_s']:,.0f} messages/s, {row['us']:.1f} µs of processor each = "
              f"{row['events_s'] / row['bare']:.2f} × a bare consumer ({row['bare']:,.0f}/s of processor)\n")
    if args.json:
        args.json.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    asyncio.run(main())
