"""Statements that must be heard: deadlines with their edges, corrections, a slow model that looks at each second."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.correlations import ENDED, STARTED, After, CorrelationRule, Threshold
from monitor.domain.events import VIEWERS, Kind
from monitor.domain.ids import digest, finding_id
from monitor.domain.rules import Applies
from monitor.engine.correlation import Correlator
from monitor.engine.correlation_events import Due, Fallen, Observation, Signal, Why
from monitor.engine.correlation_state import Limits
from tests.unit.test_correlation import START, Line, S, correlation, observation
from tests.unit.test_correlation_properties import run

MINUTE = 60 * S


def demand(after: After | None = None, **more: Any) -> CorrelationRule:
    """`a` within 60 s of the broadcast's start."""
    return correlation("absence", after=after or After(), **({"within_ms": MINUTE, "unless": ("a",)} | more))


def test_a_statement_that_is_not_heard_is_reported_when_nothing_in_time_can_come() -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.tick(at=65)
    assert line.due == []
    line.tick(at=65.001)
    assert line.due == [60]
    line.tick(at=10_000)
    (due,) = line.out.due
    assert due.subject == digest("absence", "r", "b1", START + MINUTE)
    assert due.id == finding_id("t", "x", due.subject)
    assert (due.tenant, due.room, due.broadcast, due.since, due.due_at) == ("t", "r", "b1", START, START + MINUTE)


@pytest.mark.parametrize("heard, arrives, missed", [
    (60, 60, False), (60.001, 60.001, True), (60, 65, False), (0, 0, False), (-0.001, 0, True)])
def test_just_in_time(heard: float, arrives: float, missed: bool) -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.say(heard, "a", arrived=arrives)
    line.tick(at=1_000)
    assert bool(line.due) is missed


def test_other_findings_are_no_statement_and_one_of_several_will_do() -> None:
    line = Line(demand(unless=("a", "b")))
    line.signal(0, STARTED)
    line.say(5, "c")
    line.say(6, "b", broadcast="another")
    line.tick(at=100)
    assert line.due == [60]
    line = Line(demand(unless=("a", "b")))
    line.signal(0, STARTED)
    line.say(6, "b")
    line.tick(at=100)
    assert line.due == []


def test_heard_late_but_in_time_takes_it_back() -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.tick(at=70)
    (due,) = line.out.due
    (fallen,) = line.say(58, "a", arrived=71).fallen
    assert (fallen.id, fallen.why) == (due.id, Why.HEARD)
    line.tick(at=1_000)
    assert len(line.due) == 1


def test_a_statement_that_is_withdrawn_was_not_made() -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.say(10, "a", id="s1")
    line.tick(at=100)
    assert line.due == []
    assert [d.due_at for d in line.withdraw("s1", at=101).due] == [START + MINUTE]


def test_a_broadcast_that_ends_early_owes_nothing() -> None:
    for end, missed in ((59.999, False), (60, True)):
        line = Line(demand())
        line.signal(0, STARTED)
        line.signal(end, ENDED)
        line.tick(at=10_000)
        assert bool(line.due) is missed


def test_another_broadcast_ends_the_one_before_and_owes_its_own() -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.signal(30, STARTED, broadcast="b2")
    line.tick(at=200)
    assert [(d.broadcast, d.due_at - START) for d in line.out.due] == [("b2", 90 * S)]


def test_a_broadcast_that_goes_on_after_its_end_owes_again() -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.signal(30, ENDED)
    line.signal(40, STARTED)
    line.tick(at=200)
    assert line.due == [60]


def test_word_of_an_end_that_comes_late_takes_it_back() -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.tick(at=70)
    (fallen,) = line.signal(50, ENDED, arrived=71).fallen
    assert (fallen.id, fallen.why) == (line.out.due[0].id, Why.ENDED)


def test_what_begins_once_begins_with_the_earliest() -> None:
    line = Line(demand())
    line.signal(10, STARTED)
    line.signal(20, STARTED)
    line.tick(at=200)
    assert line.due == [70]
    (fallen,) = line.signal(5, STARTED, arrived=201).fallen
    assert fallen.why is Why.MOVED
    assert line.due == [70, 65]


def test_after_a_signal_each_time() -> None:
    line = Line(demand(After(signal="product_explained")))
    for second in (0, 10, 10):
        line.signal(second, "product_explained")
    line.say(65, "a")
    line.signal(100, "product_explained")
    line.tick(at=1_000)
    assert line.due == [60, 160]


def test_after_the_first_finding_of_a_rule_once_a_broadcast() -> None:
    line = Line(demand(After(rule="b")))
    line.say(10, "b", id="first")
    line.say(20, "b", id="second")
    line.say(500, "b", broadcast="b2")
    line.tick(at=1_000)
    assert [(d.broadcast, (d.due_at - START) / S) for d in line.out.due] == [("b1", 70), ("b2", 560)]
    line = Line(demand(After(rule="b")))
    line.say(10, "b", id="first")
    line.say(20, "b", id="second")
    line.tick(at=100)
    out = line.withdraw("first", at=101)
    assert [(f.id, f.why) for f in out.fallen] == [(line.out.due[0].id, Why.REVISED)]
    assert [d.due_at for d in out.due] == [START + 80 * S]
    assert line.withdraw("second", at=102).fallen[0].id == out.due[0].id


def test_again_every_so_often_since_it_was_last_heard() -> None:
    line = Line(demand(every_ms=30 * MINUTE))
    line.signal(0, STARTED)
    line.say(20, "a")
    for minutes in (10, 25):
        line.say(minutes * 60, "a")
    line.tick(at=(25 + 30) * 60 + 6)
    assert line.due == [(25 + 30) * 60]
    line.tick(at=(25 + 60) * 60 + 6)
    assert line.due == [(25 + 30) * 60, (25 + 60) * 60]
    line.say((25 + 70) * 60, "a")
    line.tick(at=(25 + 100) * 60 + 6)
    assert line.due[2:] == [(25 + 100) * 60]
    assert line.out.due[2].since == START + (25 + 70) * MINUTE


def test_what_begins_once_does_not_begin_again_however_long_after() -> None:
    line = Line(demand())
    line.signal(0, STARTED)
    line.say(10, "a")
    for second in range(20, 5_000, 20):
        line.tick(at=second)
    line.signal(5_000, STARTED)
    line.tick(at=10_000)
    assert line.due == []


def test_what_may_begin_at_a_time_is_bounded() -> None:
    line = Line(demand(After(signal="gift")))
    for n in range(100):
        line.signal(n / 10, "gift")
        line.signal(n / 10, "gift")
    line.tick(at=200)
    assert len(line.due) == 64
    assert line.out.dropped == {Why.FULL: 72}


def test_a_correlation_may_be_what_is_demanded_or_what_demands() -> None:
    twice = correlation("event_count", "a", name="twice")
    line = Line(demand(unless=("twice",)), twice)
    line.signal(0, STARTED)
    for second in (10, 20, 30):
        line.say(second, "a", id=f"s{second}")
    line.tick(at=200)
    assert line.due == []
    line.withdraw("s20", at=201)
    assert line.due == [60]
    line = Line(demand(After(rule="twice"), unless=("b",)), twice)
    for second in (10, 20, 30):
        line.say(second, "a")
    line.tick(at=200)
    assert line.due == [90]


def test_a_demand_looks_at_its_own_lanes_and_rooms() -> None:
    line = Line(demand(applies=Applies(kinds=frozenset((Kind.TRANSCRIPT,)))))
    line.signal(0, STARTED)
    line.say(10, "a", lane=VIEWERS)
    line.tick(at=100)
    assert line.due == [60]
    line = Line(demand(), applies=lambda rule, tenant, room, at: room != "r" and at > 0)
    line.signal(0, STARTED)
    line.tick(at=100)
    assert line.due == []


def test_quiet_demands_and_no_demands() -> None:
    line = Line(demand(), quiet=["x"])
    line.signal(0, STARTED)
    line.tick(at=100)
    assert line.due == []


def test_the_end_of_a_stream_judges_what_was_due_by_then() -> None:
    for last, missed in ((59, []), (60, [60])):
        line = Line(demand())
        line.signal(0, STARTED)
        line.say(last, "a", broadcast="another")
        line.finish()
        assert line.due == missed


def test_a_jump_in_time_is_no_endless_row() -> None:
    line = Line(demand(every_ms=MINUTE))
    line.signal(0, STARTED)
    line.say(10**10, "a", broadcast="b2")
    line.tick(at=10**10 + 10)
    assert len(line.due) == 100


def test_what_is_settled_is_let_go_and_stays_settled() -> None:
    line = Line(demand(After(signal="product_explained"), every_ms=2 * MINUTE))
    for minutes in range(0, 600):
        line.signal(minutes * 60, "product_explained")
        line.say(minutes * 60 + 30, "a")
    (duty,) = line.correlator.snapshot().rooms["t", "r"].duties.values()
    assert line.due == []
    assert len(duty.chains) <= 12 and len(duty.heard) <= 64 and not duty.missed
    line.tick(at=36_000)
    assert line.signal(60, "product_explained", arrived=36_000).due == []
    assert line.out.dropped == {Why.LATE: 1}
    line.signal(36_001, ENDED)
    line.tick(at=40_000)
    line.tick(at=41_000)
    assert not line.correlator.snapshot().rooms


def test_a_statement_said_very_often_at_one_time_is_remembered_a_bounded_number_of_times() -> None:
    line = Line(demand(every_ms=MINUTE))
    line.signal(0, STARTED)
    for n in range(500):
        line.say(30, "a", id=f"n{n}")
    (duty,) = line.correlator.snapshot().rooms["t", "r"].duties.values()
    line.tick(at=36)
    assert len(duty.heard) <= Limits().heard
    assert line.due == []
    line.tick(at=96)
    assert line.due == [90]


def test_a_room_owes_for_a_bounded_number_of_broadcasts() -> None:
    line = Line(demand(After(signal="gift")))
    for n in range(100):
        line.signal(n / 100, "gift", broadcast=f"b{n}")
    assert len(line.correlator.snapshot().rooms["t", "r"].duties) == 16
    line.tick(at=100)
    assert [due.broadcast for due in line.out.due] == [f"b{n}" for n in range(84, 100)]
    assert line.out.dropped == {Why.FULL: 84}


def test_what_is_missed_in_several_broadcasts_is_told_in_order_of_time() -> None:
    line = Line(demand(After(signal="gift"), every_ms=MINUTE))
    for second, broadcast in ((2, "b1"), (1, "b2"), (3, "b3")):
        line.signal(second, "gift", broadcast=broadcast)
    line.tick(at=130)
    assert line.due == [61, 62, 63, 121, 122, 123]


# --- properties

KEEP = Limits(keep_ms=10**9)
DEMANDS = [
    demand(within_ms=10 * S),
    demand(within_ms=10 * S, every_ms=MINUTE),
    demand(After(signal="product_explained"), within_ms=20 * S, unless=("a", "b")),
    demand(After(signal="product_explained"), within_ms=70 * S, every_ms=MINUTE),
    demand(After(rule="c"), within_ms=10 * S),
    demand(After(rule="c"), within_ms=90 * S, every_ms=MINUTE),
]
Op = tuple[Any, ...]


@st.composite
def streams(draw: st.DrawFn) -> list[Op]:
    now, ops, n = 0, list[Op](), 0
    for kind in draw(st.lists(st.sampled_from(["say"] * 4 + ["signal"] * 3 + ["tick", "withdraw"]), max_size=25)):
        now += draw(st.sampled_from([0, 1, 5, 10, 30, 60]))
        accepted, at = START + now * S, now - draw(st.sampled_from([0] * 5 + [1, 5, 6, 20, 60, 100]))
        broadcast = draw(st.sampled_from(["b1", "b1", "b2"]))
        if kind == "say":
            ops.append(observation(at, draw(st.sampled_from("aabc")), id=f"e{n}", broadcast=broadcast,
                                   accepted_at=accepted))
            n += 1
        elif kind == "signal":
            name = draw(st.sampled_from([STARTED, STARTED, ENDED, "product_explained"]))
            ops.append(Signal(name, "t", "r", broadcast, START + at * S, accepted))
        elif kind == "withdraw":
            ops.append((f"e{draw(st.integers(0, n))}", 5, accepted))
        else:
            ops.append((accepted,))
    return [*ops, (START + (now + 300) * S,)]


def missed(rule: CorrelationRule, ops: Sequence[Op], mark: int) -> set[tuple[str, int]]:
    """(broadcast, second) of all the deadlines before `mark`: each second is looked at."""
    said = [o for place, o in enumerate(ops) if isinstance(o, Observation)
            and all(isinstance(w, Observation | Signal) or len(w) == 1 or w[0] != o.id for w in ops[place:])]
    signals = [op for op in ops if isinstance(op, Signal)]
    after = rule.correlation.after
    assert after is not None
    found = set()
    for broadcast in ("b1", "b2"):
        heard = {o.at for o in said if o.broadcast == broadcast and o.rule in rule.correlation.unless}
        starts = [s.at for s in signals if s.name == STARTED and s.broadcast == broadcast]
        if after.rule:
            begins = sorted(o.at for o in said if o.rule == after.rule and o.broadcast == broadcast)[:1]
        elif after.signal:
            begins = [s.at for s in signals if s.name == after.signal and s.broadcast == broadcast]
        else:
            begins = sorted(starts)[:1]
        end = end_of(broadcast, signals, min(starts or begins, default=0))
        for begin in begins:
            found |= {(broadcast, due) for due in one(rule, begin, heard, end) if due < mark}
    return found


def end_of(broadcast: str, signals: list[Signal], start: int) -> int:
    own = [s for s in signals if s.broadcast == broadcast]
    last = max((s.at for s in own if s.name == ENDED), default=None)
    if last is not None and last < max((s.at for s in own if s.name == STARTED), default=0):
        last = None
    others: dict[str, int] = {}
    for s in signals:
        if s.name == STARTED and s.broadcast != broadcast:
            others[s.broadcast] = min(s.at, others.get(s.broadcast, s.at))
    return min([10**12 if last is None else last, *(at for at in others.values() if at > start)])


def one(rule: CorrelationRule, begin: int, heard: set[int], end: int) -> set[int]:
    due, found = begin + rule.correlation.within_ms, set()
    for second in range(begin, min(end, begin + 4_000 * S) + 1, S):
        if second in heard:
            if not rule.correlation.every_ms:
                break
            due = second + rule.correlation.every_ms
        elif second == due:
            found.add(due)
            if not rule.correlation.every_ms:
                break
            due += rule.correlation.every_ms
    return found


MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(st.sampled_from(DEMANDS), streams())
def test_what_is_due_is_what_the_definition_says_whatever_the_order(rule: CorrelationRule, ops: list[Op]) -> None:
    correlator = Correlator([rule], limits=KEEP)
    standing: dict[str, tuple[str, int]] = {}
    for op in ops:
        if isinstance(op, Observation):
            correlator.observe(op)
        elif isinstance(op, Signal):
            correlator.signal(op)
        elif len(op) > 1:
            correlator.withdraw("t", "r", {("s", op[0]): op[1]}, accepted_at=op[2])
        out = correlator.advance(op.accepted_at if isinstance(op, Observation | Signal) else op[-1])
        for change in out.changes:
            if isinstance(change, Due):
                assert change.id not in standing
                standing[change.id] = (change.broadcast, change.due_at)
            elif isinstance(change, Fallen):
                del standing[change.id]
    marks = [room.mark for room in correlator.snapshot().rooms.values()]
    assert set(standing.values()) == (missed(rule, ops, marks[0]) if marks else set())


TOGETHER = [
    msgspec.structs.replace(rule, id=f"d{n}", correlation=msgspec.structs.replace(rule.correlation, unless=unless))
    for n, (rule, unless) in enumerate((rule, unless) for rule in DEMANDS for unless in (("a",), ("few", "many")))
] + [correlation("event_count", "a", name="few", condition=Threshold(lte=2), timespan_ms=10 * S),
     correlation("event_count", "a", "b", "c", name="many", condition=Threshold(gte=2), timespan_ms=30 * S)]


@MANY
@given(st.one_of(st.sampled_from(DEMANDS).map(lambda r: [r]), st.just(TOGETHER)), streams(),
       st.lists(st.booleans(), min_size=2, max_size=6))
def test_neither_cuts_nor_restarts_matter(rules: list[CorrelationRule], ops: list[Op], some: list[bool]) -> None:
    whole = run(rules, ops)
    assert run(rules, ops, advance=[*some, False]).changes == whole.changes
    assert run(rules, ops, restart=[True, *some]) == whole


def test_what_begins_before_a_long_pause_is_in_time() -> None:
    """The next event comes long after what is remembered for corrections."""
    line = Line(correlation("absence", after=After(rule="a"), unless=("b",), within_ms=60 * S))
    line.say(0, "a")
    line.say(1_500, "c")
    line.tick(at=1_600)
    assert line.due == [60]
