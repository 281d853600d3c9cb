"""Merging the archive's segments: what is merged, how often, and what a crash on the way leaves behind."""

import asyncio
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitor.adapters.storage import merging, segmentfile
from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.merging import worth_merging
from monitor.adapters.storage.segmentfile import Facts, Reader, Segment, read_facts
from monitor.adapters.storage.segments import Judged
from monitor.adapters.storage.shelf import Shelf
from monitor.domain.errors import StorageError
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.services.ports import FailPoint
from monitor.services.records import ArchiveQuery
from tests.contract.test_archive import DAY, NOON, event, frame, names
from tests.unit.test_storage_archive import Death, Lines, dies_at, files, opened

LATER = NOON + 2 * DAY
TODAY = "2023-11-14"
COUNT = 12
EVERY = [f"e{seq}" for seq in range(COUNT, 0, -1)]
WHOLE = [f"{TODAY}/1-000000000001-000000000012.parquet"]


def judged(seq: int, *, day: int = 0, text: str = "这个价格真不错") -> Judged:
    """A frame with one event, the time rising with the position."""
    at = NOON + seq + day * DAY
    return Judged(seq, frame(event(f"e{seq}", at, text=text), accepted_at=at), ["b-0"], [])


def shelf_of(root: Path, *, log: Lines | None = None, failpoint: FailPoint | None = None) -> Shelf:
    shelf = Shelf(root, log=log or Lines(), failpoint=failpoint or dies_at("nowhere"))
    shelf.open()
    return shelf


def fill(root: Path, seqs: range = range(1, COUNT + 1), *, day: int = 0, lane: int = VIEWERS) -> Shelf:
    """One segment a position."""
    shelf = shelf_of(root)
    for seq in seqs:
        shelf.put(lane, [judged(seq, day=day)])
    return shelf


def tidy(shelf: Shelf, *, before: int = LATER) -> int:
    """As far as it goes, in the smallest of steps; how many these were."""
    steps = 0
    while shelf.tidy(before, seconds=0):
        steps += 1
    return steps


def seqs_of(root: Path) -> list[int]:
    """The log positions of all rows."""
    return sorted(seq for path in root.rglob("[0-9]*.parquet") for seq in pq.read_table(path)["seq"].to_pylist())


async def found(root: Path, **query: object) -> list[str]:
    async with opened(root) as archive:
        return await names(archive, limit=1_000, **query)


async def test_neighbours_become_one(tmp_path: Path) -> None:
    fill(tmp_path)
    async with opened(tmp_path) as archive:
        before = await archive.search("local", ArchiveQuery())
        while await archive.tidy(before=LATER):
            pass
        assert files(tmp_path) == WHOLE
        assert (tmp_path / WHOLE[0]).stat().st_mode & 0o777 == 0o600
        assert await archive.search("local", ArchiveQuery()) == before
        assert archive.position(VIEWERS) == COUNT
    assert seqs_of(tmp_path) == list(range(1, COUNT + 1))
    facts = read_facts(tmp_path / WHOLE[0])
    assert facts == Facts(NOON + 1, NOON + COUNT, COUNT, (tmp_path / WHOLE[0]).stat().st_size)
    async with opened(tmp_path) as archive:
        assert archive.position(VIEWERS) == COUNT
        assert await archive.search("local", ArchiveQuery()) == before
        assert not await archive.tidy(before=LATER)


def test_what_is_young_waits(tmp_path: Path) -> None:
    shelf = fill(tmp_path)
    tidy(shelf, before=NOON + 11)
    assert [(s.first, s.last) for s in shelf.segments] == [(12, 12), (11, 11), (1, 10)]


def test_lanes_and_days_stay_apart(tmp_path: Path) -> None:
    fill(tmp_path, range(1, 9))
    fill(tmp_path, range(9, 11), day=1)
    shelf = fill(tmp_path, range(1, 9), lane=HOST_SIDE)
    tidy(shelf)
    assert files(tmp_path) == [
        f"{TODAY}/0-000000000001-000000000008.parquet", f"{TODAY}/1-000000000001-000000000008.parquet",
        "2023-11-15/1-000000000009-000000000009.parquet", "2023-11-15/1-000000000010-000000000010.parquet",
    ]  # fmt: skip
    assert shelf.expire(NOON + DAY) == 2
    assert shelf.ends == {HOST_SIDE: 8, VIEWERS: 10}


def test_a_day_that_is_over_is_merged_whole(tmp_path: Path) -> None:
    shelf = fill(tmp_path, range(1, 5))
    assert not shelf.tidy(LATER), "four files of one size are too few while more may come"
    shelf.put(VIEWERS, [judged(5, day=1)])
    tidy(shelf)
    assert [(s.first, s.last) for s in shelf.segments] == [(5, 5), (1, 4)]


def test_a_hole_is_not_bridged(tmp_path: Path) -> None:
    fill(tmp_path, range(1, 20))
    (tmp_path / TODAY / "1-000000000010-000000000010.parquet").unlink()
    shelf = shelf_of(tmp_path)
    tidy(shelf)
    assert files(tmp_path) == [
        f"{TODAY}/1-000000000001-000000000009.parquet", f"{TODAY}/1-000000000011-000000000019.parquet",
    ]  # fmt: skip
    assert shelf_of(tmp_path).ends == {VIEWERS: 9}


@pytest.mark.parametrize("place", ["segment_written", "segment_renamed", "segment_removed"])
async def test_a_crash_between_the_files_doubles_nothing(tmp_path: Path, place: str) -> None:
    root = tmp_path / "archive"
    fill(root)
    with pytest.raises(Death):
        tidy(shelf_of(root, failpoint=dies_at(place)))
    assert len(files(root)) == (12 if place == "segment_removed" else 13)
    copy = shutil.copytree(root, tmp_path / "copy")
    assert await found(root) == EVERY
    assert place == "segment_written" or files(root) == WHOLE
    shelf = shelf_of(root)
    assert shelf.ends == {VIEWERS: COUNT}
    tidy(shelf)
    assert files(root) == WHOLE
    shelf_of(copy).put(VIEWERS, [judged(seq, text="新") for seq in range(5, 8)])  # or the log is read again first
    assert seqs_of(copy) == list(range(1, COUNT + 1))
    assert await found(copy, text="新") == ["e7", "e6", "e5"]


async def test_a_crash_at_any_step_leaves_nothing(tmp_path: Path) -> None:
    shelf = fill(tmp_path / "archive")
    states = 0
    while shelf.tidy(LATER, seconds=0):
        copy = shutil.copytree(tmp_path / "archive", tmp_path / f"copy-{states}")
        states += 1
        assert await found(copy) == EVERY
        assert not [name for name in files(copy) if name.endswith(".tmp")]
        assert seqs_of(copy) == list(range(1, COUNT + 1))
    assert states == COUNT + 1


async def test_overlaps_that_a_crash_left_are_merged_away(tmp_path: Path) -> None:
    root = tmp_path / "archive"
    shelf = fill(root)
    tidy(shelf)
    whole = Path(shutil.copy(root / WHOLE[0], tmp_path))
    shelf.put(VIEWERS, [judged(seq) for seq in range(10, 16)])
    (root / TODAY / "1-000000000001-000000000009.parquet").unlink()  # its rename was never reached
    shutil.copy(whole, root / WHOLE[0])
    shelf = shelf_of(root)
    assert [(s.first, s.last) for s in shelf.segments] == [(10, 15), (1, 12)]
    shelf.put(VIEWERS, [judged(16, day=1)])  # the day is over
    tidy(shelf)
    assert seqs_of(root) == list(range(1, 17))
    assert await found(root) == [f"e{seq}" for seq in range(16, 0, -1)]


@pytest.mark.parametrize("cut", [(1, 1), (1, 5), (4, 9), (8, 12), (11, 15), (1, 12), (13, 14)])
@pytest.mark.parametrize("steps", [1, 7, 100])
async def test_a_range_is_written_again(tmp_path: Path, cut: tuple[int, int], steps: int) -> None:
    """Before, while and after its segment is merged."""
    shelf = fill(tmp_path)
    for _ in range(steps):
        shelf.tidy(LATER, seconds=0)
    again = range(cut[0], cut[1] + 1)
    shelf.put(VIEWERS, [judged(seq, text="新") for seq in again])
    last = max(COUNT, cut[1])
    for turn in range(2):
        assert seqs_of(tmp_path) == list(range(1, last + 1 + turn))
        assert shelf.ends == {VIEWERS: last + turn}
        shelf.put(VIEWERS, [judged(last + 1, day=1)])  # the day is over
        tidy(shelf)
    assert shelf_of(tmp_path).ends == {VIEWERS: last + 1}
    assert len(files(tmp_path)) <= 3
    assert await found(tmp_path, text="新") == [f"e{seq}" for seq in reversed(again)]
    assert await found(tmp_path) == [f"e{seq}" for seq in range(last + 1, 0, -1)]


def test_what_expires_is_not_merged_on(tmp_path: Path) -> None:
    shelf = fill(tmp_path)
    for _ in range(5):
        shelf.tidy(LATER, seconds=0)
    assert shelf.expire(NOON + 4) == 3
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]
    tidy(shelf)
    assert files(tmp_path) == [f"{TODAY}/1-000000000004-000000000012.parquet"]
    assert seqs_of(tmp_path) == list(range(4, COUNT + 1))


def test_what_was_to_be_merged_next_has_changed(tmp_path: Path) -> None:
    fill(tmp_path, lane=HOST_SIDE)
    shelf = fill(tmp_path)
    assert shelf.tidy(LATER, seconds=0)
    shelf.put(VIEWERS, [judged(seq) for seq in range(1, COUNT + 1)])
    while len(shelf.segments) > 2:
        assert shelf.tidy(LATER, seconds=0)
    assert not shelf.tidy(LATER)
    assert seqs_of(tmp_path) == sorted([*range(1, COUNT + 1)] * 2)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5)


def other_columns(path: Path) -> None:
    mark = pq.read_metadata(path).metadata[b"redpost"]
    pq.write_table(pq.read_table(path).drop_columns("text").replace_schema_metadata({"redpost": mark}), path)


@pytest.mark.parametrize("harm, errors", [(cut_off, 1), (other_columns, 1), (os.unlink, 0)])
async def test_a_segment_that_cannot_be_merged(tmp_path: Path, harm: Callable[[Path], None], errors: int) -> None:
    log = Lines()
    fill(tmp_path, range(1, 21))
    shelf = shelf_of(tmp_path, log=log)
    harm(tmp_path / TODAY / "1-000000000010-000000000010.parquet")
    tidy(shelf)
    assert log.errors == ["archive_segment_unreadable"] * errors
    assert [(s.first, s.last) for s in shelf.segments] == [(11, 20), (1, 9)]
    assert await found(tmp_path) == [f"e{seq}" for seq in range(20, 0, -1) if seq != 10]


async def test_what_cannot_be_written_is_merged_later(tmp_path: Path) -> None:
    shelf = fill(tmp_path)
    in_the_way = tmp_path / TODAY / f".{Path(WHOLE[0]).name}.tmp"
    in_the_way.mkdir()
    for _ in range(2):
        with pytest.raises(StorageError):
            tidy(shelf)
    assert len(shelf.segments) == COUNT
    in_the_way.rmdir()
    tidy(shelf)
    assert files(tmp_path) == WHOLE
    assert await found(tmp_path) == EVERY


def test_closing_leaves_off(tmp_path: Path) -> None:
    shelf = fill(tmp_path)
    shelf.close()
    for _ in range(5):
        shelf.tidy(LATER, seconds=0)
    assert len(files(tmp_path)) == COUNT + 1
    shelf.close()
    assert len(files(tmp_path)) == COUNT


class Merging(Shelf):
    """Merges everything just when the segment `at` is to be read."""

    at = 0

    def reader(self, segment: Segment) -> Reader:
        if segment.first == self.at and len(self.segments) > 1:
            tidy(self)
        return super().reader(segment)


@pytest.mark.parametrize("at", [1, 6, COUNT])
@pytest.mark.parametrize("limit", [3, 9, 100])
async def test_a_search_goes_on_while_segments_merge(tmp_path: Path, at: int, limit: int) -> None:
    fill(tmp_path)
    shelf = Merging(tmp_path, log=Lines(), failpoint=dies_at("nowhere"))
    shelf.open()
    shelf.at = at
    archive = ParquetArchive(shelf)
    assert await names(archive, limit=limit) == EVERY[:limit]
    await archive.close()


async def test_a_search_while_the_old_files_go(tmp_path: Path) -> None:
    """Files that have gone already are looked for in what took their place."""
    loop, removing, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def failpoint(name: str, events: int = 0) -> None:
        if name == "segment_removed":
            loop.call_soon_threadsafe(removing.set)
            go_on.wait(10)

    fill(tmp_path)
    async with opened(tmp_path, failpoint=failpoint) as archive:

        async def merge() -> None:
            while await archive.tidy(before=LATER):
                pass

        running = asyncio.create_task(merge())
        await removing.wait()
        assert await names(archive) == EVERY
        go_on.set()
        await running
        assert await names(archive) == EVERY


async def test_segments_of_before_say_no_number(tmp_path: Path) -> None:
    fill(tmp_path)
    for name in files(tmp_path):
        mark = pq.read_metadata(tmp_path / name).metadata[b"redpost"].decode()
        table = pq.read_table(tmp_path / name)
        older = table.replace_schema_metadata({"redpost": mark[: mark.index(";") + 1]})
        pq.write_table(older, tmp_path / name, write_statistics=["at", "seq"])
        assert read_facts(tmp_path / name).events == 1
    tidy(shelf_of(tmp_path))
    assert files(tmp_path) == WHOLE
    assert await found(tmp_path) == EVERY


async def test_searches_go_by_row_group(tmp_path: Path) -> None:
    """Frames of one time lie across the border of two groups; the later ones in the file come first."""
    size = 1_000
    shelf = shelf_of(tmp_path)
    for seq in range(1, 41):
        made = frame(*(event(f"e{seq:02d}{i:03d}", NOON + seq // 8) for i in range(size)))
        shelf.put(VIEWERS, [Judged(seq, made, ["b"] * size, [])])
    tidy(shelf)
    shelf.put(VIEWERS, [judged(41, day=1)])
    tidy(shelf)
    (merged,) = (segment for segment in shelf.segments if segment.first == 1)
    reader = Reader(merged.path)
    assert [group.start for group in reader.groups] == [0, segmentfile.GROUP_EVENTS]
    reader.close()
    every = [f"e{seq:02d}{i:03d}" for seq in range(40, 0, -1) for i in range(size - 1, -1, -1)]
    async with opened(tmp_path) as archive:
        assert await names(archive, limit=1_500, until=NOON + 1_000) == every[:1_500]
        # positions 32 to 39 have one time; the border is within position 33
        assert await names(archive, limit=9_000, since=NOON + 4, until=NOON + 5) == every[1_000:9_000]
        assert await names(archive, limit=3, until=NOON + 4) == every[9_000:9_003]


def test_row_groups_of_long_texts_are_small(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path)
    text = "长" * 60_000
    for seq in range(1, 17):
        made = frame(*(event(f"e{seq:02d}{i:03d}", NOON + seq, text=text) for i in range(30)))
        shelf.put(VIEWERS, [Judged(seq, made, ["b"] * 30, [])])
    tidy(shelf)
    reader = Reader(shelf.segments[0].path)
    assert shelf.segments[0].facts.events == 480
    assert all(reader.read(group).nbytes <= segmentfile.GROUP_BYTES for group in reader.groups)
    assert len(reader.groups) >= 5
    reader.close()


class Planned:
    """Segments without files, merged as planned: `rewritten` counts how often each event is."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.rewritten: dict[int, int] = {}
        self.largest = 0

    def add(self, seq: int, *, events: int, size: int = 1_000, day: str = "a") -> None:
        facts = Facts(0, 0, events, size)
        self.segments.append(Segment(Path("x") / day / f"{seq}.parquet", 0, seq, seq, facts))

    def tidy(self) -> None:
        while runs := list(worth_merging(self.segments, 1)):
            for run in runs:
                assert len(run) > 1
                facts = Facts(0, 0, sum(s.facts.events for s in run), sum(s.facts.bytes for s in run))
                assert facts.events <= merging.MOST_EVENTS and facts.bytes <= merging.MOST_BYTES
                for seq in range(run[0].first, run[-1].last + 1):
                    self.rewritten[seq] = self.rewritten.get(seq, 0) + 1
                place = self.segments.index(run[0])
                self.segments[place : place + len(run)] = [run[0]._replace(last=run[-1].last, facts=facts)]


@pytest.mark.parametrize(
    "events, most_files, most_often",
    [((1, 1), 40, 6), ((600, 600), 25, 5), ((1, 5_000), 40, 6), ((50_000, 50_000), 400, 2)],
)
def test_an_event_is_rewritten_few_times(events: tuple[int, int], most_files: int, most_often: int) -> None:
    dice = random.Random(1)
    planned = Planned()
    for seq in range(1, 2_881):
        planned.add(seq, events=dice.randint(*events))
        planned.tidy()
    assert len(planned.segments) <= most_files
    planned.add(2_881, events=1, day="b")
    planned.tidy()
    total = sum(segment.facts.events for segment in planned.segments)
    assert len(planned.segments) <= 2 + 2 * total / merging.MOST_EVENTS
    assert max(planned.rewritten.values()) <= most_often


def test_bytes_are_bounded_too() -> None:
    planned = Planned()
    for seq in range(1, 2_000):
        planned.add(seq, events=10, size=2**20)
        planned.tidy()
    planned.add(2_000, events=1, day="b")
    planned.tidy()
    assert len(planned.segments) <= 2_000 * 2 / 32
    assert max(planned.rewritten.values()) <= 3


async def test_chance(tmp_path: Path) -> None:
    """Puts, re-reads, steps of merging and restarts, in any order."""
    for seed in range(8):
        dice, root = random.Random(seed), tmp_path / str(seed)
        shelf, end, texts = shelf_of(root), 0, dict[int, str]()
        for turn in range(60):
            what = dice.random()
            if what < 0.5:
                first = end + 1 if dice.random() < 0.8 or not end else dice.randint(1, end)
                last = first + dice.randrange(3)
                end = max(end, last)
                texts |= {seq: f"{turn}" for seq in range(first, last + 1)}
                shelf.put(VIEWERS, [judged(seq, day=seq // 30, text=texts[seq]) for seq in range(first, last + 1)])
            elif what < 0.9:
                for _ in range(dice.choice([1, 5, 50])):
                    shelf.tidy(LATER + 9 * DAY, seconds=0)
            else:
                shelf = shelf_of(root)  # the other one just ends
            assert shelf.ends.get(VIEWERS, 0) == end
        async with opened(root) as archive:
            result = await archive.search("local", ArchiveQuery(limit=1_000))
        assert {each.id: each.text for each in result} == {f"e{seq}": text for seq, text in texts.items()}
        assert seqs_of(root) == sorted(texts)


