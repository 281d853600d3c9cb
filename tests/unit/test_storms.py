"""Storms: when they begin and end, what the queue shows of them, and that nothing of what they hold is lost."""

import random
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import func, select

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.holding import SqlHolds
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.schema_post import paces
from monitor.adapters.storage.store import SqlStore
from monitor.domain.findings import Tier
from monitor.domain.ids import alert_id
from monitor.domain.moves import Release
from monitor.domain.storms import Breaker, Gauge
from monitor.services.cases import Card, QueueFilter
from monitor.services.dispatch import Dispatcher
from monitor.services.holding import HoldDesk
from monitor.services.records import Commit
from tests.contract.test_store import NOON, finding, withdrawal
from tests.unit.test_post_flow import LAWFUL, LEAD, World, world  # noqa: F401 - the fixture

FEW = Breaker(most=3, within_s=10, calm_s=20)


def held(gauge: Gauge, *times: int) -> list[bool]:
    """Whether the alerts that come at these times (ms) are held."""
    return [bool(FEW.arrived(gauge, ("t", "r"), at)) for at in times]


def test_the_first_ones_pass_and_the_next_are_held() -> None:
    assert held(Gauge(), *range(1_000, 1_006)) == [False, False, False, True, True, True]
    assert not any(held(Gauge(), 0, 4_000, 8_000, 12_000)), "never more than three within ten seconds"


def test_a_storm_ends_by_calm_though_no_alert_comes() -> None:
    gauge = Gauge()
    held(gauge, 0, 0, 0, 0)
    for second in range(29):
        FEW.pass_time(gauge, second * 1_000)
        assert gauge.storm, second
    FEW.pass_time(gauge, 29_000)
    assert not gauge.storm and held(gauge, 30_000) == [False]


def test_a_storm_goes_on_while_many_come_and_has_one_id() -> None:
    gauge = Gauge()
    ids = {FEW.arrived(gauge, ("t", "r"), second * 500) for second in range(200)}
    assert len(ids - {""}) == 1


@given(st.lists(st.integers(0, 3_000), max_size=200))
def test_never_more_pass_than_the_breaker_lets(gaps: list[int]) -> None:
    times = list(accumulate(gaps))
    passed = [at for at, is_held in zip(times, held(Gauge(), *times), strict=True) if not is_held]
    for at in passed:
        assert sum(at - 9_000 <= other <= at for other in passed) <= FEW.most


async def cards_of(world: World, **where) -> list[Card]:  # noqa: F811
    return (await world.desk.queue(LEAD, QueueFilter(posts=(), **where), cursor=None, limit=500)).cards


async def rain(world: World, many: int, *, at: int = NOON) -> None:  # noqa: F811
    rows = [finding(f"f{n}", event=f"e{n}", room=f"room-{n}", at=at) for n in range(many)]
    for start in range(0, many, 50):
        await world.find(*rows[start : start + 50])


async def test_a_storm_is_one_card_that_stands_for_all_it_holds(world: World) -> None:  # noqa: F811
    await rain(world, 300)
    held = [u for u in await world.store.updates("local", after=0, limit=400) if u.alert.state == "held"]
    assert len(held) == 240 and {u.alert.reason for u in held} == {"storm"}
    cards = await cards_of(world)
    (notice,) = [card for card in cards if card.storm is not None]
    assert len(cards) == 61
    assert notice.storm is not None and notice.moment == notice.storm.id == held[0].alert.held_by
    assert (notice.post, notice.room, notice.storm.rule) == ("content-review", "", "advertising.absolute_claim")
    assert (notice.storm.held, notice.storm.waiting, notice.storm.ended_at) == (240, 240, None)
    assert 0 < len(notice.alerts) <= 5 and {alert.state for alert in notice.alerts} == {"held"}
    found = await cards_of(world, rule="advertising.absolute_claim")
    assert notice.moment in {card.moment for card in found}
    assert all(card.storm is None for card in await cards_of(world, state="open"))


async def test_the_notice_follows_what_is_released_decided_and_withdrawn(world: World) -> None:  # noqa: F811
    await rain(world, 64)
    held = sorted(u.alert.id for u in await world.store.updates("local", after=0, limit=400) if u.alert.state == "held")
    assert len(held) == 4

    async def waiting() -> list[tuple[int, int]]:
        return [(card.storm.held, card.storm.waiting) for card in await cards_of(world) if card.storm is not None]

    assert await waiting() == [(4, 4)]
    await world.act(LEAD, held[0], Release())
    assert await waiting() == [(4, 3)]
    await world.act(LEAD, held[1], LAWFUL)
    assert await waiting() == [(4, 2)]
    left = [name for name in range(64) if alert_id(f"f{name}") in held[2:]]
    await world.find(withdrawals=[withdrawal(f"e{n}", 2) for n in left])
    assert await waiting() == []
    assert len(await cards_of(world)) == 61, "the released one is in the queue by itself"


async def test_care_is_in_no_storm(world: World) -> None:  # noqa: F811
    await world.find(*(finding(f"f{n}", room=f"r{n}", tier=Tier.CARE, category=[]) for n in range(100)))
    assert len(await cards_of(world)) == 100


@pytest.mark.parametrize("calm_ms", [60_000, 200_000])
async def test_a_restart_ends_no_storm_and_calm_does(tmp_path: Path, calm_ms: int) -> None:
    path = tmp_path / "store.db"
    database = await Database.open(path)
    first = World(SqlStore(database), SqlPosts(database))
    await rain(first, 100)
    assert await SqlHolds(database).calm(first.dispatcher.breaker, first.clock.now()) == 1
    await database.close()

    database = await Database.open(path)
    second = World(SqlStore(database), SqlPosts(database))
    desk = HoldDesk(SqlHolds(database), second.dispatcher.breaker, second.desk, second.organising, second.clock,
                    second.telemetry)
    second.clock.ms += calm_ms
    await desk.pass_time()
    rages = calm_ms < 120_000
    assert (f"redpost_storm_breakers_open {float(rages)}".encode() in second.telemetry.render()[0])
    (notice,) = [card.storm for card in await cards_of(second) if card.storm is not None]
    assert (notice.held, notice.ended_at) == (40, None if rages else second.clock.now())
    second.seq = first.seq
    await second.find(finding("late", room="late", event="late"))
    case = await SqlPosts(database).case("local", alert_id("late"))
    assert case is not None and case.alert.held_by == (notice.id if rages else "")
    await database.close()


async def test_workers_hold_what_one_would_and_one_storm_of_a_rule_rages(world: World) -> None:  # noqa: F811
    """Batches of alerts, by any of several workers, over some minutes: each is held where one breaker would hold it."""
    workers = [Dispatcher(world.organising.of, str, breaker=FEW) for _ in range(4)]
    lanes = [await world.store.claim(lane) for lane in range(len(workers))]
    rng = random.Random(7)
    begun = 0
    for example in range(15):
        rule, gauge, now, expected = f"rule-{example}", Gauge(), NOON, {}
        for batch in range(rng.randrange(5, 40)):
            now += rng.choice([0, 10, 900, 4_000, 9_000, 30_000])
            names = [f"{rule}-{batch}-{n}" for n in range(rng.randrange(1, 6))]
            before = gauge.storm
            expected |= {alert_id(name): FEW.arrived(gauge, ("local", rule), now) for name in names}
            begun += not before and gauge.storm != ""
            lane = rng.randrange(len(workers))
            old = lanes[lane]
            lanes[lane] = replace(old, seq=old.seq + 1)
            updates = await world.store.apply([Commit(
                position=lanes[lane], expected=old.seq, now=now,
                findings=[finding(name, event=name, room=name, rule=rule) for name in names])], workers[lane])
            assert {update.alert.id: update.alert.held_by for update in updates} == {
                alert_id(name): expected[alert_id(name)] for name in names}
        standing = [row for row in await SqlHolds(world.posts._database).standing_storms() if row[1] == rule]
        assert [name for _, _, name in standing] == [gauge.storm] * bool(gauge.storm)
        passed = [name for name, storm in expected.items() if not storm]
        assert passed
    assert begun > 10


class Failing(Dispatcher):
    def place(self, *args):
        super().place(*args)
        raise ZeroDivisionError


async def test_what_is_rolled_back_is_not_counted(world: World) -> None:  # noqa: F811
    await rain(world, 59)
    whole = world.dispatcher
    world.dispatcher = Failing(world.organising.of, str)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await world.find(finding("late", room="late", event="late"))
        world.seq -= 1
    world.dispatcher = whole
    await world.find(finding("late", room="late", event="late"))
    assert len(await cards_of(world)) == 60 and not any(card.storm for card in await cards_of(world))


async def test_gauges_of_rules_that_are_silent_are_forgotten(world: World) -> None:  # noqa: F811
    await rain(world, 3)
    holds = SqlHolds(world.posts._database)
    for later, left in ((59_000, 1), (60_000, 0)):
        assert await holds.calm(world.dispatcher.breaker, NOON + later) == 0
        assert await world.posts._database.read(lambda connection: connection.scalar(
            select(func.count()).select_from(paces))) == left, later
