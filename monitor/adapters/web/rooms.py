"""Rooms on air, and one broadcast over its time."""

from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.params import Param, count, text, time
from monitor.adapters.web.searches import SEARCHES
from monitor.adapters.web.services import SERVICES

WALL_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many rooms a page holds.", most=2_000, default=1_000),
    text("cursor", "`next` of the page before."),
)
TIMELINE_PARAMS: Final[tuple[Param, ...]] = (
    text("broadcast", "This broadcast instead of the latest."),
    time("since", "From the bucket of this time on, instead of the beginning."),
    count("bucket_s", "How many seconds a bucket holds, unless there would be too many.", most=3_600, default=5),
)


async def list_live(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].air.wall(request[PRINCIPAL].actor, **request[QUERY]))


async def get_timeline(request: web.Request) -> web.Response:
    """Cancelled where the client leaves."""
    actor, room = request[PRINCIPAL].actor, request.match_info["room"]
    timeline = request.app[SERVICES].air.timeline(actor, room, **request[QUERY])
    return json_answer(await request.app[SEARCHES].run(request, actor.tenant, timeline))
