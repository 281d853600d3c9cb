"""Many literals, found by what opens them: each where it stands, and nowhere else."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.engine import vocabulary
from monitor.engine.openings import Opened, openings_of
from monitor.engine.views import LF
from tests.unit.rulekit import rule, terms
from tests.unit.test_compiling import found, made


def string(units: list[int]) -> str:
    return "".join(map(chr, units))


UNITS = st.sampled_from([0, 1, 0x6700, 0x4F4E, 0xFFFF])
LITERALS = st.lists(st.lists(UNITS, min_size=2, max_size=6).map(string), min_size=1, max_size=12, unique=True)
TEXTS = st.lists(st.lists(UNITS, max_size=12), min_size=1, max_size=4)


@given(LITERALS, TEXTS)
@example(["\1\0", "\1\0\0"], [[1, 0, 0, 1, 0], [0], [], [1]])
def test_each_literal_is_found_where_it_stands(literals: list[str], texts: list[list[int]]) -> None:
    units = [unit for text in texts for unit in (*text, LF)][:-1]
    numbers, begins = Opened(openings_of(literals)).find(np.array(units, dtype=np.uint16))
    assert sorted(zip(numbers.tolist(), begins.tolist(), strict=True)) == [
        (number, at) for number, literal in enumerate(literals) for at in range(len(units))
        if string(units[at : at + len(literal)]) == literal]


def test_it_is_the_same_to_be_scanned_for_and_to_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [rule(terms("claim", "全网最低价", "最低", "加微信", "9.9包邮"))]
    texts = ["全网最 低价", "全网醉低价", "加微信", "现在9.9包邮", "最低全网最低", "好的"]
    scanned = found(made(rules, None), texts)
    assert {event for event, *_ in scanned} == {0, 1, 2, 3, 4}
    monkeypatch.setattr(vocabulary, "_MANY", 0)
    assert found(made(rules, None), texts) == scanned
