"""The door: at most so many connections at once, none of which says nothing for long, so that the service keeps the
files that it needs itself."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol, cast

from monitor.adapters.web.errors import plain_answer
from monitor.adapters.web.waiting import Later, Waiting

BACKLOG: Final = 128
"""Connections that the system holds ready, and that one turn of the loop takes."""
_OWN_FILES: Final = 128
"""Databases, segments, rule files and the threads' needs."""
_FULL: Final = plain_answer(503, "full", "too many connections are open", headers=("Retry-After: 5",),
                            hint="close some, or try again later; the operator may raise http.connections")


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
    """Makes the protocol of each connection; beyond `most` it says that there is no room, and closes. `head_s`: seconds
    within which a request says what it wants."""

    def __init__(
        self, server: Server, most: int, *, head_s: float, on_full: Callable[[], None], on_slow: Callable[[], None],
        later: Later,
    ) -> None:
        self._server = server
        self.most = most
        self.head_s = head_s
        self._on_full, self._on_slow = on_full, on_slow
        self._later = later

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) < self.most:
            return Waiting(self._server(), self.head_s, on_slow=self._on_slow, later=self._later)
        self._on_full()
        return _Refusing()


class _Refusing(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        out = cast(asyncio.WriteTransport, transport)
        out.write(_FULL)
        out.close()
