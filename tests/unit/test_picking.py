"""What is picked for labelling, and why."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from monitor.adapters.rulefiles import load
from monitor.engine.engineset import EngineSet
from monitor.engine.scorer import Scores, Thresholds
from monitor.services.picking import Pick, pick_id, picked
from monitor.services.records import KeptEvent
from tests.faults.harness import RULES
from tests.faults.inside import START
from tests.faults.streams import ZONE, tables

CATEGORIES = ("price_consumer", "minors")
RULED = "全网最低价"


class Given:
    """Scores by the number in the text: 7 → 0.07 of minors; 5 hundredths of the rest."""

    version, categories, verticals = "given/1", CATEGORIES, ()

    @property
    def thresholds(self) -> dict[str, Thresholds]:
        return {name: Thresholds(0.6, 0.1) for name in CATEGORIES}

    def score(self, views: Any, batch: Any, contacts: Any, verticals: Any = None) -> Scores:
        said = [text.strip("这是第句话") for text in batch.text.split("\n")]
        return np.array([[0.01, int(each) / 100 if each.isdigit() else 0.01] for each in said], np.float32)


@pytest.fixture(scope="module")
def engine() -> EngineSet:
    return EngineSet(load(RULES), tables(), zone=ZoneInfo(ZONE))


def kept(n: int, text: str, **other: Any) -> KeptEvent:
    known = {"source": "s", "id": f"e{n}", "revision": 0, "room": "r", "broadcast": "b", "lane": 0, "stage": "live",
             "kind": "transcript", "role": "host", "speaker": "", "at": START + n, "offset_ms": None, "text": text,
             "masked": [], "sampled_out": False}
    return KeptEvent(**{**known, **other})


def chosen(engine: EngineSet, events: list[KeptEvent], **other: Any) -> list[Pick]:
    known = {"amount": 30, "labelled": frozenset(), "now": START, "seed": 1}
    return picked("local", events, engine, Given(), **{**known, **other})  # type: ignore[arg-type]


def evening(engine: EngineSet) -> list[KeptEvent]:
    """400 events with scores of 0 to 0.99, 20 of them with what a rule finds, which the classifier finds unlikely."""
    events = [kept(n, f"这是第{n % 100}句话") for n in range(380)]
    return events + [kept(400 + n, RULED + "真的" * n) for n in range(20)]


def test_a_third_of_each_with_why(engine: EngineSet) -> None:
    found = chosen(engine, evening(engine))
    assert Counter(each.source for each in found) == {"pick.random": 10, "pick.differs": 10, "pick.uncertain": 10}
    uncertain = [each for each in found if each.source == "pick.uncertain"]
    assert {round(each.scores["minors"], 2) for each in uncertain} <= {p / 100 for p in range(50, 70)}
    assert all("close to its threshold 0.60" in each.why and "minors" in each.why for each in uncertain)
    differs = [each for each in found if each.source == "pick.differs"]
    for each in differs:
        assert each.why == "a rule says price_consumer, the classifier 0.01" if RULED in each.text else (
            each.why == f"the classifier says minors ({each.scores['minors']:.2f}), no rule does")
    assert {RULED in each.text for each in differs} == {True, False}
    assert len({each.id for each in found}) == 30


def test_what_is_hardly_read_is_not_sure(engine: EngineSet) -> None:
    """The classifier finds 0.99 in each; of the first only five characters are read."""
    found = chosen(engine, [kept(1, "这是第99话🔥🔥🔥"), kept(2, "这是第99句话")])
    assert {each.text: each.source for each in found} == {
        "这是第99话🔥🔥🔥": "pick.random", "这是第99句话": "pick.differs"}


def test_the_random_ones_stand_for_all_in_which_nothing_was_found(engine: EngineSet) -> None:
    silent = sum(n % 100 < 60 for n in range(380))
    found = [each for each in chosen(engine, evening(engine)) if each.source == "pick.random"]
    assert sum(each.weight for each in found) == pytest.approx(silent)
    assert all(each.scores.get("minors", 0) < 0.6 and f"one of {silent}" in each.why for each in found)
    # Over many draws the estimate of a share is right: that is what the weights are for.
    draws = [sum(each.weight for each in chosen(engine, evening(engine), seed=seed)
                 if each.source == "pick.random" and each.scores.get("minors", 0) < 0.3) for seed in range(40)]
    assert np.mean(draws) == pytest.approx(sum(n % 100 < 30 for n in range(380)), rel=0.15)


def test_what_is_labelled_sampled_out_or_a_signal_is_not_picked(engine: EngineSet) -> None:
    events = [kept(1, "这是第58句话"), kept(2, "这是第59句话"), kept(3, "gift", kind="signal"),
              kept(4, "这是第61句话", sampled_out=True),             kept(5, " "), kept(6, "第" * 4_001)]
    found = chosen(engine, events, labelled=frozenset([pick_id("local", events[0])]))
    assert [each.event for each in found] == ["e2"]
    assert chosen(engine, events[2:]) == [] and chosen(engine, []) == []
    assert pick_id("other", events[0]) != pick_id("local", events[0])


def test_few_events_are_picked_once_each_and_the_same_seed_gives_the_same(engine: EngineSet) -> None:
    events = [kept(n, f"这是第{n}句话") for n in range(20)] + [kept(90 + n, "这是第59句话") for n in range(20)]
    found = chosen(engine, events)
    assert len({each.id for each in found}) == len(found) <= 30
    alike = [each for each in found if each.text == "这是第59句话" and each.source != "pick.random"]
    assert len(alike) <= 1, "the same words once"
    assert found == chosen(engine, events) != chosen(engine, events, seed=2)


def test_a_pick_has_no_labels_so_that_a_person_must_give_them(engine: EngineSet) -> None:
    (pick,) = chosen(engine, [kept(1, "这是第58句话")], amount=3)
    assert "labels" not in msgspec.to_builtins(pick)
