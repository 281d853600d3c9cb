"""Windows of findings: each type with its edges, lateness, withdrawals, chains, bounds. Also the kit for the others."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from monitor.domain.correlations import (
    After,
    By,
    Correlation,
    CorrelationRule,
    CorrelationType,
    Field,
    Threshold,
    faults,
)
from monitor.domain.errors import NewerFormat
from monitor.domain.events import HOST_SIDE, VIEWERS, Kind
from monitor.domain.findings import Severity, Tier
from monitor.domain.ids import digest, event_key, finding_id
from monitor.domain.rules import Applies, Status
from monitor.engine.correlation import Correlator
from monitor.engine.correlation_events import Fallen, Held, Observation, Outcome, Signal, Why
from monitor.engine.correlation_state import Limits, State, decode, encode

S = 1_000
START = 1_000_000
BASE = frozenset(("a", "b", "c", "d"))


def correlation(
    kind: str, *rules: str, name: str = "x", applies: Applies | None = None, **more: Any
) -> CorrelationRule:
    """A rule without faults; counts and timespans have defaults."""
    kind = CorrelationType(kind)
    if kind is not CorrelationType.ABSENCE:
        more = {"timespan_ms": 60 * S} | more
    if kind in (CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT):
        more = {"condition": Threshold(gte=3)} | more
    return CorrelationRule(
        id=name, title=name, tier=Tier.REDLINE, category=("spam_fakedata",), severity=Severity.HIGH,
        status=Status.ACTIVE, clauses=(), applies=applies or Applies(), pack="t", version="1", path="t/x.yml",
        correlation=Correlation(type=kind, rules=rules, **more))


class Line:
    """One correlator, fed with times in seconds; each event arrives at its own time unless it is said when."""

    def __init__(self, *rules: CorrelationRule, **more: Any) -> None:
        assert not faults(rules, BASE)
        self.rules, self.more = rules, more
        self.correlator = Correlator(rules, **more)
        self.out = Outcome()
        self.n = 0

    def say(self, at: float, rule: str = "a", **more: Any) -> Outcome:
        arrived = more.pop("arrived", None)
        accepted = START + round((at if arrived is None else arrived) * S)
        self.correlator.observe(observation(at, rule, id=more.pop("id", f"e{self.n}"), accepted_at=accepted, **more))
        self.n += 1
        return self.tick(accepted_at=accepted)

    def signal(self, at: float, name: str, *, broadcast: str = "b1", arrived: float | None = None) -> Outcome:
        accepted = START + round((at if arrived is None else arrived) * S)
        self.correlator.signal(Signal(name, "t", "r", broadcast, START + round(at * S), accepted))
        return self.tick(accepted_at=accepted)

    def withdraw(self, event: str, *, at: float, below: int = 10) -> Outcome:
        accepted = START + round(at * S)
        self.correlator.withdraw("t", "r", {("s", event): below}, accepted_at=accepted)
        return self.tick(accepted_at=accepted)

    def tick(self, at: float = 0, *, accepted_at: int = 0) -> Outcome:
        return self._keep(self.correlator.advance(accepted_at or START + round(at * S)))

    def finish(self) -> Outcome:
        return self._keep(self.correlator.finish())

    def restart(self) -> None:
        self.correlator = Correlator(self.rules, state=decode(encode(self.correlator.snapshot())), **self.more)

    def _keep(self, out: Outcome) -> Outcome:
        self.out.changes += out.changes
        for why, amount in out.dropped.items():
            self.out.drop(why, amount)
        return out

    @property
    def held(self) -> list[list[str]]:
        """Ids of the events of each window that was reported."""
        return [names(held) for held in self.out.held]

    @property
    def due(self) -> list[float]:
        return [(due.due_at - START) / S for due in self.out.due]


def observation(at: float, rule: str = "a", **more: Any) -> Observation:
    facts: dict[str, Any] = {
        "source": "s", "id": "e", "revision": 1, "tenant": "t", "room": "r", "broadcast": "b1", "speaker": "",
        "lane": HOST_SIDE, "text": 0, "accepted_at": START, "seq": 1} | more
    return Observation(at=START + round(at * S), rule=rule, **facts)


def names(held: Held) -> list[str]:
    return [event.id for event in held.events]


def said(rule: CorrelationRule, *events: tuple[float, str] | tuple[float, str, dict[str, Any]], **more: Any) -> Line:
    """Everything in order, and then a long time."""
    line = Line(rule, **more)
    for at, name, *facts in events:
        line.say(at, name, **(facts[0] if facts else {}))
    line.tick(at=10_000)
    return line


def times(rule: str, *at: float) -> list[tuple[float, str]]:
    return [(moment, rule) for moment in at]


# --- counts


def test_so_many_events_within_the_timespan_both_ends_included() -> None:
    assert said(correlation("event_count", "a"), *times("a", 0, 30, 60)).held == [["e0", "e1", "e2"]]
    assert said(correlation("event_count", "a"), *times("a", 0, 30, 60.001)).held == []
    assert said(correlation("event_count", "a"), *times("a", 0, 30, 60.001, 61)).held == [["e1", "e2", "e3"]]


def test_a_window_takes_what_follows_within_its_timespan_and_is_reported_once() -> None:
    line = said(correlation("event_count", "a"), *times("a", 0, 1, 2, 3, 30, 60), *times("a", 61, 62, 63))
    assert line.held == [["e0", "e1", "e2"], ["e6", "e7", "e8"]]
    assert [(j.id, j.event.id) for j in line.out.joined] == [(line.out.held[0].id, e) for e in ("e3", "e4", "e5")]


def test_an_event_counts_once_whatever_found_it_and_however_often_it_comes() -> None:
    rule = correlation("event_count", "a", "b")
    twice = [(0, "a", {"id": "p"}), (0, "b", {"id": "p"}), (0, "a", {"id": "p"}), (1, "a", {"id": "q"})]
    assert said(rule, *twice).held == []
    assert said(rule, *twice, (2, "b", {"id": "p", "source": "other"})).held == [["p", "q", "p"]]


@pytest.mark.parametrize("bound", [{"gte": 3}, {"gt": 2}])
def test_a_lower_bound_holds_as_soon_as_it_is_reached(bound: dict[str, int]) -> None:
    line = Line(correlation("event_count", "a", condition=Threshold(**bound)))
    for second in range(3):
        line.say(second)
    assert line.held == []
    line.tick(at=7)
    assert line.held == []  # the third may still be overtaken
    line.tick(at=7.001)
    assert line.held == [["e0", "e1", "e2"]]


@pytest.mark.parametrize("bound, counts", [
    ({"eq": 2}, {2}), ({"lte": 2}, {1, 2}), ({"lt": 3}, {1, 2}), ({"gte": 2, "lt": 4}, {2, 3}),
    ({"gt": 1, "lte": 2}, {2}),
])
def test_an_upper_bound_is_judged_when_the_window_is_over(bound: dict[str, int], counts: set[int]) -> None:
    rule = correlation("event_count", "a", condition=Threshold(**bound))
    for count in range(1, 6):
        line = Line(rule)
        for place in range(count):
            line.say(place * 60 / max(1, count - 1))
        line.tick(at=65)
        assert line.held == []
        line.tick(at=65.001)
        assert [len(events) for events in line.held] == ([count] if count in counts else [])
        line.tick(at=10_000)
        assert len(line.held) <= 1


def test_what_comes_after_the_judgement_changes_nothing() -> None:
    line = Line(correlation("event_count", "a", condition=Threshold(gte=2, lte=2)))
    line.say(0)
    line.say(1)
    line.tick(at=70)
    assert line.held == [["e0", "e1"]]
    assert line.say(2, arrived=71).changes == []
    assert line.withdraw("e2", at=72).changes == []
    assert len(line.withdraw("e1", at=73).fallen) == 1
    assert line.say(3, arrived=74).changes == []


def test_distinct_values_not_events() -> None:
    rule = correlation("value_count", "a", field=Field.SPEAKER)
    one = {"lane": VIEWERS}
    line = said(rule, *[(n, "a", {"speaker": s, **one}) for n, s in enumerate("uuuvuvvw")])
    assert line.held == [["e4", "e6", "e7"]]  # of each the latest, so that the window is as short as can be
    assert line.out.held[0].count == 3


def test_nobody_is_not_one_account_but_the_host_side_needs_no_names() -> None:
    for more in ({"group_by": (By.ROOM, By.SPEAKER)}, {}):
        viewers = said(correlation("event_count", "a", **more), *[(n, "a", {"lane": VIEWERS}) for n in range(3)])
        assert len(viewers.held) == (0 if more else 1)
        assert viewers.out.dropped == ({Why.NOBODY: 3} if more else {})
        assert len(said(correlation("event_count", "a", **more), *times("a", 0, 1, 2)).held) == 1


@pytest.mark.parametrize("by", [By.SPEAKER, By.BROADCAST, By.SOURCE, By.RULE])
def test_what_is_grouped_by_must_be_the_same(by: By) -> None:
    def with_values(*values: str) -> Line:
        rule = correlation("event_count", "a", "b", group_by=(By.ROOM, by))
        return said(rule, *[(n, v, {}) if by is By.RULE else (n, "a", {by.value: v}) for n, v in enumerate(values)])

    assert with_values("a", "b", "a", "b").held == []
    assert with_values("a", "b", "a", "b", "a").held == [["e0", "e2", "e4"]]


def test_rooms_and_tenants_never_meet() -> None:
    line = Line(correlation("event_count", "a"))
    for n, (tenant, room) in enumerate([("t", "r"), ("t", "q"), ("u", "r"), ("t", "r"), ("t", "q"), ("u", "r")]):
        line.say(n, tenant=tenant, room=room)
    line.tick(at=100)
    assert line.held == []


# --- temporal


def test_all_rules_in_any_order_named_by_the_nearest() -> None:
    rule = correlation("temporal", "a", "b", "c")
    assert said(rule, (0, "c"), (1, "a"), (2, "c"), (3, "b")).held == [["e1", "e2", "e3"]]
    assert said(rule, (0, "c"), (30, "a"), (60, "b")).held == [["e0", "e1", "e2"]]
    assert said(rule, (0, "c"), (30, "a"), (60.001, "b")).held == []


def test_one_event_may_be_found_by_several_rules() -> None:
    for kind in ("temporal", "temporal_ordered"):
        both = [(0, "b", {"id": "p"}), (0, "a", {"id": "p"})]
        assert said(correlation(kind, "a", "b"), *both).held == [["p"]]


def test_order_counts_where_it_is_asked_for() -> None:
    rule = correlation("temporal_ordered", "a", "b")
    assert said(rule, (0, "b"), (1, "a")).held == []
    assert said(rule, (0, "b"), (1, "a"), (2, "b")).held == [["e1", "e2"]]
    assert said(rule, (0, "a"), (0, "b")).held == [["e0", "e1"]]
    assert said(rule, (0, "a"), (60, "b")).held == [["e0", "e1"]]
    assert said(rule, (0, "a"), (60.001, "b")).held == []
    three = correlation("temporal_ordered", "a", "b", "c")
    assert said(three, (0, "a"), (1, "c"), (2, "b"), (3, "a"), (4, "c")).held == [["e0", "e2", "e4"]]
    assert said(three, (0, "b"), (1, "a"), (2, "c")).held == []


def test_a_flood_does_not_hide_the_one_before_it() -> None:
    rule = correlation("temporal_ordered", "a", "b", "c")
    line = said(rule, (0, "a"), (1, "b"), *times("a", *[2 + n / 10 for n in range(300)]), (50, "c"))
    assert line.held == [["e0", "e1", "e302"]]
    unordered = said(correlation("temporal", "a", "b"), (0, "c"), *times("a", *[n / 10 for n in range(300)]), (50, "b"))
    assert unordered.held == [["e300", "e301"]]


# --- order of arrival, lateness


def test_within_the_lateness_arrival_is_put_in_order() -> None:
    line = Line(correlation("temporal_ordered", "a", "b"))
    line.say(3, "b")
    line.say(0, "a", arrived=5)
    line.tick(at=100)
    assert line.held == [["e1", "e0"]]


@pytest.mark.parametrize("name, arrived, first", [
    ("c", 15.0, ["c", "e0"]), ("z", 15.0, ["e0", "e1"]), ("c", 15.001, ["e0", "e1"])])
def test_the_edge_of_the_lateness(name: str, arrived: float, first: list[str]) -> None:
    """Up to it the event takes its place; beyond, those before it were looked at, and it joins them."""
    line = Line(correlation("event_count", "a", condition=Threshold(gte=2)))
    line.say(10)
    line.say(10)
    line.say(10, id=name, arrived=arrived)
    line.tick(at=200)
    assert line.held == [first]


@pytest.mark.parametrize("at, counts", [(45.0, True), (44.999, False)])
@pytest.mark.parametrize("sweep_ms", [1, 10**9])
def test_what_is_later_still_counts_as_long_as_it_is_remembered(at: float, counts: bool, sweep_ms: int) -> None:
    line = Line(correlation("temporal_ordered", "a", "b"), limits=Limits(sweep_ms=sweep_ms))
    line.say(50, "b")
    line.tick(at=110)
    out = line.say(at, "a", arrived=110)
    assert [names(h) for h in out.held] == ([["e1", "e0"]] if counts else [])  # at once
    assert out.dropped == ({} if counts else {Why.LATE: 1})


@pytest.mark.parametrize("sweep_ms", [1, 10**9])
def test_what_is_later_finds_what_is_remembered_whenever_the_rest_is_swept_away(sweep_ms: int) -> None:
    for at, held in ((5.0, True), (4.999, False)):
        line = Line(correlation("event_count", "a", condition=Threshold(gte=2)), limits=Limits(sweep_ms=sweep_ms))
        line.say(at)
        line.tick(at=70)
        assert bool(line.say(30, arrived=70).held) is held


def test_a_clock_never_goes_back() -> None:
    line = Line(correlation("event_count", "a", condition=Threshold(gte=2), timespan_ms=200 * S))
    line.say(0)
    line.tick(at=100)
    assert len(line.say(1, arrived=100).held) == 1  # the latest event now, but long ago by the time that has passed
    assert len(line.say(2, arrived=100).joined) == 1


def test_the_clock_is_the_latest_event_and_the_time_since() -> None:
    """A recording of long ago has the clock of its own events."""
    line = Line(correlation("event_count", "a"))
    for second in range(3):
        line.say(second, arrived=5_000)
    line.tick(at=5_003)
    assert line.held == []
    line.tick(at=5_005.001)
    assert line.held == [["e0", "e1", "e2"]]


def test_events_without_findings_move_the_clock() -> None:
    line = Line(correlation("event_count", "a"))
    for second in range(3):
        line.say(second, arrived=0)
    line.correlator.seen("t", "r", START + 8 * S, START)
    line.tick(at=0)
    assert line.held == [["e0", "e1", "e2"]]


# --- withdrawals


def test_a_withdrawn_event_counts_no_more() -> None:
    line = Line(correlation("event_count", "a"))
    line.say(0)
    line.say(1)
    line.withdraw("e0", at=2)  # still waiting
    line.tick(at=20)
    line.withdraw("e1", at=20)  # counted already
    line.say(21)
    line.say(22)
    line.tick(at=100)
    assert line.held == []


def test_what_was_in_order_before_a_withdrawal_is_looked_at_before_it() -> None:
    correlator = Correlator([correlation("event_count", "a")])
    for second in range(3):
        correlator.observe(observation(second, id=f"e{second}", accepted_at=START + second * S))
    correlator.withdraw("t", "r", {("s", "e1"): 2}, accepted_at=START + 20 * S)
    held, fallen = correlator.advance(START + 20 * S).changes
    assert isinstance(held, Held) and isinstance(fallen, Fallen)
    assert held.id == fallen.id


def test_a_window_falls_with_its_event_and_stands_as_long_as_enough_is_left() -> None:
    for more, falls in (((), True), ((3.0,), False)):
        line = Line(correlation("event_count", "a"))
        for second in (0.0, 1.0, 2.0, *more):
            line.say(second)
        line.tick(at=20)
        (held,) = line.out.held
        out = line.withdraw("e1", at=30)
        assert out.fallen == ([Fallen(held.id, "x", "t", "r", Why.REVISED)] if falls else [])
        assert line.withdraw("e1", at=31).fallen == []


def test_what_a_fallen_window_had_taken_is_free_for_others() -> None:
    line = Line(correlation("event_count", "a"))
    for second in (0, 10, 20):
        line.say(second)
    line.say(61)
    line.tick(at=70)
    out = line.withdraw("e0", at=71)
    assert len(out.fallen) == 1
    assert [names(h) for h in out.held] == [["e1", "e2", "e3"]]


def test_a_revision_that_still_matches_makes_its_window_in_the_same_step() -> None:
    line = Line(correlation("event_count", "a"))
    for second in range(3):
        line.say(second)
    line.tick(at=20)
    accepted = START + 20 * S
    line.correlator.withdraw("t", "r", {("s", "e1"): 2}, accepted_at=accepted)
    line.correlator.observe(observation(1, id="e1", revision=2, accepted_at=accepted))
    out = line.tick(accepted_at=accepted)
    assert len(out.fallen) == len(out.held) == 1
    assert [event.revision for event in out.held[0].events] == [1, 2, 1]
    assert line.withdraw("e1", at=21, below=2).fallen == []  # the new one stays


def test_an_ordered_window_falls_unless_another_order_is_left() -> None:
    for kept, falls in (("b", True), ("a", False)):
        line = Line(correlation("temporal_ordered", "a", "b"))
        for second, rule in enumerate(("a", "b", kept, "b")):
            line.say(second, rule)
        line.tick(at=20)
        assert line.held == [["e0", "e1"]]
        assert bool(line.withdraw("e0", at=21).fallen) is falls


def test_withdrawals_of_one_entry_are_looked_at_together() -> None:
    line = Line(correlation("event_count", "a", condition=Threshold(gte=2)))
    for second in range(4):
        line.say(second, id=f"e{second}")
    line.tick(at=20)
    (held,) = line.out.held
    accepted = START + 21 * S
    line.correlator.withdraw("t", "r", {("s", "e0"): 9, ("s", "e1"): 9, ("s", "e2"): 9, ("x", "e3"): 9},
                             accepted_at=accepted)
    assert [change.id for change in line.tick(accepted_at=accepted).fallen] == [held.id]
    assert len(line.out.held) == 1


def test_withdrawals_reach_back_as_far_as_is_kept() -> None:
    for at, falls in ((605.0, True), (605.001, False)):
        line = Line(correlation("event_count", "a"))
        for _ in range(3):
            line.say(0)
        line.tick(at=100)
        assert bool(line.withdraw("e0", at=at).fallen) is falls


# --- correlations of correlations


def chain() -> tuple[CorrelationRule, CorrelationRule]:
    many = correlation("event_count", "a", name="many", group_by=(By.ROOM, By.SPEAKER))
    then = correlation("temporal_ordered", "many", "b", name="then", group_by=(By.ROOM, By.SPEAKER))
    return then, many


def test_a_window_stands_in_for_its_events() -> None:
    line = Line(*chain())
    for second in range(3):
        line.say(second, "a", speaker="u")
    line.say(3, "b", speaker="v")
    line.say(4, "b", speaker="u")
    line.tick(at=100)
    assert [(h.rule, names(h)) for h in line.out.held] == [
        ("many", ["e0", "e1", "e2"]), ("then", ["e0", "e1", "e2", "e4"])]


def test_what_rests_on_a_fallen_window_falls_too() -> None:
    line = Line(*chain())
    for second in range(3):
        line.say(second, "a", speaker="u")
    line.say(4, "b", speaker="u")
    line.tick(at=100)
    assert [f.rule for f in line.withdraw("e1", at=101).fallen] == ["many", "then"]


def test_a_quiet_correlation_serves_others_only() -> None:
    line = Line(*chain(), quiet=["many"])
    for second in range(3):
        line.say(second, "a", speaker="u")
    line.say(4, "b", speaker="u")
    line.say(5, "a", speaker="u")
    line.tick(at=100)
    assert {h.rule for h in line.out.held} == {"then"}
    assert {j.id for j in line.out.joined} <= {line.out.held[0].id}
    line.withdraw("e0", at=101)
    assert [f.rule for f in line.withdraw("e1", at=101).fallen] == ["then"]


def test_a_count_with_an_upper_bound_is_known_at_its_windows_end() -> None:
    few = correlation("event_count", "a", name="few", condition=Threshold(lte=1))
    line = said_all([few, correlation("temporal_ordered", "few", "b", name="then")], (0, "a"), (61, "b"))
    assert [h.rule for h in line.out.held] == ["few", "then"]
    line = said_all([few, correlation("temporal_ordered", "few", "b", name="then")], (0, "a"), (59, "b"))
    assert [h.rule for h in line.out.held] == ["few"]


def test_the_end_of_a_window_takes_its_place_in_time() -> None:
    few = correlation("event_count", "a", name="few", condition=Threshold(lte=1))
    both = correlation("event_count", "few", "b", name="both", condition=Threshold(gte=2))
    line = Line(few, both)
    line.say(0, "a")
    line.correlator.observe(observation(61, "b", id="b1", accepted_at=START + 61 * S))
    line.correlator.observe(observation(62, "b", id="b2", accepted_at=START + 62 * S))
    line.tick(at=100)
    assert line.held == [["e0"], ["e0", "b1"]]


def said_all(rules: Sequence[CorrelationRule], *events: tuple[float, str]) -> Line:
    line = Line(*rules)
    for at, rule in events:
        line.say(at, rule)
    line.tick(at=10_000)
    return line


# --- what is told of a window


def test_ids_and_facts_of_a_window() -> None:
    line = said(correlation("event_count", "a", name="p.x"), *[
        (n, "a", {"speaker": "u", "lane": VIEWERS, "seq": 7 + n, "broadcast": f"b{n}"}) for n in range(3)])
    (held,) = line.out.held
    assert held.subject == digest("window", *(event_key("t", "s", f"e{n}", 1) for n in range(3)))
    assert held.id == finding_id("t", "p.x", held.subject)
    assert (held.tenant, held.room, held.broadcast, held.speaker, held.lane) == ("t", "r", "b2", "u", VIEWERS)
    assert (held.at, held.accepted_at, held.seq, held.count) == (START + 2 * S, START + 2 * S, 9, 3)
    assert [event.rule for event in held.events] == ["a", "a", "a"]
    mixed = said(correlation("event_count", "a"), (0, "a", {"speaker": "u"}), *times("a", 1, 2))
    assert mixed.out.held[0].speaker == ""


def test_a_finding_names_at_most_so_many_events() -> None:
    rule = correlation("event_count", "a", condition=Threshold(gte=70))
    line = said(rule, *times("a", *[n / 10 for n in range(100)]))
    assert line.held == [[f"e{n}" for n in range(50)]]
    assert line.out.held[0].count == 70
    assert line.out.joined == []


def test_where_a_rule_does_not_hold_nothing_is_told_and_nothing_follows() -> None:
    asked: list[tuple[str, str, str, int]] = []

    def applies(rule: CorrelationRule, tenant: str, room: str, at: int) -> bool:
        asked.append((rule.id, tenant, room, at))
        return rule.id != "many"

    line = Line(*chain(), applies=applies)
    for second in range(4):
        line.say(second, "a", speaker="u")
    line.say(4, "b", speaker="u")
    line.tick(at=100)
    assert not line.out.held and not line.out.joined
    assert asked == [("many", "t", "r", START + 2 * S)]


def test_a_correlation_looks_at_its_own_lanes() -> None:
    rule = correlation("event_count", "a", applies=Applies(kinds=frozenset((Kind.TRANSCRIPT,))))
    line = said(rule, *[(n, "a", {"lane": n % 2}) for n in range(5)])
    assert line.held == [["e0", "e2", "e4"]]
    assert line.out.dropped == {Why.LANE: 2}


def test_a_correlation_of_one_lane_may_look_at_one_of_both() -> None:
    spoken = Applies(kinds=frozenset((Kind.TRANSCRIPT,)))
    mixed = correlation("temporal", "a", "b", name="mixed")
    line = Line(mixed, correlation("temporal", "mixed", "c", name="x", applies=spoken))
    for second, (rule, lane) in enumerate([("a", HOST_SIDE), ("b", VIEWERS), ("c", VIEWERS), ("c", HOST_SIDE)]):
        line.say(second, rule, lane=lane)
    line.tick(at=100)
    assert line.held == [["e0", "e1"], ["e0", "e1", "e3"]]


def test_findings_of_other_rules_are_no_ones_business() -> None:
    line = said(correlation("event_count", "a"), *times("d", 0, 1, 2))
    assert not line.correlator.snapshot().rooms
    assert line.correlator.looks_at == {"a"}


def test_the_end_of_a_stream_lets_nothing_wait() -> None:
    line = Line(correlation("event_count", "a", name="x"), correlation("event_count", "a", name="y",
                                                                        condition=Threshold(lte=3)))
    for second in range(3):
        line.say(second)
    assert line.held == []
    out = line.finish()
    assert sorted((h.rule, len(h.events)) for h in out.held) == [("x", 3), ("y", 3)]


# --- bounds


def bounded(rule: CorrelationRule, limits: Limits, seconds: Iterable[float], **more: Any) -> tuple[State, Line]:
    line = Line(rule, limits=limits)
    for n, second in enumerate(seconds):
        line.say(second, **{key: value(n) if callable(value) else value for key, value in more.items()})
    return line.correlator.snapshot(), line


def test_groups_of_a_room_are_bounded() -> None:
    rule = correlation("event_count", "a", group_by=(By.ROOM, By.SPEAKER))
    state, line = bounded(rule, Limits(groups=20), [n / 100 for n in range(2_000)], speaker=lambda n: f"u{n}")
    assert len(state.rooms["t", "r"].groups) <= 20
    assert line.out.dropped[Why.FULL] > 1_000
    state, line = bounded(rule, Limits(groups=20), range(2_000), speaker=lambda n: f"u{n}", arrived=None)
    assert Why.FULL not in line.out.dropped or line.out.dropped[Why.FULL] < 2_000


def test_observations_of_a_group_are_bounded_for_every_type() -> None:
    for rule in (correlation("event_count", "a", condition=Threshold(gte=100)), correlation("temporal", "a", "b"),
                 correlation("temporal_ordered", "a", "b"), correlation("temporal_ordered", "b", "a"),
                 correlation("event_count", "a", condition=Threshold(gte=2, lte=50)),
                 correlation("value_count", "a", field=Field.SPEAKER, condition=Threshold(gte=9))):
        state, _ = bounded(rule, Limits(), [n / 100 for n in range(5_900)], speaker=lambda n: f"u{n % 8}")
        for group in state.rooms["t", "r"].groups.values():
            assert len(group.items) <= 100
            assert sum(len(window.members) for window in group.windows) <= 202
            assert sum(group.counts.values()) == len(group.items)


def test_rooms_are_bounded_and_quiet_ones_are_forgotten() -> None:
    state, line = bounded(correlation("event_count", "a"), Limits(rooms=10), range(25), room=lambda n: f"r{n}")
    assert len(state.rooms) <= 10
    assert ("t", "r24") in state.rooms
    line.tick(at=5_000)
    line.tick(at=10_000)
    assert not state.rooms


def test_what_waits_is_bounded() -> None:
    state, line = bounded(correlation("event_count", "a"), Limits(pending=50, lateness_ms=10**9), range(300))
    assert len(state.rooms["t", "r"].pending) <= 51
    assert line.held


def test_what_is_over_is_let_go() -> None:
    rule = correlation("event_count", "a", group_by=(By.ROOM, By.SPEAKER), condition=Threshold(gte=2))
    state, line = bounded(rule, Limits(), [n / 2 for n in range(4_000)], speaker=lambda n: f"u{n // 4}")
    room = state.rooms["t", "r"]
    assert len(line.held) > 990
    assert len(room.groups) < 400
    assert len(room.events) < 1_400


# --- state


def test_a_restored_state_goes_on_and_drops_what_says_something_else_now() -> None:
    old, new = correlation("event_count", "a"), correlation("event_count", "a", condition=Threshold(gte=4))
    line = Line(old)
    for second in range(2):
        line.say(second)
    line.tick(at=30)
    line.restart()
    line.say(31)
    line.tick(at=50)
    assert line.held == [["e0", "e1", "e2"]]
    changed = Correlator([new], state=decode(encode(line.correlator.snapshot())))
    assert not changed.snapshot().rooms["t", "r"].groups
    with pytest.raises(NewerFormat):
        decode(encode(State(format=2)))


def test_a_flood_in_one_room_takes_nothing_from_the_others() -> None:
    demand = correlation("absence", name="y", after=After(signal="gift"), unless=("b",), within_ms=60 * S)
    line = Line(correlation("event_count", "a"), demand, limits=Limits(known=100))
    line.say(0, room="small")
    for _ in range(60):
        line.say(1, room="big")
    line.correlator.signal(Signal("gift", "t", "owes", "b", START, START))
    for _ in range(70):
        line.say(2, room="big")
    rooms = line.correlator.snapshot().rooms
    assert {"small", "owes"} <= {room for _, room in rooms}
    assert sum(room.weight for room in rooms.values()) <= 100 + 100 // 8
    assert line.out.dropped == {Why.FULL: 1}
    for n in range(60):
        line.signal(3 + n, "gift")
    for n in range(60):
        line.signal(3 + n, "gift", broadcast="b2")
    assert line.out.dropped == {Why.FULL: 2}  # demands weigh, too


def test_events_are_told_apart_whatever_their_names() -> None:
    line = said(correlation("event_count", "a"), (0, "a", {"source": "s\x1fe", "id": "e"}),
                (1, "a", {"source": "s", "id": "e\x1fe"}), (2, "a", {"source": "s", "id": "x"}))
    assert len(line.held) == 1
