"""Training a classifier: cross-fitted over briefs, calibrated, with thresholds for a wanted rate of alarms.

Each brief is scored by models that have not seen it; what comes of that calibrates the model and sets its thresholds.
The model itself then learns from all lines.
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, Protocol

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from monitor.domain.errors import InputError
from monitor.domain.labelled import HARD, ORDINARY, Labelled
from monitor.engine.scorer import Common, Thresholds, joined
from monitor.services.measures import Bools, Floats, alarms

FOLDS: Final = 5
LEAST: Final = 8
"""Lines that a label needs, to be learnt and measured."""
_ROUNDS: Final = 40
_SURE: Final = 0.995
"""A threshold of what is never sure enough."""


class Recipe(Struct, frozen=True):
    """`hard_alarms`, `ordinary_alarms`: wanted shares of hard negatives and of ordinary lines with an alarm. `beside`:
    log-odds by which a rule that holds is worth trusting a lower score than a rule that nearly holds. `homophones`:
    share of the lines that are learnt a second time with characters swapped for others of the same sound. `verticals`:
    trades that are told apart. `common`: of what is learnt of all categories together.
    `least_alone`, `least_amid`: probabilities below which a score is nothing, whatever the lines allow: in rooms
    violations are rarer than among them."""

    kind: str = "svm"
    cost: float = 1.5
    homophones: float = 0.3
    hard_alarms: float = 0.045
    ordinary_alarms: float = 0.0005
    least_alone: float = 0.8
    least_amid: float = 0.6
    beside: float = 1.4
    seed: int = 20261127
    verticals: tuple[str, ...] = ()
    common: Common = field(default_factory=Common)


class Fitted(Struct, frozen=True):
    """`coefficients`: float[features, k]; `intercepts`: float[k]."""

    coefficients: Floats
    intercepts: Floats


class Fitter(Protocol):
    """Learns from lines; made for one recipe. `features` of lines are its own affair."""

    def features(self, lines: Sequence[Labelled]) -> Any: ...

    def fit(self, features: Any, wanted: Bools, rows: NDArray[np.int64]) -> Fitted: ...

    def decide(self, fitted: Fitted, features: Any, rows: NDArray[np.int64]) -> Floats:
        """float[rows, k]: what each column says."""
        ...

    def platt(self, margins: NDArray[np.floating[Any]], wanted: NDArray[np.bool_]) -> tuple[float, float]:
        """(slope, offset) from the decision function to log-odds."""
        ...


class Trained(Struct, frozen=True):
    """`probabilities`: float[n, c], of each line by models that have not seen its brief. `common`: of the last column
    of what is fitted, None where there are as many as categories."""

    categories: list[str]
    fitted: Fitted
    slopes: Floats
    offsets: Floats
    thresholds: dict[str, Thresholds]
    wanted: Bools
    probabilities: Floats
    common: Common | None


def labels_of(lines: Sequence[Labelled], only: Sequence[str] = ()) -> list[str]:
    """The labels that can be learnt: those with LEAST lines and LEAST without, some of both outside of each fold.
    Raises InputError where there is none, and for labels that are not among `only`, where that is given."""
    seen = Counter(label for line in lines for label in set(line.labels))
    if only and (strangers := sorted(set(seen) - set(only))):
        raise InputError(f"labels outside the taxonomy: {', '.join(strangers[:5])}",
                         hint="rename them in the file, or train with --any-labels")
    folds = folds_of(lines)
    found = [label for label, n in sorted(seen.items()) if LEAST <= n <= len(lines) - LEAST
             and _everywhere(np.array([label in line.labels for line in lines]), folds)]
    if not found:
        raise InputError(
            f"nothing to learn: no label has {LEAST} lines, and {LEAST} lines without it, in more than one brief",
            hint="a classifier needs lines of both kinds; look at --text, --labels and --brief")
    return found


def _everywhere(has: NDArray[np.bool_], folds: NDArray[np.int64]) -> bool:
    """Are there lines with the label, and without, whichever fold is left out?"""
    left = [has[folds != fold] for fold in np.unique(folds)]
    return all(some.any() and not some.all() for some in left)


def folds_of(lines: Sequence[Labelled], folds: int = FOLDS) -> NDArray[np.int64]:
    """int64[n]: of each line its fold; a brief is in one. Large briefs first, each into the smallest fold. A line
    without a brief is one by itself, as are all where there is but one brief; the same text stays together."""
    apart = len({line.brief for line in lines}) > 1
    keys = [(line.brief, "") if apart and line.brief else ("", _digest(line.text)) for line in lines]
    filled, of = [0] * folds, dict[tuple[str, str], int]()
    for key, size in sorted(Counter(keys).items(), key=lambda each: (-each[1], each[0])):
        of[key] = filled.index(min(filled))
        filled[of[key]] += size
    return np.array([of[key] for key in keys], dtype=np.int64)


def held_out(lines: Sequence[Labelled]) -> NDArray[np.bool_]:
    """bool[n]: a test of about a fifth, whole briefs: the smallest fold; none where all lines are in one."""
    folds = folds_of(lines)
    sizes = np.bincount(folds, minlength=FOLDS)
    known = np.flatnonzero(sizes)
    return folds == known[np.argmin(sizes[known])] if known.size > 1 else np.zeros(len(lines), dtype=bool)


def _digest(text: str) -> str:
    return blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def train(lines: Sequence[Labelled], categories: Sequence[str], fitter: Fitter, recipe: Recipe) -> Trained:
    """See the module."""
    wanted = wanted_of(lines, categories)
    features, folds = fitter.features(lines), folds_of(lines)
    every, common, told = np.arange(len(lines)), None, wanted
    unlawful: NDArray[np.bool_] = np.any(wanted, axis=1)
    if len(categories) > 1 and _everywhere(unlawful, folds):
        common, told = recipe.common, np.column_stack([wanted, unlawful])
    margins = np.zeros(told.shape)
    for fold in range(FOLDS):
        inside = np.flatnonzero(folds == fold)
        if inside.size:
            fitted = fitter.fit(features, told, np.flatnonzero(folds != fold))
            margins[inside] = fitter.decide(fitted, features, inside)
    decided = joined(margins, common)
    platt = [fitter.platt(decided[:, i], wanted[:, i]) for i in range(len(categories))]
    slopes, offsets = (np.array(column) for column in zip(*platt, strict=True))
    probabilities = chances(decided * slopes + offsets)
    chosen = thresholds_for(wanted, probabilities, [line.type for line in lines], recipe)
    return Trained(
        list(categories), fitter.fit(features, told, every), slopes, offsets,
        dict(zip(categories, chosen, strict=True)), wanted, probabilities, common)


def chances(odds: Floats) -> Floats:
    """Of log-odds."""
    return (1 + np.tanh(odds / 2)) / 2


def wanted_of(lines: Sequence[Labelled], categories: Sequence[str]) -> Bools:
    return np.array([[name in line.labels for name in categories] for line in lines], dtype=bool).reshape(
        len(lines), len(categories))


def thresholds_for(
    wanted: Bools, probabilities: Floats, types: Sequence[str], recipe: Recipe
) -> list[Thresholds]:
    """Amid the words of a rule, the thresholds of best F1 that keep to the wanted rate of alarms on hard negatives over
    all categories.

    Each alarm costs as much as makes that rate come true, found by halving. Alone, the thresholds go above what
    ordinary lines score, in which the words of rules are rare; beside a rule that holds, they are lower.
    """
    low, high = 0.0, 100.0
    for _ in range(_ROUNDS):
        cost = (low + high) / 2
        found = probabilities >= _best(wanted, probabilities, types, cost)
        low, high = (cost, high) if alarms(found, types, HARD) > recipe.hard_alarms else (low, cost)
    best = _best(wanted, probabilities, types, high)
    beside = chances(np.log(best / (1 - best)) - recipe.beside)
    kinds = np.array(types)
    sparing = _over(best, probabilities[kinds == HARD], recipe.hard_alarms)
    alone = _over(sparing, probabilities[kinds == ORDINARY], recipe.ordinary_alarms)
    alone, amid = np.maximum(alone, recipe.least_alone), np.maximum(best, recipe.least_amid)
    return [Thresholds(*limits) for limits in zip(alone.tolist(), beside.tolist(), amid.tolist(), strict=True)]


def _over(chosen: Floats, scores: Floats, share: float) -> Floats:
    """The thresholds, raised above what these lines score (float[n, c]), but for the share of them that may raise an
    alarm: those that score highest. What is raised has no more digits than float32."""
    raised = chosen.copy()
    worst = np.argsort(-(scores - chosen).max(axis=1), kind="stable")
    for line in scores[worst[int(share * len(scores)):]]:
        raised = np.where(line >= raised, np.nextafter(line.astype(np.float32), np.float32(1)), raised)
    return raised


def _best(wanted: Bools, probabilities: Floats, types: Sequence[str], cost: float) -> Floats:
    """float[c]: of each category the threshold of the best F1 less `cost` times its share of alarms on hard
    negatives."""
    hard = np.array(types) == HARD
    total = max(int(hard.sum()), 1)
    best = []
    for truth, scores in zip(wanted.T, probabilities.T, strict=True):
        order = np.argsort(-scores, kind="stable")
        right, n = np.cumsum(truth[order]), np.arange(1, truth.size + 1)
        worth = 2 * right / (n + truth.sum()) - cost * np.cumsum(hard[order]) / total
        k = int(np.argmax(worth))
        ranked = scores[order]
        following = ranked[k + 1] if k + 1 < ranked.size else 0.0
        best.append(min((ranked[k] + following) / 2, _SURE) if worth[k] > 0 else _SURE)
    return np.array(best)
