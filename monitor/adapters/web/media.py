"""GET /rooms/{room}/media: a room's recording or live audio from the address that its record names, as of this origin.

Only that address is called, never one that somebody sends; it redirects nowhere, and what comes is sound or pictures.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import ClientGone, Problem
from monitor.adapters.web.handling import QUERY, STARTED
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.adapters.web.streams import STREAMS
from monitor.domain.addresses import checked, filled
from monitor.domain.errors import BusyError, InputError
from monitor.domain.organisation import Room

MEDIA_PARAMS: Final[tuple[Param, ...]] = (
    text("broadcast", "Fills {broadcast} in the address."),
    count("offset_ms", "Since the broadcast's start; fills {offset_s}.", least=0, most=2**40, default=0),
)
_RANGE: Final = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})")
_MEDIA: Final = re.compile(r"(audio|video)/[\w.+-]+|application/(octet-stream|ogg|mp4)", re.ASCII)
_PLAYLIST: Final = re.compile(r"(audio|application)/(x-|vnd\.apple\.)?mpegurl|application/dash\+xml", re.ASCII | re.I)
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
    """The session that calls, open while the application runs, and how many calls run."""

    session: ClientSession

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
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


RELAYS: Final = web.AppKey("relays", Relays)


async def get_media(request: web.Request) -> web.StreamResponse:
    """404 for a room that is not to be seen, or has no address."""
    services, principal, name = request.app[SERVICES], request[PRINCIPAL], request.match_info["room"]
    room = (await services.organising.one(principal.actor, "room", name)).record
    if not isinstance(room, Room) or not room.media:
        raise Problem(404, "not_found", "this room has no recording", hint="its record names the address in `media`")
    query = request[QUERY]
    url = filled(room.media, room=name, broadcast=query["broadcast"] or "", offset_ms=query["offset_ms"])
    with request.app[RELAYS].taken(principal.tenant):
        try:
            checked(url, private=services.outside.private)
            return await _relayed(request, url)
        except InputError as error:
            raise _unreachable(error.message, error.hint) from None
        except (ClientError, TimeoutError) as error:
            if request.get(STARTED) is not None:
                raise ClientGone from None
            raise _unreachable(f"the recording does not come: {type(error).__name__}",
                               "try again, or look whether the address in the room's record is right") from None


async def _relayed(request: web.Request, url: str) -> web.StreamResponse:
    headers = {"Accept-Encoding": "identity", "User-Agent": "redpost"}
    asked = request.headers.get("Range", "")
    if _RANGE.fullmatch(asked):
        headers["Range"] = asked
    async with asyncio.timeout(_HEAD_S) as limit:
        async with request.app[RELAYS].session.get(url, headers=headers, allow_redirects=False) as upstream:
            _check(upstream)
            limit.reschedule(None)
            passed = {name: upstream.headers[name] for name in _PASSED if name in upstream.headers}
            response = web.StreamResponse(status=upstream.status, headers={
                **passed, "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"})
            await response.prepare(request)
            request[STARTED] = response
            with request.app[STREAMS].opened(request[PRINCIPAL], lambda: _cut(request)):
                await _pass_on(request, upstream, response)
            return response


def _check(upstream: ClientResponse) -> None:
    """Raises Problem for what is no recording."""
    if 300 <= upstream.status < 400:
        raise _unreachable("the recording's address leads elsewhere", "write the address where it lies into the record")
    if upstream.status not in (200, 206, 416):
        raise _unreachable(f"the recording's address answers {upstream.status}", "look at the room's record")
    kind = upstream.content_type
    if _PLAYLIST.fullmatch(kind):
        raise _unreachable("the address is a playlist, whose parts lie elsewhere",
                           "name a file (MP4, MP3, FLV …) or a live stream in one piece")
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
