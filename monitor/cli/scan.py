"""redpost scan"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Files, Reading, Rules, Serving


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
        help="Instead of findings the alerts that the service would raise.")] = False,
    explain: Annotated[bool, Parameter(help="Show which words carried the classifier's scores.")] = False,
    html: Annotated[Path | None, Parameter(
        help="Write a report for people too: one page with all lines, the findings in place, for screen and paper.")
    ] = None,
    data: Serving = None,
    tenant: Annotated[str, Parameter(show_default=True, help="Whose events they are: part of their ids, and with "
                                     "--data whose classifier.")] = "local",
    config: Config = None,
) -> int:
    """Check a transcript, a chat log or events in a file against the rules.

    The format is recognised by content: events as NDJSON or JSON, danmaku XML, SRT, VTT, ASS, CSV, TSV, FunASR
    results; also as gzip or zstd. Findings and alerts carry the same ids as in the service. What cannot be read
    is told on standard error with its line, and the rest is scanned. Times that only count from a start are judged
    as of today, unless --started-at says the day: rules hold from a date on. Limits, time zone and the like are
    those of the settings.

    ```
    redpost scan tonight.srt chat.xml --room 1024
    redpost scan chat.xml.gz --started-at 2026-11-23T20:00:00+08:00 --alerts
    tail -f live.ndjson | redpost scan - --json
    redpost scan lines.csv --kind script --rules my-rules
    redpost scan tonight.docx --html report.html
    redpost scan tonight.srt --explain
    redpost scan tonight.srt --data /var/lib/redpost --tenant agency
    ```

    Exit codes: 0 nothing was found, 1 something was found, 2 a file could not be read or the rules have faults.
    """
    from monitor.cli.scanning import Scanning
    from monitor.domain.errors import InputError
    from monitor.settings import load

    if everything and not json:
        raise InputError("--all tells of clean events in JSON only", hint="add --json")
    settings = load(config=config, overrides={"rules.dir": rules, "rules.rooms": rooms}).settings
    scanning = Scanning(reading or Reading(), settings, json=json, everything=everything, alerts=alerts,
                        explain=explain, html=html, inputs=files, data=data, tenant=tenant)
    return scanning.run(files)
