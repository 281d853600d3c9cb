"""What runs in a process, until it is to stop or something fails."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable


async def run_beside(
    stop: asyncio.Event, works: Iterable[Awaitable[object]], *, main: asyncio.Task[None] | None = None,
    fatal: Callable[[], BaseException | None] = lambda: None,
) -> None:
    """All `works`, until `stop`, or one of them or `main` ends; then they are cancelled, `main` is not, and `stop` is
    set. Raises what failed: of one of them, or what `fatal` tells once `stop` is set."""
    tasks = [asyncio.ensure_future(work) for work in works]
    watched = tasks if main is None else [main, *tasks]
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([waiting, *watched], return_when=asyncio.FIRST_COMPLETED)
        failed = next((t.exception() for t in watched if t.done() and t.exception() is not None), fatal())
        if failed is not None:
            raise failed
    finally:
        stop.set()
        for task in (waiting, *tasks):
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
