"""Marks in a text: nothing of it is lost, spans that touch are one, no word, id or visible character is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.marking import marked


@pytest.mark.parametrize(
    "text, spans, shown",
    [
        ("这款消炎杀菌", [(2, 4), (4, 6)], "这款【消炎杀菌】"),
        ("全网最低价", [(0, 4), (2, 5)], "【全网最低价】"),
        ("全网最低价", [(0, 5), (1, 2)], "【全网最低价】"),
        ("最好，最低", [(3, 5), (0, 2)], "【最好】，【最低】"),
        ("加我ab_cd-12吧", [(0, 4)], "【加我ab_cd-12】吧"),
        ("电话138-0013-8000", [(6, 9)], "电话【138-0013-8000】"),
        ("ＶＸabc号", [(1, 2)], "【ＶＸabc】号"),
        ("爱❤️你", [(1, 2)], "爱【❤️】你"),
        ("👩‍👩‍👧来", [(2, 3)], "【👩‍👩‍👧】来"),
        ("👍🏽好", [(1, 2)], "【👍🏽】好"),
        ("🇨🇳🇺🇸", [(1, 2)], "【🇨🇳】🇺🇸"),
        ("1️⃣折", [(0, 1)], "【1️⃣】折"),
        ("ve\u0301x", [(0, 2)], "【ve\u0301x】"),
        ("没有", [(1, 1)], "没有"),
        ("短", [(0, 9)], "【短】"),
        ("", [], ""),
    ],
)
def test_what_is_marked(text: str, spans: list[tuple[int, int]], shown: str) -> None:
    assert marked(text, spans, brackets=True).plain == shown


def test_what_is_far_from_all_marks_is_left_out_and_no_id_is_cut() -> None:
    text = "前" * 10 + "abc123" + "好" * 3 + "最好" + "吧" * 3 + "xyz789" + "后" * 10
    assert marked(text, [(19, 21)], brackets=True, around=5).plain == "…好好好【最好】吧吧吧…"
    assert marked(text, [(19, 21)], brackets=True, around=9).plain == "…abc123好好好【最好】吧吧吧xyz789…"


@given(
    st.text("a1_- 最好❤️\u200d\u0301👩🏽🇨🇳\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)))
)
def test_nothing_is_lost_and_every_hit_is_inside_a_mark(text: str, spans: list[tuple[int, int]]) -> None:
    spans = [(start, min(end, len(text))) for start, end in spans if start < len(text)]
    shown = marked(text, spans, brackets=False)
    assert len(shown.plain) == len(text)
    covered = {place for span in shown.spans for place in range(span.start, span.end)}
    assert {place for start, end in spans for place in range(start, end)} <= covered
    ends = [span.end for span in shown.spans]
    assert not {span.start for span in shown.spans} & set(ends), "two that touch"
