"""SubRip subtitles: what the host says. Numbers may be missing, and a cue may hold blank lines."""

import re
from collections.abc import Iterator
from typing import Final

from monitor.adapters.sources.assembling import Assembler
from monitor.adapters.sources.cues import Cue, grow, opened, spoken
from monitor.adapters.sources.lines import texts
from monitor.adapters.sources.model import Batch, ByteStream, SourceOptions, cut_off, without_mark

NAME: Final = "srt"
LEGACY: Final = True

_SEEN: Final = re.compile(
    rb"(?:\A|[\r\n])[ \t]*(?:\d{1,4}:)?\d{1,2}:\d{1,2}[.,:]\d{1,3}[ \t]*-->[ \t]*(?:\d{1,4}:)?\d{1,2}:\d{1,2}"
)
_MARKUP: Final = re.compile(r"</?(?:i|b|u|s|font|span|c|v|em|strong)(?:[\s.][^<>]{0,300})?>|\{\\[^{}]{0,300}\}", re.I)
_BEGUN_TIMING: Final = re.compile(r"\s*\d{1,4}(?::\d{0,2}){0,2}(?:[.,]\d{0,3}\s*-{0,2})?")


def sniff(head: bytes) -> bool:
    head = without_mark(head)
    return not head.startswith((b"WEBVTT", b"{", b"[", b"<")) and _SEEN.search(head) is not None


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    """One event a cue; `-->` begins the next, so a blank line inside a cue loses nothing."""
    out = Assembler(options)
    cue: Cue | None = None
    number = 0
    for number, text, cut in texts(stream, options.limits, out):
        if text is not None and "-->" in text:
            _finish(cue, out, index_follows=True)
            cue = opened(number, text, out, cut=cut)
        elif text is not None and cue is not None:
            grow(cue, text, options.limits)
        if out.full:
            yield from out.drain()
    if cue is not None:
        _end(cue, out, number)
    yield from out.drain(everything=True)


def _finish(cue: Cue | None, out: Assembler, *, index_follows: bool) -> None:
    if cue is None or cue.faulty:
        return
    if index_follows and cue.texts and cue.texts[-1].strip().isdecimal():
        cue.texts.pop()
    out.add(cue.line, spoken(cue, _MARKUP.sub("", "\n".join(cue.texts))))


def _end(cue: Cue, out: Assembler, number: int) -> None:
    """The last cue, without what was begun of a further one when the file was cut."""
    if _begins_another(cue.texts):
        while cue.texts.pop().strip():
            pass
        _finish(cue, out, index_follows=False)
        out.reject(cut_off(number))
    elif not cue.texts and not cue.faulty:
        out.reject(cut_off(cue.line))
    else:
        _finish(cue, out, index_follows=False)


def _begins_another(texts: list[str]) -> bool:
    """Whether the text ends in a blank line, a number and perhaps the begin of a line of times."""
    *_, blank, index = ["-", "-", *texts]
    if not blank.strip() and index.strip().isdecimal():
        return True
    *_, blank, index, last = ["-", "-", "-", *texts]
    return not blank.strip() and index.strip().isdecimal() and _BEGUN_TIMING.fullmatch(last) is not None
