"""Figures: what people did is counted, in the index of lists, and for nobody by name."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import event

from monitor.adapters.sqlite import sqlite3
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.figures import SqlFigures
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.errors import InputError
from monitor.domain.findings import Severity
from monitor.domain.ids import alert_id
from monitor.domain.moves import Claim, Undo
from monitor.domain.organisation import Room, Unit
from monitor.domain.people import Actor, Grant, Role
from monitor.services.figures import (
    DAY_MS,
    HOUR_MS,
    Backlog,
    FigureFilter,
    Figures,
    Load,
    RuleShare,
    Slice,
    Spread,
    rank,
)
from monitor.services.lifecycle import ModelList, ModelState
from monitor.services.recordings import Edit
from tests.contract.test_store import finding
from tests.fakes.figures import MemoryFigures
from tests.fakes.posts import MemoryPosts
from tests.faults.streams import engine_of
from tests.unit.test_post_flow import LAWFUL, LEAD, NOON, VIOLATION, WANG, World, world  # noqa: F401

WHERE = FigureFilter(since=NOON - HOUR_MS, until=NOON + HOUR_MS, step_ms=HOUR_MS)
KEEPER = Actor(id="boss", tenant="local", grants=(Grant(Role.UNIT_ADMIN),))
RULE = "advertising.absolute_claim"


async def busy(world: World) -> SqlFigures:  # noqa: F811
    """Four alerts: one found to be a violation, one lawful, one claimed, one open of another branch."""
    await world.organising.edit(KEEPER, [Edit(kind="unit", id="east", record=Unit(title="东")),
                                         Edit(kind="room", id="room-4", record=Room(unit="east"))])
    await world.find(
        finding("a"), finding("b", room="room-2", event="x"), finding("c", room="room-3", event="y", rule="other"),
        finding("d", room="room-4", event="z", severity=Severity.LOW, category=["minors"], rule="third"))
    case = await world.posts.case("local", alert_id("a"))
    assert case is not None
    accepted = case.alert.accepted_at
    world.clock.ms = accepted + 20_000
    await world.act(WANG, alert_id("a"), Claim())
    await world.act(WANG, alert_id("c"), Claim())
    world.clock.ms = accepted + 65_000
    await world.act(WANG, alert_id("a"), VIOLATION)
    await world.act(WANG, alert_id("b"), LAWFUL)
    return SqlFigures(world.posts._database)


async def test_what_people_did_is_counted(world: World) -> None:  # noqa: F811
    found = await (await busy(world)).counts("local", WHERE, now=world.clock.ms)
    hour = NOON - NOON % HOUR_MS
    assert found.slices == [Slice(NOON, "absolute_claim", 3), Slice(NOON, "minors", 1)]
    assert found.claims == {"high": {20: 2, 65: 1}} and found.decisions == {"high": {65: 2}}
    assert found.rules[0] == RuleShare(rule=RULE, alerts=2, decided=2, violations=1)
    assert found.load == [Load("content-review", hour, 2)]
    assert [(each.severity, each.alerts) for each in found.backlog] == [("high", 1), ("low", 1)]


async def test_an_undo_takes_the_decision_out_again(world: World) -> None:  # noqa: F811
    figures = await busy(world)
    await world.act(WANG, alert_id("b"), Undo())
    found = await figures.counts("local", WHERE, now=world.clock.ms)
    assert found.claims == {"high": {20: 2}} and found.decisions == {"high": {65: 1}}


@pytest.mark.parametrize("where", [
    {}, {"post": "content-review"}, {"room": "room-2"}, {"within": ("east",)}, {"units": ("east",)},
    {"units": ("east",), "posts": ("content-review",)}, {"units": ()}, {"since": NOON + 1}, {"until": NOON},
])
async def test_the_fake_counts_as_the_store_does(world: World, where: dict[str, Any]) -> None:  # noqa: F811
    figures, memory = await busy(world), MemoryPosts()
    for name in "abcd":
        case = await world.posts.case("local", alert_id(name))
        assert case is not None
        memory.cases["local", alert_id(name)] = case
    wanted = replace(WHERE, **where)
    one, other = [await each.counts("local", wanted, now=NOON + DAY_MS) for each in (figures, MemoryFigures(memory))]
    assert one.backlog == sorted(other.backlog, key=lambda each: list(Severity)[::-1].index(Severity(each.severity)))
    assert replace(one, backlog=[]) == replace(other, backlog=[])
    assert await figures.last_found("local") == await MemoryFigures(memory).last_found("local")
    assert await figures.last_found("street") == {}


async def test_the_ages_of_what_waits(world: World) -> None:  # noqa: F811
    ages = (299, 301, 1_801, 7_201, 86_401)
    await world.find(*(finding(f"w{n}", room=f"w{n}", event=f"w{n}", at=NOON - 1_000 * age)
                       for n, age in enumerate(ages)))
    found = await SqlFigures(world.posts._database).counts("local", WHERE, now=NOON)
    assert found.backlog == [Backlog("high", 5, NOON - 86_401_000, [1, 1, 1, 1, 1])]


async def no_models() -> ModelList:
    return ModelList([], ModelState())


async def test_who_sees_what(world: World) -> None:  # noqa: F811
    figures = Figures(await busy(world), world.organising, engine_of, no_models, world.clock)
    east = Actor(id="li", tenant="local", grants=(Grant(Role.LEAD, "east"),))
    operator = Actor(id="op", tenant="local", grants=(Grant(Role.OPERATOR),))
    whole = await figures.of(LEAD)
    assert whole.total == 4 and whole.health is not None and whole.model is None
    assert whole.claim == [Spread("", 3, 20, 65), Spread("high", 3, 20, 65)]
    assert set(whole.health.silent) == {rule.rule.id for rule in engine_of().rules} - {RULE}
    theirs = await figures.of(east)
    assert (theirs.total, theirs.health, theirs.rules[0].rule) == (1, None, "third")
    assert (await figures.of(east, room="room-2")).total == 0 and (await figures.of(LEAD, unit="east")).total == 1
    assert (await figures.of(operator)).model is not None
    assert (await figures.of(replace(operator, tenant="street"))).model is None


@pytest.mark.parametrize(("since", "until"), [(0, 32 * DAY_MS), (5, 5), (9, 5)])
async def test_a_time_that_is_too_long_or_none(world: World, since: int, until: int) -> None:  # noqa: F811
    figures = Figures(SqlFigures(world.posts._database), world.organising, engine_of, no_models, world.clock)
    with pytest.raises(InputError, match="31 days"):
        await figures.of(LEAD, since=since, until=until)


async def test_no_alert_is_looked_up(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "store.db")
    asked: list[tuple[str, Any]] = []
    event.listen(database._read_engine, "before_cursor_execute",
                 lambda _c, _cursor, sql, parameters, *_: asked.append((sql, parameters)))
    where = replace(WHERE, within=("east",), post="p", room="r", until=WHERE.since + HOUR_MS)
    await SqlFigures(database).counts("local", where, now=NOON)
    await SqlFigures(database).last_found("local")
    plans = [await database.read(lambda connection, one=one: [
        row.detail for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + one[0], one[1])])  # type: ignore[misc]
        for one in list(asked) if one[0].lstrip().startswith(("SELECT", "WITH"))]
    assert len(plans) == 4
    assert all("COVERING INDEX ix_alerts_list" in plan[0] for plan in plans[:2])
    assert any("ix_alerts_live" in step for step in plans[2])
    assert all("COVERING INDEX ix_alerts_tenant_rule_at" in step for step in plans[3] if " alerts " in step)
    await database.close()


@given(st.lists(st.integers(0, 500), min_size=1), st.sampled_from((0.5, 0.95)))
def test_a_rank_is_a_time_that_somebody_took(times: list[int], share: float) -> None:
    counted = {time: times.count(time) for time in times}
    found = rank(counted, share)
    assert found in counted and sum(time <= found for time in times) >= share * len(times)
    assert sum(time < found for time in times) < share * len(times)


async def test_decisions_of_an_older_store_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    database = await Database.open(path)
    before = World(SqlStore(database), SqlPosts(database))
    await busy(before)
    await database.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP INDEX ix_alerts_list")
        for name in ("claim_s", "decide_s", "decided_at"):
            db.execute(f"ALTER TABLE alerts DROP COLUMN {name}")
        db.execute("CREATE INDEX ix_alerts_list ON alerts (tenant, at)")
        db.execute("UPDATE alembic_version SET version_num = '0013'")
    database = await Database.open(path, head="0014")  # what came later is there
    found = await SqlFigures(database).counts("local", WHERE, now=NOON)
    assert found.decisions == {"high": {65: 2}} and found.claims == {} and sum(each.decided for each in found.load) == 2
    await database.close()
