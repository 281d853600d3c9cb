"""redpost labels import · export"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.models import LabelColumn, TextColumn
from monitor.cli.options import Config, Data
from monitor.cli.stores import with_store

if TYPE_CHECKING:
    from monitor.adapters.storage.store import SqlStore
    from monitor.services.records import Saved

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
    """Write all labels of a tenant to a file that `redpost labels import` and `redpost train` read, newest first.

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
