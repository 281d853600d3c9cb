"""Lists of alerts: every filter, and that each has an index which it is answered by."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.findings import Severity
from monitor.domain.ids import alert_id
from monitor.domain.moves import Claim, Decide, Outcome
from monitor.domain.organisation import Room, Unit
from monitor.domain.people import Actor, Grant, Role
from monitor.services.recordings import Edit
from monitor.services.records import AlertFilter
from monitor.services.sight import below
from tests.contract.test_store import finding
from tests.unit.test_misses import MISS, desk
from tests.unit.test_post_flow import NOON, WANG, World, world  # noqa: F401

RANGE = {"since": NOON - 1_000, "until": NOON + 1_000_000}


@pytest.fixture
async def filled(world: World) -> AsyncIterator[World]:  # noqa: F811
    keeper = Actor(id="boss", tenant="local", grants=(Grant(Role.UNIT_ADMIN),))
    await world.organising.edit(keeper, [
        Edit(kind="unit", id="east", record=Unit(title="东")),
        Edit(kind="unit", id="team", record=Unit(title="组", above="east")),
        Edit(kind="room", id="room-2", record=Room(unit="team"))])
    await world.find(
        finding("a"), finding("b", room="room-2", event="x", rule="other", severity=Severity.LOW, at=NOON + 5),
        finding("c", room="room-3", event="y", rule="third", category=["personal_info"], at=NOON + 9))
    exempt = Decide(outcome=Outcome.EXEMPT, reason="legal_exemption", clause="c", proof="p")
    await world.act(WANG, alert_id("a"), exempt)
    await world.act(WANG, alert_id("b"), Claim())
    await desk(world).report(WANG, replace(MISS, category="minors"))
    yield world


@pytest.mark.parametrize(("where", "names"), [
    ({}, "cbam"), ({"post": "network-security"}, "c"), ({"within": ("east", "team")}, "b"), ({"within": ()}, ""),
    ({"outcome": "exempt"}, "a"), ({"claimed_by": "wang"}, "b"), ({"source": "manual"}, "m"),
    ({"source": "rules"}, "cba"),
    ({"state": "claimed"}, "b"), ({"severity": "low"}, "b"), ({"category": "personal_info", "state": "open"}, "c"),
    ({"category": "personal_info"}, "c"), ({"category": "minors"}, "m"), ({"category": "minors", "state": "held"}, ""),
    ({"category": "personal", "post": "network-security"}, ""), ({"category": "%", "post": "network-security"}, ""),
    ({"post": "content-review", "outcome": "exempt", "claimed_by": "wang"}, ""),
])
async def test_every_filter(filled: World, where: dict[str, Any], names: str) -> None:
    page = await filled.store.alerts("local", AlertFilter(**RANGE, **where), cursor=None, limit=10)
    known = {alert_id(name): name for name in "abc"}
    assert sorted(known.get(alert.id, "m") for alert in page.alerts) == sorted(names)
    at = [alert.at for alert in page.alerts]
    assert at == sorted(at, reverse=True)


@pytest.mark.parametrize("where", [{"source": "manual"}, {"state": "open"}, {}])
async def test_page_by_page(filled: World, where: dict[str, Any]) -> None:
    wanted = AlertFilter(**RANGE, **where)
    whole = await filled.store.alerts("local", wanted, cursor=None, limit=10)
    found, cursor = [], None
    for _ in range(len(whole.alerts)):
        page = await filled.store.alerts("local", wanted, cursor=cursor, limit=1)
        found += page.alerts
        cursor = page.next
    assert found == whole.alerts and cursor is None


async def test_units_below_a_unit(filled: World) -> None:
    organisation = filled.organising.of("local")
    assert [below(organisation, unit) for unit in ("east", "team", "gone")] == [("east", "team"), ("team",), ()]


@pytest.mark.parametrize(("where", "index"), [
    ({}, "ix_alerts_list"), ({"post": "p"}, "ix_alerts_list"), ({"within": ("u",)}, "ix_alerts_list"),
    ({"outcome": "exempt", "severity": "low"}, "ix_alerts_list"), ({"claimed_by": "x"}, "ix_alerts_list"),
    ({"room": "r"}, "ix_alerts_tenant_room_at"), ({"rule": "r"}, "ix_alerts_tenant_rule_at"),
    ({"room": "r", "state": "open"}, "ix_alerts_tenant_room_at"), ({"broadcast": "b"}, "ix_alerts_tenant_broadcast"),
    ({"source": "manual"}, "ix_alerts_tenant_rule_at"),
    ({"category": "minors", "outcome": "exempt"}, "ix_alerts_list"), ({"category": "minors"}, "alert_categories"),
    ({"category": "minors", "room": "r"}, "ix_alerts_tenant_room_at"),
])
async def test_each_filter_is_answered_by_an_index_of_its_own(
    tmp_path: Path, where: dict[str, Any], index: str
) -> None:
    database = await Database.open(tmp_path / "store.db")
    asked: list[tuple[str, Any]] = []
    listening = database._read_engine, "before_cursor_execute"
    event.listen(*listening, lambda _c, _cursor, sql, parameters, *_: asked.append((sql, parameters)))
    await SqlStore(database).alerts("local", AlertFilter(**RANGE, **where), cursor=None, limit=10)
    await SqlPosts(database).reported("local", cursor=None, limit=10)
    plans = [await database.read(lambda connection, one=one: [
        row.detail for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + one[0], one[1])])  # type: ignore[misc]
        for one in list(asked) if one[0].startswith("SELECT")]
    assert index in plans[0][0]
    assert "ix_alerts_tenant_rule_at" in plans[1][0]  # drafts are found by rule
    await database.close()


async def test_what_the_gauges_count_is_counted_in_indexes(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "store.db")
    asked: list[str] = []
    event.listen(database._read_engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: asked.append(sql))
    await SqlStore(database).open_alerts()
    counted = [sql for sql in asked if sql.startswith("SELECT")]
    for sql, index in zip(counted, ("ix_alerts_live_post", "ix_queue_unrouted"), strict=True):
        rows = await database.read(lambda connection, sql=sql: [
            row.detail for row in connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN " + sql, ("claim_overdue", 1, 0, "decide_overdue", 1, 0)[: sql.count("?")])])
        assert len(rows) == 1 and f"USING COVERING INDEX {index}" in rows[0], rows
    await database.close()
