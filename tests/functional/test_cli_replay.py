"""Replay: its pace and what it makes of events, by a clock of the test's own; and the command, against a service."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from monitor.cli.http import Backoff
from monitor.domain.errors import InputError, StorageError
from monitor.domain.events import Event, Kind
from monitor.services import replay as module
from monitor.services.replay import Replayed, merged, replay
from tests.functional.clikit import Done, redpost

START = 1_800_000_000_000


class World:
    """A clock that only sleeping and sending move (ms), and what was sent when."""

    def __init__(self, *, send_ms: float = 0) -> None:
        self.now_ms: float = START
        self.sent: list[tuple[int, list[Event]]] = []
        self._send_ms = send_ms
        self.stop_after = 10**9

    def now(self) -> int:
        return int(self.now_ms)

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_ms += seconds * 1000 + 0.001

    async def send(self, lines: list[bytes]) -> None:
        self.sent.append((self.now() - START, [msgspec.json.decode(line, type=Event) for line in lines]))
        self.now_ms += self._send_ms
        if len(self.events) >= self.stop_after:
            raise asyncio.CancelledError

    @property
    def events(self) -> list[Event]:
        return [event for _, events in self.sent for event in events]

    async def run(self, *streams: Sequence[Event], batch: int = 3, **more: Any) -> Replayed:
        def opened() -> list[list[Sequence[Event]]]:
            return [[stream[i : i + batch] for i in range(0, len(stream), batch)] for stream in streams]

        return await replay(opened, send=self.send, sleep=self.sleep, now=self.now, **{"speed": 1.0} | more)


def event(name: str, *, offset: int | None = None, at: int | None = None, **more: Any) -> Event:
    return Event(id=name, kind=Kind.COMMENT, text=name, offset_ms=offset, at=at, **more)


def names(events: Sequence[Event]) -> list[str]:
    return [each.text for each in events]


# --- pace


@pytest.mark.parametrize("speed", [0.5, 1.0, 7.0])
async def test_each_event_leaves_when_it_is_due_and_at_most_a_tick_later(speed: float) -> None:
    world = World()
    script = [event(f"e{n}", offset=7_000 + n * n * 13 % 977 + n * 100) for n in range(200)]
    assert await world.run(script, speed=speed) == Replayed(200, 1)
    assert names(world.events) == names(script)
    latest = first = script[0].offset_ms or 0
    for when, events in world.sent:
        for each in events:
            latest = max(latest, each.offset_ms or 0)  # what comes late in its file goes out where it stands
            assert 0 <= when - (latest - first) / speed + 1 <= module.TICK_MS + 2


async def test_sendings_are_a_tick_apart() -> None:
    world = World()
    await world.run([event(f"e{n}", offset=n) for n in range(1_000)])
    times = [when for when, _ in world.sent]
    assert len(times) <= 22
    assert all(b - a >= module.TICK_MS - 1 for a, b in pairwise(times))


async def test_a_slow_service_does_not_slow_the_clock() -> None:
    world = World(send_ms=400)
    await world.run([event(f"e{n}", offset=n * 100) for n in range(50)])
    assert world.sent[-1][0] < 50 * 100 + 900
    assert names(world.events) == [f"e{n}" for n in range(50)]


async def test_as_fast_as_they_are_taken() -> None:
    world = World()
    await world.run([event(f"e{n}", offset=n * 60_000) for n in range(2_500)], speed=float("inf"))
    assert [len(events) for _, events in world.sent] == [1_000, 1_000, 500]
    assert world.now() == START


async def test_one_sending_is_bounded_in_bytes() -> None:
    world = World()
    await world.run([msgspec.structs.replace(event(f"e{n}", offset=0), text="好" * 500_000) for n in range(9)])
    assert [len(events) for _, events in world.sent] == [3, 3, 3]


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
async def test_a_speed_that_stands_still(speed: float) -> None:
    with pytest.raises(InputError):
        await World().run([event("e", offset=0)], speed=speed)


# --- several files


async def test_files_are_merged_by_time() -> None:
    world = World()
    speech = [event("s1", at=START - 9_000), event("s2", at=START - 5_000)]
    chat = [event("c1", at=START - 8_000), event("c2", at=START - 7_000), event("c3", at=START - 4_000)]
    await world.run(speech, chat)
    assert names(world.events) == ["s1", "c1", "c2", "s2", "c3"]
    assert world.sent[-1][0] == pytest.approx(5_000, abs=60)


async def test_a_file_without_times_of_day_begins_with_the_earliest_other_one() -> None:
    world = World()
    dated = [event("d1", at=START + 500, offset=500), event("d2", at=START + 2_500, offset=2_500)]
    await world.run(dated, [event("o1", offset=400), event("o2", offset=2_000), event("o3", offset=9_000)])
    assert names(world.events) == ["o1", "d1", "o2", "d2", "o3"]


def test_late_and_untimed_events_stay_where_they_stand() -> None:
    stream = [event("a", offset=0), event("b", offset=500), event("late", offset=100), event("none"),
              event("c", offset=600)]
    assert names([due.event for due in merged([[stream]])]) == ["a", "b", "late", "none", "c"]
    assert list(merged([[], [[]]])) == []


# --- as they are, or as if they happened now


async def test_events_are_sent_as_they_are() -> None:
    world = World()
    script = [event("e1", at=START, room="r", broadcast="b"), event("e2", offset=5, final=False, revision=3)]
    await world.run(script)
    assert world.events == script


async def test_fresh_events_have_new_ids_times_and_broadcasts() -> None:
    world = World()
    script = [
        event("e1", offset=60_000, room="r", broadcast="b"), event("e1", offset=61_000, room="r", broadcast="b"),
        event("e2", offset=66_000, room="r"), event("e3", offset=76_000, room="q", broadcast="b"),
    ]  # fmt: skip
    await world.run(script, speed=2.0, fresh=True)
    ids = [each.id for each in world.events]
    assert ids[0] == ids[1] and len({*ids, "e1", "e2", "e3"}) == 6
    assert [each.at for each in world.events] == [START, START + 500, START + 3_000, START + 8_000]
    assert [each.offset_ms for each in world.events] == [60_000, 61_000, 66_000, 76_000]
    broadcasts = [each.broadcast for each in world.events]
    assert broadcasts[0] == broadcasts[1] and len({*broadcasts, "b"}) == 4
    for when, events in world.sent:
        assert all(isinstance(each.at, int) and each.at <= START + when for each in events), "never in the future"


async def test_names_stay_within_their_length() -> None:
    world = World()
    long = "é" * 256
    await world.run([event(long, offset=0, room=long, broadcast=long), event("x", offset=1)], fresh=True)
    assert all(len(name) <= 256 for each in world.events for name in (each.id, each.broadcast))
    assert len({each.id for each in world.events}) == 2


async def test_an_offset_beyond_its_range_is_left_out() -> None:
    world = World()
    await world.run([event("a", at=0), event("b", at=2**31)], speed=float("inf"), fresh=True)
    assert [each.offset_ms for each in world.events] == [0, None]


@pytest.mark.parametrize("fresh", [False, True])
async def test_each_loop_is_another_broadcast(fresh: bool) -> None:
    world = World()
    world.stop_after = 9
    script = [event(f"e{n}", offset=n * 1_000, room="r", broadcast="b") for n in range(3)]
    with pytest.raises(asyncio.CancelledError):
        await world.run(script, loop=True, fresh=fresh)
    assert names(world.events) == ["e0", "e1", "e2"] * 3
    assert len({each.id for each in world.events}) == 9
    assert len({each.broadcast for each in world.events}) == 3
    assert (world.events[0].id == "e0") is not fresh
    times = [each.at for each in world.events[3:]]
    assert all(isinstance(at, int) for at in times) and times == sorted(times, key=lambda at: int(str(at)))


async def test_a_loop_over_nothing_ends() -> None:
    with pytest.raises(InputError):
        await World().run([], loop=True)
    assert await World().run([]) == Replayed(0, 1)


# --- the command

Handler = Callable[[int, list[dict[str, Any]]], web.Response]


class Service:
    """Answers POST /events by `handler(number of the request, events)`; `requests` keeps bodies and tokens."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[tuple[list[dict[str, Any]], str]] = []
        self.url = ""
        self._handler = handler

    async def handle(self, request: web.Request) -> web.Response:
        events = [json.loads(line) for line in (await request.read()).splitlines()]
        self.requests.append((events, request.headers.get("Authorization", "")))
        return self._handler(len(self.requests), events)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Service]:
    service = Service(handler)
    app = web.Application()
    app.router.add_post("/api/v1/events", service.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()


def answer(events: list[dict[str, Any]], **more: Any) -> web.Response:
    return web.json_response({"accepted": len(events), "duplicates": 0, "rejected": [], "rejected_total": 0} | more)


def refused(status: int, message: str, **details: Any) -> web.Response:
    error = {"code": "x", "message": message, "hint": "do better", "details": details}
    return web.json_response({"error": error}, status=status)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "e.ndjson"
    lines = [{"id": f"e{n}", "kind": "comment", "text": f"第{n}句", "offset_ms": n * 1000} for n in range(40)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


async def send(*words: str | Path) -> Done:
    return await asyncio.to_thread(redpost, "replay", *words)


async def test_a_file_is_sent(recording: Path) -> None:
    async with serving(lambda n, events: answer(events)) as service:
        done = await send(recording, "--to", service.url + "/", "--speed", "200", "--room", "1024")
    assert done == (0, "", "40 events sent: 40 accepted, 0 duplicates, 0 rejected\n")
    events = [event for sent, _ in service.requests for event in sent]
    assert [event["id"] for event in events] == [f"e{n}" for n in range(40)]
    assert {event["room"] for event in events} == {"1024"}
    assert 2 <= len(service.requests) < 20
    assert service.requests[0][1] == ""


async def test_the_token_comes_from_a_file(recording: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("rp_abc\n", encoding="ascii")
    async with serving(lambda n, events: answer(events)) as service:
        await send(recording, "--to", service.url, "--speed", "inf", "--token-file", tmp_path / "token")
        assert service.requests[0][1] == "Bearer rp_abc"
        (tmp_path / "token").write_text("\n", encoding="ascii")
        done = await send(recording, "--to", service.url, "--token-file", tmp_path / "token")
    assert (done.code, len(service.requests)) == (2, 1)


async def test_a_busy_service_is_waited_for(recording: Path) -> None:
    def busy(number: int, events: list[dict[str, Any]]) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "1"}) if number < 3 else answer(events)

    async with serving(busy) as service:
        done = await send(recording, "--to", service.url, "--speed", "inf")
    assert done == (0, "", "40 events sent: 40 accepted, 0 duplicates, 0 rejected\n")
    assert [len(events) for events, _ in service.requests] == [40, 40, 40]


async def test_a_service_that_fails_is_tried_again(recording: Path) -> None:
    async with serving(lambda n, events: answer(events) if n > 1 else web.Response(status=503)) as service:
        done = await send(recording, "--to", service.url, "--speed", "inf")
    assert done.code == 0
    assert done.err.splitlines() == [
        f"{service.url} does not answer (503 Service Unavailable); trying again",
        f"{service.url} answers again",
        "40 events sent: 40 accepted, 0 duplicates, 0 rejected",
    ]


async def test_what_is_rejected_is_told(recording: Path) -> None:
    item = {"line": 3, "field": "text", "reason": "too long", "hint": "shorten it", "id": "e2"}
    async with serving(lambda n, events: answer(events, accepted=39, rejected=[item], rejected_total=1)) as service:
        done = await send(recording, "--to", service.url, "--speed", "inf")
    assert done.code == 0
    assert done.err.splitlines() == [
        f"{service.url}:3: text: too long (shorten it)", "1 item rejected",
        "40 events sent: 39 accepted, 0 duplicates, 1 rejected",
    ]


async def test_a_body_of_which_nothing_was_taken(recording: Path) -> None:
    item = {"line": 1, "field": "", "reason": "no", "hint": "", "id": None}

    def nothing(number: int, events: list[dict[str, Any]]) -> web.Response:
        return refused(400, "unreadable", rejected=[item] * 40, rejected_total=40)

    async with serving(nothing) as service:
        done = await send(recording, "--to", service.url, "--speed", "inf")
    assert done.code == 2
    assert done.err.endswith("40 events sent: 0 accepted, 0 duplicates, 40 rejected\n")


@pytest.mark.parametrize("status", [401, 403, 404, 413])
async def test_a_refusal_ends_it(recording: Path, status: int) -> None:
    async with serving(lambda n, events: refused(status, "not you")) as service:
        done = await send(recording, "--to", service.url, "--speed", "inf")
    assert (done.code, len(service.requests)) == (2, 1)
    assert done.err.startswith(f"error: {service.url}/api/v1/events answers {status}: not you\nhint: do better")


async def test_another_service_than_ours(recording: Path) -> None:
    async with serving(lambda n, events: web.Response(status=404, text="<html>")) as service:
        done = await send(recording, "--to", service.url)
    assert "is this a redpost service?" in done.err


@pytest.mark.parametrize("url", ["localhost:8321", "ftp://x", "http://", "http://[", "http://x:99999"])
def test_an_address_that_is_none(recording: Path, url: str) -> None:
    done = redpost("replay", recording, "--to", url)
    assert done.code == 2
    assert "is no address of a service" in done.err


def test_files_that_cannot_be_read(recording: Path, tmp_path: Path) -> None:
    assert redpost("replay", tmp_path / "nowhere").code == 2
    assert "read once" in redpost("replay", "-", "--loop").err
    assert "read once" in redpost("replay", "-", recording).err


def test_a_file_of_which_nothing_can_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.ndjson").write_text('{"id": "1", "kind": "x", "text": "a"}\n')
    done = redpost("replay", tmp_path / "bad.ndjson", "--to", "http://127.0.0.1:1")
    assert (done.code, "nothing in" in done.err, "bad.ndjson:1: kind" in done.err) == (2, True, True)
    (tmp_path / "other").write_text("nonsense\n")
    done = redpost("replay", tmp_path / "other", "--to", "http://127.0.0.1:1")
    assert (done.code, done.err.splitlines()[0].endswith("other: the file is text of no known format; it begins with "
                                                          "'nonsense'")) == (2, True)


async def test_patience_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    clock: Iterator[float] = iter(range(0, 1000, 6))
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    backoff = Backoff("http://x", lambda: next(clock), sleep, first_s=10, later_s=25)
    await backoff.pause("down")
    with pytest.raises(StorageError, match="has not answered for 10 s: down"):
        await backoff.pause("down")
    backoff.well()
    with pytest.raises(StorageError, match="has not answered for 25 s"):
        for _ in range(9):
            await backoff.pause("down")
    assert capsys.readouterr().err.count("trying again") == 2
    assert pauses[:2] == [0.5, 1.0] or pauses[:1] == [0.5]
    assert max(pauses) <= 10
