"""Many small writes as few transactions: what is asked for while one runs goes together into the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

A = TypeVar("A")
T = TypeVar("T")
MOST: Final = 100
"""Of one transaction, so that no other writer waits long."""


class Gathered(Generic[A, T]):
    """Used from one event loop."""

    def __init__(self, write: Callable[[Sequence[A]], Awaitable[Sequence[T]]]) -> None:
        """`write`: all of them in one transaction; an answer for each, in their order."""
        self._write = write
        self._waiting: list[tuple[A, asyncio.Future[T]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def ask(self, what: A) -> T:
        """Raises what `write` raises; what is asked is done even where nobody waits for the answer any more."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._together(some)
        finally:
            self._writing = None

    async def _together(self, some: Sequence[tuple[A, asyncio.Future[T]]]) -> None:
        """Where they fail together, each is tried by itself, so that nobody fails by another one's fault."""
        try:
            answers = await self._write([what for what, _ in some])
        except Exception as error:
            if len(some) > 1:
                for one in some:
                    await self._together([one])
            elif not some[0][1].done():
                some[0][1].set_exception(error)
            return
        for (_, future), answer in zip(some, answers, strict=True):
            if not future.done():
                future.set_result(answer)
