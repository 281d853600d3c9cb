"""What tests of workers begin and end with."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from monitor.adapters.bus.kafka.connecting import Brokers
from tests.faults.cluster import Scene, scene
from tests.faults.harness import until
from tests.faults.processes import PARTITIONS
from tests.parts.postgres import Cluster

EVENTS: Final = 6_000
_TICKS: Final = 2 * PARTITIONS
"""Messages that come in the seconds between two commits."""


@pytest.fixture
async def stage(brokers: Brokers, postgres: Cluster, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(brokers, postgres, tmp_path) as made:
        yield made


async def stopped(stage: Scene) -> None:
    """All workers drain and end well."""
    for worker in stage.workers:
        if worker.running():
            worker.signal(signal.SIGTERM)
            assert await worker.ended() == 0, worker.output()


async def everything_taken(stage: Scene) -> None:
    await until(lambda: len({p for w in stage.workers if w.running() for p in w.taken()}) == PARTITIONS)


async def recovered(stage: Scene) -> None:
    """Everything is judged, and the workers' metrics say so: what they lag by is ticks."""
    await stage.settled()
    for worker in stage.workers:
        if worker.running():
            await until(lambda worker=worker: worker.lag() <= _TICKS)
