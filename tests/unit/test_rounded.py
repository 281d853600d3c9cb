"""Rounded weights: sums of whole numbers, however large and many; each is off by half a step at most."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import PCG64, Generator

from monitor.engine.rounded import MOST, ROWS, Rounded

LENGTHS = st.lists(st.sampled_from((1, 2, 20, ROWS // 3, ROWS // 3 + 1, ROWS, 3 * ROWS)), min_size=1, max_size=6)


@given(st.integers(1, 9), st.integers(1, 5), LENGTHS, st.sampled_from((-1, 0, 1)), st.integers(0, 99))
def test_sums_are_those_of_whole_numbers(columns: int, kinds: int, lengths: list[int], sign: int, seed: int) -> None:
    """`sign`: all weights are the largest that there are, below or above zero; 0: of any size."""
    random = Generator(PCG64(seed))
    steps = random.integers(-MOST, MOST + 1, (40, columns)) if sign == 0 else np.full((40, columns), sign * MOST)
    steps[0] = MOST
    rounded = Rounded((steps * np.float32(0.25)).astype(np.float32))
    begins = np.cumsum([0, *lengths[:-1]])
    gathered = random.integers(int(sign < 0), 40, (kinds, sum(lengths)))
    wanted = [steps[gathered[:, begin : begin + length]].sum(axis=(0, 1))
              for begin, length in zip(begins, lengths, strict=True)]
    assert (rounded.sums(gathered, begins) == np.array(wanted) * np.float32(0.25)).all()


def test_many_texts_at_once() -> None:
    random = Generator(PCG64(7))
    table = random.normal(size=(64, 17)).astype(np.float32)
    rounded, begins = Rounded(table), np.arange(0, 3_000, 3)
    gathered = random.integers(0, 64, (2, 3_000))
    wanted = rounded.rows()[gathered].sum(axis=0).reshape(1_000, 3, 17).sum(axis=1)
    assert rounded.sums(gathered, begins) == pytest.approx(wanted, abs=1e-5)


@given(st.integers(1, 9), st.integers(0, 99))
def test_a_weight_is_off_by_half_a_step_at_most(columns: int, seed: int) -> None:
    table = Generator(PCG64(seed)).normal(size=(30, columns)).astype(np.float32)
    table[:, 0] = 0
    rounded = Rounded(table)
    assert (np.abs(rounded.rows() - table) <= rounded.step * 0.5001).all()
    assert (rounded.rows()[:, 0] == 0).all()
    assert (rounded.rows(np.array([3, 5])) == rounded.rows()[[3, 5]]).all()
