"""Connections beyond the cap are told so and closed; the cap leaves files for the service itself."""

import asyncio
import resource
from collections.abc import Callable, Iterator

import pytest

from monitor.adapters.process import allow_files
from monitor.adapters.web.door import Door, connections_within, files_needed
from monitor.adapters.web.waiting import Waiting


class Server:
    def __init__(self) -> None:
        self.connections: list[object] = []

    def __call__(self) -> asyncio.Protocol:
        made = asyncio.Protocol()
        self.connections.append(made)
        return made


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = b"", False

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.sent += data

    def close(self) -> None:
        self.closed = True


def never(seconds: float, call: Callable[[], None]) -> asyncio.Handle:
    raise AssertionError("nobody connects")


def counting(server: Server, refused: list[int]) -> Door:
    return Door(server, 2, head_s=10, on_full=lambda: refused.append(1), on_slow=lambda: None, later=never)


def test_one_too_many_is_told_and_closed() -> None:
    refused: list[int] = []
    server, wire = Server(), Wire()
    door = counting(server, refused)
    assert isinstance(door(), Waiting) and isinstance(door(), Waiting)
    assert len(server.connections) == 2 and not refused
    door().connection_made(wire)
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ") and b"Content-Length: %d" % len(body) in head
    assert b'"code":"full"' in body and wire.closed and refused == [1]
    server.connections.pop()
    door()
    assert len(server.connections) == 2 and refused == [1]


def test_the_cap_leaves_files_for_the_service() -> None:
    assert connections_within(files_needed(1_000)) == 1_000
    assert 0 < connections_within(1_024) < 800
    assert connections_within(10) == 1


@pytest.fixture
def _limits() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_limits")
def test_the_soft_limit_is_raised_but_not_beyond_the_hard_one() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 4_096 if hard == resource.RLIM_INFINITY else min(4_096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most // 2, hard))
    assert allow_files(most // 4) == most // 2
    assert allow_files(most) == most == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if hard != resource.RLIM_INFINITY:
        assert allow_files(hard + 1) == hard
