"""Characters without which a pattern cannot match."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.gates import Chars, GateReader, Gates

COMMON = {"的": 0.5, "一": 0.4}


def chance(char: str) -> float:
    return COMMON.get(char, 0.01)


def gates_of(pattern: str, atoms: Sequence[str] = ()) -> list[Chars]:
    return GateReader(chance).of(pattern, atoms)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("加微信", ["信", "加", "微"]),
        ("[五5](颗星|星)[^不]{0,8}([0-3]元|返)", ["5五", "星颗", "元返"]),
        ("(块|元)[0-9]?(钱)?(开|抽)", ["元块", "开抽"]),
        ("加(微|v)?", ["加"]),
        ("加{1,2}(微|)", ["加"]),
        ("[^好]加.", ["加"]),
        ("[一-龥]加", ["加"]),
        (r"\d加", ["加", "0123456789"]),
        ("(一微|的信)", ["信微"]),
        ("加|.", []),
        ("[?]", ["?"]),
    ],
)
def test_gates(pattern: str, expected: list[str]) -> None:
    assert sorted("".join(sorted(gate)) for gate in gates_of(pattern)) == sorted(expected)


def test_what_each_word_opens_is_no_gate() -> None:
    assert gates_of("[加微](信|好)", ["加信", "微信"]) == []
    assert gates_of("[加微](信|好)", ["加", "微"]) == [frozenset("信好")]


PARTS = st.sampled_from(["加", "微", "[微信]", "(加|微信|)", "(加微|信)", "[^加]{0,2}", "加?", "信{1,2}",
                         "(微(信|加)|加)", "."])


@given(st.lists(PARTS, min_size=1, max_size=5).map("".join), st.text("加微信好", max_size=8))
def test_every_text_that_matches_passes_the_gates(pattern: str, text: str) -> None:
    if re.search(pattern, text):
        assert all(not gate.isdisjoint(text) for gate in gates_of(pattern))


@given(st.lists(st.lists(PARTS, min_size=1, max_size=5).map("".join), max_size=6),
       st.lists(st.text("加微信好", max_size=8), max_size=4))
def test_all_gates_at_once_open_as_each_by_itself(patterns: list[str], texts: list[str]) -> None:
    gates = [gates_of(pattern) for pattern in patterns]
    pairs = [(pattern, text) for pattern in range(len(patterns)) for text in range(len(texts))]
    units = np.frombuffer("\n".join(texts).encode("utf-16-le"), dtype=np.uint16)
    counts = np.array([len(texts[text]) for _, text in pairs], dtype=np.int64)
    firsts = np.array([len("".join(texts[:text])) + text for _, text in pairs], dtype=np.int64)
    opened = Gates(gates).open(np.array([pattern for pattern, _ in pairs], dtype=np.int64), firsts, counts, units)
    assert [pairs[i] for i in opened] == [
        (pattern, text) for pattern, text in pairs if all(not gate.isdisjoint(texts[text]) for gate in gates[pattern])]
