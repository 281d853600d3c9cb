"""Messages out: how far they are, and a test of a channel."""

from typing import Final

from aiohttp import web
from msgspec import Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.params import Param, choice, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.messages import State

MESSAGE_PARAMS: Final[tuple[Param, ...]] = (
    choice("state", "Only this state.", State),
    text("channel", "Only this channel's."),
    count("limit", "How many messages a page holds.", most=200, default=50),
    text("cursor", "`next` of the page before.", longest=1_000),
)


class OnItsWay(Struct, frozen=True):
    """GET /api/v1/messages tells what becomes of it."""

    message: str


async def list_messages(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].messenger.page(request[PRINCIPAL].actor, **request[QUERY]))


async def test_channel(request: web.Request) -> web.Response:
    message = await request.app[SERVICES].messenger.test(request[PRINCIPAL].actor, request.match_info["id"])
    return json_answer(OnItsWay(message.id), status=202)
