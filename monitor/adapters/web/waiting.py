"""How long a connection may take to say what it wants: the head of a request comes in time, or the connection ends.

aiohttp has one limit for that and for connections that idle between requests. Idle ones are worth keeping, longer than
proxies keep theirs, so that none is closed while a request is on its way.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, cast

from aiohttp import web

from monitor.adapters.web.errors import plain_answer
from monitor.adapters.web.passing import Passing

_LAST_S: Final = 0.5
"""For a head that is complete already and waits for its turn, where the loop was held up."""

Later = Callable[[float, Callable[[], None]], asyncio.Handle]
"""`loop.call_later`"""


class Waiting(Passing):
    """Stands before aiohttp's protocol. A clock of `seconds` runs from the connection on, and from the first bytes that
    come after an answer, until a request is being answered; then the connection ends and `on_slow` is called."""

    def __init__(
        self, within: asyncio.Protocol, seconds: float, *, on_slow: Callable[[], None], later: Later
    ) -> None:
        super().__init__(within)
        self._seconds = seconds
        self._on_slow = on_slow
        self._later = later
        self._clock: asyncio.Handle | None = None
        self._answering = self._said = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._out = cast(asyncio.WriteTransport, transport)
        self._clock = self._later(self._seconds, self._late)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._said = True
        if self._clock is None and not self._answering:
            self._clock = self._later(self._seconds, self._late)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    @contextmanager
    def answering(self) -> Iterator[None]:
        self._stop()
        self._answering = True
        try:
            yield
        finally:
            self._answering = self._said = False

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _late(self) -> None:
        self._clock = self._later(_LAST_S, self._end)

    def _end(self) -> None:
        self._on_slow()
        if self._said:
            self._out.write(plain_answer(408, "too_slow", f"no request came within {self._seconds:g} s",
                                         hint="send its head at once"))
        self._out.close()


@contextmanager
def answering(request: web.Request) -> Iterator[None]:
    """While this runs, nobody waits for the head of a request on its connection."""
    protocol = request.transport.get_protocol() if request.transport is not None else None
    if isinstance(protocol, Waiting):
        with protocol.answering():
            yield
    else:
        yield
