"""Workers whose network is cut, or stands still, and brokers that die: nothing is lost, nothing is there twice."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.connecting import Brokers
from tests.faults.cluster import TENANT, Scene, scene
from tests.faults.harness import until
from tests.faults.processes import PARTITIONS, WorkerProcess
from tests.faults.proxy import Proxy
from tests.faults.staging import everything_taken, recovered, stage, stopped
from tests.faults.streams import cut, stream
from tests.parts.kafka import own_kafka
from tests.parts.postgres import Cluster
from tests.parts.running import script

__all__ = ["stage"]
EVENTS = 3_000


@pytest.fixture
async def proxy(brokers: Brokers) -> AsyncIterator[Proxy]:
    port = int(brokers.bootstrap.rsplit(":", 1)[1])
    async with Proxy(port + 3, port + 2) as made:
        yield made


def behind(stage: Scene, proxy: Proxy) -> WorkerProcess:
    """A worker that reaches the brokers through it alone."""
    return stage.worker(bus__brokers=f"127.0.0.1:{proxy.port}")


async def again(worker: WorkerProcess) -> None:
    """As a supervisor does, where it has ended."""
    if not worker.running():
        assert worker.process is not None and worker.process.returncode in (70, 75), worker.output()
        worker.start()


async def test_a_cut_that_heals_soon(stage: Scene, proxy: Proxy) -> None:
    worker = behind(stage, proxy)
    worker.start()
    batches = cut(stream(21, EVENTS), 50)
    await stage.send(batches[:20], pause_s=0.005)
    await everything_taken(stage)
    for part in range(20, 60, 10):
        sending = asyncio.create_task(stage.send(batches[part : part + 10], pause_s=0.005))
        await asyncio.sleep(0.05)
        await proxy.cut()
        await sending
        await proxy.heal()
    await asyncio.sleep(0.5)
    await again(worker)
    await recovered(stage)
    assert proxy.passed
    await stopped(stage)
    await stage.check()


@pytest.mark.parametrize("how", ["cut", "frozen"])
async def test_a_worker_that_is_cut_off_for_longer_than_its_session(stage: Scene, proxy: Proxy, how: str) -> None:
    """Another one takes its partitions; what the first one judged meanwhile, or still had, is written once."""
    lone = behind(stage, proxy)
    lone.start()
    batches = cut(stream(22, EVENTS), 50)
    await stage.send(batches[:20], pause_s=0.005)
    await everything_taken(stage)
    heir = stage.worker()
    if how == "cut":
        await proxy.cut()
    else:
        proxy.freeze()
    heir.start()
    await stage.send(batches[20:40], pause_s=0.005)
    await until(lambda: len(set(heir.taken())) == PARTITIONS)
    await proxy.heal()
    await stage.send(batches[40:], pause_s=0.02)
    await stage.settled()
    await again(lone)
    await recovered(stage)
    await stopped(stage)
    await stage.check()


async def test_how_long_a_takeover_takes(stage: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    """From the death of one of two, with the session as it is by default, to the first finding of its partitions."""
    first, second = (stage.worker(bus__session_s=10) for _ in range(2))
    first.start()
    await stage.send(cut(stream(23, 500), 50))
    await everything_taken(stage)
    second.start()
    await until(lambda: len(set(second.taken())) == PARTITIONS // 2)
    await stage.settled()
    dead = set(range(PARTITIONS)) - set(second.taken())
    rooms = {f"room-{n}" for n in range(8) if wire.partition_of(TENANT, f"room-{n}", PARTITIONS) in dead}
    before = await stage.found_in(rooms)
    await first.kill()
    began = time.monotonic()
    later = cut(stream(24, 4 * EVENTS, first=500), 50)

    async def judged() -> bool:
        if later:
            await stage.send([later.pop(0)], pause_s=0.1)
        return await stage.found_in(rooms) > before

    await until(judged)
    took = time.monotonic() - began
    with capsys.disabled():
        print(f" [from kill -9 to the first finding of its partitions: {took:.1f} s]", end="")  # noqa: T201
    assert took <= 20
    await recovered(stage)
    await stopped(stage)
    await stage.check()


@pytest.mark.parametrize("node", ["1", *(pytest.param(each, marks=pytest.mark.soak) for each in "23")])
async def test_one_of_three_brokers_dies_and_comes_back(postgres: Cluster, tmp_path: Path, node: str) -> None:
    """Every partition has two more copies: nobody waits for it for long."""
    data = tmp_path / "kafka"
    with own_kafka(data, "--nodes", "3", ports=24) as address:
        async with scene(Brokers(bootstrap=address), postgres, tmp_path, replication=3) as stage:
            stage.worker().start()
            batches = cut(stream(25, EVENTS), 50)
            await stage.send(batches[:20])
            await everything_taken(stage)
            await asyncio.to_thread(script, "kafka.sh", "stop", "--data", str(data), "--node", node, "--now")
            await stage.send(batches[20:40])
            await stage.settled()
            await asyncio.to_thread(script, "kafka.sh", "start", "--data", str(data), "--node", node)
            await stage.send(batches[40:])
            await recovered(stage)
            await stopped(stage)
            await stage.check()
