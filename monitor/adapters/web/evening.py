"""Tonight: the plan against what is on air, rooms that nobody has told of, who is on duty."""

from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.params import Param, choice, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.evening import Airing

PLAN_PARAMS: Final[tuple[Param, ...]] = (
    choice("state", "Only lines that stand so.", Airing),
    count("hours", "How far ahead.", most=168, default=12),
    count("limit", "How many lines a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before.", longest=1_000),
)
UNKNOWN_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many rooms a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before."),
)


async def get_plan(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].evening.plan(request[PRINCIPAL].actor, **request[QUERY]))


async def list_unknown(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].evening.unknown(request[PRINCIPAL].actor, **request[QUERY]))


async def get_duty(request: web.Request) -> web.Response:
    return json_answer(request.app[SERVICES].evening.duty(request[PRINCIPAL].actor))
