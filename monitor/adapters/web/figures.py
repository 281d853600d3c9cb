"""GET /figures: what came, how long it waited, what became of it."""

from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.params import Param, text, time
from monitor.adapters.web.services import SERVICES

FIGURE_PARAMS: Final[tuple[Param, ...]] = (
    time("since", "Alerts at or after this time. Default: a day before `until`; 31 days at most."),
    time("until", "Alerts before this time. Default: now."),
    text("post", "Only what is or was before this post."),
    text("room", "Only this room."),
    text("unit", "Only rooms of this unit, and of those below it."),
)


async def get_figures(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].figures.of(request[PRINCIPAL].actor, **request[QUERY]))
