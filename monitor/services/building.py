"""From labelled lines to a model with its manifest: learnt, calibrated, and measured on what it has not seen."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Protocol

import msgspec
import numpy as np
from msgspec import Struct

from monitor.domain.labelled import Labelled
from monitor.engine.alone import sure
from monitor.engine.grams import Grams
from monitor.engine.scorer import Weights, joined
from monitor.engine.views import ViewTables
from monitor.services.classifying import enough, probabilities
from monitor.services.measures import Bools, Floats, report, rounding
from monitor.services.models import Manifest, Model
from monitor.services.slices import sliced
from monitor.services.training import Fitter, Recipe, Trained, chances, train, wanted_of


class Maker(Fitter, Protocol):
    """A fitter whose models can serve."""

    def weights(self, trained: Trained) -> Weights: ...


class Plan(Struct, frozen=True, kw_only=True):
    """What a model is to be. `code`: SHA-256 of what makes its features and weights. `now`: UTC ms. `tenant`: whose
    labels are among the lines, "" for nobody's."""

    name: str
    version: str
    recipe: Recipe
    grams: Grams
    categories: Sequence[str]
    code: str
    now: int
    tenant: str = ""


def built(
    plan: Plan, maker: Maker, tables: ViewTables, lines: Sequence[Labelled], test: Sequence[Labelled]
) -> Model:
    """Learnt from `lines`; its metrics are of them, cross-fitted, and of `test`, where there is one."""
    found = train(lines, plan.categories, maker, plan.recipe)
    manifest = _manifest(plan, found, lines)
    model = Model(manifest, maker.weights(found))
    metrics = {"validation": _alone(found.probabilities, tables, lines, manifest)}
    if test:
        scores = probabilities(model.scorer(), tables, test)
        rounded = rounding(_exact(maker, found, test), scores, manifest.alone)
        metrics["test"] = _alone(scores, tables, test, manifest) | {"rounding": rounded}
    return Model(msgspec.structs.replace(manifest, metrics=metrics), model.weights)


def tried(
    plan: Plan, fitter: Fitter, tables: ViewTables, lines: Sequence[Labelled], test: Sequence[Labelled]
) -> dict[str, Any]:
    """Metrics as those of `built`, of what need not serve."""
    found = train(lines, plan.categories, fitter, plan.recipe)
    manifest = _manifest(plan, found, lines)
    metrics = {"validation": _alone(found.probabilities, tables, lines, manifest)}
    return metrics | ({"test": _alone(_exact(fitter, found, test), tables, test, manifest)} if test else {})


def _manifest(plan: Plan, found: Trained, lines: Sequence[Labelled]) -> Manifest:
    return Manifest(
        name=plan.name, version=plan.version, created_at=plan.now, recipe=plan.recipe.kind, seed=plan.recipe.seed,
        grams=plan.grams, categories=list(plan.categories), thresholds=found.thresholds, weights="",
        verticals=list(plan.recipe.verticals), common=found.common,
        data=sha256(msgspec.json.encode(lines)).hexdigest(), code=plan.code, tenant=plan.tenant,
        lines=dict(Counter(line.type for line in lines)))


def _exact(fitter: Fitter, found: Trained, lines: Sequence[Labelled]) -> Floats:
    """float64[n, c]: probabilities before any rounding."""
    decided = joined(fitter.decide(found.fitted, fitter.features(lines), np.arange(len(lines))), found.common)
    return chances(decided * found.slopes + found.offsets)


def _alone(scores: Floats, tables: ViewTables, lines: Sequence[Labelled], manifest: Manifest) -> dict[str, Any]:
    return measured(sure(scores, manifest.alone, enough(tables, lines)), scores, lines, manifest)


def measured(found: Bools, scores: Floats, lines: Sequence[Labelled], manifest: Manifest) -> dict[str, Any]:
    """The report, whole and by slices. `found`, `scores`: bool and float[n, c]."""
    wanted = wanted_of(lines, manifest.categories)
    whole = report(wanted, found, scores, [line.type for line in lines], manifest.categories, seed=manifest.seed)
    return whole | {"slices": sliced(wanted, found, lines)}
