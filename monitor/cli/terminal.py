"""What goes to the terminal: consoles, text that cannot take the terminal over, errors."""

import os
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.text import Text

from monitor.domain.errors import RedpostError, RuleError

PLAIN_WIDTH: Final = 100
"""Columns where nobody watches and COLUMNS says nothing."""

SEVERITY_STYLES: Final = {
    "critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan", "info": "dim",
}  # fmt: skip
_BIDI: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_SHOWN: Final = str.maketrans(
    {code: chr(0x2400 + code) for code in range(32)}  # ␛ for ESC, and so on
    | {0x7F: "␡", 0x0A: "⏎", 0x09: " "}
    | dict.fromkeys([*range(0x80, 0xA0), *map(ord, _BIDI), *range(0xD800, 0xE000)], "\ufffd")
)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _console(*, stderr: bool) -> Console:
    found = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = PLAIN_WIDTH
    return found


def out() -> Console:
    return _console(stderr=False)


def err() -> Console:
    return _console(stderr=True)


def safe(text: str) -> str:
    """`text` on one line; control characters and whatever turns the reading direction are replaced, one for one."""
    return text.translate(_SHOWN)


def tell(text: str, *, style: str = "") -> None:
    """One remark on stderr."""
    err().print(Text(text, style=style), soft_wrap=True)


def tell_error(error: RedpostError, *, about: str = "") -> None:
    """The message in red, and what to do. `about`: the file that it concerns, where the message does not name it."""
    if isinstance(error, RuleError):
        for fault in error.faults:
            tell(safe(str(fault)), style="red")
        return
    prefix = f"error: {about}: " if about and about not in error.message else "error: "
    for line in error.message.splitlines() or [""]:
        tell(safe(prefix + line), style="red")
    if error.hint:
        tell(f"hint: {safe(error.hint)}", style="red")


def clock(ms: int) -> str:
    """h:mm:ss.t"""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 100}"


def counted(number: int, what: str, several: str = "") -> str:
    """1 file, 2 files; 1 duty, 2 duties"""
    return f"{number:,} {what if number == 1 else several or what + 's'}"


def day(at: int) -> str:
    """The UTC date of a time in UTC ms."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")
