"""Searches: a few at a time for each tenant, and none goes on that nobody waits for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from aiohttp import web

from monitor.adapters.web.errors import ClientGone
from monitor.domain.errors import BusyError

_LOOK_S: Final = 0.2
"""How often it is looked whether the client is still there: the server says it to nobody."""
_T = TypeVar("_T")


class Searches:
    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[str, set[asyncio.Task[Any]]] = {}
        self._closed = False

    async def run(self, request: web.Request, tenant: str, search: Coroutine[Any, Any, _T]) -> _T:
        """What `search` gives; it is cancelled where the client leaves or the service stops.

        Raises BusyError where as many of the tenant run as may, or where the service stops, ClientGone.
        """
        running = self._running.setdefault(tenant, set())
        if self._closed or len(running) >= self._most:
            search.close()
            raise self._busy()
        task = asyncio.create_task(search)
        running.add(task)
        try:
            while not (await asyncio.wait([task], timeout=_LOOK_S))[0]:
                if request.transport is None or request.transport.is_closing():
                    raise ClientGone
            if task.cancelled():
                raise self._busy()
            return task.result()
        finally:
            task.cancel()
            running.discard(task)
            if not running:
                self._running.pop(tenant, None)

    def _busy(self) -> BusyError:
        if self._closed:
            return BusyError("the service stops", retry_after=5, hint="ask again once it runs")
        return BusyError(f"{self._most} searches of this tenant run already", retry_after=2,
                         hint="wait for their answers; a room and bounds of time make them fast")

    def close(self) -> None:
        """End all; none begins any more."""
        self._closed = True
        for tasks in self._running.values():
            for task in tasks:
                task.cancel()


SEARCHES: Final = web.AppKey("searches", Searches)
