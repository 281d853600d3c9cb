"""Recordings through this origin: what comes, and what never does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestServer

from monitor.adapters.outside import Outside
from monitor.adapters.web import media
from monitor.domain.organisation import Room
from monitor.services.recordings import Edit
from tests.functional.fakes import Api, keep, serving

SOUND = bytes(range(256)) * 1_000
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def playing(serve: Serve, *, private: bool = True, address: str = "") -> AsyncIterator[Api]:
    """`serve` answers for the recording of room r1; `address`: another one in its record."""
    app = web.Application()
    app.router.add_get("/{tail:.*}", serve)
    async with TestServer(app) as upstream, serving(outside=Outside(private=private)) as api:
        own = f"http://127.0.0.1:{upstream.port}/{{room}}/{{broadcast}}?t={{offset_s}}"
        await keep(api, "local", Edit(kind="room", id="r1", record=Room(media=address or own)),
                   Edit(kind="room", id="r2", record=Room()))
        yield api


async def sound(request: web.Request) -> web.Response:
    part = SOUND[request.http_range]
    whole = request.http_range == slice(None, None, 1)
    headers = {} if whole else {"Content-Range": f"bytes 0-{len(part) - 1}/{len(SOUND)}", "Set-Cookie": "a=b"}
    return web.Response(body=part, status=200 if whole else 206, content_type="audio/mpeg",
                        headers={"Accept-Ranges": "bytes", "X-Path": request.path_qs, **headers})


async def test_a_recording_comes_whole_and_in_parts() -> None:
    async with playing(sound) as api:
        async with api.client.get("/api/v1/rooms/r1/media") as response:
            assert (response.status, response.content_type, await response.read()) == (200, "audio/mpeg", SOUND)
            assert "sandbox" in response.headers["Content-Security-Policy"]
        async with api.client.get("/api/v1/rooms/r1/media", headers={"Range": "bytes=0-99"}) as response:
            assert (response.status, await response.read()) == (206, SOUND[:100])
            assert response.headers["Content-Range"] == f"bytes 0-99/{len(SOUND)}"
            assert "Set-Cookie" not in response.headers and "X-Path" not in response.headers


async def test_the_address_is_filled_in_and_nobody_adds_to_it() -> None:
    asked: list[web.Request] = []

    async def noting(request: web.Request) -> web.Response:
        asked.append(request)
        return await sound(request)

    async with playing(noting) as api:
        params = {"broadcast": "../b 1?x=/", "offset_ms": "93500"}
        headers = {"Range": "bytes=0-1,5-9", "Accept-Language": "zh", "X-Mine": "secret"}
        async with api.client.get("/api/v1/rooms/r1/media", params=params, headers=headers) as response:
            assert response.status == 200
        (request,) = asked
        assert request.raw_path == "/r1/..%2Fb%201%3Fx=%2F?t=93"
        assert not {"Range", "Accept-Language", "X-Mine"} & set(request.headers)


async def refused(api: Api, path: str = "/api/v1/rooms/r1/media") -> tuple[int, str, str]:
    async with api.client.get(path) as response:
        error = (await response.json())["error"]
        assert error["hint"]
        return response.status, error["code"], error["message"]


@pytest.mark.parametrize("status, kind, headers, told", [
    (302, "text/plain", {"Location": "http://127.0.0.1:1/"}, "leads elsewhere"),
    (200, "text/html", {}, "neither sound nor pictures"), (200, "image/svg+xml", {}, "neither sound"),
    (200, "application/vnd.apple.mpegurl", {}, "playlist"), (200, "application/dash+xml", {}, "playlist"),
    (404, "audio/mpeg", {}, "answers 404"), (500, "audio/mpeg", {}, "answers 500"),
])
async def test_what_is_no_recording_is_refused(status: int, kind: str, headers: dict[str, str], told: str) -> None:
    async def strange(request: web.Request) -> web.Response:
        return web.Response(status=status, text="<script>", content_type=kind, headers=headers)

    async with playing(strange) as api:
        answer = await refused(api)
        assert answer[:2] == (502, "media_unreachable") and told in answer[2]


@pytest.mark.parametrize("address, told", [
    ("http://127.0.0.1:9/x", "private network"), ("http://localhost:9/x", "private network"),
    ("http://[::ffff:127.0.0.1]/x", "private network"), ("file:///etc/passwd", "no address"),
    ("http://169.254.169.254/latest", "private network"), ("rtmp://cdn.example/live", "no address"),
])
async def test_no_record_leads_into_a_private_network(address: str, told: str) -> None:
    async with playing(sound, private=False, address=address) as api:
        answer = await refused(api)
        assert answer[:2] == (502, "media_unreachable") and told in answer[2]


async def test_nobody_answers_there() -> None:
    async with playing(sound, address="http://127.0.0.1:1/x") as api:
        assert (await refused(api))[:2] == (502, "media_unreachable")


async def test_rooms_without_a_recording_and_those_of_nobody() -> None:
    async with playing(sound) as api:
        assert (await refused(api, "/api/v1/rooms/r2/media"))[:2] == (404, "not_found")
        assert (await refused(api, "/api/v1/rooms/r9/media"))[:2] == (404, "not_found")


async def test_what_breaks_off_is_no_whole_recording() -> None:
    async def breaking(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        await response.write(SOUND)
        assert request.transport is not None
        request.transport.abort()
        return response

    async with playing(breaking) as api, api.client.get("/api/v1/rooms/r1/media") as response:
        with pytest.raises(ClientPayloadError):
            await response.read()


async def test_a_tenant_plays_a_few_at_once_and_whoever_leaves_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()

    async def live(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        await response.prepare(request)
        await response.write(b"x")
        await gate.wait()
        return response

    async with playing(live) as api:
        open_ = [await api.client.get("/api/v1/rooms/r1/media") for _ in range(media._MOST // 4)]
        assert (await refused(api))[:2] == (429, "busy")
        gate.set()
        for response in open_:
            assert await response.read() == b"x"
        async with api.client.get("/api/v1/rooms/r1/media") as response:
            assert await response.read() == b"x"


async def test_no_answer_is_larger_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "_BYTES", 100_000)
    async with playing(sound) as api, api.client.get("/api/v1/rooms/r1/media") as response:
        with pytest.raises(ClientPayloadError):
            await response.read()
