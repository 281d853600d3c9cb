"""Trains and measures for the commands."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from monitor.adapters.bundled import model_folder
from monitor.adapters.clock import SystemClock
from monitor.adapters.ml.folder import load_model, save_model
from monitor.adapters.ml.labelled import Columns, read_labelled
from monitor.adapters.ml.words import words
from monitor.cli.loading import engine_set, view_tables, zone
from monitor.domain.errors import ConfigError, InputError
from monitor.domain.labelled import CARE, Labelled
from monitor.domain.rules import CATEGORIES
from monitor.engine.alone import sure
from monitor.engine.grams import Grams
from monitor.engine.views import ViewTables
from monitor.services.building import Plan, built, measured, tried
from monitor.services.caselines import case_lines
from monitor.services.classifying import enough, findings, probabilities
from monitor.services.modelcard import card, compared, slices, table
from monitor.services.retraining import Makers
from monitor.services.training import Fitter, Recipe, held_out, labels_of

KINDS = ("svm", "nb-svm", "lr")


def cases_of(rules: Path, test: Sequence[Labelled]) -> list[Labelled]:
    """The cases of these rules as lines to learn, but for texts of the test."""
    found = case_lines(engine_set(rules, "", zone()), now=SystemClock().now())
    tested = {line.text for line in test}
    return [line for line in found if line.text not in tested]


class Training:
    """`kind`: one of KINDS."""

    def __init__(
        self, columns: Columns, *, any_labels: bool, kind: str, seed: int, verticals: Sequence[str] = ()
    ) -> None:
        if kind not in KINDS:
            raise InputError(f"there is no kind of model {kind!r}", hint=f"one of {', '.join(KINDS)}")
        self._columns, self._any, self._kind, self._seed = columns, any_labels, kind, seed
        self._verticals = tuple(dict.fromkeys(verticals))

    def run(
        self, files: Sequence[Path], to: Path, hold_out: Sequence[str], *, cases: Path | None, compare: bool
    ) -> int:
        if to.exists():
            raise ConfigError(f"{to} is there already", hint="a version of a model never changes; choose another one")
        tables = view_tables()
        made = makers(tables)
        lines, test = split(self._read(files), hold_out)
        if cases is not None:
            lines += cases_of(cases, test)
        plan = self._plan(lines, to)
        maker, code = made(plan.recipe, plan.grams)
        others = rivals(tables, plan) if compare else {}
        trained = built(msgspec.structs.replace(plan, code=code), maker, tables, lines, test)
        manifest = save_model(to, trained, card(trained.manifest))
        print(f"{manifest.id}: {len(lines):,} lines trained on, {len(test):,} held out, in {to}\n")
        if few := sorted({label for line in lines for label in line.labels} - set(manifest.categories)):
            print(f"not learnt, for want of lines: {', '.join(few)}\n")
        for name, metrics in manifest.metrics.items():
            print(f"{self._kind} · {name}\n{table(metrics, manifest)}\n\n{slices(metrics)}\n")
        if others:
            shown = {f"{self._kind}, n-grams": manifest.metrics}
            shown |= {name: tried(other, fitter, tables, lines, test) for name, (other, fitter) in others.items()}
            print(compared(shown))
        return 0

    def _read(self, files: Sequence[Path]) -> list[Labelled]:
        lines = read_labelled(files, self._columns)
        if self._any:
            return lines
        return [msgspec.structs.replace(line, labels=[each for each in line.labels if each != CARE]) for line in lines]

    def _plan(self, lines: list[Labelled], to: Path) -> Plan:
        named, recipe = to.absolute(), Recipe(kind=self._kind, seed=self._seed, verticals=self._verticals)
        return Plan(name=named.parent.name, version=named.name, recipe=recipe, grams=Grams(), code="",
                    categories=labels_of(lines, () if self._any else CATEGORIES), now=SystemClock().now())


def split(lines: list[Labelled], hold_out: Sequence[str]) -> tuple[list[Labelled], list[Labelled]]:
    """(trained on, the test): the briefs to hold out, or about a fifth. Raises InputError for an unknown one."""
    briefs = {line.brief for line in lines}
    if strangers := sorted(set(hold_out) - briefs):
        raise InputError(f"no line has the brief {strangers[0]!r}",
                         hint="there are " + ", ".join(sorted(briefs)[:30]))
    held = [line.brief in hold_out for line in lines] if hold_out else held_out(lines).tolist()
    return ([line for line, out in zip(lines, held, strict=True) if not out],
            [line for line, out in zip(lines, held, strict=True) if out])


def rivals(tables: ViewTables, plan: Plan) -> dict[str, tuple[Plan, Fitter]]:
    """What a model is held against by --compare: other kinds, words, and words beside what it reads. Raises ConfigError
    where scikit-learn or jieba is missing."""
    makers(tables)
    from monitor.adapters.ml.fitting import GramFitter
    from monitor.adapters.ml.wordfitting import WordFitter

    recipe, grams, cut = plan.recipe, plan.grams, words()
    found: dict[str, tuple[Plan, Fitter]] = {}
    for kind in KINDS:
        if kind != recipe.kind:
            other = msgspec.structs.replace(recipe, kind=kind)
            found[f"{kind}, n-grams"] = msgspec.structs.replace(plan, recipe=other), GramFitter(tables, grams, other)
    found[f"{recipe.kind}, words"] = plan, WordFitter(tables, grams, recipe, cut)
    found[f"{recipe.kind}, both"] = plan, WordFitter(tables, grams, recipe, cut, GramFitter(tables, grams, recipe))
    return found


def makers(tables: ViewTables) -> Makers:
    """Raises ConfigError where scikit-learn is missing."""
    try:
        from monitor.adapters.ml import fitting
    except ImportError as error:
        raise ConfigError("training needs scikit-learn, which is not installed",
                          hint="pip install 'redpost[train]'") from error
    return lambda recipe, grams: (fitting.GramFitter(tables, grams, recipe), fitting.code())


def evaluated(
    files: Sequence[Path], model: Path | None, rules: Path | None, only: Sequence[str], columns: Columns
) -> int:
    loaded = load_model(model or model_folder("") or Path())
    manifest, scorer, tables = loaded.manifest, loaded.scorer(), view_tables()
    lines = [line for line in read_labelled(files, columns) if not only or line.brief in only]
    if not lines:
        raise InputError("no line is left to measure on", hint="look at --only")
    labels = {label for line in lines for label in line.labels} - {CARE}
    strangers = sorted(labels.difference(manifest.categories))
    if labels and len(strangers) == len(labels):
        raise InputError(f"no line has a label that {manifest.id} knows: {', '.join(strangers[:5])}",
                         hint=f"it knows {', '.join(manifest.categories)}")
    if strangers:
        print(f"{manifest.id} does not know: {', '.join(strangers)}\n")
    scores = probabilities(scorer, tables, lines)
    ruled = findings(engine_set(rules, "", zone(), scorer=None), lines, manifest.categories, now=SystemClock().now())
    both = findings(engine_set(rules, "", zone(), scorer=scorer), lines, manifest.categories, now=SystemClock().now())
    found = sure(scores, manifest.alone, enough(tables, lines))
    for title, what in ((f"{manifest.id} alone", found), ("rules alone", ruled),
                        ("rules and classifier together, as the service judges", both)):
        metrics = measured(what, scores, lines, manifest)
        print(f"{title}\n{table(metrics, manifest)}\n\n{slices(metrics)}\n")
    return 0
