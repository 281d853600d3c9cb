"""Windows against a slow model; and what must not matter: order of arrival, cuts, restarts."""

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.correlations import By, CorrelationRule, CorrelationType, Field, Threshold
from monitor.domain.ids import finding_id
from monitor.engine.correlation import Correlator
from monitor.engine.correlation_events import Fallen, Held, Observation, Outcome, Signal, window_subject
from monitor.engine.correlation_state import Limits, decode, encode
from tests.unit.test_correlation import START, S, correlation, observation

SPAN, LATENESS = 10, 5
LIMITS = Limits(lateness_ms=LATENESS * S, repeats=100, keep_ms=600 * S)
ROOM_AND_SPEAKER = (By.ROOM, By.SPEAKER)
RULES: list[CorrelationRule] = [
    correlation(kind, *rules, name=f"x{n}", timespan_ms=SPAN * S, **more)
    for n, (kind, rules, more) in enumerate([
        ("event_count", "ab", {}),
        ("event_count", "a", {"group_by": ROOM_AND_SPEAKER, "condition": Threshold(gte=2)}),
        ("value_count", "ab", {"field": Field.SPEAKER, "condition": Threshold(gte=2)}),
        ("temporal", "ab", {}),
        ("temporal", "abc", {"group_by": ROOM_AND_SPEAKER}),
        ("temporal_ordered", "ab", {}),
        ("temporal_ordered", "cab", {}),
        ("event_count", "ab", {"condition": Threshold(lte=2)}),
        ("event_count", "a", {"condition": Threshold(gte=2, lte=3), "group_by": ROOM_AND_SPEAKER}),
    ])]
CHAINS: list[list[CorrelationRule]] = [
    [correlation("event_count", "a", name="m", timespan_ms=4 * S, condition=Threshold(gte=2)),
     correlation("temporal_ordered", "m", "b", name="n", timespan_ms=SPAN * S)],
    [correlation("temporal", "a", "b", name="m", timespan_ms=4 * S, group_by=ROOM_AND_SPEAKER),
     correlation("event_count", "m", "c", name="n", timespan_ms=SPAN * S, condition=Threshold(gte=2)),
     correlation("value_count", "n", "m", name="o", field=Field.RULE, timespan_ms=SPAN * S,
                 condition=Threshold(gte=2))],
    [correlation("event_count", "a", name="m", timespan_ms=4 * S, condition=Threshold(eq=1)),
     correlation("event_count", "m", "b", name="n", timespan_ms=SPAN * S, condition=Threshold(gte=2))],
]


class Found:
    """A window of the model."""

    def __init__(self, start: int, until: int, members: list[Observation]) -> None:
        self.start, self.until, self.members = start, until, members
        self.id = ""
        self.over = True


class Model:
    """One rule in one room by the definitions, slowly: every window is looked for among everything."""

    def __init__(self, rule: CorrelationRule) -> None:
        self.rule, self.c = rule, rule.correlation
        self.span = self.c.timespan_ms
        self.closes = self.c.condition is not None and self.c.condition.high is not None
        self.free: dict[str, list[Observation]] = {}
        self.windows: dict[str, list[Found]] = {}
        self.held: list[str] = []
        self.fallen: list[str] = []

    def value(self, o: Observation) -> str:
        if self.c.type is CorrelationType.EVENT_COUNT:
            return o.source + "/" + o.id
        return o.speaker if self.c.field is Field.SPEAKER else o.rule

    def order(self, o: Observation) -> tuple[int, int]:
        ordered = self.c.type is CorrelationType.TEMPORAL_ORDERED
        return o.at, self.c.rules.index(o.rule) if ordered else 0

    def best(self, items: list[Observation]) -> list[Observation]:
        """The shortest window that ends with the last of these."""
        items = [o for o in items if o.at >= items[-1].at - self.span]
        if self.c.type is CorrelationType.TEMPORAL_ORDERED:
            if items[-1].rule != self.c.rules[-1]:
                return []
            ways = [way for way in product(*([i for i, o in enumerate(items) if o.rule == r] for r in self.c.rules))
                    if all(items[x].at <= items[y].at for x, y in pairwise(way))]
            return [items[i] for i in max(ways, key=lambda way: way[::-1])] if ways else []
        latest = {self.value(o): o for o in items}
        low = self.c.condition.low if self.c.condition else len(self.c.rules)
        return sorted(latest.values(), key=items.index) if len(latest) >= low else []

    def holds(self, members: list[Observation]) -> bool:
        if self.c.type is CorrelationType.TEMPORAL_ORDERED:
            return any(self.best(members[:n]) for n in range(1, len(members) + 1))
        values = {self.value(o) for o in members}
        if self.c.condition is None:
            return len(values) == len(self.c.rules)
        return self.c.condition.low <= len(values) <= (self.c.condition.high or 10**9)

    def feed(self, o: Observation, mark: int, late: bool) -> None:
        if o.rule not in self.c.rules or (late and o.at < mark - self.span):
            return
        group = o.speaker if By.SPEAKER in self.c.group_by else ""
        free = self.free.setdefault(group, [])
        windows = self.windows.setdefault(group, [])
        if late:
            free[:] = [f for f in free if f.at >= mark - self.span]
        for window in sorted(windows, key=lambda w: w.start, reverse=True):
            if window.start <= o.at <= window.until:
                events = self.c.type is CorrelationType.EVENT_COUNT
                if self.closes and window.over:
                    return
                if not events or self.value(o) not in map(self.value, window.members):
                    window.members.append(o)
                    window.members.sort(key=self.order)
                return
        if self.closes:
            windows.append(Found(o.at, o.at + self.span, [o]))
            windows[-1].over = False
            return
        recent = [f for f in free if f.at >= o.at - self.span or f.at > o.at]
        if self.c.type is CorrelationType.EVENT_COUNT and self.value(o) in map(self.value, recent):
            return
        free.append(o)
        free.sort(key=self.order)
        self.look(group, o.at)

    def look(self, group: str, since: int) -> None:
        free, windows = self.free[group], self.windows[group]
        again = True
        while again:
            again = False
            for place, end in enumerate(free):
                chosen = self.best(free[: place + 1]) if end.at >= since else []
                if chosen:
                    start = chosen[0].at
                    taken = [o for o in free if start <= o.at <= start + self.span]
                    free[:] = [o for o in free if o not in taken]
                    windows.append(Found(start, start + self.span, taken))
                    self.report(windows[-1], chosen)
                    again = True
                    break

    def report(self, window: Found, chosen: list[Observation]) -> None:
        refs = sorted({r[1:4]: r for o in chosen for r in o.refs()}.values())
        window.id = finding_id("t", self.rule.id, window_subject("t", refs))
        self.held.append(window.id)

    def close(self, before: int) -> None:
        for _, window in sorted(((g, w) for g, some in self.windows.items() for w in some),
                                key=lambda item: (item[1].until, item[0])):
            if not window.over and window.until < before:
                window.over = True
                if self.holds(window.members):
                    values = {self.value(o): o for o in window.members}
                    self.report(window, sorted(values.values(), key=window.members.index))

    def withdraw(self, event: str, below: int, mark: int) -> None:
        def stands(o: Observation) -> bool:
            return o.id != event or o.revision >= below

        for group, windows in self.windows.items():
            self.free[group] = [o for o in self.free[group] if stands(o)]
            for window in list(windows):
                left = [o for o in window.members if stands(o)]
                lost = len(left) < len(window.members)
                window.members = left
                if lost and window.id and not self.holds(left):
                    self.fallen.append(window.id)
                    window.id = ""
                    if not self.closes:
                        windows.remove(window)
                        self.free[group] = sorted(
                            (o for o in (*self.free[group], *left) if o.at >= mark - self.span), key=self.order)
                        self.look(group, mark - self.span)


class Stream:
    """Puts what is fed in order for a model, as slowly."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.now = self.latest = self.accepted = 0
        self.mark = -1
        self.pending: list[Observation] = []

    def clock(self, at: int, accepted: int) -> None:
        self.now = max(self.now, accepted)
        if self.mark < 0:
            self.latest, self.accepted, self.mark = at, accepted, at - LATENESS * S
        self.mark = max(self.mark, self.latest + self.now - self.accepted - LATENESS * S)
        ready = sorted(o for o in self.pending if o.at < self.mark)
        self.pending = [o for o in self.pending if o.at >= self.mark]
        for o in ready:
            self.model.close(o.at)
            self.model.feed(o, self.mark, late=False)
        self.model.close(self.mark)

    def run(self, ops: Sequence[tuple[Any, ...]]) -> None:
        for op in ops:
            if isinstance(op, Observation):
                if op.rule not in self.model.c.rules:
                    if self.mark >= 0:
                        self.clock(op.at, op.accepted_at)
                    self.now = max(self.now, op.accepted_at)
                    continue
                self.clock(op.at, op.accepted_at)
                if op.at < self.mark:
                    self.model.feed(op, self.mark, late=True)
                else:
                    self.pending.append(op)
                if op.at > self.latest:
                    self.latest, self.accepted = op.at, op.accepted_at
            elif self.mark >= 0:
                self.clock(0, op[-1])
                if len(op) > 1:
                    self.pending = [o for o in self.pending if o.id != op[0] or o.revision >= op[1]]
                    self.model.withdraw(op[0], op[1], self.mark)
            self.now = max(self.now, op[-1] if not isinstance(op, Observation) else op.accepted_at)


def feed(correlator: Correlator, op: tuple[Any, ...]) -> int:
    """Feed one operation; its `accepted_at`."""
    if isinstance(op, Observation):
        correlator.observe(op)
        return op.accepted_at
    if isinstance(op, Signal):
        correlator.signal(op)
        return op.accepted_at
    if len(op) > 1:
        correlator.withdraw("t", "r", {("s", op[0]): op[1]}, accepted_at=op[2])
    return int(op[-1])


def run(rules: Sequence[CorrelationRule], ops: Sequence[tuple[Any, ...]], *, advance: Sequence[bool] = (),
        restart: Sequence[bool] = (), limits: Limits = LIMITS) -> Outcome:
    """All that comes out; `advance[n]`: time is told to pass after the n-th, `restart[n]`: and the state is saved."""
    correlator = Correlator(rules, limits=limits)
    out = Outcome()

    def keep(some: Outcome) -> None:
        out.changes += some.changes
        for why, amount in some.dropped.items():
            out.drop(why, amount)

    for n, op in enumerate(ops):
        accepted = feed(correlator, op)
        if not advance or advance[n % len(advance)]:
            keep(correlator.advance(accepted))
            if restart and restart[n % len(restart)]:
                correlator = Correlator(rules, limits=limits, state=decode(encode(correlator.snapshot())))
    keep(correlator.advance(ops[-1][-1] if len(ops[-1]) == 1 else accepted))
    return out


@st.composite
def streams(draw: st.DrawFn, *, withdrawals: bool = True, most_late: int = 14) -> list[tuple[Any, ...]]:
    """Observations that arrive up to `most_late` s late, withdrawals, ticks; and time to settle."""
    now, ops, n = 0, list[tuple[Any, ...]](), 0
    kinds = st.sampled_from(["say"] * 8 + ["tick"] + ["withdraw"] * 2 * withdrawals)
    for kind in draw(st.lists(kinds, min_size=1, max_size=30)):
        now += draw(st.sampled_from([0, 0, 1, 1, 2, 3, 7]))
        accepted = START + now * S
        if kind == "say":
            late = draw(st.sampled_from([0] * 6 + [1, 2, 4, LATENESS, *range(LATENESS + 1, most_late)]))
            again = draw(st.integers(0, 9)) == 0 and n
            name = draw(st.integers(0, n - 1)) if again else n
            n += not again
            ops.append(observation(
                now - late, draw(st.sampled_from("aaabbc")), id=f"e{name:02}", speaker=draw(st.sampled_from("uv")),
                revision=draw(st.sampled_from([1, 1, 2])), accepted_at=accepted))
        elif kind == "withdraw":
            ops.append((f"e{draw(st.integers(0, max(0, n - 1))):02}", draw(st.sampled_from([2, 3])), accepted))
        else:
            ops.append((accepted,))
    return [*ops, (START + (now + 100) * S,)]


MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(st.sampled_from(RULES), streams())
def test_windows_are_those_of_the_definitions(rule: CorrelationRule, ops: list[tuple[Any, ...]]) -> None:
    """Event ids stay with their time in the model's streams only where they are told again: so they are made so."""
    ops = consistent(ops)
    model = Model(rule)
    Stream(model).run(ops)
    out = run([rule], ops)
    assert [h.id for h in out.held] == model.held
    assert [f.id for f in out.fallen] == model.fallen


def consistent(ops: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """An event that comes again comes with its own time, speaker and revision, perhaps found by another rule."""
    first: dict[str, Observation] = {}
    made: list[tuple[Any, ...]] = []
    for op in ops:
        if isinstance(op, Observation):
            known = first.setdefault(op.id, op)
            op = known._replace(rule=op.rule, accepted_at=op.accepted_at)
        made.append(op)
    return made


@MANY
@given(st.one_of(st.sampled_from(RULES).map(lambda r: [r]), st.sampled_from(CHAINS), st.just(RULES)),
       streams(), st.lists(st.booleans(), min_size=3, max_size=8))
def test_it_does_not_matter_how_the_stream_is_cut(
    rules: list[CorrelationRule], ops: list[tuple[Any, ...]], advance: list[bool]
) -> None:
    assert run(rules, ops).changes == run(rules, ops, advance=[*advance, False]).changes


@MANY
@given(st.one_of(st.sampled_from(CHAINS), st.just(RULES)), streams(), st.lists(st.booleans(), min_size=1, max_size=5))
def test_a_restart_at_any_point_changes_nothing(
    rules: list[CorrelationRule], ops: list[tuple[Any, ...]], restart: list[bool]
) -> None:
    assert run(rules, ops) == run(rules, ops, restart=[True, *restart])


@MANY
@given(st.one_of(st.sampled_from(RULES).map(lambda r: [r]), st.sampled_from(CHAINS)), st.data())
def test_within_the_lateness_the_order_of_arrival_does_not_matter(
    rules: list[CorrelationRule], data: st.DataObject
) -> None:
    said = data.draw(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.sampled_from("uv")),
                              min_size=1, max_size=20))
    events = [observation(at, rule, id=f"e{n:02}", speaker=speaker) for n, (at, rule, speaker) in enumerate(said)]
    results = []
    for _ in range(2):
        delays = data.draw(st.lists(st.integers(0, LATENESS * S), min_size=len(events), max_size=len(events)))
        arriving = sorted((o.at + delay, n) for n, (o, delay) in enumerate(zip(events, delays, strict=True)))
        ops: list[tuple[Any, ...]] = [events[n]._replace(accepted_at=at) for at, n in arriving]
        out = run(rules, [*ops, (START + 200 * S,)])
        results.append(([(h.rule, h.id, h.at) for h in out.held], [(j.id, j.event) for j in out.joined]))
    assert results[0] == results[1]


@MANY
@given(st.sampled_from(CHAINS), streams())
def test_nothing_stands_on_what_fell(rules: list[CorrelationRule], ops: list[tuple[Any, ...]]) -> None:
    """A withdrawn event is in no window any more, and a chain falls with the window that it rests on."""
    ops = consistent(ops)
    correlator = Correlator(rules, limits=LIMITS)
    gone: set[str] = set()
    standing: dict[str, str] = {}
    for op in ops:
        accepted = feed(correlator, op)
        if isinstance(op, Observation):
            gone.discard(op.id)
        elif len(op) > 1 and op[1] == 3:
            gone.add(op[0])
        out = correlator.advance(accepted)
        for change in out.changes:
            if isinstance(change, Held):
                standing[change.id] = change.rule
            elif isinstance(change, Fallen):
                assert standing.pop(change.id, None) == change.rule
        for _, group in _groups(correlator):
            assert not gone & {o.id for o in (*group.items, *(o for window in group.windows for o in window.members))}
    below = {w.id for key, group in _groups(correlator) if key[0] == "m" for w in group.windows if w.id}
    for key, group in _groups(correlator):
        for window in group.windows if key[0] != "m" else ():
            assert {o.id for o in window.members if o.rule == "m"} <= below


def _groups(correlator: Correlator) -> list[tuple[tuple[str, ...], Any]]:
    return [item for room in correlator.snapshot().rooms.values() for item in room.groups.items()]
