"""Correlations in the flow: lanes apart and together, restarts, changes of rules, and what a scan shows of them."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import frames
from monitor.domain.alerts import GroupingSettings, Join, Retraction, opened
from monitor.domain.broadcasts import Rooms
from monitor.domain.correlations import After, Correlation, CorrelationCase, CorrelationRule, CorrelationType, Threshold
from monitor.domain.correlations import CaseEvent as Case
from monitor.domain.events import HOST_SIDE, VIEWERS, Event, Kind, Role, Speaker
from monitor.domain.findings import Finding, Severity, Tier
from monitor.domain.frames import Frame
from monitor.domain.rules import Applies, Rule, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.engineset import EngineSet
from monitor.services.admission import Admission
from monitor.services.casework import run_cases
from monitor.services.context import Windows
from monitor.services.correlating import Merged, MergedState, Told, named
from monitor.services.lane import Admitted, Lane, LaneState, Outcome
from monitor.services.notes import Notes
from monitor.services.records import Numbered
from monitor.services.scan import Scanner
from tests.unit.rulekit import ZONE, rule, tables, terms

S = 1_000
START = 1_795_000_000_000
PRICE, CONTACT, CURE, NOTICE = "全网最低", "加微信", "三天根治", "理性消费"
HOSTS = Applies(speakers=frozenset((Role.HOST,)))
GUESTS = Applies(speakers=frozenset((Role.VIEWER,)))
RULES = tuple(rule(terms("claim", word), name=f"t.{name}", applies=who) for name, word, who in (
    ("price", PRICE, HOSTS), ("contact", CONTACT, GUESTS), ("cure", CURE, HOSTS), ("notice", NOTICE, HOSTS)))


def series(kind: str, *rules: str, name: str, **more: Any) -> CorrelationRule:
    if kind != "absence":
        more = {"timespan_ms": 60 * S} | more
    cases = more.pop("cases", ())
    return CorrelationRule(
        id=name, title=name, tier=Tier.STANDARD if kind == "absence" else Tier.REDLINE, category=("spam_fakedata",),
        severity=Severity.HIGH, status=Status.ACTIVE, clauses=(), pack="t", version="1", path="t/x.yml", cases=cases,
        correlation=Correlation(type=CorrelationType(kind), rules=rules, **more))


OFTEN = series("event_count", "t.cure", name="t.often", condition=Threshold(gte=2))
LURED = series("temporal_ordered", "t.price", "t.contact", name="t.lured")
MISSING = series("absence", name="t.missing", after=After(), unless=("t.notice",), within_ms=30 * S)


def engine(*correlations: CorrelationRule, rules: Sequence[Rule] = RULES) -> EngineSet:
    return EngineSet(RuleSet(tuple(rules), {}, "t", {}, {}, correlations), tables(), zone=ZONE)


ENGINE = engine(OFTEN, LURED, MISSING)


def speech(n: float, text: str, **more: Any) -> Event:
    return Event(id=more.pop("id", f"h{n:g}"), kind=Kind.TRANSCRIPT, text=text, at=START + round(n * S), room="a",
                 speaker=Speaker(Role.HOST), **more)


def comment(n: float, text: str, account: str = "u", **more: Any) -> Event:
    return Event(id=f"c{n:g}", kind=Kind.COMMENT, text=text, at=START + round(n * S), room="a",
                 speaker=Speaker(Role.VIEWER, account), **more)


class House:
    """Two lanes and what needs both, fed as the service feeds them; `behind`: entries that the viewers' lane lags."""

    def __init__(self, engine: EngineSet = ENGINE, *, behind: int = 0) -> None:
        self.engine, self.behind = engine, behind
        self.lanes = [self._lane(n, LaneState()) for n in (HOST_SIDE, VIEWERS)]
        self.merged = Merged(engine, GroupingSettings())
        self.admission = Admission(Rooms(), 0, silence_ms=1_800_000)
        self.seq = 0
        self.read = [0, 0]
        self.late: list[tuple[int, Any]] = []
        self.findings: dict[str, Finding] = {}
        self.joins: list[Join] = []
        self.fallen: dict[str, str] = {}

    def _lane(self, number: int, state: LaneState) -> Lane:
        return Lane(number, self.engine, GroupingSettings(), state=state)

    def feed(self, *events: Event, now: float | None = None) -> None:
        last = max(e.at for e in events if isinstance(e.at, int)) if now is None else START + round(now * S)
        built = frames.build(events, tenant="t", accepted_at=last, pseudonym=str, revision_of=lambda e: e.revision or 0)
        numbered = [Numbered(self.seq + n, frame) for n, frame in enumerate(built, 1)]
        self.seq += len(built)
        broadcasts, _ = self.admission.admit(numbered)
        for each in numbered:
            assert isinstance(each.entry, Frame)
            self._judge(each.entry.lane, each.seq, Admitted(each.seq, each.entry, broadcasts[each.seq]))
        self._catch_up()

    def tick(self, now: float) -> None:
        self.seq += 1
        for lane in (HOST_SIDE, VIEWERS):
            self._judge(lane, self.seq, START + round(now * S))
        self._catch_up()

    def _judge(self, lane: int, seq: int, what: Any) -> None:
        if lane == HOST_SIDE:
            self._now(lane, seq, what)
        else:
            self.late.append((seq, what))

    def _catch_up(self) -> None:
        while len(self.late) > self.behind:
            seq, what = self.late.pop(0)
            self._now(VIEWERS, seq, what)
        upto = [self.seq, self.late[0][0] - 1 if self.late else self.seq]
        outcome = Outcome()
        for told in self.merged.release(min(upto)):
            outcome.add(told, self.lanes[0].windows)
        self.take(outcome)

    def _now(self, lane: int, seq: int, what: Any) -> None:
        outcome = self.lanes[lane].run([what]) if isinstance(what, Admitted) else self.lanes[lane].tick(seq, what)
        self.merged.add(lane, outcome.notes)
        self.take(outcome)

    def take(self, outcome: Outcome) -> None:
        for finding in outcome.findings:
            self.findings.setdefault(finding.id, finding)
            self.fallen.pop(finding.id, None)
        self.joins += outcome.joins
        self.fallen |= {r.finding: r.reason for r in outcome.retractions}

    def restart(self) -> None:
        states = [msgspec.msgpack.decode(msgspec.msgpack.encode(lane.snapshot()), type=LaneState)
                  for lane in self.lanes]
        merged = msgspec.msgpack.decode(msgspec.msgpack.encode(self.merged.snapshot()), type=MergedState)
        self.lanes = [self._lane(n, state) for n, state in enumerate(states)]
        self.merged = Merged(self.engine, GroupingSettings(), merged, dict.fromkeys(named(merged), self.engine))

    def swap(self, engine: EngineSet) -> None:
        self.engine = engine
        self.seq += 1
        for lane in self.lanes:
            self.take(lane.swap(self.seq, lane.state.now, engine))
        self.merged.swap(self.seq, engine)

    def of(self, name: str) -> list[Finding]:
        return [f for f in self.findings.values() if f.rule == name and f.id not in self.fallen]


def names(findings: Iterable[Finding]) -> list[list[str]]:
    return [finding.event_ids for finding in findings]


def test_a_window_is_a_finding_with_the_words_of_all_its_events() -> None:
    house = House()
    house.feed(speech(0, f"这个{CURE}"))
    house.feed(speech(20, f"真的{CURE}了"))
    assert house.of("t.often") == []  # what comes a little late is put in order first
    house.tick(26)
    (found,) = house.of("t.often")
    assert (found.event_id, found.event_ids, found.under, found.scope) == ("", ["h0", "h20"], "h20", "event")
    assert (found.text, found.lane, found.at, found.room) == (f"真的{CURE}了", HOST_SIDE, START + 20 * S, "a")
    assert [(s.text, s.start, s.event) for s in found.spans] == [(CURE, 2, "h0"), (CURE, 2, None)]
    assert len(house.of("t.cure")) == 2  # the rules that it names go on


def test_what_falls_in_a_window_that_holds_joins_its_finding() -> None:
    house = House(engine(OFTEN))
    house.feed(speech(0, CURE))
    house.feed(speech(10, CURE))
    house.tick(20)
    (found,) = house.of("t.often")
    assert house.joins == []
    house.feed(speech(40, CURE))
    house.tick(50)
    assert house.joins == [Join("t", "a", found.id, "h40", START + 40 * S, START + 50 * S)]


def test_an_alert_goes_on_while_events_join_it() -> None:
    house = House(engine(OFTEN))
    for second in (0, 10, 55, 105, 110):
        house.feed(speech(second, CURE))
    house.tick(120)
    first, second = house.of("t.often")
    assert second.at - first.at > GroupingSettings().gap_ms
    assert second.opened_by == first.id


def test_what_joins_a_window_of_rules_that_find_nothing_is_not_told() -> None:
    house = House(engine(msgspec.structs.replace(
        OFTEN, correlation=msgspec.structs.replace(OFTEN.correlation, generate=False)),
        series("temporal", "t.often", "t.price", name="t.both", generate=False)))
    for second in (0, 10, 40):
        house.feed(speech(second, CURE))
    house.tick(50)
    assert house.joins == []


def test_an_alert_says_what_it_is_about() -> None:
    house = House()
    house.feed(speech(0, "大家好"))
    house.tick(40)
    (missing,) = house.of("t.missing")
    alert = opened(missing)
    assert (alert.scope, alert.event_ids, alert.text, alert.at) == ("broadcast", [], "", START + 30 * S)
    assert (missing.kind, missing.event_id, missing.under) == (Kind.SIGNAL, "", "")


def test_a_statement_that_was_heard_is_not_missing_and_is_no_finding() -> None:
    house = House()
    house.feed(speech(0, "大家好"), speech(9, f"{NOTICE}哦"))
    house.tick(40)
    assert house.findings == {}


@pytest.mark.parametrize("cut", [1, 2, 9])
def test_a_request_may_hold_more_of_a_room_than_is_remembered(cut: int) -> None:
    after = engine(series("absence", name="t.missing", after=After(signal="digital_human_on"), unless=("t.notice",),
                          within_ms=60 * S))
    house = House(after)
    signal = Event(id="s", kind=Kind.SIGNAL, text="digital_human_on", at=START, room="a")
    said = [signal, *(speech(minute * 60, NOTICE) for minute in (20, 40, 60))]
    for n in range(0, len(said), cut):
        house.feed(*said[n : n + cut])
    assert [f.at - START for f in house.of("t.missing")] == [60 * S]


def test_silence_ends_a_broadcast() -> None:
    """Nobody waits for a statement where nobody speaks any more."""
    every = engine(series("absence", name="t.missing", after=After(), unless=("t.notice",), within_ms=30 * S,
                          every_ms=600 * S))
    house = House(every)
    house.feed(speech(0, "大家好"))
    for minute in range(1, 90):
        house.tick(60 * minute)
    assert [f.at - START for f in house.of("t.missing")] == [30 * S, 630 * S, 1_230 * S]


def test_a_correction_takes_the_window_back() -> None:
    house = House()
    house.feed(speech(0, CURE), speech(20, CURE, id="x", revision=1))
    house.tick(26)
    (found,) = house.of("t.often")
    house.feed(speech(20, "三天发货", id="x", revision=2), now=27)
    assert house.of("t.often") == []
    assert house.fallen == {found.id: "revised"}


def test_one_lane_waits_for_the_other_where_a_rule_needs_both() -> None:
    house = House(behind=3)
    house.feed(speech(0, PRICE))
    house.feed(comment(9, CONTACT))
    house.feed(comment(10, "好看"))
    house.tick(20)
    assert house.of("t.lured") == []
    house.behind = 0
    house.tick(21)
    assert names(house.of("t.lured")) == [["h0", "c9"]]


EVENTS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from([PRICE, CURE, CONTACT, NOTICE, "好的"])), max_size=25)


@settings(deadline=None, max_examples=60)
@given(events=EVENTS, cuts=st.lists(st.integers(1, 5), min_size=1, max_size=8), behind=st.integers(0, 9),
       restarts=st.sets(st.integers(0, 12)))
def test_load_cuts_and_restarts_change_nothing(
    events: list[tuple[int, str]], cuts: list[int], behind: int, restarts: set[int]
) -> None:
    at = 0
    said: list[Event] = []
    for pause, text in events:
        at += pause
        said.append(comment(at, text) if text == CONTACT else speech(at, text))
    said = list({event.id: event for event in said}.values())
    plain, other = House(), House(behind=behind)
    for event in said:
        plain.feed(event)
    for n, event in enumerate(said):
        if n in restarts:
            other.restart()
        other.feed(event)
    other.behind = 0
    for house in (plain, other):
        house.tick(at + 1)
        house.tick(at + 100)
    assert {f.id: f.event_ids for f in plain.findings.values() if f.id not in plain.fallen} == {
        f.id: f.event_ids for f in other.findings.values() if f.id not in other.fallen}


def test_long_texts_take_no_more_memory_than_many_short_ones() -> None:
    house = House(engine(OFTEN))
    long = CURE + "啊" * 9_000
    for n in range(1_000):
        house.feed(speech(n / 100, f"{long}{n}"))
    said = house.lanes[HOST_SIDE].snapshot().correlating.said
    assert [key[2] for key in said][-1] == "h9.99" and len(said) < 900
    house.restart()
    house.feed(speech(10, long), speech(10.01, CURE))
    assert len(house.lanes[HOST_SIDE].snapshot().correlating.said) <= len(said) + 1


def test_what_waits_for_the_other_lane_is_remembered() -> None:
    house = House(behind=5)
    house.feed(speech(0, PRICE))
    house.feed(comment(9, CONTACT))
    late, house.late = house.late, []
    house.restart()
    house.late, house.behind = late, 0
    house.tick(30)
    assert names(house.of("t.lured")) == [["h0", "c9"]]


def test_other_rules_from_a_place_in_the_log_on() -> None:
    house = House()
    house.feed(speech(0, CURE))
    house.swap(engine(OFTEN))
    house.feed(speech(9, CURE), comment(10, CONTACT), speech(1, PRICE))
    house.tick(60)
    assert names(house.of("t.often")) == [["h0", "h9"]]  # it says the same, so what it had counted counts
    assert house.of("t.lured") == house.of("t.missing") == []


def test_nothing_is_kept_for_rules_that_are_not_there() -> None:
    house = House(engine())
    house.feed(speech(0, CURE), comment(1, CONTACT))
    assert house.merged.snapshot().waiting == ([], [])
    assert house.lanes[0].snapshot().correlating.correlator == b""


def test_rules_that_only_serve_others_find_nothing_themselves() -> None:
    house = House(engine(msgspec.structs.replace(
        OFTEN, correlation=msgspec.structs.replace(OFTEN.correlation, generate=False))))
    house.feed(speech(0, CURE), speech(9, CURE))
    house.tick(20)
    assert {f.rule for f in house.findings.values()} == {"t.often"}


def test_an_orientation_is_no_finding() -> None:
    gentle = rule(terms("claim", CURE), name="t.cure", applies=HOSTS, tier=Tier.ORIENTATION)
    house = House(engine(OFTEN, rules=(gentle,)))
    house.feed(speech(0, CURE), speech(9, CURE))
    house.tick(20)
    assert {f.rule for f in house.findings.values()} == {"t.often"}


def test_a_correlation_may_serve_another_one_alone() -> None:
    both = series("temporal", "t.often", "t.price", name="t.both", generate=False)
    house = House(engine(OFTEN, both))
    house.feed(speech(0, CURE), speech(9, CURE), speech(12, PRICE))
    house.tick(40)
    assert {f.rule for f in house.findings.values()} == {"t.cure", "t.both"}


def test_what_stands_again_in_a_later_entry_is_not_retracted() -> None:
    """Several entries that are judged together give one outcome, of which findings are stored before retractions."""
    (found,) = _said_often().of("t.often")
    gone = Retraction("t", found.id, "revised")
    for first, second, left in (
        (Told(retractions=[gone]), Told([found]), []), (Told([found]), Told(retractions=[gone]), [gone]),
    ):
        outcome = Outcome()
        for told in (first, second):
            outcome.add(told, Windows())
        assert (outcome.findings, outcome.retractions) == ([found], left)


def _said_often() -> House:
    house = House()
    house.feed(speech(0, CURE), speech(9, CURE))
    house.tick(20)
    return house


@pytest.mark.parametrize("cut", [1, 3, 100])
def test_a_scan_shows_a_window_under_its_last_event(cut: int) -> None:
    events = [speech(0, PRICE), comment(9, CONTACT), speech(12, "好的"), speech(30, "再见"), speech(80, "真的再见")]
    scanner = Scanner(ENGINE, with_alerts=True)
    items = [item for n in range(0, len(events), cut)
             for item in scanner.scan(events[n : n + cut], [("f", n + i) for i in range(len(events[n : n + cut]))])]
    items += scanner.finish()
    assert [item.event.id for item in items] == [event.id for event in events]
    assert [[f.rule for f in item.findings] for item in items] == [["t.price"], ["t.contact", "t.lured"], [], [], []]
    assert [item.place for item in items] == [("f", n) for n in range(5)]
    assert [(f.rule, f.at) for f in scanner.missing()] == [("t.missing", START + 30 * S)]
    assert {(alert.rule, alert.scope) for alert, _ in scanner.alerts()} == {
        ("t.price", "event"), ("t.contact", "event"), ("t.lured", "event"), ("t.missing", "broadcast")}


@pytest.mark.parametrize("cut", [1, 5, 100])
def test_a_scan_finds_the_windows_of_a_whole_recording_however_it_is_read(cut: int) -> None:
    """Windows an hour apart, in every batch and over two."""
    events = [speech(3_600 * n + second, CURE) for n in range(6) for second in (0, 20)]
    scanner = Scanner(engine(OFTEN), with_alerts=True)
    for n in range(0, len(events), cut):
        scanner.scan(events[n : n + cut])
    scanner.finish()
    often = [alert.event_ids for alert, _ in scanner.alerts() if alert.rule == "t.often"]
    assert often == [[f"h{3_600 * n}", f"h{3_600 * n + 20}"] for n in range(6)]


def test_an_alert_of_a_scan_has_the_events_that_joined_it() -> None:
    scanner = Scanner(engine(OFTEN), with_alerts=True)
    scanner.scan([speech(second, CURE) for second in (0, 20, 30)])
    scanner.finish()
    assert [events for alert, events in scanner.alerts() if alert.rule == "t.often"] == [["h0", "h20", "h30"]]


def test_a_scan_keeps_back_no_event_for_which_nothing_can_come() -> None:
    scanner = Scanner(ENGINE)
    assert len(scanner.scan([speech(0, "你好")])) == 1
    assert scanner.scan([speech(1, PRICE)]) == []
    assert len(scanner.scan([speech(60, "你好")])) == 2


def test_a_script_takes_no_time() -> None:
    """A statement that stands anywhere in it is made; one that stands nowhere is missing."""
    def script(*texts: str) -> list[str]:
        scanner = Scanner(ENGINE, day=START)
        scanner.scan([Event(id=str(n), kind=Kind.SCRIPT, text=text) for n, text in enumerate(texts)])
        scanner.finish()
        return [f.rule for f in scanner.missing()]

    assert script("大家好", "今天卖苹果") == ["t.missing"]
    assert script("大家好", f"请大家{NOTICE}") == []


def test_cases_of_correlations_are_run() -> None:
    def case(*events: Case, expect: bool, until: int = 0) -> CorrelationCase:
        return CorrelationCase(events=events, expect=expect, until_ms=until * S, line=7)

    cure, late = Case(after_ms=0, text=CURE), Case(after_ms=70 * S, text=CURE)
    said = Case(after_ms=9 * S, text=NOTICE)
    right = (msgspec.structs.replace(OFTEN, cases=(case(cure, Case(after_ms=5 * S, text=CURE), expect=True),
                                                   case(cure, late, expect=False))),
             msgspec.structs.replace(MISSING, cases=(case(cure, expect=True, until=40),
                                                     case(cure, expect=False, until=20),
                                                     case(cure, said, expect=False, until=40))))
    count, failures = run_cases(RuleSet(RULES, {}, "t", {}, {}, right), tables(), ZONE)
    assert (count, failures) == (5, [])
    wrong = msgspec.structs.replace(OFTEN, cases=(case(cure, late, expect=True), case(cure, expect=False)))
    (failure,) = run_cases(RuleSet(RULES, {}, "t", {}, {}, (wrong,)), tables(), ZONE)[1]
    assert str(failure) == f"t/x.yml:7:1: t.often: expected a finding, got none: {CURE} · {CURE}"


def test_a_tick_of_the_viewers_says_nothing_twice() -> None:
    """Both lanes read each tick; what needs both takes it once for time."""
    house = House()
    house.feed(speech(0, "大家好"))
    house.tick(40)
    house.tick(50)
    assert len(house.of("t.missing")) == 1
    assert Notes(1, 2).rooms == {}
