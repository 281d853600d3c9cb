"""The people of a tenant: who there is, what they may do where, and how they come in."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from monitor.domain.accounts import Invitation, Times, Title, User, login_of
from monitor.domain.audit import Deed
from monitor.domain.errors import InputError, NotFound, Refused
from monitor.domain.organisation import Unit
from monitor.domain.people import MAY, ROOT, Actor, Grant, Permission, Role
from monitor.domain.phrases import phrase
from monitor.services.accounts import Accounts
from monitor.services.organising import Organising
from monitor.services.paging import packed_cursor, page, unpacked_cursor
from monitor.services.ports import Clock
from monitor.services.signing import digest

FIRST: Final = "admin"
"""The login of whoever sets a tenant up."""
_FIRST_ROLES: Final = (Role.UNIT_ADMIN, Role.OPERATOR, Role.OPS)
SETUP: Final = "set-up"
"""Who makes the first user."""
_keys: Final = msgspec.json.Decoder(tuple[str])


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user as they are to be. `version`: the one that was seen, 0 where there is to be none yet, None where it does
    not matter."""

    name: Title = ""
    grants: Annotated[tuple[Grant, ...], Meta(max_length=200)]
    disabled: bool = False
    version: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


class Link(Struct, frozen=True, kw_only=True):
    """`secret`: works once, until `expires_at` (UTC ms); it is kept nowhere."""

    login: str
    secret: str
    expires_at: int


class UserPage(Struct, frozen=True):
    """By login. `next` is the cursor of the following page, None at the end."""

    users: list[User]
    next: str | None


class People:
    """Used from one event loop. `chance`: 256 random bits as text."""

    def __init__(self, accounts: Accounts, organising: Organising, clock: Clock, *, chance: Callable[[], str],
                 times: Times = Times()) -> None:  # noqa: B008 - a frozen value
        self._accounts, self._organising, self._clock = accounts, organising, clock
        self._chance, self.times = chance, times

    async def listed(self, actor: Actor, *, cursor: str | None = None, limit: int = 1_000) -> UserPage:
        """Those with a role where the actor looks after people, by login. Raises InputError for a bad cursor."""
        found, last = await page(
            lambda after, most: self._accounts.users(actor.tenant, after=after or "", limit=most),
            lambda user: self._concerns(actor, user), lambda user: user.login,
            None if cursor is None else unpacked_cursor(cursor, _keys)[0], limit)
        return UserPage(found, None if last is None else packed_cursor((last,)))

    async def one(self, actor: Actor, login: str) -> User:
        """Raises NotFound for whom the actor does not look after."""
        found = await self._accounts.user(actor.tenant, login)
        if found is None or not self._concerns(actor, found):
            raise NotFound(f"there is no user {login[:80]}", hint="GET /api/v1/users lists them")
        return found

    async def put(self, actor: Actor, login: str, wanted: Wanted) -> User:
        """Raises InputError, NotFound, Refused ("permission", "own", "stale")."""
        login, now = login_of(login), self._clock.now()
        known = await self._accounts.user(actor.tenant, login)
        if known is not None and not self._concerns(actor, known):
            raise Refused("permission", phrase("{login} is looked after by somebody else", login=login),
                          hint="ask who looks after people in the whole tenant")
        if login == actor.id:
            raise Refused("own", "your own account is changed by somebody else", hint="ask another administrator")
        self._check_units(actor.tenant, wanted.grants)
        touched = _touched(known, wanted)
        self._check_rights(actor, touched)
        standing = known.version if known is not None else 0
        expected = standing if wanted.version is None else wanted.version
        user = User(tenant=actor.tenant, login=login, name=wanted.name, grants=wanted.grants, disabled=wanted.disabled,
                    joined=known is not None and known.joined, version=expected + 1,
                    created_at=known.created_at if known is not None else now)
        deed = Deed(tenant=actor.tenant, by=actor.id, at=now, what="user.put", on=login, facts={
            "name": user.name, "grants": msgspec.to_builtins(user.grants), "disabled": user.disabled})
        await self._accounts.save_user(user, [deed], expected=expected)
        return user

    async def invite(self, actor: Actor, login: str) -> Link:
        """A link by which the person sets a password. Earlier ones no longer work."""
        user = await self.one(actor, login)
        self._check_rights(actor, user.grants or (Grant(Role.REVIEWER),))
        if user.disabled:
            raise Refused("disabled", phrase("the account of {login} is disabled", login=login), hint="enable it first")
        return await self._link(user, by=actor.id, lasts=self.times.invitation_ms)

    async def set_up(self, tenant: str) -> Link | None:
        """The one-time link for the first user of a tenant; None where somebody is in."""
        users = await self._accounts.users(tenant)
        if any(user.joined for user in users):
            return None
        return await self._ready(tenant, FIRST, _FIRST_ROLES)

    async def one_of_each(self, tenant: str) -> list[Link]:
        """For a demo: a user of every role, named by it, and their links; of those who are not in."""
        found = [await self._ready(tenant, role.value, (role,)) for role in MAY]
        return [link for link in found if link is not None]

    async def _ready(self, tenant: str, login: str, roles: Iterable[Role]) -> Link | None:
        now = self._clock.now()
        user = await self._accounts.user(tenant, login)
        if user is None:
            user = User(tenant=tenant, login=login, name="", created_at=now, grants=tuple(map(Grant, roles)))
            deed = Deed(tenant=tenant, by=SETUP, at=now, what="user.put", on=login,
                        facts={"grants": msgspec.to_builtins(user.grants)})
            await self._accounts.save_user(user, [deed], expected=0)
        if user.joined or user.disabled:
            return None
        return await self._link(user, by=SETUP, lasts=self.times.setup_ms)

    async def _link(self, user: User, *, by: str, lasts: int) -> Link:
        now, secret = self._clock.now(), self._chance()
        invitation = Invitation(
            sha256=digest(secret), tenant=user.tenant, login=user.login, expires_at=now + lasts)
        await self._accounts.invite(
            invitation, [Deed(tenant=user.tenant, by=by, at=now, what="user.invite", on=user.login)])
        return Link(login=user.login, secret=secret, expires_at=invitation.expires_at)

    def _concerns(self, actor: Actor, user: User) -> bool:
        organisation = self._organising.of(actor.tenant)
        return actor.may(Permission.PEOPLE) or any(
            actor.may(Permission.PEOPLE, organisation.above(grant.unit)) for grant in user.grants)

    def _check_rights(self, actor: Actor, grants: Sequence[Grant]) -> None:
        organisation = self._organising.of(actor.tenant)
        for grant in grants:
            if not actor.may(Permission.PEOPLE, organisation.above(grant.unit)):
                where = phrase("the unit {unit}", unit=grant.unit) if grant.unit else phrase("the whole tenant")
                raise Refused("permission",
                              phrase("this takes the permission {permission} on {where}",
                                     permission=phrase(Permission.PEOPLE),
                                     where=where),
                              hint="ask somebody who has it there")

    def _check_units(self, tenant: str, grants: Sequence[Grant]) -> None:
        organisation = self._organising.of(tenant)
        for grant in grants:
            if grant.unit != ROOT and organisation.get(Unit, grant.unit) is None:
                raise InputError(phrase("there is no unit {unit}", unit=repr(grant.unit[:80])),
                                 hint="GET /api/v1/records/unit lists them; "
                                 'the whole tenant is ""')


def _touched(known: User | None, wanted: Wanted) -> tuple[Grant, ...]:
    """The grants over which the actor needs power: those that come or go; all, where the whole account is touched."""
    before = known.grants if known is not None else ()
    if known is None or known.disabled != wanted.disabled or known.name != wanted.name:
        return (*before, *wanted.grants) or (Grant(Role.REVIEWER),)
    return tuple(set(before) ^ set(wanted.grants))
