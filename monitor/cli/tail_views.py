"""What `redpost tail` shows: raw JSON, lines, or a live table."""

import sys
from typing import Protocol, Self

import msgspec
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from monitor.adapters.web.types import AlertMessage
from monitor.cli.loading import zone
from monitor.cli.marking import AROUND, NEAR, marked
from monitor.cli.scan_text import moment
from monitor.cli.sse import Message
from monitor.cli.terminal import SEVERITY_STYLES, out, safe, tell
from monitor.domain.alerts import Alert


class View(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def hear(self, message: Message, severities: frozenset[str]) -> None:
        """One message of the stream; alerts of other severities are left out, unless there are none."""
        ...


def view_for(*, json: bool) -> View:
    if json:
        return JsonLines()
    return LiveTable() if out().is_terminal else Lines()


class _View:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None: ...

    def hear(self, message: Message, severities: frozenset[str]) -> None:
        if message.event == "reset":
            tell("updates were missed for good; `GET /api/v1/alerts` has all alerts", style="yellow")
        if message.event != "alert":
            return
        heard = msgspec.json.decode(message.data, type=AlertMessage)
        if not severities or heard.alert.severity in severities:
            self.show(heard, message.data)

    def show(self, heard: AlertMessage, data: str) -> None:
        raise NotImplementedError


class JsonLines(_View):
    def show(self, heard: AlertMessage, data: str) -> None:
        sys.stdout.write(data + "\n")
        sys.stdout.flush()


class Lines(_View):
    """One line per update."""

    def __init__(self) -> None:
        self._zone = zone()
        self._out = out()

    def show(self, heard: AlertMessage, data: str) -> None:
        alert = heard.alert
        line = Text(safe(f"{moment(alert.at, None, self._zone)}  {heard.what}  {alert.severity}  {alert.room}  "
                         f"{alert.rule}  {alert.title}  {alert.recurrence}×  "))
        self._out.print(line.append_text(_words(alert, brackets=True)), soft_wrap=True)
        self._out.file.flush()


class LiveTable(_View):
    """The latest alerts, newest on top, as many as fit."""

    def __init__(self) -> None:
        self._zone = zone()
        self._latest: dict[str, AlertMessage] = {}
        self._live = Live(self, console=out(), refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def show(self, heard: AlertMessage, data: str) -> None:
        self._latest[heard.alert.id] = heard
        while len(self._latest) > 500:
            del self._latest[next(iter(self._latest))]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(box=None, pad_edge=False, expand=True)
        for name in ("time", "severity", "room", "rule"):
            table.add_column(name, no_wrap=True)
        table.add_column("×", justify="right", no_wrap=True)
        table.add_column("words", ratio=1, no_wrap=True)
        newest = sorted(self._latest.values(), key=lambda each: each.alert.at, reverse=True)
        for each in newest[: max(console.height - 3, 1)]:
            alert = each.alert
            table.add_row(
                moment(alert.at, None, self._zone, short=True),
                Text(alert.severity, style=SEVERITY_STYLES[alert.severity]), safe(alert.room), safe(alert.title),
                f"{alert.recurrence}", _words(alert, brackets=console.no_color, around=NEAR),
                style="strike dim" if each.what == "withdrawn" else "",
            )
        yield table if newest else Text("waiting for alerts … Ctrl+C ends", style="dim")


def _words(alert: Alert, *, brackets: bool, around: int = AROUND) -> Text:
    return marked(alert.text, [(span.start, span.end) for span in alert.spans], brackets=brackets, around=around)
