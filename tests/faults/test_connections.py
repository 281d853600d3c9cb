"""More connections than the service allows, or than the system has files for: it says so, and goes on."""

import asyncio
import resource
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.harness import Client, serving, until
from tests.faults.streams import cut, stream

BATCHES = cut(stream(9, 200), 20)


def connect(address: str) -> socket.socket:
    host, _, port = address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


async def test_connections_beyond_the_setting_are_turned_away(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", http__connections=5) as server, Client(server) as client:
        await client.deliver(BATCHES[:2])  # its connection stays open

        def refused() -> bool:
            each = idle.enter_context(connect(server.address))
            each.settimeout(0.2)
            try:
                return b"503" in each.recv(100)
            except TimeoutError:
                return False

        with ExitStack() as idle:
            await until(refused)
            await client.deliver(BATCHES[2:4])
            assert await client.metric("redpost_connections_refused_total") >= 1
        await client.deliver(BATCHES[4:])
        assert await server.stop() == 0, server.output()


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
async def test_whoever_does_not_say_what_they_want_makes_room(tmp_path: Path, begun: bytes) -> None:
    async with serving(tmp_path / "data", http__connections=2, http__head_timeout_s=1) as server:
        with connect(server.address) as silent, connect(server.address) as other:
            silent.sendall(begun)
            silent.settimeout(30)  # aiohttp's own limit is 75 s
            told = await asyncio.to_thread(lambda: b"".join(iter(lambda: silent.recv(4_096), b"")))
            assert told.startswith(b"HTTP/1.1 408 ") and b"too_slow" in told if begun else not told
            other.close()
        async with Client(server) as client:
            await client.deliver(BATCHES[:2])
            assert await client.metric("redpost_connections_slow_total") >= 1
        assert await server.stop() == 0, server.output()


async def test_a_slow_head_behind_an_answer(tmp_path: Path) -> None:
    """Between two requests a connection may idle; once the next has begun, it is to come."""
    request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    async with serving(tmp_path / "data", http__head_timeout_s=1) as server:
        with connect(server.address) as idle, connect(server.address) as slow:
            for each in (idle, slow):
                each.settimeout(30)
                each.sendall(request)
                assert b"200 OK" in each.recv(4_096)
            slow.sendall(request[:20])
            told = await asyncio.to_thread(lambda: b"".join(iter(lambda: slow.recv(4_096), b"")))
            assert told.startswith(b"HTTP/1.1 408 ")
            idle.sendall(request)  # was not timed meanwhile
            assert b"200 OK" in idle.recv(4_096)
        assert await server.stop() == 0, server.output()


async def test_no_files_left(tmp_path: Path) -> None:
    """As from outside the service: whoever is connected goes on, the rules are watched on, the log stays short."""
    async with serving(tmp_path / "data", rules__watch=True) as server, Client(server) as client:
        await client.deliver(BATCHES[:2])
        before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        opened = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (opened + 4, before[1]))
        with ExitStack() as idle:
            for _ in range(20):
                idle.enter_context(connect(server.address))
            await until(lambda: "rules_not_watched" in server.output() and "out of system resource" in server.output())
            await client.deliver(BATCHES[2:4])
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
        await client.deliver(BATCHES[4:])
        await client.settle()
        assert len(server.output()) < 20_000
        assert await server.stop() == 0, server.output()
