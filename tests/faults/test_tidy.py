"""kill -9 while the archive merges its segments: each event is there once, and the merging comes to its end."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from monitor.adapters.storage.segmentfile import Piece, made
from tests.faults.harness import Client, Server, serving, until
from tests.faults.outcome import check, outcome_of
from tests.faults.streams import cut, stream

OLD_MS = 5 * 3_600_000
BATCHES = cut([{**item, "at": item["at"] - OLD_MS} for item in stream(7, 600)], 20)


def segments(data: Path) -> list[Path]:
    return sorted((data / "archive").rglob("*.parquet"))


def take_apart(path: Path, pieces: int = 12) -> None:
    """A segment as it would be after that many flushes."""
    table = pq.read_table(path).replace_schema_metadata(None)
    lane, first, last = map(int, path.stem.split("-"))
    seqs = sorted(set(table["seq"].to_pylist()))
    starts = [first, *(seqs[len(seqs) * i // pieces] for i in range(1, pieces)), last + 1]
    path.unlink()
    for start, end in pairwise(starts):
        part = table.filter(pc.is_in(table["seq"], value_set=pa.array(range(start, end), pa.int64())))
        temporary, segment = made(Piece(path.parent, lane, start, end - 1, [part]))
        temporary.rename(segment.path)


@pytest.mark.parametrize("points", [["segment_written", "segment_renamed"], ["segment_removed:5", "segment_renamed"]])
async def test_killed_while_merging(tmp_path: Path, points: Sequence[str]) -> None:
    data = tmp_path / "data"
    async with serving(data) as server, Client(server) as client:
        await client.deliver(BATCHES)
        await client.settle()
        before = await outcome_of(client)
        check(before, BATCHES)
        assert await server.stop() == 0, server.output()
    whole = segments(data)
    assert len(whole) == 2
    for path in whole:
        take_apart(path)
    assert len(segments(data)) == 24
    server = Server(data)
    for point in points:
        server.starts += 10
        server.spawn(point)
        assert await server.ended() == -9, server.output()
    async with serving(data) as server, Client(server) as client:
        assert await outcome_of(client) == before
        await until(lambda: len(segments(data)) == 2)
        assert await outcome_of(client) == before
        assert segments(data) == whole
        assert await server.stop() == 0, server.output()
