"""Linear models by scikit-learn over the n-grams that also serve."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from monitor.domain.events import KINDS, ROLES
from monitor.domain.labelled import Labelled
from monitor.engine.grams import Grams, read
from monitor.engine.patterns import contacts, covered
from monitor.engine.scorer import ASIDE, Weights
from monitor.engine.views import Views, ViewTables, without_breaks
from monitor.services.augmenting import homophones
from monitor.services.measures import Bools, Floats
from monitor.services.training import Fitted, Recipe, Trained

ASIDE_SCALE: Final = 0.1
"""Kind and role weigh little, or a model learns who speaks instead of what is said."""
_SWAPPED: Final = 0.25
_TOLERANCE: Final = 0.01
"""Scores change by less than 0.001 to the usual 0.0001, in a third of the time."""
_AT_ONCE: Final = 512


class LinearFitter(ABC):
    """One-vs-rest over rows of features. `kind`: svm · nb-svm (Wang and Manning, 2012) · lr."""

    def __init__(self, tables: ViewTables, recipe: Recipe) -> None:
        self._tables, self._recipe = tables, recipe

    @abstractmethod
    def matrix(self, lines: Sequence[Labelled]) -> Any:
        """float64 CSR [n, features]"""

    def features(self, lines: Sequence[Labelled]) -> "tuple[Any, Any, NDArray[np.int64]]":
        """Rows of the lines, rows of their swapped copies, and whose copies they are."""
        numbered = [msgspec.structs.replace(line, id=str(i)) for i, line in enumerate(lines)]
        copies = homophones(numbered, self._tables, share=self._recipe.homophones, swapped=_SWAPPED,
                            seed=self._recipe.seed)
        return self.matrix(lines), self.matrix(copies), np.array([int(copy.id) for copy in copies], dtype=np.int64)

    def fit(self, features: Any, wanted: Bools, rows: NDArray[np.int64]) -> Fitted:
        own, copies, of = features
        used = np.flatnonzero(np.isin(of, rows))
        x = sp.vstack([own[rows], copies[used]]).tocsr()
        y = np.concatenate([wanted[rows], wanted[of[used]]])
        return _stacked([self._one(x, column) for column in y.T])

    def _one(self, x: Any, wanted: NDArray[np.bool_]) -> tuple[Floats, float]:
        recipe = self._recipe
        if recipe.kind == "lr":
            model = LogisticRegression(C=10 * recipe.cost, solver="liblinear", random_state=recipe.seed)
        else:
            model = LinearSVC(C=recipe.cost, tol=_TOLERANCE, random_state=recipe.seed)
        ratio = _log_ratio(x, wanted) if recipe.kind == "nb-svm" else None
        model.fit(x if ratio is None else x.multiply(ratio).tocsr(), wanted)
        coefficients = model.coef_[0] if ratio is None else model.coef_[0] * ratio
        return coefficients, float(model.intercept_[0])

    def decide(self, fitted: Fitted, features: Any, rows: NDArray[np.int64]) -> Floats:
        decided: Floats = features[0][rows] @ fitted.coefficients + fitted.intercepts
        return decided

    def platt(self, margins: Floats, wanted: NDArray[np.bool_]) -> tuple[float, float]:
        model = LogisticRegression(C=1e6).fit(margins.reshape(-1, 1), wanted)
        return float(model.coef_[0, 0]), float(model.intercept_[0])


class GramFitter(LinearFitter):
    """Over the hashed n-grams that serve."""

    def __init__(self, tables: ViewTables, grams: Grams, recipe: Recipe) -> None:
        super().__init__(tables, recipe)
        self._grams = grams

    def matrix(self, lines: Sequence[Labelled]) -> Any:
        """float64 CSR [n, buckets + ASIDE + verticals]: n-grams scaled as they serve."""
        rows, columns, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        for first in range(0, len(lines), _AT_ONCE):
            some = lines[first : first + _AT_ONCE]
            texts = [without_breaks(line.text) for line in some]
            views = Views(self._tables, "\n".join(texts))
            starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])], dtype=np.int64)
            found = read(self._grams, views, covered(contacts(views, starts.tolist(), ()), views, starts))
            scale = self._grams.scale(found.counts)
            for buckets in found.buckets:
                at = np.flatnonzero(buckets < self._grams.buckets)
                of = np.searchsorted(found.begins, at, side="right") - 1
                rows.append(first + of)
                columns.append(buckets[at])
                values.append(scale[of])
        shape = (len(lines), self._grams.buckets)
        grams = sp.coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape)
        return sp.hstack([grams, aside(lines, self._recipe.verticals)]).tocsr()

    def weights(self, trained: Trained) -> Weights:
        """As they are kept: float32."""
        table = trained.fitted.coefficients.astype(np.float32)
        columns = table.shape[1]
        split = self._grams.buckets
        told = table[split:] * np.float32(ASIDE_SCALE)
        return Weights(
            self._grams, np.concatenate([table[:split], np.zeros((1, columns), np.float32)]),
            told[:ASIDE], trained.fitted.intercepts.astype(np.float32),
            trained.slopes.astype(np.float32), trained.offsets.astype(np.float32), told[ASIDE:],
            trained.common)


def aside(lines: Sequence[Labelled], verticals: Sequence[str] = ()) -> Any:
    """float64 CSR [n, ASIDE + verticals]: what tells of the line rather than its text. No row for other trades."""
    trades = {name: ASIDE + i for i, name in enumerate(verticals)}
    told = [(KINDS.index(line.kind), len(KINDS) + ROLES.index(line.speaker), trades.get(line.vertical, -1))
            for line in lines]
    at = np.array(told, dtype=np.int64).reshape(-1, 3)
    rows, places = np.nonzero(at >= 0)
    columns = at[rows, places]
    shape = (len(lines), ASIDE + len(trades))
    return sp.coo_matrix((np.full(columns.size, ASIDE_SCALE), (rows, columns)), shape).tocsr()


def code() -> str:
    """SHA-256 of what makes features and weights."""
    from monitor.engine import grams, patterns, rounded, scorer, views
    from monitor.services import augmenting, training

    found = sha256()
    for module in (grams, patterns, rounded, scorer, views, augmenting, training):
        found.update(Path(str(module.__file__)).read_bytes())
    found.update(Path(__file__).read_bytes())
    return found.hexdigest()


def _stacked(models: Sequence[tuple[Floats, float]]) -> Fitted:
    return Fitted(np.stack([coefficients for coefficients, _ in models], axis=1),
                  np.array([intercept for _, intercept in models]))


def _log_ratio(x: Any, wanted: NDArray[np.bool_]) -> Floats:
    """How much likelier each feature is in lines with the label (α = 1)."""
    inside, outside = (np.asarray(x[chosen].sum(axis=0))[0] + 1 for chosen in (wanted, ~wanted))
    ratio: Floats = np.log((inside / inside.sum()) / (outside / outside.sum()))
    return ratio
