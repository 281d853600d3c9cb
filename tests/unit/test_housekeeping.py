"""When the archive is tidied: a step at a time, with rests, until nothing is left to do."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from monitor.domain.errors import StorageError
from monitor.services.detect import Detect
from monitor.services.housekeeping import Housekeeping, HousekeepingSettings, tell_judging
from monitor.services.records import OpenAlerts
from tests.fakes.archive import MemoryArchive
from tests.fakes.log import MemoryLog
from tests.fakes.store import MemoryStore


class Idle:
    """A judge without work, a telemetry that counts its gauges, and a clock that one moves."""

    trimmable = 0

    def __init__(self) -> None:
        self.time = 1_000_000
        self.turns = 0
        self.warned: list[str] = []
        self.gauges: dict[tuple[str, ...], float] = {}

    def warning(self, event: str, **facts: Any) -> None:
        self.warned.append(str(facts["error"]))

    info = error = warning

    def now(self) -> int:
        self.time += 1
        return self.time

    def rooms_live(self) -> int:
        return 3

    def oldest_unjudged_ms(self) -> int:
        return 2_500

    def judging(self) -> str:
        return "v"

    def classifying(self) -> str:
        return "m/1"

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None: ...

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...

    def gauge(self, metric: str, value: float, /, **labels: str) -> None:
        self.gauges[metric, *labels.values()] = value
        self.turns += metric == "rooms_live"


class Untidy(MemoryArchive):
    """Something is left to do for `left` steps; each is told to `each`."""

    def __init__(self, left: float, each: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.left, self.each = left, each
        self.asked: list[int] = []

    async def tidy(self, *, before: int) -> bool:
        self.asked.append(before)
        self.each()
        self.left -= 1
        return self.left > 0


def keeping(archive: MemoryArchive, idle: Idle, *, log: Any = None, store: Any = None,
            trim_heap: Callable[[], None] = lambda: None, more: dict[str, Any] | None = None,
            **settings: Any) -> Housekeeping:
    return Housekeeping(
        log=log or MemoryLog(), store=store or MemoryStore(), archive=archive, detect=cast(Detect, idle),
        telemetry=idle, logger=idle, clock=idle, disk_free=lambda: 0, settings=HousekeepingSettings(**{
            "log_keep_ms": 0, "log_max_bytes": 0, "events_keep_ms": 0, "outbox_keep": 1, "tidy_pause_s": 0} | settings),
        trim_heap=trim_heap, **(more or {}))


async def turns(keeper: Housekeeping, idle: Idle, count: int) -> None:
    """Run until the gauges were set so often."""
    stop = asyncio.Event()
    running = asyncio.create_task(keeper.run(stop))
    while idle.turns < count:
        await asyncio.sleep(0)
    stop.set()
    await running


async def test_until_nothing_is_left_and_again_after_the_next_trim() -> None:
    idle = Idle()
    archive = Untidy(5)
    await turns(keeping(archive, idle, gauges_s=0.02), idle, 4)
    assert len(archive.asked) == 5
    assert all(0 < idle.time - before - 300_000 < 1_000 for before in archive.asked)
    await turns(keeping(archive, idle, gauges_s=0.02, trim_s=0), idle, 9)
    assert len(archive.asked) > 7


async def test_memory_that_nobody_holds_is_given_back_with_the_rest() -> None:
    idle = Idle()
    given: list[int] = []
    await keeping(Untidy(0), idle, trim_heap=lambda: given.append(1)).trim()
    assert given == [1]


async def test_the_gauges_go_on_while_there_is_always_more_to_do() -> None:
    idle = Idle()

    def later() -> None:
        idle.time += 100

    archive = Untidy(float("inf"), later)
    await turns(keeping(archive, idle, gauges_s=0.5), idle, 4)
    assert 12 <= len(archive.asked) <= 20


async def test_a_stop_does_not_wait_for_the_end() -> None:
    idle = Idle()
    stop = asyncio.Event()
    archive = Untidy(float("inf"), stop.set)
    await keeping(archive, idle, tidy_pause_s=3_600, gauges_s=3_600).run(stop)
    assert len(archive.asked) == 1


class Breaking(MemoryStore):
    async def open_alerts(self) -> list[OpenAlerts]:
        raise KeyError("a fault")

    async def trim_outbox(self, *, keep: int) -> int:
        raise StorageError("no room")


async def test_what_fails_is_told_and_tried_again() -> None:
    idle = Idle()
    keeper = keeping(Untidy(0), idle, gauges_s=0, trim_s=0, store=Breaking())
    await turns(keeper, idle, 3)
    assert idle.warned.count("KeyError('a fault')") >= 3 and idle.warned.count("no room") >= 2


async def test_each_part_is_trimmed_by_its_setting() -> None:
    """The log by age, place and size, the outbox by number, the archive by age."""
    idle, asked = Idle(), []

    class Log(MemoryLog):
        async def trim(self, *, before: int, accepted_before: int, max_bytes: int) -> int:
            asked.append(("log", before, idle.time - accepted_before, max_bytes))
            return 0

    class Store(MemoryStore):
        async def trim_outbox(self, *, keep: int) -> int:
            asked.append(("outbox", keep))
            return 0

    class Archive(MemoryArchive):
        async def expire(self, *, before: int) -> int:
            asked.append(("archive", idle.time - before))
            return 0

    idle.trimmable = 7
    keeper = keeping(Archive(), idle, log=Log(), store=Store(), log_keep_ms=11, log_max_bytes=12, events_keep_ms=13,
                     outbox_keep=14)
    await keeper.trim()
    assert asked == [("log", 7, 11, 12), ("outbox", 14), ("archive", 13)]


async def test_the_gauges_say_how_things_stand() -> None:
    idle = Idle()

    class Store(MemoryStore):
        async def open_alerts(self) -> list[OpenAlerts]:
            return list(found)

    found = [OpenAlerts("local", "content", "high", 4, idle.time - 7_000, 1, 3, 2),
             OpenAlerts("local", "", "low", 2, idle.time, 2), OpenAlerts("agency", "content", "high", 9, idle.time)]
    keeper = keeping(Untidy(0), idle, store=Store())
    await keeper.gauges()
    assert idle.gauges["rooms_live",] == 3
    assert idle.gauges["log_oldest_unjudged_seconds",] == 2.5
    assert idle.gauges["disk_free_bytes",] == 0
    assert idle.gauges["ruleset_info", "v"] == idle.gauges["model_info", "m/1"] == 1
    assert (idle.gauges["alerts_open", "high", "content"], idle.gauges["alerts_open", "low", "content"]) == (4, 0)
    assert (idle.gauges["alerts_open", "low", "nobody"], idle.gauges["alerts_unrouted",]) == (2, 3)
    assert idle.gauges["alerts_open", "high", "agency/content"] == 9
    assert 7 <= idle.gauges["alert_oldest_open_seconds", "high", "content"] < 8
    late = [idle.gauges["sla_overdue", clock, "high", "content"] for clock in ("claim", "decide")]
    assert late == [3, 2]
    found.clear()
    await keeper.gauges()
    assert idle.gauges["sla_overdue", "claim", "high", "content"] == 0
    assert (idle.gauges["alerts_open", "high", "content"], idle.gauges["alerts_unrouted",]) == (0, 0)


def test_of_several_that_judge_the_latest_counts() -> None:
    telling, slow = Idle(), Idle()
    slow.oldest_unjudged_ms = lambda: 9_000  # type: ignore[method-assign]
    tell_judging([cast(Detect, telling), cast(Detect, slow)], 5, telling)
    assert (telling.gauges["rooms_live",], telling.gauges["log_oldest_unjudged_seconds",]) == (6, 9)
    telling.gauges.clear()
    tell_judging([], 5, telling)
    assert telling.gauges == {("rooms_live",): 0, ("log_oldest_unjudged_seconds",): 0, ("disk_free_bytes",): 5}


async def test_expiry_goes_on_step_by_step_until_nothing_is_left() -> None:
    left = [True, True, False, False]

    async def expire() -> bool:
        return left.pop(0)

    keeper = keeping(MemoryArchive(), Idle(), more={"expire": expire})
    await keeper.trim()
    assert left == [False]
    left[:] = [True] * 100
    await keeper.trim()
    assert len(left) == 80  # the rest at the next turn
