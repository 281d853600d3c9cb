"""Rule files: exact values from good ones, every fault of bad ones at its place, nothing but RuleError."""

import os
import re
import resource
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.adapters.rulefiles import RuleFolder, keys, load, load_rooms, load_rooms_source, load_sources
from monitor.adapters.rulefiles.faults import MAX_FAULTS, Faults
from monitor.adapters.rulefiles.registers import Register
from monitor.domain.clauses import Clause, Confidence, citable, not_in_force, unverified
from monitor.domain.conditions import And, Or, Ref
from monitor.domain.errors import Fault, RuleError, StorageError
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Advice, Severity, Tier
from monitor.domain.rulelint import pattern_faults
from monitor.domain.rules import (
    CATEGORIES,
    DETECTORS,
    Applies,
    Case,
    Effective,
    Reach,
    RoomContext,
    RoomFilter,
    Rule,
    Selection,
    Side,
    Status,
    View,
)
from monitor.domain.rulesets import RuleSet

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "rules"
GOLDEN = DATA / "bad.faults"

NOTHING: Mapping[str, str] = {}
PACK = b"{id: shop, title: t, version: 1}"
CLAUSES = b"""\
- id: AD-1
  document: law
  issuer: issuer
  article: one
  requirement: must not
  effective_from: 2021-04-29
  confidence: high
  categories: [absolute_claim]
- id: AD-2
  document: law
  issuer: i
  article: two
  requirement: must not
  confidence: medium
  categories: [minors, absolute_claim]
"""
DRAFT = """\
id: shop.rule
title: t
tier: redline
category: absolute_claim
severity: low
status: draft
clauses: [AD-1]
detection:
  a: [全网最好]
  condition: a
"""


def sources(rule: str | bytes, more: Mapping[str, str | bytes] = NOTHING) -> dict[str, bytes]:
    files = {"clauses.yml": CLAUSES, "shop/pack.yml": PACK, "shop/rule.yml": rule, **more}
    return {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}


def faults_of(files: dict[str, bytes]) -> list[Fault]:
    with pytest.raises(RuleError) as caught:
        load_sources(files)
    assert caught.value.faults
    return list(caught.value.faults)


def rule_faults(rule: str | bytes, more: Mapping[str, str | bytes] = NOTHING) -> list[str]:
    return [f"{f.line}:{f.column}: {f.message}" for f in faults_of(sources(rule, more))]


def loaded(rule: str, more: Mapping[str, str | bytes] = NOTHING) -> Rule:
    (found,) = load_sources(sources(rule, more)).rules
    return found


# Good ones


def absolute_claim(version: str) -> Rule:
    listed = ("全网最好", "国家级", "销量第一")
    return Rule(
        id="shop.absolute_claim",
        title="绝对化用语",
        tier=Tier.REDLINE,
        category=("absolute_claim", "false_promotion"),
        sub="superlative",
        severity=Severity.HIGH,
        status=Status.ACTIVE,
        effective=Effective(date(2021, 4, 29), date(2030, 1, 1)),
        clauses=("AD-09-3",),
        applies=Applies(
            kinds=frozenset({Kind.TRANSCRIPT, Kind.COMMENT}),
            speakers=frozenset({Role.HOST, Role.ASSISTANT}),
            platforms=frozenset({"douyin"}),
            rooms=RoomFilter(("shop",), ("internal",)),
        ),
        selections=(
            Selection(name="claim", terms=("天下第一", *listed)),
            Selection(name="more", terms=("全网首创",), views=(View.PLAIN, View.SKELETON, View.SOUND)),
            Selection(name="ranking", patterns=("(全国|全网)第[一1].{0,4}品牌",)),
            Selection(
                name="ranks",
                patterns=("t[o0]p ?级", r"第一\d{1,3}"),
                views=(View.PLAIN,),
                near=Reach(("claim",), 12, Side.AFTER),
            ),
            Selection(name="partner", terms=("我们家",), near=Reach(("claim",), 0, Side.EITHER)),
            Selection(name="contact", detector="phone", near=Reach(("partner",), 200)),
            Selection(name="likely", score="absolute_claim", gte=0.6),
            Selection(name="lawful", allow=("国家级非遗",)),
            Selection(name="names", allow=("最好集团",)),
            Selection(name="quoted", terms=("不能说",), veto=Reach(("claim",), 4, Side.BEFORE)),
            Selection(name="denied", patterns=("假的",), veto=Reach(("all",), 6, Side.EITHER)),
        ),
        condition=Or(
            (
                Ref("claim"),
                Ref("more"),
                Or((Ref("ranking"), Ref("ranks"))),
                And((Ref("partner"), Ref("contact"))),
                Ref("likely"),
            )
        ),
        advice=Advice("去掉绝对化用语", {"全网最好": "老客回购多的一款"}),
        cases=(
            Case("这个品质就是全网最好", ("claim",), line=37),
            Case("全国第一老品牌", ("ranking",), Kind.COMMENT, Role.HOST, Stage.CLIP, 38),
            Case("这是国家级非遗的老手艺", (), line=39),
        ),
        pack="shop",
        version=version,
        path="shop/absolute_claim.yml",
        line=2,
    )


def test_the_good_folder_loads_to_these_values() -> None:
    found = load(DATA / "good")
    despair = Rule(
        id="watch.despair",
        title="轻生念头",
        tier=Tier.CARE,
        category=(),
        severity=Severity.CRITICAL,
        status=Status.DRAFT,
        clauses=(),
        selections=(Selection(name="words", terms=("不想活了",)),),
        condition=Ref("words"),
        pack="watch",
        version=found.rules[1].version,
        path="watch/despair.yml",
    )
    assert found.rules == (absolute_claim(found.rules[0].version), despair)
    assert found.clauses == {
        "AD-09-3": Clause(
            id="AD-09-3",
            document="中华人民共和国广告法（2021修正）",
            issuer="全国人大常委会",
            article="第九条第三项",
            requirement="不得使用“国家级”“最高级”“最佳”及含义相同近似的用语",
            effective_from=date(2021, 4, 29),
            confidence=Confidence.HIGH,
            categories=("absolute_claim",),
        ),
        "PLT-1": Clause(
            id="PLT-1",
            document="平台规范",
            issuer="某平台",
            article="第一节",
            requirement="不得引导私下交易,\n包括留联系方式",
            confidence=Confidence.LOW,
            categories=("offsite_fraud", "false_promotion"),
        ),
    }
    assert all(re.fullmatch("[0-9a-f]{16}", v) for v in (found.version, *(r.version for r in found.rules)))


def test_sources_load_again_to_the_same() -> None:
    found = load(DATA / "good")
    assert len(found.sources) == 9
    assert load_sources(found.sources) == found
    assert load_sources({**found.sources, "README.md": b"x", ".git/clauses.yml": b"x"}) == found
    assert load_sources({}) == RuleSet((), {}, load_sources({}).version, {})


def test_versions_follow_contents() -> None:
    second = DRAFT.replace("shop.rule", "shop.two").replace("[全网最好]", "[{list: lists/b.txt}]")
    base = sources(
        DRAFT.replace("[全网最好]", "{terms: {list: lists/a.txt}}"),
        {
            "shop/lists/a.txt": "全网最好",
            "shop/lists/b.txt": "国家级",
            "shop/second.yml": second,
        },
    )
    rule, two = load_sources(base).rules

    def versions(changed: Mapping[str, str] = NOTHING) -> tuple[bool, bool, bool]:
        found = load_sources(base | {path: data.encode() for path, data in changed.items()})
        assert len(found.rules) == 2
        return (
            found.rules[0].version == rule.version,
            found.rules[1].version == two.version,
            found.version == load_sources(base).version,
        )

    assert versions() == (True, True, True)
    assert versions({"shop/lists/a.txt": "全网最佳"}) == (False, True, False)
    assert versions({"shop/lists/b.txt": "世界级"}) == (True, False, False)
    assert versions({"shop/second.yml": second + "# x"}) == (
        True,
        False,
        False,
    )


def test_what_yaml_would_misread_is_text_when_quoted() -> None:
    rule = loaded(
        DRAFT.replace("  a: [全网最好]", "  'no': ['9.9', 'yes', \"2024-01-01\", '不要']").replace(
            "condition: a", "condition: 'no'"
        )
    )
    assert rule.selections == (Selection(name="no", terms=("9.9", "yes", "2024-01-01", "不要")),)
    assert rule.condition == Ref("no")


def test_bom_and_windows_lines() -> None:
    files = sources(
        b"\xef\xbb\xbf" + DRAFT.replace("\n", "\r\n").encode(),
        {
            "clauses.yml": b"\xef\xbb\xbf" + CLAUSES.replace(b"\n", b"\r\n"),
        },
    )
    assert load_sources(files).rules[0].selections[0].terms == ("全网最好",)
    with_list = DRAFT.replace("[全网最好]", "[{list: lists/a.txt}]")
    assert loaded(with_list, {"shop/lists/a.txt": "\ufeff全网最好\r\n国家级"}).selections[0].terms == (
        "全网最好",
        "国家级",
    )


def test_wildcards_leave_silent_selections_out() -> None:
    rule = loaded(
        DRAFT.replace(
            "  condition: a",
            "  a_veto: {terms: [不能说], veto: all, within: 3}\n"
            "  a_allow: {allow: [最好集团]}\n  a_two: [国家级]\n  condition: 1 of a*",
        )
    )
    assert rule.condition == Or((Ref("a"), Ref("a_two")))
    assert loaded(DRAFT.replace("condition: a", "condition: all of them")).condition == Ref("a")


# Bad ones


def test_golden_faults() -> None:
    with pytest.raises(RuleError) as caught:
        load(DATA / "bad")
    said = "".join(f"{fault}\n" for fault in caught.value.faults)
    if os.environ.get("REDPOST_WRITE_GOLDEN"):
        GOLDEN.write_text(said, encoding="utf-8")
    assert said == GOLDEN.read_text(encoding="utf-8")
    assert str(caught.value) == said.rstrip("\n")
    places = [(f.path, f.line, f.column) for f in caught.value.faults]
    assert places == sorted(places)
    assert all(f.line >= 1 and f.column >= 1 and f.hint for f in caught.value.faults)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[AD-1]", "[AD-11]", "7:11: no register has the clause 'AD-11'"),
        ("[AD-1]", "[]", "7:10: clauses is an empty list"),
        ("draft\nclauses: [AD-1]\n", "shadow\n", "1:1: a rule of tier redline rests on at least one clause"),
        ("category: absolute_claim", "category: []", "4:11: category is an empty list"),
        ("tier: redline", "tier: care", "4:11: a rule of tier care has no category"),
        ("shop.rule", "rule", "1:5: id: 'rule' is not of the form subject.name"),
        ("shop.rule", "shop.Rule", "1:5: id: 'shop.Rule' is not of the form subject.name"),
        ("status: draft", "status: active", "1:1: the rule has no case with a positive outcome"),
        ("title: t", "title:", "2:7: title is empty"),
        ("title: t", "title: [t]", "2:8: title must be a text"),
        ("title: t", "title: " + "t" * 10_001, "2:8: title has 10001 characters, at most 10000 are taken"),
        ("title: t", "? *x\n: t", "2:3: *x: aliases are not supported"),
        (
            "  a: [全网最好]\n  condition: a",
            "  - a",
            "9:3: detection must be a table of selections and a condition",
        ),
        ("condition: a", "condition: 9", "10:14: condition: 9 is read as a number"),
        ("[全网最好]", "{patterns: [全网, 全网]}", "9:22: the pattern '全网' stands twice"),
        ("[全网最好]", "['全网', ' ']", "9:13: terms is empty"),
        ("title: t", "correlation: {}", "9:3: a rule with a correlation has no detection"),
        ("全网最好", "全" * 201, "9:7: the term has 201 characters, at most 200 are taken"),
        (
            "[全网最好]",
            '["全网\\n最好"]',
            "9:7: the term '全网\\n最好' holds a line break or control character",
        ),
        ("[全网最好]", "{pattern: '全.{0,9}好'}", "9:18: '.{0,9}' is a gap of more than 8"),
        ("[全网最好]", "{pattern: 全网.+最好}", "9:18: '.+' has no bound"),
        ("[全网最好]", '{pattern: "\\u5168.+"}', "9:16: '.+' has no bound"),
        ("condition: a", "condition: a or (b", "10:20: condition: there is no selection 'b'"),
        ("condition: a", "condition: a;", "10:15: condition: unexpected character ';'"),
        ("condition: a", "condition: a and not a", "10:14: the condition can never hold"),
        (
            "title: t",
            "title: t\neffective: {from: 2024-01-01, until: 2024-01-01}",
            "3:38: until 2024-01-01 is not after from 2024-01-01",
        ),
        ("condition: a", "condition: not a", "10:14: the condition holds where nothing is found"),
        ("  condition: a", "  b: [国家级]", "9:3: detection has no condition"),
        ("  condition: a", "  conditon: a", "10:3: detection has no key 'conditon'"),
        ("[全网最好]", "[全网最好，国家级]", "9:11: the full-width ， parts no terms"),
        ("  a: [全网最好]", "  a： [全网最好]", "9:4: a full-width ： is no YAML"),
        ("[全网最好]", "{terms: [全网最好]，near: a}", "9:20: a full-width ， is no YAML"),
        ("[全网最好]", "['全网最好]", "9:7: not valid YAML: while scanning a quoted scalar (begun in line 9) "
         "found unexpected end of stream"),
        ("  condition: a", "  b: [国家级]\n  condition: a", "10:3: the selection b is never used"),
        ("[全网最好]", "[全网最好, *x]", "9:13: *x: aliases are not supported"),
        ("[全网最好]", "[全网最好\x07]", "9:11: the character U+0007 is not allowed here"),
        ("[全网最好]", "{score: absolute_claim, gte: 0}", "9:35: gte must be a number above 0 and up to 1"),
        (
            "[全网最好]",
            "{terms: [全网最好], near: a, within: 3}",
            "9:28: near: a selection cannot refer to itself",
        ),
        ("[全网最好]", "[全网最好]\n  l: {score: minors, gte: 1}", "10:3: the selection l is never used"),
        (
            "  a: [全网最好]\n  condition: a",
            "  a: {terms: [全网最好], near: said, within: 3}\n  said: {context: [negation]}\n  condition: a",
            "9:28: near: said is a context, which is heard only once the hits are settled",
        ),
        (
            "  condition: a",
            "  b: {context: [negation]}\n  c: {terms: [不能说], veto: [a, b], within: 3}\n  condition: a or b",
            "11:31: veto: b is a context, which is heard only once the hits are settled",
        ),
        (
            "  condition: a",
            "  b: {terms: [不能说], veto: a, within: 3, times: 2}\n  condition: a",
            "10:48: times says nothing with veto, of which each hit acts by itself",
        ),
        (
            "title: t",
            "title: t\nexempt: {when: {terms: [我们家], near: a, within: 2}, within: 9, clause: AD-09-3}",
            "3:16: the words of an exemption are terms or patterns, without veto or near",
        ),
        ("[全网最好]", "{terms: [全网最好], unless: [最好]}", "9:30: unless says nothing without veto"),
        (
            "  a: [全网最好]\n  condition: a",
            "  a: {terms: [全网最好], near: b, within: 3}\n  b: {terms: [国家级], near: [a, a], within: 3}\n"
            "  condition: a",
            "10:31: near: 'a' stands twice",
        ),
        (
            "  a: [全网最好]\n  condition: a",
            "  a: {terms: [全网最好], near: b, within: 3}\n  b: {terms: [国家级], near: [a], within: 3}\n"
            "  condition: a",
            "9:28: near: a asks for b, and that for a",
        ),
        (
            "  condition: a",
            "  b: {terms: [不能说], veto: [a, all], within: 3}\n  condition: a",
            "10:31: veto: all stands beside other names",
        ),
        (
            "  condition: a",
            "  b: {terms: [不能说], veto: a, within: 3, unless: {}}\n  condition: a",
            "10:49: unless looks for nothing",
        ),
        ("[全网最好]", "{terms: [全网最好], words: true}", "9:22: the selection a has no key 'words'"),
        ("[全网最好]", "[{list: lists/none.txt}]", "9:14: the pack has no list 'lists/none.txt'"),
        ("[全网最好]", "[{list: ../../clauses.yml}]", "9:14: the pack has no list '../../clauses.yml'"),
    ],
)
def test_a_fault_is_named_at_its_place(old: str, new: str, expected: str) -> None:
    assert DRAFT.count(old) == 1
    assert expected in rule_faults(DRAFT.replace(old, new))


def test_a_list_in_place_of_terms_is_told_where_it_belongs() -> None:
    (fault,) = faults_of(sources(DRAFT.replace("[全网最好]", "{list: lists/a.txt}"), {}))
    assert str(fault).endswith("no key 'list' — write it among terms: {terms: [{list: lists/name.txt}]}")


def test_a_list_that_no_rule_uses_is_a_fault_once_the_rest_is_mended() -> None:
    lists = {"shop/lists/a.txt": "国家级", "shop/lists/b.txt": "销量第一"}
    rule = DRAFT.replace("[全网最好]", "[{list: lists/a.txt}]")
    assert [str(fault) for fault in faults_of(sources(rule, lists))] == [
        "shop/lists/b.txt:1:1: no rule of the pack uses this list — name it in a rule as {list: lists/b.txt}, "
        "or remove it"]
    assert rule_faults(rule, lists | {"shop/second.yml": rule}) == [
        "1:5: the id 'shop.rule' stands twice, first in shop/rule.yml"]


def test_what_compiling_shows_comes_by_place_too() -> None:
    late, early = Fault("a.yml", 9, 19, "folds to nothing"), Fault("a.yml", 9, 12, "holds no word")
    assert RuleError([late, early, late]).faults == (early, late)


def test_what_only_compiling_shows_stands_among_all_other_faults() -> None:
    said = DRAFT.replace("low", "lowest").replace("[全网最好]", "[全网最好, 长, ！！]").replace(
        "  condition: a", "  b: {patterns: ['(?=a)b', '(x{600}){600}']}\n  condition: a or b")
    sound = DRAFT.replace("rule", "sound").replace("全网最好", "'？？'").replace(
        "  condition: a", "  b: {pattern: '.'}\n  condition: a or b")
    contexts = "contexts: {told: {title: t, parts: [{terms: ['！？', 长], side: before, within: 2}]}}"
    found = faults_of(sources(said, {"shop/sound.yml": sound, "contexts.yml": contexts}))
    assert [f"{f.path}:{f.line}:{f.column}: {f.message}" for f in found] == [
        "contexts.yml:1:47: term '！？' in told: the term folds to nothing",
        "contexts.yml:1:52: the term '长' is one character and hits too much",
        "shop/rule.yml:5:11: severity: there is no 'lowest'",
        "shop/rule.yml:9:13: the term '长' is one character and hits too much",
        "shop/rule.yml:9:16: term '！！' in a: the term folds to nothing",
        "shop/rule.yml:10:19: '(?=' looks around: not possible",
        "shop/rule.yml:10:29: pattern '(x{600}){600}' in b: invalid repetition size: {600}",
        "shop/sound.yml:9:8: term '？？' in a: the term folds to nothing",
        "shop/sound.yml:10:17: pattern '.' in b: it holds no word that every hit must have; give each alternative one",
    ]
    assert all(fault.hint for fault in found)


def test_a_term_is_not_unfit_where_its_views_are_not_understood() -> None:
    assert rule_faults(DRAFT.replace("[全网最好]", "{terms: [🐎🎁], also: [sign]}")) == [
        "9:27: also: there is no 'sign' here"]


def test_any_in_a_rule_goes_before_what_the_pack_says() -> None:
    pack = {"shop/pack.yml": "{id: shop, title: t, version: 1, applies: {speakers: [host], kinds: [caption]}}"}
    applies = loaded(DRAFT + "applies: {speakers: any}\n", pack).applies
    assert (applies.speakers, applies.kinds) == (None, {Kind.CAPTION})
    assert loaded(DRAFT, pack).applies.speakers == {Role.HOST}


def test_whether_a_rule_asks_a_classifier_comes_from_its_pack() -> None:
    asking = {"shop/pack.yml": "{id: shop, title: t, version: 1, applies: {likely: true, kinds: [caption]}}"}
    for own, likely in (("", True), ("applies: {speakers: [host]}\n", True), ("applies: {likely: false}\n", False)):
        assert loaded(DRAFT + own, asking).applies.likely is likely
    assert not loaded(DRAFT).applies.likely


def test_a_case_may_rest_on_what_the_room_is_not() -> None:
    """A fact of the room may be true or false, whatever the text."""
    rule = (DRAFT.replace("draft", "active").replace("condition: a", "licensed: {room: {qualification: [medical]}}\n"
            "  condition: a and not licensed") + CASES)
    assert loaded(rule).cases[0].expect == ("a",)


CASES = "cases:\n  - {text: 全网最好, expect: [a]}\n  - {text: 很好, expect: none}\n"


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ("  - {text: 国家级, expect: [a], kind: comment, speaker: host}\n", None),
        (
            "  - {text: 国家级, expect: [a], kind: caption}\n",
            "15:36: the rule does not apply to the kind caption",
        ),
        (
            "  - {text: 国家级, expect: [a], kind: comment}\n",
            "15:5: the rule does not apply to the speaker unknown",
        ),
        ("  - {text: 国家级, expect: none, kind: caption}\n", None),
        ("  - {text: 全网最好, expect: none}\n", "15:5: this case stands twice, first in line 13"),
        ("  - {text: 全网最好, expect: none, stage: clip}\n", None),
        ("  - {text: 全网最好, expect: [a], room: {vertical: food}}\n", None),
        ("  - {text: 全网最好, expect: [a], at: '2026-11-26T23:30:00+08:00'}\n", None),
        ("  - {text: 全网最好, expect: [a], offset: 60}\n", None),
        ("  - {text: 国家级, expect: none, kind: signal}\n", "15:37: a signal has no text to judge"),
    ],
)
def test_cases(cases: str, expected: str | None) -> None:
    text = (
        DRAFT.replace("draft", "active")
        + "applies: {kinds: [transcript, comment], speakers: [host]}\n"
        + CASES
        + cases
    )
    if expected is None:
        assert len(loaded(text).cases) == 3
    else:
        assert rule_faults(text) == [expected]


@pytest.mark.parametrize(
    ("condition", "expect", "possible"),
    [
        ("a and not b", "a", True),
        ("a and not b", "a, b", False),
        ("a or b", "b", True),
        ("(a and not b) or likely", "a, b", False),
        ("a and b and likely", "a", False),
        ("a and b and not likely", "a", False),
        ("a or (b and not likely)", "a", True),
        ("not (not a or b)", "a", True),
        ("not (not a or b)", "b", False),
    ],
)
def test_a_case_cannot_expect_what_the_condition_excludes(
    condition: str, expect: str, possible: bool
) -> None:
    more = (
        "  b: [国家级]\n  likely: {score: minors, gte: 1}\n" if "likely" in condition else "  b: [国家级]\n"
    )
    text = DRAFT.replace("  condition: a", more + "  condition: " + condition)
    text += f"cases: [{{text: 全网最好, expect: [{expect}]}}]\n"
    if possible:
        assert loaded(text).cases[0].expect == tuple(expect.split(", "))
    else:
        (fault,) = rule_faults(text)
        assert "expect: the condition cannot hold with hits of" in fault


def test_a_rule_needs_both_kinds_of_cases() -> None:
    active = DRAFT.replace("draft", "shadow") + CASES
    assert len(loaded(active).cases) == 2
    positive, negative = CASES.splitlines()[1:]
    assert rule_faults(active.replace(positive + "\n", "")) == [
        "12:3: the rule has no case with a positive outcome"
    ]
    assert rule_faults(active.replace(negative + "\n", "")) == [
        "12:3: the rule has no case with a negative outcome"
    ]


def test_aliases_cannot_blow_up() -> None:
    bomb = "a: &a [x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    started = time.monotonic()
    found = faults_of(sources(bomb))
    assert len(found) == MAX_FAULTS + 1
    assert "more faults in this file" in found[-1].message
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        "{a: " * 5_000,
        "- " * 5_000,
        "? " * 5_000,
        "\n".join(" " * n + "a:" for n in range(1_000)),
    ],
)
def test_deep_nesting_is_a_fault(text: str) -> None:
    assert any(
        "nested deeper" in f.message or "not valid YAML" in f.message for f in faults_of(sources(text))
    )


def test_care_has_no_category() -> None:
    care = DRAFT.replace("redline", "care").replace("clauses: [AD-1]\n", "")
    assert loaded(care.replace("category: absolute_claim", "category: []")).category == ()
    assert loaded(care.replace("category: absolute_claim\n", "")).tier is Tier.CARE


def test_files_in_the_wrong_place() -> None:
    found = faults_of(sources(DRAFT, {"shop/lists/deep/a.txt": "全网最好", "shop/pack.yml": b"\xff"}))
    assert [(f.path, f.message) for f in found] == [
        ("shop/lists/deep/a.txt", "the file would be overlooked"),
        ("shop/pack.yml", "the file is not UTF-8"),
    ]


def test_size_encoding_and_tabs() -> None:
    assert rule_faults("# " + "x" * 1_000_000) == ["1:1: the file has over 1,000,000 bytes"]
    assert rule_faults("title: 标题\nid: 标".encode() + b"\xff\n") == ["2:6: the file is not UTF-8"]
    assert rule_faults(DRAFT.encode("utf-16")) == ["1:1: the file is not UTF-8"]
    assert rule_faults("a:\n\tb: c\n") == ["2:1: a tab stands in the indentation"]
    assert rule_faults(DRAFT, {"shop/lists/a.txt": b"\xe5\x85\xa8\xe7\xbd\x91\n\xff"}) == [
        "2:1: the file is not UTF-8"
    ]


def test_a_garbled_list_has_a_bounded_number_of_faults() -> None:
    found = faults_of(sources(DRAFT, {"shop/lists/a.txt": "好\n" * 10_000}))
    assert len(found) == MAX_FAULTS + 1
    assert found[-1].message == f"{10_000 - MAX_FAULTS} more faults in this file"


def test_faults_of_all_files_come_together() -> None:
    found = faults_of({"a/pack.yml": b"id: a", "a/x.yml": b"", "clauses.yml": b"", "b/y.yml": b"- 1"})
    assert [f.path for f in found] == [
        "a/pack.yml",
        "a/pack.yml",
        "a/x.yml",
        "b/y.yml",
        "b/y.yml",
        "clauses.yml",
    ]


@pytest.mark.parametrize(
    ("pattern", "sound"),
    [
        (r"第[一1].{0,8}名", True),
        (r"\d{7,11}", True),
        (r"[a-z_]{5,20}", True),
        (r"a\.*", True),
        (r"[.]+", True),
        (r"\x{4e00}{2}", True),
        (r"\p{Han}{2,3}", True),
        (r"[\]^]*", True),
        (r"好+", True),
        (r"x{", True),
        (r"[[:alpha:]]+", True),
        (r".*", False),
        (r"a.+?b", False),
        (r"好{2,}", False),
        (r"[^。]*", False),
        (r"[^，]{1,9}", False),
        (r"\S+", False),
        (r"[\s\S]+", False),
        (r"(的){0,9}", False),
        (r".{12}", False),
        (r"(?=a)b", False),
        (r"a(?<!b)", False),
        (r"(a)\1", False),
        ("a" * 2_001, False),
        ("", False),
    ],
)
def test_patterns(pattern: str, sound: bool) -> None:
    assert (pattern_faults(pattern) == []) is sound


# The folder


def test_a_missing_or_wrong_folder(tmp_path: Path) -> None:
    for folder, message in (
        (tmp_path / "none", "there is no such folder"),
        (tmp_path, "the folder holds no rules"),
    ):
        with pytest.raises(RuleError, match=re.escape(message)):
            load(folder)


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    os.mkfifo(tmp_path / "shop" / "a.yml")
    (tmp_path / "shop" / "b.yml").symlink_to("/dev/zero")
    with pytest.raises(RuleError) as caught:
        load(tmp_path)
    assert [(fault.path, fault.hint) for fault in caught.value.faults] == [
        ("shop/a.yml", "remove it"), ("shop/b.yml", "remove it")]


def test_the_folder_is_read_as_its_sources_are(tmp_path: Path) -> None:
    files = sources(
        DRAFT, {"shop/README.md": "x", "shop/.hidden.yml": "[", ".cache/pack.yml": "[", "note.txt": "x"}
    )
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path).write_bytes(data)
    assert load(tmp_path) == load_sources(sources(DRAFT))
    (tmp_path / "shop" / "loop").symlink_to(tmp_path / "shop")
    with pytest.raises(RuleError, match=r"shop/loop/loop/rule\.yml:1:1: the file would be overlooked"):
        load(tmp_path)
    (tmp_path / "shop" / "loop").unlink()
    (tmp_path / "shop" / "gone.yml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(RuleError, match=r"shop/gone\.yml:1:1: cannot be read"):
        load(tmp_path)


def test_100_rules_with_10000_terms_load_in_well_under_a_second() -> None:
    files = {"clauses.yml": CLAUSES, "shop/pack.yml": PACK}
    for number in range(100):
        terms = ", ".join(f"词条{number}之{n}" for n in range(100))
        cases = "".join(f"  - {{text: 例句{n}, expect: none}}\n" for n in range(10))
        text = (
            DRAFT.replace("shop.rule", f"shop.rule{number}").replace("全网最好", terms) + "cases:\n" + cases
        )
        files[f"shop/rule{number}.yml"] = text.encode()
    started = time.perf_counter()
    found = load_sources(files)
    took = time.perf_counter() - started
    assert sum(len(s.terms) for r in found.rules for s in r.selections) == 10_000
    assert took < 1


# Registers

ENTRY = CLAUSES.decode().partition("- id: AD-2")[0].replace("AD-1", "AD-3")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  article: one\n", "", "16:3: the clause has no article"),
        ("issuer: issuer", "issuer:", "18:10: issuer is empty"),
        ("id: AD-3", "id: 3.1", "16:7: id: 3.1 is read as a number"),
        ("id: AD-3", "id: AD-1", "16:7: the id 'AD-1' stands twice, first in line 1"),
        ("requirement", "requirment", "20:3: the clause has no key 'requirment'"),
        ("effective_from", "source_confidence", "21:3: the clause has no key 'source_confidence'"),
        ("2021-04-29", "2021", "21:19: effective_from is no date"),
        ("2021-04-29", "2021-02-30", "21:19: effective_from is no date"),
        (
            "2021-04-29",
            "2021-04-29\n  effective_until: 2021-04-29",
            "22:20: effective_until 2021-04-29 is not after effective_from 2021-04-29",
        ),
        ("confidence: high", "confidence: sure", "22:15: confidence: there is no 'sure'"),
        ("[absolute_claim]", "[absolute_clam]", "23:16: there is no category 'absolute_clam'"),
        ("[absolute_claim]", "[process_duty]", "23:16: a clause that rules rest on is no duty"),
        ("[absolute_claim]", "[]", "23:15: categories is an empty list"),
        ("[absolute_claim]", "absolute_claim", "23:15: categories must be a list"),
        (ENTRY, "- AD-3\n", "16:3: the clause must be a table of keys and values"),
        (ENTRY, ENTRY + ENTRY, "24:7: the id 'AD-3' stands twice, first in line 16"),
        (ENTRY, "- {id: AD-3, id: x}", "16:14: the key 'id' stands twice, first in line 16"),
    ],
)
def test_register_faults(old: str, new: str, expected: str) -> None:
    assert old in ENTRY
    found = rule_faults(DRAFT, {"clauses.yml": CLAUSES.decode() + ENTRY.replace(old, new)})
    assert expected in [fault[: len(expected)] for fault in found]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "1:1: the file is empty"),
        (b"[]", "1:1: a register must be a list of clauses"),
        (b"clauses: []", "1:1: a register must be a list of clauses"),
        (b"\xff", "1:1: the file is not UTF-8"),
        (b"- {id: AD-3", "not valid YAML"),
        (b"# " + b"x" * 1_000_000, "1:1: the file has over 1,000,000 bytes"),
    ],
)
def test_a_register_that_cannot_be_read_is_the_only_fault(data: bytes, expected: str) -> None:
    (found,) = rule_faults(DRAFT, {"clauses.yml": data})
    assert expected in found


def test_a_register_elsewhere_or_of_another_kind_would_be_overlooked() -> None:
    for path, hint in (
        ("clauses.csv", "write it as clauses.yml at the top of the rules folder"),
        ("shop/clauses.csv", "write it as clauses.yml at the top of the rules folder"),
        ("clauses_b.yaml", "let its name end in .yml"),
    ):
        (found,) = faults_of(sources(DRAFT, {path: CLAUSES}))
        assert (found.path, found.message, found.hint) == (path, "the file would be overlooked", hint)


def test_registers_are_merged_where_they_agree() -> None:
    more = CLAUSES.replace(b"AD-2", b"PLT-9")
    assert list(load_sources(sources(DRAFT, {"clauses_b.yml": more})).clauses) == ["AD-1", "AD-2", "PLT-9"]
    (found,) = faults_of(sources(DRAFT, {"clauses_b.yml": more.replace(b"2021-04-29", b"2015-09-01")}))
    assert str(found) == (
        "clauses_b.yml:1:7: 'AD-1' differs from clauses.yml:1 in effective_from"
        " — make them agree, or give one another id"
    )


DUTY = ENTRY.replace("AD-3", "LEC-30").replace("[absolute_claim]", "[process_duty, minors]")


def test_no_rule_rests_on_a_duty() -> None:
    found = load_sources(sources(DRAFT, {"duties.yml": DUTY}))
    assert list(found.clauses) == ["AD-1", "AD-2"]
    (fault,) = faults_of(sources(DRAFT.replace("[AD-1]", "[AD-1, LEC-30]"), {"duties.yml": DUTY}))
    assert (fault.line, fault.column) == (7, 17)
    assert fault.message == "'LEC-30' is a duty of the operator, on which no rule can rest"
    exempt = "exempt: {when: [我们自家], within: 4, clause: LEC-30}\n"
    assert rule_faults(DRAFT + exempt, {"duties.yml": DUTY}) == [f"11:43: {fault.message}"]


def test_duties_and_clauses_are_told_apart() -> None:
    (found,) = faults_of(sources(DRAFT, {"duties.yml": DUTY.replace("process_duty, ", "")}))
    assert (found.line, found.message) == (8, "a duty has the category process_duty")
    (found,) = faults_of(sources(DRAFT, {"duties.yml": DUTY.replace("LEC-30", "AD-1")}))
    assert found.message == "'AD-1' differs from clauses.yml:1 in categories"


def test_an_unknown_clause_is_shown_its_neighbours() -> None:
    more = CLAUSES.replace(b"AD-1", b"AD-09-2").replace(b"AD-2", b"AD-09-3")
    for cited, hint in (
        ("AD-9-3", "did you mean AD-09-3 or AD-09-2 or AD-2?"),
        ("全网", "add the clause to clauses.yml, or cite one from there"),
    ):
        (found,) = faults_of(sources(DRAFT.replace("[AD-1]", f"[AD-1, {cited}]"), {"clauses_b.yml": more}))
        assert (found.message, found.hint) == (f"no register has the clause '{cited}'", hint)


def test_a_clause_is_citable_while_it_holds() -> None:
    held = msgspec.structs.replace(
        load_sources(sources(DRAFT)).clauses["AD-1"], effective_until=date(2027, 1, 1)
    )
    days = [date(2021, 4, 28), date(2021, 4, 29), date(2026, 12, 31), date(2027, 1, 1)]
    assert [citable(held, day) for day in days] == [False, True, True, False]
    undated = msgspec.structs.replace(held, effective_from=None, effective_until=None)
    assert citable(undated, date.min) and citable(undated, date.max)


def test_unverified_are_those_of_low_confidence() -> None:
    clauses = load(DATA / "good").clauses
    assert unverified(["AD-09-3", "PLT-1", "XX-1", "PLT-1"], clauses) == ["PLT-1"]


def test_not_in_force_are_those_that_did_not_hold_on_the_day() -> None:
    clauses = load(DATA / "good").clauses
    told = [not_in_force(["AD-09-3", "XX-1", "AD-09-3"], clauses, day) for day in (date(2015, 1, 1), date(2026, 1, 1))]
    assert told == [["AD-09-3"], []]


def shipped() -> Register:
    register = Register()
    for kind in ("clauses", "duties"):
        faults = Faults(f"{kind}.yml")
        register.add((ROOT / "rules" / f"{kind}.yml").read_bytes(), faults, duties=kind == "duties")
        assert not faults.all()
    return register


def test_the_shipped_registers() -> None:
    register = shipped()
    assert len(register.clauses) > 250
    assert len(register.duties) > 40
    requirements = [each.requirement for each in (*register.clauses.values(), *register.duties.values())]
    assert len(set(requirements)) == len(requirements)
    assert not [said for said in requirements if re.search("[。；\n]", said)]  # one sentence
    assert {name for each in register.clauses.values() for name in each.categories} == set(CATEGORIES)
    assert 0 < len(unverified(register.clauses, register.clauses)) < 20


def test_the_shipped_rules_cite_what_is_in_the_registers() -> None:
    """Read without the loader, which would refuse the whole folder."""
    cited: set[str] = set()
    for path in (ROOT / "rules").glob("*/**/*.yml"):
        text = path.read_text(encoding="utf-8")
        for found in re.findall(r"^clauses: *\[([^\]]*)\]|clause: *([A-Z][\w-]+)", text, re.MULTILINE):
            cited |= {name.strip() for part in found for name in part.split(",") if name.strip()}
    assert len(cited) > 100
    assert cited <= shipped().clauses.keys()


# Rooms


def test_rooms(tmp_path: Path) -> None:
    path = tmp_path / "rooms.yml"
    path.write_text(
        "rooms:\n  - {room: '9001', tenant: t, title: 直播间, platform: douyin, vertical: beauty,\n"
        "     tags: [a, b], unit: u}\n  - room: r2\n",
        encoding="utf-8",
    )
    assert load_rooms(path) == [
        RoomContext(
            room="9001",
            tenant="t",
            title="直播间",
            platform="douyin",
            vertical="beauty",
            tags=("a", "b"),
            unit="u",
        ),
        RoomContext(room="r2"),
    ]
    with pytest.raises(RuleError, match="cannot be read"):
        load_rooms(tmp_path / "none.yml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rooms:\n- {room: 9001}", "r.yml:2:10: room: 9001 is read as a number — quote it: '9001'"),
        (
            "rooms:\n- {room: a}\n- {room: a}",
            "r.yml:3:10: the room 'a' stands twice, first in line 2 — remove one",
        ),
        ("rooms:\n- {room: a, tag: [x]}", "r.yml:2:13: the room has no key 'tag' — did you mean tags?"),
        (
            "rooms:\n- {tags: x}",
            "r.yml:2:3: the room has no room — add room: …\nr.yml:2:10: tags must be a list — write [x]",
        ),
        (
            "room: []",
            "r.yml:1:1: the rooms file has no rooms — add rooms: …\n"
            "r.yml:1:1: the rooms file has no key 'room' — did you mean rooms?",
        ),
    ],
)
def test_room_faults(text: str, expected: str) -> None:
    with pytest.raises(RuleError) as caught:
        load_rooms_source(text.encode(), path="r.yml")
    assert sorted(str(caught.value).split("\n")) == sorted(expected.split("\n"))


CONTEXTS = """
turns: [但是]
contexts:
  negation: {title: 否定, parts: [{terms: [不能说], side: before, within: 4}]}
  question: {title: 询问, parts: [{patterns: ['吗[?]?'], side: after, within: 3}]}
"""

# The reference


def test_the_documented_keys_are_the_accepted_ones() -> None:
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    documented: dict[str, list[str]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        found = re.findall(r"^\| `([\w-]+)` \|", body, flags=re.MULTILINE)
        if found:
            documented[title] = sorted(found)
    assert documented == {title: sorted(known) for title, known in keys.DOCUMENTED.items()}
    for word in (*CATEGORIES, *DETECTORS, *Tier, *Severity, *Status, *View, *Side, *Stage, *Role, *Confidence):
        assert f"`{word}`" in text
    assert all(f"`{kind}`" in text for kind in Kind if kind is not Kind.SIGNAL)


def test_the_documented_examples_load() -> None:
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    rule, rooms = re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    found = loaded(
        rule, {"shop/lists/absolute.txt": "销量第一", "clauses.yml": CLAUSES.replace(b"AD-1", b"AD-09-3"),
               "contexts.yml": CONTEXTS}
    )
    assert (len(found.selections), len(found.cases)) == (9, 4)
    assert found.exempt is not None and found.exempt.clause == "AD-09-3"
    assert [room.room for room in load_rooms_source(rooms.encode(), path="rooms.yml")] == ["9001", "9002"]


# Whatever comes in

KEYS = sorted(
    {
        *(key for known in keys.DOCUMENTED.values() for key in known),
        "condition",
        "list",
        "rooms",
        "a",
        "b",
        "no",
    }
)
SCALARS = st.sampled_from(
    [
        "a",
        "b",
        "all",
        "any",
        "none",
        "~",
        "",
        "no",
        "9.9",
        "12",
        "2024-01-01",
        "'x'",
        '"\\u5168"',
        "全网最好",
        "*a",
        "&a x",
        "!!str x",
        "shop.rule",
        "redline",
        "care",
        "high",
        "active",
        "draft",
        "absolute_claim",
        "AD-1",
        "a or b",
        "not (a",
        "1 of a*",
        "'.*'",
        "lists/a.txt",
        "plain",
        "host",
        "true",
        "phone",
        "|",
        ">",
        "- x",
        "{",
        "]",
        "'",
        "\t",
        "\x00",
        "\ufeff",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda found: f"[{', '.join(found)}]"),
        st.lists(st.tuples(st.sampled_from(KEYS), inner), max_size=5).map(
            lambda found: "{" + ", ".join(f"{key}: {value}" for key, value in found) + "}"
        ),
    ),
    max_leaves=20,
)
DOCUMENTS = st.lists(st.tuples(st.sampled_from(KEYS), VALUES), max_size=12).map(
    lambda found: "".join(f"{key}: {value}\n" for key, value in found)
)
VARIANTS = st.lists(
    st.tuples(st.integers(0, len(DRAFT + CASES)), st.integers(0, 6), st.one_of(SCALARS, st.text(max_size=4))),
    max_size=4,
)


def only_rule_errors(files: dict[str, bytes]) -> None:
    try:
        assert isinstance(load_sources(files), RuleSet)
    except RuleError as error:
        assert all(f.line >= 1 and f.column >= 1 and f.message for f in error.faults)
        assert str(error)
        str(error).encode()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS)
def test_yamlish_text_never_raises_anything_else(text: str) -> None:
    only_rule_errors(
        {
            "clauses.yml": CLAUSES,
            "shop/pack.yml": text.encode(),
            "shop/rule.yml": text.encode(),
            "shop/lists/a.txt": text.encode(),
            "clauses2.yml": text.encode(),
        }
    )
    try:
        load_rooms_source(text.encode(), path="rooms.yml")
    except RuleError as error:
        assert error.faults


@settings(max_examples=300, deadline=None)
@given(VARIANTS)
def test_a_damaged_rule_never_raises_anything_else(edits: list[tuple[int, int, str]]) -> None:
    text = DRAFT.replace("draft", "active") + CASES
    for at, width, new in edits:
        text = text[:at] + new + text[at + width :]
    only_rule_errors(sources(text.encode(errors="surrogatepass")))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.text(st.characters(categories=["P", "N", "S"]), max_size=40))
def test_bytes_never_raise_anything_else(data: bytes, pattern: str) -> None:
    only_rule_errors(
        sources(
            data, {"shop/pack.yml": data, "shop/lists/x.txt": data, "clauses9.yml": data, "c/x.yaml": data}
        )
    )
    assert isinstance(pattern_faults(pattern), list)


def test_a_change_in_a_linked_pack_is_seen(tmp_path: Path) -> None:
    pack = tmp_path / "elsewhere/shop"
    pack.mkdir(parents=True)
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "shop").symlink_to(pack)
    folder = RuleFolder(rules, rooms=None, zone="UTC")
    before = folder.fingerprint()
    (pack / "rank.yml").write_text("id: shop.rank", encoding="utf-8")
    assert folder.fingerprint() != before == RuleFolder(tmp_path / "gone", rooms=None, zone="UTC").fingerprint()


def test_a_folder_that_cannot_be_listed_has_no_fingerprint(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(StorageError, match="can't be listed: Too many open files"):
            RuleFolder(tmp_path, rooms=None, zone="UTC").fingerprint()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
