"""POST /events: a body in, an acknowledgement out."""

from typing import Final, TypeVar

import msgspec
from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.bodies import read_body
from monitor.adapters.web.budget import BUDGET, Held
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.adapters.web.types import IngestAnswer
from monitor.adapters.web.validating import validation
from monitor.domain.rejections import UNREADABLE
from monitor.services.ingest import Receipt

T = TypeVar("T")
BODY: Final = web.RequestKey("body", bytes)
"""A body that has been read already."""
NOBODY: Final = "nobody"
"""Whose share of the budget it is where nobody has signed in yet."""


async def post_events(request: web.Request) -> web.Response:
    """200 with what became of each item; 400 only where nothing in the body could be read."""
    principal = request[PRINCIPAL]
    with Held(request.app[BUDGET], principal.token) as held:
        body = await received(request, held)
        receipt = await request.app[SERVICES].ingest.accept(principal.tenant, body)
    if not receipt.readable:
        raise _unreadable(receipt)
    return json_answer(
        IngestAnswer(receipt.accepted, receipt.duplicates, receipt.rejected, receipt.rejected_total)
    )


async def received(request: web.Request, held: Held, *, most: int | None = None) -> bytes:
    """The body within the limits of the settings, or of `most` bytes. Raises as `read_body`."""
    if BODY in request:
        return request[BODY]
    settings = request.app[SETTINGS]
    return await read_body(request, held, wire=most or settings.max_body_bytes,
                           plain=most or settings.max_decompressed_bytes, seconds=settings.body_timeout_s)


async def received_json(request: web.Request, kind: type[T], *, most: int | None = None) -> T:
    """The body as one JSON value. Raises Problem where it is none, or not of this type, and as `read_body`."""
    principal = request.get(PRINCIPAL)
    with Held(request.app[BUDGET], principal.token if principal is not None else NOBODY) as held:
        body = await received(request, held, most=most)
        try:
            return msgspec.json.decode(body, type=kind)
        except UNREADABLE as error:
            raise Problem(400, "bad_json", validation(error), hint="GET /api/v1/openapi.json has every field") from None


def _unreadable(receipt: Receipt) -> Problem:
    return Problem(
        400, "unreadable", "no event in the body could be read",
        hint="send NDJSON, one object a line, or one JSON array of objects",
        details={"rejected": msgspec.to_builtins(receipt.rejected), "rejected_total": receipt.rejected_total},
    )
