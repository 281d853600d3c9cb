"""What records tell rules of rooms, and that the rules follow them by entries of the log."""

import asyncio
from pathlib import Path

import msgspec

from monitor.adapters.rulefiles import RuleFolder
from monitor.domain.frames import Swap
from monitor.domain.organisation import Host, Organisation, Paper, Product, Profile, Room, Slot
from monitor.domain.roomrecords import LEAD_MS, joined, recorded
from monitor.domain.rules import RoomContext
from monitor.services.bundles import Bundle
from monitor.services.dispatch import labels_for
from monitor.services.organising import Organising
from monitor.services.roomwatch import RoomRecords
from monitor.services.rulebook import Rulebook
from tests.contract.test_store import finding
from tests.fakes.log import MemoryLog
from tests.fakes.posts import MemoryPosts
from tests.fakes.store import MemoryStore
from tests.faults.harness import RULES
from tests.faults.inside import Clock, Quiet
from tests.faults.streams import ZONE, tables

NOON = 1_800_000_000_000
HOUR = 3_600_000

ORG = Organisation({
    ("profile", "red_room"): Profile(title="红色直播间", tags=("slow",)),
    ("host", "a"): Host(name="甲", papers={
        "pharmacist": Paper(ends=NOON), "teacher": Paper(), "tax": Paper(ends=NOON + 1)}),
    ("product", "p"): Product(title="面霜", category="cosmetics", listed_price=99,
                              claims={"国妆特字": "1", "淡斑": "2"}),
    ("product", "q"): Product(title="乳液", category="cosmetics", listed_price=59),
    ("room", "r"): Room(platform="douyin", vertical="beauty", profile="red_room", tags=("shop",), hosts=("a",),
                        claim_proofs={"淡斑": "3"}),
    ("room", "bare"): Room(),
    ("slot", "now"): Slot(room="r", starts=NOON + LEAD_MS, products=("p",)),
    ("slot", "over"): Slot(room="r", starts=NOON - HOUR, ends=NOON, products=("q",)),
})


def of(room: str, now: int) -> RoomContext:
    return next(each for each in recorded(ORG, "agency", now) if each.room == room)


def test_a_room_has_its_profiles_tags_its_hosts_papers_and_its_products() -> None:
    assert of("r", NOON) == RoomContext(
        room="r", tenant="agency", platform="douyin", vertical="beauty", tags=("shop", "slow", "red_room"),
        qualifications=("tax", "teacher"), product_categories=("cosmetics",), listed_prices=(99,),
        claim_proofs={"国妆特字": "1", "淡斑": "3"})
    assert of("bare", NOON) == RoomContext(room="bare", tenant="agency")


def test_routes_and_silences_see_the_tags_of_the_profile() -> None:
    assert labels_for(ORG, finding("f", room="r"), "", "")["tag"] == {"shop", "slow"}
    assert labels_for(ORG, finding("f", room="of nobody"), "", "").get("tag", set()) == set()


def test_what_has_run_out_or_is_to_come_later_says_nothing() -> None:
    assert of("r", NOON - 1).listed_prices == (59,)
    assert of("r", NOON - 1).qualifications == ("pharmacist", "tax", "teacher")
    assert of("r", NOON + 1).qualifications == ("teacher",)


def test_a_record_goes_over_the_rooms_file_where_it_says_something() -> None:
    filed = [RoomContext(room="r", tenant="agency", title="旧", platform="taobao", qualifications=("vet",),
                         tags=("demo",), claim_proofs={"有机": "9", "淡斑": "9"}), RoomContext(room="other")]
    over = RoomContext(room="r", tenant="agency", platform="douyin", qualifications=(), claim_proofs={"淡斑": "3"})
    both = {each.room: each for each in joined(filed, [over, RoomContext(room="r", vertical="food")])}
    assert len(joined(filed, [over, RoomContext(room="r", vertical="food")])) == 3  # another tenant's room r is another
    told = joined(filed, [over])[0]
    assert (told.title, told.platform, told.tags, told.qualifications) == ("旧", "douyin", ("demo",), ())
    assert told.claim_proofs == {"有机": "9", "淡斑": "3"}
    assert both["other"] == RoomContext(room="other")


class World:
    def __init__(self, tmp_path: Path | None = None) -> None:
        self.store, self.log, self.rooms = MemoryStore(), MemoryLog(), list[RoomContext]()
        self.book = self.opened()

    def opened(self) -> Rulebook:
        return Rulebook(RuleFolder(RULES, rooms=None, zone=ZONE), self.store, tables(), logger=Quiet(),
                        telemetry=Quiet(), clock=Clock(), rooms=lambda: self.rooms)

    async def swaps(self) -> list[str]:
        entries = await self.log.read(after=0, lane=None, events=10_000)
        return [each.entry.version for each in entries if isinstance(each.entry, Swap)]


async def test_an_edit_of_a_room_is_an_entry_of_the_log_and_a_re_read_judges_by_the_same() -> None:
    world = World()
    plain = await world.book.load()
    assert not (await world.book.refresh_rooms(world.log)).changed
    world.rooms.append(RoomContext(room="r", vertical="food"))
    first = await world.book.refresh_rooms(world.log)
    world.rooms.append(RoomContext(room="s", vertical="beauty"))
    second = await world.book.refresh_rooms(world.log)
    assert await world.swaps() == [first.version, second.version]
    assert len({plain.version, first.version, second.version}) == 3
    assert world.book.current.rules is plain.rules, "nothing is compiled again"
    assert not (await world.book.refresh_rooms(world.log)).changed

    again = world.opened()  # after a restart, with the rooms as they are now
    assert (await again.load()).version == second.version
    asked = await again.engine_of(first.version)
    assert (asked.version, set(asked.rooms)) == (first.version, {("local", "r")})
    assert set((await again.engine_of(second.version)).rooms) == {("local", "r"), ("local", "s")}


async def test_what_is_kept_for_an_edit_of_rooms_holds_no_rule_file_again() -> None:
    world = World()
    await world.book.load()
    world.rooms.append(RoomContext(room="r"))
    version = (await world.book.refresh_rooms(world.log)).version
    kept = await world.store.rule_set(version)
    assert kept is not None
    assert len(kept) < 1_000
    assert msgspec.msgpack.decode(kept, type=Bundle).files == {}


async def test_rooms_are_gathered_until_edits_pause_and_looked_at_without_any() -> None:
    posts = MemoryPosts()
    clock = Clock()
    organising = Organising(posts, clock, {})
    records, stop, calls = RoomRecords(organising, clock), asyncio.Event(), list[int]()

    async def refresh() -> None:
        calls.append(1)
        if len(calls) == 2:
            stop.set()

    for kind in ("room", "host", "room", "silence"):
        records.changed(kind)
    async with asyncio.timeout(10):
        await records.follow(refresh, stop, gather_s=0, look_s=0.01)
    assert len(calls) == 2  # one for all edits, one without any
