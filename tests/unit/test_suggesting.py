"""Terms that rules lack."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.labelled import Labelled
from monitor.services.suggesting import LEAST, Term, terms

CATEGORIES = ("minors", "vulgar_sexual")
Line = tuple[str, Sequence[str], bool]
"""Words with spaces between, labels, and whether all of these are found."""


def suggested(*lines: Line, lawful: int = 0) -> dict[str, list[Term]]:
    found = np.array([[hit and name in labels for name in CATEGORIES] for _, labels, hit in lines], dtype=bool)
    return terms([Labelled(text=text, labels=list(labels)) for text, labels, _ in lines],
                 found.reshape(len(lines), 2), CATEGORIES, str.split, lawful=lawful)


def test_words_that_missed_lines_share_and_lawful_ones_have_not() -> None:
    lines: list[Line] = [
        ("小朋友 手机 手机 刷", ["minors"], False), ("手机 小朋友 128 ***1 刷", ["minors"], False),
        ("小朋友 128 ***1 礼物", ["minors"], False), ("礼物 找到了", ["minors"], True), ("手机 好用", [], False),
        ("找到了 成人", ["vulgar_sexual"], False),
    ]
    assert suggested(*lines) == {"minors": [Term("小朋友", 3, 3, 0)]}
    assert suggested(*lines, lawful=1)["minors"] == [Term("小朋友", 3, 3, 0), Term("手机", 2, 3, 1)]
    assert suggested() == {}


words = st.sampled_from(["甲一", "乙二", "丙三", "丁四", "1234"])
line = st.tuples(st.lists(words, max_size=4).map(" ".join), st.lists(st.sampled_from(CATEGORIES), unique=True),
                 st.booleans())


@given(st.lists(line, max_size=12), st.integers(0, 2))
def test_counts_are_of_lines(lines: list[Line], lawful: int) -> None:
    for category, some in suggested(*lines, lawful=lawful).items():
        missed = [text.split() for text, labels, hit in lines if category in labels and not hit]
        for term in some:
            assert term.missed == sum(term.word in text for text in missed) >= LEAST
            assert term.lawful == sum(term.word in text.split() for text, labels, _ in lines if not labels) <= lawful
            assert term.of == len(missed) and term.word != "1234"
        assert [term.missed for term in some] == sorted((term.missed for term in some), reverse=True)
