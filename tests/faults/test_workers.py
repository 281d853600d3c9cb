"""Workers that die, stand still, come and go: everything that was stored is what one undisturbed pass gives."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from monitor.adapters.bus.kafka.connecting import Brokers
from tests.faults.cluster import Scene, scene
from tests.faults.comparing import SHADOW
from tests.faults.harness import until
from tests.faults.processes import PARTITIONS
from tests.faults.staging import EVENTS, everything_taken, stage, stopped
from tests.faults.streams import cut, stream
from tests.parts.kafka import own_kafka
from tests.parts.postgres import Cluster, own_postgres
from tests.parts.running import script

__all__ = ["stage"]


async def test_one_worker_alone(stage: Scene) -> None:
    stage.worker().start()
    await stage.send(cut(stream(1, EVENTS), 100))
    await stage.settled()
    await stopped(stage)
    await stage.check()


async def test_killed_and_joined_with_a_swap_in_between(stage: Scene) -> None:
    first, second, third = (stage.worker() for _ in range(3))
    first.start()
    second.start()
    batches = cut(stream(2, EVENTS), 50)
    await stage.send(batches[:30], pause_s=0.01)
    await everything_taken(stage)
    await stage.swap(1)
    await stage.send(batches[30:60], pause_s=0.01)
    await first.kill()
    third.start()
    await stage.send(batches[60:90], pause_s=0.01)
    await stage.swap(2)
    await stage.send(batches[90:], pause_s=0.01)
    await stage.settled()
    await stopped(stage)
    assert SHADOW in {alert for alert, _ in (await stage.found()).values()}
    await stage.check()


async def test_a_worker_that_stood_still_writes_nothing(stage: Scene) -> None:
    """Stopped for longer than its session, it wakes up after its partitions were given away."""
    zombie = stage.worker()
    zombie.start()
    batches = cut(stream(3, EVENTS), 50)
    await stage.send(batches[:40], pause_s=0.005)
    await everything_taken(stage)
    zombie.signal(signal.SIGSTOP)
    heir = stage.worker()
    heir.start()
    await stage.send(batches[40:80], pause_s=0.005)
    await until(lambda: len(set(heir.taken())) == PARTITIONS)
    zombie.signal(signal.SIGCONT)
    await stage.send(batches[80:], pause_s=0.02)
    await stage.settled()
    await stopped(stage)
    if not zombie.running():
        assert zombie.process is not None and zombie.process.returncode in (0, 70, 75), zombie.output()
    await stage.check()


@pytest.mark.parametrize("point", ["judged", "committed"])
async def test_an_end_in_the_middle_of_a_batch(stage: Scene, point: str) -> None:
    worker = stage.worker()
    worker.start(f"{point}:12")
    await everything_taken(stage)
    await stage.swap(1)
    batches = cut(stream(4, EVENTS), 50)
    await stage.send(batches, pause_s=0.005)
    await worker.ended()
    worker.start()
    await everything_taken(stage)  # it may have died with all committed: an owner alone stores states as it stops
    await stage.settled()
    await stopped(stage)
    assert SHADOW in {alert for alert, _ in (await stage.found()).values()}
    await stage.check()


async def test_the_database_goes_away_and_comes_back(brokers: Brokers, tmp_path: Path) -> None:
    with own_postgres() as cluster:
        async with scene(brokers, cluster, tmp_path) as stage:
            worker = stage.worker()
            worker.start()
            batches = cut(stream(5, EVENTS), 50)
            await stage.send(batches[:60], pause_s=0.005)
            await everything_taken(stage)
            cluster.stop(now=True)
            await stage.send(batches[60:], pause_s=0.005)
            assert await worker.ended() == 70
            cluster.start()
            worker.start()
            await stage.settled()
            await stopped(stage)
            await stage.check()


async def test_the_broker_goes_away_and_comes_back(postgres: Cluster, tmp_path: Path) -> None:
    """Workers and producers wait for it; what was acknowledged before is there afterwards."""
    data = tmp_path / "kafka"
    with own_kafka(data) as address:
        async with scene(Brokers(bootstrap=address), postgres, tmp_path) as stage:
            stage.worker().start()
            batches = cut(stream(7, EVENTS), 50)
            await stage.send(batches[:60], pause_s=0.005)
            await everything_taken(stage)
            await asyncio.to_thread(script, "kafka.sh", "stop", "--data", str(data), "--now")
            sending = asyncio.create_task(stage.send(batches[60:], pause_s=0.005))
            await asyncio.to_thread(script, "kafka.sh", "start", "--data", str(data))
            await sending
            await stage.settled()
            await stopped(stage)
            await stage.check()


async def test_a_database_that_is_put_back_to_an_older_copy(stage: Scene) -> None:
    """The group's offsets are far beyond it: what it lacks is read from the log again."""
    worker = stage.worker()
    worker.start()
    batches = cut(stream(8, EVENTS), 50)
    await stage.send(batches[:60])
    await stage.settled()
    await stopped(stage)
    older = await stage.copied()
    worker.start()
    await stage.send(batches[60:])
    await stage.settled()
    await stopped(stage)
    newer = await stage.found()
    await stage.put_back(older)
    assert await stage.found() != newer
    heir = stage.worker()
    heir.start()
    await stage.settled()
    await stopped(stage)
    await stage.check()
    assert await stage.found() == newer


async def test_topics_that_are_missing_or_set_otherwise(stage: Scene) -> None:
    for settings, why in (({"bus__prefix": "nowhere."}, "is not there"), ({"bus__partitions": 5}, "has 4 partitions"),
                          ({"bus__keep_hours": 5}, "retention.ms is")):
        worker = stage.worker(**settings)
        worker.start()
        assert await worker.ended() == 2
        assert why in worker.output()


async def test_messages_that_nobody_can_read(stage: Scene) -> None:
    worker = stage.worker()
    worker.start()
    batches = cut(stream(6, EVENTS), 100)
    await stage.send(batches[:30])
    for partition in range(PARTITIONS):
        await stage.producer.raw(stage.brokers.events, b"what is that", [], partition=partition)
    await stage.send(batches[30:])
    await stage.settled()
    await until(lambda: worker.output().count('"dead_letter"') >= PARTITIONS)
    await stopped(stage)
    await stage.check()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
async def test_deaths_and_swaps_at_random(stage: Scene, seed: int) -> None:
    """Three workers, of which one after another dies, by a signal or in the middle of a batch, and comes back."""
    rng = random.Random(seed)
    workers = [stage.worker() for _ in range(3)]
    for worker in workers:
        worker.start()
    batches = cut(stream(100 + seed, 2 * EVENTS), 50)
    for i in range(0, len(batches), 40):
        await stage.send(batches[i : i + 40], pause_s=0.01)
        if rng.random() < 0.4:
            await stage.swap(rng.randrange(3))
        one = rng.choice(workers)
        await one.kill()
        one.start(rng.choice(["", "", f"judged:{rng.randrange(5, 40)}", f"committed:{rng.randrange(5, 40)}"]))
    for worker in workers:
        if not worker.running():
            worker.start()
    await stage.settled()
    for worker in workers:  # one that was to die at a named point may do so while it drains
        if worker.running():
            worker.signal(signal.SIGTERM)
            await worker.ended()
    last = stage.worker()
    last.start()
    await everything_taken(stage)
    await stopped(stage)
    await stage.check()
