"""The statements that a room owes: demands found for what happens, settled when time has passed."""

from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Final

from monitor.domain.correlations import ENDED, STARTED, CorrelationRule
from monitor.domain.ids import finding_id
from monitor.engine.correlation_absence import Demand
from monitor.engine.correlation_events import (
    Change,
    Due,
    EventRef,
    Fallen,
    Observation,
    Outcome,
    Signal,
    Struck,
    Why,
    absence_subject,
)
from monitor.engine.correlation_state import NEVER, Bounds, Duty, DutyKey, Limits, Room

_BROADCASTS: Final = 16
_key: Final[Callable[[tuple[DutyKey, Duty]], DutyKey]] = itemgetter(0)


class Duties:
    """`applies`: does the rule hold in this room (tenant, room) at that time?"""

    def __init__(
        self, rules: Iterable[CorrelationRule], limits: Limits, quiet: Collection[str],
        applies: Callable[[CorrelationRule, str, str, int], bool],
    ) -> None:
        self.demands = {rule.id: Demand(rule) for rule in rules}
        self._limits, self._quiet, self._applies = limits, quiet, applies
        self._heard: dict[str, list[Demand]] = {}
        self._begun: dict[str, list[Demand]] = {}
        self._signals: dict[str, list[Demand]] = {}
        for demand in self.demands.values():
            for name in demand.unless:
                self._heard.setdefault(name, []).append(demand)
            of = self._begun if demand.first else self._signals
            of.setdefault(demand.first or demand.signal, []).append(demand)

    @property
    def looks_at(self) -> set[str]:
        """Ids of the rules whose findings matter here."""
        return {*self._heard, *self._begun}

    def feed(self, room: Room, o: Observation, late: bool, out: Outcome) -> None:
        ref = EventRef(o.at, o.source, o.id, o.revision, o.rule, o.seq)
        upto = room.mark if late else o.at
        for demand in self._heard.get(o.rule, ()):
            if o.lane not in demand.lanes and not o.events:
                out.drop(Why.LANE)
                continue
            duty = self._duty(room, demand, o.broadcast, upto, out)
            if not demand.hear(duty, ref):
                out.drop(Why.LATE)
            elif late:
                self._settle(room, demand, o.broadcast, duty, upto, Why.HEARD, out)
            if len(duty.heard) > self._limits.heard and not demand.thin(duty):
                self._settle(room, demand, o.broadcast, duty, upto, Why.HEARD, out)
                demand.fold(duty, duty.heard[len(duty.heard) // 2].at, _end(room, o.broadcast, duty))
        for demand in self._begun.get(o.rule, ()):
            if o.lane in demand.lanes or o.events:
                self._begin(room, demand, o.broadcast, ref, late, out)

    def signal(self, room: Room, signal: Signal, out: Outcome) -> None:
        """Signals need no order: deadlines are worked out anew when time has passed."""
        if not self.demands:
            return
        late = signal.at < room.mark
        if signal.name in (ENDED, STARTED):
            self._bound(room, signal)
            for (rule, broadcast), duty in sorted(room.duties.items(), key=_key):
                if duty.ended != _end(room, broadcast, duty):
                    self._settle(room, self.demands[rule], broadcast, duty, room.mark, Why.ENDED, out)
        ref = EventRef(signal.at, "", "", 0, signal.name, 0)
        for demand in self._signals.get(signal.name, ()):
            self._begin(room, demand, signal.broadcast, ref, late, out)

    def strike(self, room: Room, struck: Struck, out: Outcome) -> None:
        for (rule, broadcast), duty in sorted(room.duties.items(), key=_key):
            demand = self.demands[rule]
            if demand.strike(duty, struck):
                self._settle(room, demand, broadcast, duty, room.mark, Why.REVISED, out)

    def settle(self, room: Room, before: int, out: Outcome) -> None:
        """Everything before then is known; what is missed is told in order of time."""
        told = Outcome()
        due = [item for item in room.duties.items() if item[1].next_due < before]
        for (rule, broadcast), duty in sorted(due, key=_key):
            self._settle(room, self.demands[rule], broadcast, duty, before, Why.MOVED, told)
        out.changes += sorted(told.changes, key=_due_at)
        room.next_due = min((duty.next_due for duty in room.duties.values()), default=NEVER)

    def sweep(self, room: Room) -> None:
        """Let go of what nothing can change any more."""
        before = room.mark - self._limits.keep_ms
        for key, duty in list(room.duties.items()):
            ended = _end(room, key[1], duty)
            self.demands[key[0]].fold(duty, before, ended)
            over = ended is not None and ended < before
            if over or not (duty.chains or duty.firsts or duty.heard or duty.began):
                del room.duties[key]

    def _duty(self, room: Room, demand: Demand, broadcast: str, upto: int, out: Outcome) -> Duty:
        """The oldest broadcast's go where a room names too many. `upto`: what was before is in order and done."""
        key = demand.id, broadcast
        duty = room.duties.get(key)
        if duty is None:
            known = dict.fromkeys(name for _, name in room.duties)
            if broadcast not in known and len(known) >= _BROADCASTS:
                oldest = next(iter(known))
                room.duties = {of: duty for of, duty in room.duties.items() if of[1] != oldest}
                out.drop(Why.FULL)
            duty = room.duties[key] = Duty(folded=min(upto, room.mark) - self._limits.keep_ms)
        return duty

    def _begin(self, room: Room, demand: Demand, broadcast: str, ref: EventRef, late: bool, out: Outcome) -> None:
        duty = self._duty(room, demand, broadcast, room.mark if late else ref.at, out)
        if why := demand.begin(duty, ref):
            out.drop(why)
        elif late:
            self._settle(room, demand, broadcast, duty, room.mark, Why.MOVED, out)
        else:
            duty.next_due = min(duty.next_due, ref.at + demand.within)
            room.next_due = min(room.next_due, duty.next_due)

    @staticmethod
    def _bound(room: Room, signal: Signal) -> None:
        bounds = room.broadcasts.setdefault(signal.broadcast, Bounds())
        if signal.name == ENDED:
            bounds.end = signal.at if bounds.end is None else max(bounds.end, signal.at)
        else:
            bounds.start = signal.at if bounds.start is None else min(bounds.start, signal.at)
            bounds.again = signal.at if bounds.again is None else max(bounds.again, signal.at)
        if len(room.broadcasts) > _BROADCASTS:
            del room.broadcasts[next(iter(room.broadcasts))]

    def _settle(
        self, room: Room, demand: Demand, broadcast: str, duty: Duty, mark: int, why: Why, out: Outcome
    ) -> None:
        duty.ended = _end(room, broadcast, duty)
        new, gone = demand.settle(duty, mark, duty.ended)
        room.next_due = min(room.next_due, duty.next_due)
        if demand.id in self._quiet:
            return
        for due in gone:
            own = self._id(room, demand, broadcast, due)[0]
            out.changes.append(Fallen(own, demand.id, room.tenant, room.room, why))
        for due, since in new.items():
            if self._applies(demand.rule, room.tenant, room.room, due):
                own, subject = self._id(room, demand, broadcast, due)
                out.changes.append(Due(rule=demand.id, id=own, subject=subject, tenant=room.tenant, room=room.room,
                                       broadcast=broadcast, since=since, due_at=due))

    @staticmethod
    def _id(room: Room, demand: Demand, broadcast: str, due: int) -> tuple[str, str]:
        subject = absence_subject(room.room, broadcast, due)
        return finding_id(room.tenant, demand.id, subject), subject


def _due_at(change: Change) -> int:
    return change.due_at if isinstance(change, Due) else 0


def _end(room: Room, broadcast: str, duty: Duty) -> int | None:
    """When a broadcast was over: at its end, unless it began again, or when another one began in its room."""
    own = room.broadcasts.get(broadcast) or Bounds()
    over = own.end is not None and (own.again is None or own.end >= own.again)
    ends = [own.end] if over and own.end is not None else []
    start = own.start if own.start is not None else min((chain.since for chain in duty.chains), default=0)
    ends += [other.start for name, other in room.broadcasts.items()
             if name != broadcast and other.start is not None and other.start > start]
    return min(ends, default=None)
