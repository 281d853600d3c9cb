"""The registry of models in memory, and models that are small enough for tests."""

import numpy as np
from msgspec.structs import replace

from monitor.domain.errors import ConfigError, NotFound
from monitor.engine.grams import Grams
from monitor.engine.scorer import ASIDE, Scores, Thresholds, Weights
from monitor.services.lifecycle import ModelState
from monitor.services.models import Manifest, Model

GRAMS = Grams(bits=8, characters=(1, 2), syllables=())


def tiny_model(model: str, *, bias: float = -5.0, categories: tuple[str, ...] = ("minors", "spam_fakedata"),
               tenant: str = "") -> Model:
    """All scores alike: the logistic of `bias`."""
    c = len(categories)

    def row(value: float) -> Scores:
        return np.full(c, value, np.float32)

    weights = Weights(GRAMS, np.zeros((GRAMS.buckets + 1, c), np.float32), np.zeros((ASIDE, c), np.float32), row(bias),
                      row(1), row(0))
    name, _, version = model.partition("/")
    return Model(Manifest(
        name=name, version=version, created_at=1_700_000_000_000, recipe="svm", seed=1, grams=GRAMS,
        categories=list(categories), thresholds={each: Thresholds(0.5, 0.1) for each in categories},
        weights=f"{int((bias + 100) * 1000):012x}" * 5, data="", code="", tenant=tenant, lines={"V": 3, "O": 4},
        metrics={"test": {"macro_f1": 0.5, "hard_alarms": 0.25}}), weights)


class MemoryRegistry:
    """Implements `Registry`. `fails`: what the next writing of the state raises; `unsound`: models that do not load."""

    def __init__(self, base: str) -> None:
        self.fails: Exception | None = None
        self.unsound: set[str] = set()
        self._base, self._state = base, ModelState()
        self._models = {base: (tiny_model(base), "# base")} if base else {}

    def base(self) -> str:
        return self._base

    def ids(self) -> list[str]:
        return sorted(set(self._models) - {self._base})

    def manifest(self, model: str) -> Manifest:
        return self.model(model).manifest

    def model(self, model: str) -> Model:
        if model not in self._models:
            raise NotFound(f"there is no model {model}", hint="look at the list")
        if model in self.unsound:
            raise ConfigError(f"{model} is cut off", hint="take it again")
        return self._models[model][0]

    def card(self, model: str) -> str:
        self.model(model)
        return self._models[model][1]

    def add(self, model: Model, card: str) -> Manifest:
        if model.manifest.id in self._models:
            raise ConfigError(f"{model.manifest.id} is there already")
        self._models[model.manifest.id] = replace(model), card
        return model.manifest

    def state(self) -> ModelState:
        return self._state

    def set_state(self, state: ModelState) -> None:
        if self.fails is not None:
            raise self.fails
        self._state = state
