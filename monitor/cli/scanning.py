"""The work of `redpost scan`: files through the scanner into a report."""

import gc
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from monitor.cli.dating import dated, today
from monitor.cli.files import Faults, InFile
from monitor.cli.loading import engine_set, zone
from monitor.cli.options import STDIN, Reading
from monitor.cli.progress import progress_over
from monitor.cli.reports import report_for
from monitor.cli.terminal import safe, tell, tell_error
from monitor.domain.errors import InputError
from monitor.services.scan import Scanner


class Scanning:
    """One run. Raises InputError for options that cannot be, RuleError with all faults of the rules."""

    def __init__(
        self, reading: Reading, *, rules: Path | None, rooms: Path | None, json: bool, everything: bool, alerts: bool
    ) -> None:
        self._reading = reading
        self._options = reading.options()
        self._day = today(zone(), self._options.now_ms)
        engine = engine_set(rules, rooms)
        gc.freeze()  # compiled rules stay: the collector need not look at them again and again
        self._scanner = Scanner(engine, with_alerts=alerts)
        self._report = report_for(engine, json=json, everything=everything, alerts=alerts)
        self._faults = Faults()

    def run(self, files: Sequence[str]) -> int:
        """The exit code."""
        try:
            with progress_over(files, self._report.console) as told:
                unread = [name for name in files if not self._scan(name, told)]
        except KeyboardInterrupt:
            self._end()
            tell("interrupted: what is told above is not all", style="yellow")
            raise
        self._end()
        return 2 if unread else int(self._report.found)

    def _end(self) -> None:
        self._report.end(self._scanner)
        self._faults.end()

    def _scan(self, name: str, told: Callable[[int], None]) -> bool:
        """False where the file could not be read, which was told."""
        try:
            with closing(InFile(name, self._options, form=self._reading.source_format, told=told)) as file:
                for batch in file.batches(self._faults):
                    scanned = self._scanner.scan(dated(batch.events, self._day))
                    self._report.add(file.name, scanned, batch.lines)
        except InputError as error:
            tell_error(error, about="standard input" if name == STDIN else name)
            return False
        if file.unreadable:
            tell(f"error: nothing in {safe(file.name)} could be read", style="red")
        return not file.unreadable
