"""What a worker with many rooms holds: every room with host and viewers, revisions, contact data, alerts and windows of
the shipped correlations, judged by the shipped packs and classifier over the partitions that are usual.

The topic is filled beforehand, so that the worker goes as fast as it can; half of the rooms' broadcasts are named.
"""

import random
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from monitor.adapters.bundled import model_folder, view_tables
from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.adapters.bus.kafka.rereader import KafkaRereader
from monitor.adapters.bus.kafka.topics import Topics, Wanted
from monitor.adapters.ml.shelf import ModelShelf
from monitor.adapters.rulefiles import RuleFolder
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.store import SqlStore
from monitor.domain import frames
from monitor.domain.events import Event
from monitor.domain.frames import Swap
from monitor.domain.rulesets import RuleSet
from monitor.engine.databases import Databases
from monitor.services.making import compiled
from tests.bench import corpus
from tests.faults.harness import until
from tests.faults.processes import WorkerProcess
from tests.parts.postgres import Cluster

RULES: Final = Path(__file__).parents[2] / "rules"
PARTITIONS: Final = 12
EACH: Final = 250
ROUNDS: Final = 16
"""Events of each room."""
SHARE: Final = 0.05
STEP_MS: Final = 20_000
"""Between two rounds: five minutes of each room in all."""


class Held(Struct):
    """Memory of a process, MB: `peak` since its start, `now` in all, `own` of it not of files."""

    peak: int
    now: int
    own: int


def held(pid: int) -> Held:
    found = dict(line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Held(*(int(found[name].split()[0]) >> 10 for name in ("VmHWM", "VmRSS", "RssAnon")))


def rounds(rules: RuleSet, seed: int, rooms: int, at: int) -> list[list[Event]]:
    """By round, an event of each room."""
    rng = random.Random(seed)
    wrong = [case.text for rule in rules.rules for case in rule.cases if case.expect]
    decode, found = corpus.decoder().decode, []
    for turn in range(ROUNDS):
        said = []
        for room in range(rooms):
            host = rng.random() < 0.3
            text = "".join(rng.choices(corpus.COMMON, k=20))
            if rng.random() < SHARE:
                text = rng.choice(wrong)
            elif rng.random() < 0.03:
                text += "13812345678"
            item: dict[str, Any] = {
                "id": f"m{turn}-{room}", "source": "bench", "room": f"room-{room:05d}", "text": text,
                "kind": "transcript" if host else "comment", "at": at + turn * STEP_MS + room,
                "speaker": {"role": "host", "id": "h"} if host else {"role": "viewer", "id": f"u{rng.randrange(9**6)}"},
            }
            if room % 2:
                item["broadcast"] = f"evening-{room}"
            if host:
                item["revision"] = 1
            said.append(decode(msgspec.json.encode(item)))
        found.append(said)
    return found


async def fill(brokers: Brokers, version: str, said: list[list[Event]], at: int) -> None:
    """The rounds as if they were taken in one after another."""
    producer = KafkaProducer(brokers, linger_s=0, most_events=1)
    await producer.start()
    for partition in range(PARTITIONS):
        await producer.send(partition, [Swap(at, version)])
    for turn, events in enumerate(said):
        own: dict[int, list[Event]] = {}
        for event in events:
            own.setdefault(wire.partition_of("local", event.room, PARTITIONS), []).append(event)
        for partition, some in own.items():
            for i in range(0, len(some), EACH):
                await producer.send(partition, list(frames.build(
                    some[i : i + EACH], tenant="local", accepted_at=at + turn * STEP_MS, pseudonym=str,
                    revision_of=lambda event: event.revision or 0)))
    await producer.close()


async def memory(kafka: str, cluster: Cluster, folder: Path, *, seed: int, rooms: int, at: int) -> dict[str, Any]:
    """A cold start, and one that reads it all again."""
    brokers = Brokers(bootstrap=kafka, prefix="memory.")
    async with Topics(brokers) as topics:
        await topics.apply(Wanted(partitions=PARTITIONS, replication=1))
    source = RuleFolder(RULES, rooms=None, zone="Asia/Shanghai")
    bundle = source.read()
    url = await cluster.fresh()
    database = await Database.open(url)
    store = SqlStore(database)
    scorers = ModelShelf(model_folder(""), folder / "none").serving()
    assert scorers.every is not None
    bundle = msgspec.structs.replace(bundle, model=scorers.every.version)
    version = compiled(source, bundle, view_tables(), Databases(), scorers, check=False).version
    await store.save_rule_set(version, msgspec.msgpack.encode(bundle))
    await fill(brokers, version, rounds(source.parse(bundle)[0], seed, rooms, at), at)
    rereader = KafkaRereader(brokers)
    await rereader.start()
    ends = {p: (await rereader.bounds(p))[1] for p in range(PARTITIONS)}
    await rereader.close()
    worker = WorkerProcess(folder / "memory", brokers, url, bus__partitions=PARTITIONS, telemetry__log_level="info",
                           engine__snapshot_s=10, alerts__gap_ms=60_000, alerts__longest_ms=1_800_000)

    async def judged() -> bool:
        if not worker.running():
            raise AssertionError(worker.output()[-2_000:])
        at = {each.lane: wire.offset_of(each.seq) for each in await store.positions()}
        return all(at.get(2 * p + side, -1) >= end - 1 for p, end in ends.items() for side in (0, 1))

    report: dict[str, Any] = {"rooms": rooms, "events": rooms * ROUNDS, "partitions": PARTITIONS}
    for start in ("cold", "again"):
        worker.start()
        assert worker.process is not None
        pid = worker.process.pid
        await until(lambda: len(set(worker.taken())) == PARTITIONS, seconds=300)
        taken = held(pid)
        await until(judged, seconds=900)
        report[start] = {"taken": taken, "judged": held(pid)}
        await worker.kill()
    await database.close()
    return msgspec.to_builtins(report)  # type: ignore[no-any-return]
