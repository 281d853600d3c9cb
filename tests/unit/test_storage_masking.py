"""Masking replaces code points one for one, so that spans hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.masking import mask_text

TEXTS = st.text(max_size=40)
SPANS = st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45)), max_size=6)


@pytest.mark.parametrize(
    "text, spans, masked",
    [
        ("", [], ""),
        ("加微信 abc", [], "加微信 abc"),
        ("加微信 abc", [(4, 7)], "加微信 ***"),
        ("加微信 abc", [(1, 3), (4, 99)], "加** ***"),
        ("abcdef", [(3, 5), (1, 4)], "a****f"),
        ("abcdef", [(1, 5), (2, 3)], "a****f"),
        ("abcdef", [(2, 2), (5, 3), (9, 12)], "abcdef"),
        ("𝒶👨\u200d👩好", [(1, 4)], "𝒶***好"),
        ("a\nb", [(0, 3)], "***"),
    ],
)
def test_examples(text: str, spans: list[tuple[int, int]], masked: str) -> None:
    assert mask_text(text, spans) == masked


@given(TEXTS, SPANS)
def test_every_code_point_is_masked_or_itself(text: str, spans: list[tuple[int, int]]) -> None:
    covered = {place for start, end in spans for place in range(start, end)}
    assert mask_text(text, spans) == "".join("*" if i in covered else char for i, char in enumerate(text))


@given(TEXTS, SPANS)
def test_masking_again_changes_nothing(text: str, spans: list[tuple[int, int]]) -> None:
    once = mask_text(text, spans)
    assert mask_text(once, spans) == once
    assert mask_text(once, reversed(spans)) == once


def test_a_span_before_the_text_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="-1"):
        mask_text("abc", [(-1, 2)])
