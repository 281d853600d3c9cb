"""Answers on their way out: a client that does not take its own is cut off, and large ones share a budget."""

import asyncio
from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.budget import Budget, Held
from monitor.adapters.web.errors import ClientGone
from monitor.adapters.web.services import SETTINGS

ANSWERS: Final = web.AppKey("answers", Budget)
_LARGE: Final = 64 * 2**10
"""Bytes of an answer from which on it is counted: so much waits in a connection anyway."""


async def send(request: web.Request, response: web.StreamResponse) -> None:
    """Write the answer, counted against the budget; a stream that has begun is left alone.

    Raises BusyError, before anything is written, where too many answers wait for their clients, and ClientGone.
    """
    principal = request.get(PRINCIPAL)
    with Held(request.app[ANSWERS], principal.token if principal else "") as held:
        size = _size(response)
        if size > _LARGE and not response.prepared:
            held.grow(size)
        await write_out(request, response)


async def write_out(request: web.Request, response: web.StreamResponse) -> None:
    """Write the answer, unless it has begun. Raises ClientGone where the client takes it too slowly, or left."""
    if response.prepared:
        return
    settings = request.app[SETTINGS]
    try:
        async with asyncio.timeout(settings.write_timeout_s + _size(response) / settings.slowest_reader):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ClientGone from None
    except ConnectionError:
        raise ClientGone from None


def _size(response: web.StreamResponse) -> int:
    body = response.body if isinstance(response, web.Response) else None
    return len(body) if isinstance(body, bytes) else 0
