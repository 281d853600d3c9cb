"""What is handed to another tenant, and what comes back."""

from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, choice, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.links import AdviceGiven, HandTo

HANDED_PARAMS: Final[tuple[Param, ...]] = (
    choice("box", "`received` (the default) or `sent`.", ("received", "sent")),
    choice("state", "Only those that are `answered`, or `waiting`.", ("answered", "waiting")),
    count("limit", "How many a page holds.", most=200, default=50),
    text("cursor", "`next` of the page before.", longest=1_000),
)


async def post_hand(request: web.Request) -> web.Response:
    to = await received_json(request, HandTo)
    return json_answer(await request.app[SERVICES].links.hand(
        request[PRINCIPAL].actor, request.match_info["id"], to))


async def list_handed(request: web.Request) -> web.Response:
    query = request[QUERY]
    return json_answer(await request.app[SERVICES].links.handed(
        request[PRINCIPAL].actor, received=query["box"] != "sent", cursor=query["cursor"], limit=query["limit"],
        answered=None if query["state"] is None else query["state"] == "answered"))


async def post_answer(request: web.Request) -> web.Response:
    advice = await received_json(request, AdviceGiven)
    return json_answer(await request.app[SERVICES].links.answer(
        request[PRINCIPAL].actor, request.match_info["id"], advice))
