"""Learning on: a candidate from the corpus and one tenant's labels, held against the model that serves.

The newest fifth of the labels and the held-out part of the corpus are learnt by neither; nothing whose text is among
them is learnt either. A candidate that is surely worse on one of them, or better on none, is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.audit import Deed
from monitor.domain.errors import InputError
from monitor.domain.labelled import CARE, Labelled
from monitor.domain.labels import learnt_from
from monitor.domain.phrases import phrase
from monitor.domain.rules import CATEGORIES
from monitor.engine.grams import Grams
from monitor.engine.views import ViewTables
from monitor.services.building import Maker, Plan, built
from monitor.services.comparing import Comparison, compare
from monitor.services.labelling import every_label
from monitor.services.lifecycle import Lifecycle, Registry
from monitor.services.modelcard import card
from monitor.services.models import Manifest, Model
from monitor.services.ports import Clock, Logger, Store
from monitor.services.training import Recipe, labels_of

LEAST_LABELS: Final = 10
TEST: Final = "held-out test"
NEWEST: Final = "newest labels"
Makers = Callable[[Recipe, Grams], tuple[Maker, str]]
"""Gives the maker of a recipe, and the SHA-256 of its code."""


class Split(Struct, frozen=True):
    """`lines` are learnt; each of `tests` is by its name."""

    lines: list[Labelled]
    tests: dict[str, list[Labelled]]


class Verdict(Struct, frozen=True):
    """`model`: the candidate's id, under which it is kept where `refused` says nothing."""

    model: str
    against: str
    learnt: int
    comparisons: dict[str, Comparison]
    refused: str


class Retraining:
    """For one data folder."""

    def __init__(
        self, store: Store, registry: Registry, lifecycle: Lifecycle, tables: ViewTables, makers: Makers, *,
        clock: Clock, logger: Logger, record: Callable[[Sequence[Deed]], Awaitable[None]],
    ) -> None:
        """`record`: writes into the trail."""
        self._record = record
        self._store, self._registry, self._lifecycle = store, registry, lifecycle
        self._tables, self._makers, self._clock, self._logger = tables, makers, clock, logger

    async def run(self, tenant: str, corpus: Sequence[Labelled], test: Sequence[Labelled], *, by: str) -> Verdict:
        """Takes minutes, beside the event loop. A better candidate is kept, and tried in the shadow.

        Raises InputError where there are too few labels, nothing to test on, or no model that serves.
        """
        if tenant == self._registry.base().partition("/")[0]:
            raise InputError(phrase("{tenant} is the name of the model that the settings name, too", tenant=tenant),
                             hint="labels of a tenant of this name can be exported, and trained with `redpost train`")
        labels = await every_label(self._store, tenant)
        if len(labels) < LEAST_LABELS:
            raise InputError(phrase("the tenant {tenant} has {count} labels, and {least} are needed", tenant=tenant,
                                    count=len(labels), least=LEAST_LABELS),
                             hint="`redpost labels import` takes them from a file, POST /api/v1/labels from programs")
        if not test:
            raise InputError("there is nothing to test on", hint="hold briefs of the corpus out, or name a file")
        await self._record([Deed(tenant=tenant, by=by, at=self._clock.now(), what="training.begin", on=tenant,
                                 facts={"labels": len(labels), "lines": len(corpus)})])
        split = split_up(corpus, [learnt_from(label) for label in labels], test)
        candidate, verdict = await asyncio.to_thread(self._tried, tenant, split)
        figures = {name: str(each) for name, each in verdict.comparisons.items()}
        self._logger.info("model_trained", model=verdict.model, against=verdict.against, labels=len(labels), by=by,
                          refused=verdict.refused, figures=figures)
        if not verdict.refused:
            await asyncio.to_thread(self._registry.add, candidate, card(candidate.manifest))
            await self._lifecycle.shadow(verdict.model, by=by, tenant=tenant)
        return verdict

    def _tried(self, tenant: str, split: Split) -> tuple[Model, Verdict]:
        serving = self._registry.model(_serving(self._registry, tenant))
        recipe, grams = _recipe(serving.manifest), serving.manifest.grams
        maker, code = self._makers(recipe, grams)
        plan = Plan(name=tenant, version=_next_version(self._registry, tenant), recipe=recipe, grams=grams, code=code,
                    categories=labels_of(split.lines, CATEGORIES), now=self._clock.now(), tenant=tenant)
        candidate = built(plan, maker, self._tables, split.lines, split.tests[TEST])
        found = {name: compare(serving, candidate, self._tables, lines, seed=recipe.seed)
                 for name, lines in split.tests.items()}
        return candidate, Verdict(candidate.manifest.id, serving.manifest.id, len(split.lines), found, refusal(found))


def _recipe(manifest: Manifest) -> Recipe:
    return Recipe(kind=manifest.recipe, seed=manifest.seed, verticals=tuple(manifest.verticals))


def split_up(corpus: Sequence[Labelled], labels: Sequence[Labelled], test: Sequence[Labelled]) -> Split:
    """`labels`: newest first, of which a fifth is held back. `test`: lines of the corpus, or others."""
    held = list(labels[: max(1, len(labels) // 5)])
    tested = {line.text for line in (*test, *held)}
    lines = [msgspec.structs.replace(line, labels=[label for label in line.labels if label != CARE])
             for line in (*corpus, *labels[len(held) :]) if line.text not in tested]
    return Split(lines, {TEST: list(test), NEWEST: held})


def refusal(found: dict[str, Comparison]) -> str:
    """Why a candidate is not to be tried; "" where it is."""
    for name, comparison in found.items():
        if comparison.worse:
            return f"it is worse on the {name}"
    return "" if any(each.better for each in found.values()) else "it is better on nothing"


def _serving(registry: Registry, tenant: str) -> str:
    if not registry.base():
        raise InputError("no classifier judges here, against which a candidate could be held: model.dir is none",
                         hint="set model.dir to a folder, or to nothing for the bundled one")
    return registry.state().serving(tenant) or registry.base()


def _next_version(registry: Registry, name: str) -> str:
    """One above the highest number that this name has."""
    known = [version for kept in (*registry.ids(), registry.base())
             for of, _, version in [kept.partition("/")] if of == name and version.isdigit()]
    return str(1 + max(map(int, known), default=0))
