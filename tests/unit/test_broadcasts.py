"""Which broadcast an event belongs to."""

from monitor.domain.broadcasts import Rooms

SILENCE = 1_800_000


class Room:
    def __init__(self) -> None:
        self.rooms = Rooms()
        self.changes: list[tuple[str, str]] = []

    def at(self, at: int, *, named: str = "", signal: str = "") -> str:
        found, changed = self.rooms.assign("t", "r", named=named, at=at, seen_at=at, silence_ms=SILENCE, signal=signal)
        self.changes += [(b.id, b.why_ended) for b in changed]
        return found


def test_opens_at_the_first_event_and_lasts_through_short_pauses() -> None:
    room = Room()
    first = room.at(1_000)
    assert room.at(1_000 + SILENCE) == first
    assert room.at(500) == first  # out of order
    assert room.changes == [(first, "")]


def test_ends_after_silence() -> None:
    room = Room()
    first = room.at(1_000)
    second = room.at(1_001 + SILENCE)
    assert second != first
    assert (first, "silence") in room.changes


def test_the_same_start_gives_the_same_id() -> None:
    assert Room().at(7) == Room().at(7) != Room().at(8)


def test_signals_bound_it() -> None:
    room = Room()
    first = room.at(1_000, signal="broadcast_started")
    assert room.at(2_000) == first
    assert room.at(3_000, signal="broadcast_ended") == first
    assert room.at(4_000) == first  # a comment that comes after the end
    second = room.at(5_000, signal="broadcast_started")
    assert second != first


def test_a_named_broadcast_is_taken_as_named() -> None:
    room = Room()
    assert room.at(1_000, named="x") == "x"
    assert room.at(2_000) == "x"
    assert room.at(3_000, named="y") == "y"
    assert room.at(1_500, named="x") == "x"  # late, of the earlier one
    assert room.at(4_000) == "y"


def test_a_tick_ends_what_is_silent_and_the_next_event_opens_anew() -> None:
    room = Room()
    first = room.at(1_000)
    assert not room.rooms.silent(now=1_000 + SILENCE, silence_ms=SILENCE)
    (ended,) = room.rooms.silent(now=1_001 + SILENCE, silence_ms=SILENCE)
    assert (ended.id, ended.why_ended, ended.ended_at) == (first, "silence", 1_000 + SILENCE)
    assert room.at(2_000) != first
