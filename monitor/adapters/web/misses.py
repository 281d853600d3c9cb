"""Misses in, and the cases that rules lack because of them."""

from typing import Final

from aiohttp import web
from msgspec import Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.alerts import Alert
from monitor.domain.misses import Miss

DRAFT_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many cases a page holds.", most=200, default=50),
    text("cursor", "`next` of the page before.", longest=1_000),
)


class MissAnswer(Struct, frozen=True):
    """`new`: False where the same words were reported before."""

    alert: Alert
    new: bool


async def post_miss(request: web.Request) -> web.Response:
    miss = await received_json(request, Miss)
    opened = await request.app[SERVICES].misses.report(request[PRINCIPAL].actor, miss)
    return json_answer(MissAnswer(opened.case.alert, opened.new))


async def list_drafts(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].misses.drafts(request[PRINCIPAL].actor, **request[QUERY]))
