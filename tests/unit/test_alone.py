"""What a classifier finds by itself: only in texts of which enough is read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.engine.alone import LEAST_ALONE, long_enough, sure
from tests.unit.mlkit import looked_at

READ = st.text("买它最好看呀", max_size=10)  # nothing that could be a contact
UNREAD = st.text(" 　…！，🔥❤\U000e0041*~", max_size=4)


def enough(*texts: str) -> list[bool]:
    views, batch, contacts = looked_at(texts)
    return list(long_enough(views, batch.starts, contacts).tolist())


@settings(deadline=None)
@given(st.lists(st.lists(st.tuples(READ, UNREAD), max_size=4), min_size=1, max_size=6))
def test_only_what_is_read_counts_whatever_the_batch(texts: list[list[tuple[str, str]]]) -> None:
    said = ["".join(part for pair in text for part in pair) for text in texts]
    assert enough(*said) == [sum(len(read) for read, _ in text) >= LEAST_ALONE for text in texts]


@pytest.mark.parametrize(("text", "wanted"), [
    ("", False), ("🔥🔥🔥🔥🔥🔥", False), ("      ", False), ("买它买它买！", False), ("买它买它买它", True),
    ("找我13800138000", False), ("加我微信聊13800138000", False), ("加我的微信聊13800138000", True),
    ("加我的微信聊***********", True)])
def test_contact_data_and_marks_do_not_count(text: str, wanted: bool) -> None:
    assert enough("电话13800138000", text, "短") == [False, wanted, False]


def test_a_score_needs_its_threshold_and_enough_text() -> None:
    found = sure(np.array([[0.5, 0.9], [0.8, 0.9], [1, 1]]), np.array([0.8, 0.91]), np.array([True, True, False]))
    assert found.tolist() == [[False, False], [True, False], [False, False]]
