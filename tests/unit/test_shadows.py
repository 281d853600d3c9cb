"""Rules in the shadow: what they find is noted, and nothing else is other than without them."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.correlations import CorrelationRule
from monitor.domain.errors import NotFound
from monitor.domain.events import Event, Kind
from monitor.domain.findings import Finding, Span
from monitor.domain.moves import Outcome as Decided
from monitor.domain.rules import DIVERSION, Rule, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.engineset import EngineSet
from monitor.services.lane import Outcome
from monitor.services.scan import Scanner
from monitor.services.shadows import ShadowDesk, ShadowHit, ShadowNotes, hit_of, shadow_rules
from tests.unit.rulekit import ZONE, rule, tables, terms
from tests.unit.test_correlating import House, comment, series, speech
from tests.unit.test_lane import Line, said

BESIDE = frozenset((Status.SHADOW,))
LOWEST = rule(terms("claim", "全网最低"), name="t.lowest")
CURE = rule(terms("claim", "根治"), name="t.cure")
TRIED = rule(terms("claim", "全网最低", "保证"), name="t.tried", status=Status.SHADOW)
DIVERTED = rule(terms("claim", "小号"), name="t.diverted", status=Status.SHADOW, sub=DIVERSION)


def engine(*rules: Rule, correlations: Sequence[CorrelationRule] = (), beside: frozenset[Status] = BESIDE) -> EngineSet:
    return EngineSet(RuleSet(rules, {}, "t", {}, {}, tuple(correlations)), tables(), zone=ZONE, beside=beside)


ENGINE = engine(LOWEST, CURE, TRIED, DIVERTED)


def shadows(outcome: Outcome) -> list[tuple[str, str]]:
    return [(finding.rule, finding.event_id) for finding in outcome.shadows]


def apart(outcome: Outcome) -> Outcome:
    """All but what shadows found, and the version of what judged."""
    return replace(outcome, shadows=[], findings=[replace(f, engine_set="") for f in outcome.findings])


WORDS = st.sampled_from(["全网最低", "保证", "根治", "小号", "加我小号 abc12345", "好", "13800138000", "全网", "最低"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=3).map("".join), st.integers(0, 2)), min_size=1,
                max_size=6))
def test_without_them_all_else_is_the_same(lines: list[tuple[str, int]]) -> None:
    events = [said(n, text, id=f"e{n % 4}", revision=revision, final=revision != 1)
              for n, (text, revision) in enumerate(lines)]
    with_them, without = Line(engine=ENGINE), Line(engine=engine(LOWEST, CURE, TRIED, DIVERTED, beside=frozenset()))
    for event in events:
        found, plain = with_them.feed([event]), without.feed([event])
        assert apart(found) == apart(plain) and plain.shadows == []


def test_what_they_find_is_noted_and_is_no_finding() -> None:
    outcome = Line(engine=ENGINE).feed([said(1, "全网最低"), said(9, "保证"), said(18, "根治")])
    assert [finding.rule for finding in outcome.findings] == ["t.lowest", "t.cure"]
    assert shadows(outcome) == [("t.tried", "e1"), ("t.tried", "e9")]
    assert ENGINE.judging == 2 and ENGINE.shadows == {"t.tried", "t.diverted"}


def test_only_what_stands_is_noted() -> None:
    line = Line(engine=ENGINE)
    assert shadows(line.feed([said(1, "保证", final=False)])) == []
    assert shadows(line.feed([said(1, "保证", revision=2)])) == [("t.tried", "e1")]
    assert shadows(line.feed([said(1, "保证", revision=1)])) == []
    outcome = line.feed([said(1, "好", revision=3)])
    assert [(w.event_id, w.revision) for w in outcome.withdrawals] == [("e1", 3)] and not outcome.shadows


def test_contact_data_that_only_their_words_point_at_is_masked_in_what_is_noted() -> None:
    outcome = Line(engine=ENGINE).feed([said(1, "加我小号 abc12345")])
    (hit,) = outcome.shadows
    assert "abc12345" not in hit.text and hit.text.startswith("加我小号")


def test_what_is_said_over_several_events_is_noted() -> None:
    outcome = Line(engine=ENGINE).feed([said(1, "我跟你们保"), said(2, "证")])
    (hit,) = outcome.shadows
    assert (hit.rule, hit.event_ids) == ("t.tried", ["e1", "e2"])


def test_a_correlation_in_the_shadow_silences_no_rule_that_makes_findings() -> None:
    often, both = (replace(series("event_count", of, name=name, generate=False), status=Status.SHADOW)
                   for of, name in (("t.cure", "t.often"), ("t.tried", "t.both")))
    house = ShadowHouse(engine(CURE, TRIED, correlations=[often, both]))
    house.feed(speech(1, "根治"), speech(2, "保证"), speech(3, "根治"), speech(4, "保证"))
    house.feed(comment(60, "好"), speech(200, "好"))
    assert {finding.rule for finding in house.findings.values()} == {"t.cure"}
    assert {finding.rule for finding in house.shadows} == {"t.often", "t.both"}


class ShadowHouse(House):
    def __init__(self, engine: EngineSet) -> None:
        super().__init__(engine)
        self.shadows: list[Finding] = []

    def take(self, outcome: Outcome) -> None:
        self.shadows += outcome.shadows
        super().take(outcome)


def test_a_scan_tells_them_apart() -> None:
    scanner = Scanner(ENGINE, with_alerts=True)
    (item,) = [*scanner.scan([Event(id="1", kind=Kind.TRANSCRIPT, text="全网最低，保证")]), *scanner.finish()]
    assert [f.rule for f in item.findings] == ["t.lowest"] and [f.rule for f in item.shadows] == ["t.tried"]
    assert [alert.rule for alert, _ in scanner.alerts()] == ["t.lowest"]


def finding(**more: object) -> Finding:
    (found,) = Line(engine=ENGINE).feed([said(1, "保证")]).shadows
    return replace(found, **more)


def test_of_a_long_text_what_stands_around_the_hit_is_kept() -> None:
    long = "好" * 1_000 + "保证" + "好" * 1_000
    (found,) = Line(engine=ENGINE).feed([said(1, long)]).shadows
    hit = hit_of(found)
    (span,) = hit.spans
    assert len(hit.text) == 400 and hit.text[span.start : span.end] == span.text == "保证"
    assert hit_of(finding()).text == "保证"
    far = finding(text=long, spans=[Span(at, at + 2, "保证", "claim", "plain") for at in (1_000, 1_900)])
    assert [(s.start, s.end) for s in hit_of(far).spans] == [(100, 102)]


class Kept:
    """Implements `KeptShadows`."""

    def __init__(self, notes: ShadowNotes) -> None:
        self.kept, self.asked = notes, list[tuple[object, ...]]()

    async def notes(self, tenant: str, rule: str, version: str, *, since: int) -> ShadowNotes:
        self.asked.append((tenant, rule, version, since))
        return self.kept


class Noon:
    def now(self) -> int:
        return NOON


NOON, HOUR = 1_795_060_800_000, 3_600_000  # 2026-11-19 04:00 UTC: noon in Shanghai


def hit(name: str, room: str, outcome: str = "", alert: str = "") -> ShadowHit:
    return replace(hit_of(finding()), id=name, room=room, outcome=outcome, alert=alert)


async def test_a_trial_tells_how_the_version_that_judges_does() -> None:
    hits = [hit("1", "a", Decided.VIOLATION, "x"), hit("2", "a", Decided.NO_VIOLATION, "y"), hit("3", "b", "", "z"),
            *(hit(f"n{n}", "b") for n in range(30))]
    kept = Kept(ShadowNotes(NOON - 5, {NOON: 3, NOON - 12 * HOUR: 2, NOON - 13 * HOUR: 1}, hits))
    trial = await ShadowDesk(kept, lambda: ENGINE.ruleset, ZONE, Noon()).trial("a", "t.tried")
    assert kept.asked == [("a", "t.tried", "1", NOON - 30 * 24 * HOUR)]
    assert [(day.day, day.findings) for day in trial.days] == [("2026-11-18", 1), ("2026-11-19", 5)]
    assert (trial.since, trial.findings, trial.looked_at, trial.rooms) == (NOON - 5, 6, 33, 2)
    assert (trial.with_alert, trial.violations, trial.otherwise) == (3, 1, 1)
    assert [each.id for each in trial.hits[:3]] == ["1", "2", "3"] and len(trial.hits) == 20


@pytest.mark.parametrize("name", ["t.lowest", "t.none"])
async def test_only_of_rules_in_the_shadow_there_is_a_trial(name: str) -> None:
    with pytest.raises(NotFound):
        await ShadowDesk(Kept(ShadowNotes(None, {}, [])), lambda: ENGINE.ruleset, ZONE, Noon()).trial("a", name)


def test_a_set_names_its_rules_in_the_shadow() -> None:
    named = shadow_rules(ENGINE.ruleset.all(), 7)
    assert [(each.rule, each.version, each.since) for each in named] == [("t.diverted", "1", 7), ("t.tried", "1", 7)]
