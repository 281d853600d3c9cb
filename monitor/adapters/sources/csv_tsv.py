"""Tables: CSV and TSV with a header line. Columns are named as an event's fields, or as people name them."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final

from monitor.adapters.sources.assembling import Assembler
from monitor.adapters.sources.columns import PERSONAL, Unreadable, field_of, is_known, item_of
from monitor.adapters.sources.lines import texts
from monitor.adapters.sources.model import Batch, ByteStream, SourceOptions, cut_off, without_mark
from monitor.domain.errors import InputError
from monitor.domain.events import Kind
from monitor.domain.rejections import Rejected

NAME: Final = "csv"
LEGACY: Final = True

_DELIMITERS: Final = (",", "\t", ";")
_MOST_LINES: Final = 50  # in one quoted cell; a stray quote costs one row, not the rest of the file

_Line = tuple[int, str | None, bool]
_Record = tuple[int, list[str] | Rejected, bool]


def sniff(head: bytes) -> bool:
    head = without_mark(head)
    if head.startswith((b"{", b"[", b"<", b"WEBVTT")):
        return False
    rows = [row for row in head.replace(b"\r", b"\n").split(b"\n", 8)[:8] if row.strip() and not _names_sign(row)]
    try:
        title = rows[0].decode() if rows else ""
    except UnicodeDecodeError:
        return False
    return _header(title) is not None


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    """One event a row. A row that is faulty is rejected by itself."""
    out = Assembler(options)
    lines = texts(stream, options.limits, out)
    table: _Table | None = None
    for number, text, _ in lines:
        if text and text.strip() and not _names_sign(text.encode()):
            found = _header(text)
            if found is None:
                raise InputError(f"line {number} names no column for the text", hint="docs/sources.md lists the names")
            table = _Table(*found, options, out)
            break
        yield from out.drain()
    if table is not None:
        for number, cells, cut in _records(lines, table.delimiter, table.width):
            table.row(number, cells, cut=cut)
            if out.full:
                yield from out.drain()
    yield from out.drain(everything=True)


def _names_sign(line: bytes) -> bool:
    """Excel's own first line, which names the delimiter."""
    return line.strip().lower() in (b"sep=,", b"sep=;", b"sep=\t", b"sep=")


def _header(line: str) -> tuple[str, list[str]] | None:
    """(delimiter, titles) of the first line: the delimiter that gives the most known columns, the text among them."""
    best: tuple[int, str, list[str]] | None = None
    for delimiter in _DELIMITERS:
        try:
            titles = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            continue
        fields = {field_of(title) for title in titles}
        known = sum(map(is_known, fields))
        if len(titles) > 1 and "text" in fields and (best is None or known > best[0]):
            best = known, delimiter, titles
    return best[1:] if best else None


def _records(lines: Iterator[_Line], delimiter: str, width: int) -> Iterator[_Record]:
    """(line, cells or what is wrong with them, whether the file ends within the row)."""
    ahead: deque[_Line] = deque()
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        number, text, cut = line
        if not text or not text.strip():
            yield number, [], False
        elif '"' not in text:
            yield number, text.split(delimiter), cut
        else:
            yield _quoted(number, text, cut, lines, ahead, delimiter, width)


def _quoted(
    number: int, text: str, cut: bool, lines: Iterator[_Line], ahead: deque[_Line], delimiter: str, width: int
) -> _Record:
    """A row with quotes, over as many lines as they say. Lines taken in vain go back to `ahead`."""
    taken: list[_Line] = []

    def following() -> Iterator[str]:
        yield text + "\n"
        while len(taken) < _MOST_LINES:
            line = ahead.popleft() if ahead else next(lines, None)
            if line is None:
                return
            taken.append(line)
            if line[1] is None:
                return
            yield line[1] + "\n"

    try:
        cells = next(csv.reader(following(), delimiter=delimiter, strict=True))
        return number, cells, taken[-1][2] if taken else cut
    except csv.Error as error:
        fault = str(error)
    ends = cut or (bool(taken) and taken[-1][2])
    closes = delimiter == "\t" or "expected after" in fault
    if closes or not ends or any((line[1] or "").count(delimiter) >= width - 1 for line in taken):
        ahead.extendleft(reversed(taken))  # the quote is a stray one: the lines are rows of their own
    if delimiter == "\t":
        return number, text.split(delimiter), cut
    if closes:
        return number, next(csv.reader([text], delimiter=delimiter)), cut
    if ends:
        return number, cut_off(number), True
    hint = 'close quotes, and write a quote in a quoted cell as ""'
    return number, Rejected(number, "", f"the row cannot be read ({fault})", hint), False


class _Table:
    """The header, and rows read by it."""

    def __init__(self, delimiter: str, titles: list[str], options: SourceOptions, out: Assembler) -> None:
        self.delimiter = delimiter
        self._fields = fields = [field_of(title) for title in titles]
        self.width = len(fields)
        self._out = out
        self._utc_offset = options.utc_offset
        spoken = {"end", "end_ms", "duration", "duration_ms"} & set(fields)
        self._implied = Kind.TRANSCRIPT if spoken and "user" not in fields else Kind.COMMENT
        left_out = [
            title.strip() for title, field in zip(titles, fields, strict=True)
            if field in PERSONAL and (field != "user" or "speaker" in fields)
        ]
        if left_out:
            out.warn("columns about a person are not kept: " + ", ".join(left_out))

    def row(self, number: int, cells: list[str] | Rejected, *, cut: bool) -> None:
        if isinstance(cells, Rejected):
            self._out.reject(cells)
            return
        if not cells:
            return
        fields = self._fields
        if cut and len(cells) < len(fields):
            self._out.reject(cut_off(number))
            return
        if any(cell.strip() for cell in cells[len(fields) :]):
            self._out.reject(
                Rejected(number, "", f"{len(cells)} cells, {len(fields)} are announced",
                         "put a cell that holds the delimiter in quotes")
            )
            return
        # of columns with one meaning the first that is filled counts
        row: dict[str, str] = {}
        for field, cell in zip(fields, cells, strict=False):
            if cell.strip() and field not in row:
                row[field] = cell.strip()
        try:
            item = item_of(row, implied=self._implied, utc_offset=self._utc_offset)
        except Unreadable as error:
            field, reason, hint = error.args
            self._out.reject(Rejected(number, field, reason, hint, id=row.get("id", "")[:256] or None))
            return
        self._out.add(number, item)
