"""Requests with an Idempotency-Key: sent again, they get the answer that was given, and are not done again."""

from hashlib import sha256
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.budget import BUDGET, Held
from monitor.adapters.web.errors import Problem
from monitor.adapters.web.ingest import BODY, received
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.services.answers import Answered, Key

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
LONGEST: Final = 255


class Running:
    """Requests that are being done now."""

    def __init__(self) -> None:
        self.keys: set[Key] = set()


RUNNING: Final = web.AppKey("running", Running)


async def once(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What `handler` answers, or what it has answered to the same request. Only what went well is kept: what was
    refused has changed nothing, and is asked again.

    Raises Problem 400 for a key that is none, 409 while the same key runs, 422 where it stands for another request.
    """
    key = _key(request)
    running = request.app[RUNNING].keys
    if key in running:
        raise Problem(409, "conflict", f"a request with this {HEADER} is being done", hint="send it again in a second",
                      headers={"Retry-After": "1"})
    running.add(key)
    try:
        with Held(request.app[BUDGET], request[PRINCIPAL].token) as held:
            body = await received(request, held)
            return await _answered(request, handler, key, body)
    finally:
        running.discard(key)


async def _answered(request: web.Request, handler: Handler, key: Key, body: bytes) -> web.StreamResponse:
    services = request.app[SERVICES]
    told = f"{request.method} {request.path_qs}\n".encode()
    asked, now = sha256(told + body).hexdigest(), services.clock.now()
    known = await services.answers.answer(key, since=now - request.app[SETTINGS].answers_ms)
    if known is not None and known.request != asked:
        raise Problem(422, "key_reused", f"this {HEADER} stands for another request",
                      hint="a new request takes a new key; send the first one again as it was")
    if known is not None:
        return web.Response(body=known.body, status=known.status, content_type="application/json",
                            headers={REPLAYED: "true"})
    request[BODY] = body
    response = await handler(request)
    if isinstance(response, web.Response) and isinstance(response.body, bytes) and response.status < 300:
        await services.answers.keep_answer(key, Answered(asked, response.status, response.body, now))
    return response


def _key(request: web.Request) -> Key:
    found = request.headers.getall(HEADER)
    if len(found) != 1 or not 0 < len(found[0]) <= LONGEST or not (found[0].isascii() and found[0].isprintable()):
        raise Problem(400, "bad_parameter", f"{HEADER} is no key", details={"parameter": HEADER},
                      hint=f"send one of 1 to {LONGEST} printable ASCII characters, such as a UUID")
    actor = request[PRINCIPAL].actor
    return Key(actor.tenant, actor.id, found[0])
