"""The door: at most so many connections at once, so that the service keeps the files that it needs itself."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

BACKLOG: Final = 128
"""Connections that the system holds ready, and that one turn of the loop takes."""
_OWN_FILES: Final = 128
"""Databases, segments, rule files and the threads' needs."""
_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Type: application/json\r\n"
)
_WHY: Final = (
    b'{"error":{"code":"full","message":"too many connections are open","hint":"close some, or try again later; '
    b'the operator may raise http.connections","details":{}}}'
)


def files_needed(connections: int) -> int:
    """Open files for so many connections: beside them, those that are taken in one turn and turned away in the next."""
    return connections + 2 * BACKLOG + _OWN_FILES


def connections_within(files: int) -> int:
    """How many connections so many open files leave room for."""
    return max(1, files - files_needed(0))


class Server(Protocol):
    """aiohttp's, as far as the door knows it."""

    @property
    def connections(self) -> Sequence[object]: ...

    def __call__(self) -> asyncio.Protocol: ...


class Door:
    """Makes the protocol of each connection; beyond `most` it says that there is no room, and closes."""

    def __init__(self, server: Server, most: int, *, on_full: Callable[[], None]) -> None:
        self._server = server
        self.most = most
        self._on_full = on_full

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) < self.most:
            return self._server()
        self._on_full()
        return _Refusing()


class _Refusing(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        out = cast(asyncio.WriteTransport, transport)
        out.write(_FULL + b"Content-Length: %d\r\n\r\n" % len(_WHY) + _WHY)
        out.close()
