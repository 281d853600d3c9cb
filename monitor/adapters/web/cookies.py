"""Sessions of people in browsers: the cookie, what a page of another site must not do with it, and permissions."""

import hmac
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict

from monitor.adapters.web.auth import OF_ALL, OPERATOR, SESSION, Principal
from monitor.adapters.web.errors import Problem
from monitor.adapters.web.services import SERVICES, SETTINGS
from monitor.domain.people import Permission
from monitor.services.signing import actor_of

COOKIE: Final = "redpost"
CSRF: Final = "X-CSRF-Token"
FRESH: Final = web.RequestKey("fresh", str)
"""A secret that the browser is to keep from now on."""
_SAFE: Final = frozenset(("GET", "HEAD"))
_LONGEST: Final = 200


def cookie_name(request: web.Request) -> str:
    """Beyond loopback browsers hold to the prefix: by TLS alone, for this host alone, so no neighbour can plant one."""
    return COOKIE if request.app[SETTINGS].loopback else f"__Host-{COOKIE}"


def session_cookie(request: web.Request) -> str | None:
    return request.cookies.get(cookie_name(request))


def set_cookie(request: web.Request, headers: CIMultiDict[str], secret: str) -> None:
    """"" takes it away. As a header: it is set when the response's own cookies are in their headers already."""
    lasts = request.app[SERVICES].signing.times.whole_ms // 1_000 if secret else 0
    tls = not request.app[SETTINGS].loopback or request.headers.get("X-Forwarded-Proto") == "https"
    secure = "; Secure" if tls else ""
    headers.add("Set-Cookie", f"{cookie_name(request)}={secret}; Max-Age={lasts}; Path=/; HttpOnly; SameSite=Strict"
                + secure)


async def admit_person(request: web.Request, secret: str) -> Principal:
    """Whose session it is. Raises Problem: 401 it has ended, 403 the request may come from another site."""
    found = await request.app[SERVICES].signing.recognise(secret) if len(secret) <= _LONGEST else None
    if found is None:
        request[FRESH] = ""
        raise Problem(401, "session_ended", "the session has ended", hint="sign in again: POST /api/v1/session")
    if found.secret:
        request[FRESH] = found.secret
    refuse_cross_site(request)
    csrf = found.known.session.csrf
    if request.method not in _SAFE and not hmac.compare_digest(
            request.headers.get(CSRF, "").encode(errors="replace"), csrf.encode()):
        raise Problem(403, "no_csrf", f"the header {CSRF} is missing or wrong",
                      hint="send `csrf` of GET /api/v1/session in it")
    user = found.known.user
    return Principal(user.tenant, frozenset(), found.known.session.id, person=actor_of(found.known))


def not_signed_in() -> Problem:
    return Problem(401, "not_signed_in", "this is for people who have signed in", hint="POST /api/v1/session")


def refuse_cross_site(request: web.Request) -> None:
    """Raises Problem. Where a browser does not say that a page of this very origin asks (another port or a neighbouring
    name is of the same site, too), the Origin must be this host."""
    fetched, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    foreign = fetched == "cross-site" or (fetched != "same-origin" and origin is not None
                                          and _authority(origin) != request.headers.get("Host", "").lower())
    if foreign:
        raise Problem(403, "cross_site", "requests from other sites are refused", hint="use this service's own page")


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def check_permission(
    principal: Principal, permission: Permission | None, scope: str, *, whole: bool, instead: Permission | None = None,
) -> None:
    """`instead`: does as well. Raises Problem where the person may not. What reaches beyond a tenant is the operator's
    own people's."""
    actor = principal.actor
    if scope == SESSION:
        return
    if permission is None:
        raise Problem(403, "missing_permission", "this is for programs, by a token",
                      hint=f"have a token with the scope {scope} made", details={"permission": ""})
    beyond = scope in OF_ALL
    allowed = any(actor.may(one) if whole else bool(actor.units(one)) for one in (permission, instead) if one)
    if not allowed or (beyond and actor.tenant != OPERATOR):
        where = " in the operator's tenant" if beyond else " in the whole tenant" if whole else ""
        raise Problem(403, "missing_permission", f"this takes the permission {permission}{where}",
                      hint="ask whoever looks after people here", details={"permission": str(permission)})
