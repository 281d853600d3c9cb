"""Each hit of a pattern holds one of its atoms, so that no hit is missed by looking for them first."""

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.rulefiles.folder import load
from monitor.engine.atoms import Atoms
from monitor.engine.expressions import Reader
from monitor.engine.terms import alternatives
from tests.unit.rulekit import tables

ROOT = Path(__file__).parents[2]


RARE = 0.0002, 0.0016
COMMON = {"的": (0.03, 0.2), "一": (0.02, 0.18)}


def likely(char: str) -> tuple[float, float] | None:
    return None if char in "%➕" else COMMON.get(char, RARE)


def atoms_of(pattern: str) -> set[str] | None:
    return Atoms(likely).of(pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("全网最低", {"全网最低"}),
        ("(全国|全网)第[一1](名|品牌)?", {"全国第一", "全国第1", "全网第一", "全网第1"}),
        ("[0-9]{1,3}天(就)?瘦", {"天瘦", "天就瘦"}),
        ("(要|给|发)(我|你){0,4}.{0,2}薇", {"薇"}),
        ("加.{0,4}微信", {"微信"}),
        ("(加|➕)?v信", {"v信"}),
        ("a|b+", {"a", "b"}),
        ("(返现){2,5}", {"返现"}),
        ("x{2}", {"xx"}),
        ("(的|的一)(甲|一甲)?", {"的"}),
        ("(甲|乙(丙|丁)){1,2}戊", {"甲戊", "乙丙戊", "乙丁戊"}),
    ],
)
def test_atoms(pattern: str, expected: set[str]) -> None:
    assert atoms_of(pattern) == expected


@pytest.mark.parametrize("pattern", ["[^a]*", ".{2,4}", "(全网)?", "a*", r"\w+", "(全网|.)", "[一-鿿]"])
def test_what_nothing_is_sure_of_has_none(pattern: str) -> None:
    assert atoms_of(pattern) is None


def test_an_atom_that_cannot_be_looked_for_is_passed_over() -> None:
    assert atoms_of("%.{0,9}(省|降)?") is None
    assert atoms_of("[0-9].?(%|折)") == set("0123456789")
    assert atoms_of("(%|折)[12]") == {"1", "2"}


def test_few_words_are_looked_for_rather_than_many_rarer_ones() -> None:
    needs = Reader(tables(), {}).needs("(甲乙|丙丁)(第|排)[戊己庚辛壬癸]")
    assert needs.atoms == ["丙丁", "甲乙"]


def test_a_rare_word_is_looked_for_rather_than_fewer_everyday_ones() -> None:
    assert Reader(tables(), {}).needs("的.{0,3}(祛斑|祛痘|美白)").atoms == ["祛斑", "祛痘", "美白"]


@cache
def shipped() -> list[str]:
    return sorted({pattern for rule in load(ROOT / "rules").rules for s in rule.selections for pattern in s.patterns})


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_every_text_that_matches_holds_an_atom(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(shipped()))
    atoms = atoms_of(pattern)
    text = data.draw(st.from_regex(re.compile(pattern), fullmatch=True))
    assert atoms is None or any(atom in text for atom in atoms), (pattern, text)


@pytest.mark.parametrize(("pattern", "expected"), [
    ("最好", ["最好"]), ("最好|第一", ["最好", "第一"]), ("(最|更)好|第一", ["(最|更)好", "第一"]),
    (r"最\|好|第一", [r"最\|好", "第一"]), ("[|(]最|第一", ["[|(]最", "第一"]),
    (r"[^]\]|]最|第一", [r"[^]\]|]最", "第一"]),
    ("(?i)vx|qq", ["(?i)vx|qq"]), ("(?:最|更)|第一", ["(?:最|更)", "第一"]), ("(未闭合|第一", ["(未闭合|第一"]),
    ("最)|第一", ["最)|第一"]), ("最|", ["最", ""])])
def test_outermost_alternatives(pattern: str, expected: list[str]) -> None:
    assert alternatives(pattern) == expected
