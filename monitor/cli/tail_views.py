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
    """A line for each sentence, and below it one for each update; those that follow the first name their words."""

    def __init__(self) -> None:
        self._zone = zone()
        self._out = out()
        self._said: tuple[int, str, str] | None = None

    def show(self, heard: AlertMessage, data: str) -> None:
        alert = heard.alert
        update = f"  {heard.what}  {alert.severity}  {alert.rule}  {alert.title}  {alert.recurrence}×"
        if _sentence(alert) == self._said:
            update += f"  {_hits(alert)}"
        else:
            self._said = _sentence(alert)
            where = Text(safe(f"{moment(alert.at, None, self._zone)}  {alert.room}  "))
            self._out.print(where.append_text(_words(alert, brackets=True)), soft_wrap=True)
        self._out.print(Text(safe(update.rstrip())), soft_wrap=True)
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
        said = None
        for each in newest[: max(console.height - 3, 1)]:
            alert = each.alert
            again, said = _sentence(alert) == said, _sentence(alert)
            table.add_row(
                "" if again else moment(alert.at, None, self._zone, short=True),
                Text(alert.severity, style=SEVERITY_STYLES[alert.severity]), safe(alert.room), safe(alert.title),
                f"{alert.recurrence}",
                Text(safe(_hits(alert))) if again else _words(alert, brackets=console.no_color, around=NEAR),
                style="strike dim" if each.what == "withdrawn" else "",
            )
        yield table if newest else Text("waiting for alerts … Ctrl+C ends", style="dim")


def _sentence(alert: Alert) -> tuple[int, str, str]:
    """What is the same of all alerts that one sentence opened."""
    return alert.at, alert.room, alert.text


def _hits(alert: Alert) -> str:
    return "".join(f"【{hit}】" for hit in dict.fromkeys(alert.text[s.start : s.end] for s in alert.spans))


def _words(alert: Alert, *, brackets: bool, around: int = AROUND) -> Text:
    return marked(alert.text, [(span.start, span.end) for span in alert.spans], brackets=brackets, around=around)
