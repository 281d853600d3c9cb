"""What a connection sends before a whole message of it has come: counted before it is held in memory."""

import asyncio
from collections.abc import Callable

from monitor.adapters.web.budget import Budget, Held
from monitor.adapters.web.passing import Passing
from monitor.domain.errors import BusyError

End = Callable[[BusyError | None], None]


class Meter(Passing):
    """Stands before the protocol of a connection and passes everything on to it, until there is too much.

    `most`: bytes that may be unread at once; may be changed. `end` is called once, with what the budget said, or None
    where this connection sends more than `most`.
    """

    def __init__(self, protocol: asyncio.Protocol, budget: Budget, client: str, most: int, end: End) -> None:
        super().__init__(protocol)
        self._held = Held(budget, client)
        self.most = most
        self._end = end
        self._ended = False

    @classmethod
    def over(cls, transport: asyncio.Transport, budget: Budget, client: str, most: int, end: End) -> "Meter":
        """Put one in front of what reads from this transport."""
        protocol = transport.get_protocol()
        assert isinstance(protocol, asyncio.Protocol)  # noqa: S101 (aiohttp's)
        meter = cls(protocol, budget, client, most, end)
        transport.set_protocol(meter)
        return meter

    def read(self) -> None:
        """A message was taken: what may have come behind it is little, since the reader is paused then."""
        self._held.give()

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        try:
            self._held.grow(len(data))
        except BusyError as error:
            self._stop(error)
        else:
            if self._held.size > self.most:
                self._stop(None)
            else:
                super().data_received(data)

    def _stop(self, error: BusyError | None) -> None:
        self._ended = True
        self._held.give()
        self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._held.give()
        super().connection_lost(exc)
