"""Whose turn it is: host speech goes before comments, which are late then but do not stand still."""


from collections.abc import Sequence

import pytest

from monitor.domain.events import HOST_SIDE, VIEWERS, Event, Kind, Role, Speaker
from monitor.domain.frames import MOST_TEXT, Frame, build
from monitor.services import detect
from monitor.services.detect import DetectSettings
from monitor.services.ingest import IngestSettings
from monitor.services.records import Numbered
from tests.fakes.log import MemoryLog
from tests.faults.inside import START, TENANT, Clock, MemoryHouse, World, engines

HOST_FRAMES = 60
VIEWERS_FRAMES = 3


class Watched(MemoryLog):
    """`order`: the lanes that were read, one entry a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[int] = []

    async def read(self, *, after: int, lane: int | None, events: int) -> Sequence[Numbered]:
        found = await super().read(after=after, lane=lane, events=events)
        if lane is not None:
            self.order += [lane for numbered in found if isinstance(numbered.entry, Frame)]
        return found


class Passing(Clock):
    """Each look at it takes `look_ms`."""

    look_ms = 0

    def now(self) -> int:
        self.time += self.look_ms
        return self.time


def frame(lane: int, i: int, *, text: str = "今天全网最低") -> Frame:
    role, kind = (Role.HOST, Kind.TRANSCRIPT) if lane == HOST_SIDE else (Role.VIEWER, Kind.COMMENT)
    event = Event(id=f"{lane}-{i}", kind=kind, text=text, room="a", at=START + i,
                  speaker=Speaker(role, str(lane)))
    [made] = build([event], tenant=TENANT, accepted_at=START, pseudonym=str, revision_of=lambda event: 0)
    return made


async def turns(*, look_ms: int) -> list[int]:
    """The lanes in the order in which they were read; comments came first, and many more words of the host."""
    house, clock = MemoryHouse(), Passing()
    house.log = log = Watched()
    world = World(house, detect=DetectSettings(batch=1, host_batch=1, linger_s=0, tick_ms=1), ingest=IngestSettings())
    world.clock, world.rules = clock, list(engines())[1]  # with correlations over both lanes
    await world.open()
    await world.rest()
    clock.look_ms = look_ms
    await world.append([*(frame(VIEWERS, i) for i in range(VIEWERS_FRAMES)),
                        *(frame(HOST_SIDE, i) for i in range(HOST_FRAMES))])
    await world.settle()
    assert not world.dead
    await world.stop()
    return log.order


async def test_the_host_goes_first() -> None:
    assert await turns(look_ms=0) == [HOST_SIDE] * HOST_FRAMES + [VIEWERS] * VIEWERS_FRAMES


async def test_comments_do_not_stand_still_while_the_host_has_always_something_to_say() -> None:
    order = await turns(look_ms=40)
    assert VIEWERS in order[:HOST_FRAMES // 2]
    assert HOST_FRAMES - order[:HOST_FRAMES].count(HOST_SIDE) <= VIEWERS_FRAMES


async def test_what_needs_both_lanes_does_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "_MOST_NOTES", 5)
    order = await turns(look_ms=0)
    assert order.index(VIEWERS) == 6


async def test_long_texts_are_judged_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging takes some 600 bytes for each code point, for all texts that are judged together."""
    together: list[int] = []
    world = World(MemoryHouse(), detect=DetectSettings(linger_s=0, tick_ms=1), ingest=IngestSettings())
    monkeypatch.setattr(world, "_failpoint", lambda name, events=0: together.append(events) if events else None)
    await world.open()
    long = "今天全网最低" + "好" * (MOST_TEXT // 5 * 2)
    await world.append([frame(HOST_SIDE, i, text=long) for i in range(5)])
    await world.settle()
    await world.stop()
    assert together == [2, 2, 1]
    assert world.published[-1].alert.recurrence == 5
