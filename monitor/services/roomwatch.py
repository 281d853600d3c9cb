"""Rooms as rules know them, from all tenants' records; and who sees that the rules follow."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final

from monitor.domain.errors import RedpostError
from monitor.domain.roomrecords import recorded
from monitor.domain.rules import RoomContext
from monitor.services.organising import Organising
from monitor.services.ports import Clock

TOLD_BY: Final[Collection[str]] = frozenset(("room", "host", "product", "slot", "profile"))
"""Kinds of records that rules may know something by."""


class RoomRecords:
    """`changed` may be told of every edit."""

    def __init__(self, organising: Organising, clock: Clock) -> None:
        self._organising, self._clock = organising, clock
        self._wanted = asyncio.Event()

    def changed(self, kind: str) -> None:
        if kind in TOLD_BY:
            self._wanted.set()

    def contexts(self) -> list[RoomContext]:
        """As of now. May take a while with many rooms: not for the event loop."""
        now = self._clock.now()
        return [room for tenant in self._organising.tenants()
                for room in recorded(self._organising.of(tenant), tenant, now)]

    async def follow(
        self, refresh: Callable[[], Awaitable[object]], stop: asyncio.Event, *,
        gather_s: float = 2, look_s: float = 300,
    ) -> None:
        """Until `stop`. `refresh` is called `gather_s` after an edit, so that one call serves many, and once in
        `look_s`, since slots begin and papers run out without one. What it refuses is tried again at the next turn."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), look_s)
            await asyncio.sleep(gather_s)
            self._wanted.clear()
            with suppress(RedpostError):  # said and counted where it happened
                await refresh()
