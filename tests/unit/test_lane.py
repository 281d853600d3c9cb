"""A lane and the scanner: cut-free findings, revisions, interim results, masks, context."""

from collections.abc import Sequence
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import frames
from monitor.domain.alerts import GroupingSettings, opened
from monitor.domain.broadcasts import Rooms
from monitor.domain.clauses import Clause, Confidence
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.frames import Frame
from monitor.domain.rules import Exempt
from monitor.domain.rulesets import RuleSet
from monitor.engine import pipeline
from monitor.engine.engineset import EngineSet
from monitor.services.admission import Admission
from monitor.services.context import CHUNK_LINES, REACH_MS, STAY_MS, Ring, nearest
from monitor.services.lane import Admitted, Lane, LaneState, Outcome
from monitor.services.records import Numbered
from monitor.services.scan import Scanner
from tests.unit.rulekit import ZONE, engine, rule, tables, terms

ENGINE = engine(rule(terms("claim", "全网最低"), name="t.lowest"), rule(terms("claim", "根治"), name="t.cure"))


def said(n: int, text: str, *, at: int | None = None, **more: object) -> Event:
    facts: dict[str, object] = {"kind": Kind.TRANSCRIPT, "room": "a", "at": n * 1_000 if at is None else at} | more
    return Event(id=str(facts.pop("id", f"e{n}")), text=text, **facts)  # type: ignore[arg-type]


class Line:
    """One lane fed with events, frame by frame."""

    def __init__(self, *, ring: Ring | None = None, engine: EngineSet = ENGINE) -> None:
        self.lane = Lane(0, engine, GroupingSettings(), state=LaneState(), ring=ring)
        self.admission = Admission(Rooms(), 0, silence_ms=1_800_000)
        self.seq = 0

    def feed(self, events: Sequence[Event], *, accepted_at: int = 0) -> Outcome:
        built = frames.build(events, tenant="local", accepted_at=accepted_at, pseudonym=str.upper,
                             revision_of=lambda e: e.revision or (0 if e.final else 1))
        numbered = [Numbered(self.seq + n, f) for n, f in enumerate(built, 1)]
        self.seq += len(built)
        broadcasts, _ = self.admission.admit(numbered)
        return self.lane.run([Admitted(n.seq, n.entry, broadcasts[n.seq]) for n in numbered
                              if isinstance(n.entry, Frame)])


@pytest.mark.parametrize("by", ["log", "scan"])
def test_one_huge_request_is_judged_in_portions(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a log of before may hold it, and as a file has it."""
    monkeypatch.setattr(pipeline, "MOST_TEXT", 100)
    at_once: list[int] = []
    views = pipeline.Views
    monkeypatch.setattr(pipeline, "Views", lambda *given: at_once.append(len(given[1])) or views(*given))
    events = [said(n, "好" * 36 + "全网最低") for n in range(10)]
    if by == "log":
        found = [finding.event_id for finding in Line().feed(events).findings]
    else:
        scanner = Scanner(ENGINE)
        found = [f.event_id for each in [*scanner.scan(events), *scanner.finish()] for f in each.findings]
    assert found == [event.id for event in events]
    assert at_once and max(at_once) <= 100


def test_a_final_revision_withdraws_the_old_findings_in_one_step() -> None:
    line = Line()
    (old,) = line.feed([said(1, "全网最低", revision=1)]).findings
    outcome = line.feed([said(1, "全网不低", revision=2)])
    assert not outcome.findings
    assert [(w.event_id, w.revision, w.reason) for w in outcome.withdrawals] == [("e1", 2, "revised")]
    (other,) = line.feed([said(2, "全网最低")]).findings
    assert other.opened_by == other.id != old.id


def test_a_violation_that_stands_in_the_new_revision_stays_in_its_alert() -> None:
    line = Line()
    (old,) = line.feed([said(1, "全网最低", revision=1)]).findings
    (new,) = line.feed([said(1, "真的全网最低", revision=2)]).findings
    assert new.id != old.id
    assert new.opened_by == old.id


def test_what_is_doubtful_in_a_finding_is_told_with_it() -> None:
    """A clause of low confidence, and one that did not hold on the event's day in the tenant's zone."""
    def clause(name: str, confidence: Confidence, since: date | None) -> Clause:
        return Clause(id=name, document="d", issuer="i", article="a", requirement="r", effective_from=since,
                      confidence=confidence, categories=("absolute_claim",))

    day = 86_400_000
    register = {each.id: each for each in (
        clause("LOW", Confidence.LOW, None), clause("NEW", Confidence.HIGH, date(1970, 1, 3)))}
    exempt = terms("exempt", "本店款")
    judging = rule(terms("claim", "全网最低"), exempt, name="t.lowest", clauses=("NEW",),
                   exempt=Exempt("exempt", 9, "LOW"))
    set_of = EngineSet(RuleSet((judging,), register, "test", {}), tables(), zone=ZONE)
    found = [Scanner(set_of).scan([said(1, "本店款全网最低", at=at)])[0].findings[0]
             for at in (day, 2 * day - 8 * 3_600_000)]
    assert [(f.unverified, f.not_in_force) for f in found] == [(["LOW"], ["NEW"]), (["LOW"], [])]
    assert opened(found[0]).not_in_force == ["NEW"]


def test_an_older_revision_that_comes_late_is_superseded() -> None:
    line = Line()
    line.feed([said(1, "全网不低", revision=2)])
    outcome = line.feed([said(1, "全网最低", revision=1)])
    assert not outcome.findings
    assert outcome.suppressed == {"superseded": 1}


def test_a_numbered_correction_takes_the_place_of_a_result_without_a_revision() -> None:
    line = Line()
    (old,) = line.feed([said(1, "全网最低")]).findings
    outcome = line.feed([said(1, "全网不低", revision=1)])
    assert ([old.revision], [w.revision for w in outcome.withdrawals], outcome.findings) == ([0], [1], [])
    again = line.feed([said(1, "全网最低")])
    assert (again.findings, again.suppressed) == ([], {"superseded": 1})


@pytest.mark.parametrize(("one", "other"), [(("a\x1fb", "c"), ("a", "b\x1fc")), (("ab", "c"), ("a", "bc"))])
def test_revisions_of_different_events_are_not_mixed_up(one: tuple[str, str], other: tuple[str, str]) -> None:
    line = Line()
    line.feed([said(1, "全网不低", revision=2, source=one[0], id=one[1])])
    assert line.feed([said(1, "全网最低", source=other[0], id=other[1])]).findings


def test_an_interim_result_is_no_alert() -> None:
    outcome = Line().feed([said(1, "全网最低", final=False)])
    assert not outcome.findings
    assert outcome.suppressed == {"interim": 1}


def test_contact_data_is_masked_in_all_that_is_derived() -> None:
    ring = Ring(0, max_bytes=10**6)
    line = Line(ring=ring)
    outcome = line.feed([said(1, "全网最低打13800138000")])
    (finding,) = outcome.findings
    assert finding.text == "全网最低打***********"
    assert finding.spans[0].text == "全网最低"
    (kept,) = outcome.judged
    assert [(m.event, m.start, m.end, m.kind) for m in kept.masks] == [(0, 5, 16, "phone")]
    (context,) = ring.lines(("local", "a"), since=0, until=10**9)
    assert context.text == finding.text


def test_a_line_of_context_says_how_sure_its_recognition_was() -> None:
    ring = Ring(0, max_bytes=10**6)
    Line(ring=ring).feed([said(1, "全网最低", confidence=0.86), said(2, "好吃"), said(3, "便宜", confidence=0.0)])
    assert [line.confidence for line in ring.lines(("local", "a"), since=0, until=10**9)] == [0.86, None, 0.0]


def test_sampled_events_are_not_judged_but_masked() -> None:
    line = Line()
    built = frames.build(
        [said(n, "全网最低13800138000", kind=Kind.COMMENT, speaker=Speaker(Role.UNKNOWN, "u")) for n in range(10)],
        tenant="local", accepted_at=0, pseudonym=str, revision_of=lambda e: 0, sample=5)
    outcome = line.lane.run([Admitted(1, built[0], ["b"] * 10)])
    assert {f.event_id for f in outcome.findings} <= {"e0", "e5"}
    assert outcome.shed == {"comment": 8}
    assert len(outcome.judged[0].masks) == 10


def test_context_reaches_a_minute_both_ways_and_only_alerted_rooms_are_written() -> None:
    ring = Ring(0, max_bytes=10**7)
    line = Line(ring=ring)
    chunks = []
    for second in range(0, 300):
        text = "全网最低" if second == 150 else f"第{second}句"
        outcome = line.feed([said(second, text), said(second, text="别的房间", room="b", id=f"b{second}")],
                            accepted_at=second * 1_000)
        chunks += outcome.context
    for second in (301, 310, 320):
        chunks += line.lane.tick(99, second * 1_000 + STAY_MS).context
    assert len(chunks) < 121 / 5  # a few seconds' lines together
    lines = [ln for c in chunks for ln in c.lines]
    assert {ln.room for ln in lines} == {"a"}
    assert [ln.at for ln in lines] == list(range(150_000 - REACH_MS, 150_000 + REACH_MS + 1, 1_000))
    chosen = nearest([*lines, *lines], at=150_000, most=10)
    assert [ln.at for ln in chosen] == list(range(145_000, 155_000, 1_000))


def test_the_ring_is_bounded_in_bytes() -> None:
    ring = Ring(0, max_bytes=5_000)
    line = Line(ring=ring)
    for n in range(500):
        line.feed([said(n, "话" * 20)], accepted_at=n)
    assert ring._bytes < 7_000
    assert (ring.first_held() or 0) > 400


def test_the_lines_of_a_loud_room_are_cut_into_chunks() -> None:
    line = Line(ring=Ring(0, max_bytes=10**7))
    line.feed([said(1, "全网最低", id=f"e{n}") for n in range(100)], accepted_at=1_000)
    chunks = line.lane.tick(99, STAY_MS + 2_000).context + line.lane.tick(99, STAY_MS + 8_000).context
    assert [len(c.lines) for c in chunks] == [CHUNK_LINES, CHUNK_LINES, CHUNK_LINES, 100 - 3 * CHUNK_LINES]


def test_a_line_is_to_be_had_until_it_is_in_a_chunk() -> None:
    ring = Ring(0, max_bytes=10**7)
    line = Line(ring=ring)
    line.feed([said(1, "全网最低")], accepted_at=1_000)
    assert line.lane.tick(99, STAY_MS + 2_000).context == []  # it has left the ring and waits for more of its room
    assert [ln.text for ln in ring.lines(("local", "a"), since=0, until=10**6)] == ["全网最低"]
    assert ring.first_held() == 1
    (chunk,) = line.lane.tick(99, STAY_MS + 10_000).context
    assert [ln.text for ln in chunk.lines] == ["全网最低"]
    assert ring.lines(("local", "a"), since=0, until=10**6) == []
    assert ring.first_held() is None


def test_what_gathers_can_be_flushed_before_its_window_is_forgotten() -> None:
    line = Line(ring=Ring(0, max_bytes=10**7))
    line.feed([said(1, "全网最低"), said(2, "第二句")], accepted_at=1_000)
    assert line.lane.tick(99, STAY_MS + 2_000).context == []
    (chunk,) = line.lane.flush()
    assert [ln.text for ln in chunk.lines] == ["全网最低", "第二句"]
    assert line.lane.flush() == []
    assert line.lane.tick(99, STAY_MS + 60_000).context == []


TEXTS = st.sampled_from(["全网最低", "全网.最低", "根治脚气", "你好", "一号链接", "拳网最低", "全网最", "低"])
EVENTS = st.lists(st.tuples(TEXTS, st.sampled_from(["a", "b"]), st.integers(0, 90), st.booleans()), max_size=60)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(1, 20))
def test_findings_and_alerts_do_not_depend_on_the_cut(rows: list[tuple[str, str, int, bool]], step: int) -> None:
    events = []
    at = 0
    for n, (text, room, pause, viewer) in enumerate(rows):
        at += pause * 1_000
        events.append(said(n, text, room=room, at=at, kind=Kind.COMMENT if viewer else Kind.TRANSCRIPT,
                           speaker=Speaker(Role.VIEWER, "u") if viewer else None))

    def outcome(size: int) -> object:
        scanner = Scanner(ENGINE, with_alerts=True)
        found = [[f.id for f in s.findings] for i in range(0, len(events), size)
                 for s in scanner.scan(events[i : i + size])]
        return found, sorted((a.id, a.broadcast, ids) for a, ids in scanner.alerts())

    assert outcome(step) == outcome(max(1, len(events)))


def test_state_survives_its_snapshot() -> None:
    line = Line()
    line.feed([said(1, "全网最低", revision=1)])
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(line.lane.snapshot()), type=LaneState)
    again = Lane(0, ENGINE, GroupingSettings(), state=state)
    assert again.snapshot() == line.lane.snapshot()


def test_a_tick_lets_go_of_groups_that_no_finding_can_join() -> None:
    """By the time that they were seen, gap and longest span, and a minute for what comes late."""
    line = Line()
    line.feed([said(1, "全网最低")], accepted_at=1_000)
    rest = GroupingSettings().gap_ms + GroupingSettings().longest_ms + 60_000
    groups = line.lane.state.grouping.groups
    line.lane.tick(2, 1_000 + rest)
    assert len(groups) == 1
    line.lane.tick(3, 1_001 + rest)
    assert not groups
