"""Words as features, to compare with: nothing serves them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction import FeatureHasher

from monitor.adapters.ml.fitting import LinearFitter, aside
from monitor.domain.labelled import Labelled
from monitor.engine.grams import Grams
from monitor.engine.views import ViewTables
from monitor.services.labelling import masked
from monitor.services.suggesting import Words
from monitor.services.training import Recipe


class WordFitter(LinearFitter):
    """Over hashed words and pairs of words, which count as n-grams do. `grams`: how many buckets, how a word counts.
    `beside`: other features of the same lines that are learnt as well."""

    def __init__(
        self, tables: ViewTables, grams: Grams, recipe: Recipe, cut: Words, beside: LinearFitter | None = None
    ) -> None:
        super().__init__(tables, recipe)
        self._grams, self._cut, self._beside = grams, cut, beside
        self._hasher = FeatureHasher(grams.buckets, input_type="string", alternate_sign=False)

    def matrix(self, lines: Sequence[Labelled]) -> Any:
        """float64 CSR; contact data is not read."""
        said = [list(self._cut(self._tables.skeleton_text(text))) for text in masked(lines, self._tables)]
        terms = [[*words, *map("\n".join, pairwise(words))] for words in said]
        scale = self._grams.scale(np.array([len(each) for each in terms], dtype=np.int64))
        found = sp.diags(scale) @ self._hasher.transform(terms)
        return sp.hstack([found, self._beside.matrix(lines) if self._beside else aside(lines)]).tocsr()
