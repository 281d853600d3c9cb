"""GET /alerts/stream: committed alerts as they come, resumable."""

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec
from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL, TOKENS
from monitor.adapters.web.errors import ClientGone
from monitor.adapters.web.handling import QUERY, STARTED
from monitor.adapters.web.hub import Subscription, Wanted, encode
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.adapters.web.streams import STREAMS
from monitor.adapters.web.types import HelloMessage, ResetMessage
from monitor.services.sight import sees

HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "X-Accel-Buffering": "no",  # or nginx would hold events back
}
RETRY: Final = b"retry: 2000\n\n"
PING: Final = b": still here\n\n"
_CHUNK: Final = 64 * 2**10
_PAGE: Final = 500


async def stream_alerts(request: web.Request) -> web.StreamResponse:
    """Replay what was missed (hub, else store, else a `reset` event), then live until somebody ends it."""
    services, query = request.app[SERVICES], request[QUERY]
    actor, organising = request[PRINCIPAL].actor, services.organising
    wanted = Wanted(who=actor.id, severity=query["severity"], category=query["category"], room=query["room"],
                    sees=lambda alert: sees(actor, organising.of(actor.tenant), alert))
    after = last_id(request.headers.get("Last-Event-ID"), query["after"])
    request.app[STREAMS].check(request[PRINCIPAL])
    client = services.hub.subscribe(request[PRINCIPAL].tenant, after, wanted)
    try:
        with request.app[STREAMS].opened(request[PRINCIPAL], client.close):
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(request)
            request[STARTED] = response
            writer = Writer(request, response)
            client.cut = writer.abort
            await writer.write(RETRY)
            await _catch_up(request, client, after, writer)
            await _live(request, client, writer)
    finally:
        client.leave()
    return response


def last_id(header: str | None, param: int | None) -> int | None:
    """A browser that reconnects sends the header beside the address's old parameter: the header wins."""
    if header is None or header == "":
        return param
    return int(header) if header.isascii() and header.isdigit() and len(header) < 19 else 2**62


class Writer:
    """Writes to the client, which is cut off when it takes nothing for too long."""

    def __init__(self, request: web.Request, response: web.StreamResponse) -> None:
        self._response = response
        self._transport = request.transport
        self._telemetry = request.app[SERVICES].telemetry
        self._seconds = request.app[SETTINGS].write_timeout_s

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def write(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._response.write(data)
        except TimeoutError:
            self.abort()
            self._telemetry.count("sse_dropped_total")
            raise ClientGone from None
        except ConnectionError:
            raise ClientGone from None

    async def write_all(self, pieces: Iterable[bytes]) -> None:
        waiting: list[bytes] = []
        size = 0
        for piece in pieces:
            waiting.append(piece)
            size += len(piece)
            if size >= _CHUNK:
                await self.write(b"".join(waiting))
                waiting, size = [], 0
        if waiting:
            await self.write(b"".join(waiting))


def event(name: bytes, value: object, seq: int | None) -> bytes:
    head = b"" if seq is None else b"id: %d\n" % seq
    return head + b"event: %s\ndata: %s\n\n" % (name, msgspec.json.encode(value))


async def _catch_up(request: web.Request, client: Subscription, after: int | None, writer: Writer) -> None:
    if after is None:
        await writer.write(event(b"hello", HelloMessage(client.start, False), client.start))
        return
    why = "" if client.complete else await _why_not(request, client, after)
    if why:
        client.seen = -1
        await writer.write(event(b"reset", ResetMessage(why, client.start), client.start))
        return
    await writer.write(event(b"hello", HelloMessage(client.start, True), None))
    if client.complete:
        replay, client.replay = client.replay, []
        await writer.write_all(sent.data for sent in replay)
    else:
        await _replay_store(request, client, after, writer)


async def _why_not(request: web.Request, client: Subscription, after: int) -> str:
    """Why the store cannot give everything above `after`; "" where it can."""
    lowest, highest = await request.app[SERVICES].store.outbox_bounds(client.tenant)
    if after > max(highest, client.start):
        return "unknown"  # from another database, or from before a power loss
    if after + 1 < lowest:
        return "too_old"
    return "too_many" if highest - after > request.app[SETTINGS].sse_replay else ""


async def _replay_store(request: web.Request, client: Subscription, after: int, writer: Writer) -> None:
    store = request.app[SERVICES].store
    while after < client.start:
        updates = await store.updates(client.tenant, after=after, limit=_PAGE)
        if not updates:
            break
        after = updates[-1].seq
        await writer.write_all(
            encode(update).data for update in updates if client.wanted.matches(update.alert)
        )
        client.seen = after


async def _live(request: web.Request, client: Subscription, writer: Writer) -> None:
    tokens, principal = request.app[TOKENS], request[PRINCIPAL]
    heartbeat = request.app[SETTINGS].sse_heartbeat_s
    while True:
        taken = await client.take(within=heartbeat)
        if client.end:
            return
        if not await tokens.valid(principal):
            return
        if taken:
            await writer.write_all(sent.data for sent in taken)
        else:
            await writer.write(PING)
