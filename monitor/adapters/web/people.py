"""The people of a tenant, and the trail of what was changed."""

from typing import Final

from aiohttp import web
from msgspec import Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.audit import AuditRow
from monitor.services.people import Link, Wanted

AUDIT_PARAMS: Final[tuple[Param, ...]] = (
    count("after", "Only rows behind this number.", least=0, most=2**53, default=0),
    count("limit", "How many rows at most.", most=1_000, default=200),
    text("on", "Only what was changed of this: the id of an alert, `room/9001`, a login.", longest=300),
    count("before", "Only rows before this number, newest first.", most=2**53),
)
USERS_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many users a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before.", longest=1_000),
)


class LinkAnswer(Struct, frozen=True, kw_only=True):
    """`path`: of the one-time link, below this service's address; it is not shown again."""

    login: str
    path: str
    expires_at: int


class AuditAnswer(Struct, frozen=True):
    """Oldest first; each row holds the hash of the one before."""

    rows: list[AuditRow]


def invitation_path(link: Link) -> str:
    return f"/invitations/{link.secret}"


async def list_users(request: web.Request) -> web.Response:
    query = request[QUERY]
    return json_answer(await request.app[SERVICES].people.listed(
        request[PRINCIPAL].actor, cursor=query["cursor"], limit=query["limit"]))


async def get_user(request: web.Request) -> web.Response:
    people = request.app[SERVICES].people
    return json_answer(await people.one(request[PRINCIPAL].actor, request.match_info["login"]))


async def put_user(request: web.Request) -> web.Response:
    body = await received_json(request, Wanted)
    people = request.app[SERVICES].people
    return json_answer(await people.put(request[PRINCIPAL].actor, request.match_info["login"], body))


async def invite_user(request: web.Request) -> web.Response:
    """Earlier links of the same person no longer work."""
    link = await request.app[SERVICES].people.invite(request[PRINCIPAL].actor, request.match_info["login"])
    return json_answer(LinkAnswer(login=link.login, path=invitation_path(link), expires_at=link.expires_at))


async def list_audit(request: web.Request) -> web.Response:
    query = request[QUERY]
    rows = await request.app[SERVICES].trail.rows(
        request[PRINCIPAL].tenant, after=query["after"], limit=query["limit"], on=query["on"],
        before=query["before"])
    return json_answer(AuditAnswer(rows))
