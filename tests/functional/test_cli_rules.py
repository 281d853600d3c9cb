"""redpost rules lint · test · show · duties"""

import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.functional.clikit import DATA, ROOT, RULES, check_golden, redpost
from tests.unit.mlkit import certain

DUTIES: Final = """\
- id: D-1
  document: 广告法
  issuer: 某机关
  article: 第一条
  requirement: 要有登记
  effective_from: 2020-01-01
  effective_until: 2021-01-01
  categories: [process_duty]
  confidence: high
- {id: D-2, document: 广告法, issuer: 某机关, article: 第二条, requirement: 要存档, confidence: low,
   categories: [process_duty]}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the sound rules, to spoil."""
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def spoil(rules: Path, old: str, new: str, *, name: str = "shop/absolute.yml") -> None:
    text = (rules / name).read_text("utf-8")
    assert old in text
    (rules / name).write_text(text.replace(old, new), encoding="utf-8")


def test_sound_rules() -> None:
    assert redpost("rules", "lint", RULES) == (0, "3 rules in 2 packs, no faults\n", "")
    assert redpost("rules", "test", RULES) == (0, "6 cases of 3 rules: 6 hold\n", "")


def test_all_faults_of_all_files_under_their_lines() -> None:
    done = redpost("rules", "lint", DATA / "bad-rules")
    check_golden("rules-lint.txt", done.err)
    assert (done.code, done.out) == (2, "")


def test_a_caret_stands_under_wide_characters_too(rules: Path) -> None:
    spoil(rules, "全网最好: 老客", "国家队: 老客, 国家队: 新客")
    done = redpost("rules", "lint", rules)
    _, excerpt, caret, *_ = done.err.splitlines()
    before = excerpt[: excerpt.rindex("国家队")]
    assert caret.index("^") == len(before) + sum(mark > "\u2e80" for mark in before)


def test_what_only_compiling_finds(rules: Path) -> None:
    spoil(rules, "terms: [加微信, 私下交易]", "pattern: '加(微信'", name="shop/contact.yml")
    for command in ("lint", "test"):
        done = redpost("rules", command, rules)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("shop/contact.yml:")
        assert done.err.endswith("\n1 fault\n")


@pytest.mark.parametrize("command", ["lint", "test"])
def test_a_missing_folder(command: str, tmp_path: Path) -> None:
    done = redpost("rules", command, tmp_path / "nowhere")
    assert (done.code, done.out) == (2, "")
    assert "there is no such folder" in done.err


def test_cases_that_do_not_hold_show_text_and_spans(rules: Path) -> None:
    spoil(rules, "手艺, expect: none", "手艺，全网最好, expect: none")
    spoil(rules, "{text: 这个品质就是全网最好", "{text: 这个品质")
    done = redpost("rules", "test", rules)
    check_golden("rules-test.txt", done.out)
    assert (done.code, done.err) == (1, "")


def test_show() -> None:
    done = redpost("rules", "show", "shop.absolute", "--rules", RULES)
    check_golden("rules-show.txt", done.out)
    assert (done.code, done.err) == (0, "")


def test_show_marks_a_clause_that_is_not_verified() -> None:
    shown = redpost("rules", "show", "shop.contact", "--rules", RULES).out
    assert "  LSM-18-5 (待核)  直播行为守则 第十八条第五项: 不得引导用户私下交易\n" in shown


def test_duties_are_shown_by_document_and_judge_nothing(rules: Path) -> None:
    assert redpost("rules", "duties", rules) == (0, "0 documents, 0 duties\n", "")
    (rules / "duties.yml").write_text(DUTIES, encoding="utf-8")
    assert redpost("rules", "duties", rules) == (0, """\
广告法  某机关
  D-1 (不在有效期)  第一条  from 2020-01-01  until 2021-01-01
    要有登记
  D-2 (待核)  第二条
    要存档

1 document, 2 duties
""", "")
    assert redpost("rules", "lint", rules) == (0, "3 rules in 2 packs, no faults\n", "")
    spoil(rules, "process_duty", "minors", name="duties.yml")
    for command in ("lint", "duties"):
        done = redpost("rules", command, rules)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("duties.yml:8:15: a duty has the category process_duty")


def test_a_new_draft_keeps_no_folder_from_loading(rules: Path) -> None:
    shutil.copy(ROOT / "rules/contexts.yml", rules)
    words = ("rules", "new", "shop.cheapest", "--category", "absolute_claim")
    assert redpost(*words, "--to", rules / "shop") == (0, f"{rules}/shop/cheapest.yml\n", "")
    assert redpost("rules", "lint", rules) == (0, "4 rules in 2 packs, no faults\n", "")
    assert "is there already" in redpost(*words, "--to", rules / "shop").err


def test_show_suggests_a_rule() -> None:
    done = redpost("rules", "show", "shop.absolut", "--rules", RULES)
    assert done == (2, "", "error: there is no rule 'shop.absolut'\nhint: did you mean shop.absolute?\n")
    assert "there are 3 rules" in redpost("rules", "show", "x", "--rules", RULES).err


SHOW = """\
id: shop.every
title: 样样都有
tier: standard
category: [price_consumer]
severity: medium
status: active
clauses: [AD-09-3]
applies: {kinds: [transcript], speakers: [host], platforms: [douyin], rooms: {without: [test]}}
effective: {from: 2024-01-01, until: 2099-01-01}
detection:
  low: {terms: [最低价, 底价], views: [plain], also: [numerals], near: shop, within: 6}
  shop: {pattern: '全网|全国'}
  denied: {terms: [不能说], veto: low, side: before, within: 3}
  spared: {allow: [最低价保护]}
  often: {terms: [便宜], times: 2}
  condition: (low or often) and not quoted
  quoted: {terms: [别人说]}
cases:
  - {text: 全网最低价, expect: [low]}
  - {text: 最低价, expect: none}
"""
TIME = """\
id: shop.again
title: 一再
tier: standard
category: [price_consumer]
severity: medium
status: draft
clauses: [AD-09-3]
correlation: {type: event_count, rules: [shop.every], group-by: [room], timespan: 60s, condition: {gte: 5}}
cases:
  - {events: [{after: 0s, text: 全网最低价}], expect: none}
"""


@pytest.fixture
def more(rules: Path) -> Path:
    (rules / "shop/every.yml").write_text(SHOW, encoding="utf-8")
    (rules / "shop/again.yml").write_text(TIME, encoding="utf-8")
    return rules


def test_show_tells_all_that_a_rule_says(more: Path) -> None:
    shown = redpost("rules", "show", "shop.every", "--rules", more)
    check_golden("rules-show-every.txt", shown.out)
    assert shown.code == 0


def test_show_of_findings_in_time(more: Path) -> None:
    shown = redpost("rules", "show", "shop.again", "--rules", more)
    assert shown.code == 0
    assert shown.out.split("\n\n")[-1].splitlines()[:6] == [
        "  findings in time:", "    type: event_count", "    rules: shop.every", "    group-by: room",
        "    timespan: 60s", "    condition: gte 5",
    ]  # fmt: skip


def test_explain_says_what_was_hit_what_was_lost_and_why_not(more: Path) -> None:
    parts = []
    for text, *words in (
        ("我家全网最低价，便宜便宜",), ("不能说全网最低价",), ("最低价保护，最低价，便宜",), ("别人说全网最低价",),
        ("全网最低价", "--kind", "comment"), ("今天天气好",), ("全网最好", "--rule", "shop.every"),
    ):  # fmt: skip
        done = redpost("rules", "explain", text, *words, "--rules", more)
        parts.append(f"$ {' '.join((text, *words))}  [{done.code}]\n{done.out}")
    check_golden("rules-explain.txt", "\n".join(parts))


@pytest.mark.parametrize("status", ["draft", "shadow", "deprecated"])
def test_only_active_rules_judge_and_explain_says_so(rules: Path, tmp_path: Path, status: str) -> None:
    spoil(rules, "status: active", f"status: {status}")
    done = redpost("rules", "explain", "全网最好", "--rules", rules)
    assert done.out.lstrip().startswith("would hold  shop.absolute")
    why = {"shadow": "is in the shadow: it is noted, and no finding"}
    assert f"why not  the rule {why.get(status, f'is of status {status}: only active ones judge')}" in done.out
    assert (done.code, done.out.splitlines()[-1]) == (0, "0 of 1 rules with a hit hold")
    said = tmp_path / "said.txt"
    said.write_text("全网最好", encoding="utf-8")
    for words in ([], ["--alerts"]):
        assert redpost("scan", said, "--rules", rules, *words).code == 0


def test_explain_of_a_rule_that_is_not_there(more: Path) -> None:
    done = redpost("rules", "explain", "x", "--rule", "shop.evry", "--rules", more)
    assert done == (2, "", "error: there is no rule 'shop.evry'\nhint: did you mean shop.every?\n")



def test_lint_names_rules_that_take_a_second_look_in_vain(rules: Path) -> None:
    text = (rules / "shop/absolute.yml").read_text("utf-8")
    (rules / "shop/craft.yml").write_text(
        text[: text.index("detection:")].replace("shop.absolute", "shop.craft")
        + "detection:\n  craft: {terms: [老手艺], near: heir, within: 3}\n  heir: [我们]\n  condition: craft\n"
        "cases: [{text: 老手艺我们, expect: [craft]}, {text: 老手艺, expect: none}]\n", encoding="utf-8")
    done = redpost("rules", "lint", rules, "--costs")
    assert done.out.splitlines() == [
        "4 rules in 2 packs, no faults", "    1  shop.craft: 老手艺 1",
        "1 second looks at 4 texts of other rules that expect nothing; rarer words spare them"]
    assert redpost("rules", "lint", RULES, "--costs").out.endswith(
        "0 second looks at 3 texts of other rules that expect nothing\n")


def test_a_case_that_does_not_hold_says_what_took_the_hits(rules: Path) -> None:
    spoil(rules, "text: 这个品质就是全网最好, expect", "text: 这是国家级非遗, expect")
    done = redpost("rules", "test", rules)
    assert "  expected hits of claim, got no finding\n" in done.out
    assert "  claim: 2–5 国家级 (plain), lost by allow\n" in done.out


BY_SCORE = """\
id: shop.score
title: 模型认为
tier: standard
category: [minors]
severity: low
status: active
clauses: [AD-09-3]
detection:
  likely: {score: minors}
  condition: likely
"""


@pytest.mark.parametrize(("odds", "holds", "lines"), [
    (-3.0, 0, ["why not  the classifier finds it unlikely: absolute_claim 0.05, below 0.20",
               "why not  the classifier finds it unlikely: false_promotion 0.05, below 0.20"]),
    (3.0, 1, []),
])
def test_explain_says_what_the_classifier_finds_unlikely(
    rules: Path, tmp_path: Path, odds: float, holds: int, lines: list[str]
) -> None:
    spoil(rules, "clauses:", "applies: {likely: true}\nclauses:")
    model = str(certain(tmp_path / "m/1", {"absolute_claim": odds, "false_promotion": odds}))
    done = redpost("rules", "explain", "全网最好", "--rules", rules, "--rule", "shop.absolute", model=model)
    assert [line.strip() for line in done.out.splitlines() if "why not" in line] == lines
    assert (done.code, done.err) == (holds, "")
    said = tmp_path / "said.txt"
    said.write_text("全网最好", encoding="utf-8")
    assert redpost("scan", said, "--rules", rules, "--kind", "transcript", model=model).code == holds


def test_explain_tells_scores_that_are_enough(rules: Path, tmp_path: Path) -> None:
    (rules / "shop/score.yml").write_text(BY_SCORE, encoding="utf-8")
    model = str(certain(tmp_path / "m/1", {"minors": 3.0}))
    done = redpost("rules", "explain", "今天随便说说", "--rules", rules, model=model)
    assert (done.code, done.err) == (1, "")
    assert [line.strip() for line in done.out.splitlines()][:3] == [
        "holds  shop.score  模型认为", "今天随便说说", "score    minors 0.95, enough from 0.80 on"]
    assert redpost("rules", "explain", "今天随便说说", "--rules", rules).code == 0
    assert "score minors, where the model finds it enough" in redpost(
        "rules", "show", "shop.score", "--rules", rules).out
