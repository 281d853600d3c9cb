"""redpost retrain"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.lifecycle import By
from monitor.cli.options import Config, Data

if TYPE_CHECKING:
    from monitor.adapters.storage.database import Database
    from monitor.domain.labelled import Labelled
    from monitor.services.retraining import Verdict


def retrain(
    *,
    tenant: Annotated[str, Parameter(show_default=True, help="Whose labels; no other tenant's are learnt.")] = "local",
    corpus: Annotated[list[Path], Parameter(
        help="Labelled lines to learn beside the labels. Default: the corpus that comes with the source, and the cases "
             "of the bundled rules.",
        consume_multiple=True)] = [],  # noqa: B006
    hold_out: Annotated[list[str], Parameter(
        help="Briefs of the corpus that are not learnt: the test. Default: q s i where it has them, else about a "
             "fifth.", consume_multiple=True)] = [],  # noqa: B006
    test: Annotated[Path | None, Parameter(help="File of labelled lines to test on, instead of held-out briefs.")
                    ] = None,
    json: Annotated[bool, Parameter(help="One JSON object, instead of lines for people.")] = False,
    by: By = "",
    data: Data = None,
    config: Config = None,
) -> int:
    """Learn a candidate from the corpus and a tenant's labels, and hold it against the classifier that serves.

    Both are measured on the held-out test and on the newest fifth of the labels. A candidate that is surely worse on
    one of them, or better on neither, is refused with the figures; else it is kept in the data folder and tried in the
    shadow. `redpost model promote` lets it serve. Needs scikit-learn: pip install 'redpost[train]'.

    ```
    redpost retrain --tenant agency
    redpost retrain --corpus mine/*.jsonl --test frozen.jsonl
    ```

    A running service does the same beside its judging: POST /api/v1/models/retrain.

    Exit codes: 0 a candidate is tried, 1 it was refused, 2 there is not enough to learn from.
    """
    from monitor.domain import tenants

    tenants.checked(tenant)
    lines, tested = _lines(corpus, hold_out, test)
    verdict = _learnt(tenant, lines, tested, by, data, config)
    _tell(verdict, json=json)
    return int(bool(verdict.refused))


def _learnt(
    tenant: str, lines: "list[Labelled]", tested: "list[Labelled]", by: str, data: Data, config: Config
) -> "Verdict":
    import asyncio
    import getpass

    from monitor.adapters.clock import SystemClock
    from monitor.adapters.logs import configure
    from monitor.adapters.storage.posts import SqlPosts
    from monitor.adapters.storage.store import SqlStore
    from monitor.cli.lifecycle import shelf
    from monitor.cli.loading import view_tables
    from monitor.cli.stores import with_database
    from monitor.cli.training import makers
    from monitor.services.lifecycle import Lifecycle
    from monitor.services.retraining import Retraining

    kept, clock, tables = shelf(data, config), SystemClock(), view_tables()
    logger = configure(level="info", form="auto")

    async def learn(database: "Database") -> "Verdict":
        record = SqlPosts(database).write
        life = Lifecycle(kept, lambda: asyncio.sleep(0), clock=clock, logger=logger, record=record)
        training = Retraining(SqlStore(database), kept, life, tables, makers(tables), clock=clock, logger=logger,
                              record=record)
        return await training.run(tenant, lines, tested, by=by or getpass.getuser())

    return with_database(data, config, learn)


def _tell(verdict: "Verdict", *, json: bool) -> None:
    import msgspec

    from monitor.services.learning import Learnt

    if json:
        told = {name: str(comparison) for name, comparison in verdict.comparisons.items()}
        print(msgspec.json.encode(Learnt(model=verdict.model, against=verdict.against, lines=verdict.learnt,
                                         comparisons=told, refused=verdict.refused)).decode())
        return
    print(f"{verdict.against} → {verdict.model}, learnt from {verdict.learnt:,} lines")
    for name, comparison in verdict.comparisons.items():
        print(f"  {name}: {comparison}")
    print(f"refused: {verdict.refused}" if verdict.refused else
          f"{verdict.model} is kept, and tried in the shadow; `redpost model promote {verdict.model}` lets it serve")


def _lines(
    corpus: list[Path], hold_out: list[str], test: Path | None
) -> "tuple[list[Labelled], list[Labelled]]":
    """(the corpus, the test)"""
    from monitor.adapters.bundled import bundled
    from monitor.adapters.ml.labelled import Columns, read_labelled
    from monitor.cli.training import cases_of, split
    from monitor.domain.errors import InputError

    files = corpus or sorted(bundled("models/corpus").glob("*.jsonl"))
    if not files:
        raise InputError("there is no corpus beside the labels", hint="name its files with --corpus")
    lines = read_labelled(files, Columns())
    if test is not None:
        learnt, tested = lines, read_labelled([test], Columns())
    else:
        frozen = [brief for brief in ("q", "s", "i") if any(line.brief == brief for line in lines)]
        learnt, tested = split(lines, hold_out or (frozen if len(frozen) == 3 else []))
    return learnt if corpus else learnt + cases_of(bundled("rules"), tested), tested
