"""Connections that stay open: they end when their token is revoked, also while nothing passes over them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import Principal, Tokens

End = Callable[[], None]


class Streams:
    def __init__(self) -> None:
        self._open: dict[End, Principal] = {}

    @contextmanager
    def opened(self, principal: Principal, end: End) -> Iterator[None]:
        """While it lasts, `end` is called once the principal is no longer valid. It must not raise."""
        self._open[end] = principal
        try:
            yield
        finally:
            self._open.pop(end, None)

    async def look(self, tokens: Tokens) -> None:
        """End those whose token was revoked."""
        for end, principal in tuple(self._open.items()):
            if not await tokens.valid(principal) and self._open.pop(end, None) is not None:
                end()

    async def watch(self, tokens: Tokens, *, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self.look(tokens)


STREAMS: Final = web.AppKey("streams", Streams)
