"""What is held back: listed, released, decided in steps; silences and their preview; exceptions; the same words
elsewhere; where an alert would go."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.holding import SqlHolds
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.errors import InputError, NotFound
from monitor.domain.findings import Finding, Severity, Span, Tier
from monitor.domain.ids import alert_id
from monitor.domain.moves import Release
from monitor.domain.organisation import Post, Product, Room, Routes, Slot, Unit
from monitor.domain.people import Actor, Grant, Permission, Role
from monitor.domain.routing import Route
from monitor.domain.suppression import Hold, Silence, Waiver
from monitor.services.holding import HoldDesk, reason
from monitor.services.recordings import Edit
from monitor.services.trying import RouteDesk, Trial
from tests.contract.test_store import NOON, finding
from tests.unit.test_post_flow import LAWFUL, LEAD, VIOLATION, WANG, World

CHIEF = Actor(id="chief", tenant="local", everywhere=frozenset(Permission))
HOUR = 3_600_000


class House(World):
    """With the desks of what is held."""

    def __init__(self, database: Database) -> None:
        super().__init__(SqlStore(database), SqlPosts(database))
        holds = SqlHolds(database)
        self.holding = HoldDesk(holds, self.dispatcher.breaker, self.desk, self.organising, self.clock, self.telemetry)
        self.trying = RouteDesk(self.dispatcher, holds, self.desk, self.organising, self.clock)

    async def put(self, kind: str, name: str, record: object) -> None:
        await self.organising.edit(CHIEF, [Edit(kind=kind, id=name, record=record)])

    async def states(self, *names: str) -> list[str]:
        return [(await self.desk.history(LEAD, alert_id(name))).case.alert.state.value for name in names]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    database = await Database.open(tmp_path / "store.db")
    yield House(database)
    await database.close()


def silence(**match: str) -> Silence:
    wanted = {name: (value,) for name, value in match.items()}
    return Silence(match=wanted, reason="彩排", begins=NOON, ends=NOON + HOUR)


async def test_a_silence_holds_until_it_ends_and_is_listed_with_its_reason(house: House) -> None:
    await house.put("silence", "rehearsal", silence(room="room-1"))
    await house.find(finding("a"), finding("b", room="room-2"))
    assert await house.states("a", "b") == ["held", "open"]
    found = await house.holding.holders(LEAD)
    (holder,) = found.holders
    assert found.totals == {"silenced": 1}
    assert (holder.why, holder.by, holder.held, holder.ends) == (Hold.SILENCED, "rehearsal", 1, NOON + HOUR)
    assert "彩排" in holder.about and "chief" in holder.about and holder.sample.id == alert_id("a")
    house.clock.ms = NOON + HOUR
    await house.find(finding("c", event="later", at=NOON + HOUR))
    assert await house.states("a", "c") == ["held", "open"], "by itself; what it held stays until somebody looks"


async def test_what_a_graver_alert_hides_is_listed_in_words(house: House) -> None:
    await house.find(finding("grave", severity=Severity.CRITICAL))
    await house.find(finding("light", severity=Severity.LOW, rule="r"))
    (holder,) = (await house.holding.holders(LEAD)).holders
    assert (holder.why, holder.by) == (Hold.INHIBITED, alert_id("grave"))
    assert holder.about == "room-1: a graver alert of the same category is to be decided first"


async def test_a_silence_is_undone_with_what_it_held(house: House) -> None:
    await house.put("silence", "rehearsal", silence(rule="advertising.absolute_claim"))
    await house.find(*(finding(f"f{n}", room=f"room-{n}") for n in range(25)))
    assert await house.cards() == []
    await house.put("silence", "rehearsal", None)
    cursor, lefts = None, []
    while True:
        done = await house.holding.move(LEAD, Hold.SILENCED, "rehearsal", Release(), cursor=cursor, limit=10)
        lefts.append((done.moved, done.left))
        if done.next is None:
            break
        cursor = done.next
    assert lefts == [(10, 15), (10, 5), (5, 0)]
    assert len(await house.cards()) == 25
    rows = await house.posts.rows("local", after=0, limit=100)
    assert [row.deed.what for row in rows].count("alert.release") == 25


async def test_what_one_may_not_move_is_passed_over_and_named(house: House) -> None:
    await house.put("silence", "s", silence(rule="advertising.absolute_claim"))
    await house.find(*(finding(f"f{n}", room=f"room-{n}") for n in range(3)))
    done = await house.holding.move(WANG, Hold.SILENCED, "s", Release(), cursor=None, limit=2)
    assert (done.moved, len(done.refused), done.left) == (0, 2, 3) and done.next is not None
    assert "permission lead" in next(iter(done.refused.values()))
    done = await house.holding.move(WANG, Hold.SILENCED, "s", Release(), cursor=done.next, limit=2)
    assert (len(done.refused), done.next) == (1, None), "it comes to an end"


async def test_held_ones_are_decided_in_bulk(house: House) -> None:
    await house.put("silence", "s", silence(rule="advertising.absolute_claim"))
    await house.find(*(finding(f"f{n}", room=f"room-{n}") for n in range(3)))
    done = await house.holding.move(LEAD, Hold.SILENCED, "s", LAWFUL, cursor=None, limit=500)
    assert (done.moved, done.left) == (3, 0)
    assert await house.states("f0", "f1", "f2") == ["closed"] * 3
    assert (await house.holding.holders(LEAD)).totals == {}


async def test_people_of_a_unit_see_and_move_what_is_held_of_its_rooms(house: House) -> None:
    for name in ("east", "west"):
        await house.put("unit", name, Unit(title=name))
        await house.put("room", name, Room(unit=name))
    await house.put("silence", "s", silence(rule="advertising.absolute_claim"))
    await house.find(finding("a", room="east"), finding("b", room="west"))
    lead = Actor(id="east-lead", tenant="local", grants=(Grant(Role.LEAD, "east"),))
    assert [(holder.held, holder.sample.room) for holder in (await house.holding.holders(lead)).holders] == [
        (1, "east")]
    page = await house.holding.held(lead, Hold.SILENCED, "s", cursor=None, limit=10)
    assert [alert.room for alert in page.alerts] == ["east"]
    done = await house.holding.move(lead, Hold.SILENCED, "s", Release(), cursor=None, limit=10)
    assert (done.moved, done.left) == (1, 0)
    assert await house.states("a", "b") == ["open", "held"]
    stranger = Actor(id="x", tenant="other", everywhere=frozenset(Permission))
    assert (await house.holding.holders(stranger)).holders == []
    assert (await house.holding.held(stranger, Hold.SILENCED, "s", cursor=None, limit=10)).alerts == []


async def test_a_preview_counts_open_ones_and_those_of_the_last_day(house: House) -> None:
    await house.put("room", "room-2", Room(tags=("red_room",), platform="douyin"))
    await house.find(finding("a"), finding("b", room="room-2"), finding("old", room="room-2", rule="r", event="o",
                                                                       at=NOON - 30 * HOUR))
    await house.act(LEAD, alert_id("b"), LAWFUL)
    await house.act(LEAD, alert_id("old"), LAWFUL)
    seen = await house.holding.preview(LEAD, {"category": ("absolute_claim",)}, {})
    assert (seen.standing, seen.last_day, seen.complete) == (1, 2, True)
    seen = await house.holding.preview(
        LEAD, {"tag": ("red_room",), "kind": ("transcript",)}, {"platform": ("kuaishou",)})
    assert (seen.standing, seen.last_day, [alert.id for alert in seen.sample]) == (0, 1, [alert_id("b")])
    with pytest.raises(InputError, match="there is no label 'colour'"):
        await house.holding.preview(LEAD, {"colour": ("red",)}, {})


@pytest.mark.parametrize("kind, record, told", [
    ("silence", Silence(match={}, reason="x", begins=1, ends=2), "silence everything"),
    ("silence", Silence(match={"room": ("r",)}, reason="x", begins=2, ends=2), "ends before it begins"),
    ("silence", Silence(match={"severity": ("huge",)}, reason="x", begins=1, ends=2), "no severity is 'huge'"),
    ("exception", Waiver(rule="r", wording="w", proof="p", ends=2), "name a `room` or a `product`"),
    ("exception", Waiver(rule="r", wording="w", product="sku", proof="p", ends=2), "no product 'sku'"),
])
async def test_a_silence_or_exception_that_makes_no_sense_is_refused(house: House, kind, record, told) -> None:
    with pytest.raises(InputError, match=told):
        await house.put(kind, "x", record)


def said(name: str, text: str, hit: str, **other: object) -> Finding:
    start = text.index(hit)
    return finding(name, text=text, spans=[Span(start, start + len(hit), hit, "claim", "plain")], **other)


async def test_an_exception_covers_its_wording_in_its_room_until_it_ends(house: House) -> None:
    await house.put("exception", "x", Waiver(
        rule="advertising.absolute_claim", wording="全网最好", room="room-1", proof="认证 7 号", ends=NOON + HOUR))
    await house.find(finding("a"), finding("b", room="room-2"), finding("c", rule="other", event="c"),
                     said("d", "全网最好，世界第一", "世界第一", event="d"))
    assert await house.states("a", "b", "c", "d") == ["held", "open", "open", "open"]
    (holder,) = (await house.holding.holders(LEAD)).holders
    assert (holder.why, holder.by) == (Hold.EXCEPTED, "x") and "认证 7 号" in holder.about
    house.clock.ms += HOUR
    await house.find(finding("e", event="e", room="room-1"))
    assert await house.states("e") == ["open"]


async def test_an_exception_for_a_product_counts_while_that_is_on_the_plan_or_named(house: House) -> None:
    await house.put("product", "sku-1", Product(title="玉露面膜"))
    await house.put("exception", "x", Waiver(
        rule="advertising.absolute_claim", wording="全网最好", product="sku-1", proof="认证 7 号", ends=NOON + HOUR))
    await house.put("room", "room-2", Room(title="二号"))
    await house.put("slot", "tonight", Slot(room="room-2", starts=NOON, ends=NOON + 60_000, products=("sku-1",)))
    await house.find(finding("a"), finding("b", room="room-2"),
                     said("c", "玉露 面膜就是全网最好", "全网最好", room="room-3"))
    assert await house.states("a", "b", "c") == ["open", "held", "held"]
    house.clock.ms += 60_000
    await house.find(finding("d", room="room-2", event="d"))
    assert await house.states("d") == ["open"], "the slot is over"


async def test_the_same_words_in_other_rooms_are_decided_together(house: House) -> None:
    await house.find(finding("a"), finding("b", room="room-2", text="这就是 全网最好 𝒶 ***"),
                     finding("c", room="room-3", rule="other"), finding("d", room="room-4", text="别的"),
                     finding("e", room="room-5", tenant="other"), finding("f", room="room-6"))
    await house.act(LEAD, alert_id("f"), LAWFUL)
    alike = (await house.holding.alike(LEAD, alert_id("a"))).alerts
    assert [alert.id for alert in alike] == [alert_id("b")], "spaces aside; open ones of this tenant"
    answered = await house.desk.move(LEAD, [_decided(name) for name in ("a", "b")], together=True)
    assert [case.alert.state for case in answered.cases] == ["violation"] * 2
    assert (await house.holding.alike(LEAD, alert_id("a"))).alerts == []
    with pytest.raises(NotFound):
        await house.holding.alike(replace(LEAD, tenant="stranger"), alert_id("a"))


def _decided(name: str):
    from monitor.services.review import Wanted

    return Wanted(alert_id(name), VIOLATION)


def test_only_reasons_that_there_are() -> None:
    assert reason("storm") is Hold.STORM
    with pytest.raises(NotFound, match="nothing is held for the reason 'rain'"):
        reason("rain")


async def test_where_an_alert_would_go_and_why(house: House) -> None:
    await house.put("unit", "east", Unit(title="华东"))
    await house.put("unit", "hangzhou", Unit(title="杭州", above="east"))
    await house.put("post", "east-watch", Post(title="华东岗", unit="east"))
    await house.put("room", "r", Room(unit="hangzhou", platform="douyin", tags=("red_room",)))
    await house.put("routes", "east", Routes(tree=Route(routes=(
        Route(match={"tag": ("red_room",)}, post="lead", go_on=True),
        Route(match={"platform": ("douyin",)}, unless={"category": ("personal_info",)}, post="east-watch",
              wait_s=30)))))
    tried = await house.trying.test(LEAD, Trial(room="r", rule="x", category="absolute_claim"))
    assert (tried.post, tried.title, tried.also, tried.unrouted) == ("lead", "岗长", ["east-watch"], False)
    assert [(step.unit, step.place, step.post) for step in tried.why] == [
        ("east", "1", "lead"), ("east", "2", "east-watch")]
    assert tried.why[1].unless == {"category": ["personal_info"]}
    assert tried.labels["unit"] == ["east", "hangzhou"], "inherited down the tree"
    tried = await house.trying.test(LEAD, Trial(room="r", category="personal_info", tag="none"))
    assert (tried.post, tried.why[0].unit, tried.why[0].place) == ("network-security", "", "2")
    tried = await house.trying.test(LEAD, Trial(unit="east", platform="douyin"))
    assert (tried.post, tried.wait_s) == ("east-watch", 30)


async def test_a_trial_tells_nothing_of_other_units(house: House) -> None:
    for unit in ("east", "west"):
        await house.put("unit", unit, Unit(title=unit))
        await house.put("room", f"{unit}-1", Room(unit=unit, platform="douyin"))
    li = Actor(id="li", tenant="local", grants=(Grant(Role.LEAD, "east"),))
    assert (await house.trying.test(li, Trial(room="east-1", unit="east"))).labels["platform"] == ["douyin"]
    for trial in (Trial(room="west-1"), Trial(room="none"), Trial(unit="west"), Trial(unit="none")):
        with pytest.raises(NotFound, match=r"there is no (room|unit) (west|none)"):
            await house.trying.test(li, trial)


async def test_a_trial_shows_what_no_route_answers_and_what_would_hold(house: House) -> None:
    await house.put("unit", "east", Unit(title="east", default_post="product-quality"))
    await house.put("room", "room-1", Room(unit="east"))
    await house.put("routes", "tenant", Routes(tree=Route(routes=(Route(match={"tier": ("care",)}, post="lead"),))))
    await house.put("silence", "s", silence(room="room-1"))
    await house.put("exception", "x", Waiver(rule="r", wording="第一", room="room-1", proof="p", ends=NOON + HOUR))
    await house.find(finding("grave", severity=Severity.CRITICAL, tier=Tier.CARE))
    asked = Trial(room="room-1", rule="r", text="第一", category="absolute_claim", severity=Severity.LOW)
    tried = await house.trying.test(LEAD, asked)
    assert (tried.post, tried.unrouted, tried.why) == ("product-quality", True, [])
    assert [(each.why, each.by) for each in tried.held] == [
        ("excepted", "x"), ("silenced", "s"), ("inhibited", alert_id("grave"))]
    assert (await house.trying.test(LEAD, replace(asked, tier=Tier.CARE))).held == []


async def test_a_trial_of_an_alert_tells_what_became_of_it(house: House) -> None:
    await house.find(finding("a", category=["personal_info"]))
    tried = await house.trying.test(LEAD, Trial(alert=alert_id("a")))
    kept = (await house.desk.history(LEAD, alert_id("a"))).case.kept
    assert tried.post == kept.review.post == "network-security" and tried.labels["kind"] == ["transcript"]
    with pytest.raises(NotFound):
        await house.trying.test(LEAD, Trial(alert="none"))
