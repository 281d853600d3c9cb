"""Broadcasts in the order of the log: what goes on, what ends, what is forgotten."""

from monitor.domain import frames
from monitor.domain.broadcasts import Rooms
from monitor.domain.decoding import Decoded
from monitor.domain.events import Event, Kind
from monitor.domain.frames import Entry, Tick
from monitor.services.admission import Admission, kept_ms
from monitor.services.ingest import Ingest, IngestSettings
from monitor.services.pseudonyms import KEY_BYTES, Pseudonyms
from monitor.services.records import Numbered
from monitor.services.roomlimit import RoomLimit
from tests.fakes.log import MemoryLog
from tests.faults.inside import Clock, Quiet

SILENCE = 1_000
HOUR = 3_600_000


class Line:
    """Entries one after the other."""

    def __init__(self) -> None:
        self.admission = Admission(Rooms(), 0, silence_ms=SILENCE)
        self.seq = 0

    def entry(self, entry: Entry) -> list[str]:
        self.seq += 1
        found, _ = self.admission.admit([Numbered(self.seq, entry)])
        return found.get(self.seq, [])

    def said(self, at: int, *rooms: str, named: str = "", kind: Kind = Kind.TRANSCRIPT) -> list[str]:
        """The broadcast of each event; all were said and accepted at `at`."""
        events = [Event(id=f"{at}{room}", text="x", kind=kind, room=room, at=at, broadcast=named) for room in rooms]
        (frame,) = frames.build(events, tenant="t", accepted_at=at, pseudonym=str, revision_of=lambda e: 0)
        return self.entry(frame)

    def written(self, at: int, *rooms: str) -> None:
        self.said(at, *rooms, kind=Kind.CAPTION)

    def tick(self, now: int) -> None:
        self.entry(Tick(now))


def test_a_silence_ends_a_broadcast_also_where_other_rooms_go_on() -> None:
    """The frame of both rooms is admitted at once only where neither was silent for too long."""
    line = Line()
    a, b = line.said(0, "a", "b")
    assert line.said(SILENCE, "a", "b") == [a, b]
    assert line.said(2 * SILENCE - 1, "a") == [a]
    again, new = line.said(2 * SILENCE + 1, "a", "b")
    assert again == a and new != b


def test_rooms_that_ended_long_ago_are_forgotten() -> None:
    line = Line()
    line.said(0, *(f"r{n}" for n in range(50)))
    line.said(HOUR, "lives")
    line.tick(HOUR)
    assert len(line.admission.rooms.current) == 51, "an hour is not over yet"
    line.tick(HOUR + 10_001)
    assert [room for _, room in line.admission.rooms.current] == ["lives"]
    assert kept_ms(2 * HOUR) == 2 * HOUR


def test_a_named_broadcast_may_come_back_after_it_was_forgotten() -> None:
    line = Line()
    assert line.said(0, "r", named="show") == ["show"]
    line.tick(HOUR + 1)
    assert not line.admission.rooms.current
    assert line.said(HOUR + 2, "r", named="show") == ["show"]


# --- how many rooms


def decoded(*rooms: str) -> Decoded:
    events = [Event(id=str(n), text="x", kind=Kind.COMMENT, room=room) for n, room in enumerate(rooms, 1)]
    return Decoded(events, range(1, len(events) + 1), [], 0)


def test_events_of_rooms_beyond_the_limit_are_rejected_one_by_one() -> None:
    limit = RoomLimit(2, kept_ms=HOUR)
    found = limit.within("t", decoded("a", "b", "c", "a", "c"), now=0)
    assert [event.room for event in found.events] == ["a", "b", "a"] and list(found.lines) == [1, 2, 4]
    assert [(r.line, r.field, r.id) for r in found.rejected] == [(3, "room", "3"), (5, "room", "5")]
    assert found.rejected_total == 2 and "ingest.rooms" in found.rejected[0].hint
    assert limit.within("other", decoded("c"), now=0).rejected_total == 0, "each tenant has its own"


def test_a_room_without_events_for_long_makes_room() -> None:
    limit = RoomLimit(2, kept_ms=HOUR)
    limit.remember([("t", "b", 5), ("t", "a", 3)])
    assert limit.within("t", decoded("c"), now=HOUR + 3).rejected_total == 1
    assert limit.within("t", decoded("c"), now=HOUR + 4).rejected_total == 0  # in place of a
    assert limit.within("t", decoded("b", "a"), now=HOUR + 4).rejected_total == 1
    assert limit.within("t", decoded("b"), now=2 * HOUR).rejected_total == 0


def test_many_rejected_events_are_counted_and_few_listed() -> None:
    limit = RoomLimit(1, kept_ms=HOUR)
    found = limit.within("t", decoded("a", *(f"r{n}" for n in range(1_000))), now=0)
    assert (len(found.rejected), found.rejected_total) == (100, 1_000)


async def test_a_body_of_rooms_that_are_too_many_was_readable() -> None:
    """So that it is answered with what became of each event, not as one that is no JSON."""
    ingest = Ingest(log=MemoryLog(), pseudonyms=Pseudonyms(lambda tenant: bytes(KEY_BYTES)), clock=Clock(),
                    telemetry=Quiet(), settings=IngestSettings(), backlog=lambda lane: 0,
                    rooms=RoomLimit(1, kept_ms=HOUR))
    for room, accepted in (("a", 1), ("b", 0)):
        receipt = await ingest.accept("t", b'{"id": "%s", "kind": "comment", "text": "x", "room": "%s"}' % (
            room.encode(), room.encode()))
        assert (receipt.accepted, receipt.rejected_total, receipt.readable) == (accepted, 1 - accepted, True)


def test_a_broadcast_knows_when_its_host_was_last_heard() -> None:
    line = Line()
    line.said(10, "a", "b")
    line.said(500, "a")
    line.written(900, "a")
    assert {name: b.heard_at for (_, name), b in line.admission.rooms.current.items()} == {"a": 500, "b": 10}
    line.said(9_000, "a")  # after a silence: another broadcast
    line.written(9_100, "c")
    assert {name: b.heard_at for (_, name), b in line.admission.rooms.current.items()} == {"a": 9_000, "b": 10, "c": 0}
    line.said(20, "a", named="earlier")
    assert line.admission.rooms.current["t", "a"].heard_at == 9_000
