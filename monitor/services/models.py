"""A trained classifier as it is kept: weights, and a manifest that says what they are and how good they were."""

from typing import Annotated, Any, Final

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from monitor.engine.grams import Grams
from monitor.engine.scorer import ASIDE, LinearScorer, Scores, Thresholds, Weights

FORMAT: Final = 2
"""1: no `verticals`, and no rows of theirs."""
_TAIL: Final = 3  # bias, slope, offset


class Manifest(Struct, frozen=True, kw_only=True):
    """`weights`: SHA-256 of the file; `data`, `code`: of what it was trained on and by. `lines`: how many of each type.
    `thresholds`, `metrics`: by category, and what was measured, with the names of the report. `created_at`: UTC ms.
    `verticals`: the trades that it tells apart. `tenant`: whose labels it learnt from, "" for nobody's; it judges no
    other tenant's events."""

    format: int = FORMAT
    name: str
    version: str
    created_at: int
    recipe: str
    seed: int
    grams: Grams
    categories: Annotated[list[str], Meta(min_length=1)]
    verticals: list[str] = []
    thresholds: dict[str, Thresholds]
    weights: str
    data: str
    code: str
    tenant: str = ""
    lines: dict[str, int] = {}
    metrics: dict[str, Any] = {}

    @property
    def id(self) -> str:
        return f"{self.name}/{self.version}"

    @property
    def alone(self) -> NDArray[np.float64]:
        """float64[c]: the thresholds from which on a score is a finding by itself."""
        return np.array([self.thresholds[name].alone for name in self.categories])


class Model(Struct, frozen=True):
    manifest: Manifest
    weights: Weights

    def scorer(self) -> LinearScorer:
        """Its version holds the beginning of the weights' hash, so that no two models share one."""
        manifest = self.manifest
        return LinearScorer(self.weights, manifest.categories, f"{manifest.id}@{manifest.weights[:12]}",
                            manifest.thresholds, manifest.verticals)


def packed(weights: Weights) -> Scores:
    """All in one table, float32[rows, c]."""
    tail = np.stack([weights.bias, weights.slope, weights.offset])
    trades = tail[:0] if weights.trades is None else weights.trades
    return np.concatenate([weights.table, weights.aside, trades, tail]).astype(np.float32, copy=False)


def rows(manifest: Manifest) -> int:
    """How many `packed` has."""
    return manifest.grams.buckets + 1 + ASIDE + len(manifest.verticals) + _TAIL


def unpacked(grams: Grams, table: Scores) -> Weights:
    """Views of one table, as `packed` made it."""
    first = grams.buckets + 1
    trades = first + ASIDE
    bias, slope, offset = table[-_TAIL:]
    return Weights(grams, table[:first], table[first:trades], bias, slope, offset, table[trades:-_TAIL])
