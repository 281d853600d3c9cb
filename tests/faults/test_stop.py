"""SIGTERM under load: the process ends soon, with 0, and what it acknowledged is judged by the next one."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.faults.harness import GONE, ROOT, Batch, Client, Server, listening, positions, serving, until
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


async def judging_is_late(client: Client) -> bool:
    async with client.http.get(f"{client.server.address}/readyz") as answer:
        return answer.status == 503 and "to be judged" in await answer.text()


async def test_a_request_that_never_ends_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    """Sooner than a supervisor loses patience, and sooner than the time that a slow body is given."""
    async with serving(tmp_path / "data") as server, Client(server) as client:
        await client.deliver(BATCHES[:3])
        host, _, port = server.address.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{")
            await writer.drain()
            async with client.http.ws_connect(f"{server.address}/api/v1/events/ws"):  # and one that never says hello
                server.signal(signal.SIGTERM)
                assert await server.ended(seconds=15) == 0, server.output()
        finally:
            writer.close()


async def test_a_judgement_that_takes_too_long_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    """Sooner than a container is given; what was acknowledged is judged by the next start."""
    async with serving(tmp_path / "data", "judging@60000000", engine__late_s=1) as server, Client(server) as client:
        await client.deliver(BATCHES[:3])
        await until(lambda: judging_is_late(client))  # it has begun
        server.signal(signal.SIGTERM)
        assert await server.ended(seconds=30) == 0, server.output()
        assert "stopped_while_judging" in server.output()
        await server.start()
        await client.settle()
        check(await outcome_of(client), BATCHES[:3])
        assert await server.stop() == 0, server.output()


async def test_a_stop_does_not_wait_for_a_start(tmp_path: Path) -> None:
    """The packs that come with it take a while to compile."""
    server = Server(tmp_path / "data", rules=ROOT / "rules")
    server.spawn()
    try:
        await until((server.data / "log.db").exists)
        server.signal(signal.SIGTERM)
        assert await server.ended() == 0, server.output()
        assert not server.output("out"), "it listened: this tests nothing"
    finally:
        if server.alive():
            await server.kill()


async def test_not_ready_while_what_is_judged_is_too_late(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", "judging@60000000", engine__late_s=1) as server, Client(server) as client:
        assert await client.get("/readyz") == "ok\n"
        await client.deliver(BATCHES[:1])
        await until(lambda: judging_is_late(client))


@pytest.mark.parametrize("turns", [4, pytest.param(20, marks=pytest.mark.soak)])
async def test_killed_while_it_starts(tmp_path: Path, turns: int) -> None:
    """At ever later moments of the first start, when files are made, and of later ones, when they are read again."""
    server = Server(tmp_path / "data")
    waits = [n / turns for n in range(1, turns + 1)]
    for wait in waits:
        server.spawn()
        await asyncio.sleep(wait)
        await server.kill()
    await server.start()
    async with Client(server) as client:
        await client.deliver(BATCHES)
        for wait in waits[turns // 2 :]:
            await server.kill()
            server.spawn()
            await asyncio.sleep(wait)
        await server.kill()
        await server.start()
        await client.settle()
        outcome = await outcome_of(client)
        check(outcome, BATCHES)
        assert await server.stop() == 0, server.output()
