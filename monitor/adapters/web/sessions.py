"""Which WebSocket connection serves which session: a newer one takes it over, and all end with the service."""

import asyncio
from typing import Final, Protocol

from aiohttp import web


class Connection(Protocol):
    """One socket, as far as others need it. `key`: (tenant, session)."""

    key: tuple[str, str]

    async def give_way(self) -> None:
        """Stop; returns once nothing is in flight."""
        ...

    async def close(self, code: int) -> None: ...


class Sessions:
    """The live connection of each (tenant, session), and all connections for the end of the service."""

    def __init__(self) -> None:
        self._live: dict[tuple[str, str], Connection] = {}
        self._all: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection) -> None:
        self._all.add(connection)

    async def enter(self, connection: Connection) -> None:
        """Take the session over; returns once the connection before has nothing in flight any more."""
        before = self._live.get(connection.key)
        self._live[connection.key] = connection
        if before is not None:
            await before.give_way()

    def leave(self, connection: Connection) -> None:
        self._all.discard(connection)
        if self._live.get(connection.key) is connection:
            del self._live[connection.key]

    async def close(self) -> None:
        await asyncio.gather(*(connection.close(1001) for connection in tuple(self._all)))


SESSIONS: Final = web.AppKey("sessions", Sessions)
