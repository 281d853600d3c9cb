"""A real Kafka: one node for all tests of a session, and topics of their own for each."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.adapters.bus.kafka.connecting import Brokers
from monitor.adapters.bus.kafka.topics import Topics, Wanted
from tests.parts.running import free_ports, script

_numbers = itertools.count(1)


@contextmanager
def own_kafka(data: Path, *options: str, ports: int = 2) -> Iterator[str]:
    """The addresses of one that nobody else uses; none runs afterwards."""
    try:
        yield script("kafka.sh", "start", "--data", str(data), "--port", str(free_ports(ports)), *options)
    finally:
        script("kafka.sh", "stop", "--data", str(data), "--now")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    with own_kafka(tmp_path_factory.mktemp("kafka"), "--through", ports=4) as address:
        yield address


@pytest.fixture
def brokers(kafka: str) -> Brokers:
    """With a prefix that no other test has."""
    return Brokers(bootstrap=kafka, prefix=f"t{next(_numbers)}.")


async def topics(brokers: Brokers, partitions: int, replication: int = 1) -> None:
    async with Topics(brokers) as made:
        await made.apply(Wanted(partitions=partitions, replication=replication))
