"""Options that several commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from monitor.adapters.sources import SourceOptions
    from monitor.domain.decoding import Limits

Speaks = Literal["host", "assistant", "official", "guest", "viewer", "unknown"]
TextKind = Literal["transcript", "comment", "caption", "product", "script"]

Files = Annotated[list[str], Parameter(
    name="FILE", help="Files to read, one after another as one stream; - is standard input.")]
Data = Annotated[str | None, Parameter(help="Data folder. Default: the setting data.dir.")]
Serving = Annotated[Path | None, Parameter(
    help="Data folder of a service: judge by the classifier that serves there and by the rules that were published "
         "there over the folder, and say which. Default: the classifier of model.dir, the folder alone.")]
Config = Annotated[Path | None, Parameter(help="Settings file (TOML). Default: the one in REDPOST_CONFIG.")]
Url = Annotated[str, Parameter(show_default=True, help="Address of the service.")]
TokenFile = Annotated[Path | None, Parameter(help="File that holds the access token.")]
Rules = Annotated[Path | None, Parameter(help="Folder of rule packs. Default: the bundled ones.")]

LOCAL: Final = "http://127.0.0.1:8321"
STDIN: Final = "\0stdin"
"""Stands for the argument `-`, which the parser takes for an option; no argument can hold a NUL."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the caller knows of the files and they do not say."""

    source_format: Annotated[str, Parameter(
        help="Read as this format, instead of the one that the content shows. docs/sources.md lists them.")] = ""
    room: Annotated[str, Parameter(help="Room of events that name none.")] = ""
    broadcast: Annotated[str, Parameter(help="Broadcast of events that name none.")] = ""
    kind: Annotated[TextKind | None, Parameter(help="What the texts are, whatever the format implies.")] = None
    started_at: Annotated[str, Parameter(
        help="When the broadcast began, so that times from its start become times of day: "
             "2026-11-23T20:00:00+08:00, or UTC milliseconds.")] = ""
    source: Annotated[str, Parameter(
        show_default=True, help="Name of the source; it is part of each event's identity.")] = "default"
    encoding: Annotated[str, Parameter(help="Encoding of the text, such as gb18030. Default: by its bytes.")] = ""
    utc_offset: Annotated[str, Parameter(help="What times of day without an offset mean, such as +08:00.")] = ""

    def options(self, limits: "Limits") -> "SourceOptions":
        """Raises InputError for what cannot be."""
        from monitor.adapters.clock import SystemClock
        from monitor.adapters.sources import SOURCES, SourceOptions
        from monitor.adapters.sources.encoding import known
        from monitor.domain.errors import InputError
        from monitor.domain.events import Kind

        names = [source.NAME for source in SOURCES]
        if self.source_format and self.source_format not in names:
            raise InputError(f"there is no source format {self.source_format[:40]!r}",
                             hint="one of " + ", ".join(names))
        if self.encoding:
            known(self.encoding)
        return SourceOptions(
            now_ms=SystemClock().now(), source=self.source, room=self.room, broadcast=self.broadcast,
            kind=Kind(self.kind) if self.kind else None, started_at=_instant(self.started_at),
            encoding=self.encoding or None, utc_offset=_minutes(self.utc_offset),
            limits=limits,
        )


def operator() -> str:
    """Whoever runs a command, as the trail names them."""
    import getpass

    return f"cli:{getpass.getuser()}"


def data_folder(data: str | None, config: Path | None) -> Path:
    """The folder that was named, or that of the settings. Raises ConfigError for an empty name, as an unset variable of
    a shell gives it."""
    from monitor.settings import load

    loaded = load(config=config) if data is None else load(environ={}, overrides={"data.dir": data})
    return Path(loaded.settings.data.dir)


def _instant(text: str) -> int | None:
    """RFC 3339 with an offset, or UTC ms; as UTC ms."""
    from datetime import datetime

    from monitor.domain.errors import InputError

    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InputError(f"--started-at: {text[:40]!r} is no time with an offset",
                         hint="write 2026-11-23T20:00:00+08:00, or UTC milliseconds")
    return round(moment.timestamp() * 1000)


def _minutes(text: str) -> int | None:
    """+08:00 as 480."""
    import re

    from monitor.domain.errors import InputError

    if not text:
        return None
    match = re.fullmatch(r"([+-])(\d\d):([0-5]\d)", text)
    if match is None or int(match[2]) > 14:
        raise InputError(f"--utc-offset: {text[:40]!r} is no offset", hint="write it as +08:00")
    return (1 if match[1] == "+" else -1) * (int(match[2]) * 60 + int(match[3]))
