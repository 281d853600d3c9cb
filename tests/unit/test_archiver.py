"""When what is judged is written to the archive, and what happens where the disk refuses."""

from typing import Any

import msgspec

from monitor.domain import frames
from monitor.domain.alerts import GroupingSettings
from monitor.domain.errors import StorageError
from monitor.domain.events import Event, Kind
from monitor.domain.frames import Frame
from monitor.services.archiver import Archiver
from monitor.services.lane import Lane, LaneState, Outcome
from monitor.services.records import ArchiveQuery, FrameJudged, Mask, Position
from monitor.services.recovery import Cursor
from tests.fakes.archive import MemoryArchive
from tests.unit.rulekit import engine, rule, terms

ENGINE = engine(rule(terms("claim", "全网最低"), name="t.lowest"))


class World:
    """A clock that one moves, and a logger that keeps its warnings."""

    def __init__(self) -> None:
        self.time = 0
        self.warned: list[str] = []

    def now(self) -> int:
        return self.time

    def warning(self, event: str, **facts: Any) -> None:
        self.warned.append(event)

    info = error = warning


class Refusing(MemoryArchive):
    refuse = False

    async def flush(self, lane: int) -> int:
        if self.refuse:
            raise StorageError("no room")
        return await super().flush(lane)


def judged(seq: int) -> Outcome:
    event = Event(id=f"e{seq}", text="好看", kind=Kind.TRANSCRIPT, room="r", at=seq)
    (frame,) = frames.build([event], tenant="local", accepted_at=0, pseudonym=str, revision_of=lambda e: 0)
    assert isinstance(frame, Frame)
    return Outcome(judged=[FrameJudged(seq, frame, ["b"], [])])


async def test_what_the_disk_refuses_is_written_at_a_later_turn() -> None:
    world, archive = World(), Refusing()
    cursors = [Cursor(Lane(n, ENGINE, GroupingSettings(), state=LaneState()), Position(n, 0, 1), 0) for n in (0, 1)]
    archiver = Archiver(archive, world, world)
    archiver.begin(cursors, read_from=0)
    await archiver.keep(0, judged(1))
    cursors[0].read = cursors[1].read = 1
    archive.refuse = True
    await archiver.when_due(cursors, every_ms=1_000, events=100, everything=True)
    assert archiver.upto == {0: 0, 1: 0} and world.warned == ["archive_refused", "archive_refused"]
    assert archiver.unwritten() == 1
    archive.refuse = False
    await archiver.when_due(cursors, every_ms=1_000, events=100)
    assert archiver.upto == {0: 0, 1: 0}, "not due yet"
    world.time = 1_000
    for _ in range(2):
        await archiver.when_due(cursors, every_ms=1_000, events=100)
        world.time += 1_000
    await archiver.when_due(cursors, every_ms=1_000, events=100, everything=True)
    assert archiver.upto == {0: 1, 1: 1} and archive.position(0) == 1 and archiver.unwritten() == 0
    assert [event.id for event in await archive.search("local", ArchiveQuery())] == ["e1"]


async def test_much_is_written_before_it_is_old() -> None:
    world, archive = World(), MemoryArchive()
    cursors = [Cursor(Lane(0, ENGINE, GroupingSettings(), state=LaneState()), Position(0, 0, 1), 0)]
    archiver = Archiver(archive, world, world)
    archiver.begin(cursors, read_from=0)
    for seq in (1, 2):
        assert archiver._running is None
        await archiver.keep(0, judged(seq))
        cursors[0].read = seq
        await archiver.when_due(cursors, every_ms=10**9, events=2)
    assert archiver._running is not None
    await archiver._running
    assert archiver.upto == {0: 2}


async def test_what_is_masked_later_replaces_what_was_kept_and_hurries_nobody() -> None:
    world, archive = World(), MemoryArchive()
    cursors = [Cursor(Lane(0, ENGINE, GroupingSettings(), state=LaneState()), Position(0, 0, 1), 0)]
    archiver = Archiver(archive, world, world)
    archiver.begin(cursors, read_from=0)
    outcome = judged(1)
    (first,) = outcome.judged
    await archiver.keep(0, outcome)
    for n in range(5):
        more = msgspec.structs.replace(first, masks=[Mask(0, 0, 1, f"kind {n}")])
        await archiver.keep(0, Outcome(judged=[more]))
    await archiver.when_due(cursors, every_ms=10**9, events=2)
    assert archiver.unwritten() == 1 and archiver._running is None
    assert [(event.text, event.masked) for event in await archive.search("local", ArchiveQuery())] == [
        ("*看", ["kind 4"])]
