"""Text in whatever encoding as UTF-8, decided on the bytes, never on the file's name."""

import codecs
import re
from typing import Final

from monitor.adapters.sources.model import ByteStream
from monitor.domain.errors import InputError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_KNOWN: Final = {
    "utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "big5": "big5hkscs",
}
_FOREIGN: Final = re.compile("[^\x00-\x7f\ufffd]")


def known(encoding: str) -> str:
    """The codec for an encoding that somebody named. Raises InputError for one that is not offered."""
    try:
        return _KNOWN[codecs.lookup(encoding).name.replace("_", "-")]
    except (LookupError, ValueError) as error:
        raise InputError(f"unknown encoding {encoding!r}", hint="one of " + ", ".join(_KNOWN)) from error


def marked(head: bytes) -> str | None:
    """The codec that the byte order mark names, if there is one."""
    return next((codec for mark, codec in _MARKS if head.startswith(mark)), None)


def decided(sample: bytes) -> str | None:
    """`utf-8` or `gb18030` for bytes that begin at a character, or None while they are all ASCII.

    A few damaged bytes in much UTF-8 leave it UTF-8: text in GB18030 is hardly ever valid in any place.
    """
    try:
        text, _ = codecs.utf_8_decode(sample, "strict", False)
        return None if text.isascii() else "utf-8"
    except UnicodeDecodeError:
        text = sample.decode("utf-8", "replace")
    if len(_FOREIGN.findall(text)) > 4 * text.count("\ufffd"):
        return "utf-8"
    try:
        codecs.getincrementaldecoder("gb18030")().decode(sample)
    except UnicodeDecodeError:
        return "utf-8"
    return "gb18030"


def as_utf8(sample: bytes, *, encoding: str | None, legacy: bool) -> bytes:
    """A head of a file as UTF-8, for recognising its format; a character cut at its end is left out."""
    codec = encoding or marked(sample) or (decided(sample) if legacy else None)
    if codec is None or codec == "utf-8":
        return sample
    return codecs.getincrementaldecoder(codec)("replace").decode(sample).encode()


class Transcoded:
    """A byte stream as UTF-8 without a mark. `warnings` grow while it is read.

    Valid UTF-8 passes as it is, and so do damaged bytes in it: the sources say in which line they stand.
    """

    def __init__(self, stream: ByteStream, codec: str | None, *, legacy: bool) -> None:
        self._stream = stream
        self._guess = codec is None and legacy
        self._decoder = codecs.getincrementaldecoder(codec)("replace") if codec and codec != "utf-8" else None
        self._held = b""
        self._damaged = False
        self.warnings: list[str] = []

    def read(self, size: int, /) -> bytes:
        while True:
            data = self._stream.read(size)
            more = bool(data)
            if self._guess:
                data = self._guessed(data)
                if more and not data:
                    continue
            if self._decoder is None:
                return data
            text = self._decoder.decode(data, final=not more)
            self._note_damage(text)
            if text or not more:
                return text.encode()

    def _guessed(self, data: bytes) -> bytes:
        """`data` after what was held back; while nothing is decided, without a character cut at its end."""
        last = not data
        data, self._held = self._held + data, b""
        self._decide(data)
        if self._guess and not last and not data.isascii():
            cut = len(data.decode("ascii", "ignore"))
            data, self._held = data[:cut], data[cut:]
        return data

    def _decide(self, data: bytes) -> None:
        codec = decided(data)
        if codec is None:
            return
        self._guess = False
        if codec == "gb18030":
            self._decoder = codecs.getincrementaldecoder(codec)("replace")
            self.warnings.append(
                "the bytes are not UTF-8 and were read as GB18030; name the encoding (--encoding) if that is wrong"
            )

    def _note_damage(self, text: str) -> None:
        if not self._damaged and "\ufffd" in text:
            self._damaged = True
            self.warnings.append("some bytes do not fit the encoding and were replaced by U+FFFD")
