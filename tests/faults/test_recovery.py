"""Single turns of fate that went wrong once, or would show nowhere else."""

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.adapters.keys import KeyFiles
from monitor.domain.errors import ConfigError, StorageError
from monitor.domain.events import Event
from monitor.domain.frames import Entry, Frame, Tick
from monitor.services.detect import DetectSettings
from monitor.services.evidence import EvidenceDesk
from monitor.services.housekeeping import Housekeeping, HousekeepingSettings
from monitor.services.ingest import IngestSettings
from monitor.services.pseudonyms import KEY_BYTES
from monitor.services.records import AlertFilter, ArchiveQuery
from monitor.services.scan import Scanner
from tests.faults.harness import Item, body_of, until
from tests.faults.inside import (
    GROUPING,
    START,
    TENANT,
    FileHouse,
    MemoryHouse,
    Quiet,
    World,
    engines,
    make_template,
    replayed,
)

NEVER = 10**15


def world_of(house: MemoryHouse, **settings: Any) -> World:
    """Judges what comes and writes nothing by the clock, unless told."""
    never = {"snapshot_ms": NEVER, "archive_ms": NEVER, "commit_ms": 0, "tick_ms": 5, "linger_s": 0.0}
    return World(house, detect=DetectSettings(grouping=GROUPING, **{**never, **settings}), ingest=IngestSettings())


def speech(n: int, *, at: int = START, text: str = "今天全网最低") -> Item:
    return {"id": f"s{n}", "room": "a", "kind": "transcript", "source": "test", "at": at, "text": text}


def comment(n: int, *, at: int = START, text: str = "史上最低吧") -> Item:
    return {"id": f"c{n}", "room": "a", "kind": "comment", "source": "test", "speaker": "u", "at": at, "text": text}


async def ticked(world: World, times: int = 1) -> None:
    """Until so many more ticks are judged."""
    wanted = sum(isinstance(entry, Tick) for entry in world.entries) + times
    await until(lambda: world.dead or sum(isinstance(entry, Tick) for entry in world.entries) > wanted)
    assert not world.dead  # it writes a tick only when everything before is judged


async def check(world: World) -> None:
    """It stands where one uninterrupted pass over its log stands."""
    await world.rest()
    await world.stop()
    seen, plain = await world.seen(), await replayed(world.entries, now=world.clock.now())
    assert seen.alerts == plain.alerts
    assert seen.kept == plain.kept


async def broadcasts(world: World) -> set[str]:
    page = await world.store.alerts(TENANT, AlertFilter(), cursor=None, limit=200)
    return {alert.broadcast for alert in page.alerts}


def scanned(batches: Sequence[Sequence[Item]]) -> set[str]:
    scanner = Scanner(next(iter(engines().values())), grouping=GROUPING, with_alerts=True)
    for batch in batches:
        scanner.scan(msgspec.convert(batch, list[Event]))
    return {alert.id for alert, _ in scanner.alerts()}


async def test_stopped_between_the_two_halves_of_a_request() -> None:
    """The host side's half is judged and committed, the comments' half is not."""
    world = world_of(MemoryHouse(), host_batch=1, batch=1, snapshot_ms=0)
    await world.open()
    for n in range(3):
        await world.send([speech(2 * n, at=START + n), comment(2 * n + 1, at=START + n - 1)])
    await until(lambda: world.dead or world.detect.positions()[0] > 1)
    await world.crash()
    (first, seq), *_ = [(e, n) for n, e in enumerate(world.entries, 1) if isinstance(e, Frame) and e.followed]
    assert first.lane == 0
    position = await world.store.claim(0)
    assert seq <= position.seq
    await world.open()
    await check(world)


async def test_read_ahead_ends_between_the_two_halves_of_a_request() -> None:
    """The log gives 1,024 entries at a time at most; here one less, so that a request is cut in two."""
    house = MemoryHouse()
    world = world_of(house)
    await world.open()
    await world.crash()
    world.log, world.store, world.archive = await house.open()
    before = len(world.entries)
    sent = []
    for n in range(10):
        at = START + n * 1_000
        sent.append([speech(n, at=at), comment(n, at=at - 500)])
    feeding = world_of(house)
    await feeding.open(swap=False)
    for batch in sent:
        await feeding.send(batch)
    await feeding.crash()
    assert before % 2 == 1
    read = house.log.read

    async def short(*, after: int, lane: int | None, events: int) -> list[Any]:
        return (await read(after=after, lane=lane, events=events))[:2]

    house.log.read = short  # type: ignore[method-assign]
    again = world_of(house)
    again.entries = feeding.entries
    await again.open(swap=False)
    await again.settle()
    await again.stop()
    assert {alert for alert in (await again.seen()).alerts} == scanned(sent)
    assert len(await broadcasts(again)) == 1
    await again.house.close()
    await again.open(swap=False)
    await check(again)


async def test_a_lane_without_events_keeps_no_one_from_remembering_the_rooms() -> None:
    """Restarted after the log was trimmed, and once more before the archive was written: the broadcast is the same."""
    world = world_of(MemoryHouse(), snapshot_ms=1, archive_ms=1)
    await world.open()
    await world.send([speech(1)])
    await world.settle()
    for _ in range(3):  # the archive, then the snapshot, then what the ring held
        world.clock.time += 70_000
        await ticked(world)
    await world.trim()
    assert await world.log.first() > 3
    for _ in range(2):
        await world.crash()
        world._detect_settings = msgspec.structs.replace(world._detect_settings, archive_ms=NEVER)
        await world.open()
        world.clock.time += 10
        await ticked(world)
    await world.send([speech(2, at=world.clock.now())])
    await world.settle()
    await world.stop()
    assert len(await broadcasts(world)) == 1


async def test_ticks_that_are_read_again_leave_the_groups_alone() -> None:
    """Recorded events: their times lie far before the clock's, by which a tick lets go of old groups."""
    old = START - 10**9
    world = world_of(MemoryHouse(), snapshot_ms=1, archive_ms=1)
    await world.open()
    await world.send([speech(0, at=old, text="好看")])  # stays in the ring, so that a start reads on from here
    await ticked(world)
    await world.send([speech(1, at=old + 1)])
    await world.settle()
    world.clock.time += 1
    await world.send([speech(2, at=old + 2, text="好看")])  # a snapshot, with the group, is due
    await world.settle()
    await world.crash()
    await world.open()
    await world.send([speech(3, at=old + 3)])
    await check(world)


async def test_recorded_events_share_alerts_whatever_the_time_between_them() -> None:
    """As in a scan of the same file, which knows no time that passes."""
    old = START - 10**9
    batches = [[speech(n, at=old + n * 1_000)] for n in range(4)]
    world = world_of(MemoryHouse())
    await world.open()
    for batch in batches:
        await world.send(batch)
        await ticked(world, 2)
    await world.stop()
    assert set((await world.seen()).alerts) == scanned(batches)


async def test_an_old_batch_that_comes_again_moves_no_group() -> None:
    batches = [[speech(n, at=START + at)] for n, at in enumerate([0, 3_000, 6_000, 9_500, 12_000])]
    world = world_of(MemoryHouse())
    await world.open()
    for batch in batches[:4]:
        await world.send(batch)
    await world.settle()
    await world.crash()
    await world.open()
    await world.send(batches[2])
    await world.send(batches[4])
    await world.send([speech(9, at=START + 18_000)])
    await world.settle()
    await world.stop()
    assert set((await world.seen()).alerts) == scanned([*batches, [speech(9, at=START + 18_000)]])


async def test_a_copy_is_not_acknowledged_where_the_first_one_could_not_be_written() -> None:
    """The first copy is refused by the disk, another request's events are taken, while a copy of the first waits."""
    house = MemoryHouse()
    world = world_of(house)
    await world.open()
    await world.settle()
    append, gate = house.log.append, asyncio.Event()
    appends = 0

    async def refusing(entries: Sequence[Entry]) -> int:
        nonlocal appends
        if not any(isinstance(entry, Frame) for entry in entries):
            return await append(entries)
        appends += 1
        mine = appends
        await gate.wait()
        if mine == 1:
            raise StorageError("the disk refused")
        return await append(entries)

    house.log.append = refusing  # type: ignore[method-assign]
    first = asyncio.create_task(world.send([speech(1)]))
    await until(lambda: appends == 1)
    second = asyncio.create_task(world.send([speech(2)]))
    await until(lambda: appends == 2)
    copy = asyncio.create_task(world.send([speech(1)]))
    await asyncio.sleep(0)
    gate.set()
    ended = await asyncio.gather(first, second, copy, return_exceptions=True)
    assert [type(end) for end in ended] == [StorageError, type(None), StorageError]
    await world.send([speech(1)])
    await world.settle()
    assert {name for name, _ in (await world.seen()).kept} == {"s1", "s2"}
    await check(world)


async def test_events_that_could_not_be_packed_are_no_duplicates() -> None:
    """The pseudonym key cannot be read when they come first."""
    world = world_of(MemoryHouse())
    await world.open()
    pseudonyms, bad = world.ingest._pseudonyms, True

    class Broken:
        def of(self, tenant: str) -> Callable[[str], str]:
            if bad:
                raise ConfigError("no key")
            return pseudonyms.of(tenant)

    world.ingest._pseudonyms = Broken()  # type: ignore[assignment]
    with pytest.raises(ConfigError):
        await world.send([comment(1)])
    bad = False
    receipt = await world.ingest.accept(TENANT, body_of([comment(1)]))
    assert (receipt.accepted, receipt.duplicates) == (1, 0)
    await check(world)


async def test_housekeeping_lives_with_a_full_disk() -> None:
    house = MemoryHouse()
    world = world_of(house)
    await world.open()
    await world.settle()

    async def refused(*_: object, **__: object) -> int:
        raise StorageError("no room")

    house.log.trim = house.store.trim_outbox = refused  # type: ignore[method-assign,assignment]
    house.archive.expire = house.archive.tidy = refused  # type: ignore[method-assign,assignment]
    keeping = Housekeeping(
        log=house.log, store=house.store, archive=house.archive, detect=world.detect, telemetry=world.telemetry,
        logger=Quiet(), clock=world.clock, disk_free=lambda: 0, settings=HousekeepingSettings(
            log_keep_ms=0, log_max_bytes=0, events_keep_ms=0, outbox_keep=1, gauges_s=0.001, trim_s=0))
    stop = asyncio.Event()
    running = asyncio.create_task(keeping.run(stop))
    await asyncio.sleep(0.02)
    stop.set()
    await running
    await world.stop()


def test_a_half_made_key_is_no_obstacle(tmp_path: Path) -> None:
    """Its maker died, and this process has the same number, as in a container."""
    (tmp_path / f"local.{os.getpid()}.tmp").write_text("0123", encoding="ascii")
    assert len(KeyFiles(tmp_path).key_of("local")) == KEY_BYTES


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_a_correction_withdraws_a_plain_final_result_however_the_events_are_cut(cut: int) -> None:
    """A result without a revision is the first: one that comes again, late, changes nothing."""
    corrected = {**speech(1, at=START + 1, text="今天不贵"), "revision": 1}
    items = [speech(1), comment(2, text="好看"), corrected, speech(1), speech(4)]
    scanner = Scanner(next(iter(engines().values())), grouping=GROUPING, with_alerts=True)
    for start in range(0, len(items), cut):
        scanner.scan(msgspec.convert(items[start : start + cut], list[Event]))
    assert [events for _, events in scanner.alerts()] == [["s4"]]


async def test_how_long_an_event_waits_is_told_since_its_lane_judged_or_the_service_began() -> None:
    world = world_of(MemoryHouse())
    await world.open()
    await world.send([speech(1)])
    await world.settle()
    await ticked(world)
    await world.stop()
    assert world.detect.oldest_unjudged_ms() == 0, "nothing waits"
    world.clock.time += 4_000
    await world.send([comment(2)])
    world.clock.time += 3_000
    assert world.detect.oldest_unjudged_ms() == 7_000
    world.clock.time += 10**8  # nobody was there
    gate = asyncio.Event()
    await world.house.close()
    await world.open()
    judge = world.detect.on_engine

    async def slowly(work: Callable[..., Any], *args: Any) -> Any:
        await gate.wait()
        return await judge(work, *args)

    world.detect.on_engine = slowly  # type: ignore[method-assign]
    world.clock.time += 2_000
    assert world.detect.oldest_unjudged_ms() == 2_000
    gate.set()
    await world.settle()
    assert world.detect.oldest_unjudged_ms() == 0
    await world.stop()


@pytest.mark.parametrize("quick", [False, True], ids=["with ticks in between", "at once"])
@pytest.mark.parametrize("away_ms", [70_000, 200_000, 10**8])
@pytest.mark.parametrize("kind", ["memory", "files"])
async def test_an_alert_keeps_its_lines_over_stops_and_starts(
    tmp_path: Path, kind: str, away_ms: int, quick: bool
) -> None:
    """Stopped while the lines are in the ring, started past their time, stopped again, and started."""
    house = MemoryHouse() if kind == "memory" else FileHouse(tmp_path / "data", await made(tmp_path / "empty.db"))
    world = World(house, ingest=IngestSettings(), detect=DetectSettings(
        grouping=GROUPING, snapshot_ms=10, archive_ms=10, commit_ms=0, tick_ms=5, linger_s=0))
    await world.open()
    await world.send([speech(1, text="大家好"), speech(2, at=START + 1), speech(3, at=START + 2, text="谢谢")])
    await world.settle()
    for _ in range(3):
        await world.stop()
        await world.house.close()
        world.clock.time += away_ms
        await world.open()
        if not quick:
            await ticked(world, 2)
    await world.rest()  # lines on their way from memory to the disk are nowhere for a moment
    seen = await world.seen()
    (lines,) = seen.lines.values()
    assert [event for _, event, _ in lines[2]] == ["s1", "s2", "s3"]
    await world.stop()
    await world.house.close()


@pytest.mark.parametrize("between", ["nothing", "a stop", "a crash"])
@pytest.mark.parametrize("kind", ["memory", "files"])
async def test_a_number_over_two_messages_is_masked_in_both_whatever_comes_between(
    tmp_path: Path, kind: str, between: str
) -> None:
    """The first part is in the archive's files already, without a mask."""
    house = MemoryHouse() if kind == "memory" else FileHouse(tmp_path / "data", await made(tmp_path / "empty.db"))
    world = world_of(house, archive_ms=10, snapshot_ms=10)
    await world.open()
    await world.send([comment(1, text="史上最低 13812"), comment(2, at=START + 1, text="好看") | {"speaker": "w"}])
    await world.settle()
    world.clock.time += 20
    await until(lambda: world.archive.position(1) > 1)
    assert {kept.text for kept in await world.archive.search(TENANT, ArchiveQuery())} == {"史上最低 13812", "好看"}
    if between != "nothing":
        await (world.stop() if between == "a stop" else world.crash())
        if between == "a stop":
            await world.house.close()
        await world.open()
    await world.send([comment(3, at=START + 1_000, text="345678")])
    await world.settle()
    desk = EvidenceDesk(world.store, world.detect, lambda: engines()[world.rules])
    (alert,) = (await world.store.alerts(TENANT, AlertFilter(), cursor=None, limit=9)).alerts
    evidence = await desk.evidence(TENANT, alert.id)
    assert evidence is not None
    assert [line.text for line in evidence.context] == ["史上最低 *****", "好看", "******"]
    await check(world)
    kept = await world.archive.search(TENANT, ArchiveQuery())
    assert [event.text for event in kept] == ["******", "好看", "史上最低 *****"]
    await world.house.close()


async def made(path: Path) -> Path:
    await make_template(path)
    return path


async def test_an_archive_that_refuses_for_long_fills_no_memory() -> None:
    house = MemoryHouse()
    written = house.archive.flush

    async def refused(lane: int) -> int:
        raise StorageError("full")

    house.archive.flush = refused  # type: ignore[method-assign]
    world = World(house, ingest=IngestSettings(unwritten=4), detect=DetectSettings(
        archive_ms=0, commit_ms=0, tick_ms=5, linger_s=0.0, grouping=GROUPING))
    await world.open()
    await world.send([speech(n) for n in range(5)])
    await world.settle()
    await until(lambda: world.detect.unwritten() == 5)
    with pytest.raises(StorageError, match="5 judged events wait"):
        await world.send([speech(5)])
    house.archive.flush = written  # type: ignore[method-assign]
    await until(lambda: world.detect.unwritten() == 0)
    await world.send([speech(5)])
    await world.settle()
    await world.stop()
    assert set((await world.seen()).kept) == {(f"s{n}", 0) for n in range(6)}


async def test_lines_around_what_was_missing_are_wanted_after_a_crash_too() -> None:
    """What needs both lanes is stored before any snapshot: a re-read gives the same windows."""
    world = world_of(MemoryHouse())
    world.rules = list(engines())[1]
    await world.open()
    await world.send([speech(1, text="大家好")])
    await world.settle()
    for _ in range(60):  # the statement is due after 10 s, and then some for what is late
        world.clock.time += 1_000
        await ticked(world)
    await world.rest()
    page = await world.store.alerts(TENANT, AlertFilter(rule="shop.missing"), cursor=None, limit=10)
    assert page.alerts
    before = {room: sorted(msgspec.structs.astuple(w) for w in windows)
              for room, windows in world.detect._state.windows.of.items()}
    assert before
    await world.crash()
    await world.open(swap=False)
    after = {room: sorted(msgspec.structs.astuple(w) for w in windows)
             for room, windows in world.detect._state.windows.of.items()}
    await world.stop()
    await world.house.close()
    assert after == before
