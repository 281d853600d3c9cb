"""Tonight: the plan, from a table and against what is on air; rooms that nobody has told of; who is on duty."""

from datetime import date
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.budget import BUDGET, Held
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received, received_json
from monitor.adapters.web.params import Param, choice, count, day, flag, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.evening import Airing

_MOST: Final = 1_000_000
"""Bytes of a table."""
TABLE_PARAMS: Final[tuple[Param, ...]] = (
    text("file", "Where the body is the table itself: its name, which faults begin with."),
    day("day", "Where the body is the table itself: the day of times without one, such as 2026-11-27."),
    flag("dry_run", "Tell what would change, and change nothing."),
)
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


class PlanBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`table`: CSV or TSV with a line of headings; `day`: of times without one."""

    table: Annotated[str, Meta(max_length=_MOST)]
    day: date | None = None


async def post_plan(request: web.Request) -> web.Response:
    """JSON, or the table itself where the query names its file."""
    query = request[QUERY]
    if query["file"] is None:
        body = await received_json(request, PlanBody)
        table, on = body.table.encode(errors="surrogatepass"), body.day
    else:
        with Held(request.app[BUDGET], request[PRINCIPAL].token) as held:
            table, on = bytes(await received(request, held, most=_MOST)), query["day"]
    return json_answer(await request.app[SERVICES].planning.take(
        request[PRINCIPAL].actor, table, name=query["file"] or "plan", day=on, dry_run=query["dry_run"] or False))


async def get_plan(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].evening.plan(request[PRINCIPAL].actor, **request[QUERY]))


async def list_unknown(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].evening.unknown(request[PRINCIPAL].actor, **request[QUERY]))


async def get_duty(request: web.Request) -> web.Response:
    return json_answer(request.app[SERVICES].evening.duty(request[PRINCIPAL].actor))
