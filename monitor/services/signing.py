"""Signing in and out: who may, for how long, and what is remembered of those who may not."""

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from monitor.domain.accounts import (
    Guard,
    Session,
    Standing,
    Throttle,
    Times,
    Tries,
    User,
    check_password,
    forgiven,
    login_of,
    standing,
    tried,
)
from monitor.domain.audit import Deed
from monitor.domain.errors import BadLogin, InputError, NotFound, TooManyTries
from monitor.domain.people import Actor
from monitor.domain.tenants import LOCAL
from monitor.services.accounts import Accounts, Joined, Known, Passwords
from monitor.services.paging import packed_cursor, page, unpacked_cursor
from monitor.services.ports import Clock, Telemetry

_SEEN_MS: Final = 60_000
"""How exactly it is known when somebody was here last."""
_keys: Final = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=0, lt=2**53)], str])


class Opened(Struct, frozen=True, kw_only=True):
    """`secret`: for the cookie; it is kept nowhere."""

    secret: str
    known: Known


class SessionPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    sessions: list[Session]
    next: str | None


class Choice(Struct, frozen=True):
    """The person works in several tenants: they say in which one they sign in."""

    tenants: list[str]


class Invited(Struct, frozen=True, kw_only=True):
    """`new_password`: the person sets one; else they show that they have the one that they use elsewhere."""

    tenant: str
    login: str
    name: str
    expires_at: int
    new_password: bool


class Recognised(Struct, frozen=True, kw_only=True):
    """`secret`: a new one, where the one that came is to be given up; else ""."""

    known: Known
    secret: str = ""


def digest(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()


def actor_of(known: Known) -> Actor:
    return Actor(id=known.user.login, tenant=known.user.tenant, grants=known.user.grants, homes=known.homes)


class SigningIn:
    """Used from one event loop. `chance`: 256 random bits as text."""

    def __init__(self, accounts: Accounts, passwords: Passwords, clock: Clock, telemetry: Telemetry, *,
                 chance: Callable[[], str], times: Times = Times(),  # noqa: B008 - frozen values
                 guard: Guard = Guard()) -> None:  # noqa: B008
        self._accounts, self._passwords, self._clock, self._telemetry = accounts, passwords, clock, telemetry
        self._chance, self.times, self.guard = chance, times, guard

    async def sign_in(self, login: str, password: str, *, tenant: str | None, address: str) -> Opened | Choice:
        """One answer, after the same work, whatever is wrong. Raises BadLogin, TooManyTries, BusyError."""
        name = _plain(login)
        if not await self._prove(name, password, address):
            raise await self._refused(name)
        places = [user for user in await self._accounts.places(name) if user.active]
        wanted = [user for user in places if tenant in (None, user.tenant)]
        if not wanted:
            raise await self._refused(name)
        await self._forgive(name, address)
        if len(wanted) > 1:
            return Choice([user.tenant for user in wanted])
        return await self._open(wanted[0], frozenset(user.tenant for user in places))

    async def _prove(self, login: str, password: str, address: str) -> bool:
        """Whether this is the login's password. Each try is counted before it is looked at."""
        for key, throttle in ((f"login {login}", self.guard.login), (f"address {address}", self.guard.address)):
            await self._count(key, throttle)
        return await self._passwords.verify(await self._accounts.password(login), password)

    async def _count(self, key: str, throttle: Throttle) -> None:
        now = self._clock.now()
        before, _ = await self._accounts.tries(digest(key), lambda tries: tried(tries, now, throttle))
        if now < before.locked_until:
            self._telemetry.count("sign_ins_total", result="locked")
            raise TooManyTries("too many failed tries to sign in", retry_after=-(-(before.locked_until - now) // 1000),
                               hint="wait, or have an administrator of yours make an invitation that sets a new "
                               "password")

    async def _forgive(self, login: str, address: str) -> None:
        await self._accounts.tries(digest(f"login {login}"), lambda _: Tries())
        await self._accounts.tries(digest(f"address {address}"), forgiven)

    async def _refused(self, login: str) -> BadLogin:
        """The error to raise. A login that nobody has is told to whoever runs the service, without what was typed."""
        self._telemetry.count("sign_ins_total", result="refused")
        tenants = [user.tenant for user in await self._accounts.places(login) if user.active]
        now = self._clock.now()
        who = login if tenants else "unknown"
        await self._accounts.end([], [
            Deed(tenant=tenant, by=who, at=now, what="session.refuse", on=who) for tenant in tenants or [LOCAL]])
        return BadLogin("the login or the password is wrong", hint=f"check both; after {self.guard.login.failures} "
                        f"failures nothing is tried for {self.guard.login.lock_ms // 60_000} min")

    async def _open(self, user: User, homes: frozenset[str]) -> Opened:
        now, secret = self._clock.now(), self._chance()
        session = Session(id="s" + digest(self._chance())[:16], tenant=user.tenant, login=user.login,
                          sha256=digest(secret), csrf=self._chance(), created_at=now, rotated_at=now, seen_at=now)
        await self._accounts.open(session, [_deed(session, now, "session.open")])
        self._telemetry.count("sign_ins_total", result="good")
        return Opened(secret=secret, known=Known(session=session, user=user, homes=homes - {user.tenant}))

    async def recognise(self, secret: str) -> Recognised | None:
        """Whose session this is, None where it has ended. A secret that was given up long ago ends it: it was stolen,
        or the new one was."""
        found, now = await self._accounts.known(digest(secret)), self._clock.now()
        if found is None:
            return None
        session = found.session
        match standing(session, digest(secret), now, self.times):
            case Standing.ENDED:
                return None
            case Standing.REPLAYED:
                await self._accounts.end([session.id], [_deed(session, now, "session.replayed")])
                return None
            case Standing.STALE:
                fresh = self._chance()
                renewed = replace(session, sha256=digest(fresh), before=session.sha256, rotated_at=now, seen_at=now,
                                  before_until=now + self.times.grace_ms)
                if await self._accounts.renew(session, renewed):
                    return Recognised(known=replace(found, session=renewed), secret=fresh)
            case Standing.LIVE if now - session.seen_at >= _SEEN_MS:
                await self._accounts.renew(session, replace(session, seen_at=now))
        return Recognised(known=found)

    async def still(self, session: str) -> Known | None:
        """Who has the session of this id; None once it has ended."""
        found = await self._accounts.session(session)
        if found is None or standing(
                found.session, found.session.sha256, self._clock.now(), self.times) is Standing.ENDED:
            return None
        return found

    async def sessions(self, actor: Actor, *, cursor: str | None = None, limit: int = 100) -> SessionPage:
        """The actor's own that have not ended, newest first. Raises InputError for a bad cursor."""
        now = self._clock.now()
        found, last = await page(
            lambda after, most: self._accounts.sessions(actor.tenant, actor.id, after=after, limit=most),
            lambda one: standing(one, one.sha256, now, self.times) is not Standing.ENDED,
            lambda one: (one.created_at, one.id), None if cursor is None else unpacked_cursor(cursor, _keys), limit)
        return SessionPage(found, None if last is None else packed_cursor(last))

    async def sign_out(self, actor: Actor, session: str) -> None:
        """End one of the actor's own. Raises NotFound for any other."""
        found = await self._accounts.session(session)
        if found is None or (found.session.tenant, found.session.login) != (actor.tenant, actor.id):
            raise NotFound("there is no session with this id", hint="GET /api/v1/sessions lists yours")
        await self._accounts.end([session], [_deed(found.session, self._clock.now(), "session.end")])

    async def change_password(self, known: Known, old: str, new: str, *, address: str) -> None:
        """All other sessions of the person end. Raises BadLogin, InputError, TooManyTries."""
        login, now = known.user.login, self._clock.now()
        check_password(new, login)
        if not await self._prove(login, old, address):
            raise await self._refused(login)
        await self._forgive(login, address)
        deeds = [Deed(tenant=tenant, by=login, at=now, what="password.change", on=login)
                 for tenant in sorted({known.user.tenant} | known.homes)]
        await self._accounts.set_password(login, await self._passwords.hash(new), deeds, keep=known.session.id)

    async def invited(self, secret: str) -> Invited:
        """Raises NotFound for a link that does not work, or no longer."""
        invitation = await self._accounts.invitation(digest(secret))
        places = await self._accounts.places(invitation.login) if invitation is not None else []
        here = next((user for user in places if invitation is not None and user.tenant == invitation.tenant), None)
        if invitation is None or here is None or here.disabled or not invitation.open_at(self._clock.now()):
            raise NotFound("the invitation does not work, or no longer", hint="have a new one made")
        elsewhere = any(user.joined for user in places if user.tenant != invitation.tenant)
        return Invited(tenant=here.tenant, login=here.login, name=here.name, expires_at=invitation.expires_at,
                       new_password=not elsewhere)

    async def join(self, secret: str, password: str, *, address: str) -> Opened:
        """Take an invitation: the person is signed in then. A tenant cannot give a new password to somebody who works
        in another one, too: they show theirs. Raises NotFound, InputError, BadLogin, TooManyTries, Refused."""
        invited, now = await self.invited(secret), self._clock.now()
        invitation = await self._accounts.invitation(digest(secret))
        if invitation is None:
            raise NotFound("the invitation does not work, or no longer", hint="have a new one made")
        hashed = ""
        if invited.new_password:
            check_password(password, invited.login)
            hashed = await self._passwords.hash(password)
        elif not await self._prove(invited.login, password, address):
            raise await self._refused(invited.login)
        else:
            await self._forgive(invited.login, address)
        deed = Deed(tenant=invited.tenant, by=invited.login, at=now, what="user.join", on=invited.login)
        await self._accounts.join(Joined(invitation=invitation, password=hashed, at=now), [deed])
        if hashed:
            await self._accounts.tries(digest(f"login {invited.login}"), lambda _: Tries())
        places = [user for user in await self._accounts.places(invited.login) if user.active]
        here = next(user for user in places if user.tenant == invited.tenant)
        return await self._open(here, frozenset(user.tenant for user in places))

    async def forget(self) -> int:
        """The tries that no longer count."""
        return await self._accounts.forget(tried_before=self._clock.now() - self.guard.longest_ms)


def _plain(login: str) -> str:
    """What is no login is nobody's."""
    try:
        return login_of(login)
    except InputError:
        return "unknown"


def _deed(session: Session, now: int, what: str) -> Deed:
    return Deed(tenant=session.tenant, by=session.login, at=now, what=what, on=session.id)

