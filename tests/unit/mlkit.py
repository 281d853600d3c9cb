"""A small classifier that is really fitted, and one whose scores are written down."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from monitor.adapters.ml.fitting import GramFitter
from monitor.adapters.ml.folder import save_model
from monitor.adapters.ml.labelled import Columns, read_labelled
from monitor.domain.events import Event, Speaker
from monitor.domain.labelled import Labelled
from monitor.engine.batch import Batch, EventBatch
from monitor.engine.grams import Grams
from monitor.engine.patterns import ContactSpan, contacts
from monitor.engine.scorer import ASIDE, Common, LinearScorer, Reason, Scores, Thresholds, Weights
from monitor.engine.views import Index, Views
from monitor.services.models import Manifest, Model
from monitor.services.training import Recipe, Trained, labels_of, train
from tests.unit.rulekit import tables

CORPUS = Path(__file__).parents[2] / "models/corpus"
GRAMS = Grams(bits=12)
RECIPE = Recipe(homophones=0.1)


@cache
def lines() -> list[Labelled]:
    """A few hundred, of seven briefs."""
    found = read_labelled([CORPUS / f"{name}.jsonl" for name in "ijk"], Columns())[::3]
    return [msgspec.structs.replace(line, brief=f"{line.brief}{i % 7}") for i, line in enumerate(found)]


def fitter() -> GramFitter:
    return GramFitter(tables(), GRAMS, RECIPE)


@cache
def trained() -> Trained:
    return train(lines(), labels_of(lines())[:4], fitter(), RECIPE)


def manifest(
    categories: Sequence[str], thresholds: Mapping[str, Thresholds], common: Common | None = None
) -> Manifest:
    return Manifest(
        name="small", version="1", created_at=0, recipe="svm", seed=1, grams=GRAMS, categories=list(categories),
        thresholds=dict(thresholds), weights="", data="", code="", lines={"V": 1}, common=common)


@cache
def model() -> Model:
    found = trained()
    return Model(manifest(found.categories, found.thresholds, found.common), fitter().weights(found))


@cache
def scorer() -> LinearScorer:
    return model().scorer()


def looked_at(events: Sequence[Labelled | str]) -> tuple[Views, EventBatch, list[ContactSpan]]:
    """What a scorer is given."""
    some = [line if isinstance(line, Labelled) else Labelled(text=line) for line in events]
    batch = EventBatch([Event(id=str(i), kind=line.kind, text=line.text, speaker=Speaker(line.speaker))
                        for i, line in enumerate(some)])
    views = Views(tables(), batch.text)
    return views, batch, contacts(views, batch.starts.tolist())


def certain(folder: Path, odds: Mapping[str, float]) -> Path:
    """A model folder that gives every text these log-odds; enough is 0.8 alone and 0.2 beside a rule."""
    grams, n = Grams(bits=1, characters=(1,), syllables=()), len(odds)
    nothing = np.zeros(n, np.float32)
    weights = Weights(grams, np.zeros((grams.buckets + 1, n), np.float32), np.zeros((ASIDE, n), np.float32), nothing,
                      nothing, np.array(list(odds.values()), np.float32))
    found = msgspec.structs.replace(manifest(list(odds), dict.fromkeys(odds, Thresholds(0.8, 0.2))), grams=grams)
    save_model(folder, Model(found, weights), "")
    return folder


class Written:
    """Scores by text and category; 0 of all others. Enough is 0.8 alone and 0.2 beside a rule."""

    def __init__(self, scores: Mapping[str, Mapping[str, float]], categories: Sequence[str] = (), *,
                 version: str = "written/1", amid: float = 1.0) -> None:
        self.version, self.verticals = version, tuple[str, ...]()
        self.categories = tuple(categories) or tuple(sorted({name for each in scores.values() for name in each}))
        self.thresholds = dict.fromkeys(self.categories, Thresholds(0.8, 0.2, amid))
        self._scores = scores

    def score(
        self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], verticals: Index | None = None
    ) -> Scores:
        every = [self._scores.get(text, {}) for text in batch.text.split("\n")]
        return np.array([[each.get(name, 0) for name in self.categories] for each in every], dtype=np.float32)

    def known(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan]) -> tuple[int, int]:
        return 1, 2

    def reasons(self, views: Views, batch: Batch, contacts: Sequence[ContactSpan], category: str) -> list[Reason]:
        return []
