"""Script checks: made, listed, shown."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.budget import BUDGET, Held
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received, received_json
from monitor.adapters.web.params import Param, count, text, time
from monitor.adapters.web.services import SERVICES
from monitor.domain.clauses import Clause
from monitor.services.checking import Check, CheckFilter, Details, Script, Summary

_MOST: Final = 1_000_000
"""Bytes of a script."""
CHECK_PARAMS: Final[tuple[Param, ...]] = (
    text("name", "Where the body is a file: what the script is called."),
    text("file", "The file's name, whose ending tells its format: .txt, .md or .docx."),
    text("room", "The room that it is for, whose facts the rules know.", longest=128),
)
CHECKS_PARAMS: Final[tuple[Param, ...]] = (
    text("id", "Only versions of this check."),
    time("since", "Made at or after this time."),
    time("until", "Made before this time."),
    count("limit", "How many checks a page holds.", most=200, default=50),
    text("cursor", "`next` of the page before.", longest=1_000),
)
VERSION_PARAMS: Final[tuple[Param, ...]] = (
    count("version", "Which version. Default: the latest.", most=99_999_999),
)


class CheckBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`name`: what people call the script; the same name again is a new version. `text`: one paragraph a line."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    text: Annotated[str, Meta(min_length=1, max_length=_MOST)]
    room: Annotated[str, Meta(max_length=128)] = ""


class ShownCheck(Struct, frozen=True):
    """One version, whole. `clauses`: those that its findings name."""

    summary: Summary
    details: Details
    clauses: list[Clause]


async def post_check(request: web.Request) -> web.Response:
    """JSON, or the file itself where the query names the script."""
    query = request[QUERY]
    if query["name"] is None:
        body = await received_json(request, CheckBody)
        script = Script(body.name, body.text.encode(), room=body.room or query["room"] or "")
    else:
        with Held(request.app[BUDGET], request[PRINCIPAL].token) as held:
            data = await received(request, held, most=_MOST)
        script = Script(query["name"], data, query["file"] or "script.txt", query["room"] or "")
    if len(script.data) > _MOST:
        raise Problem(413, "too_large", f"the script has more than {_MOST} bytes", hint="send it in parts",
                      details={"limit_bytes": _MOST})
    return _shown(request, await request.app[SERVICES].checking.check(request[PRINCIPAL].actor, script))


async def list_checks(request: web.Request) -> web.Response:
    query = request[QUERY].copy()
    cursor, limit = query.pop("cursor"), query.pop("limit")
    return json_answer(await request.app[SERVICES].checking.page(
        request[PRINCIPAL].actor, CheckFilter(**query), cursor=cursor, limit=limit))


async def get_check(request: web.Request) -> web.Response:
    found = await request.app[SERVICES].checking.one(
        request[PRINCIPAL].actor, request.match_info["id"], request[QUERY]["version"])
    return _shown(request, found)


def _shown(request: web.Request, check: Check) -> web.Response:
    return json_answer(ShownCheck(check.summary, check.details, request.app[SERVICES].checking.cited(check)))
