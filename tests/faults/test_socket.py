"""Events over a WebSocket, through deaths of the service: nothing is lost, nothing is taken twice."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from monitor.domain.frames import Frame
from tests.faults.conftest import STREAM
from tests.faults.harness import GONE, Batch, Client, logged, serving
from tests.faults.outcome import Outcome, check, outcome_of, same
from tests.faults.streams import cut

AHEAD = 5
"""Messages that are sent before the first of them is acknowledged."""
Socket = ClientWebSocketResponse[Any]


class Session:
    """A client of docs/api.md: numbers its messages from 1 and goes on behind what the service says it has."""

    def __init__(self, client: Client, batches: Sequence[Batch], *, says_acked: bool) -> None:
        self.client = client
        self.batches = batches
        self.acknowledged = 0
        self.connections = 0
        self._says_acked = says_acked

    async def deliver(self, failpoints: Iterable[str]) -> None:
        coming = iter(failpoints)
        while self.acknowledged < len(self.batches):
            try:
                async with self._opened() as (socket, last):
                    assert last >= self.acknowledged
                    await self._send(socket, last)
            except GONE:
                await self.client.revive(next(coming, ""))

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Socket, int]]:
        async with self.client.http.ws_connect(f"{self.client.server.address}/api/v1/events/ws") as socket:
            self.connections += 1
            hello: dict[str, Any] = {"session": "one"}
            if self._says_acked:
                hello["acked"] = self.acknowledged
            await socket.send_json({"hello": hello})
            yield socket, (await self._receive(socket))["welcome"]["last"]

    async def _send(self, socket: Socket, last: int) -> None:
        sent = self.acknowledged = last
        while self.acknowledged < len(self.batches):
            while sent < min(self.acknowledged + AHEAD, len(self.batches)):
                await socket.send_json({"seq": sent + 1, "events": self.batches[sent]})
                sent += 1
            answer = await self._receive(socket)
            assert answer["ack"] == self.acknowledged + 1, answer
            assert answer["accepted"] == len(self.batches[self.acknowledged]), answer
            self.acknowledged += 1

    @staticmethod
    async def _receive(socket: Socket) -> dict[str, Any]:
        message = await socket.receive()
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise ConnectionResetError(message)
        found: dict[str, Any] = message.json()
        return found


async def through(
    data: Path, uninterrupted: Outcome, failpoints: Sequence[str], *, says_acked: bool = False, least: int = 2
) -> None:
    """`least`: how often it dies at least; the last point may be met by the stop, or never."""
    batches = cut(STREAM, 60)
    async with serving(data, failpoints[0]) as server, Client(server) as client:
        session = Session(client, batches, says_acked=says_acked)
        await session.deliver(failpoints[1:])
        outcome = await client.settled(outcome_of)
        assert client.deaths >= least and session.connections >= least
        check(outcome, batches)
        same(outcome, uninterrupted)
        assert await server.stop() in ({0} if least > 1 else {0, -signal.SIGKILL}), server.output()
    in_log = [name for _, entry in logged(data) if isinstance(entry, Frame) for name in entry.ids]
    assert sorted(in_log) == sorted(item["id"] for item in STREAM)


@pytest.mark.parametrize("says_acked", [False, True])
async def test_killed(tmp_path: Path, uninterrupted: Outcome, says_acked: bool) -> None:
    points = ["accepted:9", "judged:4"] if says_acked else ["accepted:5", "committed:1"]
    await through(tmp_path / "data", uninterrupted, points, says_acked=says_acked)


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(20))
async def test_killed_at_a_random_count(tmp_path: Path, uninterrupted: Outcome, turn: int) -> None:
    rng = random.Random(turn)
    points = [f"accepted:{rng.randint(2, 8)}"]  # is met however few commits there are; the first one is the start's own
    points += [f"{rng.choice(['accepted', 'judged', 'committed', 'published'])}:{rng.randint(1, 8)}" for _ in range(2)]
    await through(tmp_path / "data", uninterrupted, points, says_acked=bool(turn % 2), least=1)


async def test_a_second_connection_takes_the_session_over(tmp_path: Path) -> None:
    """A client that reconnects before the service saw its first connection end."""
    batches = cut(STREAM[:300], 30)
    async with serving(tmp_path / "data") as server, Client(server) as client:
        session = Session(client, batches, says_acked=False)
        async with session._opened() as (first, _):
            for seq in (1, 2, 3):
                await first.send_json({"seq": seq, "events": batches[seq - 1]})
            assert (await session._receive(first))["ack"] == 1
            await session.deliver(())
            with pytest.raises((ConnectionResetError, aiohttp.ClientError)):
                async with asyncio.timeout(60):
                    while True:
                        await session._receive(first)
        await client.settle()
        check(await outcome_of(client), batches)
    in_log = [name for _, entry in logged(server.data) if isinstance(entry, Frame) for name in entry.ids]
    assert sorted(in_log) == sorted(item["id"] for item in STREAM[:300])
