"""Characters without which a pattern cannot match."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine.gates import gates_of

COMMON = {"的": 0.5, "一": 0.4}


def chance(char: str) -> float:
    return COMMON.get(char, 0.01)


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
    assert sorted("".join(sorted(gate)) for gate in gates_of(pattern, chance)) == sorted(expected)


PARTS = st.sampled_from(["加", "微", "[微信]", "(加|微信|)", "(加微|信)", "[^加]{0,2}", "加?", "信{1,2}",
                         "(微(信|加)|加)", "."])


@given(st.lists(PARTS, min_size=1, max_size=5).map("".join), st.text("加微信好", max_size=8))
def test_every_text_that_matches_passes_the_gates(pattern: str, text: str) -> None:
    if re.search(pattern, text):
        assert all(not gate.isdisjoint(text) for gate in gates_of(pattern, chance))
