"""GET /rooms/{room}/media: a room's recording or live audio from the address that its record names, as of this origin.

Only that address is called, and of a playlist the parts that stand in it, under addresses which are signed here, on
hosts that the tenant's records name: never one that somebody sends. None redirects; what comes is sound or pictures.
"""

import asyncio
import hmac
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import ClientGone, Problem
from monitor.adapters.web.handling import QUERY, STARTED
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.adapters.web.streams import STREAMS
from monitor.domain import playlists
from monitor.domain.addresses import checked, filled, origin
from monitor.domain.errors import BusyError, InputError
from monitor.domain.organisation import Organisation, Room
from monitor.domain.phrases import phrase

MEDIA_PARAMS: Final[tuple[Param, ...]] = (
    text("broadcast", "Fills {broadcast} in the address."),
    count("offset_ms", "Since the broadcast's start; fills {offset_s}.", least=0, most=2**40, default=0),
)
PART_PARAMS: Final[tuple[Param, ...]] = (
    text("address", "Of the part, as the playlist gave it.", longest=4_000),
    text("signature", "As the playlist gave it.", longest=64),
)
_RANGE: Final = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})")
_MEDIA: Final = re.compile(r"(audio|video)/[\w.+-]+|application/(octet-stream|ogg|mp4|x-flv)|text/vtt", re.ASCII)
_PLAYLIST: Final = re.compile(r"(audio|application)/(x-|vnd\.apple\.)?mpegurl", re.ASCII | re.I)
_UNTYPED: Final = frozenset(("text/plain", "application/octet-stream"))
"""What a file is called whose kind its server does not know: then its name tells a playlist."""
_PLAYLIST_NAME: Final = ".m3u8"
_DASH: Final = "application/dash+xml"
_SAFE: Final = {"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
_PASSED: Final = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
_CHUNK: Final = 64 * 2**10
_MOST: Final = 32
"""Relays at once, a quarter of them for one tenant."""
_BYTES: Final = 8 * 2**30
"""Of one answer."""
_RATE: Final = 4 * 2**20
"""Bytes a second, after as many at once."""
_HEAD_S: Final = 10


class Relays:
    """The session that calls, open while the application runs, and how many calls run. `key`: signs parts of playlists;
    where it is another one after a start, a player asks for the playlist again."""

    session: ClientSession

    def __init__(self, key: bytes, most: int = _MOST) -> None:
        self._most, self._key = most, key
        self._running: dict[str, int] = {}

    @contextmanager
    def taken(self, tenant: str) -> Iterator[None]:
        """Raises BusyError."""
        if sum(self._running.values()) >= self._most or self._running.get(tenant, 0) >= max(self._most // 4, 1):
            raise BusyError("too many recordings are played at once", retry_after=5, hint="close one, or wait")
        self._running[tenant] = self._running.get(tenant, 0) + 1
        try:
            yield
        finally:
            self._running[tenant] -= 1

    def signature(self, tenant: str, room: str, url: str) -> str:
        return hmac.digest(self._key, "\n".join((tenant, room, url)).encode(), "sha256").hex()


RELAYS: Final = web.AppKey("relays", Relays)


async def get_media(request: web.Request) -> web.StreamResponse:
    """404 for a room that is not to be seen, or has no address."""
    room, query = await _room(request), request[QUERY]
    own = request.app[SERVICES].recordings.get(room.media)
    if own is not None:
        return _sent(request, own)
    url = filled(room.media, room=request.match_info["room"], broadcast=query["broadcast"] or "",
                 offset_ms=query["offset_ms"])
    return await _played(request, room, url, parts="media/part")


def _sent(request: web.Request, sound: bytes) -> web.Response:
    """A recording that is made here; takes Range."""
    headers = {**_SAFE, "Accept-Ranges": "bytes"}
    if not _RANGE.fullmatch(request.headers.get("Range", "")):
        return web.Response(body=sound, content_type="audio/wav", headers=headers)
    try:
        start, stop, _ = request.http_range.indices(len(sound))
    except ValueError:  # it ends before it begins
        start, stop = 0, 0
    if start >= stop:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{len(sound)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(sound)}"
    return web.Response(status=206, body=sound[start:stop], content_type="audio/wav", headers=headers)


async def get_part(request: web.Request) -> web.StreamResponse:
    """404 for what no playlist of this room gave."""
    room, query = await _room(request), request[QUERY]
    address = query["address"] or ""
    wanted = request.app[RELAYS].signature(request[PRINCIPAL].tenant, request.match_info["room"], address)
    if not hmac.compare_digest(wanted.encode(), (query["signature"] or "").encode()):
        raise Problem(404, "not_found", "no playlist of this room has given this address",
                      hint="ask for the playlist again: its addresses hold until the service is started anew")
    return await _played(request, room, address, parts="part")


async def _room(request: web.Request) -> Room:
    organising, name = request.app[SERVICES].organising, request.match_info["room"]
    room = (await organising.one(request[PRINCIPAL].actor, "room", name)).record
    if not isinstance(room, Room) or not room.media:
        raise Problem(404, "not_found", "this room has no recording", hint="its record names the address in `media`")
    return room


async def _played(request: web.Request, room: Room, url: str, *, parts: str) -> web.StreamResponse:
    """`parts`: where those of a playlist are, as seen from where this is asked for."""
    services, principal = request.app[SERVICES], request[PRINCIPAL]
    with request.app[RELAYS].taken(principal.tenant):
        try:
            checked(url, private=services.outside.private)
            _check_host(url, room, services.organising.of(principal.tenant))
            return await _relayed(request, room, url, parts)
        except InputError as error:
            raise _unreachable(error.message, error.hint) from None
        except (ClientError, TimeoutError) as error:
            if request.get(STARTED) is not None:
                raise ClientGone from None
            raise _unreachable(phrase("the recording does not come: {name}", name=type(error).__name__),
                               "try again, or look whether the address in the room's record is right") from None


def _check_host(url: str, room: Room, organisation: Organisation) -> None:
    """Raises InputError for one that no record of the tenant names."""
    wanted = origin(url)
    if wanted != _origin(room) and not any(_origin(other) == wanted for _, other in organisation.every(Room)):
        raise InputError(phrase("a part of the playlist lies on {wanted}, which no room's record names",
                                wanted=wanted[1][:80]),
                         hint="name an address there in the `media` of a room, if that host is yours")


def _origin(room: Room) -> tuple[str, str, int | None] | None:
    try:
        return origin(filled(room.media, room="", broadcast="", offset_ms=0)) if room.media else None
    except InputError:
        return None


async def _relayed(request: web.Request, room: Room, url: str, parts: str) -> web.StreamResponse:
    headers = {"Accept-Encoding": "identity", "User-Agent": "redpost"}
    asked = request.headers.get("Range", "")
    if _RANGE.fullmatch(asked) and not _named_playlist(url):
        headers["Range"] = asked
    async with asyncio.timeout(_HEAD_S) as limit:
        async with request.app[RELAYS].session.get(url, headers=headers, allow_redirects=False) as upstream:
            if _is_playlist(upstream, url):
                return await _playlist(request, room, url, parts, upstream)
            _check(upstream)
            limit.reschedule(None)
            passed = {name: upstream.headers[name] for name in _PASSED if name in upstream.headers}
            response = web.StreamResponse(status=upstream.status, headers={**passed, **_SAFE})
            await response.prepare(request)
            request[STARTED] = response
            with request.app[STREAMS].opened(request[PRINCIPAL], lambda: _cut(request)):
                await _pass_on(request, upstream, response)
            return response


def _named_playlist(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(_PLAYLIST_NAME)


def _is_playlist(upstream: ClientResponse, url: str) -> bool:
    kind = upstream.content_type
    return upstream.status == 200 and bool(
        _PLAYLIST.fullmatch(kind) or (kind in _UNTYPED and _named_playlist(url)))


async def _playlist(
    request: web.Request, room: Room, url: str, parts: str, upstream: ClientResponse
) -> web.Response:
    """With the addresses of its parts as of this origin. Raises InputError, Problem."""
    tenant, name = request[PRINCIPAL].tenant, request.match_info["room"]
    organisation = request.app[SERVICES].organising.of(tenant)
    known: set[tuple[str, str, int | None]] = set()

    def instead(address: str) -> str:
        whole = address.partition("#")[0]
        if origin(whole) not in known:
            _check_host(whole, room, organisation)
            known.add(origin(whole))
        signature = request.app[RELAYS].signature(tenant, name, whole)
        return f"{parts}?{urlencode({'address': whole, 'signature': signature})}"

    body = bytearray()
    async for piece in upstream.content.iter_chunked(_CHUNK):
        body += piece
        if len(body) > playlists.LONGEST:
            raise _unreachable("the playlist is too long",
                               phrase("one has at most {most} MiB", most=playlists.LONGEST // 2**20))
    text = playlists.rewritten(bytes(body), url, instead)
    return web.Response(text=text, content_type="application/vnd.apple.mpegurl",
                        headers={**_SAFE, "Cache-Control": "no-store"})


def _check(upstream: ClientResponse) -> None:
    """Raises Problem for what is no recording."""
    if 300 <= upstream.status < 400:
        raise _unreachable("the recording's address leads elsewhere", "write the address where it lies into the record")
    if upstream.status not in (200, 206, 416):
        raise _unreachable(phrase("the recording's address answers {status}", status=upstream.status),
                           "look at the room's record")
    kind = upstream.content_type
    if kind == _DASH:
        raise _unreachable("the address is a playlist of the kind DASH, whose parts lie elsewhere",
                           "name one of the kind HLS, a file (MP4, MP3, FLV …) or a live stream in one piece")
    if upstream.status != 416 and not _MEDIA.fullmatch(kind):
        raise _unreachable("what the address gives is neither sound nor pictures", "look at the room's record")


async def _pass_on(request: web.Request, upstream: ClientResponse, response: web.StreamResponse) -> None:
    """No faster than the rate. What breaks off breaks the connection, too."""
    settings, begun, sent = request.app[SETTINGS], time.monotonic(), 0
    try:
        async for piece in upstream.content.iter_chunked(_CHUNK):
            async with asyncio.timeout(settings.write_timeout_s):
                await response.write(piece)
            sent += len(piece)
            if sent > _BYTES:
                raise ClientGone
            ahead = (sent - _RATE) / _RATE - (time.monotonic() - begun)
            if ahead > 0:
                await asyncio.sleep(ahead)
    except BaseException:
        _cut(request)
        raise


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _unreachable(message: str, hint: str) -> Problem:
    return Problem(502, "media_unreachable", message, hint=hint)
