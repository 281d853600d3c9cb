"""How far scores lie from those that a model began with."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.ml.shelf import ModelShelf
from monitor.domain.errors import StorageError
from monitor.services.drift import Drift, stability
from monitor.services.observing import Observer
from tests.functional.fakes import FakeLogger
from tests.unit.mlkit import Written
from tests.unit.rulekit import tables
from tests.unit.test_observing import LONG, frame, scored

counts = st.lists(st.lists(st.integers(0, 10_000), min_size=7, max_size=7), min_size=3, max_size=3).map(np.array)


class Gauges:
    def __init__(self) -> None:
        self.found: dict[str, float] = {}

    def gauge(self, metric: str, value: float, /, **labels: str) -> None:
        assert metric == "model_drift"
        self.found[labels["model"]] = value

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None: ...

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...


@given(counts, counts)
def test_the_index_is_that_of_the_category_that_differs_most(one: np.ndarray, two: np.ndarray) -> None:
    assert stability(one, one) == 0
    assert stability(one, two) == pytest.approx(stability(two, one))
    assert stability(one, two) == max(stability(one[i : i + 1], two[i : i + 1]) for i in range(3)) >= 0


def test_a_known_pair_has_its_known_index() -> None:
    one, two = np.array([[50_000, 50_000]]), np.array([[80_000, 20_000]])
    assert stability(one, two) == pytest.approx(0.3 * np.log(1.6) + 0.3 * np.log(2.5), rel=1e-3)


async def test_the_first_window_is_the_reference_for_all_processes(tmp_path: Path) -> None:
    quiet, one, two = np.array([[90, 10]]), np.array([[89, 11]]), np.array([[30, 70]])
    gauges, later = Gauges(), Gauges()
    first = Drift(ModelShelf(None, tmp_path), gauges, FakeLogger(), window=100)
    first.take("local/1@ab", quiet // 2)
    await first.look()
    first.take("local/1@ab", quiet - quiet // 2)
    await first.look()
    assert not gauges.found, "what it begins with is held against nothing"
    first.take("local/1@ab", one)
    await first.look()
    assert 0 < gauges.found["local/1"] < 0.01
    other = Drift(ModelShelf(None, tmp_path), later, FakeLogger(), window=100)
    other.take("local/1@ab", two)
    other.take("local/2@cd", two)
    await other.look()
    assert list(later.found) == ["local/1"] and later.found["local/1"] > 0.25
    assert ModelShelf(None, tmp_path).ids() == []


async def test_a_disk_that_refuses_is_told_and_ends_nothing() -> None:
    class Away:
        def spread(self, model: str) -> list[list[int]] | None:
            raise StorageError("the folder is away")

        def keep_spread(self, model: str, spread: list[list[int]]) -> None: ...

    logger = FakeLogger()
    drift = Drift(Away(), Gauges(), logger, window=1)
    drift.take("m/1@", np.array([[1, 0]]))
    await drift.look()
    assert logger.lines[-1][1] == "drift_not_told"


async def test_what_is_judged_reaches_it(tmp_path: Path) -> None:
    gauges = Gauges()
    drift = Drift(ModelShelf(None, tmp_path), gauges, FakeLogger(), window=40)
    observer = Observer(gauges, drift=drift)
    for text in ("没有什么", LONG):
        scorer = Written({LONG: {"minors": 0.95}})
        for _ in range(40):
            observer.take(observer.look(tables(), [frame(text)], scored(scorer, [frame(text)])))
        observer.tell()
        await drift.look()
    assert gauges.found["written/1"] > 0.25
