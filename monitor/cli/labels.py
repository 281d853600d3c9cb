"""redpost labels import · export · withdraw · pick · terms"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from monitor.cli.models import LabelColumn, TextColumn
from monitor.cli.options import Config, Data, data_folder
from monitor.cli.stores import with_store

if TYPE_CHECKING:
    from monitor.adapters.storage.store import SqlStore
    from monitor.domain.labelled import Labelled
    from monitor.engine.engineset import EngineSet
    from monitor.engine.scorer import Scorer
    from monitor.services.records import KeptEvent, Saved
    from monitor.services.suggesting import Term

Tenant = Annotated[str, Parameter(show_default=True, help="Whose labels.")]


def import_(
    file: Annotated[Path, Parameter(name="FILE", help="Labelled lines: JSON Lines, CSV or TSV.")],
    /,
    *,
    tenant: Tenant = "local",
    by: Annotated[str, Parameter(help="Who says so, for lines that do not tell.")] = "",
    source: Annotated[str, Parameter(help="Where they come from, for lines that do not tell. Default: the file's name.")
                      ] = "",
    text: TextColumn = "text",
    labels: LabelColumn = "labels",
    data: Data = None,
    config: Config = None,
) -> int:
    """Take labels of lines from a file. All of it, or nothing where a line is wrong.

    Contact data is masked. A line with the id of an earlier one replaces it; without an id, the same line is the same
    label, so a file may be taken again. docs/models.md lists the columns.

    ```
    redpost labels import decided.jsonl --by zhang
    redpost labels import comments.csv --text TEXT --labels label --tenant agency
    ```
    """
    import msgspec

    from monitor.adapters.clock import SystemClock
    from monitor.adapters.ml.labelled import read_labels
    from monitor.cli.loading import view_tables
    from monitor.cli.models import columns
    from monitor.domain import tenants
    from monitor.domain.errors import InputError
    from monitor.domain.labels import fault_of
    from monitor.services.labelling import Labelling

    tenants.checked(tenant)
    read, clock = read_labels(file, columns(text, labels, "brief")), SystemClock()
    for where, label in read:
        if fault := fault_of(label, now=clock.now()):
            field, reason, hint = fault
            raise InputError(f"{where}, {field}: {reason}", hint=hint)
    given = [msgspec.structs.replace(label, source=label.source or source or file.name) for _, label in read]

    async def keep(store: "SqlStore") -> "Saved":
        return await Labelling(store, view_tables(), clock).keep(tenant, given, by=by)

    saved = with_store(data, config, keep, create=True)
    print(f"{saved.added:,} labels added, {saved.changed:,} changed, {saved.unchanged:,} known before")
    return 0


def export(
    file: Annotated[Path, Parameter(name="FILE", help="File to write: JSON Lines, or CSV or TSV by its name.")],
    /,
    *,
    tenant: Tenant = "local",
    data: Data = None,
    config: Config = None,
) -> int:
    """Write all labels of a tenant to a file that `redpost labels import` and `redpost train` read, newest first; those
    that were withdrawn are left out.

    ```
    redpost labels export labels.jsonl
    redpost labels export labels.csv --tenant agency
    ```
    """
    from monitor.adapters.ml.labelled import write_labels
    from monitor.services.labelling import every_label

    found = with_store(data, config, lambda store: every_label(store, tenant))
    write_labels(file, found)
    print(f"{len(found):,} labels in {file}")
    return 0


def withdraw(
    ids: Annotated[list[str], Parameter(name="ID", help="Labels' ids, as an export or GET /api/v1/labels shows them.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; kept with the label.")] = "",
    by: Annotated[str, Parameter(help="Who takes them back. Default: the user of this machine.")] = "",
    tenant: Tenant = "local",
    data: Data = None,
    config: Config = None,
) -> int:
    """Take labels back: nothing is learnt from them any more, and they stay with who took them back, when and why.

    The same label that comes again, as from its file, stays withdrawn; one that says something else of the line counts.
    Models that have learnt from it stay as they are: retrain, and promote.

    ```
    redpost labels withdraw l4f0a12 --reason "heard wrongly"
    redpost labels withdraw l4f0a12 l77be01 --tenant agency --by li
    ```
    """
    import getpass

    from monitor.adapters.clock import SystemClock
    from monitor.cli.loading import view_tables
    from monitor.services.labelling import Labelling

    author = by or getpass.getuser()

    async def work(store: "SqlStore") -> int:
        labelling = Labelling(store, view_tables(), SystemClock())
        for each in dict.fromkeys(ids):
            await labelling.withdraw(tenant, each, by=author, reason=reason)
        return len(dict.fromkeys(ids))

    print(f"{with_store(data, config, work):,} labels withdrawn")
    return 0


def pick(
    *,
    to: Annotated[Path, Parameter(help="File to write: JSON Lines.")],
    amount: Annotated[int, Parameter(show_default=True, help="How many.", validator=Number(gte=3, lte=100_000))] = 200,
    among: Annotated[int, Parameter(show_default=True, help="Among how many kept events, the newest ones.",
                                    validator=Number(gte=1, lte=1_000_000))] = 20_000,
    tenant: Tenant = "local",
    seed: Annotated[int, Parameter(show_default=True, help="The same seed and events give the same picks.")] = 1,
    data: Data = None,
    config: Config = None,
) -> int:
    """Pick kept events that are worth labelling, each with why: a third of which the classifier is not sure, a third
    where it and the rules disagree, and a third of those in which nothing was found, at random, each with how many it
    stands for.

    Give each line its `labels`, then take the file by `redpost labels import`. What has a label already is not picked.

    ```
    redpost labels pick --amount 300 --to tonight.jsonl
    ```
    """
    from collections import Counter

    from monitor.adapters.clock import SystemClock
    from monitor.adapters.ml.labelled import write_picks
    from monitor.cli.lifecycle import shelf
    from monitor.domain.errors import InputError
    from monitor.services.labelling import every_label
    from monitor.services.picking import picked

    known = with_store(data, config, lambda store: every_label(store, tenant))
    scorer = shelf(data, config).serving().of(tenant)
    if scorer is None:
        raise InputError("no classifier judges here, so none is unsure: model.dir is none", hint="set model.dir")
    events = _kept(data_folder(data, config) / "archive", tenant, among)
    found = picked(tenant, events, _judging(config, None), scorer, amount=amount, now=SystemClock().now(), seed=seed,
                   labelled=frozenset(each.id for each in known))
    if not found:
        raise InputError(f"there is no kept event of the tenant {tenant} to pick",
                         hint="events are kept within a minute after they were judged; name the folder with --data")
    write_picks(to, found)
    parts = Counter(each.source.removeprefix("pick.") for each in found)
    print(f"{len(found):,} of {len(events):,} events in {to}: "
          + ", ".join(f"{amount:,} {name}" for name, amount in sorted(parts.items())))
    return 0


def _judging(config: Config, scorer: "Scorer | None") -> "EngineSet":
    """The rules of the settings, with this classifier beside them."""
    from zoneinfo import ZoneInfo

    from monitor.cli.loading import engine_set
    from monitor.settings import load

    settings = load(config=config).settings
    return engine_set(settings.rules.dir, settings.rules.rooms, ZoneInfo(settings.tenant.zone), scorer=scorer)


def _kept(folder: Path, tenant: str, among: int) -> "list[KeptEvent]":
    """The newest kept events, also beside a running service."""
    import asyncio

    from monitor.adapters.logs import configure
    from monitor.adapters.storage.archive import ParquetArchive
    from monitor.services.records import ArchiveQuery

    async def search() -> "list[KeptEvent]":
        archive = await ParquetArchive.open(folder, log=configure(level="info", form="auto"), reads_only=True)
        try:
            return await archive.search(tenant, ArchiveQuery(limit=among))
        finally:
            await archive.close()

    return asyncio.run(search())


def terms(
    files: Annotated[list[Path], Parameter(name="FILE", help="Labelled lines to look at beside the labels.")] = [],  # noqa: B006
    /,
    *,
    tenant: Tenant = "local",
    category: Annotated[list[str], Parameter(help="Only these categories.", consume_multiple=True)] = [],  # noqa: B006
    lawful: Annotated[int, Parameter(show_default=True, help="In how many lawful lines a word may stand.",
                                     validator=Number(gte=0))] = 0,
    most: Annotated[int, Parameter(show_default=True, help="Words of a category at most.",
                                   validator=Number(gte=1))] = 20,
    data: Data = None,
    config: Config = None,
) -> int:
    """Suggest terms for rules: words that violations have in common which neither rules nor classifier find, and that
    no lawful line has.

    A word is no rule: look at its lines, and write both true and false cases. Needs jieba:
    pip install 'redpost[train]'.

    ```
    redpost labels terms
    redpost labels terms models/corpus/*.jsonl --category minors
    ```
    """
    from monitor.adapters.clock import SystemClock
    from monitor.adapters.ml.words import words
    from monitor.cli.lifecycle import shelf
    from monitor.domain.errors import InputError
    from monitor.domain.rules import CATEGORIES
    from monitor.services import suggesting
    from monitor.services.classifying import findings

    if strangers := sorted(set(category) - set(CATEGORIES)):
        raise InputError(f"there is no category {strangers[0][:40]!r}", hint="one of " + ", ".join(CATEGORIES))
    cut, wanted = words(), category or sorted(CATEGORIES)
    lines = _labelled(tenant, files, data, config)
    engine = _judging(config, shelf(data, config).serving().of(tenant))
    found = findings(engine, lines, wanted, now=SystemClock().now())
    _tell(suggesting.terms(lines, found, wanted, cut, lawful=lawful), most)
    return 0


def _labelled(tenant: str, files: list[Path], data: Data, config: Config) -> "list[Labelled]":
    """The tenant's labels, then the files. Raises InputError where nothing is a violation."""
    from monitor.adapters.ml.labelled import Columns, read_labelled
    from monitor.domain.errors import InputError
    from monitor.domain.labels import learnt_from
    from monitor.services.labelling import every_label

    known = with_store(data, config, lambda store: every_label(store, tenant))
    lines = [learnt_from(label) for label in known] + (read_labelled(files, Columns()) if files else [])
    if not any(line.labels for line in lines):
        raise InputError(f"no line of the tenant {tenant} is labelled as a violation",
                         hint="`redpost labels import` takes labels, or name a file of labelled lines")
    return lines


def _tell(suggested: "dict[str, list[Term]]", most: int) -> None:
    from monitor.cli.terminal import safe

    for name, some in suggested.items():
        print(f"{name}: {some[0].of:,} missed")
        for term in some[:most]:
            print(safe(f"  {term.missed:4} {term.word}" + (f"  ({term.lawful} lawful)" if term.lawful else "")))
    if not suggested:
        print("no word is common to missed lines alone")
