"""The evening: what the plan expects, what is on air, and who is on duty. Times in UTC ms."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

from monitor.domain.broadcasts import Broadcast
from monitor.domain.organisation import REMEMBERED_MS, Organisation, Post, Room, Shift, Slot
from monitor.domain.roomrecords import LEAD_MS

SILENT_AFTER_MS: Final = 600_000
_NOTE_MS: Final = REMEMBERED_MS
"""How long a hand-over note is shown to those who come after."""


class Airing(StrEnum):
    TO_COME = "to_come"
    DUE = "due"  # it should be on air, and the time after which that is an alarm has not passed
    SILENT = "silent"  # it should be on air and is not: the alarm
    ON_AIR = "on_air"
    ENDED = "ended"  # it was on air, and its broadcast is over before the slot is
    UNPLANNED = "unplanned"  # it is on air, and no slot says so


class Line(Struct, frozen=True, kw_only=True):
    """A slot and how it stands, or a broadcast without one: then `slot` is "" and `starts` is when it began.
    `known`: the room has a record."""

    state: Airing
    room: str
    starts: int
    ends: int | None = None
    slot: str = ""
    host: str = ""
    products: tuple[str, ...] = ()
    note: str = ""
    unit: str = ""
    title: str = ""
    broadcast: str = ""
    known: bool = True


def lines(
    organisation: Organisation, broadcasts: Iterable[Broadcast], now: int, *,
    ahead_ms: int, silent_after_ms: int = SILENT_AFTER_MS,
) -> list[Line]:
    """What runs or is to come within `ahead_ms`, by start. `broadcasts`: those that run, and of those that are over all
    that a running slot may have had."""
    aired: dict[str, list[Broadcast]] = {}
    for broadcast in broadcasts:
        aired.setdefault(broadcast.room, []).append(broadcast)
    found: list[Line] = []
    planned: set[str] = set()
    for name, slot in organisation.every(Slot):
        if slot.starts - max(ahead_ms, LEAD_MS) <= now < slot.until:
            state, its_own = _standing(slot, aired.get(slot.room, []), now, silent_after_ms)
            if now >= slot.starts - LEAD_MS:
                planned.add(slot.room)
            if state is not Airing.TO_COME or now >= slot.starts - ahead_ms:
                found.append(_line(organisation, state, name, slot, its_own))
    found += [_unplanned(organisation, broadcast) for room, some in aired.items() if room not in planned
              for broadcast in some if broadcast.ended_at is None]
    return sorted(found, key=lambda line: (line.starts, line.room, line.slot))


def _standing(
    slot: Slot, aired: Iterable[Broadcast], now: int, silent_after_ms: int) -> tuple[Airing, Broadcast | None]:
    running = next((each for each in aired if each.ended_at is None), None)
    if running is not None and now >= slot.starts - LEAD_MS:
        return Airing.ON_AIR, running
    if now < slot.starts:
        return Airing.TO_COME, None
    over = [each for each in aired if each.ended_at is not None and each.ended_at > slot.starts]
    if over:
        return Airing.ENDED, max(over, key=lambda each: each.started_at)
    return Airing.SILENT if now - slot.starts >= silent_after_ms else Airing.DUE, None


def _line(organisation: Organisation, state: Airing, name: str, slot: Slot, broadcast: Broadcast | None) -> Line:
    room = organisation.get(Room, slot.room)
    return Line(
        state=state, slot=name, room=slot.room, starts=slot.starts, ends=slot.ends, host=slot.host, note=slot.note,
        products=slot.products, unit=organisation.unit_of(slot.room), title=room.title if room is not None else "",
        broadcast=broadcast.id if broadcast is not None else "", known=room is not None)


def _unplanned(organisation: Organisation, broadcast: Broadcast) -> Line:
    room = organisation.get(Room, broadcast.room)
    return Line(state=Airing.UNPLANNED, room=broadcast.room, starts=broadcast.started_at, broadcast=broadcast.id,
                unit=organisation.unit_of(broadcast.room), title=room.title if room is not None else "",
                known=room is not None)


def unknown(organisation: Organisation, broadcasts: Iterable[Broadcast]) -> list[Broadcast]:
    """The latest broadcast of each room that has no record, by room."""
    latest: dict[str, Broadcast] = {}
    for broadcast in broadcasts:
        before = latest.get(broadcast.room)
        if organisation.get(Room, broadcast.room) is None and (
                before is None or (before.started_at, before.id) < (broadcast.started_at, broadcast.id)):
            latest[broadcast.room] = broadcast
    return [latest[room] for room in sorted(latest)]


class Note(Struct, frozen=True, kw_only=True):
    """What one shift leaves to the next."""

    shift: str
    people: tuple[str, ...]
    ended: int
    note: str


class OnPost(Struct, frozen=True, kw_only=True):
    """Who is on a post. `until`: when the first of the shifts that run ends; `handover`: what the shift before left;
    `next_people` from `next_starts` on."""

    post: str
    title: str
    unit: str
    duty: str
    people: tuple[str, ...] = ()
    shifts: tuple[str, ...] = ()
    until: int | None = None
    handover: Note | None = None
    next_people: tuple[str, ...] = ()
    next_starts: int | None = None


def on_posts(organisation: Organisation, now: int) -> Iterator[OnPost]:
    """Of each post, by its id."""
    shifts: dict[str, list[tuple[str, Shift]]] = {}
    for name, shift in organisation.every(Shift):
        shifts.setdefault(shift.post, []).append((name, shift))
    for name, post in organisation.every(Post):
        yield _on_post(name, post, shifts.get(name, []), now)


def _on_post(name: str, post: Post, shifts: Iterable[tuple[str, Shift]], now: int) -> OnPost:
    run = [(of, shift) for of, shift in shifts if shift.starts <= now < shift.ends]
    later = min((shift for _, shift in shifts if shift.starts > now), key=lambda shift: shift.starts, default=None)
    notes = [(shift.ends, of, shift) for of, shift in shifts if now - _NOTE_MS < shift.ends <= now and shift.handover]
    ended, of, left = max(notes, default=(0, "", None), key=lambda note: note[:2])
    return OnPost(
        post=name, title=post.title, unit=post.unit, duty=post.duty, shifts=tuple(of for of, _ in run),
        people=tuple(dict.fromkeys(person for _, shift in run for person in shift.people)),
        until=min((shift.ends for _, shift in run), default=None),
        handover=None if left is None else Note(shift=of, people=left.people, ended=ended, note=left.handover),
        next_people=later.people if later is not None else (),
        next_starts=later.starts if later is not None else None)
