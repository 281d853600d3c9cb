"""Partitions of a worker: what they store apart, what they commit together, how they come and go, and the watchdog."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from monitor.domain.errors import OwnershipLost
from monitor.domain.frames import Swap, Tick
from monitor.engine.engineset import EngineSet
from monitor.services.cases import Placing
from monitor.services.detect import Detect, DetectSettings
from monitor.services.dispatch import UNPLACED
from monitor.services.owning import Owning
from monitor.services.partitions import OfPartition, Together
from monitor.services.records import Commit, Position, Snapshot, Update
from monitor.services.watchdog import Idle, Watchdog
from tests.fakes.archive import MemoryArchive
from tests.fakes.log import MemoryLog
from tests.fakes.store import MemoryStore
from tests.faults.inside import START, Clock, Quiet, engines
from tests.faults.singlepass import Nobody

VERSION = next(iter(engines()))


def commit(lane: int, seq: int, *, epoch: int = 1, expected: int = 0) -> Commit:
    return Commit(position=Position(lane, seq, epoch), expected=expected)


async def test_lanes_of_partitions_lie_apart() -> None:
    store = MemoryStore()
    for partition in range(3):
        own = OfPartition(store, partition)
        for lane in (0, 1):
            position = await own.claim(lane)
            assert position == Position(lane, 0, 1)
            await own.apply([commit(lane, 10 * partition + lane + 1)])
            await own.save_snapshots([(Snapshot(lane, partition, b"%d" % partition), 1)])
            assert await own.snapshot(lane) == Snapshot(lane, partition, b"%d" % partition)
    assert {p.lane: p.seq for p in await store.positions()} == {0: 1, 1: 2, 2: 11, 3: 12, 4: 21, 5: 22}
    assert await OfPartition(store, 7).snapshot(0) is None


class Slow(MemoryStore):
    """Each transaction waits until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()
        self.transactions: list[int] = []

    async def apply(self, commits: Sequence[Commit], placing: Placing = UNPLACED) -> list[Update]:
        self.transactions.append(len(commits))
        await self.go_on.wait()
        return await super().apply(commits, placing)


async def test_what_gathers_while_a_transaction_runs_goes_in_one() -> None:
    store = Slow()
    together = Together(store)
    for lane in range(6):
        await together.claim(lane)
    applied = [asyncio.create_task(together.apply([commit(lane, 5)])) for lane in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    store.go_on.set()
    await asyncio.gather(*applied)
    assert sum(store.transactions) == 6 and len(store.transactions) <= 2
    assert {p.seq for p in await store.positions()} == {5}
    await together.apply([commit(0, 6, expected=5)])
    assert len(store.transactions) <= 3


async def test_one_that_lost_its_lane_fails_those_that_went_with_it() -> None:
    """Nothing of the transaction is kept: the worker ends, and its successor reads all of it again."""
    store = Slow()
    store.go_on.set()
    together = Together(store)
    for lane in (0, 1):
        await together.claim(lane)
    results = await asyncio.gather(*(together.apply([each]) for each in (commit(0, 5), commit(1, 5, epoch=9))),
                                   return_exceptions=True)
    assert all(isinstance(result, OwnershipLost) for result in results)
    assert {p.seq for p in await store.positions()} == {0}
    await together.apply([commit(0, 5)])


class FedLog(MemoryLog):
    """`feed` appends what is delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    async def feed(self, message: Any) -> None:
        await self.append(message)

    def messages_after(self, seq: int) -> int:
        return max(0, self.end() - seq)

    async def close(self) -> None:
        self.closed = True


class Stage:
    """`Owning` over fakes. `failed`: what ended a partition."""

    def __init__(self, *, named: bool = True) -> None:
        self.store = MemoryStore()
        self.logs: dict[int, FedLog] = {}
        self.failed: list[BaseException] = []
        self.named = named
        self.broken = False
        self.owning = Owning(
            open_log=self.open_log, store_of=lambda partition: OfPartition(self.store, partition),
            engine_of=self.engine_of, detect=self.detect, failed=self.failed.append, telemetry=Quiet(), logger=Quiet())

    async def engine_of(self, version: str) -> EngineSet:
        return engines()[version]

    async def open_log(self, partition: int) -> FedLog:
        log = self.logs[partition] = FedLog()
        if self.named:
            await log.append([Swap(START, VERSION)])
        return log

    async def detect(self, partition: int, log: Any, engine: EngineSet) -> tuple[Detect, MemoryArchive]:
        if self.broken:
            raise ZeroDivisionError
        archive = MemoryArchive()
        return Detect(
            log=log, store=OfPartition(self.store, partition), archive=archive, publisher=Nobody(), telemetry=Quiet(),
            logger=Quiet(), clock=Clock(), engine=engine, engine_of=self.engine_of,
            failpoint=lambda name, events=0: None, settings=DetectSettings(commit_ms=0)), archive

    async def judged(self, partition: int) -> None:
        share = self.owning.shares[partition]
        for _ in range(1_000_000):
            if share.detect is not None and share.detect.ready and min(share.detect.positions()) >= share.log.end():
                return
            await asyncio.sleep(0)
        raise AssertionError


async def test_what_is_delivered_is_judged_until_it_is_taken_away() -> None:
    stage = Stage()
    await stage.owning.assigned([0, 2])
    await stage.owning.deliver(2, [Tick(START + 1)])
    await stage.owning.deliver(1, [Tick(START + 1)])  # nobody's here: dropped
    await stage.judged(0)
    await stage.judged(2)
    before = stage.owning.shares[2]
    await stage.owning.assigned([2, 3])
    assert stage.owning.shares[2] is before, "what was here goes on"
    await stage.owning.revoked([0, 2])
    assert set(stage.owning.shares) == {3} and stage.logs[0].closed and stage.logs[2].closed
    await stage.owning.deliver(2, [Tick(START + 2)])
    assert stage.logs[2].end() == 2
    await stage.owning.close()
    assert not stage.owning.shares and not stage.failed
    again = {p.lane: p for p in await stage.store.positions()}
    assert again[4].seq == again[5].seq == 2


async def test_nothing_is_judged_before_a_rule_set_is_named() -> None:
    stage = Stage(named=False)
    await stage.owning.assigned([0])
    await stage.owning.deliver(0, [Tick(START)])
    assert stage.owning.shares[0].detect is None
    await stage.owning.revoked([0])
    assert not stage.failed and stage.logs[0].closed


async def test_whatever_ends_a_partition_ends_the_worker() -> None:
    stage = Stage()
    stage.broken = True
    await stage.owning.assigned([0])
    await asyncio.wait([stage.owning.shares[0].task])
    assert [type(error) for error in stage.failed] == [ZeroDivisionError]
    assert stage.logs[0].closed


class Still:
    """A share that stands at a place of its log."""

    def __init__(self, at: int, lag: int) -> None:
        self.at, self._lag = at, lag
        self.ready = True
        self.detect = self

    def positions(self) -> tuple[int, int]:
        return self.at, self.at

    def lag(self) -> int:
        return self._lag


class Shares:
    def __init__(self, **shares: Still) -> None:
        self.shares = {int(name[1:]): share for name, share in shares.items()}


def watched(shares: Shares, *, rebalancing: bool = False) -> tuple[Watchdog, Clock]:
    clock = Clock()
    dog = Watchdog(shares, lambda: rebalancing, clock, Quiet(), session_ms=10_000, stuck_ms=60_000)  # type: ignore[arg-type]
    return dog, clock


def test_the_watchdog_ends_what_does_not_move_though_there_is_work() -> None:
    shares = Shares(p1=Still(5, 3))
    dog, clock = watched(shares)
    dog.look()
    clock.time += 59_000
    dog.look()
    clock.time += 2_000
    with pytest.raises(Idle, match="partition 1 has not moved"):
        dog.look()


def test_the_watchdog_leaves_alone_what_moves_or_has_nothing_to_do() -> None:
    moving, idle = Still(5, 3), Still(9, 0)
    dog, clock = watched(Shares(p0=moving, p1=idle))
    for _ in range(20):
        clock.time += 30_000
        moving.at += 1
        dog.look()


def test_the_watchdog_ends_a_rebalance_without_end() -> None:
    dog, clock = watched(Shares(), rebalancing=True)
    clock.time += 20_000
    dog.look()
    clock.time += 1_000
    with pytest.raises(Idle, match="shared out"):
        dog.look()
