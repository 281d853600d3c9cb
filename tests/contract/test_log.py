"""What every log does, whatever it is made of."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from monitor.adapters.bus.embedded import LogSettings, open_log
from monitor.domain import frames
from monitor.domain.events import HOST_SIDE, VIEWERS, Event, Kind
from monitor.domain.frames import Entry, Frame, Mark, Swap, Tick
from monitor.services.ports import Log
from monitor.services.records import Numbered
from tests.fakes.log import MemoryLog

FAR = 10**15  # beyond every time and size here
ALL = 10**9


class Silent:
    def info(self, event: str, **facts: object) -> None: ...

    def warning(self, event: str, **facts: object) -> None: ...

    def error(self, event: str, **facts: object) -> None:
        raise AssertionError(event, facts)


def fatal(error: BaseException) -> None:
    raise AssertionError(error)


async def memory(path: Path) -> Log:
    return MemoryLog()


async def embedded(path: Path) -> Log:
    return await open_log(LogSettings(path=path), logger=Silent(), on_fatal=fatal)


async def embedded_uncached(path: Path) -> Log:
    return await open_log(LogSettings(path=path, cache_bytes=0), logger=Silent(), on_fatal=fatal)


async def embedded_small_cache(path: Path) -> Log:
    return await open_log(LogSettings(path=path, cache_events=5), logger=Silent(), on_fatal=fatal)


@pytest.fixture(params=[memory, embedded, embedded_uncached, embedded_small_cache], ids=lambda make: make.__name__)
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Log]:
    make: Callable[[Path], Awaitable[Log]] = request.param
    log = await make(tmp_path / "log.db")
    yield log
    await log.close()


def frame(
    n: int = 1, *, lane: int = VIEWERS, at: int = 1_000, tenant: str = "local", session: str = "", session_seq: int = 0
) -> Frame:
    """A frame of `n` events of `lane`, accepted at `at`."""
    kind = Kind.COMMENT if lane == VIEWERS else Kind.TRANSCRIPT
    events = [Event(id=f"{kind}-{at}-{i}", kind=kind, text=f"第{i}句 😀", room=f"room{i % 3}") for i in range(n)]
    [built] = frames.build(
        events, tenant=tenant, accepted_at=at, pseudonym=str, revision_of=lambda event: 0, session=session,
        session_seq=session_seq,
    )
    assert built.lane == lane
    return built


def seqs(found: Sequence[Numbered]) -> list[int]:
    return [numbered.seq for numbered in found]


async def follow(log: Log, *, lane: int | None, events: int, after: int = 0) -> list[Numbered]:
    """Everything after `after`, read in steps."""
    found: list[Numbered] = []
    while step := await log.read(after=after, lane=lane, events=events):
        found += step
        after = step[-1].seq
    return found


async def test_an_empty_log_has_nothing(log: Log) -> None:
    assert log.end() == 0
    assert await log.first() == 1
    assert await log.first_since(0) == 1
    assert await log.read(after=0, lane=None, events=ALL) == []
    assert await log.read(after=7, lane=HOST_SIDE, events=ALL) == []
    assert log.backlog(0, lane=VIEWERS) == 0
    assert await log.session_seq("local", "s") == 0
    assert await log.trim(before=FAR, accepted_before=FAR, max_bytes=0) == 0


async def test_numbers_start_at_one_and_have_no_holes(log: Log) -> None:
    assert await log.append([frame(), Tick(1_001)]) == 2
    assert await log.append([]) == 2
    assert await log.append([frame(lane=HOST_SIDE)]) == 3
    assert log.end() == 3
    assert seqs(await log.read(after=0, lane=None, events=ALL)) == [1, 2, 3]


async def test_entries_come_back_as_they_were(log: Log) -> None:
    entries: list[Entry] = [
        frame(3), frame(2, lane=HOST_SIDE, session="ws", session_seq=4), Tick(1_002), Swap(1_003, "v-2")
    ]
    await log.append(entries)
    found = await follow(log, lane=None, events=1)
    assert [numbered.entry for numbered in found] == entries
    assert seqs(found) == [1, 2, 3, 4]


async def test_concurrent_appends_stay_whole_and_in_order(log: Log) -> None:
    pairs = [[frame(at=2 * i), frame(at=2 * i + 1, lane=HOST_SIDE)] for i in range(100)]
    lasts = await asyncio.gather(*(log.append(pair) for pair in pairs))
    assert list(lasts) == list(range(2, 201, 2))
    found = await follow(log, lane=None, events=7)
    assert [numbered.entry for numbered in found] == [entry for pair in pairs for entry in pair]


async def test_what_is_acknowledged_is_readable(log: Log) -> None:
    for i in range(1, 20):
        seq = await log.append([frame(at=i)])
        assert log.end() == seq
        assert seqs(await log.read(after=seq - 1, lane=VIEWERS, events=1)) == [seq]


async def test_a_lane_is_read_with_the_entries_of_both(log: Log) -> None:
    await log.append([frame(lane=HOST_SIDE), frame(), Tick(1), frame(), Swap(2, "v"), frame(lane=HOST_SIDE)])
    for events in (1, ALL):
        assert seqs(await follow(log, lane=HOST_SIDE, events=events)) == [1, 3, 5, 6]
        assert seqs(await follow(log, lane=VIEWERS, events=events)) == [2, 3, 4, 5]
        assert seqs(await follow(log, lane=None, events=events)) == [1, 2, 3, 4, 5, 6]
    assert seqs(await log.read(after=2, lane=VIEWERS, events=ALL)) == [3, 4, 5]
    assert await log.read(after=6, lane=HOST_SIDE, events=ALL) == []


async def test_a_read_gives_one_entry_or_what_its_events_allow(log: Log) -> None:
    await log.append([frame(3), frame(2), frame(lane=HOST_SIDE), frame(5), Tick(1), frame(9)])
    assert seqs(await log.read(after=0, lane=None, events=0)) == [1]
    assert seqs(await log.read(after=0, lane=None, events=4)) == [1]
    assert seqs(await log.read(after=0, lane=None, events=5)) == [1, 2]
    assert seqs(await log.read(after=0, lane=VIEWERS, events=10)) == [1, 2, 4, 5]
    assert seqs(await log.read(after=4, lane=VIEWERS, events=1)) == [5]
    assert seqs(await log.read(after=5, lane=VIEWERS, events=1)) == [6]


async def test_a_quiet_lane_is_found_behind_a_busy_one(log: Log) -> None:
    await log.append([frame(lane=HOST_SIDE)])
    for at in range(30):
        await log.append([frame(4, at=at)])
    assert seqs(await log.read(after=0, lane=HOST_SIDE, events=ALL)) == [1]
    assert await log.read(after=1, lane=HOST_SIDE, events=ALL) == []
    await log.append([frame(lane=HOST_SIDE)])
    assert seqs(await log.read(after=1, lane=HOST_SIDE, events=ALL)) == [32]
    assert seqs(await log.read(after=0, lane=HOST_SIDE, events=ALL)) == [1, 32]


async def test_backlog_counts_the_events_of_one_lane(log: Log) -> None:
    sizes = [(3, VIEWERS), (2, HOST_SIDE), (4, VIEWERS), (1, HOST_SIDE), (6, VIEWERS)]
    for n, lane in sizes:
        await log.append([frame(n, lane=lane), Tick(1)])
    for after in range(-1, 13):
        for lane in (HOST_SIDE, VIEWERS):
            expected = sum(n for i, (n, its) in enumerate(sizes) if its == lane and 2 * i + 1 > after)
            assert log.backlog(after, lane=lane) == expected


async def test_wait_returns_once_there_is_more(log: Log) -> None:
    waiting = [asyncio.create_task(log.wait(after, timeout=60)) for after in (0, 0, 1)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    await log.append([frame()])
    assert await waiting[0] and await waiting[1]
    assert not waiting[2].done()
    await log.append([Tick(1)])
    assert await waiting[2]
    assert await log.wait(1, timeout=0)


async def test_wait_gives_up(log: Log) -> None:
    assert not await log.wait(0, timeout=0)
    await log.append([frame()])
    assert not await log.wait(1, timeout=0.001)
    assert await log.wait(0, timeout=0)


async def test_a_cancelled_wait_leaves_the_others(log: Log) -> None:
    given_up, waiting = (asyncio.create_task(log.wait(0, timeout=60)) for _ in range(2))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    assert given_up.cancelled()
    await log.append([frame()])
    assert await waiting


async def test_first_since_takes_the_lowest_number(log: Log) -> None:
    times = [100, 200, 150, 120, 300, 250, 300]  # the clock steps back twice
    await log.append([frame(at=at) for at in times])
    for since in range(90, 311, 10):
        expected = next((seq for seq, at in enumerate(times, 1) if at >= since), len(times) + 1)
        assert await log.first_since(since) == expected


async def test_first_since_forgets_a_high_time_that_was_trimmed(log: Log) -> None:
    await log.append([frame(at=at) for at in (500, 100, 200, 300)])
    assert await log.trim(before=2, accepted_before=FAR, max_bytes=FAR) == 1
    assert await log.first_since(0) == 2
    assert await log.first_since(250) == 4
    assert await log.first_since(301) == 5


async def test_sessions_know_their_last_number(log: Log) -> None:
    await log.append([frame(session="a", session_seq=3), frame(tenant="other", session="a", session_seq=9)])
    await log.append([frame(session="b", session_seq=1), frame(lane=HOST_SIDE, session="a", session_seq=5)])
    await log.append([frame()])
    assert await log.session_seq("local", "a") == 5
    assert await log.session_seq("other", "a") == 9
    await log.append([Mark(1_000, "local", "a", 6)])  # a message that held nothing new
    assert await log.session_seq("local", "a") == 6
    assert await log.session_seq("local", "b") == 1
    assert await log.session_seq("other", "b") == 0
    assert await log.session_seq("local", "") == 0
    await log.append([frame(session="a", session_seq=4)])
    assert await log.session_seq("local", "a") == 6
    await log.trim(before=FAR, accepted_before=FAR, max_bytes=0)
    assert await log.first() == 8
    assert await log.session_seq("local", "a") == 6


async def test_trim_drops_what_is_old_and_judged(log: Log) -> None:
    await log.append([frame(2, at=at, lane=at // 10 % 2) for at in (10, 20, 30, 40, 50)])
    assert await log.trim(before=0, accepted_before=FAR, max_bytes=FAR) == 0
    assert await log.trim(before=FAR, accepted_before=10, max_bytes=FAR) == 0
    assert await log.trim(before=3, accepted_before=FAR, max_bytes=FAR) == 2
    assert await log.first() == 3
    assert await log.trim(before=FAR, accepted_before=40, max_bytes=FAR) == 1
    assert await log.trim(before=FAR, accepted_before=40, max_bytes=FAR) == 0
    assert await log.first() == 4
    assert seqs(await follow(log, lane=None, events=1)) == [4, 5]
    assert seqs(await follow(log, lane=VIEWERS, events=1)) == [5]
    assert log.backlog(0, lane=HOST_SIDE) == log.backlog(3, lane=HOST_SIDE) == 2
    assert await log.first_since(0) == 4
    assert log.end() == 5


async def test_trim_stops_at_the_first_entry_that_stays(log: Log) -> None:
    await log.append([frame(at=at) for at in (10, 90, 20, 30)])
    assert await log.trim(before=FAR, accepted_before=50, max_bytes=FAR) == 1
    assert seqs(await log.read(after=0, lane=None, events=ALL)) == [2, 3, 4]


async def test_trim_by_size_takes_the_oldest_but_nothing_unjudged(log: Log) -> None:
    await log.append([frame(at=10 + i) for i in range(6)])
    assert await log.trim(before=4, accepted_before=0, max_bytes=FAR) == 0
    assert await log.trim(before=4, accepted_before=0, max_bytes=0) == 3
    assert await log.first() == 4
    assert seqs(await follow(log, lane=VIEWERS, events=1)) == [4, 5, 6]


async def test_numbers_go_on_after_everything_was_trimmed(log: Log) -> None:
    await log.append([frame(3), Tick(1)])
    assert await log.trim(before=FAR, accepted_before=0, max_bytes=0) == 2
    assert log.end() == 2
    assert await log.first() == 3
    assert await log.read(after=0, lane=None, events=ALL) == []
    assert log.backlog(0, lane=VIEWERS) == 0
    assert await log.append([frame(2)]) == 3
    assert seqs(await log.read(after=0, lane=VIEWERS, events=ALL)) == [3]
    assert log.backlog(0, lane=VIEWERS) == 2
