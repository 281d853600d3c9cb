"""People: how they come in, sign in and out, and who looks after whom; on the real store and in memory."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from monitor.adapters.storage.accounts import SqlAccounts
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.accounts import Guard, Throttle, Times, Tries, check_password, login_of, tried
from monitor.domain.errors import BadLogin, InputError, NotFound, Refused, TooManyTries
from monitor.domain.organisation import Unit
from monitor.domain.people import Actor, Grant, Permission, Role
from monitor.services.organising import Organising
from monitor.services.people import People, Wanted
from monitor.services.recordings import Edit
from monitor.services.signing import Choice, Opened, SigningIn
from monitor.settings import load
from tests.fakes.accounts import MemoryAccounts, PlainPasswords
from tests.fakes.posts import MemoryPosts

NOON = 1_795_435_200_000
GOOD = "correct horse battery"
ROOT_ADMIN = Actor(id="root", tenant="local", grants=(Grant(Role.UNIT_ADMIN),), everywhere=frozenset(Permission))


class Still:
    def __init__(self) -> None:
        self.ms = NOON

    def now(self) -> int:
        return self.ms


class World:
    def __init__(self, accounts, posts, *, times=Times(), guard=Guard()) -> None:  # noqa: B008
        self.clock, self.passwords, self.posts, self.accounts = Still(), PlainPasswords(), posts, accounts
        numbers: Iterator[int] = count(1)

        def chance() -> str:
            return f"secret-{next(numbers)}"

        self.telemetry = PrometheusTelemetry()
        self.signing = SigningIn(accounts, self.passwords, self.clock, self.telemetry, chance=chance,
                                 times=times, guard=guard)
        self.organising = Organising(posts, self.clock, {})
        self.people = People(accounts, self.organising, self.clock, chance=chance, times=times)

    async def units(self, *names: str, tenant: str = "local") -> None:
        admin = Actor(id="root", tenant=tenant, everywhere=frozenset(Permission))
        await self.organising.edit(admin, [Edit(kind="unit", id=name, record=Unit(title=name)) for name in names])

    async def add(self, login: str, *grants: Grant, tenant: str = "local", password: str = GOOD) -> Opened:
        admin = Actor(id="root", tenant=tenant, everywhere=frozenset(Permission))
        await self.people.put(admin, login, Wanted(grants=grants or (Grant(Role.REVIEWER),)))
        link = await self.people.invite(admin, login)
        return await self.signing.join(link.secret, password, address="a")

    async def sign_in(self, login: str, password: str = GOOD, *, tenant: str | None = None) -> Opened:
        found = await self.signing.sign_in(login, password, tenant=tenant, address="a")
        assert isinstance(found, Opened)
        return found

    async def deeds(self, tenant: str = "local") -> list[str]:
        return [row.deed.what for row in await self.posts.rows(tenant, after=0, limit=1_000)]


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == "memory":
        posts = MemoryPosts()
        yield World(MemoryAccounts(posts), posts)
        return
    database = await Database.open(tmp_path / "store.db")
    yield World(SqlAccounts(database), SqlPosts(database))
    await database.close()


async def test_from_an_invitation_to_the_end_of_a_session(world: World) -> None:
    user = await world.people.put(ROOT_ADMIN, " Wang@Example.com ", Wanted(name="王", grants=(Grant(Role.REVIEWER),)))
    assert (user.login, user.joined) == ("wang@example.com", False)
    link = await world.people.invite(ROOT_ADMIN, user.login)
    invited = await world.signing.invited(link.secret)
    assert (invited.tenant, invited.login, invited.name, invited.new_password) == ("local", user.login, "王", True)
    with pytest.raises(BadLogin):
        await world.sign_in(user.login, "")
    with pytest.raises(InputError, match="12 to 256"):
        await world.signing.join(link.secret, "short", address="a")
    opened = await world.signing.join(link.secret, GOOD, address="a")
    with pytest.raises(NotFound, match="no longer"):
        await world.signing.join(link.secret, GOOD + "2", address="a")
    again = await world.sign_in("WANG@example.com")
    recognised = await world.signing.recognise(again.secret)
    assert recognised is not None and recognised.known.user.name == "王" and recognised.secret == ""
    me = Actor(id=user.login, tenant="local")
    mine = (await world.signing.sessions(me)).sessions
    assert {one.id for one in mine} == {opened.known.session.id, again.known.session.id}
    await world.signing.sign_out(me, again.known.session.id)
    assert await world.signing.recognise(again.secret) is None
    assert await world.signing.recognise(opened.secret) is not None
    assert await world.deeds() == ["user.put", "user.invite", "session.refuse", "user.join", "session.open",
                                   "session.open", "session.end"]


async def test_wrong_passwords_and_unknown_logins_get_one_answer_after_the_same_work(world: World) -> None:
    await world.add("wang")
    told = []
    for login, password in (("wang", "wrong"), ("nobody", GOOD), ("no login at all", GOOD), ("time", GOOD)):
        looked = world.passwords.looked
        rows = len(await world.deeds())
        with pytest.raises(BadLogin) as caught:
            await world.sign_in(login, password)
        told.append((str(caught.value), world.passwords.looked - looked, len(await world.deeds()) - rows))
    assert told == [told[0]] * 4 and told[0][1:] == (1, 1)
    rows = await world.posts.rows("local", after=0, limit=100)
    refused = [(row.deed.by, row.deed.on, row.deed.facts) for row in rows if row.deed.what == "session.refuse"]
    assert refused == [("wang", "wang", {}), *[("unknown", "unknown", {})] * 3]  # what was typed may be a password
    with pytest.raises(BadLogin):
        await world.sign_in("wang", tenant="elsewhere")


@pytest.mark.parametrize("login", ["wang", "nobody"])
async def test_ten_failures_lock_a_login_for_a_while_whether_it_exists_or_not(world: World, login: str) -> None:
    await world.add("wang")
    for _ in range(10):
        with pytest.raises(BadLogin):
            await world.sign_in(login, "wrong")
    looked = world.passwords.looked
    with pytest.raises(TooManyTries) as caught:
        await world.sign_in(login)
    assert caught.value.retry_after == 900 and world.passwords.looked == looked
    world.clock.ms += 15 * 60_000
    if login == "wang":
        await world.sign_in("wang")
    else:
        with pytest.raises(BadLogin):
            await world.sign_in(login)


async def test_an_address_that_tries_many_logins_has_to_wait(world: World) -> None:
    await world.add("wang")
    for number in range(100):
        with pytest.raises(BadLogin):
            await world.sign_in(f"guess{number}", "wrong")
    with pytest.raises(TooManyTries):
        await world.sign_in("wang")
    found = await world.signing.sign_in("wang", GOOD, tenant=None, address="another")
    assert isinstance(found, Opened)


async def test_a_secret_is_changed_and_the_old_one_counts_for_a_moment_only(world: World) -> None:
    opened = await world.add("wang")
    world.clock.ms += Times().rotate_ms
    first = await world.signing.recognise(opened.secret)
    assert first is not None and first.secret
    late = await world.signing.recognise(opened.secret)  # under way at the same moment
    assert late is not None and late.secret == "" and late.known.session.id == opened.known.session.id
    assert late.known.session.csrf == opened.known.session.csrf
    world.clock.ms += Times().grace_ms
    assert await world.signing.recognise(opened.secret) is None
    assert await world.signing.recognise(first.secret) is None  # one of the two was stolen: nobody has it any more
    assert "session.replayed" in await world.deeds()


async def test_how_often_may_be_tried_and_how_long_links_work_can_be_set() -> None:
    posts = MemoryPosts()
    settings = load(environ={}, overrides={"people.login_tries": 3, "people.lock_minutes": 1,
                                           "people.invitation_hours": 1}).settings.people
    world = World(MemoryAccounts(posts), posts, times=settings.times(), guard=settings.guard())
    await world.add("wang")
    for _ in range(3):
        with pytest.raises(BadLogin) as wrong:
            await world.sign_in("wang", "wrong")
    assert wrong.value.hint == "check both; after 3 failures nothing is tried for 1 min"
    with pytest.raises(TooManyTries) as caught:
        await world.sign_in("wang")
    assert caught.value.retry_after == 60
    link = await world.people.invite(ROOT_ADMIN, "wang")
    assert link.expires_at == world.clock.ms + 3_600_000


@pytest.mark.parametrize("step, alive", [(119 * 60_000, 6), (120 * 60_000, 0)])
async def test_sessions_end_when_idle_and_after_half_a_day(world: World, step: int, alive: int) -> None:
    opened = await world.add("wang")
    secret, rounds = opened.secret, 0
    while rounds < 20:
        world.clock.ms += step
        found = await world.signing.recognise(secret)
        if found is None:
            break
        rounds, secret = rounds + 1, found.secret or secret
    assert rounds == alive
    assert (await world.signing.sessions(Actor(id="wang", tenant="local"))).sessions == []
    assert await world.signing.still(opened.known.session.id) is None


async def test_a_new_password_ends_all_other_sessions(world: World) -> None:
    opened, other = await world.add("wang"), await world.sign_in("wang")
    with pytest.raises(BadLogin):
        await world.signing.change_password(opened.known, "wrong", GOOD + "!", address="a")
    with pytest.raises(InputError, match="too easy"):
        await world.signing.change_password(opened.known, GOOD, "wangwangwangwang", address="a")
    await world.signing.change_password(opened.known, GOOD, GOOD + "!", address="a")
    assert await world.signing.recognise(opened.secret) is not None
    assert await world.signing.recognise(other.secret) is None
    with pytest.raises(BadLogin):
        await world.sign_in("wang")
    await world.sign_in("wang", GOOD + "!")


async def test_one_person_in_two_tenants_has_one_password_and_chooses(world: World) -> None:
    await world.add("wang")
    link_admin = Actor(id="boss", tenant="street", everywhere=frozenset(Permission))
    await world.people.put(link_admin, "wang", Wanted(grants=(Grant(Role.COORDINATOR),)))
    link = await world.people.invite(link_admin, "wang")
    assert (await world.sign_in("wang")).known.homes == frozenset()  # not in there yet
    assert (await world.signing.invited(link.secret)).new_password is False
    with pytest.raises(BadLogin):  # another tenant's administrator cannot set the password of an account here
        await world.signing.join(link.secret, "a password of the street's", address="a")
    opened = await world.signing.join(link.secret, GOOD, address="a")
    assert (opened.known.user.tenant, opened.known.homes) == ("street", {"local"})
    assert await world.signing.sign_in("wang", GOOD, tenant=None, address="a") == Choice(["local", "street"])
    here = await world.sign_in("wang", tenant="local")
    assert (here.known.user.tenant, here.known.homes) == ("local", {"street"})
    with pytest.raises(BadLogin):
        await world.sign_in("wang", tenant="other")
    await world.signing.change_password(here.known, GOOD, GOOD + "!", address="a")
    assert await world.signing.recognise(opened.secret) is None
    assert "password.change" in await world.deeds() and "password.change" in await world.deeds("street")


async def test_who_is_disabled_is_out_at_once(world: World) -> None:
    opened = await world.add("wang")
    user = await world.people.one(ROOT_ADMIN, "wang")
    await world.people.put(ROOT_ADMIN, "wang", Wanted(grants=user.grants, disabled=True, version=user.version))
    assert await world.signing.recognise(opened.secret) is None
    with pytest.raises(BadLogin):
        await world.sign_in("wang")
    with pytest.raises(Refused, match="disabled"):
        await world.people.invite(ROOT_ADMIN, "wang")
    with pytest.raises(Refused, match="meanwhile"):
        await world.people.put(ROOT_ADMIN, "wang", Wanted(grants=user.grants, version=user.version))


async def test_two_tenants_at_once_cannot_both_set_the_password(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one makes its hash, the person comes in elsewhere: theirs stays."""
    street = Actor(id="boss", tenant="street", everywhere=frozenset(Permission))
    await world.people.put(street, "wang", Wanted(grants=(Grant(Role.REVIEWER),)))
    link = await world.people.invite(street, "wang")
    hash_ = world.passwords.hash

    async def slow(password: str) -> str:
        monkeypatch.undo()
        await world.add("wang")
        return await hash_(password)

    monkeypatch.setattr(world.passwords, "hash", slow)
    with pytest.raises(Refused, match="elsewhere"):
        await world.signing.join(link.secret, "a password of the street's", address="a")
    await world.sign_in("wang")
    assert not (await world.people.one(street, "wang")).joined
    assert (await world.signing.invited(link.secret)).new_password is False
    await world.signing.join(link.secret, GOOD, address="a")


async def test_an_invitation_for_somebody_who_is_in_sets_a_new_password_and_earlier_ones_end(world: World) -> None:
    opened = await world.add("wang")
    first = await world.people.invite(ROOT_ADMIN, "wang")
    second = await world.people.invite(ROOT_ADMIN, "wang")
    with pytest.raises(NotFound):
        await world.signing.join(first.secret, GOOD, address="a")
    await world.signing.join(second.secret, GOOD + "!", address="a")
    assert await world.signing.recognise(opened.secret) is None
    third = await world.people.invite(ROOT_ADMIN, "wang")
    world.clock.ms = third.expires_at
    with pytest.raises(NotFound):
        await world.signing.join(third.secret, GOOD, address="a")


async def test_who_looks_after_a_branch_looks_after_its_people_alone(world: World) -> None:
    await world.units("east", "west")
    east = Actor(id="li", tenant="local", grants=(Grant(Role.UNIT_ADMIN, "east"),))
    await world.add("chief", Grant(Role.UNIT_ADMIN))
    await world.add("westerner", Grant(Role.REVIEWER, "west"))
    await world.people.put(east, "wang", Wanted(grants=(Grant(Role.REVIEWER, "east"),)))
    assert [user.login for user in (await world.people.listed(east)).users] == ["wang"]
    for login, grants in (("new", (Grant(Role.REVIEWER),)), ("new", (Grant(Role.LEAD, "west"),)), ("new", ()),
                          ("westerner", (Grant(Role.REVIEWER, "east"),)), ("chief", ())):
        with pytest.raises(Refused):
            await world.people.put(east, login, Wanted(grants=grants, version=2))
    with pytest.raises(Refused, match="own account"):
        await world.people.put(east, "li", Wanted(grants=(Grant(Role.LEAD, "east"),)))
    with pytest.raises(InputError, match="no unit"):
        await world.people.put(east, "new", Wanted(grants=(Grant(Role.LEAD, "north"),)))
    with pytest.raises(NotFound):
        await world.people.invite(east, "chief")
    both = await world.people.put(ROOT_ADMIN, "both", Wanted(
        grants=(Grant(Role.REVIEWER, "east"), Grant(Role.REVIEWER, "west"))))
    with pytest.raises(Refused):  # a new password would open the other branch, too
        await world.people.invite(east, "both")
    less = await world.people.put(east, "both", Wanted(grants=(Grant(Role.REVIEWER, "west"),), version=both.version))
    assert less.grants == (Grant(Role.REVIEWER, "west"),)


async def test_people_and_sessions_come_by_pages(world: World) -> None:
    await world.units("east")
    for number in range(7):
        await world.add(f"p{number}", Grant(Role.REVIEWER, "east" if number % 3 == 0 else ""))
    east = Actor(id="boss", tenant="local", grants=(Grant(Role.UNIT_ADMIN, "east"),))
    found: list[str] = []
    cursor = None
    while True:
        page = await world.people.listed(east, cursor=cursor, limit=1)
        found += [user.login for user in page.users]
        cursor = page.next
        if cursor is None:
            break
        assert len(page.users) == 1
    assert found == ["p0", "p3", "p6"]
    me = Actor(id="p1", tenant="local")
    for _ in range(3):
        world.clock.ms += 1
        await world.sign_in("p1")
    every = (await world.signing.sessions(me)).sessions
    first = await world.signing.sessions(me, limit=3)
    rest = await world.signing.sessions(me, cursor=first.next, limit=3)
    assert len(every) == 4 and first.sessions + rest.sessions == every and rest.next is None
    for bad in ("x", "W10", first.next[:-2] if first.next else ""):
        with pytest.raises(InputError):
            await world.signing.sessions(me, cursor=bad)
        with pytest.raises(InputError):
            await world.people.listed(east, cursor=bad)


async def test_the_first_user_comes_in_by_a_link_until_somebody_is_in(world: World) -> None:
    first = await world.people.set_up("local")
    second = await world.people.set_up("local")
    assert first is not None and second is not None
    with pytest.raises(NotFound):
        await world.signing.join(first.secret, GOOD, address="a")
    opened = await world.signing.join(second.secret, GOOD, address="a")
    assert opened.known.user.login == "admin"
    assert await world.people.set_up("local") is None
    demo = await world.people.one_of_each("demo")
    assert {link.login for link in demo} == set(Role)


async def test_old_tries_are_forgotten(world: World) -> None:
    await world.add("wang")
    with pytest.raises(BadLogin):
        await world.sign_in("wang", "wrong")
    assert await world.signing.forget() == 0
    world.clock.ms += Guard().longest_ms + 1
    assert await world.signing.forget() == 2  # a login and an address
    assert await world.signing.forget() == 0


def test_logins_and_passwords() -> None:
    assert login_of(" Ｗang@x.CN") == "wang@x.cn"
    for bad in ("", "a b", "loopback", "Me", "t0123456789ab", "x" * 129, "a/b", "a\n"[:1] + "\x00"):
        with pytest.raises(InputError):
            login_of(bad)
    check_password("九个字的句子也是好密码呀呀", "wang")
    for bad in ("", "a" * 11, "a" * 257, "abababababab", "xx-wang-xx-wang"):
        with pytest.raises(InputError):
            check_password(bad, "wang")


def test_tries_that_lie_far_apart_do_not_add_up() -> None:
    throttle, tries = Throttle(failures=3, lock_ms=100), Tries()
    for at in (1_000, 1_100, 1_200, 1_300):
        tries = tried(tries, at, throttle)
    assert (tries.failures, tries.locked_until) == (1, 0)
    for at in (1_301, 1_302):
        tries = tried(tries, at, throttle)
    assert tries.locked_until == 1_402
    assert tried(tries, 1_401, throttle) == tries
    assert tried(tries, 1_402, throttle).failures == 1
