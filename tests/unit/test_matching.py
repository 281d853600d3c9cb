"""What a term meets in a text, and what it does not: views, edges, gaps, allow, reach."""

from typing import Any

import pytest

from monitor.domain.errors import RuleError
from monitor.domain.events import Kind, Role
from monitor.domain.findings import Evasion
from monitor.domain.rules import BUYING, SELLING, Applies, Context, ContextPart, Reach, Selection, Side, View
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import explain, judge
from tests.unit.rulekit import ZONE, engine, event, matches, rule, spans, tables, terms


def one(*words: str, **more: object) -> object:
    return rule(terms("claim", *words, **more))


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        (["根治"], "一周根治脚气", {(2, 4)}),
        (["手机包邮"], "手机很好用", set()),
        (["全网底价", "底价促销"], "全网底价促销", {(0, 4), (2, 6)}),
        (["返券", "返红包"], "返券返红包都给", {(0, 2), (2, 5)}),
        (["无效包退", "包退差价"], "无效包退差价", {(0, 4), (2, 6)}),
        (["加好友", "好友返"], "加好友吧", {(0, 3)}),
        (["加微信"], "", set()),
        (["1折"], "今晚１折", {(2, 4)}),
        (["1折"], "今晚①折", {(2, 4)}),
        (["1折"], "今晚壹折", set()),
        (["三无产品"], "这是三无产品", {(2, 6)}),
        (["三无产品"], "这是3无产品", set()),
        (["绝对安全"], "絕對安全", {(0, 4)}),
        (["头发变黑"], "頭髮變黑，頭發變黑", {(0, 4), (5, 9)}),
        (["vx"], "找我𝐕𝐗", {(2, 4)}),
        (["根治"], "5㎏根治", {(2, 4)}),
        (["免费送"], "免　费送", {(0, 4)}),
        (["免费送"], "免​费送", {(0, 4)}),
        (["免费送"], "免\U000e0100费送", {(0, 4)}),
        (["免费送"], "【免】费【送】了", {(1, 6)}),
        (["免费送"], "<i>免费送</i>", {(3, 6)}),
        (["免费送"], "免a费b送", set()),
        (["根治"], "断根。治脚", set()),
        (["根治"], "断根,治脚", {(1, 4)}),
        (["免费送"], "免费!送你", {(0, 4)}),
        (["vx"], "vxworks好用", set()),
        (["vx"], "加vx138001", {(1, 3)}),
        (["69"], "原价695现价69元", {(7, 9)}),
        (["vip", "vipshop"], "vipshop下单", {(0, 7)}),
        (["加微信"], "给力口碑好", set()),
        (["加微信"], "我❤vivo，买1+1送1", set()),
        (["加微信"], "加我好友", set()),
        (["根治"], "治根", set()),
        (["9.9包邮"], "9.9包邮", {(0, 5)}),
        (["9.9包邮"], "99包邮", set()),
    ],
)
def test_terms_in_plain_and_skeleton(words: list[str], text: str, expected: set[tuple[int, int]]) -> None:
    rules = [rule(terms("claim", word), name=f"t.r{i}") for i, word in enumerate(words)]
    assert spans(rules, text) == expected


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("加微信", "家威信", {(0, 3)}),
        ("加微信", "加wei信", {(0, 5)}),
        ("加微信", "jia wei xin", {(0, 11)}),
        ("加微信", "➕微信", {(0, 3)}),
        ("加微信", "+威xin", {(0, 5)}),
        ("长期兼职", "常期兼职", {(0, 4)}),
        ("长期兼职", "涨期兼职", {(0, 4)}),
        ("兼职", "简直太好看", set()),
        ("西安店铺", "先店铺", set()),
        ("西安店铺", "xian店铺", set()),
        ("西安店铺", "xi an店铺", {(0, 7)}),
        ("全网最低", "拳。网。最。低", {(0, 7)}),
    ],
)
def test_sound(word: str, text: str, expected: set[tuple[int, int]]) -> None:
    assert spans(one(word), text) == expected


def test_sound_of_two_syllables_is_opt_in() -> None:
    loud = one("兼职", views=(View.PLAIN, View.SKELETON, View.SOUND))
    assert spans(loud, "简直太好看") == {(0, 2)}


def test_a_plain_only_term_bridges_nothing() -> None:
    assert spans(one("免费送", views=(View.PLAIN,)), "免.费送 免费送") == {(5, 8)}


@pytest.mark.parametrize(
    ("term", "more", "why"),
    [
        ("！！", {}, "folds to nothing.*with also: .signs"),
        ("​​", {}, "folds to nothing"),
        ("🐎🎁", {}, "folds to nothing.*with also: .signs"),
        ("a\nb", {}, "line feed"),
        ("你🐎", {"views": (View.SKELETON,)}, "one character of it .* skeleton.*with also: .signs"),
        ("你🐎", {"also": (View.SPLIT, View.STRETCHED)}, "one character of it"),
        ("wei", {"views": (View.SOUND,)}, "one character of it is looked for in the view sound.*leave the view out"),
        ("哈哈", {"also": (View.STRETCHED,)}, "one character of it is looked for in the view stretched"),
        ("送🦄", {}, "one sign is not told from another: 🦄"),
    ])
def test_a_term_of_which_too_little_is_left_is_refused(term: str, more: dict[str, Any], why: str) -> None:
    with pytest.raises(RuleError, match=why):
        engine(one(term, **more))


def test_signs_of_a_term_are_looked_for_as_their_words_where_it_asks_for_signs() -> None:
    for text in ("你🐎", "你马"):
        assert spans(one("你🐎", also=(View.SIGNS,)), text) == {(0, 2)}
        assert bool(spans(one("你🐎"), text)) == (text == "你🐎")
    assert spans(one("🎁🎁", also=(View.SIGNS,)), "刷🎁🎁") == {(1, 3)}


def test_what_only_compiling_finds_is_told_at_its_place() -> None:
    asking = rule(Selection(name="claim", terms=("全网最低", "！！", "～～", "……")), condition="claim")
    sources = {"t/rule.yml": "title: ！！\ndetection:\n  claim: [全网最低, ！！]\n".encode(),
               "t/lists/a.txt": "好看 # ～～\n～～  # waves\n".encode(), "u/lists/b.txt": "……\n".encode()}
    with pytest.raises(RuleError) as error:
        EngineSet(RuleSet((asking,), {}, "t", sources), tables(), zone=ZONE)
    assert [(f.path, f.line, f.column) for f in error.value.faults] == [
        ("t/lists/a.txt", 2, 1), ("t/rule.yml", 1, 1), ("t/rule.yml", 3, 17)]


@pytest.mark.parametrize(("pattern", "hint"), [
    ("好{2000}", "at most 1000 times"), ("(好{500}){3}", "at most 1000 times"),
    ("好" + "[一-龥]{1000}" * 9, "split it in several patterns"), ("(未闭合", "docs/rules.md")])
def test_a_pattern_that_is_too_large_says_the_limit(pattern: str, hint: str) -> None:
    with pytest.raises(RuleError) as error:
        engine(rule(Selection(name="p", patterns=(pattern,))))
    (fault,) = error.value.faults
    assert hint in fault.hint


@pytest.mark.parametrize("pattern", ["(未闭合", "好(?=看)", "a*", r"(.)\1", r"\p{Han}好"])
def test_a_pattern_that_does_not_compile_is_refused_with_the_others(pattern: str) -> None:
    with pytest.raises(RuleError) as error:
        engine(rule(Selection(name="p", patterns=(pattern, "x{0,0}"))))
    assert len(error.value.faults) == 2


class TestAllow:
    def rule(self) -> object:
        return rule(terms("claim", "大麻", "代购", "最低", "加微信"),
                    Selection(name="lawful", allow=("大麻烦", "官方代购", "最低消费", "添加")))

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("真是个大麻烦", set()),
            ("官方代购放心", set()),
            ("最低消费五十，全网最低", {(9, 11)}),
            ("添加微信吧", {(1, 4)}),  # covers only a part
            ("官 方代购", set()),  # the allowed word may be written with gaps, too
        ],
    )
    def test_spans_inside_it_are_no_hits(self, text: str, expected: set[tuple[int, int]]) -> None:
        assert spans(self.rule(), text) == expected


class TestReach:
    def veto(self, side: Side, within: int = 4) -> object:
        return rule(terms("claim", "全网最好", "假货"), terms("no", "不能说", "别放", views=(View.PLAIN, View.SKELETON),
                    veto=Reach(("claim",), within, side)), condition="claim")

    @pytest.mark.parametrize(
        ("side", "text", "found"),
        [
            (Side.BEFORE, "不能说这是全网最好", False),
            (Side.BEFORE, "不能说，这——是全网最好", False),  # marks do not count as distance
            (Side.BEFORE, "不能说的话我就不说了全网最好", True),
            (Side.BEFORE, "全网最好不能说", True),
            (Side.AFTER, "全网最好不能说", False),
            (Side.EITHER, "全网最好这话不能说", False),
            (Side.BEFORE, "别放假货到了", False),
        ],
    )
    def test_a_veto_takes_the_hits_in_its_reach(self, side: Side, text: str, found: bool) -> None:
        assert bool(matches(self.veto(side), text)) is found

    def test_only_the_hits_in_reach_fall(self) -> None:
        assert spans(self.veto(Side.BEFORE), "不能说全网最好，但我们就是全网最好") == {(13, 17)}

    def test_all_means_every_selection(self) -> None:
        both = rule(terms("a", "根治"), terms("b", "包好"), terms("no", "别信", veto=Reach(("all",), 6, Side.BEFORE)),
                    condition="a or b")
        assert spans(both, "别信根治包好") == set()

    def test_a_veto_of_all_leaves_the_other_vetoes_be(self) -> None:
        two = rule(terms("a", "根治"), terms("far", "别信", veto=Reach(("all",), 2, Side.BEFORE)),
                   terms("close", "他们说", veto=Reach(("all",), 2, Side.BEFORE)), condition="a")
        assert spans(two, "别信他们说的根治") == set()

    def test_near_holds_only_where_the_other_is(self) -> None:
        near = rule(terms("disease", "痛风"), terms("effect", "吃好", near=Reach(("disease",), 6)),
                    condition="effect")
        assert spans(near, "痛风三天吃好") == {(4, 6)}
        assert spans(near, "痛风的事先放一放我们说说今天怎么吃好") == set()
        ordered = rule(terms("disease", "痛风"), terms("effect", "吃好", near=Reach(("disease",), 6, Side.AFTER)),
                       condition="effect")
        assert spans(ordered, "痛风三天吃好") == set()
        assert spans(ordered, "吃好痛风") == {(0, 2)}


class TestPatterns:
    def test_longest_per_start_in_code_points(self) -> None:
        ranking = rule(Selection(name="p", patterns=("(全国|全网)第[一1](名|品牌)?",)))
        assert spans(ranking, "😀我们全网第１品牌啊") == {(3, 9)}

    def test_a_folded_pattern_meets_folded_text(self) -> None:
        assert spans(rule(Selection(name="p", patterns=("VX（群）",))), "ｖx(群)") == {(0, 5)}

    def test_no_pattern_crosses_from_one_event_into_the_next(self) -> None:
        from monitor.engine.batch import EventBatch
        from monitor.engine.pipeline import judge

        greedy = rule(Selection(name="p", patterns=(r"最\W{0,8}好",)))
        batch = EventBatch([event("最", id="1"), event("好", id="2"), event("最 好", id="3")])
        found = judge(engine(greedy), batch).matches
        assert [(m.event, m.spans[0].start, m.spans[0].end) for m in found] == [(2, 0, 3)]


class TestEvasion:
    @pytest.mark.parametrize(
        ("text", "evasive"),
        [
            ("加微信", None), ("加WEI信", Evasion.SPELLED), ("加 微 信", Evasion.SYMBOLS),
            ("家威信", Evasion.HOMOPHONE), ("Ⓥ我", Evasion.STYLED), ("ＶX我", None),
        ],
    )
    def test_kind(self, text: str, evasive: Evasion | None) -> None:
        (match,) = matches(one("加微信", "vx我", "v我"), text)
        assert match.evasive == evasive
        assert not match.asr_variant

    def test_in_a_transcript_it_is_the_recogniser(self) -> None:
        for text in ("家威信", "加 微 信"):
            (match,) = matches(one("加微信"), text, kind=Kind.TRANSCRIPT)
            assert match.evasive is None
            assert match.asr_variant

    def test_traditional_form_is_no_evasion(self) -> None:
        (match,) = matches(one("绝对安全"), "絕對安全")
        assert match.evasive is None


def test_a_hit_inside_a_longer_one_of_its_rule_is_not_shown() -> None:
    assert spans(one("返现", "返现红包"), "返现红包和返现") == {(0, 4), (5, 7)}


def test_and_or_not() -> None:
    r = rule(terms("a", "返现"), terms("b", "好评"), terms("c", "官方"), condition="a and b and not c")
    assert spans(r, "好评返现") == {(0, 2), (2, 4)}
    assert not matches(r, "官方好评返现")
    assert not matches(r, "返现")


@pytest.mark.parametrize(
    ("role", "text", "found"),
    [
        (Role.OFFICIAL, "最好的", True), (Role.VIEWER, "最好的三号链接", False),
        (Role.UNKNOWN, "最好的", False), (Role.UNKNOWN, "三号链接是最好的", True),
        (Role.UNKNOWN, "我买了三号链接，最好的", False),
    ],
)
def test_an_unknown_speaker_who_sells_is_judged_as_official(role: Role, text: str, found: bool) -> None:
    advertising = rule(terms("a", "最好的"), applies=Applies(speakers=frozenset((Role.HOST, Role.OFFICIAL))))
    contexts = {SELLING: Context(name=SELLING, title="", parts=(ContextPart(patterns=("链接",)),)),
                BUYING: Context(name=BUYING, title="", parts=(ContextPart(terms=("我买",)),))}
    knowing = EngineSet(RuleSet((advertising,), {}, "t", {}, contexts), tables(), zone=ZONE)
    told = explain(knowing, EventBatch([event(text, role=role)]))
    assert any(each.applies for each in told) is found
    assert bool(judge(knowing, EventBatch([event(text, role=role)])).matches) is found
    assert not matches(advertising, text, role=Role.UNKNOWN)  # nobody says what selling is


def test_styles_regions_and_marks_fold_one_to_one() -> None:
    for text in ("🇻🇽", "ⅤⅩ", "ｖ𝑿", "v️x"):
        assert len(tables().fold(text)) == len(text)
