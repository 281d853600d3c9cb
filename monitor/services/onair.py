"""Rooms on air: all of them on one wall, and one broadcast over its time."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.alerts import AlertState
from monitor.domain.broadcasts import Broadcast
from monitor.domain.cues import Cue
from monitor.domain.errors import NotFound
from monitor.domain.events import Kind
from monitor.domain.findings import RANK, Severity, Span, Tier
from monitor.domain.organisation import Room
from monitor.domain.people import Actor, Permission
from monitor.services.organising import Organising
from monitor.services.ports import Archive, Clock, Store
from monitor.services.records import ArchiveQuery, KeptEvent, Series, TallyQuery
from monitor.services.sight import sight

MINUTE_MS: Final = 60_000
MINUTES: Final = 30
"""What the wall shows of each room."""
QUIET_MS: Final = 180_000
"""A room on air without an event for so long is said to be silent."""
MOST_BUCKETS: Final = 4_320
"""Of a timeline: six hours of five seconds."""
MOST_POINTS: Final = 2_000
_MOST_CUES: Final = 500
_MOST_SIGNALS: Final = 200
_BROADCASTS: Final = 20


class Pulse(Struct, frozen=True, kw_only=True):
    """Findings of one severity in one minute (counted from the first) of a broadcast."""

    room: str
    broadcast: str
    minute: int
    severity: Severity
    count: int


class Point(Struct, frozen=True, kw_only=True):
    """A finding that stands: its event with the spans that were found in it, and how far people are with its alert.
    `corrected_at`: when the host was heard to correct it (UTC ms)."""

    finding: str
    alert: str
    source: str
    event: str
    at: int
    lane: int
    severity: Severity
    tier: Tier
    category: list[str]
    rule: str
    title: str
    text: str
    spans: list[Span]
    state: AlertState
    outcome: str
    corrected_at: int | None = None


class Timeline(Struct, frozen=True, kw_only=True):
    """A broadcast from `since` until `until` (UTC ms) in buckets of `bucket_ms`; `points` oldest first, of more than
    there is room for the latest (`more`). `others`: the room's latest broadcasts."""

    now: int
    broadcast: Broadcast
    since: int
    until: int
    bucket_ms: int
    series: list[Series]
    points: list[Point]
    more: bool
    cues: list[Cue]
    signals: list[KeptEvent]
    others: list[Broadcast]


class OnAir(Struct, frozen=True, kw_only=True):
    """A room on air. `findings`: of each of the latest minutes, oldest first, and how grave the gravest was
    (`worst`: 5 critical … 1 info, 0 none); `silent`: nothing came for three minutes."""

    room: str
    broadcast: str
    started_at: int
    last_at: int
    alerts_open: int
    silent: bool
    findings: list[int]
    worst: list[int]
    title: str = ""
    platform: str = ""
    unit: str = ""
    known: bool = True


class WallPage(Struct, frozen=True, kw_only=True):
    """By room. `since`: where the first minute begins (UTC ms)."""

    now: int
    since: int
    rooms: list[OnAir]
    next: str | None


class AirStore(Protocol):
    """Raises StorageError."""

    async def aired(self, tenant: str, room: str, *, broadcast: str | None, limit: int) -> list[Broadcast]:
        """The room's broadcasts, or the one of this name; latest first."""
        ...

    async def points(self, broadcast: Broadcast, *, since: int, limit: int) -> list[Point]:
        """The latest findings at or after `since` (UTC ms), latest first."""
        ...

    async def cues(self, broadcast: Broadcast, *, since: int, limit: int) -> list[Cue]:
        """Oldest first, those made at or after `since` (UTC ms)."""
        ...

    async def pulses(self, tenant: str, *, since: int) -> list[Pulse]:
        """Of all broadcasts, findings at or after `since` (UTC ms), in any order."""
        ...


class AirDesk:
    def __init__(
        self, air: AirStore, store: Store, archive: Archive, organising: Organising, clock: Clock,
    ) -> None:
        self._air, self._store, self._archive = air, store, archive
        self._organising, self._clock = organising, clock

    async def wall(self, actor: Actor, *, cursor: str | None, limit: int) -> WallPage:
        """Rooms on air that the actor may see."""
        now, organisation = self._clock.now(), self._organising.of(actor.tenant)
        since = now - now % MINUTE_MS - (MINUTES - 1) * MINUTE_MS
        page, beats = await asyncio.gather(
            self._store.rooms(actor.tenant, live_since=_NEVER, cursor=cursor, limit=limit,
                              only=sight(actor, organisation).rooms),
            self._air.pulses(actor.tenant, since=since))
        pulses = _by_broadcast(beats)
        rooms = []
        for each in page.rooms:
            findings, worst = pulses.get((each.room, each.broadcast), _NOTHING)
            record = organisation.get(Room, each.room)
            rooms.append(OnAir(
                room=each.room, broadcast=each.broadcast, started_at=each.started_at, last_at=each.last_at,
                alerts_open=each.alerts_open, silent=now - each.last_at >= QUIET_MS, findings=findings, worst=worst,
                title=record.title if record else "", platform=record.platform if record else "",
                unit=organisation.unit_of(each.room), known=record is not None))
        return WallPage(now=now, since=since, rooms=rooms, next=page.next)

    async def timeline(
        self, actor: Actor, room: str, *, broadcast: str | None, since: int | None, bucket_s: int
    ) -> Timeline:
        """Raises NotFound for a room that is not to be seen or was never on air."""
        now, organisation = self._clock.now(), self._organising.of(actor.tenant)
        if not actor.may(Permission.SEE, organisation.above(organisation.unit_of(room))):
            raise _not_aired()
        others = await self._air.aired(actor.tenant, room, broadcast=None, limit=_BROADCASTS)
        named = others if broadcast is None else await self._air.aired(
            actor.tenant, room, broadcast=broadcast, limit=1)
        if not named:
            raise _not_aired()
        shown = named[0]
        query = buckets_of(shown, since, bucket_s * 1_000, now)
        points = await self._air.points(shown, since=query.since, limit=MOST_POINTS + 1)
        return Timeline(
            now=now, broadcast=shown, since=query.since, until=query.until, bucket_ms=query.bucket_ms,
            series=await self._archive.tally(actor.tenant, query),
            points=points[:MOST_POINTS][::-1], more=len(points) > MOST_POINTS,
            cues=await self._air.cues(shown, since=query.since, limit=_MOST_CUES),
            signals=await self._signals(actor.tenant, query), others=others)

    async def _signals(self, tenant: str, query: TallyQuery) -> list[KeptEvent]:
        found = await self._archive.search(tenant, ArchiveQuery(
            room=query.room, kind=Kind.SIGNAL.value, since=query.since, until=query.until, limit=_MOST_SIGNALS))
        return found[::-1]


_LAG_MS: Final = 300_000
"""How much later than is stored the latest event of a running broadcast may be."""
_NEVER: Final = 2**62
"""No broadcast had an event since: only those that run are listed."""
_NOTHING: Final[tuple[list[int], list[int]]] = ([0] * MINUTES, [0] * MINUTES)


def buckets_of(broadcast: Broadcast, since: int | None, bucket_ms: int, now: int) -> TallyQuery:
    """From the bucket of `since` on, or from the beginning; buckets are as much longer as there would be too many."""
    begin, end = broadcast.started_at, max(broadcast.last_at, broadcast.ended_at or 0)
    if broadcast.ended_at is None:
        end = max(end, min(now, end + _LAG_MS))
    while end - begin >= bucket_ms * MOST_BUCKETS:
        bucket_ms *= 2
    last = (end - begin) // bucket_ms
    first = min(max((since or begin) - begin, 0) // bucket_ms, last)
    return TallyQuery(room=broadcast.room, since=begin + first * bucket_ms, bucket_ms=bucket_ms,
                      buckets=last + 1 - first)


def _by_broadcast(pulses: Sequence[Pulse]) -> dict[tuple[str, str], tuple[list[int], list[int]]]:
    found: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
    for pulse in pulses:
        findings, worst = found.setdefault((pulse.room, pulse.broadcast), ([0] * MINUTES, [0] * MINUTES))
        minute = min(pulse.minute, MINUTES - 1)  # a source's clock may be ahead
        findings[minute] += pulse.count
        worst[minute] = max(worst[minute], RANK[pulse.severity] + 1)
    return found


def _not_aired() -> NotFound:
    return NotFound("no broadcast of this room is kept",
                    hint="GET /api/v1/rooms lists the rooms that were on air lately")
