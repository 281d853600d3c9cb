"""What rules make of a classifier's scores."""

from pathlib import Path
from typing import Any

import pytest

from monitor.adapters import blobs
from monitor.domain.events import Kind
from monitor.domain.findings import Opinion, Tier
from monitor.domain.rules import Applies, Reach, Rule, Selection
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Match
from monitor.engine.pipeline import explain, judge
from tests.unit.mlkit import Written
from tests.unit.rulekit import ZONE, engine, event, rule, tables, terms
from tests.unit.test_correlation import correlation

ASKS = Applies(likely=True)
SAID = terms("claim", "全网最低")
TEXT = "咱家全网最低"


def score(category: str = "absolute_claim", gte: float = 0.0, name: str = "likely") -> Selection:
    return Selection(name=name, score=category, gte=gte)


def found(rules: Rule | list[Rule], value: float | dict[str, float] | None, text: str = TEXT) -> list[Match]:
    """What holds where the classifier gives this text this score, of absolute_claim by default; None: there is none."""
    scores = value if isinstance(value, dict) else {"absolute_claim": value or 0}
    scorer = None if value is None else Written({text: scores})
    some = rules if isinstance(rules, list) else [rules]
    return judge(engine(*some, scorer=scorer), EventBatch([event(text)])).matches


def ids(matches: list[Match]) -> list[str]:
    return [match.rule.rule.id for match in matches]


# --- likely: true


@pytest.mark.parametrize(("value", "holds"), [(None, True), (0.0, False), (0.19, False), (0.2, True), (1.0, True)])
def test_a_rule_that_asks_holds_where_its_category_is_not_unlikely(value: float | None, holds: bool) -> None:
    assert bool(found(rule(SAID, applies=ASKS), value)) is holds
    assert found(rule(SAID), value)


def test_one_of_its_categories_is_enough() -> None:
    two = rule(SAID, applies=ASKS, category=("absolute_claim", "minors"))
    assert found(two, {"absolute_claim": 0.0, "minors": 0.5})
    assert not found(two, {"absolute_claim": 0.1, "minors": 0.1, "vulgar_sexual": 0.9})


def test_a_rule_without_a_category_of_the_model_is_kept() -> None:
    assert found(rule(SAID, applies=ASKS, category=("process_duty",)), 0.0)
    assert found(rule(SAID, applies=ASKS, category=()), 0.0)
    assert found(rule(SAID, applies=ASKS), {"minors": 0.0})


def test_people_in_danger_are_never_unlikely() -> None:
    assert found(rule(SAID, applies=ASKS, tier=Tier.CARE), 0.0)


def test_what_correlations_hear_is_never_unlikely() -> None:
    """A statement that must be heard is lawful, so no classifier finds it likely."""
    notice = rule(SAID, applies=ASKS, name="t.notice")
    waiting = correlation("absence", "t.notice", generate=False, within_ms=60_000)
    both = EngineSet(RuleSet((notice,), {}, "test", {}, {}, (waiting,)), tables(), zone=ZONE,
                     scorer=Written({}, ["absolute_claim"]))
    assert "t.notice" in both.correlations.silenced
    assert ids(judge(both, EventBatch([event(TEXT)])).matches) == ["t.notice"]
    hint = rule(SAID, applies=ASKS, tier=Tier.ORIENTATION)
    assert found(hint, 0.0)


# --- score


@pytest.mark.parametrize(("gte", "value", "holds"), [
    (0.0, 0.79, False), (0.0, 0.8, True), (0.5, 0.49, False), (0.5, 0.5, True), (0.5, None, False)])
def test_a_score_holds_from_gte_on_or_from_what_the_model_finds_enough(
    gte: float, value: float | None, holds: bool
) -> None:
    assert bool(found(rule(score(gte=gte)), value)) is holds


@pytest.mark.parametrize(("text", "alone", "beside"), [
    ("买它买它买", False, True), ("买它买它买它", True, True), ("买 它🔥🔥 …！", False, True),
    ("加微信13800138000", False, True)])
def test_a_few_characters_are_no_finding_by_score_alone(text: str, alone: bool, beside: bool) -> None:
    assert bool(found(rule(score()), 0.9, text=text)) is alone
    assert bool(found(rule(SAID, score(), condition="claim or likely"), 0.9, text=text)) is beside


def test_a_score_of_a_label_that_the_model_has_not_is_unknown() -> None:
    assert not found(rule(score("minors")), 1.0)
    assert not found(rule(SAID, score("minors"), condition="claim and not likely"), 1.0)
    assert found(rule(SAID, score("minors"), condition="claim or likely"), 1.0)


@pytest.mark.parametrize(("condition", "without", "low", "high"), [
    ("claim and likely", False, False, True),
    ("claim and not likely", False, True, False),
    ("claim or likely", True, True, True),
    ("claim or not likely", True, True, True),
    ("claim and (claim or likely)", True, True, True),
])
def test_without_a_model_a_score_is_unknown(condition: str, without: bool, low: bool, high: bool) -> None:
    some = rule(SAID, score(), condition=condition)
    assert [bool(found(some, value)) for value in (None, 0.1, 0.9)] == [without, low, high]


def test_rules_that_rest_on_a_score_are_counted_as_not_evaluated_without_one() -> None:
    assert engine(rule(score()), rule(SAID, name="t.other")).not_evaluated == {"no_model": 1}
    assert engine(rule(score()), scorer=Written({}, ["minors"])).not_evaluated == {"no_model": 0}


def test_a_finding_by_score_has_no_spans_and_tells_its_scores() -> None:
    (match,) = found(rule(score("minors"), category=("absolute_claim",)), {"minors": 0.9, "absolute_claim": 0.5})
    assert match.spans == ()
    assert match.scores == pytest.approx({"absolute_claim": 0.5, "minors": 0.9})


# --- a score and a text


def test_a_score_gives_way_to_a_rule_of_the_same_category() -> None:
    by_score, by_text = rule(score(), name="t.score"), rule(SAID, name="t.text")
    assert ids(found([by_score, by_text], 0.9)) == ["t.text"]
    assert ids(found([by_score, by_text], 0.9, text="今天随便说说")) == ["t.score"]
    other = rule(SAID, name="t.other", category=("minors",))
    assert ids(found([by_score, other], 0.9)) == ["t.score", "t.other"]


def test_it_gives_way_to_no_rule_that_makes_no_finding() -> None:
    hint = rule(SAID, name="t.hint", tier=Tier.ORIENTATION)
    assert ids(found([rule(score(), name="t.score"), hint], 0.9)) == ["t.score", "t.hint"]


def test_a_neighbour_in_the_batch_takes_no_score_away() -> None:
    some = engine(rule(score(), name="t.score"), rule(SAID, name="t.text"),
                  scorer=Written({"今天随便说说": {"absolute_claim": 0.9}}))
    matches = judge(some, EventBatch([event(TEXT), event("今天随便说说")])).matches
    assert [(match.event, match.rule.rule.id) for match in matches] == [(0, "t.text"), (1, "t.score")]


# --- a score amid the words of a rule that does not hold

NEAR = (terms("claim", "全网最低", near=Reach(of=("ours",), within=4)), terms("ours", "咱家"))
DENIED = terms("denied", "并不是", veto=Reach(of=("claim",), within=2))
NEARLY, FAR, SPARED = "咱家这个袋子装得下就是全网最低", "袋子装得下就是全网最低", "咱家并不是全网最低"


def amid(text: str, value: float, *rules: Rule, limit: float = 0.5, judging: bool = True) -> list[str]:
    """Rules that hold for the text with this score of absolute_claim, by `judge` or by `explain`."""
    some = engine(*rules, scorer=Written({text: {"absolute_claim": value}}, ["absolute_claim", "minors"], amid=limit))
    batch = EventBatch([event(text)])
    if judging:
        return ids(judge(some, batch).matches)
    return [each.rule.rule.id for each in explain(some, batch) if each.judges]


@pytest.mark.parametrize("judging", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("text", "value", "holds"), [
    (NEARLY, 0.49, False), (NEARLY, 0.5, True), (NEARLY, 0.9, True),
    (FAR, 0.5, False), (FAR, 0.79, False), (FAR, 0.8, True),
    (SPARED, 0.79, False), (SPARED, 0.8, True)])
def test_a_lower_score_is_enough_where_a_rule_nearly_holds_and_none_is_spared(
    text: str, value: float, holds: bool, first: bool, judging: bool
) -> None:
    """Wherever the rule on scores stands among the others."""
    by_text, by_score = rule(*NEAR, DENIED, name="t.text"), rule(score(), name="t.score")
    some = (by_score, by_text) if first else (by_text, by_score)
    assert ("t.score" in amid(text, value, *some, judging=judging)) is holds


def test_words_that_one_rule_spares_are_no_witness_of_another() -> None:
    lawful = Selection(name="lawful", allow=("袋子装得下",))
    spares = rule(terms("claim", "装得下"), lawful, name="t.spares", condition="claim")
    near, by_score = rule(*NEAR, name="t.text"), rule(score(), name="t.score")
    assert amid(NEARLY, 0.6, near, by_score) == ["t.score"]
    assert amid(NEARLY, 0.6, near, spares, by_score) == []


@pytest.mark.parametrize("other", [
    {"category": ("minors",)}, {"tier": Tier.ORIENTATION}, {"applies": Applies(kinds=frozenset((Kind.SCRIPT,)))}])
@pytest.mark.parametrize("judging", [True, False])
def test_a_rule_of_another_category_or_without_findings_or_for_others_is_no_witness(
    other: dict[str, Any], judging: bool
) -> None:
    assert amid(NEARLY, 0.6, rule(*NEAR, name="t.text", **other), rule(score(), name="t.score"), judging=judging) == []


def test_a_score_that_a_rule_names_is_no_lower_amid_words() -> None:
    by_text = rule(*NEAR, name="t.text")
    assert amid(NEARLY, 0.6, by_text, rule(score(gte=0.7), name="t.score")) == []
    assert amid(NEARLY, 0.6, by_text, rule(terms("packed", "装得下"), score(), condition="packed and likely")) == []


def test_what_nearly_holds_in_one_text_says_nothing_of_its_neighbour() -> None:
    some = engine(rule(*NEAR, name="t.text"), rule(score(), name="t.score"), scorer=Written(
        {each: {"absolute_claim": 0.6} for each in (NEARLY, FAR)}, amid=0.5))
    for texts, found in (([NEARLY, FAR], [0]), ([FAR, NEARLY], [1])):
        assert [match.event for match in judge(some, EventBatch([event(text) for text in texts])).matches] == found


def test_a_model_that_says_nothing_of_words_asks_for_the_same_everywhere() -> None:
    by_text, by_score = rule(*NEAR, name="t.text"), rule(score(), name="t.score")
    assert amid(NEARLY, 0.79, by_text, by_score, limit=1.0) == []
    assert amid(NEARLY, 0.8, by_text, by_score, limit=1.0) == ["t.score"]


@pytest.mark.parametrize(("some", "value", "opinion"), [
    (rule(SAID), 0.9, Opinion.AGREES),
    (rule(SAID), 0.2, Opinion.AGREES),
    (rule(SAID), 0.1, Opinion.DIFFERS),
    (rule(SAID), None, Opinion.NONE),
    (rule(SAID, category=("process_duty",)), 0.9, Opinion.NONE),
    (rule(score()), 0.9, Opinion.ALONE),
    (rule(score(), category=("process_duty",)), 0.9, Opinion.ALONE),
    (rule(SAID, score(), condition="claim or likely"), 0.9, Opinion.AGREES),
])
def test_opinions(some: Rule, value: Any, opinion: Opinion) -> None:
    assert [match.opinion for match in found(some, value)] == [opinion]


def test_the_set_has_another_version_with_another_model() -> None:
    versions = {engine(rule(SAID), scorer=scorer).version for scorer in (
        None, Written({}, ["minors"]), Written({}, ["minors"], version="written/2"))}
    assert len(versions) == 3


def test_no_score_carries_a_rule_that_its_own_category_gates() -> None:
    some = rule(SAID, score(gte=0.1), condition="claim or likely", applies=ASKS)
    assert not found(some, 0.15, text="今天随便说说")
    assert found(some, 0.2, text="今天随便说说")


def test_what_is_kept_of_compiling_is_not_taken_for_a_rule_that_asks_otherwise(tmp_path: Path) -> None:
    databases = blobs.databases(tmp_path)
    for likely in (True, False, True):
        some = engine(rule(SAID, applies=Applies(likely=likely)), scorer=Written({}, ["absolute_claim"]),
                      databases=databases)
        assert bool(judge(some, EventBatch([event(TEXT)])).matches) is not likely
