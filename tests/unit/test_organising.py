"""The organisation's desk: edits one after the other, and what other processes edit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.domain.channels import Channel
from monitor.domain.errors import InputError, NotFound, Refused
from monitor.domain.organisation import Host, Organisation, Post, Product, Room, Shift, Slot, Unit
from monitor.domain.people import SCOPED, Actor, Grant, Role
from monitor.domain.soundness import faults
from monitor.services.organising import Organising
from monitor.services.recordings import Edit, Edits, Records
from tests.fakes.posts import MemoryPosts

ANN = Actor(id="ann", tenant="agency", everywhere=SCOPED["organise"])


class Still:
    def now(self) -> int:
        return 7


def put(kind: str, name: str, record, expected: int | None = None) -> Edit:
    return Edit(kind=kind, id=name, record=record, expected=expected)


def test_what_another_process_edits_is_known_after_the_next_look_and_told() -> None:
    async def scenario() -> None:
        posts, told = MemoryPosts(), []
        here, there = Organising(posts, Still(), {}, changed=told.append), Organising(posts, Still(), {})
        await there.edit(ANN, [put("room", "r", Room(title="一号")), put("slot", "s", Slot(room="r", starts=1))])
        assert here.of("agency").get(Room, "r") is None
        await here.load()
        assert here.of("agency").get(Room, "r").title == "一号"
        assert told == ["room", "slot"]
        await here.load()
        assert told == ["room", "slot"]  # nothing new

    asyncio.run(scenario())


def test_an_edit_sees_what_another_process_wrote_between_reading_and_writing() -> None:
    class Between(MemoryPosts):
        async def edit(self, tenant: str, edits: Edits):
            theirs = Edits(changes=[put("unit", "theirs", Unit(title="他们"))], deeds=[], at=7, by="other")
            await super().edit(tenant, theirs)
            return await super().edit(tenant, edits)

    async def scenario() -> None:
        desk = Organising(Between(), Still(), {})
        await desk.edit(ANN, [put("unit", "mine", Unit(title="我们"))])
        assert [name for name, _ in desk.of("agency").every(Unit)] == ["mine", "theirs"]

    asyncio.run(scenario())


def test_an_older_read_that_comes_back_later_changes_nothing() -> None:
    class Slow(MemoryPosts):
        gate: asyncio.Event | None = None

        async def since(self, tenant: str, version: int, *, over_before: int | None = None):
            found = await super().since(tenant, version, over_before=over_before)
            gate, self.gate = self.gate, None
            if gate is not None:
                await gate.wait()
            return found

    async def scenario() -> None:
        posts = Slow()
        desk = Organising(posts, Still(), {})
        await Organising(posts, Still(), {}).edit(ANN, [put("room", "r", Room(title="旧"))])
        posts.gate = gate = asyncio.Event()
        late = asyncio.create_task(desk.refresh("agency"))
        await asyncio.sleep(0)
        await desk.edit(ANN, [put("room", "r", Room(title="新"))])
        gate.set()
        await late
        assert desk.of("agency").get(Room, "r").title == "新"

    asyncio.run(scenario())


def test_two_edits_at_once_leave_a_sound_organisation() -> None:
    async def scenario() -> None:
        desk = Organising(MemoryPosts(), Still(), {})
        await desk.edit(ANN, [put("unit", "u", Unit(title="支部"))])
        done = await asyncio.gather(
            desk.edit(ANN, [put("room", "r", Room(unit="u"))]), desk.edit(ANN, [put("unit", "u", None)]),
            return_exceptions=True)
        assert [isinstance(each, InputError) for each in done] == [False, True]
        assert faults(desk.of("agency")) == []

    asyncio.run(scenario())


def test_many_faults_of_one_edit_are_told_and_the_rest_counted() -> None:
    async def scenario() -> None:
        desk = Organising(MemoryPosts(), Still(), {})
        with pytest.raises(InputError, match=r"room r00: .*room r19: .*and 5 more"):
            await desk.edit(ANN, [put("room", f"r{n:02}", Room(unit="nowhere")) for n in range(25)])

    asyncio.run(scenario())


@pytest.mark.parametrize("kind, record, named", [
    ("room", lambda it: Room(unit="east", hosts=(it,)), "host"),
    ("room", lambda it: Room(unit="east", notify=(it,)), "channel"),
    ("post", lambda it: Post(title="p", unit="east", notify=(it,)), "channel"),
    ("slot", lambda it: Slot(room="r", starts=1, host=it), "host"),
    ("slot", lambda it: Slot(room="r", starts=1, products=(it,)), "product"),
])
def test_what_belongs_to_another_unit_is_named_as_little_as_what_there_is_not(kind, record, named) -> None:
    def theirs(name: str, unit: str) -> list[Edit]:
        return [put("host", name, Host(name="阿珂", unit=unit)), put("product", name, Product(title="茶", unit=unit)),
                put("channel", name, Channel(url="https://e.example/", secret="s" * 16, unit=unit))]

    async def scenario() -> None:
        desk = Organising(MemoryPosts(), Still(), {})
        units = [put("unit", "agency", Unit(title="a"))] + [
            put("unit", name, Unit(title=name, above="agency")) for name in ("east", "west")]
        await desk.edit(ANN, [*units, *theirs("west", "west"), *theirs("e", "east"), *theirs("a", "agency"),
                              *theirs("t", ""), put("room", "r", Room(unit="east"))])
        bo = Actor(id="bo", tenant="agency", grants=(Grant(Role.UNIT_ADMIN, "east"),))
        told = []
        for name in ("west", "none"):
            with pytest.raises(InputError) as caught:
                await desk.edit(bo, [put(kind, "x", record(name))])
            told.append(str(caught.value).replace(f"'{name}'", "…"))
        assert told[0] == told[1] and f"there is no {named} …" in told[0]
        for name in ("e", "a", "t"):
            await desk.edit(bo, [put(kind, "x", record(name))])
        await desk.edit(ANN, [put(kind, "x", record("west"))])
        await desk.edit(bo, [put(kind, "x", record("west"))])  # named already, by somebody who may

    asyncio.run(scenario())


@pytest.mark.parametrize("edit, told", [
    (put("slot", "x", Slot(room="theirs", starts=1)), "there is no room theirs"),
    (put("slot", "x", Slot(room="none", starts=1)), "there is no room none"),
    (put("shift", "x", Shift(post="desk", people=("a",), starts=1, ends=2)), "there is no post desk"),
    (put("room", "x", Room(unit="west")), "there is no unit west"),
    (put("room", "x", Room()), "the room x is to be the whole tenant's, which is not yours"),
    (put("room", "theirs", Room(unit="east")), "there is no room theirs"),
])
def test_what_is_new_and_hangs_on_what_is_not_theirs_is_told_by_that(edit: Edit, told: str) -> None:
    async def scenario() -> None:
        desk = Organising(MemoryPosts(), Still(), {})
        await desk.edit(ANN, [put("unit", "east", Unit(title="东")), put("unit", "west", Unit(title="西")),
                              put("room", "theirs", Room(unit="west")),
                              put("post", "desk", Post(title="岗", unit="west"))])
        bo = Actor(id="bo", tenant="agency", grants=(Grant(Role.UNIT_ADMIN, "east"),))
        with pytest.raises(NotFound) as caught:
            await desk.edit(bo, [edit])
        assert caught.value.message == told

    asyncio.run(scenario())


DAY = 86_400_000
BRANCH = Actor(id="bo", tenant="agency", grants=(Grant(Role.OPERATOR, "east"), Grant(Role.LEAD, "east")))


class Moving:
    ms = 100 * DAY

    def now(self) -> int:
        return self.ms


@pytest.fixture(params=["memory", "sqlite"])
async def posts(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Records]:
    if request.param == "memory":
        yield MemoryPosts()
        return
    database = await Database.open(tmp_path / "store.db")
    yield SqlPosts(database)
    await database.close()


def names(organisation: Organisation, kind: type) -> list[str]:
    return [name for name, _ in organisation.every(kind)]


async def test_what_is_long_over_is_listed_and_edited_from_the_store(posts: Records) -> None:
    clock = Moving()
    desk = Organising(posts, clock, {})
    old, now = clock.ms - 8 * DAY, clock.ms
    await desk.edit(ANN, [
        put("unit", "east", Unit(title="东")), put("room", "r1", Room(unit="east")), put("room", "r2", Room()),
        put("post", "p", Post(title="岗", unit="east")),
        put("slot", "a-old", Slot(room="r1", starts=old, ends=old + 5)),
        put("slot", "b-old", Slot(room="r2", starts=old)),
        put("slot", "c-week", Slot(room="r1", starts=now - 6 * DAY)),
        put("slot", "d-next", Slot(room="r1", starts=now)),
        put("shift", "s-old", Shift(post="p", people=("x",), starts=old, ends=old + 5))])
    for each in (desk, Organising(posts, clock, {})):  # who edited it, and who starts later
        await each.load()
        assert names(each.of("agency"), Slot) == ["c-week", "d-next"] and names(each.of("agency"), Shift) == []
        found = [one.id for one in await each.listed(ANN, "slot")]
        assert found == ["a-old", "b-old", "c-week", "d-next"]
        assert [one.id for one in await each.listed(BRANCH, "slot")] == ["a-old", "c-week", "d-next"]
        assert (await each.one(BRANCH, "shift", "s-old")).record.people == ("x",)
        with pytest.raises(NotFound):
            await each.one(BRANCH, "slot", "b-old")
        with pytest.raises(NotFound):  # nor is it taken over by an edit
            await each.edit(BRANCH, [put("slot", "b-old", Slot(room="r1", starts=now))])
    then = await desk.then("agency", since=old - 1, until=old)
    assert names(then, Slot) == ["a-old", "b-old", "c-week", "d-next"]
    known = await desk.one(ANN, "slot", "a-old")
    with pytest.raises(Refused):
        await desk.edit(ANN, [put("slot", "a-old", None, expected=known.version + 1)])
    await desk.edit(BRANCH, [put("slot", "a-old", Slot(room="r1", starts=now + 5), expected=known.version)])
    assert names(desk.of("agency"), Slot) == ["a-old", "c-week", "d-next"]
    clock.ms += 2 * DAY
    await desk.load()
    assert names(desk.of("agency"), Slot) == ["a-old", "d-next"]
    page, after = await desk.page(BRANCH, "slot", limit=2)
    assert [one.id for one in page] == ["a-old", "c-week"] and after == "c-week"
    assert [one.id for one in (await desk.page(BRANCH, "slot", after=after, limit=2))[0]] == ["d-next"]
