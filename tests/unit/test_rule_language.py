"""What rules say beyond terms and vetoes: further views, contexts, repeated parts, facts of the room, exemptions."""

from datetime import datetime
from typing import Any

import pytest

from monitor.domain.events import Kind, Role
from monitor.domain.findings import Evasion
from monitor.domain.rules import (
    Context,
    ContextPart,
    Exempt,
    Fact,
    Listed,
    Reach,
    RoomContext,
    RoomTest,
    Rule,
    Selection,
    Side,
    View,
)
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Match
from monitor.engine.pipeline import judge
from tests.unit.rulekit import ZONE, engine, event, matches, rule, spans, tables, terms

ALSO = [
    (View.NUMERALS, "1折", "全场壹折", {(2, 4)}, None),
    (View.NUMERALS, "三无产品", "三无产品", {(0, 4)}, None),
    (View.NUMERALS, "三无产品", "3无产品", {(0, 4)}, None),
    (View.STRETCHED, "免费领", "免免免费费领", {(0, 6)}, Evasion.STRETCHED),
    (View.STRETCHED, "天天返", "天返", set(), None),
    (View.STRETCHED, "天天返", "天天天返", {(0, 4)}, Evasion.STRETCHED),
    (View.STRETCHED, "天天返", "天天返", {(0, 3)}, None),
    (View.LETTER_GAPS, "免费领取", "免a费b领c取", {(0, 7)}, Evasion.LETTERS),
    (View.LETTER_GAPS, "免费领取", "免费领取a", {(0, 4)}, None),
    (View.LETTER_GAPS, "免费领取", "免ab费领取", set(), None),
    (View.CONFUSABLES, "vip", "vір代购", {(0, 3)}, Evasion.LOOKALIKE),
    (View.SPLIT, "加微信", "力口微信", {(0, 4)}, Evasion.SPLIT),
    (View.SPLIT, "加微信", "给力口碑好", set(), None),
    (View.SPLIT, "加微信", "力口彳散亻言", {(0, 6)}, Evasion.SPLIT),
    (View.SIGNS, "加微信", "加v信", {(0, 3)}, Evasion.SIGNS),
    (View.SIGNS, "现金红包", "现金红👜", {(0, 4)}, Evasion.SIGNS),
    (View.SIGNS, "送火箭", "送火🚀走起", {(0, 3)}, Evasion.SIGNS),
    (View.SIGNS, "打飞机", "打✈", {(0, 2)}, Evasion.SIGNS),
    (View.SIGNS, "打飞机", "打飞✈", {(0, 3)}, Evasion.SIGNS),
    (View.SIGNS, "绿泡泡", "🟢泡泡", {(0, 3)}, Evasion.SIGNS),
    (View.SIGNS, "大长腿", "大长🦵", {(0, 3)}, Evasion.SIGNS),
    (View.SIGNS, "滴蜡烛", "滴🕯", {(0, 2)}, Evasion.SIGNS),
    (View.SIGNS, "大楼", "大🏢", {(0, 2)}, Evasion.SIGNS),
    (View.SIGNS, "日日返", "☀☀返", {(0, 3)}, Evasion.SIGNS),
    (View.SIGNS, "加微信", "加v❤", {(0, 3)}, Evasion.SIGNS),
    (View.SIGNS, "企鹅号", "🐧号", {(0, 2)}, Evasion.SIGNS),
    (View.SPLIT, "贱人", "贝戋人", {(0, 3)}, Evasion.SPLIT),
    (View.SPLIT, "生气", "生气米", {(0, 3)}, Evasion.SPLIT),
    (View.INITIALS, "返现", "五元f现", {(2, 4)}, Evasion.SPELLED),
    (View.INITIALS, "返现", "返x的", {(0, 2)}, Evasion.SPELLED),
    (View.INITIALS, "返现", "返 X 的", {(0, 3)}, Evasion.SPELLED),
    (View.INITIALS, "返现", "返现", {(0, 2)}, None),
    (View.INITIALS, "返现", "rf现", set(), None),
    (View.INITIALS, "返现", "fx", set(), None),
    (View.INITIALS, "国家级", "g家j", {(0, 3)}, Evasion.SPELLED),
    (View.INITIALS, "国家级", "g家机", set(), None),
    (View.SPELLED, "微信", "wei信", {(0, 4)}, Evasion.SPELLED),
    (View.SPELLED, "微信", "威信", set(), None),
    (View.SPELLED, "微信", "微信", {(0, 2)}, None),
    (View.SPELLED, "加微信", "jia微信", {(0, 5)}, Evasion.SPELLED),
    (View.DIALECT, "来个礼物", "奶个你物", {(0, 4)}, Evasion.HOMOPHONE),
    (View.DIALECT, "返现红包", "患现红包", set(), None),
]


@pytest.mark.parametrize(("view", "term", "text", "expected", "evasion"), ALSO)
def test_a_further_view(
    view: View, term: str, text: str, expected: set[tuple[int, int]], evasion: Evasion | None
) -> None:
    asking = rule(terms("claim", term, also=(view,)))
    assert spans(asking, text) == expected
    assert [m.evasive for m in matches(asking, text)] == [evasion] * bool(expected)


@pytest.mark.parametrize(("view", "term", "text", "expected", "evasion"), ALSO)
def test_without_asking_it_is_not_looked_for(
    view: View, term: str, text: str, expected: set[tuple[int, int]], evasion: Evasion | None
) -> None:
    if evasion is not None and term not in text:
        assert not spans(rule(terms("claim", term, views=(View.PLAIN, View.SKELETON))), text)


def test_in_a_transcript_it_is_the_recogniser() -> None:
    (match,) = matches(rule(terms("claim", "免费领", also=(View.STRETCHED,))), "免免费领", kind=Kind.TRANSCRIPT)
    assert (match.evasive, match.asr_variant) == (None, True)


def test_a_pattern_on_the_skeleton_is_told_at_its_place() -> None:
    asking = rule(Selection(name="claim", patterns=("免费.{0,2}领",), views=(View.SKELETON,)))
    assert spans(asking, "【免。费】快 来.领】") == {(1, 10)}
    assert not spans(rule(Selection(name="claim", patterns=("免费.{0,2}领",))), "免。费来领")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("微信[a-z0-9]{2}", "微信abc138x来", {(0, 9)}),
        ("微信[a-z0-9]{2}", "微信ab 138x来", {(0, 4)}),
        ("[0-9]{1,2}天瘦", "共1234天瘦", {(1, 7)}),
        ("加[0-9]", "加1加23a", {(0, 2), (2, 6)}),
        ("第[一1]", "第一2名", {(0, 2)}),
    ],
)
def test_a_pattern_cuts_no_run_of_letters_and_digits(pattern: str, text: str, expected: set[tuple[int, int]]) -> None:
    for view in (View.PLAIN, View.SKELETON):
        assert spans(rule(Selection(name="claim", patterns=(pattern,), views=(view,))), text) == expected


def test_the_longest_hit_from_each_start() -> None:
    asking = rule(Selection(name="claim", patterns=("最低(价|价格)?",)))
    assert spans(asking, "最低价格,最低") == {(0, 4), (5, 7)}


NEGATION = Context(name="negation", title="", turns=("但是", "但我们"), unless=("不是我吹",), parts=(
    ContextPart(terms=("不能说", "不是"), side=Side.BEFORE, within=4),
    ContextPart(patterns=("是(假|骗人)的",), side=Side.AFTER, within=2),
))


def with_contexts(*rules: Rule, **more: Any) -> EngineSet:
    return EngineSet(RuleSet(rules, {}, "t", {}, {"negation": NEGATION}), tables(), zone=ZONE, **more)


def held(engine_set: EngineSet, text: str, **more: Any) -> list[Match]:
    return judge(engine_set, EventBatch([event(text, **more)])).matches


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全网最低", {(0, 4)}),
        ("不能说全网最低", set()),
        ("不是那个全网最低", set()),
        ("不是那个我说的全网最低", {(7, 11)}),
        ("不能说全网最低，但我们就是全网最低", {(13, 17)}),
        ("不是。全网最低", {(3, 7)}),
        ("不是但是全网最低", {(4, 8)}),
        ("全网最低是骗人的", set()),
        ("全网最低这话是骗人的", set()),
        ("全网最低这句话是骗人的", {(0, 4)}),
        ("是假的全网最低", {(3, 7)}),
        ("不是我吹全网最低", {(4, 8)}),
    ],
)
def test_a_context_vetoes_the_hits_that_it_reaches(text: str, expected: set[tuple[int, int]]) -> None:
    asking = rule(terms("claim", "全网最低"), Selection(name="meant", context=("negation",), veto=Reach(("all",), 0)),
                  condition="claim")
    assert {(s.start, s.end) for m in held(with_contexts(asking), text) for s in m.spans} == expected


DENIAL = Context(name="negation", title="", parts=(
    ContextPart(patterns=("[没不]",), within=3, commas=False), ContextPart(terms=("不让说",), within=3)),
    unless=("不方便",), unless_patterns=("不是.{0,6}吗",))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("没有火箭", False),
        ("没了，等火箭", True), ("没了、等火箭", False), ("不让说，火箭", False), ("不方便火箭", True),
        ("不是有火箭吗", True), ("不是有火箭", False),
    ],
)
def test_a_part_may_stop_at_commas_and_rhetoric_is_no_denial(text: str, found: bool) -> None:
    asking = rule(terms("claim", "火箭"), Selection(name="meant", context=("negation",), veto=Reach(("all",), 0)),
                  condition="claim")
    knowing = EngineSet(RuleSet((asking,), {}, "t", {}, {"negation": DENIAL}), tables(), zone=ZONE)
    assert bool(held(knowing, text)) is found


@pytest.mark.parametrize("turned", [False, True])
def test_near_asks_for_hits_that_count_themselves(turned: bool) -> None:
    some = [terms("gift", "火箭", near=Reach(("lack",), 2)), terms("lack", "还差", near=Reach(("threat",), 2)),
            terms("threat", "下播")]
    asking = rule(*(reversed(some) if turned else some), condition="gift")
    assert spans(asking, "下播了还差火箭") == {(5, 7)}
    assert not matches(asking, "下播了我们明天见还差火箭")
    assert not matches(asking, "还差火箭")


def test_near_and_veto_may_name_several() -> None:
    near = rule(terms("claim", "最低", near=Reach(("price", "shop"), 2)), terms("price", "价格"), terms("shop", "本店"),
                condition="claim")
    assert [bool(matches(near, text)) for text in ("价格最低", "本店最低", "气温最低")] == [True, True, False]
    veto = rule(terms("a", "最低"), terms("b", "最好"), terms("c", "最新"),
                terms("no", "不能说", veto=Reach(("a", "b"), 4)), condition="a or b or c")
    assert spans(veto, "不能说最低最好最新") == {(7, 9)}


def test_a_veto_may_say_what_only_looks_like_it() -> None:
    asking = rule(terms("claim", "最低"), terms("no", "不能", veto=Reach(("claim",), 4), unless=("能不能",),
                                              unless_patterns=("不能[再更]",)), condition="claim")
    assert [bool(matches(asking, text)) for text in ("不能说最低", "能不能最低", "不能再最低了")] == [False, True, True]
    (match,) = matches(asking, "能不能最低")
    assert match.surviving == {"claim", "no"} - {"no"}


def test_a_condition_may_name_a_context() -> None:
    asking = rule(terms("claim", "全网最低"), Selection(name="denied", context=("negation",)),
                  condition="claim and not denied")
    assert held(with_contexts(asking), "全网最低")
    assert not held(with_contexts(asking), "我说了不是啊各位家人们全网最低")
    both = rule(terms("claim", "全网最低"), Selection(name="denied", context=("negation",)),
                condition="claim and denied")
    assert not held(with_contexts(both), "全网最低")
    assert held(with_contexts(both), "全网最低是假的")


def test_a_repeated_part_needs_as_many_hits() -> None:
    asking = rule(terms("claim", "返现", times=2))
    assert not spans(asking, "返现一次")
    assert spans(asking, "返现又返现") == {(0, 2), (3, 5)}


def test_facts_of_the_room_are_true_false_or_unknown() -> None:
    licensed = Selection(name="licensed", room=RoomTest(Fact.QUALIFICATION, ("medical",)))
    asking = rule(terms("claim", "开个方子"), licensed, condition="claim and not licensed")
    for qualifications, expected in (((), 1), (("medical",), 0), (("law", "medical"), 0), (None, 0)):
        room = RoomContext(room="r", qualifications=qualifications)
        assert len(held(engine(asking, rooms=[room]), "给你开个方子", room="r")) == expected
    assert not held(engine(asking), "给你开个方子", room="r")


@pytest.mark.parametrize(("at", "expected"), [("T23:00", True), ("T05:59", True), ("T06:00", False), ("T21:59", False)])
def test_the_hour_of_day_is_the_tenants(at: str, expected: bool) -> None:
    asking = rule(terms("claim", "打赏"), Selection(name="night", room=RoomTest(Fact.HOUR, ("22", "6"))),
                  condition="claim and night")
    moment = datetime.fromisoformat(f"2026-11-26{at}:00+08:00")
    assert bool(held(engine(asking), "打赏一下", at=round(moment.timestamp() * 1000))) is expected


@pytest.mark.parametrize(("offset", "expected"), [(0, True), (599_999, True), (600_000, False), (None, False)])
def test_the_age_of_the_broadcast(offset: int | None, expected: bool) -> None:
    asking = rule(terms("claim", "最后一批"), Selection(name="early", room=RoomTest(Fact.AGE, ("0", "600"))),
                  condition="claim and early")
    assert bool(held(engine(asking), "最后一批", offset_ms=offset)) is expected


def test_a_claim_with_a_proof_is_none() -> None:
    asking = rule(terms("claim", "销量第一", unproven=True))
    room = RoomContext(room="r", claim_proofs={"２０２６年全县销量第一": "X-1"})
    assert not held(engine(asking, rooms=[room]), "我们是2026年全县销量第一", room="r")
    assert held(engine(asking, rooms=[room]), "我们全国销量第一", room="r")
    assert held(engine(asking), "2026年全县销量第一", room="r")


@pytest.mark.parametrize(
    ("how", "text", "listed", "expected"),
    [
        (Listed.ABOVE, "今天到手价128块", (99, 59.9), True),
        (Listed.ABOVE, "今天到手价九十九块", (99, 59.9), False),
        (Listed.BELOW, "今天到手价9块9", (99, 59.9), True),
        (Listed.NONE, "今天到手价59.9元", (99, 59.9), False),
        (Listed.NONE, "今天到手价69元", (99, 59.9), True),
        (Listed.NONE, "今天到手价69元", None, False),
    ],
)
def test_a_price_is_compared_with_the_listed_ones(
    how: Listed, text: str, listed: tuple[float, ...] | None, expected: bool
) -> None:
    asking = rule(Selection(name="price", detector="price", listed=how))
    room = RoomContext(room="r", listed_prices=listed)
    assert bool(held(engine(asking, rooms=[room]), text, room="r")) is expected


def test_an_exemption_is_a_hint_and_drops_nothing() -> None:
    asking = rule(terms("claim", "卖得最多"), terms("exempt", "我们自家"), condition="claim",
                  exempt=Exempt("exempt", 6, "ABS-06-1"))
    (far,) = matches(asking, "我们自家的货这几年下来在全国都算卖得最多")
    (near,) = matches(asking, "我们自家这款卖得最多")
    assert (far.exempt, near.exempt) == ("", "ABS-06-1")
    assert [s.selection for s in near.spans] == ["claim"]


@pytest.mark.parametrize(("known", "expected"), [("beauty", False), ("food", True), ("", True)])
def test_a_room_of_unknown_trade_is_judged_by_every_trade(known: str, expected: bool) -> None:
    from monitor.domain.rules import Applies

    asking = rule(terms("claim", "降血糖"), applies=Applies(verticals=frozenset(("food",))))
    rooms = [RoomContext(room="r", vertical=known)]
    assert bool(held(engine(asking, rooms=rooms), "降血糖", room="r", role=Role.HOST)) is expected
