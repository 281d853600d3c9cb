"""What the fate of one alert does to others: chains of graver and lesser ones, given free and hidden again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.findings import Finding, Severity
from monitor.domain.ids import alert_id
from monitor.domain.moves import Claim, Reopen, Undo
from monitor.domain.organisation import Post, Room, Routes, Unit
from monitor.domain.people import Actor, Permission
from monitor.domain.routing import Route
from monitor.services.cases import Case
from monitor.services.recordings import Edit
from monitor.services.review import Wanted
from tests.contract.test_store import NOON, finding, withdrawal
from tests.unit.test_post_flow import LAWFUL, LEAD, VIOLATION, WANG, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(tmp_path / "store.db")
    yield World(SqlStore(database), SqlPosts(database))
    await database.close()


def chain() -> list[Finding]:
    """Graver and graver: a over b over c."""
    return [finding("a", severity=Severity.CRITICAL, rule="a"), finding("b", severity=Severity.HIGH, rule="b"),
            finding("c", severity=Severity.LOW, rule="c")]


async def holders(world: World) -> dict[str, str]:
    """By alert of the chain, its state; of a held one, who holds it."""
    names = {alert_id(name): name for name in "abc"}
    found = {}
    for name in "abc":
        alert = (await world.desk.history(LEAD, alert_id(name))).case.alert
        found[name] = names[alert.held_by] if alert.held_by else alert.state.value
    return found


async def test_found_lawful_the_next_one_hides_the_rest(world: World) -> None:
    await world.find(*chain())
    assert await holders(world) == {"a": "open", "b": "a", "c": "a"}
    await world.act(WANG, alert_id("a"), LAWFUL)
    assert await holders(world) == {"a": "closed", "b": "open", "c": "b"}
    await world.act(WANG, alert_id("b"), LAWFUL)
    assert await holders(world) == {"a": "closed", "b": "closed", "c": "open"}
    history = await world.desk.history(LEAD, alert_id("c"))
    assert [(moved.move["move"], moved.by) for moved in history.moves] == [("hidden", "time"), ("freed", "time")]
    assert len(await world.cards()) == 1


async def test_an_undo_hides_again_what_was_given_free(world: World) -> None:
    await world.find(*chain())
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.act(WANG, alert_id("a"), Undo())
    assert await holders(world) == {"a": "open", "b": "a", "c": "b"}
    assert [card[2] for card in await world.cards()] == [["a"]]
    await world.act(WANG, alert_id("a"), LAWFUL)
    assert await holders(world) == {"a": "closed", "b": "open", "c": "b"}
    await world.act(LEAD, alert_id("a"), Reopen(note="noch einmal"))
    assert await holders(world) == {"a": "open", "b": "a", "c": "b"}


async def test_what_somebody_works_on_stays_theirs(world: World) -> None:
    await world.find(*chain())
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.act(LEAD, alert_id("b"), Claim())
    await world.act(WANG, alert_id("a"), Undo())
    assert await holders(world) == {"a": "open", "b": "claimed", "c": "b"}


async def test_of_a_violation_what_it_hides_is_a_part(world: World) -> None:
    await world.find(*chain())
    await world.act(WANG, alert_id("a"), VIOLATION)
    assert await holders(world) == {"a": "violation", "b": "a", "c": "a"}
    await world.act(WANG, alert_id("a"), Undo())
    assert await holders(world) == {"a": "open", "b": "a", "c": "a"}
    await world.act(WANG, alert_id("a"), VIOLATION)
    await world.act(LEAD, alert_id("a"), Reopen(note="x"))
    await world.act(LEAD, alert_id("a"), LAWFUL)
    assert await holders(world) == {"a": "closed", "b": "open", "c": "b"}


async def test_one_that_is_withdrawn_gives_free_what_it_hid(world: World) -> None:
    await world.find(*chain())
    updates = await world.find(withdrawals=[withdrawal("e-a", 2)])
    assert await holders(world) == {"a": "withdrawn", "b": "open", "c": "b"}
    assert [(u.what, u.alert.id) for u in updates] == [
        ("withdrawn", alert_id("a")), ("moved", alert_id("b")), ("moved", alert_id("c"))]
    assert [card[2] for card in await world.cards()] == [["b"]]
    rows = await world.posts.rows("local", after=0, limit=9)
    assert [(row.deed.what, row.deed.by) for row in rows] == [("alert.freed", "time"), ("alert.hidden", "time")]


async def test_a_freed_one_has_the_clocks_of_its_own_post(world: World) -> None:
    slow = Post(title="慢岗")
    slow = Post(title=slow.title, clocks=type(slow.clocks)(limits={}))
    chief = Actor(id="chief", tenant="local", everywhere=frozenset(Permission))
    await world.organising.edit(chief, [
        Edit(kind="post", id="slow", record=slow),
        Edit(kind="routes", id="tenant", record=Routes(tree=Route(post="content-review", routes=(
            Route(match={"rule": ("b",)}, post="slow"),))))])
    await world.find(*chain()[:2])
    await world.act(WANG, alert_id("a"), LAWFUL)
    case = (await world.desk.history(LEAD, alert_id("b"))).case
    assert (case.alert.state, case.alert.post, case.alert.due) == ("open", "slow", None)


async def test_the_same_words_are_not_held_for_a_decision_that_is_taken_back(world: World) -> None:
    await world.find(finding("a"))
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.find(finding("b", at=NOON + 700_000, event="later"))
    assert (await world.desk.history(LEAD, alert_id("b"))).case.alert.reason == "same_wording"
    await world.act(WANG, alert_id("a"), Undo())
    assert (await world.desk.history(LEAD, alert_id("b"))).case.alert.state == "open"
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.act(LEAD, alert_id("a"), Reopen(note="x"))
    assert (await world.desk.history(LEAD, alert_id("b"))).case.alert.state == "open", "it was hidden by no graver one"


async def test_other_rooms_and_other_categories_are_not_touched(world: World) -> None:
    await world.find(*chain(), finding("x", room="room-2", rule="x", severity=Severity.LOW),
                     finding("y", rule="y", severity=Severity.LOW, category=["minors"]))
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.act(WANG, alert_id("a"), Undo())
    for name in "xy":
        history = await world.desk.history(LEAD, alert_id(name))
        assert (history.case.alert.state, history.moves) == ("open", [])


async def test_an_undo_hides_what_a_lesser_one_had_freed_meanwhile(world: World) -> None:
    await world.find(*chain())
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.act(LEAD, alert_id("b"), LAWFUL)
    assert await holders(world) == {"a": "closed", "b": "closed", "c": "open"}
    await world.act(WANG, alert_id("a"), Undo())
    assert await holders(world) == {"a": "open", "b": "closed", "c": "a"}
    await world.act(WANG, alert_id("a"), LAWFUL)
    assert await holders(world) == {"a": "closed", "b": "closed", "c": "open"}


async def test_what_a_clock_alone_has_moved_is_hidden_again(world: World) -> None:
    chief = Actor(id="chief", tenant="local", everywhere=frozenset(Permission))
    await world.organising.edit(chief, [
        Edit(kind="unit", id="top", record=Unit(title="t")),
        Edit(kind="unit", id="east", record=Unit(title="e", above="top")),
        Edit(kind="post", id="up", record=Post(title="上", unit="top")),
        Edit(kind="post", id="here", record=Post(title="下", unit="east")),
        Edit(kind="room", id="room-1", record=Room(unit="east")),
        Edit(kind="routes", id="tenant", record=Routes(tree=Route(post="here")))])
    await world.find(*chain()[:2])
    await world.act(WANG, alert_id("a"), LAWFUL)
    world.clock.ms += 3_600_000
    await world.desk.pass_time()
    assert (await case_of(world, "b")).review.why.endswith("_overdue")
    assert (await case_of(world, "b")).alert.state == "escalated"
    await world.act(LEAD, alert_id("a"), Reopen(note="x"))
    assert (await case_of(world, "b")).alert.held_by == alert_id("a")


async def case_of(world: World, name: str) -> Case:
    return (await world.desk.history(LEAD, alert_id(name))).case


@pytest.mark.parametrize("decision", [LAWFUL, VIOLATION])
async def test_what_goes_back_to_being_held_by_one_that_holds_it_no_more_is_free(world: World, decision) -> None:
    await world.find(*chain()[:2])
    await world.act(LEAD, alert_id("b"), decision)
    await world.act(WANG, alert_id("a"), LAWFUL)
    await world.act(LEAD, alert_id("b"), Undo())
    assert (await case_of(world, "b")).alert.state == "open"
    assert (await case_of(world, "b")).alert.due is not None
    await world.act(WANG, alert_id("a"), Undo())
    assert (await case_of(world, "b")).alert.held_by == alert_id("a")
    await world.act(LEAD, alert_id("b"), decision)
    await world.act(LEAD, alert_id("b"), Undo())
    assert (await case_of(world, "b")).alert.held_by == alert_id("a"), "it still hides it"


async def test_a_decision_and_its_undo_in_one_transaction(world: World) -> None:
    """Moves that come together are written in one stroke: what the first has freed is in no table yet."""
    await world.find(*chain())
    await asyncio.gather(*(
        world.desk.move(WANG, [Wanted(alert_id("a"), move)], together=True) for move in (LAWFUL, Undo())))
    assert await holders(world) == {"a": "open", "b": "a", "c": "b"}
    await asyncio.gather(*(
        world.desk.move(WANG, [Wanted(alert_id("a"), move)], together=True) for move in (LAWFUL, Undo(), LAWFUL)))
    assert await holders(world) == {"a": "closed", "b": "open", "c": "b"}
