"""When a window holds: what each type of correlation looks for among the observations of a group.

A window begins with the first event that it needs and takes everything of its group within the timespan, both ends
included. What a window has taken counts for no other, so windows of a group do not overlap.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Final

from monitor.domain.correlations import By, Correlation, CorrelationRule, CorrelationType, Field
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.engine.correlation_events import Observation, Why
from monitor.engine.correlation_lanes import lanes_in
from monitor.engine.correlation_state import Group, GroupKey, Limits, Window

_PLACE: Final = {name: place for place, name in enumerate(Observation._fields)}
LANES: Final = frozenset((HOST_SIDE, VIEWERS))
_at: Final[Callable[[Observation], int]] = itemgetter(0)


class Plan:
    """A rule made ready. `low` distinct values of `value` hold; this class is for those without an upper bound."""

    def __init__(self, rule: CorrelationRule, limits: Limits) -> None:
        correlation = rule.correlation
        bounds = correlation.condition
        self.rule, self.id, self.limits = rule, rule.id, limits
        self.span = correlation.timespan_ms
        self.low = bounds.low if bounds is not None else len(correlation.rules)
        self.high = bounds.high if bounds is not None else None
        self.unique = correlation.type is CorrelationType.EVENT_COUNT
        self.texts = correlation.wave or correlation.field is Field.TEXT
        self.wave = correlation.wave
        self.closes = False
        self.accounts = By.SPEAKER in correlation.group_by or correlation.field is Field.SPEAKER
        self.most = max(self.low, (self.high or 0) + 1) + limits.named
        self.lanes = lanes_in(rule.applies)
        self.picky = self.texts or self.lanes != LANES
        self.scope = _scope(rule)
        self._repeats = limits.repeats
        self.value = _value(correlation)

    def refuses(self, o: Observation) -> Why | None:
        """Why it does not count; None where it does."""
        if o.lane not in self.lanes and not o.events:
            return Why.LANE
        if self.accounts and not o.speaker and o.lane == VIEWERS:
            return Why.NOBODY
        return Why.TEXTLESS if self.texts and not o.text else None

    def order(self, o: Observation) -> tuple[int, int]:
        """Sorts observations of a group."""
        return o[0], 0

    def add(self, group: Group, o: Observation) -> list[tuple[Window, list[Observation]]]:
        """Windows that hold now, each with what it needs. No window of the group covers `o`."""
        items, counts, at = group.items, group.counts, o[0]
        last = not items or items[-1][0] < at or self.follows(items, o)
        if last and items and items[0][0] < at - self.span:
            self.prune(group, at - self.span)
        value = self.value(o)
        before = counts.get(value, 0)
        if before and self.unique:
            return []
        if last:
            items.append(o)
        else:
            insort(items, o, key=self.order)
        counts[value] = before + 1
        if before >= self._repeats:
            self._thin(group, value)
        if len(counts) < self.low:
            return []
        if not last:
            return list(self.scan(group, at))
        chosen = self.choose(items)
        return [self._claim(group, chosen)] if chosen else []

    def follows(self, items: Sequence[Observation], o: Observation) -> bool:
        """Does it come after all of these, or with the last?"""
        return not items or items[-1][0] < o[0] or self.order(items[-1]) <= self.order(o)

    def scan(self, group: Group, since: int) -> Iterator[tuple[Window, list[Observation]]]:
        """Look at all the windows that end at `since` or later, the earliest first."""
        end = bisect_left(group.items, since, key=_at)
        while end < len(group.items):
            at = group.items[end][0]
            chosen = self.choose(group.items[bisect_left(group.items, at - self.span, key=_at) : end + 1])
            if chosen:
                yield self._claim(group, chosen)
                end = bisect_left(group.items, since, key=_at)
            else:
                end += 1

    def choose(self, items: Sequence[Observation]) -> list[Observation]:
        """What a window over `items` (in order, none too far apart) needs to hold: the latest of each value; or []."""
        latest: dict[str, Observation] = {}
        for o in reversed(items):
            latest.setdefault(self.value(o), o)
        return list(latest.values())[::-1] if len(latest) >= self.low else []

    def holds(self, window: Window) -> bool:
        """Does what is left of it still hold?"""
        return len(window.counts) >= self.low and (self.high is None or len(window.counts) <= self.high)

    def join(self, window: Window, o: Observation) -> bool:
        """Remember another event of a window; False where it need not be, or is known."""
        counts = window.counts
        if len(counts) >= self.most:
            return False
        value = self.value(o)
        before = counts.get(value, 0)
        if before and (len(window.members) >= self.most or before >= self.limits.repeats):
            return False
        if before and (self.unique or any(m[2] == o[2] and m[1:5] == o[1:5] for m in window.members)):
            return False
        if self.follows(window.members, o):
            window.members.append(o)
        else:
            insort(window.members, o, key=self.order)
        counts[value] = before + 1
        return True

    def count(self, chosen: Sequence[Observation]) -> int:
        return len({self.value(o) for o in chosen})

    def recount(self, items: Sequence[Observation]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for o in items:
            value = self.value(o)
            counts[value] = counts.get(value, 0) + 1
        return counts

    def prune(self, group: Group, before: int) -> None:
        """Let go of what is too old for any window to come."""
        items, counts, value_of = group.items, group.counts, self.value
        gone = 0
        for o in items:
            if o[0] >= before:
                break
            gone += 1
            value = value_of(o)
            if counts[value] == 1:
                del counts[value]
            else:
                counts[value] -= 1
        del items[:gone]

    def release(self, group: Group, window: Window, *, since: int) -> Iterator[tuple[Window, list[Observation]]]:
        """A window fell: its events since then are free for others."""
        group.windows.remove(window)
        group.items = sorted([*group.items, *window.members], key=self.order)
        group.counts = self.recount(group.items)
        self.prune(group, since)
        yield from self.scan(group, since)

    def _claim(self, group: Group, chosen: list[Observation]) -> tuple[Window, list[Observation]]:
        start = chosen[0][0]
        until = start + self.span
        taken = [o for o in group.items if start <= o[0] <= until]
        group.items = [o for o in group.items if not start <= o[0] <= until]
        group.counts = self.recount(group.items)
        needed = set(chosen)
        members = sorted([*chosen, *[o for o in taken if o not in needed][: self.limits.named]], key=self.order)
        window = Window(start, until, members, self.recount(members))
        remember(group, window, self.limits.windows)
        return window, chosen

    def _thin(self, group: Group, value: str) -> None:
        """The oldest of its value goes: in every window to come a later one serves as well."""
        place = next(i for i, o in enumerate(group.items) if self.value(o) == value)
        del group.items[place]
        group.counts[value] -= 1


class OrderedPlan(Plan):
    """All rules, each no earlier than the one before it; what happens at the same time is in any order."""

    def __init__(self, rule: CorrelationRule, limits: Limits) -> None:
        super().__init__(rule, limits)
        self._places = {name: place for place, name in enumerate(rule.correlation.rules)}
        self._rules = rule.correlation.rules

    def order(self, o: Observation) -> tuple[int, int]:
        return o[0], self._places[o.rule]

    def choose(self, items: Sequence[Observation]) -> list[Observation]:
        """The latest of the last rule, the latest of the one before that is no later, and so on."""
        if not items or items[-1].rule != self._rules[-1]:
            return []
        chosen: list[Observation] = []
        wanted = len(self._rules) - 1
        for o in reversed(items):
            if self._places[o.rule] == wanted:
                chosen.append(o)
                wanted -= 1
                if wanted < 0:
                    return chosen[::-1]
        return []

    def holds(self, window: Window) -> bool:
        wanted = 0
        for o in window.members:
            if wanted < len(self._rules) and self._places[o.rule] == wanted:
                wanted += 1
        return wanted == len(self._rules)

    def _thin(self, group: Group, value: str) -> None:
        """As above, but among those that no next rule's event follows, where there are two such."""
        place = self._places[value] + 1
        following = self._rules[place] if place < len(self._rules) else ""
        run: list[int] = []
        oldest = 0
        for i in range(len(group.items) - 1, -1, -1):
            rule = group.items[i].rule
            if rule == value:
                oldest = i
                run.append(i)
            elif rule == following:
                if len(run) > 1:
                    break
                run = []
        del group.items[run[-1] if len(run) > 1 else oldest]
        group.counts[value] -= 1


class ClosingPlan(Plan):
    """With an upper bound: a window begins with any event and is judged once, when it is over."""

    def __init__(self, rule: CorrelationRule, limits: Limits) -> None:
        super().__init__(rule, limits)
        self.closes = True

    def add(self, group: Group, o: Observation) -> list[tuple[Window, list[Observation]]]:
        window = Window(o[0], o[0] + self.span, [o], {self.value(o): 1}, closing=True)
        remember(group, window, self.limits.windows)
        return []

    def join(self, window: Window, o: Observation) -> bool:
        return window.closing and super().join(window, o)

    def release(self, group: Group, window: Window, *, since: int) -> Iterator[tuple[Window, list[Observation]]]:
        yield from ()


def plan_of(rule: CorrelationRule, limits: Limits) -> Plan:
    correlation = rule.correlation
    if correlation.type is CorrelationType.TEMPORAL_ORDERED:
        return OrderedPlan(rule, limits)
    if correlation.condition is not None and correlation.condition.high is not None:
        return ClosingPlan(rule, limits)
    return Plan(rule, limits)


def covering(group: Group, at: int) -> Window | None:
    """The window that takes an event of this time."""
    windows = group.windows
    if not windows or at > windows[-1].until:
        return None
    return next((w for w in reversed(windows) if w.start <= at <= w.until), None)


def remember(group: Group, window: Window, most: int) -> None:
    insort(group.windows, window, key=_start)
    if len(group.windows) > most:
        del group.windows[0]


def _start(window: Window) -> int:
    return window.start


def _scope(rule: CorrelationRule) -> Callable[[Observation], GroupKey]:
    """An observation's group, but for its wave."""
    own, alone = rule.id, (rule.id,)
    by = [_PLACE[by] for by in rule.correlation.group_by if by is not By.ROOM]
    if not by:
        return lambda o: alone
    first: Callable[[Observation], str] = itemgetter(by[0])
    if len(by) == 1:
        return lambda o: (own, first(o))
    shared: Callable[[Observation], tuple[str, ...]] = itemgetter(*by)
    return lambda o: (own, *shared(o))


def _value(correlation: Correlation) -> Callable[[Observation], str]:
    """What is counted of an observation."""
    if correlation.type is CorrelationType.EVENT_COUNT:
        return lambda o: f"{len(o[1])}:{o[1]}{o[2]}"
    if correlation.field is Field.TEXT:
        return lambda o: f"{o.text:016x}"
    return itemgetter(_PLACE[correlation.field or Field.RULE])
