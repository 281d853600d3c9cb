"""Any order of sends, crashes, restarts, reloads, trims and leaps of time gives what an uninterrupted pass gives."""

import asyncio
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.alerts import Alert
from monitor.services.detect import DetectSettings
from monitor.services.ingest import IngestSettings
from tests.faults.harness import Item, until
from tests.faults.inside import (
    GROUPING,
    START,
    Crash,
    FileHouse,
    House,
    Line,
    MemoryHouse,
    World,
    engines,
    make_template,
    replayed,
)
from tests.faults.streams import HOST, VIEWER

Step = tuple[str, Any]
POINTS = ("judging", "judged", "committed", "published")
STEPS = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 12)),
    st.tuples(st.just("send"), st.integers(1, 12)),
    st.tuples(st.just("again"), st.integers(1, 3)),
    st.tuples(st.just("go on"), st.integers(1, 20)),
    st.tuples(st.just("settle"), st.none()),
    st.tuples(st.just("time"), st.integers(1, 6_000)),
    st.tuples(st.just("time"), st.integers(60_000, 90_000)),
    st.tuples(st.just("arm"), st.tuples(st.sampled_from(POINTS), st.integers(1, 4))),
    st.tuples(st.just("crash"), st.none()),
    st.tuples(st.just("stop"), st.none()),
    st.tuples(st.just("reload"), st.none()),
    st.tuples(st.just("crash, other rules"), st.none()),
    st.tuples(st.just("trim"), st.none()),
)
SETTINGS = st.builds(
    DetectSettings, batch=st.integers(1, 30), host_batch=st.integers(1, 30), linger_s=st.just(0.0),
    snapshot_ms=st.sampled_from([0, 1, 5_000]), commit_ms=st.sampled_from([0, 1, 1_000]), tick_ms=st.just(3),
    archive_ms=st.sampled_from([0, 1, 10_000]), archive_events=st.sampled_from([5, 50_000]),
    grouping=st.just(GROUPING),
)


class Sender:
    """Makes events as time goes on: two rooms, both lanes, much that violates, some revisions."""

    def __init__(self, world: World, *, ago: int, sampled: bool) -> None:
        """`ago`: the event times lie so far before the clock (ms)."""
        self.world = world
        self.ago = ago
        self.sampled = sampled
        self.sent: list[tuple[str, list[Item]]] = []
        self.repeated: set[int] = set()
        self._count = 0
        self._rng = random.Random(1)

    async def send(self, size: int) -> None:
        batch = [self._event(size - n) for n in range(size)]
        self.sent.append((self.world.rules, batch))
        await self.world.send(batch)

    async def again(self, back: int) -> None:
        """A batch that was acknowledged comes once more, to be judged by the rules that judged it before."""
        known = [batch for rules, batch in self.sent[-back:] if rules == self.world.rules]
        if known and not self.sampled:
            before = len(self.world.entries)
            await self.world.send(known[0])
            self.repeated.update(range(before, len(self.world.entries)))

    def around(self, room: str, since: int, until: int) -> list[Line]:
        """Everything that was said in a room between two times."""
        return sorted((int(item["kind"] == "comment"), item["id"], item.get("revision", 0))
                      for _, batch in self.sent for item in batch
                      if item["room"] == room and since <= item["at"] <= until)

    def _event(self, before: int) -> Item:
        rng = self._rng
        self._count += 1
        host = rng.random() < 0.5
        words = rng.choice(HOST if host else VIEWER) if rng.random() < 0.4 else "好看13812345678"
        text = f"第{self._count}条，{words}"
        item: Item = {"id": f"e{self._count}", "room": rng.choice("ab"), "text": text, "source": "test",
                      "at": self.world.clock.now() - self.ago - before, "kind": "transcript" if host else "comment"}
        if not host:
            item["speaker"] = rng.choice("uvw")
        elif rng.random() < 0.3:
            return {**item, "id": f"r{self._count % 5}", "revision": self._count}
        return item


async def play(house: House, steps: list[Step], detect: DetectSettings, ingest: IngestSettings, *, ago: int) -> None:
    world = World(house, detect=detect, ingest=ingest)
    world.rules = other("")
    sender = Sender(world, ago=ago, sampled=ingest.sample_from < 10**6)
    await world.open()
    for step in steps:
        await take(world, sender, step)
        if world.dead:
            await world.crash()
            await world.open()
    await world.settle()
    try:
        await world.stop()
    except Crash:
        await world.crash()
        await world.open()
        await world.settle()
        await world.stop()
    await house.close()
    await world.open()  # once more: the lines around an alert that are too young to be stored are read again
    await world.rest()
    await until(lambda: has_all_lines(world, sender))  # those on their way from memory to the disk come in a moment
    seen = await world.seen()
    await world.crash()
    once = [entry for n, entry in enumerate(world.entries) if n not in sender.repeated]
    plain = await replayed(once, now=world.clock.now())
    assert seen.alerts == plain.alerts
    assert {key: row[:2] for key, row in seen.kept.items()} == {key: row[:2] for key, row in plain.kept.items()}
    assert set(seen.kept) == {(e["id"], e.get("revision", 0)) for _, batch in sender.sent for e in batch}
    opened = [u.alert.id for u in world.published if u.what == "opened"]
    assert len(opened) == len(set(opened))
    numbers = [update.seq for update in world.published]
    assert numbers == sorted(set(numbers))


async def has_all_lines(world: World, sender: Sender) -> bool:
    """Whether all that was said around each alert is there; of the other lane, if time did not pass that far that it
    may have been ahead of this one by more than its lines are kept. A statement that turns out to be missing after such
    a leap of time has no lines any more."""
    seen = await world.seen()
    far = world.clock.time - START > 60_000
    for name, (since, until_, lines) in seen.lines.items():
        alert = seen.alerts[name][0]
        assert isinstance(alert, Alert)
        around = set(sender.around(alert.room, since, until_))
        assert set(lines) <= around
        own = alert.lane if alert.scope == "event" else None
        if any(line not in lines for line in around if line[0] == own or not far):
            return False
    return True


async def take(world: World, sender: Sender, step: Step) -> None:
    match step:
        case "send", int(size):
            await sender.send(size)
        case "again", int(back):
            await sender.again(back)
        case "go on", int(turns):
            for _ in range(turns):
                await asyncio.sleep(0)
        case "settle", _:
            await world.settle()
        case "time", int(passed):
            await calm(world)
            world.clock.time += passed
        case "arm", (str(point), int(passes)):
            world.arm(point, passes)
        case "crash", _:
            await world.crash()
            await world.open()
        case "crash, other rules", _:
            await world.crash()
            world.rules = other(world.rules)
            await world.open()
        case "reload", _:
            await world.swap(other(world.rules))
        case "stop", _:
            try:
                await world.stop()
            except Crash:
                await world.crash()
            else:
                await world.house.close()
            await world.open()
        case "trim", _:
            await world.trim()
        case _:
            raise AssertionError(step)


async def calm(world: World) -> None:
    """Until everything is judged, through the crash that is armed."""
    await world.settle()
    while world.dead:
        await world.crash()
        await world.open()
        await world.settle()


def other(rules: str) -> str:
    """Those with correlations, in turn."""
    return next(version for version in list(engines())[1:] if version != rules)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    asyncio.run(make_template(path))
    return path


def in_memory(steps: list[Step], detect: DetectSettings, sample_from: int, ago: int) -> None:
    asyncio.run(play(MemoryHouse(), steps, detect, IngestSettings(sample_from=sample_from, sample_keep=3), ago=ago))


def on_files(template: Path, steps: list[Step], detect: DetectSettings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = FileHouse(Path(folder) / "data", template)
        asyncio.run(play(house, steps, detect, IngestSettings(sample_from=10**6), ago=0))


programs = st.lists(STEPS, min_size=5, max_size=40)
memory_cases = given(programs, SETTINGS, st.sampled_from([5, 10**6]), st.sampled_from([0, 10**10]))
file_cases = given(steps=programs, detect=SETTINGS)
checks = {"deadline": None, "suppress_health_check": list(HealthCheck)}

test_in_memory = settings(max_examples=100, **checks)(memory_cases(in_memory))
test_on_files = settings(max_examples=25, **checks)(file_cases(on_files))
test_in_memory_at_length = pytest.mark.soak(settings(max_examples=3_000, **checks)(memory_cases(in_memory)))
test_on_files_at_length = pytest.mark.soak(settings(max_examples=400, **checks)(file_cases(on_files)))
