"""What was lacking of hosts and products when a broadcast began: findings of their own, once each."""

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.adapters.recordfiles import read_folder
from monitor.adapters.rulefiles import load
from monitor.adapters.storage.commits import save_broadcasts
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.adapters.telemetry import PrometheusTelemetry
from monitor.domain.alerts import Alert
from monitor.domain.broadcasts import Broadcast
from monitor.domain.moves import Decide, Outcome
from monitor.domain.onboarding import DUTIES, lacks
from monitor.domain.organisation import Host, Organisation, Paper, Product, Room, Slot
from monitor.domain.people import Actor, Grant, Permission, Role
from monitor.domain.record import Record
from monitor.engine.engineset import EngineSet
from monitor.services.dispatch import Dispatcher
from monitor.services.onboarding import Onboarding
from monitor.services.organising import Organising
from monitor.services.recordings import Edit
from monitor.services.records import AlertFilter, LabelFilter, Update
from monitor.services.review import ReviewDesk, Wanted
from tests.faults.harness import RULES
from tests.faults.streams import tables

ROOT = Path(__file__).parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = 1_800_000_000_000
HOUR = 3_600_000
FINE = Host(name="阿珂", identity_checked=True, of_age=True, papers={"执业药师证": Paper(ends=NOON + 1)},
            required=("执业药师证",))


def begun(room: str = "r", at: int = NOON, name: str = "b1", ended: int | None = None) -> Broadcast:
    return Broadcast(id=name, tenant="agency", room=room, started_at=at, last_at=ended or at, named=True,
                     ended_at=ended)


def told(records: dict[tuple[str, str], Record], at: int = NOON) -> list[tuple[str, str]]:
    found = lacks(Organisation(records), [begun(at=at)], SHANGHAI)
    return [(lack.duty.rule.removeprefix("onboarding."), lack.text) for _, lack in found]


def test_what_is_lacking_of_a_host() -> None:
    room: dict[tuple[str, str], Record] = {("room", "r"): Room(hosts=("a", "b")), ("host", "a"): FINE}
    assert told({**room, ("host", "b"): Host(name="小白", required=("健康证",))}) == [
        ("identity_unchecked", "主播 小白：身份未核验"), ("age_unknown", "主播 小白：年龄未核实"),
        ("lacks", "主播 小白：缺少 健康证")]
    assert told({**room, ("host", "b"): Host(name="小小", identity_checked=True, of_age=False)}) == [
        ("under_age", "主播 小小：未成年")]
    assert told({**room, ("host", "b"): FINE}, at=NOON + 1) == [
        ("expired", "主播 阿珂：执业药师证 已于 2027-01-15 过期")] * 2


def test_of_a_planned_broadcast_the_slot_says_who_is_on_air_and_with_what() -> None:
    records: dict[tuple[str, str], Record] = {
        ("room", "r"): Room(hosts=("b",)), ("host", "a"): FINE, ("host", "b"): Host(name="小白"),
        ("product", "p"): Product(title="面霜", certificates={"检测报告": Paper(ends=NOON), "备案": Paper()}),
        ("slot", "s"): Slot(room="r", starts=NOON + HOUR, host="a", products=("p",)),
        ("slot", "other"): Slot(room="r2", starts=NOON, host="b"),
    }
    assert told(records) == [("certificate_expired", "商品 面霜：检测报告 已于 2027-01-15 过期")]
    assert [rule for rule, _ in told(records, at=NOON - 1)] == ["identity_unchecked", "age_unknown"]  # outside the slot


def test_the_same_fact_of_one_broadcast_has_one_subject_and_of_another_another() -> None:
    organisation = Organisation({("room", "r"): Room(hosts=("b",)), ("host", "b"): Host(name="小白", of_age=True)})
    subjects = [lack.subject for _, lack in lacks(
        organisation, [begun(), begun(at=NOON + 5), begun(name="b2"), begun("r", name="b1")], SHANGHAI)]
    assert len(subjects) == 4
    assert len(set(subjects)) == 2


def test_each_duty_rests_on_a_clause_of_its_category_and_every_reason_has_one() -> None:
    register = load(ROOT / "rules").clauses
    for duty in DUTIES.values():
        assert duty.category in register[duty.clause].categories
    assert set(DUTIES) == {"identity_unchecked", "age_unknown", "under_age", "lacks", "expired", "certificate_expired"}
    worst = Host(name="x", of_age=None, required=("a", "b"), papers={"b": Paper(ends=0)})
    reasons = [*worst.lacking(5), *Host(name="y", of_age=False).lacking(5)]
    assert {why.partition(":")[0] for why in reasons} == set(DUTIES) - {"certificate_expired"}


class Still:
    ms = NOON

    def now(self) -> int:
        return self.ms


class Told:
    def __init__(self) -> None:
        self.updates: list[Update] = []

    def publish(self, updates) -> None:
        self.updates += updates


LEAD = Actor(id="lin", tenant="agency", grants=(Grant(Role.LEAD),), everywhere=frozenset(Permission))


class World:
    def __init__(self, database: Database) -> None:
        self.database, self.posts, self.store = database, SqlPosts(database), SqlStore(database)
        self.clock, self.told, self.telemetry = Still(), Told(), PrometheusTelemetry()
        self.organising = Organising(self.posts, self.clock, read_folder(ROOT / "config/post"))
        self.engine = EngineSet(load(RULES), tables(), zone=SHANGHAI)
        self.dispatcher = Dispatcher(self.organising.of, lambda text: text)
        self.desk = ReviewDesk(self.posts, self.organising, self.told, self.clock, self.telemetry)
        self.restart()

    def restart(self) -> None:
        self.onboarding = Onboarding(self.posts, self.organising, self.dispatcher, self.told, self.clock,
                                     self.telemetry, lambda: self.engine)

    async def put(self, **records: Record) -> None:
        await self.organising.edit(LEAD, [
            Edit(kind=record.kind, id=name, record=record) for name, record in records.items()])

    async def air(self, *broadcasts: Broadcast) -> None:
        await self.database.run(lambda connection: save_broadcasts(connection, broadcasts))

    async def alerts(self) -> list[Alert]:
        return (await self.store.alerts("agency", AlertFilter(), cursor=None, limit=100)).alerts


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(tmp_path / "store.db")
    yield World(database)
    await database.close()


async def test_a_lack_is_an_alert_about_the_broadcast_at_its_post_once_also_after_a_restart(world: World) -> None:
    await world.put(b=Host(name="小白", of_age=True), r=Room(hosts=("b",)))
    await world.onboarding.look()
    assert await world.alerts() == []
    await world.air(begun(), begun("elsewhere", name="b9"))
    for _ in range(2):
        await world.onboarding.look()
    world.restart()
    await world.onboarding.look()
    (alert,) = await world.alerts()
    assert (alert.rule, alert.category, alert.scope, alert.text) == (
        "onboarding.identity_unchecked", ["identity_ai"], "broadcast", "主播 小白：身份未核验")
    assert (alert.post, alert.state.value, alert.tier.value, alert.clauses) == (
        "network-security", "open", "standard", ["LEC-28"])
    assert [(update.what, update.alert.id) for update in world.told.updates] == [("opened", alert.id)]
    evidence = await world.store.evidence("agency", alert.id)
    assert evidence is not None
    assert evidence.findings[0].stage.value == "onboarding"


async def test_an_edit_during_the_broadcast_brings_what_is_lacking_by_then(world: World) -> None:
    await world.put(b=FINE, r=Room(hosts=("b",)))
    await world.air(begun())
    await world.onboarding.look()
    assert await world.alerts() == []
    await world.put(b=Host(name="阿珂", of_age=True, required=("健康证",)))
    await world.onboarding.look()
    assert {alert.rule for alert in await world.alerts()} == {"onboarding.identity_unchecked", "onboarding.lacks"}
    await world.put(b=FINE)
    await world.onboarding.look()
    assert len(await world.alerts()) == 2  # people decide what is mended afterwards


async def test_a_short_broadcast_is_looked_at_afterwards_an_old_one_is_not(world: World) -> None:
    await world.put(b=Host(name="小白", of_age=True), r=Room(hosts=("b",)))
    await world.air(begun(at=NOON - 60_000, ended=NOON - 1),
                    begun(at=NOON - 2 * HOUR, ended=NOON - 10, name="long over"))
    await world.onboarding.look()
    assert [alert.broadcast for alert in await world.alerts()] == ["b1"]


async def test_it_is_decided_as_any_other_and_teaches_no_classifier(world: World) -> None:
    await world.put(b=Host(name="小白", of_age=True), r=Room(hosts=("b",)))
    await world.air(begun())
    await world.onboarding.look()
    (alert,) = await world.alerts()
    answered = await world.desk.move(LEAD, [Wanted(alert=alert.id, move=Decide(
        outcome=Outcome.VIOLATION, reason=next(
            name for name, reason in world.organising.reasons("agency").items()
            if Outcome.VIOLATION in reason.outcomes and reason.teaches)))], together=True)
    assert answered.refused == {}
    assert answered.cases[0].alert.outcome == "violation"
    assert (await world.store.labels("agency", LabelFilter(), cursor=None, limit=9)).labels == []
