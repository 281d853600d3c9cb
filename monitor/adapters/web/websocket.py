"""GET /events/ws: numbered messages of events, acknowledged in order, resumed after a drop; see `docs/api.md`."""

import asyncio
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiohttp import WSMessage, WSMsgType, web
from msgspec import Struct

from monitor.adapters.web.auth import PRINCIPAL, TOKENS
from monitor.adapters.web.bodies import decompressed, encoding_of, too_large
from monitor.adapters.web.budget import BUDGET, Held
from monitor.adapters.web.errors import ClientGone, Problem, info, of_redpost
from monitor.adapters.web.handling import STARTED, unexpected
from monitor.adapters.web.metering import Meter
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.adapters.web.sessions import SESSIONS
from monitor.adapters.web.streams import STREAMS
from monitor.adapters.web.types import Ack, Busy, Hello, Message, Refused, Welcome, WelcomeBody
from monitor.domain.errors import BusyError, RedpostError, StorageError
from monitor.domain.rejections import UNREADABLE

CLOSE_CODES: Final = {
    1000: "the client said goodbye",
    1001: "the service stops; connect again and resume",
    1002: "the frames are not those of a WebSocket",
    1007: "the reason of a goodbye is no UTF-8",
    1009: "the message is too large",
    1011: "something went wrong inside; the operator's log has it",
    1013: "too much at once; connect again in a second and resume",
    4000: "no hello came, or not in time",
    4001: "another connection of this session took over",
    4002: "a message could not be read",
    4003: "the token was revoked",
}
_FAULTS: Final = 100
"""Messages out of sequence after which the client is taken to be broken."""
_CLOSE_S: Final = 2.0
_HELLO: Final = 64 * 2**10
"""Bytes that a socket may send before its hello was read."""
_TAKEN: Final = (WSMsgType.TEXT, WSMsgType.BINARY)
_LARGE: Final = 2**20
"""Bytes of a message from which on it is read beside the loop."""

_hello: Final = msgspec.json.Decoder(Hello)
_message: Final = msgspec.json.Decoder(Message)
_encoder: Final = msgspec.json.Encoder()


class Close(Exception):
    """Ends a connection; `problem` is told before."""

    def __init__(self, code: int, problem: Problem | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.problem = problem


async def events_socket(request: web.Request) -> web.StreamResponse:
    settings = request.app[SETTINGS]
    if len(request.app[SESSIONS]) >= settings.max_sockets:
        raise BusyError(f"{settings.max_sockets} sockets are open", retry_after=settings.retry_after_s,
                        hint="one connection serves many rooms; or raise http.max_sockets")
    request.app[STREAMS].check(request[PRINCIPAL])
    socket = web.WebSocketResponse(
        heartbeat=settings.ws_heartbeat_s, max_msg_size=settings.max_body_bytes, compress=False, decode_text=False,
        timeout=_CLOSE_S, autoping=False,
    )
    try:
        await socket.prepare(request)
    except web.HTTPBadRequest:
        raise Problem(400, "bad_request", "the request does not open a WebSocket",
                      hint="send Upgrade: websocket, version 13 and a key of 16 bytes; POST /api/v1/events takes "
                      "events without a WebSocket") from None
    request[STARTED] = socket
    await Connection(request, socket).run()
    return socket


class Connection:
    """One socket: hello, then message after message.

    Messages are taken one at a time, in order; what a client sends ahead waits in the socket. A message is never
    accepted before those below it are durable, or a message that failed would be lost behind one that did not.
    """

    def __init__(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        self._request = request
        self._socket = socket
        self._services = request.app[SERVICES]
        self._settings = request.app[SETTINGS]
        self._principal = request[PRINCIPAL]
        self._sessions = request.app[SESSIONS]
        self._language = request.headers.get("Accept-Language", "")
        self._expected = 1
        self._refusing = False  # a message was not taken: those behind it are not either
        self._faults = 0
        self._replaced = False
        self._working = asyncio.Lock()  # held while something of this session is in flight
        self._closing: asyncio.Task[None] | None = None
        self._meter: Meter | None = None
        self.key = (self._principal.tenant, "")

    async def run(self) -> None:
        self._sessions.add(self)
        code, problem = 1000, None
        try:
            if self._request.transport is not None:
                self._meter = Meter.over(self._request.transport, self._request.app[BUDGET], self._principal.token,
                                         _HELLO, self._overrun)
            with self._request.app[STREAMS].opened(self._principal, self._revoke):
                await self._greet()
                while (message := await self._next()).type in _TAKEN:
                    await self._answer(message)
        except Close as close:
            code, problem = close.code, close.problem
        except (ClientGone, ConnectionError):
            pass  # there is nobody to tell
        except RedpostError as error:
            code, problem = 1011, of_redpost(error, retry_after_s=self._settings.retry_after_s)
        except Exception as error:
            code, problem = 1011, unexpected(self._request, error)
        finally:
            self._sessions.leave(self)
            await self._end(code, problem)

    async def _end(self, code: int, problem: Problem | None) -> None:
        try:
            if problem is not None:
                await self._send(Refused(info(problem, self._language), self._expected))
        except ClientGone:
            return
        if self._closing is not None:
            await self._closing
        await self.close(code)

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(self._settings.hello_timeout_s):
                first = await self._next()
        except TimeoutError:
            raise Close(4000, _bad("no hello came in time")) from None
        if first.type not in _TAKEN:
            raise ClientGone
        with self._held() as held:
            try:
                hello = _hello.decode(await self._plain(first, held)).hello
            except UNREADABLE as error:
                raise Close(4000, _bad(f"the first message is no hello: {error}")) from None
        self.key = (self._principal.tenant, hello.session)
        async with self._working:
            await self._sessions.enter(self)
            if self._replaced:
                raise Close(4001)
            last = await self._services.session_seq(*self.key) or hello.acked
        self._expected = last + 1
        if self._meter is not None:
            self._meter.most = self._settings.max_body_bytes + _HELLO
        await self._send(Welcome(WelcomeBody(hello.session, last)))

    async def _next(self) -> WSMessage:
        """The next message, or how the connection ended. Pings are answered meanwhile.

        Each frame takes a turn of the loop, or a flood of small ones would let nobody else in.
        """
        while True:
            message = await self._socket.receive()
            await asyncio.sleep(0)
            if message.type is WSMsgType.PING:
                await self._write(message.data, WSMsgType.PONG)
            elif message.type is not WSMsgType.PONG:
                return message

    async def _answer(self, message: WSMessage) -> None:
        if not await self._request.app[TOKENS].valid(self._principal):
            raise Close(4003, _revoked())
        with self._held() as held:
            await self._send(await self._taken(await self._decode(message, held)))

    async def _taken(self, message: Message) -> Struct:
        """What became of one message."""
        if message.seq < self._expected:
            return Ack(message.seq, already=True)
        if message.seq > self._expected:
            return self._out_of_turn(message.seq)
        async with self._working:
            if self._replaced:
                raise Close(4001)
            try:
                receipt = await self._services.ingest.accept(
                    self._principal.tenant, bytes(message.events), session=self.key[1], session_seq=message.seq
                )
            except (BusyError, StorageError) as error:
                self._refusing = True
                return self._busy(message.seq, error)
        self._refusing = False
        self._faults = 0
        self._expected += 1
        return Ack(message.seq, receipt.accepted, receipt.duplicates, receipt.rejected, receipt.rejected_total)

    def _out_of_turn(self, seq: int) -> Struct:
        self._faults += 1
        if self._faults > _FAULTS:
            raise Close(4002, _gap(seq, self._expected))
        if self._refusing:  # sent before the client knew
            return Busy(seq, 0, self._expected, "out_of_turn")
        return Refused(info(_gap(seq, self._expected), self._language), self._expected)

    def _busy(self, seq: int, error: BusyError | StorageError) -> Busy:
        wait = error.retry_after if isinstance(error, BusyError) else self._settings.retry_after_s
        return Busy(seq, wait, self._expected, error.code)

    async def _decode(self, message: WSMessage, held: Held) -> Message:
        plain = await self._plain(message, held)
        try:
            large = len(plain) > _LARGE
            found = await asyncio.to_thread(_message.decode, plain) if large else _message.decode(plain)
        except UNREADABLE as error:
            raise Close(4002, _bad(f"the message cannot be read: {error}")) from None
        if bytes(found.events)[:1] != b"[":
            raise Close(4002, _bad("events is no array"))
        return found

    def _held(self) -> Held:
        """For the message that was taken; it is no longer on its way."""
        if self._meter is not None:
            self._meter.read()
        return Held(self._request.app[BUDGET], self._principal.token)

    def _overrun(self, error: BusyError | None) -> None:
        """More came than may be held before a message is whole: of this socket, or of all."""
        if error is None:
            most = _HELLO if self._meter is None else self._meter.most
            self._closing = self._ending(1009, too_large(min(most, self._settings.max_body_bytes), ""))
        else:
            self._closing = self._ending(1013, of_redpost(error, retry_after_s=1))

    async def _plain(self, message: WSMessage, held: Held) -> bytes:
        data: bytes = message.data
        encoding = encoding_of(data) if message.type is WSMsgType.BINARY else ""
        try:
            held.grow(len(data))
            return await decompressed(data, encoding, held, self._settings.max_decompressed_bytes) if encoding else data
        except Problem as problem:
            raise Close(1009 if problem.status == 413 else 4002, problem) from None
        except BusyError as error:
            raise Close(1013, of_redpost(error, retry_after_s=1)) from None

    async def _send(self, value: Any) -> None:
        await self._write(_encoder.encode(value), WSMsgType.TEXT)

    async def _write(self, data: bytes, kind: WSMsgType) -> None:
        try:
            async with asyncio.timeout(self._settings.write_timeout_s):
                await self._socket.send_frame(data, kind)
        except TimeoutError:
            self._abort()
            raise ClientGone from None
        except ConnectionError:
            raise ClientGone from None

    async def give_way(self) -> None:
        """Another connection takes the session: stop; returns once nothing is in flight here."""
        self._replaced = True
        async with self._working:
            pass
        self._closing = asyncio.create_task(self.close(4001))

    def _revoke(self) -> None:
        """The token was revoked while nothing passed."""
        self._closing = self._ending(4003, _revoked())

    def _ending(self, code: int, problem: Problem) -> asyncio.Task[None]:
        """Say why, and close, beside whatever waits for the next message."""

        async def say() -> None:
            with suppress(ClientGone):
                await self._send(Refused(info(problem, self._language), self._expected))
            await self.close(code)

        return asyncio.create_task(say())

    async def close(self, code: int) -> None:
        """Say goodbye, without waiting long for a client that does not listen."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._socket.close(code=code, drain=False)
        except TimeoutError:
            self._abort()

    def _abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()


def _revoked() -> Problem:
    return Problem(401, "unknown_token", "the token was revoked")


def _bad(message: str) -> Problem:
    return Problem(400, "bad_message", message[:300],
                   hint='first {"hello": {"session": …}}, then {"seq": n, "events": […]}')


def _gap(seq: int, expected: int) -> Problem:
    return Problem(409, "gap", f"message {seq} came where {expected} was expected", hint="go on from expected")
