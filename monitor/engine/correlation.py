"""Correlations: findings in, windows that hold and statements that are due out. Synchronous, without a clock.

Whoever orders the stream feeds it: a lane, for rules that look at that lane alone, or the merged log. What is fed is
put in order of event time, as far as it comes within the allowed lateness, and only then looked at; so neither its
order of arrival nor the way it is cut into calls matters. What comes later still counts, as of when it came.

A room's clock is its latest event time plus the `accepted_at` time passed since; what is older than the clock less the
lateness is in order and done.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable
from heapq import heappop, heappush
from operator import itemgetter
from typing import Final

import msgspec

from monitor.domain.correlations import CorrelationRule
from monitor.domain.ids import digest
from monitor.engine.correlation_events import Observation, Outcome, Signal, Struck, Why, standing
from monitor.engine.correlation_rooms import RoomWork
from monitor.engine.correlation_state import NEVER, Limits, Room, RoomKey, State

Applies = Callable[[CorrelationRule, str, str, int], bool]
"""(rule, tenant, room, event time) → does the rule hold there and then?"""

_at: Final[Callable[[Observation], int]] = itemgetter(0)


class Correlator:
    """`rules`: without faults, in any order, with the correlations that they refer to. `quiet`: ids of those that only
    serve others.

    Feed in the log's order, a frame's events in the frame's; `advance` after each frame and for each tick. `state` is
    taken over; what it holds of rules that are gone, or say something else now, is dropped.
    """

    def __init__(
        self, rules: Iterable[CorrelationRule], *, limits: Limits | None = None, state: State | None = None,
        quiet: Collection[str] = (), applies: Applies = lambda rule, tenant, room, at: True,
    ) -> None:
        rules = list(rules)
        self._limits = limits or Limits()
        self._state = state or State()
        self._work = RoomWork(rules, self._limits, frozenset(quiet), applies)
        self._wakes: list[tuple[int, RoomKey]] = []
        self._adopt({rule.id: digest("correlation", msgspec.msgpack.encode(rule.correlation).hex()) for rule in rules})
        self._touched = set(self._state.rooms)

    @property
    def looks_at(self) -> frozenset[str]:
        """Ids of the rules whose findings are to be fed; others are ignored."""
        return frozenset(self._work.routes)

    def observe(self, o: Observation) -> None:
        """A finding of an event, in log order."""
        if o.rule not in self._work.routes:
            return
        room = self._room(o.tenant, o.room, o.at, o.accepted_at)
        room.events[o.id] = o.at
        self._state.fed += 1
        if o.at < room.mark:
            self._release(room)
            self._work.feed(room, o, late=True)
        else:
            pending = room.pending
            if not pending or pending[-1] <= o:
                pending.append(o)
            else:
                insort(pending, o)
            if len(pending) > self._limits.pending:
                room.mark = max(room.mark, pending[len(pending) // 2].at)
                self._release(room)
        if o.at > room.latest:
            room.latest, room.accepted = o.at, o.accepted_at

    def signal(self, signal: Signal) -> None:
        room = self._room(signal.tenant, signal.room, signal.at, signal.accepted_at)
        self._state.fed += 1
        self._release(room)
        self._work.duties.signal(room, signal, self._work.out)
        if signal.at > room.latest:
            room.latest, room.accepted = signal.at, signal.accepted_at

    def seen(self, tenant: str, room: str, at: int, accepted_at: int) -> None:
        """Events of this room up to that time, with findings or not: they move the room's clock."""
        if (tenant, room) in self._state.rooms:
            known = self._room(tenant, room, at, accepted_at)
            if at > known.latest:
                known.latest, known.accepted = at, accepted_at

    def withdraw(self, tenant: str, room: str, struck: Struck, *, accepted_at: int) -> None:
        """These findings no longer stand; those of one entry of the log together."""
        if (tenant, room) in self._state.rooms:
            known = self._room(tenant, room, 0, accepted_at)
            self._release(known)
            since = known.mark - self._limits.keep_ms
            struck = {event: below for event, below in struck.items() if known.events.get(event[1], -NEVER) >= since}
            if struck:
                known.pending = standing(known.pending, struck)
                self._work.strike(known, struck)

    def advance(self, accepted_at: int) -> Outcome:
        """Time has come to this; what came out since the last call."""
        now = self._state.now = max(self._state.now, accepted_at)
        while self._wakes and self._wakes[0][0] < now:
            _, key = heappop(self._wakes)
            room = self._state.rooms.get(key)
            if room is not None:
                room.wake = NEVER
                self._touched.add(key)
        touched, self._touched = self._touched, set()
        for key in sorted(touched):
            room = self._state.rooms.get(key)
            if room is not None:
                self._look(key, room)
        if self._state.fed > self._limits.known // 8:
            self._weigh()
        return self._take()

    def finish(self, *, grace_ms: int = 0) -> Outcome:
        """The stream is over: everything up to each room's latest event and `grace_ms` beyond is judged, and nothing is
        fed any more."""
        for _, room in sorted(self._state.rooms.items(), key=itemgetter(0)):
            room.mark = max(room.mark, room.latest + 1 + grace_ms)
            self._release(room)
            self._work.close(room)
        return self._take()

    def snapshot(self) -> State:
        """The state as of the last `advance`; encode it before going on."""
        return self._state

    def _take(self) -> Outcome:
        out, self._work.out = self._work.out, Outcome()
        return out

    def _room(self, tenant: str, name: str, at: int, accepted_at: int) -> Room:
        """The room, its mark brought up to date; a new one begins with this event."""
        state, key = self._state, (tenant, name)
        if accepted_at > state.now:
            state.now = accepted_at
        room = state.rooms.get(key)
        if room is None:
            if len(state.rooms) >= self._limits.rooms:
                self._evict()
            mark = at - self._limits.lateness_ms
            room = state.rooms[key] = Room(tenant, name, latest=at, accepted=accepted_at, mark=mark, swept=mark)
        else:
            mark = room.latest + state.now - room.accepted - self._limits.lateness_ms
            if mark > room.mark:
                room.mark = mark
        self._touched.add(key)
        return room

    def _release(self, room: Room) -> None:
        """What is in order goes on."""
        pending, mark, work = room.pending, room.mark, self._work
        if pending and pending[0].at < mark:
            ready = bisect_left(pending, mark, key=_at)
            room.pending = pending[ready:]
            for o in pending[:ready]:
                if room.closing or room.next_due < o.at:
                    work.pass_time(room, o.at)
                work.feed(room, o, late=False)
        work.pass_time(room, mark)

    def _look(self, key: RoomKey, room: Room) -> None:
        room.mark = max(room.mark, room.latest + self._state.now - room.accepted - self._limits.lateness_ms)
        self._release(room)
        if room.mark - room.swept > self._limits.sweep_ms:
            self._work.sweep(room)
            quiet = room.mark > room.latest + self._limits.keep_ms
            if quiet and not (room.pending or room.groups or room.duties):
                del self._state.rooms[key]
                return
        due = min(room.swept + self._limits.sweep_ms, room.next_due)
        if room.pending:
            due = min(due, room.pending[0].at)
        if room.closing:
            due = min(due, room.closing[0][0])
        wake = due + self._limits.lateness_ms - room.latest + room.accepted
        if wake < room.wake:
            room.wake = wake
            heappush(self._wakes, (wake, key))

    def _evict(self) -> None:
        """The rooms that have been quiet for longest go."""
        rooms = self._state.rooms
        gone = sorted(rooms, key=lambda key: (rooms[key].accepted, key))[: len(rooms) // 8 + 1]
        for key in gone:
            del rooms[key]
        self._work.out.drop(Why.FULL, len(gone))

    def _weigh(self) -> None:
        """Where all rooms together remember too much, those that remember most go: a flood harms its own room."""
        rooms, self._state.fed = self._state.rooms, 0
        weights = {key: room.weight for key, room in rooms.items()}
        left, gone = sum(weights.values()), 0
        for key in sorted(rooms, key=lambda key: (-weights[key], key)):
            if left <= self._limits.known:
                break
            left -= weights[key]
            gone += 1
            del rooms[key]
        if gone:
            self._work.out.drop(Why.FULL, gone)

    def _adopt(self, definitions: dict[str, str]) -> None:
        """Drop what a restored state holds of other rules."""
        state = self._state
        same = {name for name, said in definitions.items() if state.definitions.get(name) == said}
        for room in state.rooms.values():
            room.wake = NEVER
            room.groups = {key: group for key, group in room.groups.items() if key[0] in same}
            room.waves = {key: waves for key, waves in room.waves.items() if key[0] in same}
            room.duties = {key: duty for key, duty in room.duties.items() if key[0] in same}
            room.closing = [item for item in room.closing if item[1][0] in same]
            room.pending = [o for o in room.pending if o.rule in self._work.routes]
            room.next_due = min((duty.next_due for duty in room.duties.values()), default=NEVER)
        state.definitions = definitions
