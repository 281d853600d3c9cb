"""Correlations in rule files: what they say, and what is wrong with them, at its place."""

import pytest

from monitor.adapters.rulefiles import load_sources
from monitor.domain.correlations import After, By, CaseEvent, Correlation, CorrelationType, Field, Threshold
from monitor.domain.errors import RuleError
from monitor.domain.events import Kind, Role
from monitor.domain.rulesets import RuleSet

CLAUSES = b"""
- {id: A-1, document: d, issuer: i, article: a, requirement: r, confidence: high, categories: [spam_fakedata]}
"""
HEAD = """title: t
tier: redline
category: [spam_fakedata]
severity: high
status: active
clauses: [A-1]
"""


def simple(name: str, word: str, status: str = "active") -> str:
    return f"id: {name}\n" + HEAD.replace("status: active", f"status: {status}") + f"""
detection: {{claim: [{word}], condition: claim}}
cases: [{{text: {word}, expect: [claim]}}, {{text: 你好, expect: none}}]
"""


CASES = """
cases:
  - {events: [{after: 0s, text: 甲甲甲}, {after: 2s, text: 乙乙乙}], expect: finding}
  - {events: [{after: 0s, text: 甲甲甲}], expect: none}
"""


def load(correlation: str, *, cases: str = CASES, **more: str) -> RuleSet:
    files = {"clauses.yml": CLAUSES, "p/pack.yml": b"{id: p, title: p, version: 1}",
             "p/a.yml": simple("x.a", "甲甲甲").encode(), "p/b.yml": simple("x.b", "乙乙乙").encode(),
             "p/c.yml": f"id: x.c\n{HEAD}correlation: {correlation}\n{cases}".encode()}
    return load_sources(files | {f"p/{name}.yml": text.encode() for name, text in more.items()})


def faults(correlation: str, **more: str) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load(correlation, **more)
    return str(caught.value).split("\n")


def test_counts() -> None:
    rules = load("{type: value_count, rules: [x.a, x.b], field: speaker, group-by: [room, broadcast], timespan: 2m, "
                 "condition: {gte: 3, lt: 9}, wave: true, generate: false}")
    [rule] = rules.correlations
    assert rule.correlation == Correlation(
        type=CorrelationType.VALUE_COUNT, rules=("x.a", "x.b"), field=Field.SPEAKER, group_by=(By.ROOM, By.BROADCAST),
        timespan_ms=120_000, condition=Threshold(gte=3, lt=9), wave=True, generate=False)
    assert (rule.id, rule.pack, rule.clauses, rule.path, rule.line) == ("x.c", "p", ("A-1",), "p/c.yml", 1)
    assert [r.id for r in rules.all()] == ["x.a", "x.b", "x.c"]


def test_the_type_alone_takes_defaults() -> None:
    [rule] = load("{type: temporal, rules: [x.a, x.b], timespan: 60s}").correlations
    assert rule.correlation.group_by == (By.ROOM,)
    assert rule.correlation.generate


@pytest.mark.parametrize(
    ("after", "expected"),
    [("broadcast", After()), ("{signal: lottery_started}", After(signal="lottery_started")),
     ("{rule: x.a}", After(rule="x.a"))],
)
def test_absences(after: str, expected: After) -> None:
    [rule] = load(f"{{type: absence, after: {after}, within: 5m, unless: [x.b], every: 1h}}").correlations
    assert rule.correlation == Correlation(type=CorrelationType.ABSENCE, after=expected, within_ms=300_000,
                                           unless=("x.b",), every_ms=3_600_000)


def test_cases() -> None:
    [rule] = load("{type: temporal, rules: [x.a, x.b], timespan: 60s}", cases="""
cases:
  - events:
      - {after: 0s, text: 甲, kind: comment, speaker: viewer, account: one}
      - {after: 500ms, signal: pk_started}
    until: 10m
    expect: finding
  - {events: [{after: 3s, text: 乙}], expect: none}
""").correlations
    first, second = rule.cases
    assert first.events == (
        CaseEvent(after_ms=0, text="甲", kind=Kind.COMMENT, speaker=Role.VIEWER, account="one"),
        CaseEvent(after_ms=500, signal="pk_started"))
    assert (first.until_ms, first.expect, first.line) == (600_000, True, 11)
    assert (second.length_ms, second.expect, second.line) == (3_000, False, 16)


@pytest.mark.parametrize(
    ("correlation", "fault"),
    [
        ("{}", "8:14: correlation has no type"),
        ("{type: sum}", "8:21: type: there is no 'sum'"),
        ("{type: temporal, rules: [x.a, x.z], timespan: 60s}", "8:38: rules: there is no rule x.z"),
        ("{type: temporal, rules: [x.a], timespan: 60s}", "8:38: rules: temporal needs 2 rules or more"),
        ("{type: temporal, rules: [x.a, x.b]}", "8:14: timespan: 0 s is out of bounds"),
        ("{type: temporal, rules: [x.a, x.b], timespan: 60}", "8:60: timespan is no length of time"),
        ("{type: temporal, rules: [x.a, x.b], timespan: 25h}", "8:60: timespan is no length of time"),
        ("{type: temporal, rules: [x.a, x.b], timespan: 60s, colour: red}", "8:65: correlation has no key 'colour'"),
        ("{type: temporal, rules: [x.a, x.b], timespan: 60s, within: 1m}", "8:73: within: temporal takes no within"),
        ("{type: temporal, rules: [x.a, x.b], timespan: 60s, group-by: [speaker]}", "8:75: group-by: findings of"),
        ("{type: temporal, rules: [x.a, x.b], timespan: 60s, group-by: [host]}", "8:76: group-by: there is no 'host'"),
        ("{type: event_count, rules: [x.a], timespan: 60s}", "8:14: condition: a count needs a condition"),
        ("{type: event_count, rules: [x.a], timespan: 60s, condition: {gte: '5'}}", "gte must be a whole number"),
        ("{type: event_count, rules: [x.a], timespan: 60s, condition: {gte: 5, lt: 3}}", "no count is at least 5"),
        ("{type: event_count, rules: [x.c], timespan: 60s, condition: {gte: 5}}", "rules: x.c refers to itself"),
        ("{type: absence, within: 5m, unless: [x.a]}", "8:14: after: it is not said what the statement must follow"),
        ("{type: absence, after: {}, within: 5m, unless: [x.a]}", "8:37: after names nothing"),
        ("{type: absence, after: {signal: moon}, within: 5m, unless: [x.a]}", "nothing follows a signal 'moon'"),
        ("{type: absence, after: {rule: x.a, signal: gift}, within: 5m, unless: [x.b]}", "a signal and a rule are"),
        ("{type: absence, after: broadcast, within: 5m}", "8:14: unless: absence needs 1 rules or more"),
    ],
)
def test_a_fault_is_named_at_its_place(correlation: str, fault: str) -> None:
    assert any(fault in line for line in faults(correlation)), faults(correlation)


@pytest.mark.parametrize(
    ("cases", "fault"),
    [
        ("", "8:14: the rule has no case"),
        ("cases: [{events: [], expect: none}]", "events is an empty list"),
        ("cases: [{events: [{after: 0s}], expect: none}]", "an event is a text or a signal"),
        ("cases: [{events: [{after: 0s, text: a, signal: gift}], expect: none}]", "an event is a text or a signal"),
        ("cases: [{events: [{after: 0s, signal: moon}], expect: none}]", "there is no signal 'moon'"),
        ("cases: [{events: [{text: a}], expect: none}]", "the event has no after"),
        ("cases: [{events: [{after: 9s, text: a}], until: 3s, expect: none}]", "until lies before the last event"),
        ("cases: [{events: [{after: 9s, text: a}], expect: [claim]}]", "expect must be a text"),
        ("cases: [{events: [{after: 9s, text: a}], expect: maybe}]", "expect: 'maybe' is no outcome"),
    ],
)
def test_a_fault_of_a_case_is_named(cases: str, fault: str) -> None:
    sound = "{type: temporal, rules: [x.a, x.b], timespan: 60s}"
    with pytest.raises(RuleError) as caught:
        load(sound, cases=cases)
    assert fault in str(caught.value).replace("1:1: the rule has no case", "8:14: the rule has no case")


def test_a_rule_is_of_one_kind() -> None:
    found = faults("{type: temporal, rules: [x.a, x.b], timespan: 60s}\ndetection: {claim: [甲甲], condition: claim}")
    assert any("9:12: a rule with a correlation has no detection" in line for line in found), found


def test_an_active_rule_rests_on_active_ones() -> None:
    found = faults("{type: temporal, rules: [x.a, x.d], timespan: 60s}", d=simple("x.d", "丁丁丁", "draft"))
    assert found[0].startswith("p/c.yml:8:14: x.d is draft, so nothing is found for this rule"), found


def test_a_reference_to_a_rule_that_cannot_be_read_is_no_second_fault() -> None:
    found = faults("{type: temporal, rules: [x.a, x.d], timespan: 60s}", d=simple("x.d", "丁"))
    assert len(found) == 1 and found[0].startswith("p/d.yml"), found


def test_rules_that_refer_to_each_other_are_refused() -> None:
    more = f"id: x.d\n{HEAD}correlation: {{type: temporal, rules: [x.a, x.c], timespan: 60s}}\n{CASES}"
    found = faults("{type: temporal, rules: [x.a, x.d], timespan: 60s}", d=more)
    assert any("refers to itself by way of" in line for line in found), found
