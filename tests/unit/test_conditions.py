"""Conditions as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.conditions import And, Condition, Not, Or, Ref, parse, written

NAMES = ("claim", "more", "quoted")
ATOMS = st.sampled_from(NAMES).map(Ref)


def _compound(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(parts.map(And), parts.map(Or), inner.map(Not))


@pytest.mark.parametrize("text", ["claim", "not claim", "claim and (more or quoted)", "claim or not (more and quoted)"])
def test_a_condition_is_written_as_it_was_read(text: str) -> None:
    assert written(parse(text, NAMES)) == text


@given(st.recursive(ATOMS, _compound, max_leaves=8))
def test_what_is_written_reads_as_the_same(condition: Condition) -> None:
    again = parse(written(condition), NAMES)
    assert written(again) == written(condition)
