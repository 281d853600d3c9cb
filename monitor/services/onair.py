"""One broadcast over its time, beside the wall of all rooms on air."""

from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.alerts import AlertState
from monitor.domain.broadcasts import Broadcast
from monitor.domain.cues import Cue
from monitor.domain.errors import NotFound
from monitor.domain.events import Kind
from monitor.domain.findings import Severity, Span, Tier
from monitor.domain.people import Actor, Permission
from monitor.services.organising import Organising
from monitor.services.ports import Archive, Clock, Store
from monitor.services.records import ArchiveQuery, KeptEvent, Series, TallyQuery
from monitor.services.wall import Beats, Wall, WallPage, mute

MOST_BUCKETS: Final = 4_320
"""Of a timeline: six hours of five seconds."""
MOST_POINTS: Final = 2_000
_MOST_CUES: Final = 500
_MOST_SIGNALS: Final = 200
_BROADCASTS: Final = 20


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
    there is room for the latest (`more`). `others`: the room's latest broadcasts; `mute`: as on the wall."""

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
    mute: bool = False


class AirStore(Beats, Protocol):
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


class AirDesk:
    def __init__(
        self, air: AirStore, store: Store, archive: Archive, organising: Organising, clock: Clock,
    ) -> None:
        self._air, self._archive = air, archive
        self._organising, self._clock = organising, clock
        self._wall = Wall(air, store, organising, clock)

    async def wall(self, actor: Actor, *, cursor: str | None, limit: int) -> WallPage:
        """Rooms on air that the actor may see."""
        return await self._wall.page(actor, cursor=cursor, limit=limit)

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
            signals=await self._signals(actor.tenant, query), others=others,
            mute=shown.ended_at is None and mute(shown, now))

    async def _signals(self, tenant: str, query: TallyQuery) -> list[KeptEvent]:
        found = await self._archive.search(tenant, ArchiveQuery(
            room=query.room, kind=Kind.SIGNAL.value, since=query.since, until=query.until, limit=_MOST_SIGNALS))
        return found[::-1]


_LAG_MS: Final = 300_000
"""How much later than is stored the latest event of a running broadcast may be."""


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


def _not_aired() -> NotFound:
    return NotFound("no broadcast of this room is kept",
                    hint="GET /api/v1/rooms lists the rooms that were on air lately")
