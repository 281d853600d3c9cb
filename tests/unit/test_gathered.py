"""Archives that workers write, looked through as one by somebody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.storage import gathered
from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.gathered import GatheredArchive
from monitor.domain.events import VIEWERS
from monitor.services.following import KeptLines
from monitor.services.records import TallyQuery
from tests.contract.test_archive import DAY, NOON, Silent, event, kept, names


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[list[ParquetArchive]]:
    """What two partitions' workers write."""
    made = [await ParquetArchive.open(tmp_path / "archive" / f"p000{n}", log=Silent()) for n in range(2)]
    yield made
    for each in made:
        await each.close()


@pytest.fixture
async def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GatheredArchive]:
    monkeypatch.setattr(gathered, "_FRESH_S", 0)
    archive = GatheredArchive.of(tmp_path / "archive")
    yield archive
    await archive.close()


async def test_what_all_have_written_so_far_newest_first(two: list[ParquetArchive], whole: GatheredArchive) -> None:
    assert await names(whole) == []
    for n, archive in enumerate(two):
        await kept(archive, 7, event(f"a{n}", NOON + n, room=f"room-{n}"))
    assert await names(whole) == []
    for archive in two:
        await archive.flush(VIEWERS)
    assert await names(whole) == ["a1", "a0"]
    await kept(two[0], 8, event("b", NOON + 5, room="room-0"))
    await two[0].flush(VIEWERS)
    assert await names(whole) == ["b", "a1", "a0"]
    assert await names(whole, room="room-1") == ["a1"]
    found = await KeptLines(whole).fresh_lines("local", "room-0", since=NOON, until=NOON + 5)
    assert [(line.event_id, line.text) for line in found] == [("b", "这个价格真不错"), ("a0", "这个价格真不错")]


async def test_merged_and_expired_meanwhile(two: list[ParquetArchive], whole: GatheredArchive) -> None:
    for seq in range(1, 60):
        await kept(two[0], seq, event(f"e{seq}", NOON + seq))
        await two[0].flush(VIEWERS)
        if seq == 30:
            assert len(await names(whole, limit=100)) == 30
    query = TallyQuery(room="room-1", since=NOON, bucket_ms=1_000, buckets=1)
    assert [series.counts for series in await whole.tally("local", query)] == [[59]]
    while await two[0].tidy(before=NOON + DAY):
        pass
    assert len(list(two[0]._shelf.root.glob("*/*.parquet"))) < 59
    assert len(await names(whole, limit=100)) == 59
    assert [series.counts for series in await whole.tally("local", query)] == [[59]]
    await two[0].expire(before=NOON + DAY)
    whole._shelf.refresh(now=True)
    assert await names(whole) == []


async def test_what_goes_between_the_list_and_the_reading(two: list[ParquetArchive], whole: GatheredArchive) -> None:
    for seq in range(1, 60):
        await kept(two[0], seq, event(f"e{seq}", NOON + seq))
        await two[0].flush(VIEWERS)
    assert len(await names(whole, limit=100)) == 59
    listed = whole._shelf.segments
    while await two[0].tidy(before=NOON + DAY):
        pass
    whole._shelf.segments = listed  # as it was looked at before
    whole._shelf._looked_at = float("inf")
    assert len(await names(whole, limit=100)) == 59


async def test_a_damaged_file_hides_no_other(two: list[ParquetArchive], whole: GatheredArchive) -> None:
    await kept(two[0], 1, event("a"))
    await kept(two[1], 1, event("b"))
    for archive in two:
        await archive.flush(VIEWERS)
    assert await names(whole) == ["b", "a"] or await names(whole) == ["a", "b"]
    [damaged] = two[0]._shelf.root.glob("*/*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert await names(whole) == ["b"]
    assert damaged.exists()  # its worker sets it aside
