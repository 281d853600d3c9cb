"""Signing in and out, one's sessions and password, and invitations."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from monitor.adapters.web.auth import PRINCIPAL, is_loopback_name
from monitor.adapters.web.cookies import FRESH, not_signed_in, refuse_cross_site
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.accounts import Session
from monitor.domain.people import Actor, Permission
from monitor.services.accounts import Known
from monitor.services.signing import Choice, Opened, actor_of

_MOST: Final = 16 * 2**10
"""Bytes of a body from somebody who may be anybody."""
SESSIONS_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many sessions a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before.", longest=1_000),
)
_Word = Annotated[str, Meta(max_length=1_024)]


class SignInBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`tenant`: where somebody works in several."""

    login: _Word
    password: _Word
    tenant: _Word | None = None


class JoinBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The new password, or where the person works in another tenant, too, theirs."""

    password: _Word


class PasswordBody(Struct, frozen=True, forbid_unknown_fields=True):
    password: _Word
    new_password: _Word


class Me(Struct, frozen=True, kw_only=True):
    """`permissions`: the units where each holds, and below them; "" is the whole tenant. `homes`: the other tenants
    where the person works. `session`, `csrf`: "" without a session; the latter goes into the header X-CSRF-Token of
    everything but GET."""

    id: str
    name: str
    tenant: str
    homes: list[str]
    permissions: dict[str, list[str]]
    session: str = ""
    csrf: str = ""


class SessionShown(Struct, frozen=True, kw_only=True):
    """Times in UTC ms."""

    id: str
    created_at: int
    seen_at: int
    this: bool


class SessionsAnswer(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    sessions: list[SessionShown]
    next: str | None


async def sign_in(request: web.Request) -> web.Response:
    """409 `choose_tenant` with the right password of somebody who works in several."""
    refuse_cross_site(request)
    body = await received_json(request, SignInBody, most=_MOST)
    found = await request.app[SERVICES].signing.sign_in(
        body.login, body.password, tenant=body.tenant, address=_address(request))
    if isinstance(found, Choice):
        raise Problem(409, "choose_tenant", "this person works in several tenants",
                      hint="send one of details.tenants as `tenant`", details={"tenants": found.tenants})
    return _opened(request, found)


async def get_me(request: web.Request) -> web.Response:
    principal = request[PRINCIPAL]
    if principal.person is None:
        return json_answer(_me(principal.actor, ""))
    return json_answer(_of(await _known(request)))


async def sign_out(request: web.Request) -> web.Response:
    principal = request[PRINCIPAL]
    await request.app[SERVICES].signing.sign_out(principal.actor, principal.token)
    request[FRESH] = ""
    return web.Response(status=204)


async def list_sessions(request: web.Request) -> web.Response:
    principal = request[PRINCIPAL]
    query = request[QUERY]
    found = await request.app[SERVICES].signing.sessions(
        principal.actor, cursor=query["cursor"], limit=query["limit"])
    return json_answer(SessionsAnswer([_shown(session, principal.token) for session in found.sessions], found.next))


async def end_session(request: web.Request) -> web.Response:
    """404 for a session of somebody else as for one that does not exist."""
    await request.app[SERVICES].signing.sign_out(request[PRINCIPAL].actor, request.match_info["session"])
    return web.Response(status=204)


async def change_password(request: web.Request) -> web.Response:
    """All other sessions of the person end."""
    body = await received_json(request, PasswordBody, most=_MOST)
    await request.app[SERVICES].signing.change_password(
        await _known(request), body.password, body.new_password, address=_address(request))
    return web.Response(status=204)


async def get_invitation(request: web.Request) -> web.Response:
    """For whom it is, and whether they set a password."""
    return json_answer(await request.app[SERVICES].signing.invited(request.match_info["secret"]))


async def join(request: web.Request) -> web.Response:
    """The person is signed in then."""
    refuse_cross_site(request)
    body = await received_json(request, JoinBody, most=_MOST)
    return _opened(request, await request.app[SERVICES].signing.join(
        request.match_info["secret"], body.password, address=_address(request)))


def _address(request: web.Request) -> str:
    """Whose tries are counted. A proxy on this machine says whom it speaks for, in the last place of its header; what
    others say of themselves does not count."""
    peer = request.remote or ""
    told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return told[:64] if told and is_loopback_name(f"[{peer}]" if ":" in peer else peer) else peer


async def _known(request: web.Request) -> Known:
    found = await request.app[SERVICES].signing.still(request[PRINCIPAL].token)
    if found is None:
        raise not_signed_in()
    return found


def _opened(request: web.Request, opened: Opened) -> web.Response:
    request[FRESH] = opened.secret
    return json_answer(_of(opened.known))


def _of(known: Known) -> Me:
    return _me(actor_of(known), known.user.name, known.session)


def _me(actor: Actor, name: str, session: Session | None = None) -> Me:
    held = {permission: sorted(actor.units(permission)) for permission in Permission}
    return Me(id=actor.id, name=name, tenant=actor.tenant, homes=sorted(actor.homes),
              permissions={str(permission): units for permission, units in held.items() if units},
              session=session.id if session is not None else "", csrf=session.csrf if session is not None else "")


def _shown(session: Session, current: str) -> SessionShown:
    return SessionShown(id=session.id, created_at=session.created_at, seen_at=session.seen_at,
                        this=session.id == current)
