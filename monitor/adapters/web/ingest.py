"""POST /events: a body in, an acknowledgement out."""

import msgspec
from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.bodies import read_body
from monitor.adapters.web.budget import BUDGET, Held
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.adapters.web.types import IngestAnswer
from monitor.services.ingest import Receipt


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


async def received(request: web.Request, held: Held) -> bytes:
    """The body within the limits of the settings. Raises as `read_body`."""
    settings = request.app[SETTINGS]
    return await read_body(request, held, wire=settings.max_body_bytes, plain=settings.max_decompressed_bytes,
                           seconds=settings.body_timeout_s)


def _unreadable(receipt: Receipt) -> Problem:
    return Problem(
        400, "unreadable", "no event in the body could be read",
        hint="send NDJSON, one object a line, or one JSON array of objects",
        details={"rejected": msgspec.to_builtins(receipt.rejected), "rejected_total": receipt.rejected_total},
    )
