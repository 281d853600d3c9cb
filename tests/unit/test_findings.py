"""Findings that say the same of the same words stand together."""

from msgspec.structs import replace

from monitor.domain.findings import Finding, Severity, Span, gathered
from tests.functional.fakes import alert, finding_of


def finding(rule: str, *spans: tuple[int, int], severity: Severity = Severity.HIGH, **more: object) -> Finding:
    some = [Span(start, end, "x" * (end - start), "claim", "plain") for start, end in spans]
    facts = {"rule": rule, "spans": some, "severity": severity, "category": ["absolute_claim"]} | more
    return replace(finding_of(alert()), **facts)


def groups(*findings: Finding) -> list[list[str]]:
    return [[each.rule for each in group] for group in gathered(findings)]


def test_the_severest_leads_then_what_has_the_most_words() -> None:
    low, long = finding("low", (0, 9), severity=Severity.LOW), finding("long", (0, 3), (5, 8))
    assert groups(low, finding("short", (1, 3)), long) == [["long", "short", "low"]]


def test_other_words_categories_and_events_are_told_by_themselves() -> None:
    first = finding("first", (0, 4))
    for other in (finding("words", (4, 6)), finding("category", (0, 4), category=["medical_claim"]),
                  finding("window", (0, 4), event_ids=["a", "b"])):
        assert groups(first, other) == [["first"], [other.rule]]
    assert groups(first, finding("same", (3, 5), category=["absolute_claim", "price_consumer"])) == [["first", "same"]]


def test_a_hint_at_an_exemption_is_not_hidden() -> None:
    hint = finding("hint", (0, 4), severity=Severity.INFO, exempt="AD-09-3")
    assert groups(finding("first", (0, 4)), hint) == [["first"], ["hint"]]


def test_two_without_words_are_two() -> None:
    assert groups(finding("a"), finding("b")) == [["a"], ["b"]]
