"""What stands before the protocol of a connection, to see what comes before it is read."""

import asyncio


class Passing(asyncio.Protocol):
    """Passes everything on to `within`."""

    def __init__(self, within: asyncio.Protocol) -> None:
        self._within = within

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._within.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._within.data_received(data)

    def eof_received(self) -> bool | None:
        return self._within.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._within.connection_lost(exc)

    def pause_writing(self) -> None:
        self._within.pause_writing()

    def resume_writing(self) -> None:
        self._within.resume_writing()
