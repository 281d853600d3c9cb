"""The way of every request: who asks, what is asked, the answer or the error, and its metrics and log line."""

import asyncio
import secrets
import time
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor.adapters.web.auth import PRINCIPAL, SESSION, Principal, admit
from monitor.adapters.web.cookies import (
    CSRF,
    FRESH,
    admit_person,
    check_permission,
    not_signed_in,
    session_cookie,
    set_cookie,
)
from monitor.adapters.web.errors import ClientGone, Problem, answer, of_http, of_redpost, trace_of
from monitor.adapters.web.params import Param, read_query
from monitor.adapters.web.repeats import HEADER, once
from monitor.adapters.web.sending import send, write_out
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.adapters.web.waiting import answering
from monitor.domain.errors import ConfigError, RedpostError
from monitor.domain.events import Event
from monitor.domain.people import Permission

QUERY: Final = web.RequestKey("query", dict[str, Any])
STARTED: Final = web.RequestKey("started", web.StreamResponse)
"""A response that has begun: nothing else can be answered any more."""

_METHODS: Final = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))
_CLIENT_GONE: Final = 499
_NEEDS: Final[dict[str, Permission]] = {
    "read": Permission.SEE, "review": Permission.REVIEW, "label": Permission.RULES, "organise": Permission.SEE,
    "people": Permission.PEOPLE, "admin": Permission.RULES, "metrics": Permission.OPERATE,
}
"""What people need where programs need a scope. What a record takes to be edited, its desk knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the route table. `scope` None: open to everybody, or (`by_link`) to whoever has the secret of a link;
    `SESSION`: to people who have signed in.

    `permission`: what people need for it, by default what goes with the scope (`needs`; None: it is for programs
    alone). Where a handler holds to the units of whoever asks (`by_unit`) they need it somewhere, else in the whole
    tenant. `instead`: another permission that does as well. `anyone`: it is for all who have signed in. `secret`: its
    answer holds a secret, of which only a hash is kept anywhere.
    `status` is that of a good answer, `answer` the type of its body where that is JSON, else `media` names what is
    sent; `item`: what a request's body holds, as NDJSON or a JSON array; `body`: the type of one that is a single JSON
    value; `file`: the media types that it may have instead.
    `errors`: the statuses beside those that every route has. `timed`: ends after the request timeout. `quiet`:
    no log line when all went well. `stream`: lasts long, so its duration is no measure of anything; `events`: the types
    of what a stream of events sends.
    """

    method: str
    path: str
    name: str
    scope: str | None
    summary: str
    handler: Handler
    params: tuple[Param, ...] = ()
    answer: Any = None
    item: Any = None
    body: Any = None
    file: str = ""
    media: str = "application/json"
    status: int = 200
    errors: tuple[int, ...] = ()
    timed: bool = False
    quiet: bool = False
    stream: bool = False
    token_in_query: bool = False
    permission: Permission | None = None
    instead: Permission | None = None
    by_unit: bool = False
    anyone: bool = False
    secret: bool = False
    by_link: bool = False
    events: tuple[Any, ...] = ()

    @property
    def needs(self) -> Permission | None:
        return self.permission or _NEEDS.get(self.scope or "")

    @property
    def once(self) -> bool:
        """Whether it takes an Idempotency-Key. Events have ids of their own."""
        return self.method != "GET" and self.scope not in (None, SESSION) and self.item is not Event and not self.secret

    @property
    def methods(self) -> tuple[str, ...]:
        """Probes ask what is open to everybody by HEAD, too."""
        probed = self.scope is None and not self.by_link and self.method == "GET"
        return (self.method, "HEAD") if probed else (self.method,)


def guarded(route: Route) -> Handler:
    """The route's handler behind its scope, its parameters and its time limit; its answer is written out."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if route.scope is not None:
            request[PRINCIPAL] = await _admitted(request, route, route.scope)
        if route.scope is not None or route.by_link:
            request[QUERY] = read_query(request, route.params)
        handler = partial(_timed, route.handler) if route.timed else route.handler
        if route.once and HEADER in request.headers:
            response = await once(request, handler)
        else:
            response = await handler(request)
        await send(request, response)
        return response

    return handle


async def _admitted(request: web.Request, route: Route, scope: str) -> Principal:
    """By the token, else by the session, else as a program of this machine."""
    loopback = request.app[SETTINGS].loopback
    cookie = None if "Authorization" in request.headers else session_cookie(request)
    if cookie is not None and not (route.token_in_query and "token" in request.query):
        principal = await admit_person(request, cookie)
        if not route.anyone:
            check_permission(principal, route.needs, scope, whole=not route.by_unit, instead=route.instead)
        return principal
    if scope == SESSION or CSRF in request.headers:  # a person's page, whose session has ended meanwhile
        raise not_signed_in()
    return await admit(request, scope, loopback=loopback, token_in_query=route.token_in_query)


async def _timed(handler: Handler, request: web.Request) -> web.StreamResponse:
    settings = request.app[SETTINGS]
    try:
        async with asyncio.timeout(settings.request_timeout_s) as limit:
            return await handler(request)
    except TimeoutError:
        if not limit.expired():
            raise
        raise Problem(503, "slow_storage", f"the answer took longer than {settings.request_timeout_s:g} s",
                      hint="ask for a shorter time, or try again later",
                      headers={"Retry-After": str(settings.retry_after_s)}) from None


def edge(routes: dict[tuple[str, str], Route]) -> Middleware:
    """The outermost middleware. `routes`: by method and path template."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        resource = request.match_info.route.resource
        route = None if resource is None else routes.get((request.method, resource.canonical))
        with answering(request):
            response = await _answered(request, handler)
        _note(request, route, response.status, time.perf_counter() - begun)
        return response

    return middleware


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The handler's answer, or the error's. This is the one place where a request's unexpected error is caught."""
    settings = request.app[SETTINGS]
    try:
        return await handler(request)
    except Problem as error:
        problem = _detached(error)
    except RedpostError as error:
        problem = of_redpost(error, retry_after_s=settings.retry_after_s)
        if problem.status >= 500:
            request.app[SERVICES].logger.warning(
                "refused", code=error.code, path=_template(request),
                **({"error": str(error)} if isinstance(error, ConfigError) else {}))
    except web.HTTPException as error:
        problem = of_http(error)
    except (ClientGone, ConnectionError):  # the client's connection is the only one that a handler has
        return request.get(STARTED) or web.Response(status=_CLIENT_GONE)
    except Exception as error:
        problem = unexpected(request, error)
    return request.get(STARTED) or await _told(request, problem)


async def _told(request: web.Request, problem: Problem) -> web.Response:
    response = answer(request, problem)
    try:
        await write_out(request, response)
    except ClientGone:
        return web.Response(status=_CLIENT_GONE)
    return response


def _detached(problem: Problem) -> Problem:
    """Without the frames it came through: they hold the body, and the caller's frame and the error hold each other."""
    problem.__traceback__ = problem.__context__ = problem.__cause__ = None
    return problem


def unexpected(request: web.Request, error: Exception) -> Problem:
    """Log what happened under an id, and what the client is told of it: the id."""
    number = secrets.token_hex(6)
    request.app[SERVICES].logger.error(
        "unexpected", id=number, method=request.method, path=_template(request), trace=trace_of(error)
    )
    return Problem(500, "internal", "something went wrong inside", hint="tell the operator the id, it is in the log",
                   details={"id": number})


def _template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "other" if resource is None else resource.canonical


def _note(request: web.Request, route: Route | None, status: int, seconds: float) -> None:
    """Metrics and one log line: the path's template, never the path, the query or a body."""
    services = request.app[SERVICES]
    path = "other" if route is None else route.path
    method = request.method if request.method in _METHODS else "other"
    services.telemetry.count("http_requests_total", route=path, method=method, status=str(status))
    if route is None or not route.stream:
        services.telemetry.observe("http_request_seconds", seconds, route=path)
    if route is not None and route.quiet and status < 400:
        return
    principal = request.get(PRINCIPAL)
    services.logger.info(
        "request", method=method, route=path, status=status, ms=round(seconds * 1000, 1),
        tenant=principal.tenant if principal else "", token=principal.token if principal else "",
    )


_SECURITY: Final = {
    "Server": "redpost",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on every response (a signal, so that streams have them too)."""
    headers = response.headers
    headers.update(_SECURITY)
    if FRESH in request:
        set_cookie(request, headers, request[FRESH])
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
