"""Rooms on air, all of them on one wall: read once for all who watch."""

import asyncio
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.broadcasts import Broadcast
from monitor.domain.findings import RANK, Severity
from monitor.domain.organisation import Room
from monitor.domain.people import Actor
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Store
from monitor.services.records import RoomSummary
from monitor.services.sight import sight

MINUTE_MS: Final = 60_000
MINUTES: Final = 30
"""What the wall shows of each room."""
QUIET_MS: Final = 180_000
"""A room on air without an event for so long is said to be silent."""
MUTE_MS: Final = 120_000
"""A host who was heard, and is no more for so long while other events come, is said to be mute."""
FRESH_MS: Final = 2_000
"""For so long whoever looks sees what was read for somebody else."""
_TAIL: Final = 3
"""Minutes of which findings are counted anew at each reading; earlier ones only every five minutes."""
_RECOUNT_MS: Final = 300_000
_NEVER: Final = 2**62
"""No broadcast had an event since: only those that run are listed."""
_MOST: Final = 100_000


class Pulse(Struct, frozen=True, kw_only=True):
    """Findings of one severity in one minute (counted from the first) of a broadcast."""

    room: str
    broadcast: str
    minute: int
    severity: Severity
    count: int


class OnAir(Struct, frozen=True, kw_only=True):
    """A room on air. `findings`: of each of the latest minutes, oldest first, and how grave the gravest was
    (`worst`: 5 critical … 1 info, 0 none); `silent`: nothing came for three minutes; `mute`: other events come, but no
    transcript has for two minutes, after there were some. `heard_at`: of the latest transcript (UTC
    ms), 0 where none came."""

    room: str
    broadcast: str
    started_at: int
    last_at: int
    alerts_open: int
    silent: bool
    mute: bool
    findings: list[int]
    worst: list[int]
    title: str = ""
    platform: str = ""
    unit: str = ""
    known: bool = True
    heard_at: int = 0


class WallPage(Struct, frozen=True, kw_only=True):
    """By room. `since`: where the first minute begins (UTC ms)."""

    now: int
    since: int
    rooms: list[OnAir]
    next: str | None


class Beats(Protocol):
    """Raises StorageError."""

    async def pulses(self, tenant: str, *, since: int) -> list[Pulse]:
        """Of all broadcasts, findings at or after `since` (UTC ms), in any order."""
        ...


class _Look(Struct, frozen=True):
    """What is on air at `at`. `pulses`: by minutes since 1970, from `first` on; all of them were counted at `counted`.
    Times in UTC ms."""

    at: int
    first: int
    counted: int
    rooms: list[RoomSummary]
    pulses: list[Pulse]
    by_broadcast: Mapping[tuple[str, str], tuple[list[int], list[int]]]


class Wall:
    """Used from one event loop."""

    def __init__(self, beats: Beats, store: Store, organising: Organising, clock: Clock) -> None:
        self._beats, self._store, self._organising, self._clock = beats, store, organising, clock
        self._looks: dict[str, _Look] = {}
        self._reading: dict[str, asyncio.Lock] = {}

    async def page(self, actor: Actor, *, cursor: str | None, limit: int) -> WallPage:
        """Rooms on air that the actor may see, behind the one that `cursor` names."""
        look, organisation = await self._look(actor.tenant), self._organising.of(actor.tenant)
        only, now = sight(actor, organisation).rooms, self._clock.now()
        sought = None if only is None else frozenset(only)
        seen = [each for each in look.rooms
                if (cursor is None or each.room > cursor) and (sought is None or each.room in sought)]
        rooms = []
        for each in seen[:limit]:
            findings, worst = look.by_broadcast.get((each.room, each.broadcast), _NOTHING)
            record = organisation.get(Room, each.room)
            rooms.append(OnAir(
                room=each.room, broadcast=each.broadcast, started_at=each.started_at, last_at=each.last_at,
                alerts_open=each.alerts_open, silent=now - each.last_at >= QUIET_MS, mute=mute(each, now),
                heard_at=each.heard_at, findings=findings, worst=worst, title=record.title if record else "",
                platform=record.platform if record else "", unit=organisation.unit_of(each.room),
                known=record is not None))
        return WallPage(now=now, since=look.first * MINUTE_MS, rooms=rooms,
                        next=seen[limit - 1].room if len(seen) > limit else None)

    async def _look(self, tenant: str) -> _Look:
        async with self._reading.setdefault(tenant, asyncio.Lock()):
            before, now = self._looks.get(tenant), self._clock.now()
            if before is None or not 0 <= now - before.at < FRESH_MS:
                self._looks[tenant] = await self._read(tenant, before, now)
            return self._looks[tenant]

    async def _read(self, tenant: str, before: _Look | None, now: int) -> _Look:
        minute = now // MINUTE_MS
        first = minute - (MINUTES - 1)
        old, since, counted = list[Pulse](), first, now
        if before is not None and 0 <= now - before.counted < _RECOUNT_MS and now - before.at < MINUTE_MS:
            since, counted = minute - _TAIL + 1, before.counted
            old = [pulse for pulse in before.pulses if first <= pulse.minute < since]
        page, new = await asyncio.gather(
            self._store.rooms(tenant, live_since=_NEVER, cursor=None, limit=_MOST),
            self._beats.pulses(tenant, since=since * MINUTE_MS))
        pulses = old + [replace(pulse, minute=pulse.minute + since) for pulse in new]
        rooms = sorted(page.rooms, key=attrgetter("room"))
        return _Look(now, first, counted, rooms, pulses, _by_broadcast(pulses, first))


def mute(broadcast: RoomSummary | Broadcast, now: int) -> bool:
    """Whether its host is heard no more although other events come; where nobody ever was, nobody listens."""
    return now - broadcast.last_at < QUIET_MS and 0 < broadcast.heard_at <= now - MUTE_MS


_NOTHING: Final[tuple[list[int], list[int]]] = ([0] * MINUTES, [0] * MINUTES)


def _by_broadcast(pulses: Sequence[Pulse], first: int) -> dict[tuple[str, str], tuple[list[int], list[int]]]:
    found: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
    for pulse in pulses:
        findings, worst = found.setdefault((pulse.room, pulse.broadcast), ([0] * MINUTES, [0] * MINUTES))
        minute = min(pulse.minute - first, MINUTES - 1)  # a source's clock may be ahead
        findings[minute] += pulse.count
        worst[minute] = max(worst[minute], RANK[pulse.severity] + 1)
    return found
