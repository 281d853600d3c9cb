"""SIGTERM under load: the process ends soon, with 0, and what it acknowledged is judged by the next one."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.faults.harness import GONE, Batch, Client, listening, positions, serving, until
from tests.faults.outcome import check, outcome_of
from tests.faults.streams import cut, expected, stream

BATCHES = cut(stream(7, 2_000, revised=False), 40)  # whatever their order, the findings are the same


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopped_under_load(tmp_path: Path, number: signal.Signals) -> None:
    """Four connections send, one listens, and the engine is so slow that what waits would take minutes."""
    failpoint = "judging@40000"
    lanes = dict.fromkeys(range(4), 0)  # batches of each connection that are acknowledged; one room order each

    async def send(client: Client, n: int) -> None:
        mine: list[Batch] = BATCHES[n::4]
        while lanes[n] < len(mine):
            try:
                status, _ = await client.post(mine[lanes[n]])
            except GONE:
                return
            assert status in (200, 503)
            lanes[n] += status == 200

    async with (
        serving(tmp_path / "data", failpoint, engine__batch_events=20) as server, listening(server),
        Client(server) as client,
    ):
        sending = [asyncio.create_task(send(client, n)) for n in range(4)]
        await until(lambda: min(lanes.values()) >= 3)
        server.signal(number)
        assert await server.ended(seconds=60) == 0, server.output()
        await asyncio.gather(*sending)
        waiting = [p for p in positions(server.data).values() if p.seq < p.last]
        assert waiting, "nothing was left to judge: this tests nothing"
        acknowledged = set(client.acknowledged)
        await server.start()
        await client.settle()
        outcome = await outcome_of(client)
        assert acknowledged <= set(outcome.archive)
        rest = [batch for n in range(4) for batch in BATCHES[n::4][lanes[n]:]]
        await client.deliver(rest)
        await client.settle()
        outcome = await outcome_of(client)
        assert set(outcome.findings) == set(expected(BATCHES).findings)
        assert await server.stop() == 0, server.output()


async def test_stopped_and_started_again_and_again(tmp_path: Path) -> None:
    batches = cut(stream(8, 1_200), 60)
    async with serving(tmp_path / "data") as server, Client(server) as client:
        for start in range(0, len(batches), 5):
            await client.deliver(batches[start : start + 5])
            assert await server.stop() == 0, server.output()
            await server.start()
        await client.settle()
        check(await outcome_of(client), batches)
