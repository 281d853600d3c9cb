"""Training: what can be learnt, honest folds, thresholds that keep to the wanted rates, the same bytes for a seed."""

from collections import defaultdict
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, f1_score

from monitor.adapters.ml.fitting import GramFitter
from monitor.adapters.ml.wordfitting import WordFitter
from monitor.domain.errors import InputError
from monitor.domain.labelled import EVASIVE, HARD, ORDINARY, Labelled
from monitor.engine.scorer import Common
from monitor.services.augmenting import homophones
from monitor.services.measures import (
    alarms,
    average_precision,
    calibration_error,
    counts,
    interval,
    macro_f1,
    report,
    rounding,
)
from monitor.services.models import packed
from monitor.services.training import (
    FOLDS,
    Fitted,
    Recipe,
    chances,
    folds_of,
    held_out,
    labels_of,
    thresholds_for,
    train,
)
from tests.unit.mlkit import GRAMS, RECIPE, fitter, lines, model, trained
from tests.unit.rulekit import tables


def line(text: str, *labels: str, brief: str = "", type: str = "") -> Labelled:
    return Labelled(text=text, labels=list(labels), brief=brief, type=type)


def some(n: int, *labels: str, brief: str = "", text: str = "x") -> list[Labelled]:
    return [line(f"{text}{i}{'、'.join(labels)}", *labels, brief=brief) for i in range(n)]


# --- what can be learnt


def test_labels_with_enough_lines_on_both_sides_are_learnt() -> None:
    assert labels_of([*some(8, "a"), *some(7, "b"), *some(9)]) == ["a"]
    assert labels_of([*some(20, "a", "b"), *some(9)]) == ["a", "b"]


@pytest.mark.parametrize("unfit", [
    [], some(100), some(100, "a"), [*some(100, "a"), *some(7)], [*some(7, "a"), *some(100)],
    [*some(50, "a", brief="x"), *some(50, brief="y")],
    [*some(50, "a", brief="x"), *some(50, brief="x", text="y"), *some(50, brief="z")],
    [line("好", "a")] * 50 + [line("坏")] * 50,
], ids=["no lines", "no label", "all have it", "few without", "few with", "a brief for each", "in one brief only",
        "two texts"])
def test_what_cannot_be_learnt_is_told(unfit: list[Labelled]) -> None:
    with pytest.raises(InputError, match="nothing to learn") as caught:
        labels_of(unfit)
    assert "--labels" in caught.value.hint


def test_labels_outside_the_taxonomy_are_named() -> None:
    with pytest.raises(InputError, match=r"outside the taxonomy: c, d \("):
        labels_of([*some(20, "a"), *some(20, "d", "c")], ["a", "b"])
    assert labels_of([*some(20, "a"), *some(20)], ["a", "b"]) == ["a"]


# --- folds

LINES = st.lists(st.builds(line, st.text("好坏", min_size=1, max_size=3), brief=st.sampled_from(["", *"abcdefgh"])),
                 min_size=1, max_size=60)


@given(LINES)
def test_a_brief_is_in_one_fold_and_so_is_a_text_without_one(every: list[Labelled]) -> None:
    folds = folds_of(every)
    assert ((folds >= 0) & (folds < FOLDS)).all()
    seen = defaultdict(set)
    several = len({each.brief for each in every}) > 1
    for each, fold in zip(every, folds.tolist(), strict=True):
        seen[("brief", each.brief) if several and each.brief else ("text", each.text)].add(fold)
    assert all(len(of) == 1 for of in seen.values())


@given(LINES)
def test_the_test_is_whole_briefs_and_never_all(every: list[Labelled]) -> None:
    held = held_out(every)
    assert not held.all()
    assert held.any() == (len(set(folds_of(every).tolist())) > 1)
    assert set(folds_of(every)[held]).isdisjoint(folds_of(every)[~held])


def test_folds_are_about_the_same_size() -> None:
    for brief in ("", "one"):
        sizes = np.bincount(folds_of(some(500, brief=brief)))
        assert sizes.tolist() == [100] * FOLDS
    assert np.bincount(folds_of([each for b in "abcdefghij" for each in some(30, brief=b)])).tolist() == [60] * FOLDS


def test_each_brief_is_scored_by_models_that_have_not_seen_it() -> None:
    """A fitter that remembers what it saw: no line of a brief is decided by a model that was fitted on it."""
    every = [each for brief in "abcdefg" for each in (*some(9, "x", brief=brief), *some(9, brief=brief, text="y"))]
    briefs = np.array([each.brief for each in every])

    class Remembers:
        def __init__(self) -> None:
            self.decided: list[int] = []

        def features(self, lines: Any) -> None:
            return None

        def fit(self, features: Any, wanted: Any, rows: Any) -> Any:
            return set(briefs[rows])

        def decide(self, fitted: Any, features: Any, rows: Any) -> Any:
            assert fitted.isdisjoint(briefs[rows])
            self.decided += rows.tolist()
            return np.array([[1.0 if every[i].labels else -1.0] for i in rows])

        def platt(self, margins: Any, wanted: Any) -> tuple[float, float]:
            return 2.0, 0.0

    fitting = Remembers()
    found = train(every, ["x"], fitting, Recipe())
    assert sorted(fitting.decided) == list(range(len(every)))
    assert found.fitted == set("abcdefg")
    assert found.probabilities[found.wanted].min() > found.probabilities[~found.wanted].max()


class Knows:
    """A fitter whose columns say 1 where it is wanted, -1 where not."""

    def features(self, lines: Any) -> None:
        return None

    def fit(self, features: Any, wanted: Any, rows: Any) -> Any:
        return Fitted(wanted * 2.0 - 1, np.zeros(wanted.shape[1]))

    def decide(self, fitted: Any, features: Any, rows: Any) -> Any:
        return fitted.coefficients[rows]

    def platt(self, margins: Any, wanted: Any) -> tuple[float, float]:
        return 1.0, 0.0


def test_what_tells_any_violation_counts_in_each_category() -> None:
    """It lowers all scores of a lawful line, and raises those of a violation by no more than `most` times `weight`."""
    every = [each for brief in "abcde" for each in (
        *some(9, "x", brief=brief), *some(9, "y", brief=brief, text="y"), *some(9, brief=brief, text="z"))]
    found = train(every, ["x", "y"], Knows(), Recipe(common=Common(weight=0.5, most=0.2)))
    assert found.common == Common(weight=0.5, most=0.2)
    assert found.fitted.coefficients.shape == (len(every), 3)
    odds = np.log(found.probabilities / (1 - found.probabilities))
    assert odds[found.wanted] == pytest.approx(1 + 0.5 * 0.2)
    lawful = ~found.wanted.any(axis=1)
    assert odds[lawful] == pytest.approx(-1 - 0.5)
    assert odds[~lawful][~found.wanted[~lawful]] == pytest.approx(-1 + 0.5 * 0.2)


@pytest.mark.parametrize("labels", [["x"], ["x", "y"]])
def test_nothing_common_is_learnt_of_one_category_nor_where_each_line_has_a_label(labels: list[str]) -> None:
    every = [each for brief in "abcde" for each in (*some(9, "x", brief=brief), *some(9, "y", brief=brief, text="y"))]
    found = train(every, labels, Knows(), Recipe())
    assert (found.common, found.fitted.coefficients.shape[1]) == (None, len(labels))


# --- thresholds


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 60), st.integers(1, 4), st.sampled_from((0.0, 0.02, 0.1, 0.5)),
       st.sampled_from((0.0, 0.02, 0.3)), st.booleans())
def test_thresholds_keep_to_the_wanted_rates(
    seed: int, n: int, labels: int, hard: float, ordinary: float, coarse: bool
) -> None:
    """Of scores that tell little, that are tied, or that are close to certain."""
    rng = np.random.default_rng(seed)
    types = rng.choice(["V", EVASIVE, HARD, ORDINARY], n).tolist()
    wanted = rng.random((n, labels)) < 0.4
    wanted[np.isin(types, (HARD, ORDINARY))] = False
    scores = chances(rng.normal(scale=4, size=(n, labels)) + 2 * wanted)
    if coarse:
        scores = np.clip(np.round(scores, 1), 0.01, 0.9999)
    recipe = Recipe(hard_alarms=hard, ordinary_alarms=ordinary)
    found = thresholds_for(wanted, scores, types, recipe)
    over = scores >= np.array([each.alone for each in found])
    for of, share in ((HARD, hard), (ORDINARY, ordinary)):
        if of in types:
            assert alarms(over, types, of) <= share + 1e-9
    assert all(0 < each.beside < each.amid <= each.alone <= 1 for each in found)


def test_without_lawful_lines_the_best_f1_decides() -> None:
    wanted = np.array([[True]] * 5 + [[False]] * 5)
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]).reshape(-1, 1)
    recipe = Recipe(beside=3.5, least_alone=0, least_amid=0)
    (found,) = thresholds_for(wanted, scores, [""] * 10, recipe)
    assert found.alone == found.amid == pytest.approx(0.45)
    assert found.beside == pytest.approx(1 / (1 + np.exp(-(np.log(0.45 / 0.55) - 3.5))))
    floored = msgspec.structs.replace(recipe, least_alone=0.8, least_amid=0.6)
    (least,) = thresholds_for(wanted, scores, [""] * 10, floored)
    assert (least.alone, least.amid, least.beside) == (0.8, 0.6, found.beside)


# --- what is trained


def test_one_seed_gives_the_same_bytes() -> None:
    again = train(lines(), trained().categories, fitter(), RECIPE)
    assert packed(fitter().weights(again)).tobytes() == packed(model().weights).tobytes()
    assert again.thresholds == trained().thresholds
    other = msgspec.structs.replace(RECIPE, seed=1)
    swapped = GramFitter(tables(), GRAMS, other)
    assert packed(swapped.weights(train(lines(), trained().categories, swapped, other))).tobytes() != packed(
        model().weights).tobytes()


@pytest.mark.parametrize("kind", ["svm", "nb-svm", "lr"])
def test_each_kind_learns(kind: str) -> None:
    every = [each for brief in "abcde" for each in (
        *some(6, "a", brief=brief, text="全网最低价"), *some(6, brief=brief, text="今天天气好"))]
    recipe = Recipe(kind=kind, homophones=0)
    found = train(every, ["a"], GramFitter(tables(), GRAMS, recipe), recipe)
    assert found.slopes[0] > 0
    assert found.probabilities[found.wanted].min() > 0.9
    assert found.probabilities[~found.wanted].max() < 0.1


def cut(text: str) -> list[str]:
    """Words of two characters."""
    return [text[i : i + 2] for i in range(0, len(text), 2)]


def test_words_are_learnt_as_n_grams_are() -> None:
    every = [each for brief in "abcde" for each in (
        *some(6, "a", brief=brief, text="最低价格"), *some(6, brief=brief, text="低格最价"))]
    words = WordFitter(tables(), GRAMS, RECIPE, cut)
    found = train(every, ["a"], words, RECIPE)
    assert found.probabilities[found.wanted].min() > 0.9 > 0.1 > found.probabilities[~found.wanted].max()


def test_words_stand_beside_other_features_and_contact_data_is_not_read() -> None:
    one, two = line("加微信abc12345"), line("加微信xyz98765")
    alone, both = (WordFitter(tables(), GRAMS, RECIPE, cut, beside) for beside in (None, fitter()))
    assert abs(alone.matrix([one]) - alone.matrix([two])).max() == 0
    of = GRAMS.buckets
    assert abs(both.matrix([one])[:, of:] - fitter().matrix([one])).max() == 0
    assert abs(both.matrix([one])[:, :of] - alone.matrix([one])[:, :of]).max() == 0
    assert alone.matrix([one])[:, :of].nnz == 3  # 加微, 信, both


def test_swapped_characters_sound_the_same() -> None:
    some_lines = lines()[:60]
    copies = homophones(some_lines, tables(), share=0.5, swapped=1.0, seed=3)
    assert copies == homophones(some_lines, tables(), share=0.5, swapped=1.0, seed=3)
    assert 15 < len(copies) < 45
    by_id = {each.id: each for each in some_lines}
    changed = 0
    for copy in copies:
        text = by_id[copy.id].text
        assert copy.labels == by_id[copy.id].labels
        assert [tables().sound[ord(c)] for c in copy.text] == [tables().sound[ord(c)] for c in text]
        changed += copy.text != text
    assert changed > 15
    assert homophones(some_lines, tables(), share=0, swapped=1.0, seed=3) == []


# --- measures

SCORES = st.integers(0, 100_000).map(lambda seed: np.random.default_rng(seed))


@given(SCORES, st.integers(1, 80), st.booleans())
def test_average_precision_is_scikit_learns(rng: np.random.Generator, n: int, tied: bool) -> None:
    wanted, scores = rng.random(n) < 0.4, rng.random(n)
    scores = np.round(scores, 1) if tied else scores
    wanted[0] = True
    assert average_precision(wanted, scores) == pytest.approx(average_precision_score(wanted, scores))


def test_nothing_wanted_has_no_average_precision() -> None:
    assert np.isnan(average_precision(np.zeros(3, dtype=bool), np.arange(3.0)))


@given(SCORES, st.integers(1, 200))
def test_the_calibration_error_is_that_of_scikit_learns_bins(rng: np.random.Generator, n: int) -> None:
    wanted, scores = rng.random((n, 2)) < 0.4, rng.random((n, 2))
    truth, said = calibration_curve(wanted.ravel(), scores.ravel(), n_bins=10)
    sizes = np.histogram(scores.ravel(), bins=10, range=(0, 1))[0]
    expected = (np.abs(truth - said) * sizes[sizes > 0]).sum() / wanted.size
    assert calibration_error(wanted, scores) == pytest.approx(expected)


def test_certainties_are_in_the_last_bin() -> None:
    assert calibration_error(np.array([[True, False]]), np.array([[1.0, 0.0]])) == 0


@given(SCORES, st.integers(1, 60))
def test_f1_is_scikit_learns(rng: np.random.Generator, n: int) -> None:
    wanted, found = rng.random((n, 3)) < 0.4, rng.random((n, 3)) < 0.4
    wanted[0] = True
    assert macro_f1(wanted, found) == pytest.approx(f1_score(wanted, found, average="macro", zero_division=0))
    assert [each.f1 for each in counts(wanted, found, [""] * n)] == pytest.approx(
        f1_score(wanted, found, average=None, zero_division=0).tolist())


@pytest.mark.parametrize("types", [["V", HARD, ORDINARY, EVASIVE], [""] * 4, [HARD] * 4])
@pytest.mark.parametrize("wanted", [True, False])
def test_a_report_of_few_lines_warns_of_nothing(types: list[str], wanted: bool) -> None:
    truth = np.zeros((4, 2), dtype=bool)
    truth[0, 0] = wanted
    found = report(truth, truth, truth * 0.9, types, ["a", "b"], seed=1)
    assert found["lines"] == 4
    assert found["categories"]["a"]["wanted"] == wanted
    assert msgspec.json.encode(found)


def test_intervals_hold_what_they_measure() -> None:
    truth = np.arange(200) % 4 == 0
    low, high = interval(lambda drawn: float(truth[drawn].mean()), truth.size, seed=1)
    assert 0.15 < low < 0.25 < high < 0.35
    assert (low, high) == interval(lambda drawn: float(truth[drawn].mean()), truth.size, seed=1)


def test_rounding_counts_decisions_that_change() -> None:
    exact, served = np.array([[0.5, 0.2], [0.3, 0.9]]), np.array([[0.4999, 0.2], [0.3, 0.9]])
    found = rounding(exact, served, np.array([0.5, 0.5]))
    assert found == {"largest": pytest.approx(1e-4), "changed": 1, "decisions": 4}
