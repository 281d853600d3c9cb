"""The items of a recorder's XML, read as it comes: unclosed, cut off, with broken elements in between.

A fault that ends the parser costs one item: a new parser begins at the next one. Declarations of types and entities
end the reading: no recorder writes them, and they are how small files become large ones.
"""

import codecs
import re
from typing import Final
from xml.parsers import expat

from msgspec import Struct

from monitor.adapters.sources.model import CHUNK, cut_off
from monitor.domain.decoding import Limits
from monitor.domain.rejections import Rejected

TAGS: Final = frozenset({"d", "sc", "gift", "guard", "toast", "s"})

_DEEPEST: Final = 64
_STEP: Final = 4096
_ITEM: Final = re.compile(rb"<(?:" + b"|".join(sorted(tag.encode() for tag in TAGS)) + rb")(?=[\s/>])")
_CONTROLS: Final = bytes(set(range(32)) - set(b"\t\n\r"))
_CONTROL_REFERENCE: Final = re.compile(
    rb"&#(?:x0*(?:[0-8bcef]|1[0-9a-f]|fff[ef])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));", re.IGNORECASE
)
_NO_CHARACTERS: Final = re.compile("[\ufffe\uffff]")
_ROOT_ENDS: Final = b"</i>"
_INVALID_TOKEN: Final = 4  # expat's XML_ERROR_…
_JUNK_AFTER_DOC_ELEMENT: Final = 9
_MISPLACED_XML_PI: Final = 17
_AT_NEXT: Final = frozenset({_INVALID_TOKEN, _JUNK_AFTER_DOC_ELEMENT})  # the error's place may be where an item begins
_RESTARTED: Final = frozenset({_JUNK_AFTER_DOC_ELEMENT, _MISPLACED_XML_PI})  # no item is lost: a file was appended


class Element(Struct, frozen=True):
    line: int
    tag: str
    attributes: dict[str, str]
    text: str


class _Refused(Exception):
    """Raised out of a handler to leave the parser, which goes on without handlers to the end of its data.

    `at` is the byte index where the next parser may begin.
    """

    def __init__(self, at: int) -> None:
        self.at = at


class Elements:
    """Feed bytes; `found` collects elements and rejections in order, until somebody empties it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.found: list[Element | Rejected] = []
        self.refused = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""  # what stands behind the last ">"
        self._line = 1  # of the next byte for the parser
        self._lost = False  # between a fault and the next item
        self._begin()

    def _begin(self, prefix: bytes = b"") -> None:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._declared
        parser.EntityDeclHandler = self._declared
        self._parser = parser
        self._first_line = self._line
        self._depth = 0
        self._item: tuple[int, str, dict[str, str]] | None = None
        self._item_depth = 0
        self._texts: list[str] = []
        self._size = 0
        if prefix:
            parser.Parse(prefix)
        self._fed = len(prefix)

    def feed(self, data: bytes) -> None:
        """The next bytes of the file. Bytes that no XML may hold are left out; invalid UTF-8 becomes U+FFFD."""
        data = self._held + self._clean(data, last=False)
        end = data.rfind(b">") + 1
        self._held = data[end:]
        data = _CONTROL_REFERENCE.sub(b"", data[:end])
        start, end = 0, len(data)
        while start < end:  # in small steps: after a fault the rest of a step is read again
            stop = data.find(b">", min(start + _STEP, end) - 1) + 1
            self._parse(data[start:stop])
            start = stop
        if len(self._held) > self._limits.line_bytes and not self.refused:
            if not self._lost:
                most = self._limits.line_bytes
                self._fault(f"an item has more than {most} bytes", "raise ingest.line_bytes", self._held_line())
            self._line += self._held.count(b"\n")
            self._held = b""

    def finish(self) -> None:
        """The end of the file; an item that was begun is reported. A root that is still open is normal."""
        if self.refused:
            return
        tail = (self._held + self._clean(b"", last=True)).strip()
        if self._item is not None and not self._lost:
            self.found.append(cut_off(self._item[0]))
        elif tail and not self._lost and not _ROOT_ENDS.startswith(tail):
            self.found.append(cut_off(self._held_line()))

    def _held_line(self) -> int:
        """Where the text behind the last ">" begins."""
        blank = len(self._held) - len(self._held.lstrip())
        return self._line + self._held.count(b"\n", 0, blank)

    def _clean(self, data: bytes, *, last: bool) -> bytes:
        text = self._decoder.decode(data.translate(None, _CONTROLS), last)
        return _NO_CHARACTERS.sub("", text).encode()

    def _parse(self, data: bytes) -> None:
        while data and not self.refused:
            if self._lost:
                match = _ITEM.search(data)
                skipped = match.start() if match else len(data)
                self._line += data.count(b"\n", 0, skipped)
                data = data[skipped:]
                if not data:
                    return
                self._lost = False
                self._begin(b"<i>")
            try:
                self._parser.Parse(data)
            except expat.ExpatError as error:
                at = self._parser.ErrorByteIndex - self._fed
                skipped = max(at + (error.code not in _AT_NEXT), 0)
                if self._item is not None or error.code not in _RESTARTED:
                    self._fault(
                        f"malformed XML: {expat.ErrorString(error.code)}",
                        "a recorder must write & as &amp; and < as &lt;", self._error_line(data, at),
                    )
                self._lost = True
            except _Refused as refused:
                skipped = max(refused.at - self._fed, 0)
            else:
                self._fed += len(data)
                skipped = len(data)
                if self._fed - self._parser.CurrentByteIndex > self._limits.line_bytes + CHUNK:
                    self._fault("a comment or tag does not end", "the items after it are read")
            self._line += data.count(b"\n", 0, skipped)
            data = data[skipped:]

    def _error_line(self, data: bytes, at: int) -> int:
        """Where the tag begins that was not finished at the error, else where the error is."""
        tag = data.rfind(b"<", 0, max(at, 0))
        if tag >= 0 and b">" not in data[tag:at]:
            return self._line + data.count(b"\n", 0, tag)
        return self._first_line + self._parser.ErrorLineNumber - 1

    def _fault(self, reason: str, hint: str, line: int = 0) -> None:
        """Give up the item that is being read, and look for the next."""
        self.found.append(Rejected(self._item[0] if self._item else line or self._line, "", reason, hint))
        self._item = None
        self._lost = True

    def _here(self) -> int:
        return self._first_line + self._parser.CurrentLineNumber - 1

    def _declared(self, *_: object) -> None:
        self.found.append(
            Rejected(self._here(), "", "the file declares a document type or entities",
                     "no recorder does; nothing after the declaration is read")
        )
        self.refused = True
        raise _Refused(0)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fault("elements are nested too deeply", "items stand directly under the root", self._here())
            raise _Refused(self._parser.CurrentByteIndex + 1)
        if tag in TAGS and self._item is not None:
            self._fault("the element is not closed", f"write </{self._item[1]}> before the next item")
            raise _Refused(self._parser.CurrentByteIndex)
        if tag in TAGS and self._depth <= 2:
            self._item = (self._here(), tag, attributes)
            self._item_depth = self._depth
            self._texts, self._size = [], 0

    def _characters(self, text: str) -> None:
        if self._item is not None and self._depth == self._item_depth:
            self._size += len(text)
            if self._size <= self._limits.line_bytes:
                self._texts.append(text)

    def _end(self, tag: str) -> None:
        if self._item is not None and self._depth == self._item_depth:
            (line, name, attributes), self._item = self._item, None
            if self._size > self._limits.line_bytes:
                self.found.append(
                    Rejected(line, "text", f"the text has {self._size} characters, at most "
                             f"{self._limits.text} are taken", "raise ingest.text")
                )
            else:
                self.found.append(Element(line, name, attributes, "".join(self._texts)))
        self._depth -= 1
