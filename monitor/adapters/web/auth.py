"""Who asks: tokens, scopes, and what is allowed without a token on loopback."""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from monitor.adapters.web.errors import Problem
from monitor.domain import tenants
from monitor.domain.errors import ConfigError, RedpostError
from monitor.domain.people import SCOPED, Actor
from monitor.services.ports import Logger, Store
from monitor.services.records import Token
from monitor.services.signing import SigningIn, actor_of

SCOPES: Final = ("ingest", "read", "label", "review", "organise", "people", "admin", "metrics")
LOCAL_TENANT: Final = tenants.LOCAL
OPERATOR: Final = LOCAL_TENANT
"""The tenant of whoever runs the service."""
SESSION: Final = "session"
"""Instead of a scope: for people who have signed in, no token does."""
OF_ALL: Final = frozenset(("admin", "metrics"))
"""Scopes that reach beyond a tenant's own data: the rules and the figures are one for the whole service."""
_IMPLIED: Final = {"admin": frozenset(SCOPES)}
_PROXY_HEADERS: Final = (
    "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via", "CF-Connecting-IP",
    "True-Client-IP", "X-Client-IP", "X-Forwarded-Server", "X-Original-Forwarded-For", "Cdn-Loop",
)
_LONGEST_NAME: Final = 100
_UNKNOWN_S: Final = 0.1
"""A token that is not in the table makes it be read again, but not more often than this (seconds)."""


class Principal(Struct, frozen=True):
    """Who asks. `token` is the token's id and `sha256` its digest; both are empty without one. Of somebody who has
    signed in `token` is the session's id, and `person` who they are."""

    tenant: str
    scopes: frozenset[str]
    token: str = ""
    sha256: str = ""
    person: Actor | None = None

    @property
    def actor(self) -> Actor:
        """Who is written into the trail, and what they may do."""
        if self.person is not None:
            return self.person
        may = frozenset().union(*(SCOPED.get(scope, frozenset()) for scope in self.scopes))
        return Actor(id=author(self), tenant=self.tenant, everywhere=may)


def author(principal: Principal) -> str:
    """The person, or the token, or this machine where none is asked for."""
    return principal.person.id if principal.person is not None else principal.token or "loopback"


PRINCIPAL: Final = web.RequestKey("principal", Principal)
LOCAL: Final = Principal(LOCAL_TENANT, frozenset(SCOPES))


def new_token(tenant: str, name: str, scopes: Sequence[str], now: int) -> tuple[str, Token]:
    """A secret of 256 random bits and its record; the secret is kept nowhere else. `now`: UTC ms.

    Raises ConfigError for a tenant or a token without a proper name, and for a scope that does not exist, or none, or
    that reaches beyond the tenant.
    """
    tenants.checked(tenant)
    if not 0 < len(name.strip()) <= _LONGEST_NAME or not name.isprintable():
        raise ConfigError("a token needs a name that tells it from others",
                          hint=f"say what it is for, in at most {_LONGEST_NAME} characters")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ConfigError(f"unknown scope {unknown[0]!r}" if unknown else "a token needs a scope",
                          hint="one or more of " + ", ".join(SCOPES))
    beyond = sorted(OF_ALL & set(scopes))
    if beyond and tenant != OPERATOR:
        raise ConfigError(f"the scope {beyond[0]} reaches the data of all tenants, not of {tenant} alone",
                          hint=f"leave it out, or make the token for the operator: --tenant {OPERATOR}")
    secret = "rp_" + secrets.token_urlsafe(32)
    record = Token(id="t" + secrets.token_hex(6), tenant=tenant, name=name, scopes=sorted(set(scopes)),
                   sha256=digest(secret), created_at=now)
    return secret, record


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


class Tokens:
    """The store's tokens in memory, read again every `fresh_s` seconds as they are asked for.

    Where the store refuses, the table stays as it was (a token can then not be revoked either) and a warning is logged.
    """

    def __init__(
        self, store: Store, logger: Logger, *, fresh_s: float, clock: Callable[[], float] = time.monotonic,
        signing: SigningIn | None = None,
    ) -> None:
        """`signing`: knows of the sessions of people."""
        self._signing = signing
        self._store = store
        self._logger = logger
        self._fresh_s = fresh_s
        self._clock = clock
        self._table: dict[str, Principal] = {}
        self._read_at = -1e9
        self._lock = asyncio.Lock()

    async def refresh(self) -> None:
        """Read the tokens now."""
        self._read_at = self._clock()
        try:
            tokens = await self._store.tokens()
        except RedpostError as error:
            self._logger.warning("tokens_not_read", code=error.code)
            return
        self._table = {
            token.sha256: Principal(token.tenant, _granted(token), token.id, token.sha256)
            for token in tokens if token.revoked_at is None
        }

    async def find(self, secret: str) -> Principal | None:
        """Whose secret this is; None where it is unknown or revoked."""
        wanted = digest(secret)
        for limit in (self._fresh_s, _UNKNOWN_S):
            await self._refresh_after(limit)
            found = self._table.get(wanted)
            if found is not None and hmac.compare_digest(found.sha256, wanted):
                return found
        return None

    async def valid(self, principal: Principal) -> bool:
        """Whether a principal that was admitted earlier still is, and may what it might then."""
        if principal.person is not None and self._signing is not None:
            known = await self._signing.still(principal.token)
            return known is not None and actor_of(known) == principal.person
        if not principal.sha256:
            return True
        await self._refresh_after(self._fresh_s)
        return self._table.get(principal.sha256) == principal

    async def _refresh_after(self, seconds: float) -> None:
        if self._clock() - self._read_at < seconds:
            return
        async with self._lock:
            if self._clock() - self._read_at >= seconds:
                await self.refresh()


TOKENS: Final = web.AppKey("tokens", Tokens)


def _granted(token: Token) -> frozenset[str]:
    granted = frozenset().union(*(_IMPLIED.get(scope, frozenset((scope,))) for scope in token.scopes))
    return granted if token.tenant == OPERATOR else granted - OF_ALL


async def admit(request: web.Request, scope: str, *, loopback: bool, token_in_query: bool = False) -> Principal:
    """The principal of a request that needs `scope`. Raises Problem: 401 who are you, 403 not you, or not so."""
    secret = _secret(request, token_in_query)
    if secret is None:
        if not loopback or any(name in request.headers for name in _PROXY_HEADERS):
            raise _unauthorized("no_token", "a token is needed", "send the header Authorization: Bearer rp_…")
        _refuse_foreign(request)
        return LOCAL
    found = await request.app[TOKENS].find(secret) if secret else None
    if found is None:
        raise _unauthorized("unknown_token", "the token is unknown or was revoked",
                            "check it, or have a new one made")
    if scope not in found.scopes:
        raise Problem(403, "missing_scope", f"the token lacks the scope {scope}",
                      hint=f"have a token with the scope {scope} made", details={"scope": scope})
    return found


def _secret(request: web.Request, token_in_query: bool) -> str | None:
    """What was sent as a token; "" for credentials of another kind, None for none at all."""
    header = request.headers.get("Authorization")
    if header is not None:
        kind, _, secret = header.partition(" ")
        return secret.strip() if kind.lower() == "bearer" else ""
    return request.query.get("token") if token_in_query else None


def _unauthorized(code: str, message: str, hint: str) -> Problem:
    return Problem(401, code, message, hint=hint, headers={"WWW-Authenticate": 'Bearer realm="redpost"'})


def _refuse_foreign(request: web.Request) -> None:
    """Without a token, only programs of this machine and pages of this very origin may ask.

    A web page elsewhere can make a browser send requests here, under a name of its own that resolves to loopback
    (DNS rebinding) or across sites; the Host, Origin and Sec-Fetch-Site headers tell.
    """
    host = request.headers.get("Host", "")
    if not is_loopback_name(host):
        raise Problem(403, "foreign_host", "the Host header names no loopback address",
                      hint="use 127.0.0.1 or localhost, or send a token")
    origin = request.headers.get("Origin")
    crossed = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if crossed or (origin is not None and _authority(origin) != host.lower()):
        raise Problem(403, "cross_site", "requests from other sites are refused",
                      hint="use this service's own page, or send a token")


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def is_loopback_name(host: str) -> bool:
    """Whether a Host header (name or address, port or not) is `localhost`, under it, or a loopback address."""
    try:
        name = urlsplit("//" + host).hostname or ""
    except ValueError:
        return False
    name = name.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
