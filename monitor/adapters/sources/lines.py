"""Lines of a byte stream, with bounded memory."""

from collections.abc import Iterator

from monitor.adapters.sources.assembling import Assembler
from monitor.adapters.sources.model import CHUNK, ByteStream, not_text
from monitor.domain.decoding import Limits
from monitor.domain.rejections import too_long
from monitor.domain.splitting import TooLong


class Lines:
    r"""Iterates over (line number from 1, bytes without line end). CR LF and CR end a line like LF.

    A line beyond `limit` bytes comes as `TooLong` and is never held. After the end, `cut` tells whether the last line
    had no line end, and `number` how many there were.
    """

    def __init__(self, stream: ByteStream, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self.cut = False
        self.number = 0

    def __iter__(self) -> Iterator[tuple[int, bytes | TooLong]]:
        rest, dropped = b"", 0
        for chunk in self._chunks():
            parts = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
            rest = parts.pop()
            for part in parts:
                self.number += 1
                size = dropped + len(part)
                dropped = 0
                yield self.number, part if size <= self._limit else TooLong(size)
            if dropped or len(rest) > self._limit:
                dropped += len(rest)
                rest = b""
        if rest or dropped:
            self.number += 1
            self.cut = True
            yield self.number, TooLong(dropped) if dropped else rest

    def _chunks(self) -> Iterator[bytes]:
        """The stream with one kind of line end and without a byte order mark."""
        first, held = True, b""
        while data := self._stream.read(CHUNK):
            data = held + data
            if first:
                while len(data) < 3 and (more := self._stream.read(CHUNK)):
                    data += more
                data, first = data.removeprefix(b"\xef\xbb\xbf"), False
            held = b"\r" if data.endswith(b"\r") else b""
            if held:
                data = data[:-1]
            yield data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data
        if held:
            yield b"\n"


def texts(stream: ByteStream, limits: Limits, out: Assembler) -> Iterator[tuple[int, str | None, bool]]:
    """(line number, text, whether the file ends within this line). A line that cannot be read is rejected and None."""
    lines = Lines(stream, limits.line_bytes)
    held: tuple[int, str | None] | None = None  # one line behind, to know the last one
    for number, raw in lines:
        if held is not None:
            yield *held, False
        held = number, None
        if isinstance(raw, TooLong):
            out.reject(too_long(number, raw.size, limits.line_bytes))
            continue
        try:
            held = number, raw.decode()
        except UnicodeDecodeError:
            out.reject(not_text(number))
    if held is not None:
        yield *held, lines.cut
