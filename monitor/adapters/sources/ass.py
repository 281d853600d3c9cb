r"""ASS and SSA subtitles: what the host says, or comments where a danmaku converter made the file.

Such a file is known by its styles (R2L, Danmaku…) or its title; its comments have no known author.
"""

import re
from collections.abc import Iterator
from typing import Final

from monitor.adapters.sources.assembling import Assembler, Item
from monitor.adapters.sources.cues import Cue, clock_ms, spoken
from monitor.adapters.sources.lines import texts
from monitor.adapters.sources.model import Batch, ByteStream, SourceOptions, cut_off, without_mark
from monitor.domain.events import Kind, Role
from monitor.domain.rejections import Rejected

NAME: Final = "ass"
LEGACY: Final = True

_SECTION: Final = re.compile(rb"(?:\A|[\r\n])\[(?:script info|v4\+? styles|events)\]", re.IGNORECASE)
_USUAL: Final = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
_DANMAKU: Final = re.compile(r"danmaku|danmu|弹幕|彈幕", re.IGNORECASE)
_TELLING_STYLES: Final = frozenset({"r2l", "l2r", "message_box", "gift_box"})
_DANMAKU_STYLES: Final = _TELLING_STYLES | {"top", "btm", "bottom", "sp", "fix", "price", "float", "sc"}
_OVERRIDE: Final = re.compile(r"\{([^{}]*)\}")
_DRAWING: Final = re.compile(r"\\p(\d+)")
_BREAK: Final = re.compile(r"\\[Nnh]")


def sniff(head: bytes) -> bool:
    head = without_mark(head)
    return head.startswith((b"[", b";", b"!")) and _SECTION.search(head) is not None


class _Script:
    """Reads line by line; remembers the section, the columns, and whether the file holds danmaku."""

    def __init__(self, out: Assembler) -> None:
        self._out = out
        self._section = ""
        self._columns = _USUAL
        self._titled = False
        self._styled = False

    def line(self, number: int, text: str, *, last: bool) -> None:
        text = text.strip()
        if text.startswith("[") and text.endswith("]"):
            self._section = text[1:-1].strip().lower()
            return
        key, colon, value = text.partition(":")
        key = key.strip().lower()
        if self._section == "events":
            if key == "format":
                self._columns = [column.strip().lower() for column in value.split(",")] or _USUAL
            elif key == "dialogue":
                self._dialogue(number, value, last=last)
            elif last and not colon and key and "dialogue".startswith(key):
                self._out.reject(cut_off(number))
        elif self._section == "script info":
            self._titled = self._titled or bool(_DANMAKU.search(text))
        elif key == "style":
            name = value.split(",", 1)[0].strip().lower()
            self._styled = self._styled or name in _TELLING_STYLES or bool(_DANMAKU.search(name))

    def _dialogue(self, number: int, value: str, *, last: bool) -> None:
        columns = self._columns
        cells = value.split(",", len(columns) - 1)
        if len(cells) < len(columns) or "text" not in columns:
            self._out.reject(
                cut_off(number) if last else
                Rejected(number, "text", f"{len(cells)} fields, {len(columns)} are announced",
                         "a Dialogue line has the fields of the Format line")
            )
            return
        row = dict(zip(columns, cells, strict=True))
        start, end = clock_ms(row.get("start", "")), clock_ms(row.get("end", ""))
        if start is None or end is None:
            self._out.reject(
                Rejected(number, "offset_ms", "unreadable times", "a time is h:mm:ss.cc, as in 0:01:02.50")
            )
            return
        self._out.add(number, self._item(Cue(number, start, end, []), row))

    def _item(self, cue: Cue, row: dict[str, str]) -> Item:
        text = _plain(row["text"])
        style = row.get("style", "").strip().lstrip("*").lower()
        if self._titled or (self._styled and style in _DANMAKU_STYLES) or _DANMAKU.search(style):
            return Item(
                kind=Kind.COMMENT, text=" ".join(text.split()), role=Role.VIEWER, speaker="", offset_ms=cue.start
            )
        name = (row.get("name") or row.get("actor") or "").strip()[:256]
        return spoken(cue, text, {"speaker_name": name} if name else None)


def _plain(text: str) -> str:
    """The words: without override tags, and without the drawings that some of them begin."""
    words, drawing = [], False
    for part, tags in _parts(text):
        if not drawing:
            words.append(part)
        for depth in _DRAWING.findall(tags):
            drawing = depth.strip("0") != ""
    return _BREAK.sub(" ", "".join(words))


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Text and the override block after it."""
    pieces = _OVERRIDE.split(text)
    pieces.append("")
    return zip(pieces[::2], pieces[1::2], strict=True)


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    """One event a Dialogue line. Comment lines are not shown, so they are not read."""
    out = Assembler(options)
    script = _Script(out)
    for number, text, cut in texts(stream, options.limits, out):
        if text is not None:
            script.line(number, text, last=cut)
        if out.full:
            yield from out.drain()
    yield from out.drain(everything=True)
