"""The organisation's desk: edits one after the other, and what other processes edit."""

import asyncio

import pytest

from monitor.domain.channels import Channel
from monitor.domain.errors import InputError
from monitor.domain.organisation import Host, Post, Product, Room, Slot, Unit
from monitor.domain.people import SCOPED, Actor, Grant, Role
from monitor.domain.soundness import faults
from monitor.services.organising import Organising
from monitor.services.recordings import Edit, Edits
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

        async def since(self, tenant: str, version: int):
            found = await super().since(tenant, version)
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
