"""Parts of the lines: each line is in one of every kind of slice, and measured as the whole is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.events import KINDS
from monitor.domain.labelled import EVASIVE, HARD, ORDINARY, VIOLATION, Labelled
from monitor.services.measures import macro_f1
from monitor.services.slices import LEAST, sliced

LINE = st.builds(
    Labelled, kind=st.sampled_from(KINDS), vertical=st.sampled_from(("", "food", "beauty")),
    type=st.sampled_from((VIOLATION, EVASIVE, HARD, ORDINARY)), text=st.text("好", min_size=1, max_size=60))


@given(st.lists(LINE, min_size=1, max_size=80), st.integers(0, 1_000))
def test_every_line_is_in_one_slice_of_each_sort(lines: list[Labelled], seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, found = rng.random((2, len(lines), 3)) < 0.5
    slices = sliced(wanted, found, lines)
    sorts = {name.split()[0] for name in slices}
    assert sorts == {"kind", "vertical", "evasive", "length"}
    for sort in sorts:
        assert sum(each["lines"] for name, each in slices.items() if name.startswith(sort)) == len(lines)


def test_what_is_told_of_a_slice() -> None:
    lines = [Labelled(text="好" * n, type=type, vertical=vertical) for n, type, vertical in (
        (10, VIOLATION, "food"), (11, EVASIVE, "food"), (20, HARD, ""), (40, ORDINARY, ""), (41, ORDINARY, ""))]
    wanted = np.array([[1, 0], [1, 1], [0, 0], [0, 0], [0, 0]], dtype=bool)
    found = np.array([[0, 0], [1, 0], [0, 1], [0, 0], [1, 0]], dtype=bool)
    slices = sliced(wanted, found, lines)
    assert list(slices) == ["kind transcript", "vertical not said", "vertical others", "evasive no", "evasive yes",
                            "length 1–10", "length 11–20", "length 21–40", "length 41 and more"]
    assert slices["kind transcript"] == {"lines": 5, "macro_f1": pytest.approx(macro_f1(wanted, found)),
                                         "recall": pytest.approx(1 / 3), "hard_alarms": 1, "ordinary_alarms": 0.5}
    assert slices["evasive yes"]["recall"] == 0.5
    assert slices["length 11–20"]["hard_alarms"] == 1
    assert np.isnan(slices["evasive yes"]["hard_alarms"]) and np.isnan(slices["length 41 and more"]["recall"])


@pytest.mark.parametrize("amount", [LEAST - 1, LEAST])
def test_a_trade_of_few_lines_is_among_others(amount: int) -> None:
    slices = sliced(*np.zeros((2, amount, 1), dtype=bool), [Labelled(text="好", vertical="tea")] * amount)
    assert ("vertical tea" in slices) == (amount == LEAST) == ("vertical others" not in slices)
