"""redpost model list · compare · shadow · promote · rollback"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from monitor.adapters.ml.shelf import ModelShelf
    from monitor.adapters.storage.database import Database
    from monitor.services.lifecycle import Lifecycle, ModelState, ModelSummary
    from monitor.services.models import Model

Name = Annotated[str, Parameter(name="MODEL", help="NAME/VERSION, as `redpost model list` shows it.")]
Whose = Annotated[str | None, Parameter(
    help="Whose events it is for; * stands for all tenants without a model of their own. Default: the tenant whose "
         "labels it has learnt from, else *.")]
By = Annotated[str, Parameter(help="Who does it. Default: the user of this machine.")]


def list_(*, data: Data = None, config: Config = None) -> int:
    """List the classifiers of a data folder and the one that the settings name, and which of them serves.

    ```
    redpost model list --data /var/lib/redpost
    ```
    """
    from rich.table import Table

    from monitor.cli.terminal import day, out, safe
    from monitor.services.lifecycle import listed

    found = listed(shelf(data, config))
    table = Table("model", "role", "made", "lines", "macro-F1", "hard alarms", "learnt from", box=None, pad_edge=False)
    for each in found.models:
        table.add_row(
            each.id, safe(roles(each)), day(each.created_at) if each.created_at else safe(each.fault),
            f"{each.lines:,}",
            "" if each.macro_f1 is None else f"{each.macro_f1:.3f}",
            "" if each.hard_alarms is None else f"{each.hard_alarms:.1%}", safe(each.tenant))
    if found.models:
        out().print(table)
    else:
        print("no classifiers: model.dir is none, and none was trained")
    for tenant, choice in sorted(found.state.tenants.items()):
        print(safe(f"{tenant}: {choice.what} by {choice.by}, {day(choice.at)}"))
    return 0


def compare(
    one: Annotated[str, Parameter(name="MODEL", help="NAME/VERSION, or a folder.")],
    other: Annotated[str, Parameter(name="OTHER", help="The model to hold against it.")],
    files: Annotated[list[Path], Parameter(name="FILE", help="Labelled lines to compare on. Default: none, but what "
                                           "their manifests say of their own held-out tests.")] = [],  # noqa: B006
    /,
    *,
    only: Annotated[list[str], Parameter(help="Briefs to look at. Default: all.", consume_multiple=True)] = [],  # noqa: B006
    data: Data = None,
    config: Config = None,
) -> int:
    """Compare two classifiers on labelled lines, by what their scores find alone, or by what is known of them.

    On lines, differences come with the middle 95 % of what other lines like these would give (paired bootstrap).

    ```
    redpost model compare default/1 local/2
    redpost model compare default/1 local/2 models/corpus/*.jsonl --only q s i
    ```

    Exit codes: 0 the other is not surely worse, 1 it is, 2 a file or a model cannot be read.
    """
    from monitor.adapters.ml.labelled import Columns, read_labelled
    from monitor.cli.loading import view_tables
    from monitor.domain.errors import InputError
    from monitor.services import comparing

    first, second = (named(shelf(data, config), name) for name in (one, other))
    if not files:
        for line in comparing.told(first.manifest, second.manifest):
            print(line)
        return 0
    lines = [line for line in read_labelled(files, Columns()) if not only or line.brief in only]
    if not lines:
        raise InputError("no line is left to compare on", hint="look at --only")
    found = comparing.compare(first, second, view_tables(), lines, seed=first.manifest.seed)
    print(f"{first.manifest.id} → {second.manifest.id}: {found}")
    return int(found.worse)


def shadow(model: Name, /, *, tenant: Whose = None, by: By = "", data: Data = None, config: Config = None) -> int:
    """Let a classifier score a sample of what is judged, beside the one that serves; `none` ends that.

    Its scores make no finding: metrics tell how often both agree. A running service follows within seconds.

    ```
    redpost model shadow local/2
    ```
    """
    wanted = "" if model == "none" else model
    return _step(data, config, by, lambda lifecycle, by: lifecycle.shadow(wanted, by=by, tenant=tenant))


def promote(model: Name, /, *, tenant: Whose = None, by: By = "", data: Data = None, config: Config = None) -> int:
    """Let a classifier serve: one that has learnt from a tenant's labels judges that tenant's events alone.

    A running service judges by it within seconds, without a restart.

    ```
    redpost model promote agency/2
    redpost model promote mine/1 --tenant agency
    ```
    """
    return _step(data, config, by, lambda lifecycle, by: lifecycle.promote(model, by=by, tenant=tenant))


def rollback(
    *,
    tenant: Annotated[str | None, Parameter(
        help="Whose model; * as for a promotion. Needed where several tenants can go back.")] = None,
    by: By = "", data: Data = None,
    config: Config = None,
) -> int:
    """Let the classifier serve that did before the latest promotion.

    ```
    redpost model rollback
    ```
    """
    return _step(data, config, by, lambda lifecycle, by: lifecycle.roll_back(by=by, tenant=tenant))


def shelf(data: Data, config: Config) -> "ModelShelf":
    """The models of a data folder, and the one of the settings."""
    from monitor.adapters.bundled import model_folder
    from monitor.adapters.ml.shelf import ModelShelf
    from monitor.cli.options import data_folder
    from monitor.settings import load

    settings = load(config=config).settings
    folder = settings.shared if data is None else data_folder(data, config)
    return ModelShelf(model_folder(settings.model.dir), folder / "models")


def named(kept: "ModelShelf", model: str) -> "Model":
    """One that is kept, or of a folder."""
    from monitor.adapters.ml.folder import load_model
    from monitor.domain.errors import NotFound

    try:
        return kept.model(model)
    except NotFound:
        if not Path(model).is_dir():
            raise
        return load_model(Path(model))


def _step(
    data: Data, config: Config, by: str, work: "Callable[[Lifecycle, str], Coroutine[None, None, ModelState]]"
) -> int:
    """Change what the state says; a service that runs on this folder looks at it every second."""
    import getpass

    from monitor.adapters.clock import SystemClock
    from monitor.adapters.logs import configure
    from monitor.adapters.storage.posts import SqlPosts
    from monitor.cli.options import data_folder
    from monitor.cli.stores import with_database
    from monitor.cli.terminal import safe
    from monitor.domain.errors import ConfigError
    from monitor.services.lifecycle import Lifecycle, listed

    if not data_folder(data, config).is_dir():
        raise ConfigError(f"there is no folder {data_folder(data, config)}", hint="name the data folder with --data")

    async def nobody_runs() -> None:
        """A service follows by itself."""

    kept, logger = shelf(data, config), configure(level="info", form="auto")

    async def recorded(database: "Database") -> None:
        life = Lifecycle(
            kept, nobody_runs, clock=SystemClock(), logger=logger, record=SqlPosts(database).write)
        await work(life, by or getpass.getuser())

    with_database(data, config, recorded, create=True)
    for each in listed(kept).models:
        if told := roles(each):
            print(safe(f"{each.id:20} {told}"))
    return 0


def roles(model: "ModelSummary") -> str:
    """What it is for all, then for tenants with a model of their own."""
    return ", ".join(filter(None, [model.role, *(f"{role} ({tenant})" for tenant, role in model.tenants.items())]))
