"""What SRT, WebVTT and ASS have in common: times, cues and spoken text."""

import re
from typing import Final

from msgspec import Struct

from monitor.adapters.sources.assembling import Assembler, Item
from monitor.adapters.sources.model import cut_off
from monitor.domain.decoding import Limits
from monitor.domain.events import Attributes, Kind
from monitor.domain.rejections import Rejected

_CLOCK: Final = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,6}))?"
CLOCK: Final = re.compile(rf"\s*{_CLOCK}\s*")
TIMING: Final = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")

UNREADABLE: Final = "send hh:mm:ss,mmm --> hh:mm:ss,mmm"


class Cue(Struct):
    """A subtitle while it is read. Times in ms; `faulty` drops its text, which was already reported."""

    line: int
    start: int
    end: int
    texts: list[str]
    size: int = 0
    faulty: bool = False


def _ms(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    ms = int((fraction or "0")[:3].ljust(3, "0"))
    return (int(hours or 0) * 60 + int(minutes)) * 60_000 + int(seconds) * 1000 + ms


def clock_ms(text: str) -> int | None:
    """`1:02:03.4`, `02:03,456`, `02:03` in ms, or None for anything else."""
    match = CLOCK.fullmatch(text)
    return _ms(*match.groups()) if match else None


def timing(line: str) -> tuple[int, int] | None:
    """(start, end) in ms of the line over a cue."""
    match = TIMING.fullmatch(line)
    if match is None:
        return None
    parts = match.groups()
    return _ms(*parts[:4]), _ms(*parts[4:])


def opened(line: int, text: str, out: Assembler, *, cut: bool) -> Cue:
    """The cue that a line with an arrow begins; one whose times cannot be read is reported."""
    times = timing(text)
    if cut or times is None:
        unreadable = Rejected(line, "offset_ms", f"unreadable times {text.strip()[:60]!r}", UNREADABLE)
        out.reject(cut_off(line) if cut else unreadable)
        return Cue(line, 0, 0, [], faulty=True)
    return Cue(line, *times, [])


def grow(cue: Cue, text: str, limits: Limits) -> None:
    """Add a line of text. One line more than the limit is kept, which says that the text is too long."""
    if cue.size <= limits.text:
        cue.texts.append(text)
        cue.size += len(text) + 1


def spoken(cue: Cue, text: str, attributes: Attributes | None = None) -> Item:
    """The item for a cue's text, with white space as between words."""
    return Item(
        kind=Kind.TRANSCRIPT, text=" ".join(text.split()), offset_ms=cue.start,
        duration_ms=cue.end - cue.start if cue.end >= cue.start else None, attributes=attributes or {},
    )
