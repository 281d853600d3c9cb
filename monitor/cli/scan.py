"""redpost scan"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.options import STDIN, Files, Reading, Rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.adapters.sources import SourceOptions
    from monitor.cli.files import Faults
    from monitor.cli.reports import Report
    from monitor.services.scan import Scanner


def scan(
    files: Files,
    /,
    *,
    reading: Reading | None = None,
    rules: Rules = None,
    rooms: Annotated[Path | None, Parameter(help="File that says what rules may know of the rooms.")] = None,
    json: Annotated[bool, Parameter(help="One JSON object a line.")] = False,
    everything: Annotated[bool, Parameter(
        name="--all", help="With --json: the events without findings too.")] = False,
    alerts: Annotated[bool, Parameter(
        help="Instead of findings the alerts that the service would raise, at its default settings.")] = False,
) -> int:
    """Check a transcript, a chat log or events in a file against the rules.

    The format is recognised by content: events as NDJSON or JSON, danmaku XML, SRT, VTT, ASS, CSV, TSV, FunASR
    results; also as gzip or zstd. Findings and alerts carry the same ids as in the service. What cannot be read
    is told on standard error with its line, and the rest is scanned. Times that only count from a start are judged
    as of today, unless --started-at says the day: rules hold from a date on.

    ```
    redpost scan tonight.srt chat.xml --room 1024
    redpost scan chat.xml.gz --started-at 2026-11-23T20:00:00+08:00 --alerts
    tail -f live.ndjson | redpost scan - --json
    redpost scan lines.csv --kind script --rules my-rules
    ```

    Exit codes: 0 nothing was found, 1 something was found, 2 a file could not be read or the rules have faults.
    """
    import gc

    from monitor.cli.dating import today
    from monitor.cli.files import Faults
    from monitor.cli.loading import engine_set, zone
    from monitor.cli.progress import progress_over
    from monitor.cli.reports import report_for
    from monitor.services.scan import Scanner

    known = reading or Reading()
    options = known.options()
    engine = engine_set(rules, rooms)
    gc.freeze()  # compiled rules stay: the collector need not look at them again and again
    faults = Faults()
    scanner = Scanner(engine, with_alerts=alerts)
    report = report_for(engine, json=json, everything=everything, alerts=alerts)
    day = today(zone(), options.now_ms)
    unread = 0
    with progress_over(files, report.console) as told:
        for name in files:
            unread += not _scan_file(name, options, known.source_format, scanner, report, faults, told, day)
        report.end(scanner)
    faults.end()
    return 2 if unread else int(report.found)


def _scan_file(
    name: str, options: "SourceOptions", form: str, scanner: "Scanner", report: "Report", faults: "Faults",
    told: "Callable[[int], None]", day: int,
) -> bool:
    """False where it could not be read, which was told."""
    from contextlib import closing

    from monitor.cli.dating import dated
    from monitor.cli.files import InFile
    from monitor.cli.terminal import safe, tell, tell_error
    from monitor.domain.errors import InputError

    try:
        with closing(InFile(name, options, form=form, told=told)) as file:
            for batch in file.batches(faults):
                report.add(file.name, scanner.scan(dated(batch.events, day)), batch.lines)
    except InputError as error:
        tell_error(error, about="standard input" if name == STDIN else name)
        return False
    if file.unreadable:
        tell(f"error: nothing in {safe(file.name)} could be read", style="red")
    return not file.unreadable
