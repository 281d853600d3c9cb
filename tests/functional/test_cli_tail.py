"""redpost tail: the stream as a client reads it, and what is shown of it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from monitor.adapters.web.types import AlertMessage
from monitor.cli.sse import Message, Reader
from monitor.cli.tail_views import LiveTable
from monitor.domain.alerts import Alert, AlertState
from monitor.domain.findings import Advice, Severity, Span, Tier
from tests.functional.clikit import Done, redpost

STREAM = (
    "retry: 2000\n\n: still here\n\nid: 7\nevent: hello\ndata: {}\n\n"
    "id: 8\nevent: alert\ndata: 一\ndata:二\n\ndata: plain\r\n\r\nevent: empty\n\nid: 9\ndata: x\n\ndata: cut"
).encode()
MESSAGES = [
    Message("hello", "{}", "7"), Message("alert", "一\n二", "8"), Message("message", "plain", "8"),
    Message("message", "x", "9"),
]  # fmt: skip


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_messages_however_they_are_cut(cuts: list[int]) -> None:
    reader = Reader()
    ends = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[a:b] for a, b in pairwise(ends)]
    assert [message for part in parts for message in reader.feed(part)] == MESSAGES
    reader.begin()
    assert list(reader.feed(b"data: y\n\n")) == [Message("message", "y", "9")]


def alert(name: str, *, severity: Severity = Severity.HIGH, at: int = 1_717_243_200_000, room: str = "1024") -> Alert:
    return Alert(
        id=name, tenant="local", room=room, broadcast="b", lane=0, rule="shop.absolute", rule_version="1",
        title="绝对化用语", category=["absolute_claim"], sub="", tier=Tier.REDLINE, severity=severity, clauses=[],
        scope="event", event_ids=["e"], at=at, last_at=at, offset_ms=None, accepted_at=at, recurrence=2,
        state=AlertState.OPEN, reason="", text="就是全网最好\x1b[2J",
        spans=[Span(2, 6, "全网最好", "claim", "plain")], evasive=None, advice=Advice(),
    )  # fmt: skip


def sent(seq: int, one: Alert, what: str = "opened") -> bytes:
    return b"id: %d\nevent: alert\ndata: %s\n\n" % (seq, msgspec.json.encode(AlertMessage(what, one)))


@asynccontextmanager
async def streaming(*connections: bytes) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A service that sends one of `connections` per connection and drops it, and then refuses."""
    requests: list[web.Request] = []

    async def stream(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        if len(requests) > len(connections):
            return web.json_response({"error": {"code": "x", "message": "enough"}}, status=403)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(connections[len(requests) - 1])
        return response

    app = web.Application()
    app.router.add_get("/api/v1/alerts/stream", stream)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


async def tail(*words: str) -> Done:
    return await asyncio.to_thread(redpost, "tail", *words)


async def test_lines_and_a_reconnect_where_it_was() -> None:
    other = alert("c", severity=Severity.LOW, room="1025")
    first = b"retry: 2000\n\nid: 5\nevent: hello\ndata: {}\n\n" + sent(6, alert("a")) + sent(7, alert("b"))[:-1]
    second = b"event: reset\ndata: {}\nid: 9\n\n" + sent(10, alert("a"), "grown") + sent(11, other)
    async with streaming(first, second) as (url, requests):
        done = await tail("--url", url)
    assert done.out.splitlines() == [
        "2024-06-01 20:00:00+08:00  1024  就是【全网最好】␛[2J",
        "  opened  high  shop.absolute  绝对化用语  2×",
        "  grown  high  shop.absolute  绝对化用语  2×  【全网最好】",
        "2024-06-01 20:00:00+08:00  1025  就是【全网最好】␛[2J",
        "  opened  low  shop.absolute  绝对化用语  2×",
    ]
    assert [request.headers.get("Last-Event-ID") for request in requests] == [None, "7", "11"]
    assert "updates were missed for good" in done.err
    assert done.err.endswith(f"error: {url}/api/v1/alerts/stream answers 403: enough\n")
    assert done.code == 2


async def test_json_is_what_the_service_sends() -> None:
    async with streaming(sent(1, alert("a")) + sent(2, alert("b", severity=Severity.LOW))) as (url, requests):
        done = await tail("--url", url, "--json", "--room", "1024", "--severity", "high")
    assert [json.loads(line)["alert"]["id"] for line in done.out.splitlines()] == ["a"]
    assert json.loads(done.out)["what"] == "opened"
    assert dict(requests[0].query) == {"room": "1024", "severity": "high"}


async def test_several_severities() -> None:
    body = b"".join(sent(n, alert(severity.value, severity=severity)) for n, severity in enumerate(Severity, 1))
    async with streaming(body) as (url, requests):
        done = await tail("--url", url, "--json", "--severity", "high", "--severity", "critical")
    assert [json.loads(line)["alert"]["id"] for line in done.out.splitlines()] == ["high", "critical"]
    assert dict(requests[0].query) == {}


def test_an_address_that_is_none() -> None:
    assert redpost("tail", "--url", "there").code == 2


@pytest.mark.parametrize("height", [4, 10, 40])
def test_the_live_table_shows_the_newest_that_fit(height: int) -> None:
    table = LiveTable()
    for n in range(600):
        one = alert(f"a{n}", room=f"r{n}", at=1_717_243_200_000 + n * 1000)
        table.show(AlertMessage("withdrawn" if n == 599 else "opened", one), "")
    text = shown(table, height)
    rooms = [line.split()[3] for line in text.splitlines()[1:]]
    assert rooms == [f"r{n}" for n in range(599, 599 - max(height - 3, 1), -1)]
    assert "\x1b" not in text


def test_the_live_table_shows_a_sentence_once() -> None:
    table = LiveTable()
    for name in ("a", "b"):
        table.show(AlertMessage("opened", alert(name)), "")
    first, second = shown(table, 20).splitlines()[1:]
    assert first.count("就是") == 1 and "06-01" in first
    assert second.split() == ["high", "1024", "绝对化用语", "2", "【全网最好】"]


def test_the_live_table_before_anything_came() -> None:
    assert "waiting for alerts" in shown(LiveTable(), 20)


def shown(value: Any, height: int) -> str:
    console = Console(file=io.StringIO(), width=120, height=height, color_system=None)
    console.print(value)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()
