"""A real Kafka: one node for all tests of a session, and topics of their own for each."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.topics import Topics, Wanted
from tests.parts.running import free_ports, script

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    data: Path = tmp_path_factory.mktemp("kafka")
    address = script("kafka.sh", "start", "--data", str(data), "--port", str(free_ports(4)), "--through")
    yield address
    script("kafka.sh", "stop", "--data", str(data))


@pytest.fixture
def brokers(kafka: str) -> Brokers:
    """With a prefix that no other test has."""
    return Brokers(bootstrap=kafka, prefix=f"t{next(_numbers)}.")


async def topics(brokers: Brokers, partitions: int, replication: int = 1) -> None:
    async with Topics(brokers) as made:
        await made.apply(Wanted(partitions=partitions, replication=replication))
