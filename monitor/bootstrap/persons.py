"""The people of a service: who may sign in, and the links by which the first of them do."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from monitor.adapters.passwords import Argon2
from monitor.adapters.storage.accounts import SqlAccounts
from monitor.adapters.storage.database import Database
from monitor.bootstrap.checks import is_open
from monitor.domain.tenants import LOCAL
from monitor.services.organising import Organising
from monitor.services.people import Link, People
from monitor.services.ports import Clock, Telemetry
from monitor.services.signing import SigningIn
from monitor.settings import Settings


@dataclass(frozen=True, slots=True)
class Persons:
    """`links`: one-time, to be printed: of a demo one for each role; else, where nobody could come in without, one for
    the first user."""

    signing: SigningIn
    people: People
    links: list[Link]


async def open_persons(
    database: Database, organising: Organising, clock: Clock, telemetry: Telemetry, settings: Settings, *, demo: bool,
    stack: AsyncExitStack,
) -> Persons:
    accounts, passwords, chance = SqlAccounts(database), Argon2(), partial(secrets.token_urlsafe, 32)
    stack.callback(passwords.close)
    times = settings.people.times()
    people = People(accounts, organising, clock, chance=chance, times=times)
    links: list[Link] = []
    if demo:
        links = await people.one_of_each(LOCAL)
    elif not is_open(settings) and (first := await people.set_up(LOCAL)) is not None:
        links = [first]
    signing = SigningIn(accounts, passwords, clock, telemetry, chance=chance, times=times,
                        guard=settings.people.guard())
    return Persons(signing, people, links)
