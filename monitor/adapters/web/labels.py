"""Labels: sent in, listed page by page, and taken back."""

from typing import Final

import msgspec
from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL, author
from monitor.adapters.web.budget import BUDGET, Held
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received
from monitor.adapters.web.params import Param, count, text, time
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.services.records import LabelFilter

LABEL_PARAMS: Final[tuple[Param, ...]] = (
    time("since", "Given at or after this time."),
    time("until", "Given before this time."),
    count("limit", "How many labels a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before.", longest=1_000),
)

WITHDRAW_PARAMS: Final[tuple[Param, ...]] = (
    text("by", "Who takes it back. Default: the token.", longest=256),
    text("reason", "Why.", longest=2_000),
)


async def post_labels(request: web.Request) -> web.Response:
    """200 with what became of each item; 400 only where nothing in the body could be read."""
    principal = request[PRINCIPAL]
    with Held(request.app[BUDGET], principal.token) as held:
        body = await received(request, held)
        receipt = await request.app[SERVICES].labelling.take(
            principal.tenant, body, request.app[SETTINGS].limits,
            by=principal.person.id if principal.person is not None else principal.token)
    if not receipt.readable:
        raise Problem(400, "unreadable", "no label in the body could be read",
                      hint="send NDJSON, one object a line, or one JSON array of objects",
                      details={"rejected": msgspec.to_builtins(receipt.rejected),
                               "rejected_total": receipt.rejected_total})
    return json_answer(receipt)


async def list_labels(request: web.Request) -> web.Response:
    query = request[QUERY]
    where = LabelFilter(since=query["since"], until=query["until"])
    page = await request.app[SERVICES].store.labels(
        request[PRINCIPAL].tenant, where, cursor=query["cursor"], limit=query["limit"])
    return json_answer(page)


async def withdraw_label(request: web.Request) -> web.Response:
    principal, query = request[PRINCIPAL], request[QUERY]
    label = await request.app[SERVICES].labelling.withdraw(
        principal.tenant, request.match_info["id"], by=query["by"] or author(principal), reason=query["reason"] or "")
    return json_answer(label)
