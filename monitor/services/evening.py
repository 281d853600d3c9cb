"""Tonight: the plan against what is on air, rooms that nobody has told of, and who is on duty."""

import asyncio
from collections import Counter
from collections.abc import Callable, Set
from contextlib import suppress
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from monitor.domain.broadcasts import Broadcast
from monitor.domain.errors import StorageError
from monitor.domain.evening import Airing, Line, OnPost, lines, on_posts, unknown
from monitor.domain.organisation import OPEN_END_MS
from monitor.domain.people import ROOT, Actor, Permission
from monitor.domain.tenants import within
from monitor.services.absences import Absences
from monitor.services.organising import Organising
from monitor.services.paging import packed_cursor, unpacked_cursor
from monitor.services.ports import Clock, Telemetry

_DAY_MS: Final = 86_400_000
_keys: Final = msgspec.json.Decoder(tuple[int, str, str])


class Broadcasts(Protocol):
    """Raises StorageError."""

    async def broadcasts(self, tenant: str, *, since: int) -> list[Broadcast]:
        """Those that run, and those that had an event since then (UTC ms), in any order."""
        ...


class PlanPage(Struct, frozen=True, kw_only=True):
    """By start; `counts`: how many of all lines stand how. `next` is the cursor of the following page, None at the end.
    """

    now: int
    counts: dict[str, int]
    lines: list[Line]
    next: str | None


class UnknownRoom(Struct, frozen=True, kw_only=True):
    """A room that sends events and has no record: its latest broadcast."""

    room: str
    broadcast: str
    started_at: int
    last_at: int
    ended_at: int | None


class UnknownRooms(Struct, frozen=True):
    """By room."""

    rooms: list[UnknownRoom]
    next: str | None


class DutyAnswer(Struct, frozen=True, kw_only=True):
    """By post."""

    now: int
    posts: list[OnPost]


class Evening:
    """Used from one event loop."""

    def __init__(
        self, broadcasts: Broadcasts, organising: Organising, clock: Clock, telemetry: Telemetry, *,
        silent_after_ms: int, absences: Absences | None = None,
    ) -> None:
        """`absences`: are told of all slots that run."""
        self._broadcasts, self._organising = broadcasts, organising
        self._clock, self._telemetry = clock, telemetry
        self.silent_after_ms, self._absences = silent_after_ms, absences
        self._posts: set[str] = set()
        self._seen: set[str] = set()
        self.listening: Callable[[str], Set[str]] = lambda tenant: frozenset()
        """Logins of a tenant that have a page open which hears of alerts."""

    async def plan(self, actor: Actor, *, state: str | None, hours: int, cursor: str | None, limit: int) -> PlanPage:
        """Of the units that the actor may see. Raises InputError for a bad cursor."""
        now, organisation = self._clock.now(), self._organising.of(actor.tenant)
        found = await self._lines(actor.tenant, now, ahead_ms=hours * 3_600_000)
        allowed = {unit: actor.may(Permission.SEE, organisation.above(unit)) for unit in {one.unit for one in found}}
        mine = [line for line in found if allowed[line.unit]]
        counts = Counter({state.value: 0 for state in Airing}) + Counter(line.state.value for line in mine)
        after = None if cursor is None else unpacked_cursor(cursor, _keys)
        page = [line for line in mine if state in (None, line.state) and (after is None or _key(line) > after)]
        return PlanPage(now=now, counts={state.value: counts[state.value] for state in Airing}, lines=page[:limit],
                        next=packed_cursor(_key(page[limit - 1])) if len(page) > limit else None)

    async def unknown(self, actor: Actor, *, cursor: str | None, limit: int) -> UnknownRooms:
        """Of the last day, for those who see the whole tenant: a room without a record belongs to no unit."""
        if not actor.may(Permission.SEE, (ROOT,)):
            return UnknownRooms([], None)
        since = self._clock.now() - _DAY_MS
        found = unknown(self._organising.of(actor.tenant), await self._broadcasts.broadcasts(actor.tenant, since=since))
        page = [UnknownRoom(room=each.room, broadcast=each.id, started_at=each.started_at, last_at=each.last_at,
                            ended_at=each.ended_at) for each in found if cursor is None or each.room > cursor]
        return UnknownRooms(page[:limit], page[limit - 1].room if len(page) > limit else None)

    def duty(self, actor: Actor) -> DutyAnswer:
        """Of the posts of the units that the actor may see."""
        now, organisation = self._clock.now(), self._organising.of(actor.tenant)
        return DutyAnswer(now=now, posts=[post for post in on_posts(organisation, now)
                                          if actor.may(Permission.SEE, organisation.above(post.unit))])

    async def look(self) -> None:
        """What the metrics tell of all tenants; posts are told of rooms that stay silent."""
        now, silent = self._clock.now(), 0
        running: dict[str, list[Line]] = {}
        on_duty: Counter[str] = Counter({post: 0 for post in self._posts})
        for tenant in self._organising.tenants():
            found = running[tenant] = await self._lines(tenant, now, ahead_ms=0)
            silent += sum(line.state is Airing.SILENT for line in found)
            for post in on_posts(self._organising.of(tenant), now):
                on_duty[within(tenant, post.post)] += len(post.people)
        self._posts = set(on_duty)
        self._telemetry.gauge("rooms_expected_silent", silent)
        for name, people in on_duty.items():
            self._telemetry.gauge("reviewers_on_duty", people, post=name)
        if self._absences is not None:
            for tenant, found in running.items():
                await self._absences.look(tenant, found)

    def connected(self) -> None:
        """What the metrics tell of those whose shift it is."""
        found = dict.fromkeys(self._seen, 0)
        for tenant in self._organising.tenants():
            listening = self.listening(tenant)
            for post in on_posts(self._organising.of(tenant), self._clock.now()):
                found[within(tenant, post.post)] = len(listening & set(post.people))
        self._seen = set(found)
        for name, people in found.items():
            self._telemetry.gauge("reviewers_connected", people, post=name)

    async def run(
        self, stop: asyncio.Event, *, every_s: float = 10, mine: Callable[[], bool] = lambda: True,
    ) -> None:
        """`mine`: whether it is this process that looks."""
        while not stop.is_set():
            with suppress(StorageError):  # the disk refuses: looked at again at the next turn
                if mine():
                    self.connected()
                    await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    async def _lines(self, tenant: str, now: int, *, ahead_ms: int) -> list[Line]:
        aired = await self._broadcasts.broadcasts(tenant, since=now - OPEN_END_MS)
        return await asyncio.to_thread(lines, self._organising.of(tenant), aired, now, ahead_ms=ahead_ms,
                                       silent_after_ms=self.silent_after_ms)


def _key(line: Line) -> tuple[int, str, str]:
    return line.starts, line.room, line.slot
