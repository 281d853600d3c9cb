"""One room's work: an observation goes to the groups of every rule that looks at it; what holds is reported, and stands
in as an observation for the rules that look at that."""

from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush
from itertools import islice, takewhile
from operator import itemgetter

from monitor.domain.correlations import CorrelationRule, CorrelationType
from monitor.domain.ids import finding_id
from monitor.engine.correlation_duties import Duties
from monitor.engine.correlation_events import (
    Fallen,
    Held,
    Joined,
    Observation,
    Outcome,
    Struck,
    Why,
    standing,
    window_subject,
)
from monitor.engine.correlation_state import NEVER, Group, GroupKey, Limits, Room, Waves, Window
from monitor.engine.correlation_text import forget, wave_of
from monitor.engine.correlation_windows import Plan, covering, plan_of


class RoomWork:
    """What it finds out is in `out`, until somebody takes it."""

    def __init__(
        self, rules: Iterable[CorrelationRule], limits: Limits, quiet: Collection[str],
        applies: Callable[[CorrelationRule, str, str, int], bool],
    ) -> None:
        rules = list(rules)
        absences = [rule for rule in rules if rule.correlation.type is CorrelationType.ABSENCE]
        self.out = Outcome()
        self.duties = Duties(absences, limits, quiet, applies)
        self._limits, self._quiet, self._applies = limits, quiet, applies
        self._plans = {rule.id: plan_of(rule, limits) for rule in rules if rule not in absences}
        self.routes: dict[str, list[Plan]] = {name: [] for name in self.duties.looks_at}
        for plan in self._plans.values():
            for name in plan.rule.correlation.rules:
                self.routes.setdefault(name, []).append(plan)
        self._stated = self.duties.looks_at

    def feed(self, room: Room, o: Observation, late: bool) -> None:
        """`late`: after its time was in order and done."""
        for plan in self.routes[o.rule]:
            if late and o.at < room.mark - plan.span:
                self.out.drop(Why.LATE)
            elif (plan.picky or not o.speaker) and (why := plan.refuses(o)):
                self.out.drop(why)
            else:
                self._group(room, plan, o, late)
        if self._stated and o.rule in self._stated:
            self.duties.feed(room, o, late, self.out)

    def pass_time(self, room: Room, before: int) -> None:
        """What was over or due before then is judged, in order."""
        while True:
            over, due = room.closing[0][0] if room.closing else NEVER, room.next_due
            if min(over, due) >= before:
                return
            if over <= due:  # what a window stands in for may be what is due
                self.close(room, over + 1)
            else:
                self.duties.settle(room, min(over, before), self.out)

    def close(self, room: Room, before: int = NEVER) -> None:
        """Judge the windows that were over before then."""
        while room.closing and room.closing[0][0] < before:
            until, key = heappop(room.closing)
            group = room.groups.get(key)
            for window in group.windows if group is not None else ():
                if window.closing and window.until == until:
                    window.closing = False
                    plan = self._plans[key[0]]
                    if plan.holds(window):
                        chosen = plan.choose(window.members)
                        self._report(room, plan, window, chosen, at=until, late=False)

    def strike(self, room: Room, struck: Struck) -> None:
        """The events' observations fall, and what no longer holds without them."""
        touched: list[tuple[Plan, Group, Window]] = []
        for key, group in sorted(room.groups.items(), key=itemgetter(0)):
            plan = self._plans[key[0]]
            left = standing(group.items, struck)
            if len(left) < len(group.items):
                group.items, group.counts = left, plan.recount(left)
            for window in group.windows:
                left = standing(window.members, struck)
                if len(left) < len(window.members):
                    window.members, window.counts = left, plan.recount(left)
                    touched.append((plan, group, window))
        for plan, group, window in touched:
            if window.id and not plan.holds(window):
                self._fall(room, plan, group, window)
        self.duties.strike(room, struck, self.out)

    def sweep(self, room: Room) -> None:
        """Let go of what nothing can join or change any more."""
        self._sweep_groups(room)
        for key, waves in list(room.waves.items()):
            forget(waves, room.mark - self._plans[key[0]].span)
            if not waves.seen:
                del room.waves[key]
        self.duties.sweep(room)
        before = room.mark - self._limits.keep_ms
        gone = [name for name, _ in takewhile(lambda item: item[1] < before, room.events.items())]
        for name in gone or list(islice(room.events, max(0, len(room.events) - self._limits.events))):
            del room.events[name]
        room.swept = room.mark

    def _sweep_groups(self, room: Room) -> None:
        for key, group in list(room.groups.items()):
            plan = self._plans[key[0]]
            plan.prune(group, room.mark - plan.span)
            before = room.mark - max(plan.span, self._limits.keep_ms)
            if group.windows and group.windows[0].until < before:
                group.windows = [w for w in group.windows if w.until >= before]
            if not group.items and not group.windows:
                del room.groups[key]

    def _group(self, room: Room, plan: Plan, o: Observation, late: bool) -> None:
        key = plan.scope(o)
        if plan.texts:
            o, key = self._in_wave(room, plan, o, key, room.mark - plan.span if late else o.at - plan.span)
        group = room.groups.get(key)
        if group is None:
            group = self._new_group(room, key)
        elif late:
            plan.prune(group, room.mark - plan.span)
        window = covering(group, o.at) if group.windows else None
        if window is not None:
            if plan.join(window, o):
                self._joined(room, plan, window, [o])
            return
        for found, chosen in plan.add(group, o):
            self._report(room, plan, found, chosen, at=chosen[-1].at, late=late)
        if plan.closes:
            heappush(room.closing, (o.at + plan.span, key))

    def _in_wave(
        self, room: Room, plan: Plan, o: Observation, scope: GroupKey, since: int
    ) -> tuple[Observation, GroupKey]:
        """The observation under its wave's first fingerprint, and its group."""
        waves = room.waves.get(scope)
        if waves is None:
            if len(room.waves) >= self._limits.groups:
                del room.waves[next(iter(room.waves))]
            waves = room.waves[scope] = Waves()
        elif len(waves.seen) > self._limits.groups:
            forget(waves, 1 + sorted(waves.seen.values())[len(waves.seen) // 8])
        leader = wave_of(waves, o.text, o.at, since=since)
        if leader != o.text:
            o = o._replace(text=leader)
        return o, (*scope, f"{leader:016x}") if plan.wave else scope

    def _new_group(self, room: Room, key: GroupKey) -> Group:
        if len(room.groups) >= self._limits.groups:
            self._sweep_groups(room)
            over = len(room.groups) - self._limits.groups
            if over >= 0:
                oldest = list(room.groups)[: over + 1 + self._limits.groups // 8]
                for gone in oldest:
                    del room.groups[gone]
                self.out.drop(Why.FULL, len(oldest))
        group = room.groups[key] = Group()
        return group

    def _report(
        self, room: Room, plan: Plan, window: Window, chosen: Sequence[Observation], *, at: int, late: bool
    ) -> None:
        """`at`: when it is known to hold, and so when it happens for the rules that look at this one."""
        last = chosen[-1]
        if not self._applies(plan.rule, room.tenant, room.room, last.at):
            return
        events = tuple(sorted({e[1:4]: e for o in chosen for e in o.refs()}.values()))[: self._limits.named]
        subject = window_subject(room.tenant, events)
        window.id = finding_id(room.tenant, plan.id, subject)
        window.named = len(events)
        speaker = last.speaker if all(o.speaker == last.speaker for o in chosen) else ""
        if plan.id not in self._quiet:
            self.out.changes.append(Held(
                rule=plan.id, id=window.id, subject=subject, tenant=room.tenant, room=room.room,
                broadcast=last.broadcast, speaker=speaker, lane=last.lane, at=last.at, accepted_at=last.accepted_at,
                seq=last.seq, events=events, count=plan.count(chosen)))
            needed = set(chosen)
            self._joined(room, plan, window, [o for o in window.members if o not in needed])
        if plan.id in self.routes:
            self.feed(room, last._replace(at=at, source="", id=window.id, revision=0, rule=plan.id, speaker=speaker,
                                          events=events), late)

    def _joined(self, room: Room, plan: Plan, window: Window, some: Sequence[Observation]) -> None:
        if not window.id or plan.id in self._quiet:
            return
        for o in some:
            for event in o.refs():
                if window.named < self._limits.named:
                    window.named += 1
                    self.out.changes.append(Joined(window.id, event, plan.id, room.tenant, room.room))

    def _fall(self, room: Room, plan: Plan, group: Group, window: Window) -> None:
        fallen, window.id = window.id, ""
        if plan.id not in self._quiet:
            self.out.changes.append(Fallen(fallen, plan.id, room.tenant, room.room, Why.REVISED))
        found = list(plan.release(group, window, since=room.mark - plan.span))
        if plan.id in self.routes:
            self.strike(room, {("", fallen): NEVER})
        for again, chosen in found:
            self._report(room, plan, again, chosen, at=chosen[-1].at, late=True)
