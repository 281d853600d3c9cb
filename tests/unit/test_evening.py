"""The plan against what is on air, rooms without a record, and who is on duty."""

from collections.abc import Sequence

import pytest

from monitor.adapters.storage.commits import save_broadcasts
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.broadcasts import Broadcast
from monitor.domain.errors import InputError
from monitor.domain.evening import Airing, lines, on_posts, unknown
from monitor.domain.organisation import Organisation, Post, Room, Shift, Slot, Unit
from monitor.domain.people import Actor, Grant, Role
from monitor.domain.record import Record
from monitor.services.evening import Evening
from monitor.services.organising import Organising
from monitor.services.recordings import Edit, Edits
from tests.fakes.posts import MemoryPosts

NOW = 1_800_000_000_000
MIN = 60_000
HOUR = 60 * MIN


def aired(room: str, started: int, *, ended: int | None = None, tenant: str = "agency", name: str = "") -> Broadcast:
    return Broadcast(id=name or f"{room}-{started}", tenant=tenant, room=room, started_at=started,
                     last_at=ended or started, named=True, ended_at=ended, why_ended="signal" if ended else "")


def standing(slot: Slot, *broadcasts: Broadcast, now: int = NOW, ahead: int = 12 * HOUR) -> list[Airing]:
    organisation = Organisation({("room", "r"): Room(), ("slot", "s"): slot})
    return [line.state for line in lines(organisation, broadcasts, now, ahead_ms=ahead)]


@pytest.mark.parametrize("slot, broadcasts, state", [
    (Slot(room="r", starts=NOW + 1), (), Airing.TO_COME),
    (Slot(room="r", starts=NOW), (), Airing.DUE),
    (Slot(room="r", starts=NOW - 10 * MIN + 1), (), Airing.DUE),
    (Slot(room="r", starts=NOW - 10 * MIN), (), Airing.SILENT),
    (Slot(room="r", starts=NOW - HOUR, ends=NOW + 1), (), Airing.SILENT),
    (Slot(room="r", starts=NOW - HOUR), (aired("r", NOW - HOUR),), Airing.ON_AIR),
    (Slot(room="r", starts=NOW + HOUR), (aired("r", NOW - MIN),), Airing.ON_AIR),  # an hour early is in it
    (Slot(room="r", starts=NOW - HOUR), (aired("r", NOW - HOUR, ended=NOW - MIN),), Airing.ENDED),
    (Slot(room="r", starts=NOW - HOUR), (aired("r", NOW - 3 * HOUR, ended=NOW - HOUR),), Airing.SILENT),
])
def test_how_a_slot_stands(slot: Slot, broadcasts: Sequence[Broadcast], state: Airing) -> None:
    assert standing(slot, *broadcasts) == [state]


def test_what_is_over_or_far_away_is_not_listed_and_a_slot_without_an_end_does_not_last_for_ever() -> None:
    assert standing(Slot(room="r", starts=NOW - HOUR, ends=NOW)) == []
    assert standing(Slot(room="r", starts=NOW - 12 * HOUR)) == []
    assert standing(Slot(room="r", starts=NOW - 12 * HOUR + 1)) == [Airing.SILENT]
    assert standing(Slot(room="r", starts=NOW + HOUR), ahead=HOUR - 1) == []


def test_a_room_on_air_outside_its_slot_is_unplanned_and_one_without_a_record_unknown() -> None:
    early = aired("r", NOW - MIN)
    assert standing(Slot(room="r", starts=NOW + HOUR + 1), early) == [Airing.UNPLANNED, Airing.TO_COME]
    organisation = Organisation({("room", "r"): Room()})
    broadcasts = [early, aired("x", NOW - 9), aired("x", NOW - 5), aired("w", NOW - 7, ended=NOW - 6)]
    told = lines(organisation, broadcasts, NOW, ahead_ms=0)
    assert [(line.room, line.known) for line in told] == [("r", True), ("x", False), ("x", False)]
    assert [(each.room, each.started_at) for each in unknown(organisation, broadcasts)] == [
        ("w", NOW - 7), ("x", NOW - 5)]


SHIFTS: dict[tuple[str, str], Record] = {
    ("unit", "east"): Unit(title="东区"), ("post", "content"): Post(title="内容岗", unit="east"),
    ("post", "lead"): Post(title="岗长"),
    ("shift", "a"): Shift(post="content", people=("lin",), starts=NOW - HOUR, ends=NOW, handover="九号间盯紧价格"),
    ("shift", "b"): Shift(post="content", people=("wang", "zhao"), starts=NOW, ends=NOW + HOUR),
    ("shift", "c"): Shift(post="content", people=("zhao",), starts=NOW, ends=NOW + 2 * HOUR),
    ("shift", "d"): Shift(post="content", people=("lin",), starts=NOW + HOUR, ends=NOW + 3 * HOUR),
    ("shift", "old"): Shift(post="content", people=("lin",), starts=NOW - 400 * HOUR, ends=NOW - 399 * HOUR,
                            handover="旧"),
}


def test_who_is_on_duty_what_was_left_to_them_and_who_comes_next() -> None:
    content, lead = on_posts(Organisation(SHIFTS), NOW)
    assert (content.people, content.shifts, content.until) == (("wang", "zhao"), ("b", "c"), NOW + HOUR)
    assert content.handover is not None
    assert (content.handover.shift, content.handover.note) == ("a", "九号间盯紧价格")
    assert (content.next_people, content.next_starts) == (("lin",), NOW + HOUR)
    assert (lead.people, lead.until, lead.handover, lead.next_starts) == ((), None, None, None)


class Still:
    def now(self) -> int:
        return NOW


LEAD = Actor(id="lin", tenant="agency", grants=(Grant(Role.LEAD),))
EAST = Actor(id="wang", tenant="agency", grants=(Grant(Role.REVIEWER, "east"),))


class World:
    def __init__(self) -> None:
        self.posts, self.telemetry = MemoryPosts(), PrometheusTelemetry()
        self.organising = Organising(self.posts, Still(), {})
        self.evening = Evening(self.posts, self.organising, Still(), self.telemetry, silent_after_ms=10 * MIN)

    async def keep(self, records: dict[tuple[str, str], Record]) -> None:
        changes = [Edit(kind=kind, id=name, record=record) for (kind, name), record in records.items()]
        await self.posts.edit("agency", Edits(changes=changes, deeds=[], at=NOW, by="x"))
        await self.organising.refresh("agency")

    def metric(self, line: str) -> bool:
        return line in self.telemetry.render()[0].decode().splitlines()


async def evening() -> World:
    world = World()
    await world.keep({**SHIFTS, ("room", "e"): Room(unit="east"), ("room", "w"): Room(),
                      ("slot", "1"): Slot(room="e", starts=NOW - HOUR),
                      ("slot", "2"): Slot(room="w", starts=NOW - HOUR),
                      ("slot", "3"): Slot(room="w", starts=NOW + HOUR)})
    world.posts.aired = [aired("e", NOW - MIN), aired("x", NOW - 9), aired("theirs", NOW - 8, tenant="other")]
    return world


async def test_the_plan_is_shown_by_pages_and_to_each_their_units() -> None:
    world = await evening()
    whole = await world.evening.plan(LEAD, state=None, hours=12, cursor=None, limit=100)
    assert [(line.room, line.state.value) for line in whole.lines] == [
        ("e", "on_air"), ("w", "silent"), ("x", "unplanned"), ("w", "to_come")]
    assert whole.counts == {"to_come": 1, "due": 0, "silent": 1, "on_air": 1, "ended": 0, "unplanned": 1}
    pages, cursor = [], None
    for _ in range(9):
        page = await world.evening.plan(LEAD, state=None, hours=12, cursor=cursor, limit=1)
        pages += page.lines
        cursor = page.next
        if cursor is None:
            break
    assert pages == whole.lines
    silent = await world.evening.plan(LEAD, state="silent", hours=12, cursor=None, limit=100)
    assert [line.slot for line in silent.lines] == ["2"]
    mine = await world.evening.plan(EAST, state=None, hours=12, cursor=None, limit=100)
    assert ([line.room for line in mine.lines], mine.counts["silent"]) == (["e"], 0)
    for bad in ("x", "[1]", '["1","a","b"]', "9" * 400):
        with pytest.raises(InputError, match="cursor"):
            await world.evening.plan(LEAD, state=None, hours=1, cursor=bad, limit=1)


async def test_unknown_rooms_are_for_those_who_see_the_whole_tenant() -> None:
    world = await evening()
    assert [room.room for room in (await world.evening.unknown(LEAD, cursor=None, limit=9)).rooms] == ["x"]
    assert (await world.evening.unknown(EAST, cursor=None, limit=9)).rooms == []
    assert (await world.evening.unknown(LEAD, cursor="x", limit=9)).rooms == []


async def test_metrics_tell_of_silent_rooms_and_of_people_on_duty() -> None:
    world = await evening()
    await world.posts.edit("local", Edits(changes=[Edit(kind="post", id="content", record=Post(title="岗"))], deeds=[],
                                          at=NOW, by="x"))
    await world.organising.refresh("local")
    await world.evening.look()
    assert world.metric('redpost_reviewers_on_duty{post="content"} 0.0')
    assert world.metric("redpost_rooms_expected_silent 1.0")
    assert world.metric('redpost_reviewers_on_duty{post="agency/content"} 2.0')
    await world.posts.edit("agency", Edits(changes=[
        Edit(kind="post", id="content", record=None), *(Edit(kind="shift", id=name, record=None) for name in "abcd")],
        deeds=[], at=NOW, by="x"))
    await world.organising.refresh("agency")
    await world.evening.look()
    assert world.metric('redpost_reviewers_on_duty{post="agency/content"} 0.0')
    assert [post.post for post in world.evening.duty(LEAD).posts] == ["lead"]
    assert world.evening.duty(EAST).posts == []


async def test_metrics_tell_of_people_on_duty_whose_page_is_open() -> None:
    world = await evening()
    world.evening.connected()
    assert world.metric('redpost_reviewers_connected{post="agency/content"} 0.0')
    world.evening.listening = lambda tenant: {"agency": {"wang", "lin", "recorder"}}.get(tenant, set())
    world.evening.connected()
    assert world.metric('redpost_reviewers_connected{post="agency/content"} 1.0')  # it is not lin's shift
    world.evening.listening = lambda tenant: set()
    world.evening.connected()
    assert world.metric('redpost_reviewers_connected{post="agency/content"} 0.0')


async def test_the_store_tells_what_runs_and_what_ran_lately(tmp_path) -> None:
    database = await Database.open(tmp_path / "store.db")
    kept = [aired("runs", 5), aired("late", 5, ended=NOW), aired("old", 5, ended=NOW - 1),
            aired("x", NOW, tenant="other")]
    try:
        await database.run(lambda connection: save_broadcasts(connection, kept))
        found = await SqlPosts(database).broadcasts("agency", since=NOW)
    finally:
        await database.close()
    assert sorted(found, key=lambda each: each.room) == [kept[1], kept[0]]
