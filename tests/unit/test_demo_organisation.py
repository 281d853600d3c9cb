"""The demo's organisation: sound, seeded once, its evening moved to tonight, and nobody else's records touched."""

from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from monitor.adapters.recordfiles import read, read_folder
from monitor.domain.evening import Airing, lines, on_posts
from monitor.domain.kinds import KINDS
from monitor.domain.ledgers import HEADERS, Entry, Ledger, around, row
from monitor.domain.onboarding import lacks
from monitor.domain.organisation import Organisation, Post, Room, Slot, Unit
from monitor.domain.people import SCOPED, Actor, Role
from monitor.domain.review import Review
from monitor.domain.routing import labels_of, route
from monitor.domain.soundness import faults
from monitor.services.demo_organisation import BEFORE_MS, furnish, link_rooms
from monitor.services.organising import Organising
from monitor.services.recordings import Edit
from monitor.services.roomlinks import RoomLinks
from tests.fakes.cues import MemoryCues
from tests.fakes.posts import MemoryPosts
from tests.functional.fakes import alert
from tests.unit.test_evening import NOW, aired

CONFIG = Path(__file__).parents[2] / "config"
BASE = read_folder(CONFIG / "post")
BUNDLED = read((CONFIG / "demo/organisation.yml").read_text(encoding="utf-8"), "organisation.yml")
SOMEBODY = Actor(id="li", tenant="local", everywhere=SCOPED["organise"])
ABOUT_THE_ROOM = ("平台", "直播间", "直播间名称", "直播间账号", "运营者主体", "统一社会信用代码", "实际销售者", "主播",
                  "主播资质证号与有效期", "主播是否成年", "商品SKU", "商品名称", "商品链接", "商品类目")
STREAMS = {path.stem for path in (CONFIG / "demo").glob("*.ndjson")}


class Clock:
    ms = NOW

    def now(self) -> int:
        return self.ms


def world() -> tuple[Organising, Clock]:
    clock = Clock()
    return Organising(MemoryPosts(), clock, BASE), clock


async def test_it_is_sound_and_shows_what_an_evening_may_show() -> None:
    organising, clock = world()
    await furnish(organising, clock, BUNDLED)
    organisation = organising.of("local")
    assert faults(organisation) == []
    assert [name for name, unit in organisation.every(Unit) if not unit.above] == ["association", "qinghe", "wanfeng"]
    assert len([name for name, unit in organisation.every(Unit) if unit.above]) == 3
    assert {name for name, _ in organisation.every(Room)} == {f"demo-{stream}" for stream in STREAMS} | {"demo-tea"}

    on_air = [aired(f"demo-{stream}", NOW, tenant="local") for stream in STREAMS]
    states = {line.room: line.state for line in lines(organisation, on_air, NOW, ahead_ms=1)}
    assert states == {"demo-food": Airing.ON_AIR, "demo-beauty": Airing.ON_AIR, "demo-jewellery": Airing.ON_AIR,
                      "demo-clothing": Airing.UNPLANNED, "demo-tea": Airing.SILENT}
    found = lacks(organisation, on_air, ZoneInfo("Asia/Shanghai"))
    assert [(broadcast.room, lack.duty.why) for broadcast, lack in found] == [("demo-jewellery", "expired")]
    duty = {post.post: post for post in on_posts(organisation, NOW)}
    assert duty["wanfeng-content"].people == ("reviewer",)
    assert duty["wanfeng-content"].handover is not None


async def test_who_is_named_in_it_is_among_the_users_that_the_demo_makes() -> None:
    people = {person for record in BUNDLED.values() if isinstance(record, Post)
              for person in (*record.members, record.lead) if person}
    assert people <= set(Role)


def test_alerts_of_its_rooms_go_to_the_posts_of_their_agencies() -> None:
    organisation = Organisation({**BASE, **BUNDLED})

    def post(room: str, category: str, tier: str = "standard") -> str:
        unit = organisation.unit_of(room)
        labels = labels_of(category=[category], sub="", severity="high", tier=tier, rule="x", kind="", stage="",
                           room=room, units=[name for name in organisation.above(unit) if name], platform="",
                           vertical="", profile="", tags=())
        return route(labels, organisation.trees(unit), default=organisation.default_post(unit)).post

    assert post("demo-food", "absolute_claim") == "wanfeng-content"
    assert post("demo-clothing", "absolute_claim") == "qinghe-content"
    assert post("demo-clothing", "identity_ai") == "network-security"
    assert post("demo-food", "minors", tier="care") == "lead"
    assert post("of nobody", "absolute_claim") == "content-review"  # a room without a record


async def test_the_next_start_moves_the_evening_and_leaves_what_somebody_changed() -> None:
    organising, clock = world()
    await furnish(organising, clock, BUNDLED)
    changed = msgspec.structs.replace(organising.of("local").get(Slot, "later-tea"), note="改期")
    await organising.edit(SOMEBODY, [Edit(kind="slot", id="later-tea", record=changed),
                                     Edit(kind="unit", id="wanfeng", record=Unit(title="晚风")),
                                     Edit(kind="slot", id="tonight-tea", record=None)])
    clock.ms += 86_400_000
    await furnish(organising, clock, BUNDLED)
    after = organising.of("local")
    assert after.get(Slot, "tonight-food").starts == clock.ms - BEFORE_MS + BUNDLED["slot", "tonight-food"].starts
    assert after.get(Slot, "later-tea") == changed
    assert after.get(Slot, "tonight-tea") is None
    assert after.get(Unit, "wanfeng").title == "晚风"


async def test_a_folder_in_which_somebody_keeps_records_stays_as_it_is() -> None:
    organising, clock = world()
    await organising.edit(SOMEBODY, [Edit(kind="room", id="r", record=Room(title="我们的"))])
    await furnish(organising, clock, BUNDLED)
    kept = [one for kind in KINDS for one in await organising.listed(SOMEBODY, kind) if one.version]
    assert [one.id for one in kept] == ["r"]


async def test_each_room_of_it_has_a_link_that_shows_what_it_is_told() -> None:
    organising, clock = world()
    await furnish(organising, clock, BUNDLED)
    secrets = (f"rc_{number:040}" for number in count())
    links = RoomLinks(MemoryCues(MemoryPosts()), organising, clock, lambda: next(secrets))
    made = await link_rooms(links, organising)
    assert set(made) == {f"demo-{stream}" for stream in STREAMS} | {"demo-tea"}
    found = await links.of(made["demo-food"])
    assert found is not None and (found.room, found.expires_at) == ("demo-food", clock.ms + 86_400_000)


async def test_its_records_fill_the_ledger_of_corrections() -> None:
    organising, clock = world()
    await furnish(organising, clock, BUNDLED)
    for room in ("demo-food", "demo-beauty", "demo-jewellery"):
        told = alert(1, tenant="local", room=room, at=clock.ms)
        entry = Entry(alert=told, review=Review(), kind="transcript", role="host")
        cells = row(Ledger.CORRECTIONS, entry, around(organising.of("local"), entry, ZoneInfo("Asia/Shanghai")))
        about = dict(zip(HEADERS[Ledger.CORRECTIONS], cells, strict=True))
        assert all(about[name] for name in ABOUT_THE_ROOM), about
