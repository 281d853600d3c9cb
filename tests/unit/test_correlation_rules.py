"""What is wrong with a correlation rule, and where the rules run."""

from typing import Any

import pytest

from monitor.domain.correlations import After, By, CorrelationRule, Field, Threshold, faults
from monitor.domain.events import HOST_SIDE, VIEWERS, Kind, Role
from monitor.domain.rules import Applies
from monitor.engine.correlation_lanes import lanes_in, lanes_of, placed, silenced
from tests.unit.test_correlation import BASE, S, correlation

GOOD: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    ("event_count", ("a",), {"condition": Threshold(gte=2), "wave": True}),
    ("event_count", ("a", "b"), {"condition": Threshold(eq=1), "group_by": (By.ROOM, By.RULE, By.SPEAKER)}),
    ("value_count", ("a", "b"), {"field": Field.RULE, "condition": Threshold(gt=1)}),
    ("value_count", ("a",), {"field": Field.SPEAKER, "condition": Threshold(gte=2, lte=1_000), "generate": False}),
    ("temporal", ("a", "b"), {"timespan_ms": S}),
    ("temporal_ordered", ("b", "a"), {"timespan_ms": 86_400 * S}),
    ("absence", (), {"after": After(), "within_ms": S, "unless": ("a",)}),
    ("absence", (), {"after": After(rule="b"), "within_ms": S, "unless": ("a",), "every_ms": 60 * S}),
    ("absence", (), {"after": After(signal="lottery_started"), "within_ms": S, "unless": ("a", "c")}),
]

BAD: list[tuple[str, tuple[str, ...], dict[str, Any], str, str]] = [
    ("event_count", (), {}, "rules", "needs 1 rules or more"),
    ("temporal", ("a",), {}, "rules", "needs 2 rules or more"),
    ("temporal", ("a", "a"), {}, "rules", "a is named twice"),
    ("event_count", ("nobody",), {}, "rules", "there is no rule nobody"),
    ("event_count", ("x",), {}, "rules", "x refers to itself"),
    ("event_count", ("a",), {"timespan_ms": 999}, "timespan", "0.999 s is out of bounds"),
    ("event_count", ("a",), {"timespan_ms": 86_400_001}, "timespan", "out of bounds"),
    ("event_count", ("a",), {"timespan_ms": 0}, "timespan", "out of bounds"),
    ("event_count", ("a",), {"condition": None}, "condition", "a count needs a condition"),
    ("event_count", ("a",), {"condition": Threshold()}, "condition", "a count needs a condition"),
    ("event_count", ("a",), {"condition": Threshold(gte=1)}, "condition", "one finding is no correlation"),
    ("event_count", ("a",), {"condition": Threshold(gt=0)}, "condition", "one finding is no correlation"),
    ("event_count", ("a",), {"condition": Threshold(gte=5, lt=5)}, "condition", "at least 5 and at most 4"),
    ("event_count", ("a",), {"condition": Threshold(eq=0)}, "condition", "at least 1 and at most 0"),
    ("event_count", ("a",), {"condition": Threshold(gte=2, gt=3)}, "condition", "two bounds say the same"),
    ("event_count", ("a",), {"condition": Threshold(eq=2, lte=3)}, "condition", "two bounds say the same"),
    ("event_count", ("a",), {"condition": Threshold(gte=1_001)}, "condition", "a count of 1001 is too much"),
    ("event_count", ("a",), {"condition": Threshold(lte=1_001)}, "condition", "a count of 1001 is too much"),
    ("event_count", ("a",), {"field": Field.TEXT}, "field", "event_count takes no field"),
    ("event_count", ("a",), {"group_by": (By.SPEAKER,)}, "group-by", "different rooms are not correlated"),
    ("event_count", ("a",), {"group_by": (By.ROOM, By.ROOM)}, "group-by", "a name stands twice"),
    ("temporal", ("a", "b"), {"group_by": (By.ROOM, By.RULE)}, "group-by", "different rules never meet"),
    ("temporal", ("a", "b"), {"condition": Threshold(gte=2)}, "condition", "temporal takes no condition"),
    ("temporal_ordered", ("a", "b"), {"wave": True}, "wave", "takes no wave"),
    ("value_count", ("a",), {}, "field", "it is not said what is counted"),
    ("value_count", ("a",), {"field": Field.SPEAKER, "group_by": (By.ROOM, By.SPEAKER)}, "field", "it has one value"),
    ("value_count", ("a",), {"field": Field.TEXT, "wave": True}, "field", "the texts of a wave are one value"),
    ("value_count", ("a", "b"), {"field": Field.RULE}, "condition", "only 2 rules are named"),
    ("absence", (), {"within_ms": S, "unless": ("a",)}, "after", "it is not said what the statement must follow"),
    ("absence", (), {"after": After(), "within_ms": S}, "unless", "needs 1 rules or more"),
    ("absence", (), {"after": After(), "unless": ("a",)}, "within", "0 s is out of bounds"),
    ("absence", (), {"after": After(), "within_ms": S, "unless": ("a",), "every_ms": S}, "every", "out of bounds"),
    ("absence", ("a",), {"after": After(), "within_ms": S, "unless": ("a",)}, "rules", "absence takes no rules"),
    ("absence", (), {"after": After(), "within_ms": S, "unless": ("a",), "timespan_ms": S}, "timespan", "takes no"),
    ("absence", (), {"after": After(signal="applause"), "within_ms": S, "unless": ("a",)}, "after", "applause"),
    ("absence", (), {"after": After(signal="broadcast_ended"), "within_ms": S, "unless": ("a",)}, "after", "nothing"),
    ("absence", (), {"after": After("gift", "a"), "within_ms": S, "unless": ("b",)}, "after", "a signal and a rule"),
    ("absence", (), {"after": After(rule="a"), "within_ms": S, "unless": ("a",)}, "unless", "would satisfy"),
    ("absence", (), {"after": After(rule="q"), "within_ms": S, "unless": ("a",)}, "after", "there is no rule q"),
]


@pytest.mark.parametrize("kind, rules, more", GOOD)
def test_sound_rules_have_no_fault(kind: str, rules: tuple[str, ...], more: dict[str, Any]) -> None:
    assert faults([correlation(kind, *rules, **more)], BASE) == []


@pytest.mark.parametrize("kind, rules, more, key, message", BAD)
def test_what_is_wrong_is_said_with_its_key_and_a_hint(
    kind: str, rules: tuple[str, ...], more: dict[str, Any], key: str, message: str
) -> None:
    (fault,) = faults([correlation(kind, *rules, **more)], BASE)
    assert (fault.rule, fault.key) == ("x", key)
    assert message in fault.message
    assert fault.hint


def test_all_faults_at_once() -> None:
    bad = correlation("event_count", "p", "p", timespan_ms=1, condition=Threshold(gte=0), group_by=())
    assert {fault.key for fault in faults([bad], BASE)} == {"rules", "timespan", "condition", "group-by"}


def test_circles_are_found_at_each_of_their_rules_and_nowhere_else() -> None:
    rules = [correlation("event_count", "q", name="p"), correlation("temporal", "r", "a", name="q"),
             correlation("event_count", "p", name="r"), correlation("event_count", "p", name="outside")]
    found = faults(rules, BASE)
    assert [(f.rule, f.message) for f in found] == [
        ("p", "p refers to itself by way of r"), ("q", "q refers to itself by way of p"),
        ("r", "r refers to itself by way of q")]
    absence = correlation("absence", name="p", after=After(), within_ms=S, unless=("p",))
    assert [f.message for f in faults([absence], BASE)] == ["p refers to itself"]


def test_ids_are_unique_and_an_absence_is_nothing_to_count() -> None:
    absence = correlation("absence", name="p", after=After(), within_ms=S, unless=("a",))
    assert [f.message for f in faults([absence, correlation("event_count", "p")], BASE)] == [
        "p is an absence: it has no event that could be counted"]
    assert [f.key for f in faults([absence, absence], BASE)] == ["id"]
    assert [f.key for f in faults([correlation("event_count", "a", name="b")], BASE)] == ["id"]


@pytest.mark.parametrize("bounds, low, high", [
    (Threshold(gte=3), 3, None), (Threshold(gt=3), 4, None), (Threshold(lt=3), 1, 2), (Threshold(lte=3), 1, 3),
    (Threshold(eq=3), 3, 3), (Threshold(gt=1, lt=4), 2, 3)])
def test_bounds_of_a_count(bounds: Threshold, low: int, high: int | None) -> None:
    assert (bounds.low, bounds.high) == (low, high)


# --- lanes

SPOKEN = Applies(kinds=frozenset((Kind.TRANSCRIPT,)))
WRITTEN = Applies(kinds=frozenset((Kind.COMMENT,)), speakers=frozenset((Role.VIEWER,)))
ANY = Applies()
APPLIES = {"a": SPOKEN, "b": WRITTEN, "c": ANY, "d": SPOKEN}
HOST, VIEWER, BOTH = frozenset((HOST_SIDE,)), frozenset((VIEWERS,)), frozenset((HOST_SIDE, VIEWERS))


@pytest.mark.parametrize("applies, lanes", [
    (SPOKEN, HOST), (WRITTEN, VIEWER), (ANY, BOTH),
    (Applies(kinds=frozenset((Kind.COMMENT,)), speakers=frozenset((Role.HOST, Role.ASSISTANT))), HOST),
    (Applies(kinds=frozenset((Kind.COMMENT,)), speakers=frozenset((Role.OFFICIAL,))), BOTH),  # nobody knows who it is
    (Applies(kinds=frozenset()), frozenset()),
])
def test_lanes_that_a_rule_looks_at(applies: Applies, lanes: frozenset[int]) -> None:
    assert lanes_in(applies) == lanes


def test_lanes_that_a_correlation_needs() -> None:
    def needs(*rules: CorrelationRule) -> frozenset[int]:
        return lanes_of(rules[0], {rule.id: rule for rule in rules}, APPLIES.__getitem__)

    assert needs(correlation("temporal", "a", "d")) == HOST
    assert needs(correlation("temporal", "a", "b")) == BOTH
    assert needs(correlation("event_count", "b")) == VIEWER
    assert needs(correlation("temporal", "a", "c", applies=SPOKEN)) == HOST
    assert needs(correlation("event_count", "y"), correlation("event_count", "b", name="y")) == VIEWER
    assert needs(correlation("absence", after=After(), within_ms=S, unless=("a",))) == HOST
    assert needs(correlation("absence", after=After(), within_ms=S, unless=("b",))) == BOTH
    assert needs(correlation("absence", after=After(rule="b"), within_ms=S, unless=("a",))) == BOTH


def test_each_correlation_runs_on_the_fewest_lanes_and_serves_others_quietly() -> None:
    rules = [correlation("event_count", "a", name="spoken"), correlation("event_count", "b", name="written"),
             correlation("temporal", "spoken", "written", name="mixed"), correlation("event_count", "c", name="any"),
             correlation("event_count", "b", name="never", applies=SPOKEN)]
    found = placed(rules, APPLIES.__getitem__)
    assert {lanes: ([r.id for r in p.rules], p.quiet) for lanes, p in found.items()} == {
        HOST: (["spoken"], frozenset()), VIEWER: (["written"], frozenset()),
        BOTH: (["spoken", "written", "mixed", "any"], {"spoken", "written"})}


def test_what_makes_no_finding_of_its_own() -> None:
    rules = [correlation("temporal", "a", "b"), correlation("event_count", "c", generate=False),
             correlation("absence", after=After(rule="a"), within_ms=S, unless=("d",))]
    assert silenced(rules) == {"c", "d"}
