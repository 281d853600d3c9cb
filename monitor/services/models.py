"""A trained classifier as it is kept: weights, and a manifest that says what they are and how good they were."""

from typing import Annotated, Any, Final

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from monitor.engine.grams import Grams
from monitor.engine.scorer import ASIDE, Common, LinearScorer, Scores, Thresholds, Weights

FORMAT: Final = 3
"""1: no `verticals`, and no rows of theirs. 2: no `common`, and no column of its own."""
_TAIL: Final = 3  # bias, slope, offset


class Manifest(Struct, frozen=True, kw_only=True):
    """`weights`: SHA-256 of the file; `data`, `code`: of what it was trained on and by. `lines`: how many of each type.
    `thresholds`, `metrics`: by category, and what was measured, with the names of the report. `created_at`: UTC ms.
    `verticals`: the trades that it tells apart. `common`: of the weights' last column, where there is one. `tenant`:
    whose labels it learnt from, "" for nobody's; it judges no other tenant's events."""

    format: int = FORMAT
    name: str
    version: str
    created_at: int
    recipe: str
    seed: int
    grams: Grams
    categories: Annotated[list[str], Meta(min_length=1)]
    verticals: list[str] = []
    common: Common | None = None
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
    """All in one table, float32[rows, k]."""
    columns = weights.bias.size
    tail = np.stack([np.resize(row, columns) for row in (weights.bias, weights.slope, weights.offset)])
    trades = tail[:0] if weights.trades is None else weights.trades
    return np.concatenate([weights.table, weights.aside, trades, tail]).astype(np.float32, copy=False)


def shape(manifest: Manifest) -> tuple[int, int]:
    """Of what `packed` makes: (rows, k)."""
    rows = manifest.grams.buckets + 1 + ASIDE + len(manifest.verticals) + _TAIL
    return rows, len(manifest.categories) + (manifest.common is not None)


def unpacked(manifest: Manifest, table: Scores) -> Weights:
    """Views of one table, as `packed` made it."""
    first, categories = manifest.grams.buckets + 1, len(manifest.categories)
    trades = first + ASIDE
    bias, slope, offset = table[-_TAIL:]
    return Weights(manifest.grams, table[:first], table[first:trades], bias, slope[:categories], offset[:categories],
                   table[trades:-_TAIL], manifest.common)
