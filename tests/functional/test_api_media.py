"""Recordings through this origin: what comes, and what never does."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestServer
from yarl import URL

from monitor.adapters.outside import Outside
from monitor.adapters.web import media
from monitor.domain import playlists
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
    (200, "application/vnd.apple.mpegurl", {}, "is none"), (200, "application/dash+xml", {}, "DASH"),
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


MASTER = """#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="zh",URI="audio/zh.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=800000,AUDIO="a"
low.m3u8?t=1
"""
LOW = """#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-KEY:METHOD=AES-128,URI="/keys/1.bin",IV=0x1
#EXT-X-MAP:URI="init.mp4"
#EXTINF:4.0,开场
1.ts
# a comment
#EXTINF:4.0,
//{host}/2.ts

#EXT-X-ENDLIST
"""
KINDS = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".bin": "application/octet-stream",
         ".mp4": "video/mp4"}


async def hls(request: web.Request) -> web.Response:
    suffix = request.path[request.path.rindex("."):]
    text = {"/r1.m3u8": MASTER, "/low.m3u8": LOW.replace("{host}", request.host)}.get(request.path)
    part = SOUND[request.http_range]
    whole = request.http_range == slice(None, None, 1)
    return web.Response(body=text.encode() if text else part, status=200 if whole else 206, headers={
        "Content-Type": KINDS[suffix], "X-Asked": request.path})


def addresses(text: str) -> list[str]:
    """As a player reads them."""
    quoted = re.findall(r'URI="([^"]*)"', text)
    return quoted + [line for line in text.splitlines() if line and not line.startswith("#")]


async def test_a_playlist_is_played_through_this_origin_with_its_parts_and_keys() -> None:
    app = web.Application()
    app.router.add_get("/{tail:.*}", hls)
    async with TestServer(app) as upstream, serving(outside=Outside(private=True)) as api:
        own = f"http://127.0.0.1:{upstream.port}"
        await keep(api, "local", Edit(kind="room", id="r1", record=Room(media=own + "/{room}.m3u8")))
        here = URL("/api/v1/rooms/r1/media")
        async with api.client.get(here, headers={"Range": "bytes=0-5"}) as response:
            assert (response.status, response.content_type) == (200, "application/vnd.apple.mpegurl")
            master = await response.text()
        assert "127.0.0.1" not in re.sub(r"address=[^&]*", "", master)
        assert 'TYPE=AUDIO,GROUP-ID="a",NAME="zh",URI="media/part?' in master
        _, low = addresses(master)
        here = here.join(URL(low, encoded=True))
        async with api.client.get(here) as response:
            text = await response.text()
        assert [line for line in text.splitlines() if "part?" not in line] == [
            line for line in LOW.splitlines() if "URI" not in line and ".ts" not in line]
        asked = []
        for address in addresses(text):
            part = here.join(URL(address, encoded=True))
            async with api.client.get(part, headers={"Range": "bytes=0-9"}) as response:
                assert (response.status, await response.read()) == (206, SOUND[:10])
                asked.append(response.content_type)
        assert asked == ["application/octet-stream", "video/mp4", "video/mp2t", "video/mp2t"]


@pytest.mark.parametrize("line, told", [
    ("http://other.example/1.ts", "which no room's record names"), ("http://127.0.0.1:1/1.ts", "which no room"),
    ("file:///etc/passwd", "no address over HTTP"), ('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key"', "no address"),
    ("http://u:p@127.0.0.1/1.ts", "holds a user"), ("{$base}/1.ts", "variables"),
])
async def test_what_a_playlist_may_not_lead_to(line: str, told: str) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=f"#EXTM3U\n{line}\n", content_type="application/x-mpegURL")

    async with playing(serve) as api:
        answer = await refused(api)
        assert answer[:2] == (502, "media_unreachable") and told in answer[2]


async def test_a_playlist_by_name_and_one_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(text="#EXTM3U\n" + "1.ts\n" * 50, content_type="text/plain")

    async with playing(serve) as api:
        assert "neither sound" in (await refused(api))[2]
    app = web.Application()
    app.router.add_get("/{tail:.*}", serve)
    async with TestServer(app) as upstream, serving(outside=Outside(private=True)) as api:
        await keep(api, "local", Edit(kind="room", id="r1", record=Room(
            media=f"http://127.0.0.1:{upstream.port}/live.M3U8?x=1")))
        async with api.client.get("/api/v1/rooms/r1/media") as response:
            assert len(addresses(await response.text())) == 50
        monkeypatch.setattr(playlists, "LONGEST", 100)
        assert "too long" in (await refused(api))[2]


async def test_only_addresses_that_were_signed_for_this_room_and_tenant_are_called() -> None:
    asked: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="#EXTM3U\n1.ts\n", content_type="audio/mpegurl")

    async with playing(serve) as api:
        await keep(api, "local", Edit(kind="room", id="r3", record=Room(media="http://127.0.0.1:1/x")))
        async with api.client.get("/api/v1/rooms/r1/media") as response:
            (given,) = addresses(await response.text())
        good = URL("/api/v1/rooms/r1/").join(URL(given, encoded=True))
        before = len(asked)
        for bad in (good.update_query(address=good.query["address"] + "2"), good.update_query(signature="0" * 64),
                    good.update_query(signature="é"), URL("/api/v1/rooms/r1/media/part"),
                    good.with_path("/api/v1/rooms/r3/media/part", keep_query=True)):
            assert (await refused(api, str(bad)))[:2] == (404, "not_found")
        assert len(asked) == before
        async with api.client.get(good) as response:
            assert response.status == 200
        await keep(api, "local", Edit(kind="room", id="r1", record=Room(media="http://127.0.0.1:2/x")))
        assert "which no room's record names" in (await refused(api, str(good)))[2], "the host is no longer named"


@pytest.mark.parametrize("kind", ["video/x-flv", "application/x-flv"])
async def test_a_live_stream_in_one_piece(kind: str) -> None:
    async def live(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        for _ in range(3):
            await response.write(b"FLV" * 100)
        return response

    async with playing(live) as api, api.client.get("/api/v1/rooms/r1/media") as response:
        assert (response.status, response.content_type, await response.read()) == (200, kind, b"FLV" * 300)


@pytest.mark.parametrize("asked, status, length", [("bytes=100-", 206, len(SOUND) - 100), ("bytes=-7", 206, 7)])
async def test_parts_of_a_file_by_range(asked: str, status: int, length: int) -> None:
    async with playing(sound) as api, api.client.get("/api/v1/rooms/r1/media", headers={"Range": asked}) as response:
        assert (response.status, len(await response.read())) == (status, length)


async def test_a_range_that_the_file_does_not_have() -> None:
    async def beyond(request: web.Request) -> web.Response:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(SOUND)}"}, content_type="text/plain")

    headers = {"Range": "bytes=999999-"}
    async with playing(beyond) as api, api.client.get("/api/v1/rooms/r1/media", headers=headers) as response:
        assert (response.status, response.headers["Content-Range"]) == (416, f"bytes */{len(SOUND)}")


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


async def test_a_recording_that_is_made_here_comes_whole_and_in_parts() -> None:
    async with serving(recordings={"demo:food": SOUND}) as api:
        await keep(api, "local", Edit(kind="room", id="r1", record=Room(media="demo:food")),
                   Edit(kind="room", id="r2", record=Room(media="demo:none")))
        for asked, status, part, where in (
            ("", 200, SOUND, None), ("bytes=0-", 206, SOUND, f"bytes 0-{len(SOUND) - 1}/{len(SOUND)}"),
            ("bytes=10-19", 206, SOUND[10:20], f"bytes 10-19/{len(SOUND)}"),
            ("bytes=-5", 206, SOUND[-5:], f"bytes {len(SOUND) - 5}-{len(SOUND) - 1}/{len(SOUND)}"),
            ("bytes=999999-", 416, b"", f"bytes */{len(SOUND)}"), ("bytes=9-1", 416, b"", f"bytes */{len(SOUND)}"),
        ):
            async with api.client.get("/api/v1/rooms/r1/media", headers={"Range": asked} if asked else {}) as response:
                assert (response.status, await response.read()) == (status, part)
                assert response.headers.get("Content-Range") == where
        async with api.client.get("/api/v1/rooms/r2/media") as response:
            assert (response.status, (await response.json())["error"]["code"]) == (502, "media_unreachable")
