from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tests.corpus.resemblance import bag, jaccard, resembling


@given(st.lists(st.text(alphabet="货真价实", max_size=9), max_size=12))
def test_no_pair_is_overlooked(texts: list[str]) -> None:
    bags = [bag(text) for text in texts]
    assert {pair[:2] for pair in resembling(texts)} == {
        (i, j) for i, j in combinations(range(len(texts)), 2) if jaccard(bags[i], bags[j]) >= 0.5}


def test_how_alike() -> None:
    assert jaccard(bag("全网最低价"), bag("全网最低")) == 2 / 3
    assert jaccard(bag("666"), bag("666666")) == 1 / 4
    assert jaccard(bag("好"), bag("好")) == 1 and jaccard(bag("好"), bag("坏")) == 0
