"""The head of a request comes in time, or its connection ends."""

import asyncio
from collections.abc import Callable

import pytest

from monitor.adapters.web.waiting import Waiting


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent, self.closed = b"", False

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.sent += data

    def close(self) -> None:
        self.closed = True


class Within(asyncio.Protocol):
    def __init__(self) -> None:
        self.read: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self.read.append(data)


class Timer(asyncio.Handle):
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.stopped = at, call, False

    def cancel(self) -> None:
        self.stopped = True


class Connection:
    """One that was opened at 0 s and waits 10 s for a head."""

    def __init__(self) -> None:
        self.now, self.slow, self.timers = 0.0, 0, list[Timer]()
        self.wire, self.within = Wire(), Within()
        self.front = Waiting(self.within, 10, on_slow=self._count, later=self._later)
        self.front.connection_made(self.wire)

    def _count(self) -> None:
        self.slow += 1

    def _later(self, seconds: float, call: Callable[[], None]) -> asyncio.Handle:
        self.timers.append(Timer(self.now + seconds, call))
        return self.timers[-1]

    def at(self, now: float, data: bytes = b"") -> None:
        """Time goes on up to `now` (s); then `data` comes."""
        while due := [t for t in self.timers if not t.stopped and t.at <= now]:
            first = min(due, key=lambda t: t.at)
            self.timers.remove(first)
            self.now = first.at
            first.call()
        self.now = now
        if data and not self.wire.closed:
            self.front.data_received(data)


def test_whoever_says_nothing_is_closed_without_a_word() -> None:
    connection = Connection()
    connection.at(9)
    assert not connection.wire.closed
    connection.at(11)
    assert connection.wire.closed and not connection.wire.sent and connection.slow == 1


def test_a_head_that_drips_is_told_and_closed() -> None:
    connection = Connection()
    for second in range(1, 12):
        connection.at(second, b"X: y\r\n")
    head, _, body = connection.wire.sent.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n") and b"Content-Length: %d" % len(body) in head
    assert b'"code":"too_slow"' in body and connection.wire.closed and connection.slow == 1
    assert len(connection.within.read) == 10


def test_no_clock_runs_while_a_request_is_answered_nor_between_two() -> None:
    connection = Connection()
    connection.at(9, b"head and a part of the body")
    with connection.front.answering():
        connection.at(30, b"the rest")
    connection.at(90)
    assert not connection.wire.closed and not connection.slow
    connection.at(91, b"the next begins")
    connection.at(100)
    assert not connection.wire.closed
    connection.at(102)
    assert connection.wire.closed and connection.slow == 1


def test_a_head_that_waits_for_its_turn_has_come() -> None:
    """The loop was held up: what lies there is read when the clock has run out already."""
    connection = Connection()
    connection.at(10, b"the whole head")
    with connection.front.answering():
        connection.at(20)
    assert not connection.wire.closed


@pytest.mark.parametrize("data", [b"", b"GET"])
def test_a_connection_that_was_lost_is_not_closed_again(data: bytes) -> None:
    connection = Connection()
    connection.at(1, data)
    connection.front.connection_lost(None)
    connection.at(20)
    assert not connection.wire.closed and not connection.slow
