"""redpost users add · list · grant · disable · enable · invite"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Parameter

from monitor.cli.options import Config, Data, operator

if TYPE_CHECKING:
    from monitor.domain.accounts import User
    from monitor.domain.people import Actor, Grant
    from monitor.services.people import Link, People

T = TypeVar("T")

Login = Annotated[str, Parameter(name="LOGIN", help="Such as a mail address; one person has one in all tenants.")]
Roles = Annotated[list[str], Parameter(name="--role", help="A role, or role@unit; several times for several.")]
Tenant = Annotated[str, Parameter(show_default=True, help="Whose people.")]


def add(
    login: Login, /, *, role: Roles, name: Annotated[str, Parameter(help="What people call them.")] = "",
    tenant: Tenant = "local", data: Data = None, config: Config = None,
) -> int:
    """Add a user, and print the path of the one-time link by which they come in and set their password.

    ```
    redpost users add wang@agency.example --name 王 --role reviewer@east --role lead@east.night
    ```
    """
    from monitor.services.people import Wanted

    async def work(people: "People", actor: "Actor") -> "Link":
        user = await people.put(actor, login, Wanted(name=name, grants=grants(role), version=0))
        return await people.invite(actor, user.login)

    return _link(_with_people(tenant, data, config, work))


def list_(*, tenant: Tenant = "local", data: Data = None, config: Config = None) -> int:
    """List the users and their roles.

    ```
    redpost users list --tenant agency
    ```
    """
    from monitor.cli.lists import print_list
    from monitor.cli.terminal import day

    users = _with_people(tenant, data, config, _every)
    rows = [(user.login, user.name, ", ".join(map(told, user.grants)),
             "disabled" if user.disabled else "" if user.joined else "invited", day(user.created_at)) for user in users]
    print_list(("login", "name", "roles", "state", "made"), rows, whole=("login",), nothing="no users")
    return 0


async def _every(people: "People", actor: "Actor") -> "list[User]":
    page = await people.listed(actor)
    found = page.users
    while page.next is not None:
        page = await people.listed(actor, cursor=page.next)
        found += page.users
    return found


def grant(
    login: Login, /, *, role: Roles, tenant: Tenant = "local", data: Data = None, config: Config = None
) -> int:
    """Give a user these roles, in place of those that they have.

    ```
    redpost users grant wang@agency.example --role lead@east
    ```
    """
    return _changed(login, tenant, data, config, role=role)


def disable(login: Login, /, *, tenant: Tenant = "local", data: Data = None, config: Config = None) -> int:
    """Keep a user out; their sessions end at once.

    ```
    redpost users disable wang@agency.example
    ```
    """
    return _changed(login, tenant, data, config, disabled=True)


def enable(login: Login, /, *, tenant: Tenant = "local", data: Data = None, config: Config = None) -> int:
    """Let a user in again.

    ```
    redpost users enable wang@agency.example
    ```
    """
    return _changed(login, tenant, data, config, disabled=False)


def invite(login: Login, /, *, tenant: Tenant = "local", data: Data = None, config: Config = None) -> int:
    """Print the path of a new one-time link for a user, who sets a new password by it; earlier ones end.

    ```
    redpost users invite wang@agency.example
    ```
    """
    return _link(_with_people(tenant, data, config, lambda people, actor: people.invite(actor, login)))


def grants(roles: list[str]) -> "tuple[Grant, ...]":
    """Raises InputError for a role that does not exist."""
    from monitor.domain.errors import InputError
    from monitor.domain.people import Grant, Role

    found = []
    for each in roles:
        role, _, unit = each.partition("@")
        if role not in list(Role):
            raise InputError(f"there is no role {role[:40]!r}", hint="one of " + ", ".join(Role))
        found.append(Grant(Role(role), unit))
    return tuple(found)


def told(grant: "Grant") -> str:
    return f"{grant.role}@{grant.unit}" if grant.unit else str(grant.role)


def _changed(
    login: str, tenant: str, data: Data, config: Config, *, role: list[str] | None = None, disabled: bool | None = None
) -> int:
    from monitor.cli.terminal import safe
    from monitor.services.people import Wanted

    async def work(people: "People", actor: "Actor") -> str:
        known = await people.one(actor, login)
        user = await people.put(actor, known.login, Wanted(
            name=known.name, grants=known.grants if role is None else grants(role), version=known.version,
            disabled=known.disabled if disabled is None else disabled))
        return f"{user.login}: {', '.join(map(told, user.grants)) or 'no role'}{', disabled' if user.disabled else ''}"

    print(safe(_with_people(tenant, data, config, work)))
    return 0


def _link(link: "Link") -> int:
    from monitor.cli.terminal import day, safe, tell

    tell(safe(f"for {link.login}, once, until {day(link.expires_at)}, below the service's address; not shown again"))
    print(f"/invitations/{link.secret}")
    return 0


def _with_people(
    tenant: str, data: Data, config: Config, work: "Callable[[People, Actor], Awaitable[T]]"
) -> T:
    """`work` on the people of a tenant in the store of the data folder; a running service follows at once."""
    import secrets
    from functools import partial

    from monitor.adapters.bundled import bundled
    from monitor.adapters.clock import SystemClock
    from monitor.adapters.recordfiles import read_folder
    from monitor.adapters.storage.accounts import SqlAccounts
    from monitor.adapters.storage.database import Database
    from monitor.adapters.storage.posts import SqlPosts
    from monitor.cli.stores import with_database
    from monitor.domain import tenants
    from monitor.domain.people import Actor, Permission
    from monitor.services.organising import Organising
    from monitor.services.people import People
    from monitor.settings import load

    tenants.checked(tenant)
    times = load(config=config).settings.people.times()
    actor = Actor(id=operator(), tenant=tenant, everywhere=frozenset(Permission))

    async def opened(database: Database) -> T:
        organising = Organising(SqlPosts(database), SystemClock(), read_folder(bundled("config") / "post"))
        await organising.refresh(tenant)
        people = People(SqlAccounts(database), organising, SystemClock(), chance=partial(secrets.token_urlsafe, 32),
                        times=times)
        return await work(people, actor)

    return with_database(data, config, opened, create=True)
