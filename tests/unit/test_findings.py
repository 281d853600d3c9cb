"""What a finding advises, and findings that say the same of the same words."""

from msgspec.structs import replace

from monitor.domain.findings import Advice, Finding, Severity, Span, gathered
from tests.functional.fakes import alert, finding_of


def finding(rule: str, *spans: tuple[int, int], severity: Severity = Severity.HIGH, **more: object) -> Finding:
    some = [Span(start, end, "x" * (end - start), "claim", "plain") for start, end in spans]
    facts = {"rule": rule, "spans": some, "severity": severity, "category": ["absolute_claim"]} | more
    return replace(finding_of(alert()), **facts)


def groups(*findings: Finding) -> list[list[str]]:
    return [[each.rule for each in remark.all] for remark in gathered(findings)]


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


def given(advice: Advice, text: str, *said: str, **more: str) -> dict[str, str]:
    """`said`: what was found in the text, all by one selection."""
    spans = [Span(text.find(words), text.find(words) + len(words), words, "claim", "plain", **more) for words in said]
    return advice.given(text, spans).rewrite


def test_a_rewrite_is_of_what_was_said_where_something_was_found() -> None:
    advice = Advice("只说备案的功效", {"消炎祛痘": "清洁", "药妆": "化妆品", "痘": "出油"})
    assert given(advice, "药妆", "药妆") == {"药妆": "化妆品"}
    assert given(advice, "这是药妆的哈", "是药妆的") == {"药妆": "化妆品"}, "in what was found"
    assert given(advice, "能消炎祛痘", "消炎") == {"消炎祛痘": "清洁"}, "around it, the longest wording"
    assert given(advice, "药妆能消炎", "消炎") == {}, "what was not found is not rewritten, nor by what is like it"
    assert given(advice, "医用", "医用") == given(advice, "", "") == {}
    assert advice.given("药妆", []) == Advice("只说备案的功效")


def test_a_wording_may_leave_something_out_within_a_clause() -> None:
    advice = Advice(rewrite={"血压…稳": "该测测"})
    assert given(advice, "血压很快就稳了", "血压") == {"血压很快就稳": "该测测"}
    assert given(advice, "量血压，稳一点", "血压") == {}


def test_of_a_selection_all_that_it_finds_has_its_rewrite_unless_a_wording_has_one() -> None:
    advice = Advice(rewrite={"claim": "看参数", "没有之一": "我常用的"})
    assert given(advice, "顶级没有之一", "顶级") == {"顶级": "看参数"}
    assert given(advice, "顶级没有之一", "没有之一", "顶级") == {"没有之一": "我常用的", "顶级": "看参数"}
    assert given(advice, "顶级中的顶尖", "顶级", "顶尖") == {"顶级": "看参数"}, "each is told once"


def test_a_disguise_is_rewritten_as_what_it_means() -> None:
    assert given(Advice(rewrite={"微信": "客服"}), "加我徽信", "徽信", term="微信") == {"徽信": "客服"}


def test_words_of_an_earlier_event_are_rewritten_by_themselves() -> None:
    advice = Advice(rewrite={"没有第二家": "欢迎比较"})
    assert given(advice, "好", "真没有第二家", event="e1") == {"没有第二家": "欢迎比较"}
    assert given(advice, "没有第二家", "第二家", event="e1") == {}, "its place is in another text"
