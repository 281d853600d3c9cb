"""How good scores are, by the usual measures.

Arrays are of n lines and c categories: `wanted` and `found` bool[n, c], `scores` and `probabilities` float[n, c].
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from monitor.domain.labelled import EVASIVE, HARD, ORDINARY

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]

_BINS: Final = 10
_DRAWS: Final = 1_000


class Counts(Struct, frozen=True):
    """Of one category. `hard`, `ordinary`: alarms on hard negatives and on ordinary speech."""

    wanted: int
    found: int
    right: int
    hard: int
    ordinary: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else float("nan")

    @property
    def recall(self) -> float:
        return self.right / self.wanted if self.wanted else float("nan")

    @property
    def f1(self) -> float:
        """0 where nothing is right."""
        return 2 * self.right / (self.wanted + self.found) if self.wanted + self.found else float("nan")


def counts(wanted: Bools, found: Bools, types: Sequence[str]) -> list[Counts]:
    """Of each category."""
    kinds = np.array(types)
    hard, ordinary = kinds == HARD, kinds == ORDINARY
    return [Counts(int(w.sum()), int(f.sum()), int((w & f).sum()), int(f[hard].sum()), int(f[ordinary].sum()))
            for w, f in zip(wanted.T, found.T, strict=True)]


def macro_f1(wanted: Bools, found: Bools) -> float:
    """Mean over the categories that the lines have."""
    right, both = (wanted & found).sum(axis=0), wanted.sum(axis=0) + found.sum(axis=0)
    known = wanted.any(axis=0)
    return float((2 * right[known] / both[known]).mean()) if known.any() else float("nan")


def alarms(found: Bools, types: Sequence[str], of: str) -> float:
    """Share of the lines of a type that have a finding."""
    return _alarming(found[np.array(types) == of])


def _alarming(found: Bools) -> float:
    return float(found.any(axis=1).mean()) if len(found) else float("nan")


def _mean(known: Sequence[float]) -> float:
    """Of what is a number."""
    numbers = [each for each in known if each == each]
    return sum(numbers) / len(numbers) if numbers else float("nan")


def average_precision(wanted: NDArray[np.bool_], scores: Floats) -> float:
    """Area under precision over recall, as steps; NaN where nothing is wanted."""
    if not wanted.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits, ranked = wanted[order], scores[order]
    last = np.append(ranked[1:] != ranked[:-1], True)  # equal scores count together
    right = np.cumsum(hits)[last]
    precision = right / (np.flatnonzero(last) + 1)
    return float((precision * np.diff(right, prepend=0)).sum() / hits.sum())


def calibration_error(wanted: Bools, probabilities: Floats) -> float:
    """Expected calibration error over all (line, category) pairs, in ten bins of equal width."""
    chances, truth = probabilities.ravel(), wanted.ravel()
    bins = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    of = np.bincount(bins, minlength=_BINS)
    gaps = np.abs(np.bincount(bins, chances, _BINS) - np.bincount(bins, truth, _BINS))
    return float(gaps[of > 0].sum() / truth.size) if truth.size else float("nan")


def rounding(exact: Floats, served: Floats, alone: Floats) -> dict[str, Any]:
    """What rounded weights change: the largest difference of a probability, and how many of the decisions at the
    thresholds `alone` (float[c]), one for each line and category."""
    return {"largest": float(np.abs(exact - served).max(initial=0)),
            "changed": int(((exact >= alone) != (served >= alone)).sum()), "decisions": int(exact.size)}


def interval(measure: Callable[[NDArray[np.int64]], float], lines: int, seed: int) -> tuple[float, float]:
    """The middle 95 % of a measure over lines drawn with replacement (bootstrap), where it is a number."""
    rng = Generator(PCG64(seed))
    drawn = np.array([measure(rng.integers(0, lines, lines)) for _ in range(_DRAWS)])
    known = drawn[~np.isnan(drawn)]
    low, high = np.percentile(known, (2.5, 97.5)).tolist() if known.size else (float("nan"), float("nan"))
    return low, high


def report(
    wanted: Bools, found: Bools, probabilities: Floats, types: Sequence[str], categories: Sequence[str], *, seed: int,
) -> dict[str, Any]:
    """All of it, as the manifest keeps it."""
    each = counts(wanted, found, types)
    hard = np.array(types) == HARD
    evasive = np.array(types) == EVASIVE
    return {
        "lines": len(types),
        "macro_f1": macro_f1(wanted, found),
        "macro_f1_95": interval(lambda drawn: macro_f1(wanted[drawn], found[drawn]), len(types), seed),
        "recall": float(found[wanted].mean()) if wanted.any() else float("nan"),
        "precision": float(wanted[found].mean()) if found.any() else float("nan"),
        "pr_auc": _mean([average_precision(w, p) for w, p in zip(wanted.T, probabilities.T, strict=True)]),
        "ece": calibration_error(wanted, probabilities),
        "hard_alarms": alarms(found, types, HARD),
        "hard_alarms_95": interval(lambda drawn: _alarming(found[drawn][hard[drawn]]), len(types), seed),
        "ordinary_alarms": alarms(found, types, ORDINARY),
        "evasive_recall": float(found[evasive][wanted[evasive]].mean()) if wanted[evasive].any() else float("nan"),
        "categories": {
            name: {"wanted": c.wanted, "found": c.found, "right": c.right, "precision": c.precision,
                   "recall": c.recall, "f1": c.f1, "pr_auc": average_precision(wanted[:, i], probabilities[:, i]),
                   "hard_alarms": c.hard, "ordinary_alarms": c.ordinary}
            for i, (name, c) in enumerate(zip(categories, each, strict=True))},
    }
