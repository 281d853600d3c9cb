"""Connections that stay open: they end when their token is revoked, also while nothing passes over them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import Principal, Tokens, author
from monitor.domain.errors import BusyError

End = Callable[[], None]


class Streams:
    def __init__(self, most_each: int = 500) -> None:
        """`most_each`: of one token or person."""
        self._most_each = most_each
        self._open: dict[End, Principal] = {}

    def check(self, principal: Principal) -> None:
        """Raises BusyError where whoever asks has too many open: nobody takes all that there are."""
        whose = (principal.tenant, author(principal))
        if sum((one.tenant, author(one)) == whose for one in self._open.values()) >= self._most_each:
            raise BusyError(f"{self._most_each} streams of yours are open", retry_after=10, hint="close some of them")

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
