"""The wall of rooms: read once for all who watch, and minutes that are over are not counted again at each look."""

import asyncio
from collections.abc import Collection
from typing import cast

from monitor.domain.findings import Severity
from monitor.domain.people import Actor, Grant, Role
from monitor.services.organising import Organising
from monitor.services.ports import Store
from monitor.services.records import RoomPage, RoomSummary
from monitor.services.wall import FRESH_MS, MINUTE_MS, MINUTES, QUIET_MS, Pulse, Wall, mute
from tests.fakes.posts import MemoryPosts

NOW = 30_000_000 * MINUTE_MS
LEAD = Actor(id="li", tenant="t", grants=(Grant(Role.LEAD),))


def on_air(room: str, *, last: int = NOW, heard: int = NOW, started: int = NOW) -> RoomSummary:
    return RoomSummary(room=room, broadcast="b", started_at=started, last_at=last, ended_at=None, why_ended="",
                       alerts_open=0, heard_at=heard)


class Air:
    """A clock, rooms, and one finding in each of `found` (UTC ms); `asked`: since when they were counted."""

    def __init__(self) -> None:
        self.ms = NOW
        self.found: list[int] = []
        self.asked: list[int] = []

    def now(self) -> int:
        return self.ms

    async def rooms(self, tenant: str, *, live_since: int, cursor: str | None, limit: int,
                    only: Collection[str] | None = None) -> RoomPage:
        return RoomPage([on_air(name) for name in "abc"], None)

    async def pulses(self, tenant: str, *, since: int) -> list[Pulse]:
        self.asked.append(since)
        return [Pulse(room="a", broadcast="b", minute=(at - since) // MINUTE_MS, severity=Severity.HIGH, count=1)
                for at in self.found if at >= since]


class Watching:
    def __init__(self) -> None:
        self.air = Air()
        self.wall = Wall(self.air, cast(Store, self.air), Organising(MemoryPosts(), self.air, {}), self.air)

    async def minutes(self) -> list[int]:
        """Of room a."""
        return (await self.wall.page(LEAD, cursor=None, limit=10)).rooms[0].findings


async def test_many_who_look_share_one_reading() -> None:
    watching = Watching()
    await asyncio.gather(*(watching.minutes() for _ in range(50)))
    assert len(watching.air.asked) == 1
    watching.air.ms += FRESH_MS
    await watching.minutes()
    assert len(watching.air.asked) == 2


async def test_minutes_that_are_over_are_kept_and_move_on_with_time() -> None:
    watching = Watching()
    watching.air.found = [NOW, NOW - MINUTE_MS, NOW - (MINUTES - 1) * MINUTE_MS]
    assert await watching.minutes() == [1, *[0] * (MINUTES - 3), 1, 1]
    watching.air.ms += 50_000
    watching.air.found.append(NOW + 40_000)
    assert await watching.minutes() == [1, *[0] * (MINUTES - 3), 1, 2]
    watching.air.ms += 50_000
    watching.air.found.append(NOW + MINUTE_MS)
    assert await watching.minutes() == [*[0] * (MINUTES - 3), 1, 2, 1], "the first minute is no longer of these"
    assert watching.air.asked == [NOW - 29 * MINUTE_MS, NOW - 2 * MINUTE_MS, NOW - MINUTE_MS]


async def test_all_is_counted_again_by_and_by() -> None:
    watching = Watching()
    watching.air.found = [NOW - 10 * MINUTE_MS]
    await watching.minutes()
    watching.air.found = []  # withdrawn
    for _ in range(10):
        watching.air.ms += 30_000
        counted = sum(await watching.minutes())
    assert (counted, len(watching.air.asked)) == (0, 11)
    assert [since for since in watching.air.asked if since == watching.air.ms - 29 * MINUTE_MS] == [
        watching.air.asked[-1]]


async def test_pages_follow_each_other() -> None:
    wall = Watching().wall
    first = await wall.page(LEAD, cursor=None, limit=2)
    rest = await wall.page(LEAD, cursor=first.next, limit=2)
    assert ([one.room for one in (*first.rooms, *rest.rooms)], first.next, rest.next) == (["a", "b", "c"], "b", None)


def test_who_is_mute() -> None:
    long = NOW - 600_000
    assert mute(on_air("r", heard=long), NOW)
    assert not mute(on_air("r", heard=0, started=long), NOW), "comments alone: nobody listens to this room"
    assert not mute(on_air("r"), NOW)
    assert not mute(on_air("r", heard=long, last=NOW - QUIET_MS), NOW), "nothing comes at all: silent"
