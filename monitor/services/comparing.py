"""Two models on the same lines: what each finds alone, and how sure it is that one is better (paired bootstrap).

Berg-Kirkpatrick et al., "An Empirical Investigation of Statistical Significance in NLP", 2012.
"""

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from monitor.domain.labelled import HARD, Labelled
from monitor.engine.alone import sure
from monitor.engine.views import ViewTables
from monitor.services.classifying import enough, probabilities
from monitor.services.measures import Bools, alarms, interval, macro_f1
from monitor.services.models import Manifest, Model
from monitor.services.training import wanted_of


class Change(Struct, frozen=True):
    """One measure of both, and the middle 95 % of the difference; NaN where there is nothing to measure it on."""

    before: float
    after: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.before:.3f} → {self.after:.3f} ({self.low:+.3f} to {self.high:+.3f})"


class Comparison(Struct, frozen=True):
    """`hard_alarms`: share of hard negatives with a finding."""

    lines: int
    macro_f1: Change
    hard_alarms: Change

    @property
    def worse(self) -> bool:
        """Surely, in either of the two."""
        return self.macro_f1.high < 0 or self.hard_alarms.low > 0

    @property
    def better(self) -> bool:
        """More is found rightly; chance may have its part in it."""
        return self.macro_f1.after > self.macro_f1.before

    def __str__(self) -> str:
        return f"{self.lines:,} lines · macro-F1 {self.macro_f1} · alarms on hard negatives {self.hard_alarms}"


def compare(before: Model, after: Model, tables: ViewTables, lines: Sequence[Labelled], *, seed: int) -> Comparison:
    """Over the categories that either of them knows."""
    names = sorted({*before.manifest.categories, *after.manifest.categories})
    return compared(wanted_of(lines, names), found_by(before, tables, lines, names),
                    found_by(after, tables, lines, names), [line.type for line in lines], seed=seed)


def found_by(model: Model, tables: ViewTables, lines: Sequence[Labelled], names: Sequence[str]) -> Bools:
    """bool[n, names]: what its scores find by themselves."""
    manifest = model.manifest
    found = np.zeros((len(lines), len(names)), dtype=bool)
    found[:, [list(names).index(name) for name in manifest.categories]] = sure(
        probabilities(model.scorer(), tables, lines), manifest.alone, enough(tables, lines))
    return found


def compared(wanted: Bools, before: Bools, after: Bools, types: Sequence[str], *, seed: int) -> Comparison:
    """`wanted`, `before`, `after`: bool[n, c]."""
    kinds = np.array(types)

    def change(measure: Callable[[Bools, NDArray[np.int64]], float]) -> Change:
        every = np.arange(len(types))
        low, high = float("nan"), float("nan")
        values = measure(before, every), measure(after, every)
        if not np.isnan(values).any():
            low, high = interval(lambda drawn: measure(after, drawn) - measure(before, drawn), len(types), seed)
        return Change(*values, low, high)

    return Comparison(
        len(types), change(lambda found, drawn: macro_f1(wanted[drawn], found[drawn])),
        change(lambda found, drawn: alarms(found[drawn], kinds[drawn].tolist(), HARD)))


def told(before: Manifest, after: Manifest) -> list[str]:
    """What the manifests say of the models' own held-out tests, which need not be the same: the totals, then F1 of each
    category."""
    one, two = (manifest.metrics.get("test", {}) for manifest in (before, after))

    def line(name: str, first: float | None, second: float | None) -> str:
        return f"{name:22}" + " → ".join("   –" if value is None else f"{value:.3f}" for value in (first, second))

    totals = [line(name, one.get(name), two.get(name)) for name in (
        "macro_f1", "recall", "precision", "pr_auc", "ece", "hard_alarms", "ordinary_alarms", "evasive_recall")]
    f1 = [{name: each["f1"] for name, each in test.get("categories", {}).items()} for test in (one, two)]
    return [f"{before.id} ({one.get('lines', 0):,} lines) → {after.id} ({two.get('lines', 0):,} lines)", *totals, "",
            *(line(name, f1[0].get(name), f1[1].get(name)) for name in sorted({**f1[0], **f1[1]}))]
