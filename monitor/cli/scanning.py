"""The work of `redpost scan`: files through the scanner into a report."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.adapters.process import collect_rarely
from monitor.cli.files import Faults, InFile
from monitor.cli.loading import engine_set, told_over, told_scorer
from monitor.cli.options import STDIN, Reading
from monitor.cli.progress import progress_over
from monitor.cli.reports import report_for
from monitor.cli.scan_html import HtmlReport
from monitor.cli.terminal import safe, tell, tell_error
from monitor.domain.errors import InputError
from monitor.domain.tenants import LOCAL
from monitor.services.scan import Scanner, midnight
from monitor.services.scanned import Scanned
from monitor.settings import Settings


class Scanning:
    """One run. Raises InputError for options that cannot be, RuleError with all faults of the rules."""

    def __init__(
        self, reading: Reading, settings: Settings, *, json: bool, everything: bool, alerts: bool,
        explain: bool = False, html: Path | None = None, inputs: Sequence[str] = (), data: Path | None = None,
        tenant: str = LOCAL,
    ) -> None:
        """`html`: where a page is written too; it is none of the `inputs`. `data`: folder of the service whose
        classifier judges, and what was published there over the rules folder."""
        self._reading = reading
        self._options = reading.options(settings.ingest.limits())
        zone = ZoneInfo(settings.tenant.zone)
        over = told_over(data, settings)
        engine = engine_set(settings.rules.dir, settings.rules.rooms, zone, shadows=True,
                            scorer=told_scorer(data, settings, tenant), over=over)
        collect_rarely()
        self._scanner = Scanner(
            engine, tenant=tenant, grouping=settings.alerts.grouping(), silence_ms=settings.broadcast.silence_ms,
            with_alerts=alerts, day=midnight(zone, self._options.now_ms))
        self._report = report_for(engine, zone, json=json, everything=everything, alerts=alerts,
                                  explain=explain)
        self._page = None if html is None else HtmlReport(
            html, engine, zone, now=self._options.now_ms, inputs=inputs)
        self._faults = Faults()

    def run(self, files: Sequence[str]) -> int:
        """The exit code."""
        try:
            with progress_over(files, self._report.console) as told:
                unread = [name for name in files if not self._scan(name, told)]
        except KeyboardInterrupt:
            self._end([], whole=False)
            tell("interrupted: what is told above is not all", style="yellow")
            raise
        if len(unread) < len(files):
            self._end(unread)
        else:  # no findings, but not for want of any
            self._faults.end()
        if unread and len(files) > 1:
            tell(f"{len(unread):,} of {len(files):,} files not read: what is told above is not all", style="red")
        return 2 if unread else int(self._report.found)

    def _end(self, unread: Sequence[str], *, whole: bool = True) -> None:
        self._add(self._scanner.finish())
        self._report.end(self._scanner)
        self._faults.end()
        if self._page is not None:
            self._page.end(rejected=self._faults.total, unread=unread, whole=whole, missing=self._scanner.missing())

    def _add(self, scanned: Sequence[Scanned]) -> None:
        self._report.add(scanned)
        if self._page is not None:
            self._page.add(scanned)

    def _scan(self, name: str, told: Callable[[int], None]) -> bool:
        """False where the file could not be read, which was told."""
        try:
            with closing(InFile(name, self._options, form=self._reading.source_format, told=told)) as file:
                for batch in file.batches(self._faults):
                    places = [(file.name, line) for line in batch.lines]
                    self._add(self._scanner.scan(batch.events, places))
        except InputError as error:
            tell_error(error, about="standard input" if name == STDIN else name)
            return False
        if not file.events and not file.rejected:
            tell(f"{safe(file.name)}: there is nothing in it", style="yellow")
        if file.unreadable:
            tell(f"error: nothing in {safe(file.name)} could be read", style="red")
        return not file.unreadable
