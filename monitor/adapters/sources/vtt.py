"""WebVTT subtitles: what the host says. `<v Name>` becomes the attribute `speaker_name`."""

import html
import re
from collections.abc import Iterator
from typing import Final

from monitor.adapters.sources.assembling import Assembler
from monitor.adapters.sources.cues import Cue, clock_ms, grow, opened, spoken, timing
from monitor.adapters.sources.lines import texts
from monitor.adapters.sources.model import Batch, ByteStream, SourceOptions, cut_off
from monitor.domain.rejections import Rejected

NAME: Final = "vtt"
LEGACY: Final = True

_VOICE: Final = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>]{1,256})>")
_NO_CUE: Final = re.compile(r"NOTE(?:\s|$)|(?:STYLE|REGION)\s*$")
_TAG: Final = re.compile(r"</?[^<>]*>")
_MAP: Final = re.compile(r"X-TIMESTAMP-MAP\s*=\s*(.*)")
_WRAP_MS: Final = 2**33 / 90


def sniff(head: bytes) -> bool:
    head = head.removeprefix(b"\xef\xbb\xbf")
    return head.startswith(b"WEBVTT") and head[6:7] in (b"", b" ", b"\t", b"\r", b"\n")


class _Reader:
    """Blocks between blank lines. A file may hold several WEBVTT headers: joined segments of an HLS stream."""

    def __init__(self, options: SourceOptions, out: Assembler) -> None:
        self._limits = options.limits
        self._out = out
        self._cue: Cue | None = None
        self._skipping = False  # a header, NOTE, STYLE or REGION, to the next blank line
        self._loose = 0  # the line of what is an identifier if times follow
        self._first_map: float | None = None
        self._shift = 0

    def line(self, number: int, text: str, *, cut: bool) -> None:
        if not text.strip():
            self.finish()
            self._skipping = False
        elif sniff(text.encode()) or (self._at_start() and _NO_CUE.match(text)):
            self.finish()
            self._skipping = True
        elif "-->" in text and not (self._skipping and timing(text) is None):
            self._loose = 0
            self.finish()
            self._skipping = False
            self._cue = opened(number, text, self._out, cut=cut)
        elif self._skipping:
            self._map(text)
        elif self._cue is not None:
            grow(self._cue, text, self._limits)
        elif not self._loose:
            self._loose = number

    def _at_start(self) -> bool:
        return self._cue is None and not self._skipping and not self._loose

    def finish(self) -> None:
        cue, self._cue = self._cue, None
        loose, self._loose = self._loose, 0
        if loose:
            self._out.reject(
                Rejected(loose, "offset_ms", "a block without times", "a cue begins with a line of times")
            )
        if cue is None or cue.faulty:
            return
        length = cue.end - cue.start
        cue.start = max(cue.start + self._shift, 0)
        cue.end = cue.start + length
        parts = _VOICE.split("\n".join(cue.texts))
        for name, text in zip(("", *parts[1::2]), parts[::2], strict=True):
            said = html.unescape(_TAG.sub("", text))
            voice = " ".join(html.unescape(name).split())
            self._out.add(cue.line, spoken(cue, said, {"speaker_name": voice} if voice else None))

    def end(self, *, cut: bool) -> None:
        """After the last line; `cut` where it had no line end."""
        cue = self._cue
        if cue is not None and not cue.faulty and not cue.texts:
            self._out.reject(cut_off(cue.line))
        if cut and self._loose:
            self._out.reject(cut_off(self._loose))
            self._loose = 0
        self.finish()

    def _map(self, text: str) -> None:
        """Segments after the first are moved by how far their map differs from the first one's."""
        match = _MAP.match(text.strip())
        if match is None:
            return
        local, mpegts = None, None
        for field in match[1].split(","):
            key, _, value = field.partition(":")
            if key.strip() == "LOCAL":
                local = clock_ms(value)
            elif key.strip() == "MPEGTS" and re.fullmatch(r"[0-9]{1,19}", ticks := value.strip()):
                mpegts = int(ticks) % 2**33 / 90
        if local is None or mpegts is None:
            return
        here = mpegts - local
        if self._first_map is None:
            self._first_map = here
        moved = (here - self._first_map) % _WRAP_MS
        self._shift = round(moved if moved < _WRAP_MS / 2 else moved - _WRAP_MS)


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    """One event a cue, or a voice of a cue."""
    out = Assembler(options)
    reader = _Reader(options, out)
    cut = False
    for number, text, cut in texts(stream, options.limits, out):
        if text is not None:
            reader.line(number, text, cut=cut)
        if out.full:
            yield from out.drain()
    reader.end(cut=cut)
    yield from out.drain(everything=True)
