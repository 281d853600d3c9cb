"""redpost rules lint · test · show"""

import shutil
from pathlib import Path

import pytest

from tests.functional.clikit import DATA, RULES, check_golden, redpost


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


def test_show_suggests_a_rule() -> None:
    done = redpost("rules", "show", "shop.absolut", "--rules", RULES)
    assert done == (2, "", "error: there is no rule 'shop.absolut'\nhint: did you mean shop.absolute?\n")
    assert "there are 3 rules" in redpost("rules", "show", "x", "--rules", RULES).err
