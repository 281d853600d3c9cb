"""What the fault tests share: one stream, and what an uninterrupted service makes of it."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.harness import Client, serving
from tests.faults.outcome import Outcome, outcome_of
from tests.faults.streams import cut, stream

STREAM = stream(1, 3_000)


async def _uninterrupted(data: Path) -> Outcome:
    async with serving(data) as server, Client(server) as client:
        await client.deliver(cut(STREAM, 60))
        await client.settle()
        outcome = await outcome_of(client)
        assert await server.stop() == 0, server.output()
    return outcome


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return asyncio.run(_uninterrupted(tmp_path_factory.mktemp("uninterrupted") / "data"))
