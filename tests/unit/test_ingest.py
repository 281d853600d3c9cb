"""Ingest: what one sender sends is no other sender's trouble, and nothing is acknowledged that is not on disk."""

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.decoding import Limits
from monitor.domain.errors import StorageError
from monitor.domain.events import Event, Kind
from monitor.domain.frames import Entry, Frame, portions
from monitor.services.ingest import Ingest, IngestSettings
from monitor.services.interims import Interims
from monitor.services.pseudonyms import KEY_BYTES, Pseudonyms
from tests.fakes.log import MemoryLog

NOW = 1_800_000_000_000


class Counted:
    """Telemetry that keeps sums and the last gauges, by name and labels."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, ...], float] = {}
        self.gauges: dict[str, float] = {}

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None:
        key = metric, *labels.values()
        self.sums[key] = self.sums.get(key, 0) + amount

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...

    def gauge(self, metric: str, value: float, /, **labels: str) -> None:
        self.gauges[metric] = value


class Clock:
    def now(self) -> int:
        return NOW


class GatedLog(MemoryLog):
    """Appends wait while the gate is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def append(self, entries: Sequence[Entry]) -> int:
        await self.gate.wait()
        return await super().append(entries)


class World:
    def __init__(self, **settings: Any) -> None:
        self.log, self.telemetry, self.unwritten = GatedLog(), Counted(), 0
        self.ingest = Ingest(
            log=self.log, pseudonyms=Pseudonyms(lambda tenant: bytes(KEY_BYTES)), clock=Clock(),
            telemetry=self.telemetry, settings=IngestSettings(**settings), backlog=lambda lane: 0,
            unwritten=lambda: self.unwritten,
        )

    async def send(self, *items: dict[str, Any], **other: Any) -> tuple[int, int, int]:
        """(accepted, duplicates, rejected)"""
        receipt = await self.ingest.accept("local", "\n".join(map(json.dumps, items)).encode(), **other)
        return receipt.accepted, receipt.duplicates, receipt.rejected_total

    def rejected(self) -> dict[str, float]:
        return {key[1]: amount for key, amount in self.telemetry.sums.items() if key[0] == "ingest_rejected_total"}


def said(name: str, **other: Any) -> dict[str, Any]:
    return {"id": name, "kind": "comment", "text": "t", **other}


async def test_a_number_beyond_64_bits_is_named_and_spoils_nothing() -> None:
    world = World()
    assert await world.send(said("a"), said("b", attributes={"n": 2**64}), said("c")) == (2, 0, 1)
    assert await world.send(said("a"), said("b"), said("c")) == (1, 2, 0)


async def test_a_failed_write_is_not_held_against_other_senders() -> None:
    world = World()
    assert await world.send(said("a")) == (1, 0, 0)
    world.log.fails = ValueError("cannot be packed")
    with pytest.raises(ValueError, match="packed"):
        await world.send(said("b"))
    assert await world.send(said("a")) == (0, 1, 0)
    world.log.fails = None
    assert await world.send(said("b")) == (1, 0, 0)


async def test_nothing_is_taken_while_too_much_waits_for_the_archive() -> None:
    """It waits in memory; the log keeps it, too, but a start would read it all again."""
    world, one = World(unwritten=10), {"id": "a", "room": "r", "kind": "comment", "text": "好看"}
    world.unwritten = 11
    with pytest.raises(StorageError, match="11 judged events wait to be written"):
        await world.send(one)
    assert world.log.end() == 0
    world.unwritten = 10
    assert await world.send(one) == (1, 0, 0)


async def test_a_duplicate_is_acknowledged_after_its_first_copy_and_not_if_that_failed() -> None:
    for fails in (None, StorageError("the disk is full")):
        world = World()
        world.log.gate.clear()
        first, again = (asyncio.create_task(world.send(said("a"))) for _ in range(2))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not again.done()
        world.log.fails = fails
        world.log.gate.set()
        results = await asyncio.gather(first, again, return_exceptions=True)
        if fails is None:
            assert results == [(1, 0, 0), (0, 1, 0)]
        else:
            assert all(isinstance(result, StorageError) for result in results)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (said("b\x1fc", source="a"), said("c", source="a\x1fb")),
        (said("m", revision=5), said("m\x1f5")),
        (said("m", revision=5), said("5m")),
        (said("c", source="ab"), said("bc", source="a")),
        (said("a", revision=3, final=False), said("a", revision=3)),
        (said(":1:x", source="a"), said("x", source="a:1:")),
    ],
)
async def test_different_events_are_no_duplicates(one: dict[str, Any], other: dict[str, Any]) -> None:
    world = World()
    assert await world.send(one, other) == (2, 0, 0)
    assert await world.send(one, other) == (0, 2, 0)


def test_interim_results_are_numbered_below_every_final_one() -> None:
    interims = Interims()

    def number(name: str, **other: Any) -> int:
        return interims.revision_of("local", Event(id=name, kind=Kind.TRANSCRIPT, text="t", **other))

    assert [number(name, final=False) for name in "aab"] == [-1, -2, -1]
    assert [number("a"), number("a", revision=7), number("a", revision=7, final=False)] == [0, 7, 7]
    assert number("a", final=False) == -1


async def test_the_reasons_of_rejections_are_few_whatever_is_sent() -> None:
    world = World(limits=Limits(rejections=5))
    await world.send(said("a", mood=1), said("b", m2=1), said("c", speaker={"role": "host", "x": 1}), said(""))
    await world.ingest.accept("local", b"{\n" * 12)
    assert world.rejected() == {"unknown_field": 2, "speaker": 1, "id": 1, "unreadable": 5, "unlisted": 7}


async def test_the_lag_is_that_of_the_latest_transcript_however_its_time_is_written() -> None:
    world = World()
    await world.send(
        {"id": "1", "kind": "transcript", "text": "t", "at": "2027-01-15T07:59:57+00:00"},
        {"id": "2", "kind": "transcript", "text": "t", "at": NOW - 9_000}, said("3", at=NOW), said("4"),
    )
    assert world.telemetry.gauges["asr_lag_seconds"] == 3


async def test_a_large_body_leaves_the_loop_to_others() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    world = World()
    assert not (await world.ingest.accept("local", b"\n" * 2_000_000 + b"{")).readable
    task.cancel()
    assert turns > 3  # the two that its own waiting takes, and some while the body is read


async def test_long_texts_of_one_request_become_several_frames() -> None:
    world = World()
    names = [str(n) for n in range(60)]
    sent = await world.send(*(said(name, room="r", text="好" * 9_999) for name in names), session="s", session_seq=1)
    assert sent == (60, 0, 0)
    found = [n.entry for n in await world.log.read(after=0, lane=1, events=10**6) if isinstance(n.entry, Frame)]
    assert [len(frame) for frame in found] == [26, 26, 8]
    assert [name for frame in found for name in frame.ids] == names
    assert {(frame.session, frame.session_seq) for frame in found} == {("s", 1)}


@given(sizes=st.lists(st.integers(0, 12)), most=st.integers(1, 20), count=st.integers(1, 5))
def test_portions_are_as_large_as_may_be(sizes: list[int], most: int, count: int) -> None:
    found = list(portions(sizes, int, most=most, count=count))
    assert [size for some in found for size in some] == sizes and all(found)
    assert all(len(some) == 1 or sum(some) <= most for some in found) and all(len(some) <= count for some in found)
    for some, after in pairwise(found):
        assert len(some) == count or sum(some) + after[0] > most
