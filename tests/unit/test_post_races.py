"""Many people act on the same alerts, through two connections to one store: each is claimed and decided once."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.domain.audit import verify
from monitor.domain.ids import alert_id
from monitor.domain.moves import AnyMove, Claim
from monitor.domain.people import Actor, Grant, Role
from monitor.services.review import ReviewDesk, Wanted
from tests.contract.test_store import finding
from tests.unit.test_post_flow import LAWFUL, VIOLATION, World, world  # noqa: F401

PEOPLE = [Actor(id=f"p{n}", tenant="local", grants=(Grant(Role.REVIEWER),)) for n in range(20)]


@pytest.mark.parametrize("races", [500, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_nobody_claims_or_decides_what_somebody_else_has(world: World, tmp_path: Path, races: int) -> None:  # noqa: F811
    names = [alert_id(f"f{n}") for n in range(races // len(PEOPLE))]
    await world.find(*(finding(f"f{n}", event=f"e{n}", room=f"r{n}", rule=f"rule{n}") for n in range(len(names))))
    other = await Database.open(tmp_path / "store.db")
    try:
        second = ReviewDesk(SqlPosts(other), world.organising, world.told, world.clock, world.telemetry)
        claims = await _all(world.desk, second, names, lambda _: Claim())
        assert claims == dict.fromkeys(names, 1)
        holders = {name: (await world.posts.case("local", name)).review.claimed_by for name in names}
        decided = await _all(world.desk, second, names, lambda n: VIOLATION if n % 2 else LAWFUL)
        assert decided == dict.fromkeys(names, 1)
    finally:
        await other.close()
    for name in names:
        case = await world.posts.case("local", name)
        assert (case.review.ruling.by, case.review.version) == (holders[name], 2)
        assert [moved.by for moved in await world.posts.history("local", name)] == [holders[name]] * 2
    rows = await world.posts.rows("local", after=0, limit=3 * len(names))
    assert len(rows) == 2 * len(names) and verify(rows) is None


async def _all(first: ReviewDesk, second: ReviewDesk, names: list[str], move_of) -> Counter[str]:
    """Everybody tries every alert, each by one of two connections; by alert, how many succeeded."""
    done: Counter[str] = Counter()

    async def attempt(n: int, actor: Actor, name: str) -> None:
        move: AnyMove = move_of(n)
        answered = await (first, second)[n % 2].move(actor, [Wanted(name, move)], together=True)
        assert bool(answered.cases) != bool(answered.refused)
        assert {why.why for why in answered.refused.values()} <= {"claimed", "state", "stale"}
        done[name] += len(answered.cases)

    tries = [(n, actor, name) for name in names for n, actor in enumerate(PEOPLE)]
    await asyncio.gather(*(attempt(*one) for one in tries))
    return done
