"""The web application, put together."""

import asyncio
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Final

import msgspec
from aiohttp import web

from monitor.adapters.web.auth import TOKENS, Tokens
from monitor.adapters.web.budget import BUDGET, Budget
from monitor.adapters.web.console import CONSOLE, Console
from monitor.adapters.web.exports import TURNS, Turns
from monitor.adapters.web.handling import edge, guarded, harden
from monitor.adapters.web.media import RELAYS, Relays
from monitor.adapters.web.openapi import DOCUMENT, document
from monitor.adapters.web.operating import RENDERING, Rendering
from monitor.adapters.web.page import API_PAGE, CUE_PAGE, load_page
from monitor.adapters.web.protocol import protocol_logger
from monitor.adapters.web.repeats import RUNNING, Running
from monitor.adapters.web.routes import ROUTES
from monitor.adapters.web.searches import SEARCHES, Searches
from monitor.adapters.web.sending import ANSWERS
from monitor.adapters.web.services import SERVICES, SETTINGS, WebServices, WebSettings
from monitor.adapters.web.sessions import SESSIONS, Sessions
from monitor.adapters.web.streams import STREAMS, Streams

_LINE: Final = 32 * 2**10
"""Bytes of a request's first line: what is longest in a query, percent-encoded, is 24,000."""


def build_app(services: WebServices, settings: WebSettings) -> web.Application:
    """The application, ready for an `aiohttp.web.AppRunner`; the socket and its address are the caller's.

    Bodies stay compressed until `bodies` reads them, and aiohttp's own access log, which has query strings, is off:
    these are arguments of the server that the application carries with it.
    """
    app = web.Application(
        middlewares=[edge({(method, route.path): route for route in ROUTES for method in route.methods})],
        handler_args={
            "max_line_size": _LINE,
            "auto_decompress": False, "access_log": None, "logger": protocol_logger(services.logger),
            "keepalive_timeout": settings.keepalive_timeout_s, "lingering_time": settings.linger_s,
            "handler_cancellation": False,  # a client that leaves must not cut off what is being written
        },
    )
    app[SERVICES] = services
    app[SETTINGS] = settings
    app[TOKENS] = Tokens(services.store, services.logger, fresh_s=settings.token_refresh_s,
                         signing=services.signing)
    app[BUDGET] = Budget(settings.max_held_bytes)
    app[ANSWERS] = Budget(settings.max_unsent_bytes)
    app[SESSIONS] = Sessions()
    app[STREAMS] = Streams(settings.streams_each)
    app[TURNS] = Turns()
    app[RELAYS] = Relays(services.media_key)
    app[RUNNING] = Running()
    app[SEARCHES] = Searches(settings.searches)
    app[RENDERING] = Rendering(services.telemetry, services.clock)
    app[DOCUMENT] = msgspec.json.encode(document(ROUTES, settings, version=version("redpost")))
    app[API_PAGE] = load_page("api.html")
    app[CUE_PAGE] = load_page("cue.html")
    app[CONSOLE] = Console()
    app[CONSOLE].add_to(app.router)
    for route in ROUTES:
        for method in route.methods:
            app.router.add_route(method, route.path, guarded(route))
    app.on_response_prepare.append(harden)
    app.cleanup_ctx.append(_begin)
    app.on_shutdown.append(_end_streams)
    return app


async def _begin(app: web.Application) -> AsyncIterator[None]:
    """Where the outbox stands at the start; what is published from here on passes through the hub. Tokens are looked
    after for those who stay."""
    services = app[SERVICES]
    services.hub.begin(await services.store.outbox_ends())
    watching = asyncio.create_task(app[STREAMS].watch(app[TOKENS], every_s=app[SETTINGS].revoked_after_s))
    async with services.outside.session() as session:
        app[RELAYS].session = session
        yield
    watching.cancel()


async def _end_streams(app: web.Application) -> None:
    """Streams and searches would hold up the stop."""
    app[SEARCHES].close()
    app[SERVICES].hub.close()
    app[SERVICES].cue_hub.close()
    await app[SESSIONS].close()
