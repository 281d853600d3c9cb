"""Who listens at room links: woken when their room's cues change, cut off when their link ends."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from monitor.domain.cues import RoomLink
from monitor.domain.errors import BusyError

MOST: Final = 2_000
MOST_OF_LINK: Final = 8


class Listener:
    def __init__(self, link: RoomLink) -> None:
        self.link = link
        self.ended = False
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    def end(self) -> None:
        self.ended = True
        self._wake.set()

    async def woken(self, *, within: float) -> bool:
        """False after `within` seconds without anything."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._wake.wait()
            self._wake.clear()
            return True
        return False


class CueHub:
    """Everything here runs on the event loop."""

    def __init__(self) -> None:
        self._listening: dict[tuple[str, str], set[Listener]] = {}
        self._closed = False

    @contextmanager
    def listening(self, link: RoomLink) -> Iterator[Listener]:
        """Raises BusyError where there are too many."""
        room = self._listening.setdefault((link.tenant, link.room), set())
        too_many = sum(map(len, self._listening.values())) >= MOST or self._closed
        if too_many or sum(each.link.id == link.id for each in room) >= MOST_OF_LINK:
            raise BusyError("too many pages listen at this link", retry_after=10, hint="close some of them")
        listener = Listener(link)
        room.add(listener)
        try:
            yield listener
        finally:
            room.discard(listener)
            if not room:
                self._listening.pop((link.tenant, link.room), None)

    def wake(self, tenant: str, room: str) -> None:
        """Its cues changed."""
        for listener in self._listening.get((tenant, room), ()):
            listener.wake()

    def end(self, link: RoomLink) -> None:
        """It was revoked."""
        for listener in self._listening.get((link.tenant, link.room), ()):
            if listener.link.id == link.id:
                listener.end()

    def close(self) -> None:
        self._closed = True
        for room in self._listening.values():
            for listener in room:
                listener.end()
