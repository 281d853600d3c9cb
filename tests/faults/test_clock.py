"""The system's clock is set while the service runs, or while it does not: nothing is lost, stands
still or is found twice."""

from contextlib import closing
from pathlib import Path

import pytest

from monitor.adapters.clock import SteadyClock
from monitor.adapters.sqlite import sqlite3
from monitor.domain.alerts import Alert
from monitor.domain.frames import Frame, Swap, Tick
from monitor.services.detect import DetectSettings
from monitor.services.ingest import IngestSettings
from tests.faults.harness import Client, Item, query, serving
from tests.faults.inside import GROUPING, Clock, MemoryHouse, World, engines, replayed
from tests.faults.streams import cut, stream

HOUR = 3_600_000
SETTINGS = DetectSettings(tick_ms=3, linger_s=0, grouping=GROUPING)


class Machine(Clock):
    """`time` is what passes; its clock can be set. What redpost goes by stands on both."""

    def __init__(self) -> None:
        super().__init__()
        self.set_by = 0
        self.told: list[int] = []
        self.boot(0)

    def boot(self, written: int) -> None:
        self._steady = SteadyClock(self.told.append, wall=lambda: (self.time + self.set_by) * 10**6,
                                   passed=lambda: self.time * 10**6)
        self._steady.go_on_from(written)

    def now(self) -> int:
        return self._steady.now()


class Feed:
    """Both lanes of one room, in turns; the room's own times do not care for our clock."""

    def __init__(self, world: World, machine: Machine) -> None:
        self.world, self.machine, self.sent = world, machine, 0

    async def turns(self, count: int) -> None:
        """Five seconds each; somebody says something, and it is judged."""
        for _ in range(count):
            self.machine.time += 5_000
            self.sent += 1
            text = "三天就能根治" if self.sent % 4 else "大家好"
            each: Item = {"room": "a", "source": "test", "at": self.machine.time, "text": f"{self.sent}，{text}"}
            await self.world.send([{**each, "id": f"s{self.sent}", "kind": "transcript"},
                                   {**each, "id": f"c{self.sent}", "kind": "comment", "speaker": "u"}])
            await self.world.rest()


def times(world: World) -> list[int]:
    return [entry.accepted_at for entry in world.entries if isinstance(entry, Frame | Swap | Tick)]


async def snapshot_of(world: World) -> int:
    found = await world.store.snapshot(0)
    return found.seq if found is not None else 0


@pytest.mark.parametrize("set_by", [-HOUR, HOUR], ids=["back", "forward"])
@pytest.mark.parametrize("restart", [False, True], ids=["running", "at a restart"])
async def test_the_clock_is_set(set_by: int, restart: bool) -> None:
    machine = Machine()
    world = World(MemoryHouse(), detect=SETTINGS, ingest=IngestSettings())
    world.clock, world.rules = machine, list(engines())[1]
    feed = Feed(world, machine)
    await world.open()
    await feed.turns(8)
    positions, snapshot = world.detect.positions(), await snapshot_of(world)
    if restart:
        await world.crash()
    machine.set_by = set_by
    if restart:
        machine.boot(max(times(world)))
        await world.open()
    await feed.turns(12)
    assert all(new > old for new, old in zip(world.detect.positions(), positions, strict=True))
    assert await snapshot_of(world) > snapshot, "a start would read the log of hours again"
    spoken_until = machine.time
    machine.time += 300_000
    await world.rest()
    machine.time += 1_000
    await world.rest()
    assert times(world) == sorted(times(world))
    assert [told > 0 for told in machine.told] == ([] if restart and set_by > 0 else [set_by > 0])
    await world.stop()
    seen, plain = await world.seen(), await replayed(world.entries, now=machine.now())
    assert seen.alerts == plain.alerts
    assert set(seen.kept) == {(f"{lane}{n}", 0) for lane in "sc" for n in range(1, feed.sent + 1)}
    opened = [update.alert.id for update in world.published if update.what == "opened"]
    assert len(opened) == len(set(opened)) and seen.alerts.keys() >= set(opened)
    missing = [alert for alert, *_ in seen.alerts.values() if isinstance(alert, Alert) and alert.rule == "shop.missing"]
    assert max(alert.last_at for alert in missing) > spoken_until, "a missing statement is due whatever the clock says"


async def test_a_service_goes_on_from_its_log_and_says_so(tmp_path: Path) -> None:
    data, batches = tmp_path / "data", cut(stream(6, 120), 60)
    latest = "SELECT max(accepted_at) FROM entries"
    async with serving(data) as server, Client(server) as client:
        await client.deliver(batches[:1])
        assert await server.stop() == 0 and "clock_set" not in server.output()
        with closing(sqlite3.connect(data / "log.db")) as db, db:
            db.execute("UPDATE entries SET accepted_at = accepted_at + ?, latest = latest + ?", (HOUR, HOUR))
        ((before,),) = query(data / "log.db", latest)
        await server.start()
        await client.deliver(batches[1:])
        await client.settle()
        ((after,),) = query(data / "log.db", latest)
        assert before < after < before + HOUR // 2
        assert '"clock_set"' in server.output() and '"by_s": -3' in server.output()
        assert await server.stop() == 0, server.output()
