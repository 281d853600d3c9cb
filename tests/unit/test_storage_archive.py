"""The archive's files: what a crash, a bad file and a newer version leave behind."""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq
import pytest

from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.segmentfile import Facts, Group, Reader, Segment
from monitor.adapters.storage.segments import SCHEMA, Judged
from monitor.adapters.storage.shelf import Shelf
from monitor.domain.errors import NewerFormat, StorageError
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.services.ports import FailPoint
from monitor.services.records import ArchiveQuery
from tests.contract.test_archive import DAY, NOON, event, frame, kept, names

LOST = "1-000000000004-000000000006.parquet"


class Lines:
    """A log that remembers its errors."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def info(self, event: str, **facts: object) -> None: ...

    def warning(self, event: str, **facts: object) -> None: ...

    def error(self, event: str, **facts: object) -> None:
        self.errors.append(event)


class Death(Exception):
    """What a fail point does to the process."""


def dies_at(place: str) -> FailPoint:
    def failpoint(name: str, events: int = 0) -> None:
        if name == place:
            raise Death

    return failpoint


@asynccontextmanager
async def opened(
    root: Path, log: Lines | None = None, failpoint: FailPoint | None = None
) -> AsyncIterator[ParquetArchive]:
    more: dict[str, Any] = {"failpoint": failpoint} if failpoint else {}
    archive = await ParquetArchive.open(root, log=log or Lines(), **more)
    try:
        yield archive
    finally:
        await archive.close()


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def folders(root: Path) -> list[str]:
    return [path.name for path in root.iterdir()]


async def three(root: Path) -> None:
    """Segments 1–3, 4–6, 7–9 of the viewers' lane, one event a position, the time rising."""
    async with opened(root) as archive:
        for seq in range(1, 10):
            await kept(archive, seq, event(f"e{seq}", NOON + seq))
            if seq % 3 == 0:
                assert await archive.flush(VIEWERS) == seq


async def test_files_lie_by_day_lane_and_range(tmp_path: Path) -> None:
    root = tmp_path / "new" / "archive"
    async with opened(root) as archive:
        await kept(archive, 2, event("a"), lane=HOST_SIDE)
        await kept(archive, 3, event("b"))
        await kept(archive, 5, event("c"), accepted_at=NOON + DAY)
        await archive.flush(VIEWERS)
        await archive.flush(HOST_SIDE)
        await kept(archive, 9, event("d"), accepted_at=NOON + DAY)
        await archive.flush(VIEWERS)
    assert files(root) == [
        "2023-11-14/0-000000000002-000000000002.parquet",
        "2023-11-14/1-000000000003-000000000005.parquet",
        "2023-11-15/1-000000000006-000000000009.parquet",  # 6 to 8 are the other lane's
    ]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (root / files(root)[0], root / files(root)[2])}
    assert modes == {0o600}
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


async def test_positions_are_found_again(tmp_path: Path) -> None:
    await three(tmp_path)
    async with opened(tmp_path) as archive:
        assert (archive.position(VIEWERS), archive.position(HOST_SIDE)) == (9, 0)
        await kept(archive, 12, event("later", NOON + 12))
        assert await archive.flush(VIEWERS) == 12
        assert await names(archive, limit=2) == ["later", "e9"]


async def test_an_archive_may_begin_late(tmp_path: Path) -> None:
    async with opened(tmp_path) as archive:
        await kept(archive, 1_000, event("a"))
        assert await archive.flush(VIEWERS) == 1_000
    assert files(tmp_path) == ["2023-11-14/1-000000001000-000000001000.parquet"]
    async with opened(tmp_path) as archive:
        assert archive.position(VIEWERS) == 1_000


async def test_a_missing_segment_is_a_hole_until_it_is_written_again(tmp_path: Path) -> None:
    await three(tmp_path)
    (tmp_path / "2023-11-14" / LOST).unlink()
    async with opened(tmp_path) as archive:
        assert archive.position(VIEWERS) == 3
        assert await names(archive) == ["e9", "e8", "e7", "e3", "e2", "e1"]
        await kept(archive, 4, event("e4", NOON + 4))
        await kept(archive, 7, event("e7", NOON + 7))  # cuts into the next one
        assert await archive.flush(VIEWERS) == 7
        assert await names(archive) == ["e9", "e8", "e7", "e4", "e3", "e2", "e1"]
    async with opened(tmp_path) as archive:
        assert archive.position(VIEWERS) == 9


async def test_a_crash_before_the_rename_leaves_nothing(tmp_path: Path) -> None:
    await three(tmp_path)
    before = files(tmp_path)
    async with opened(tmp_path, failpoint=dies_at("segment_written")) as archive:
        await kept(archive, 10, event("e10", NOON + 10))
        with pytest.raises(Death):
            await archive.flush(VIEWERS)
    assert len(files(tmp_path)) == len(before) + 1
    async with opened(tmp_path) as archive:
        assert files(tmp_path) == before
        assert archive.position(VIEWERS) == 9
        await kept(archive, 10, event("e10", NOON + 10))
        assert await archive.flush(VIEWERS) == 10
        assert await names(archive, limit=2) == ["e10", "e9"]


@pytest.mark.parametrize("cut", [(4, 5), (5, 9), (1, 9), (2, 2), (3, 8)])
async def test_a_crash_before_the_old_ones_go_doubles_nothing(tmp_path: Path, cut: tuple[int, int]) -> None:
    await three(tmp_path)
    every = [f"e{seq}" for seq in range(9, 0, -1)]

    async def again(archive: ParquetArchive) -> None:
        for seq in range(cut[0], cut[1] + 1):
            await kept(archive, seq, event(f"e{seq}", NOON + seq))

    async with opened(tmp_path, failpoint=dies_at("segment_renamed")) as archive:
        await again(archive)
        with pytest.raises(Death):
            await archive.flush(VIEWERS)
    async with opened(tmp_path) as archive:
        assert archive.position(VIEWERS) == 9
        assert await names(archive) == every
        assert await names(archive, limit=4) == every[:4]
        await again(archive)
        assert await archive.flush(VIEWERS) == 9
        assert await names(archive) == every
    seqs = [seq for name in files(tmp_path) for seq in pq.read_table(tmp_path / name)["seq"].to_pylist()]
    assert sorted(set(seqs)) == list(range(1, 10))
    assert len([seq for seq in seqs if cut[0] <= seq <= cut[1]]) == cut[1] - cut[0] + 1


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def another_file(path: Path) -> None:
    table = pq.read_table(path).replace_schema_metadata({})
    pq.write_table(table, path)


@pytest.mark.parametrize("harm", [cut_off, empty, another_file])
async def test_an_unreadable_segment_is_set_aside_and_read_from_the_log_once(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    await three(tmp_path)
    harm(tmp_path / "2023-11-14" / LOST)
    log = Lines()
    async with opened(tmp_path, log) as archive:
        assert log.errors == ["archive_segment_unreadable"]
        assert archive.position(VIEWERS) == 3
        assert await names(archive) == ["e9", "e8", "e7", "e3", "e2", "e1"]
        assert f"2023-11-14/{LOST}.bad" in files(tmp_path)
    log = Lines()
    async with opened(tmp_path, log) as archive:  # the log held it no more
        assert log.errors == []
        assert archive.position(VIEWERS) == 9
        assert await archive.expire(before=NOON + 2 * DAY) == 2
    assert files(tmp_path) == []
    assert not folders(tmp_path)


async def test_damage_that_a_search_meets_sets_the_segment_aside(tmp_path: Path) -> None:
    await three(tmp_path)
    path = tmp_path / "2023-11-14" / LOST
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(396)  # the pages; the footer is whole
    path.write_bytes(data)
    log = Lines()
    async with opened(tmp_path, log) as archive:
        assert archive.position(VIEWERS) == 9
        for _ in range(2):
            assert await names(archive) == ["e9", "e8", "e7", "e3", "e2", "e1"]
        assert log.errors == ["archive_segment_unreadable"]
        await kept(archive, 5, event("e5", NOON + 5))
        await archive.flush(VIEWERS)
        assert await names(archive, until=NOON + 7) == ["e5", "e3", "e2", "e1"]


async def test_damage_that_a_rewrite_meets_sets_the_segment_aside(tmp_path: Path) -> None:
    await three(tmp_path)
    log = Lines()
    async with opened(tmp_path, log) as archive:
        cut_off(tmp_path / "2023-11-14" / LOST)
        await kept(archive, 5, event("e5", NOON + 5))
        assert await archive.flush(VIEWERS) == 9
        assert log.errors == ["archive_segment_unreadable"]
        assert await names(archive) == ["e9", "e8", "e7", "e5", "e3", "e2", "e1"]


async def test_a_newer_segment_stops_the_start(tmp_path: Path) -> None:
    await three(tmp_path)
    path = tmp_path / "2023-11-14" / LOST
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"redpost": "redpost:2:0:0;"}), path)
    with pytest.raises(NewerFormat) as refused:
        await ParquetArchive.open(tmp_path, log=Lines())
    assert refused.value.hint
    assert path.exists()


async def test_other_files_are_let_alone(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "lost+found" / "notes.parquet.txt").write_text("mine")
    async with opened(tmp_path) as archive:
        assert archive.position(VIEWERS) == 0
        assert await archive.expire(before=NOON) == 0
    assert files(tmp_path) == ["lost+found/notes.parquet.txt"]


async def test_a_segment_that_somebody_removes_is_forgotten(tmp_path: Path) -> None:
    await three(tmp_path)
    log = Lines()
    async with opened(tmp_path, log) as archive:
        (tmp_path / "2023-11-14" / LOST).unlink()
        assert await names(archive) == ["e9", "e8", "e7", "e3", "e2", "e1"]
        assert log.errors == []
        (tmp_path / "2023-11-14" / LOST.replace("4", "1", 1).replace("6", "3")).unlink()
        await kept(archive, 2, event("e2", NOON + 2))
        await archive.flush(VIEWERS)
        assert await names(archive) == ["e9", "e8", "e7", "e2"]


async def test_what_cannot_be_written_stays_buffered(tmp_path: Path) -> None:
    async with opened(tmp_path) as archive:
        (tmp_path / "2023-11-14").touch()  # where the day's folder should be
        await kept(archive, 1, event("a"))
        with pytest.raises(StorageError) as refused:
            await archive.flush(VIEWERS)
        assert refused.value.retryable
        assert archive.position(VIEWERS) == 0
        assert await names(archive) == ["a"]
        (tmp_path / "2023-11-14").unlink()
        assert await archive.flush(VIEWERS) == 1
        assert await names(archive) == ["a"]


async def test_the_archive_answers_while_it_writes(tmp_path: Path) -> None:
    loop, writing, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def failpoint(name: str, events: int = 0) -> None:
        if name == "segment_written":
            loop.call_soon_threadsafe(writing.set)
            go_on.wait()

    async with opened(tmp_path, failpoint=failpoint) as archive:
        await kept(archive, 1, event("a", NOON + 1, text="旧"))
        await kept(archive, 2, event("b", NOON + 2))
        flush = asyncio.create_task(archive.flush(VIEWERS))
        await writing.wait()
        second = asyncio.create_task(archive.flush(VIEWERS))
        await kept(archive, 3, event("c", NOON + 3))
        await kept(archive, 1, event("a", NOON + 1, text="新"))
        assert await names(archive) == ["c", "b", "a"]
        go_on.set()
        assert await flush == 2
        assert await second == 3
        found = await archive.search("local", ArchiveQuery())
        assert [(each.id, each.text) for each in found if each.id == "a"] == [("a", "新")]
        assert [each.id for each in found] == ["c", "b", "a"]
    assert files(tmp_path) == ["2023-11-14/1-000000000001-000000000003.parquet"]
    assert pq.read_table(tmp_path / files(tmp_path)[0])["seq"].to_pylist() == [1, 2, 3]


class Moving(Shelf):
    """Writes a range again in other pieces just when the oldest of its segments is to be read."""

    moved = False

    def reader(self, segment: Segment) -> Reader:
        if segment.first == 1 and not self.moved:
            self.moved = True
            made = frame(event("e3", NOON + 3))
            self.put(VIEWERS, [Judged(3, made, ["b-0"], [])])
        return super().reader(segment)


async def test_a_search_goes_on_where_segments_move(tmp_path: Path) -> None:
    await three(tmp_path)
    shelf = Moving(tmp_path, log=Lines(), failpoint=dies_at("nowhere"))
    shelf.open()
    archive = ParquetArchive(shelf)
    assert await names(archive) == [f"e{seq}" for seq in range(9, 0, -1)]
    assert shelf.moved
    await archive.close()


class Slow:
    """A shelf of one segment with ten parts; the first one that is read waits for `go`."""

    def __init__(self) -> None:
        facts = Facts(at_min=1, at_max=10, events=10, bytes=1)
        self.segments = (Segment(Path("1-1-10.parquet"), VIEWERS, 1, 10, facts),)
        self.groups = [Group(n, n, n, n, n, n) for n in range(1, 11)]
        self.reading, self.go = threading.Event(), threading.Event()
        self.read_groups: list[int] = []

    def reader(self, segment: Segment) -> "Slow":
        return self

    def read(self, group: Group, columns: list[str]) -> Any:
        self.read_groups.append(group.number)
        self.reading.set()
        self.go.wait()
        return SCHEMA.empty_table().select(columns)

    def close(self) -> None: ...


async def test_a_search_that_is_cancelled_reads_no_further_part() -> None:
    shelf = Slow()
    archive = ParquetArchive(cast(Shelf, shelf))
    search = asyncio.create_task(archive.search("local", ArchiveQuery()))
    await asyncio.to_thread(shelf.reading.wait)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    shelf.go.set()
    await archive.close()
    assert shelf.read_groups == [10]


async def test_one_that_is_waited_for_reads_them_all() -> None:
    shelf = Slow()
    shelf.go.set()
    archive = ParquetArchive(cast(Shelf, shelf))
    assert await archive.search("local", ArchiveQuery()) == []
    await archive.close()
    assert shelf.read_groups == list(range(10, 0, -1))
