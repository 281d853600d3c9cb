"""Requests with an Idempotency-Key, sent again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.storage.answers import SqlAnswers
from monitor.adapters.storage.database import Database
from monitor.adapters.web.auth import OPERATOR
from monitor.adapters.web.handling import Route
from monitor.adapters.web.repeats import HEADER, REPLAYED
from monitor.adapters.web.routes import ROUTES
from monitor.services.answers import KEPT_MS, Answered, Answers, Key
from tests.fakes.answers import MemoryAnswers
from tests.functional.fakes import Api, alert, body_of, furnish, ndjson, path_of, serving

ONCE = [route for route in ROUTES if route.once]
CLAIM = {"moves": [{"alert": alert(1).id, "move": {"move": "claim"}}]}


def test_all_that_changes_something_takes_a_key_but_events_and_what_holds_a_secret() -> None:
    others = {route.name for route in ROUTES if route.method != "GET" and not route.once and route.scope}
    assert {route.name for route in ONCE} >= {"moveAlerts", "putRecord", "deleteRecord", "sendLabels", "checkScript"}
    assert {"sendEvents", "inviteUser"} <= others


@pytest.mark.parametrize("route", ONCE, ids=[route.name for route in ONCE])
async def test_the_same_request_gets_the_same_answer(route: Route) -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency", OPERATOR)
        headers = {**api.token(route.scope or ""), HEADER: "k1"}
        answers = []
        for _ in range(2):
            async with api.client.request(
                    route.method, path_of(route), headers=headers, data=body_of(route)) as response:
                answers.append((response.status, await response.read(), response.headers.get(REPLAYED)))
        (status, body, first), again = answers
        if status < 300 and body:
            assert first is None and again == (status, body, "true")
        else:  # refused, or nothing to keep: asked again
            assert again[2] is None


async def post(api: Api, key: str, body: object = CLAIM, **more: object) -> tuple[int, object, bool]:
    async with api.client.post("/api/v1/moves", json=body, headers={HEADER: key, **more}) as response:  # type: ignore[dict-item]
        return response.status, await response.json(), REPLAYED in response.headers


async def test_nothing_is_done_twice_and_a_day_later_it_is_a_new_request() -> None:
    async with serving() as api:
        await furnish(api, "local")
        assert [(await post(api, "k"))[::2] for _ in range(3)] == [(200, False), (200, True), (200, True)]
        assert len(api.posts.moves[alert(1).id]) == 1
        status, answer, _ = await post(api, "k", {**CLAIM, "together": False})
        assert (status, answer["error"]["code"]) == (422, "key_reused")  # type: ignore[index]
        api.clock.ms += KEPT_MS + 1
        assert (await post(api, "k"))[::2] == (200, False)
        assert len(api.posts.moves[alert(1).id]) == 2


async def test_what_was_refused_is_asked_again() -> None:
    async with serving() as api:
        assert (await post(api, "k"))[::2] == (404, False)
        await furnish(api, "local")
        assert (await post(api, "k"))[::2] == (200, False)


async def test_a_key_is_its_senders() -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency", "other")
        for token in (api.token("review"), api.token("review"), api.token("review", tenant="other")):
            assert (await post(api, "k", **token))[2] is False
        assert (await post(api, "k", **token))[2] is True


async def test_of_two_at_once_one_is_done() -> None:
    async with serving() as api:
        await furnish(api, "local")
        gate, held, move = asyncio.Event(), asyncio.Event(), api.posts.move

        async def slow(*args: object, **more: object) -> object:
            held.set()
            await gate.wait()
            return await move(*args, **more)  # type: ignore[arg-type]

        api.posts.move = slow  # type: ignore[method-assign,assignment]
        first = asyncio.create_task(post(api, "k"))
        await held.wait()
        status, answer, _ = await post(api, "k")
        assert (status, answer["error"]["code"]) == (409, "conflict")  # type: ignore[index]
        gate.set()
        assert (await first)[::2] == (200, False)
        assert (await post(api, "k"))[::2] == (200, True)


@pytest.mark.parametrize("key", ["", "x" * 256, "k\t1"])
async def test_what_is_no_key_is_refused(key: str) -> None:
    async with serving() as api:
        status, answer, _ = await post(api, key)
        assert (status, answer["error"]["details"]) == (400, {"parameter": HEADER})  # type: ignore[index]


async def test_events_have_ids_of_their_own() -> None:
    async with serving() as api:
        for _ in range(2):
            async with api.client.post("/api/v1/events", data=ndjson(1), headers={HEADER: "k"}) as response:
                assert response.status == 200 and REPLAYED not in response.headers
        assert len(api.ingest.calls) == 2


@pytest.fixture(params=["memory", "sqlite"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Answers]:
    if request.param == "memory":
        yield MemoryAnswers()
        return
    database = await Database.open(tmp_path / "store.db")
    yield SqlAnswers(database)
    await database.close()


async def test_answers_are_kept_by_key_and_expire_by_steps(kept: Answers) -> None:
    keys = [Key("t", "a", str(n)) for n in range(5)]
    for n, key in enumerate(keys):
        await kept.keep_answer(key, Answered("r", 200, b"x" * n, n))
    assert await kept.answer(keys[2], since=2) == Answered("r", 200, b"xx", 2)
    assert await kept.answer(keys[2], since=3) is None
    assert await kept.answer(Key("t", "b", "2"), since=0) is None
    await kept.keep_answer(keys[0], Answered("q", 201, b"y", 9))
    assert await kept.answer(keys[0], since=5) == Answered("q", 201, b"y", 9)
    assert [await kept.expire(before=4, limit=2) for _ in range(3)] == [2, 1, 0]
    assert await kept.answer(keys[4], since=0) is not None
