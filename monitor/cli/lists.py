"""Lists on the terminal: a row for each thing, with the ids that other commands take."""

from collections.abc import Collection, Sequence

from rich.cells import cell_len
from rich.table import Column, Table

from monitor.cli.terminal import out, safe


def print_list(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, nothing: str, whole: Collection[str] = (),
    cut_at: int | None = None,
) -> None:
    """The rows under their headings, or `nothing` where there are none. The columns `whole`, such as ids that are to be
    copied, are never cut or folded, however narrow the terminal is. `cut_at`: there are more, and this is the limit."""
    if not rows:
        print(nothing)
        return
    table = Table(*(_column(name, [row[place] for row in rows], whole=name in whole)
                    for place, name in enumerate(columns)), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(safe, row))
    out().print(table)
    if cut_at is not None:
        print(f"and more: --limit is {cut_at}")


def _column(name: str, cells: Sequence[str], *, whole: bool) -> Column:
    if whole:
        return Column(name, no_wrap=True, min_width=max(map(cell_len, cells)))
    return Column(name, overflow="fold")
