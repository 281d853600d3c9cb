"""From a finding to a decision, on the real store: routed, queued, claimed, decided, learnt from, remembered."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.recordfiles import read_folder
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.alerts import AlertState, Withdrawal
from monitor.domain.errors import InputError
from monitor.domain.findings import Finding, Severity, Span, Tier
from monitor.domain.ids import alert_id
from monitor.domain.moves import Claim, Decide, Escalate, Outcome, Rectify, Release, Remedy, Undo
from monitor.domain.organisation import Room, Routes, Unit
from monitor.domain.people import Actor, Grant, Role
from monitor.domain.routing import Route
from monitor.services.cases import QueueFilter
from monitor.services.dispatch import Dispatcher
from monitor.services.organising import Organising
from monitor.services.recordings import Edit
from monitor.services.records import Commit, ContextChunk, LabelFilter, Position, Update
from monitor.services.review import ReviewDesk, Wanted
from tests.contract.test_store import NOON, finding

CONFIG = Path(__file__).parents[2] / "config" / "post"
OPERATOR = Actor(id="op", tenant="local", grants=(Grant(Role.OPERATOR),))
LEAD = Actor(id="lin", tenant="local", grants=(Grant(Role.LEAD),))
WANG = Actor(id="wang", tenant="local", grants=(Grant(Role.REVIEWER),))
ZHAO = Actor(id="zhao", tenant="local", grants=(Grant(Role.REVIEWER),))


class Still:
    """Implements `Clock`: stands at `ms`."""

    def __init__(self) -> None:
        self.ms = NOON

    def now(self) -> int:
        return self.ms


class Told:
    def __init__(self) -> None:
        self.updates: list[Update] = []

    def publish(self, updates) -> None:
        self.updates += updates


class World:
    """A store, the desks over it, and one writer of findings."""

    def __init__(self, store: SqlStore, posts: SqlPosts) -> None:
        self.store, self.posts = store, posts
        self.clock, self.told, self.telemetry = Still(), Told(), PrometheusTelemetry()
        self.organising = Organising(posts, self.clock, read_folder(CONFIG))
        self.dispatcher = Dispatcher(self.organising.of, lambda text: text.replace(" ", ""))
        self.desk = ReviewDesk(posts, self.organising, self.told, self.clock, self.telemetry)
        self.seq = 0
        self.position: Position | None = None

    async def find(self, *found: Finding, withdrawals: Sequence[Withdrawal] = (), context: Sequence[ContextChunk] = ()
                   ) -> list[Update]:
        if self.position is None:
            self.position = await self.store.claim(0)
        self.seq += 1
        commit = Commit(position=Position(0, self.seq, self.position.epoch), expected=self.seq - 1, findings=found,
                        withdrawals=withdrawals, context=context, now=self.clock.now())
        return await self.store.apply([commit], self.dispatcher)

    async def cards(self, actor: Actor = LEAD, **where) -> list[tuple[str, str, list[str]]]:
        page = await self.desk.queue(actor, QueueFilter(posts=(), **where), cursor=None, limit=50)
        return [(card.post, card.room, [alert.rule for alert in card.alerts]) for card in page.cards]

    async def act(self, actor: Actor, alert: str, move, version: int | None = None):
        answered = await self.desk.move(actor, [Wanted(alert, move, version)], together=True)
        for why in answered.refused.values():
            raise why
        return answered.cases[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(tmp_path / "store.db")
    yield World(SqlStore(database), SqlPosts(database))
    await database.close()


VIOLATION = Decide(outcome=Outcome.VIOLATION, reason="as_found")
LAWFUL = Decide(outcome=Outcome.NO_VIOLATION, reason="lawful_context")


async def test_a_finding_goes_to_its_post_and_is_decided(world: World) -> None:
    await world.find(finding("a"), finding("b", room="room-2", category=["personal_info"], rule="personal_info.phone"))
    assert sorted(await world.cards()) == [("content-review", "room-1", ["advertising.absolute_claim"]),
                                           ("network-security", "room-2", ["personal_info.phone"])]
    case = await world.act(WANG, alert_id("a"), Claim())
    assert (case.alert.state, case.alert.claimed_by) == (AlertState.CLAIMED, "wang")
    with pytest.raises(Exception, match="wang has claimed it"):
        await world.act(ZHAO, alert_id("a"), VIOLATION)
    case = await world.act(WANG, alert_id("a"), VIOLATION, version=1)
    assert (case.alert.state, case.alert.outcome, case.review.ruling.clause) == ("violation", "violation", "AD-09-3")
    assert [card[1] for card in await world.cards()] == ["room-2"]
    page = await world.store.labels("local", LabelFilter(), cursor=None, limit=10)
    assert [(label.labels, label.by, label.source) for label in page.labels] == [
        (["absolute_claim"], "wang", "review")]
    case = await world.act(WANG, alert_id("a"), Rectify(remedy=Remedy.CORRECTED_ON_AIR))
    history = await world.desk.history(WANG, alert_id("a"))
    assert [moved.move["move"] for moved in history.moves] == ["claim", "decide", "rectify"]
    assert [update.what for update in world.told.updates] == ["moved"] * 3
    rows = await world.posts.rows("local", after=0, limit=10)
    assert [row.deed.what for row in rows] == ["alert.claim", "alert.decide", "alert.rectify"]


async def test_an_alert_is_moved_once_a_request(world: World) -> None:
    await world.find(finding("a"))
    twice = [Wanted(alert_id("a"), Claim(), 0), Wanted(alert_id("a"), VIOLATION, 0)]
    with pytest.raises(InputError, match="stands here twice"):
        await world.desk.move(WANG, twice, together=False)
    assert (await world.desk.history(WANG, alert_id("a"))).moves == []


async def test_the_same_words_after_no_violation_are_held_and_counted(world: World) -> None:
    await world.find(finding("a"))
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.find(finding("b", at=NOON + 700_000, event="later"))
    case = (await world.desk.history(WANG, alert_id("b"))).case
    assert (case.alert.state, case.alert.reason, case.alert.held_by) == ("held", "same_wording", alert_id("a"))
    assert await world.cards() == []
    with pytest.raises(Exception, match="takes the permission lead"):
        await world.act(WANG, alert_id("b"), Release())
    assert (await world.act(LEAD, alert_id("b"), Release())).alert.state == "open"


async def test_a_repeat_of_a_violation_ranks_higher(world: World) -> None:
    await world.find(finding("a"))
    first = (await world.desk.history(WANG, alert_id("a"))).case
    await world.act(WANG, alert_id("a"), VIOLATION)
    await world.find(finding("b", at=NOON + 700_000, event="later"))
    case = (await world.desk.history(WANG, alert_id("b"))).case
    assert case.kept.repeats == alert_id("a") and case.alert.priority > first.alert.priority


async def test_a_graver_alert_hides_a_lesser_one_until_it_is_found_lawful(world: World) -> None:
    await world.find(finding("a", severity=Severity.CRITICAL), finding("b", rule="other", event="e2"))
    assert [card[2] for card in await world.cards()] == [["advertising.absolute_claim"]]
    await world.act(WANG, alert_id("a"), LAWFUL)
    assert [card[2] for card in await world.cards()] == [["other"]]


async def test_an_undo_takes_back_what_was_learnt_and_remembered(world: World) -> None:
    await world.find(finding("a"))
    await world.act(WANG, alert_id("a"), LAWFUL)
    case = await world.act(WANG, alert_id("a"), Undo())
    assert (case.alert.state, case.alert.version, case.alert.outcome) == ("open", 2, "")
    (label,) = (await world.store.labels("local", LabelFilter(), cursor=None, limit=10)).labels
    assert label.withdrawn is not None and (label.withdrawn.by, label.withdrawn.reason) == ("wang", "undo")
    await world.find(finding("b", at=NOON + 700_000, event="later"))
    assert (await world.desk.history(WANG, alert_id("b"))).case.alert.state == "open"


async def test_moments_are_one_card_with_the_rank_of_the_most_urgent(world: World) -> None:
    await world.find(finding("a", event="e"), finding("b", event="e", rule="minor", category=["minors"],
                                                      severity=Severity.LOW),
                     finding("c", event="f", rule="third", category=["vulgar_sexual"], severity=Severity.MEDIUM))
    assert [card[2] for card in await world.cards()] == [["advertising.absolute_claim", "minor"], ["third"]]


async def test_of_equal_alerts_that_of_the_most_words_leads_its_card(world: World) -> None:
    def words(end: int) -> list[Span]:
        return [Span(0, end, "x" * end, "claim", "plain")]

    await world.find(*(finding(name, event="e", rule=rule, spans=words(end))
                       for name, rule, end in (("a", "short", 2), ("b", "long", 5), ("c", "also_short", 2))))
    assert [card[2] for card in await world.cards()] == [["long", "also_short", "short"]]


async def test_time_ends_leases_and_escalates(world: World) -> None:
    await world.find(finding("a"))
    await world.act(WANG, alert_id("a"), Claim())
    world.clock.ms += 121_000
    assert await world.desk.pass_time() == 1
    case = (await world.desk.history(WANG, alert_id("a"))).case
    assert (case.alert.state, case.alert.claimed_by) == ("open", "")
    world.clock.ms += 3_600_000
    await world.desk.pass_time()
    case = (await world.desk.history(WANG, alert_id("a"))).case
    assert case.alert.reason.endswith("_overdue")
    with pytest.raises(Exception, match="no unit above"):
        await world.act(WANG, alert_id("a"), Escalate(note="help"))


async def test_care_is_never_held(world: World) -> None:
    await world.find(finding("a", tier=Tier.CARE, category=[]), finding("b", severity=Severity.CRITICAL, event="x"))
    assert [card[0] for card in await world.cards()] == ["lead", "content-review"]


async def test_a_queue_of_one_platform_and_of_what_is_old(world: World) -> None:
    await world.organising.edit(OPERATOR, [
        Edit(kind="room", id="room-1", record=Room(platform="douyin")),
        Edit(kind="room", id="room-2", record=Room(platform="kuaishou")),
    ])
    await world.find(finding("a"), finding("b", room="room-2", event="f"), finding("c", room="room-3", event="g"))

    async def rooms(**where: Any) -> list[str]:
        page = await world.desk.queue(LEAD, QueueFilter(posts=(), **where), cursor=None, limit=9)
        return sorted(card.room for card in page.cards)

    at = (await world.desk.queue(LEAD, QueueFilter(posts=()), cursor=None, limit=9)).cards[0].at
    assert await rooms() == ["room-1", "room-2", "room-3"]
    assert await rooms(platform="kuaishou") == ["room-2"] and await rooms(platform="huya") == []
    assert await rooms(before=at) == [] and await rooms(before=at + 1, platform="douyin") == ["room-1"]


async def test_what_no_route_answers_lies_with_the_default_post_and_is_shown_as_such(world: World) -> None:
    await world.organising.edit(OPERATOR, [
        Edit(kind="routes", id="tenant", record=Routes(tree=Route(routes=(
            Route(match={"category": ("personal_info",)}, post="network-security"),)))),
        Edit(kind="unit", id="east", record=Unit(title="east", default_post="product-quality")),
        Edit(kind="room", id="room-2", record=Room(unit="east")),
    ])
    await world.find(finding("a"), finding("b", room="room-2"), finding("c", room="room-3", category=["personal_info"]))
    cards = await world.desk.queue(LEAD, QueueFilter(posts=()), cursor=None, limit=9)
    assert sorted((card.post, card.room, card.unrouted) for card in cards.cards) == [
        ("", "room-1", True), ("network-security", "room-3", False), ("product-quality", "room-2", True)]
    assert sorted(card[0] for card in await world.cards(unrouted=True)) == ["", "product-quality"]
    assert [card[0] for card in await world.cards(unrouted=False)] == ["network-security"]
    assert "" not in [card[0] for card in await world.cards(WANG)], "leads and operators see what nobody has"
    told = {(each.post, each.severity): (each.count, each.unrouted) for each in await world.store.open_alerts()}
    assert told == {("", "high"): (1, 1), ("network-security", "high"): (1, 0), ("product-quality", "high"): (1, 1)}
