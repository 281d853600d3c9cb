"""A progress bar for long files, by bytes; on a terminal only."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from monitor.cli.files import nothing
from monitor.cli.options import STDIN
from monitor.cli.terminal import err

_LONG: Final = 4 * 2**20


@contextmanager
def progress_over(files: Sequence[str], console: Console | None) -> Iterator[Callable[[int], None]]:
    """Gives what is to be told how many bytes were read.

    `console` is what the findings are printed to, so that they and the bar do not overwrite each other; None where
    raw bytes go to standard output.
    """
    size = _size(files)
    if size < _LONG or not sys.stderr.isatty() or (console is None and sys.stdout.isatty()):
        yield nothing
        return
    shown = console if console is not None and console.is_terminal else err()
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task("", total=size)
        yield lambda count: progress.update(task, advance=count)


def _size(files: Sequence[str]) -> int:
    """Bytes in all; 0 where a file has no size."""
    paths = [Path(name) for name in files if name != STDIN]
    plain = len(paths) == len(files) and all(path.is_file() for path in paths)
    return sum(path.stat().st_size for path in paths) if plain else 0
