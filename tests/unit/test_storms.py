"""Storms: when they begin and end, what the queue shows of them, and that nothing of what they hold is lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.holding import SqlHolds
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.store import SqlStore
from monitor.domain.findings import Tier
from monitor.domain.ids import alert_id
from monitor.domain.moves import Release
from monitor.domain.storms import Breaker, Weather
from monitor.services.cases import Card, QueueFilter
from monitor.services.holding import HoldDesk
from tests.contract.test_store import NOON, finding, withdrawal
from tests.unit.test_post_flow import LAWFUL, LEAD, World, world  # noqa: F401 - the fixture

FEW = Breaker(most=3, within_s=10, calm_s=20)


def weather_after(*seconds: int) -> Weather:
    weather = Weather(FEW)
    for second in seconds:
        weather.arrived("t", "r", second * 1_000)
    return weather


def test_the_first_ones_pass_and_the_next_are_held() -> None:
    weather = Weather(FEW)
    held = [bool(weather.arrived("t", "r", 1_000 + n)) for n in range(6)]
    assert held == [False, False, False, True, True, True]
    assert not weather.arrived("t", "another", 1_000) and not weather.arrived("another", "r", 1_000)
    assert weather_after(0, 4, 8, 12).raging() == {}, "never more than three within ten seconds"


def test_a_storm_ends_by_calm_though_no_alert_comes() -> None:
    weather = weather_after(0, 0, 0, 0)
    for second in range(29):
        weather.pass_time(second * 1_000)
        assert weather.raging(), second
    weather.pass_time(29_000)
    assert not weather.raging() and not weather.arrived("t", "r", 30_000)


def test_a_storm_goes_on_while_many_come_and_has_one_id() -> None:
    weather = Weather(FEW)
    ids = {weather.arrived("t", "r", second * 500) for second in range(200)}
    assert len(ids - {""}) == 1


def test_a_storm_goes_on_after_a_restart_until_calm() -> None:
    weather = Weather(FEW)
    weather.resume({("t", "r"): "s1"}, 1_000)
    assert weather.arrived("t", "r", 2_000) == "s1"
    weather.pass_time(22_000)
    assert weather.raging() == {}


@given(st.lists(st.integers(0, 3_000), max_size=200))
def test_never_more_pass_than_the_breaker_lets(gaps: list[int]) -> None:
    weather, now, passed = Weather(FEW), 0, []
    for gap in gaps:
        now += gap
        if not weather.arrived("t", "r", now):
            passed.append(now)
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
    assert await SqlHolds(database).calm(first.dispatcher, first.clock.now()) == 1
    await database.close()

    database = await Database.open(path)
    second = World(SqlStore(database), SqlPosts(database))
    desk = HoldDesk(SqlHolds(database), second.dispatcher, second.desk, second.organising, second.clock,
                    second.telemetry)
    await desk.resume()
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
