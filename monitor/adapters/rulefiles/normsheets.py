"""A table in a file, CSV or XLSX, as rows of cells. What cannot be taken is noted with its row and column."""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from monitor.adapters.rulefiles.faults import TOP, Faults, Place, shown
from monitor.domain.errors import InputError

MOST_BYTES: Final = 2_000_000
MOST_UNPACKED: Final = 20_000_000
MOST_ROWS: Final = 2_000
_MOST_COLUMNS: Final = 200
_MOST_EMPTY: Final = 5_000  # rows with a format and nothing else
_LAST_ROW: Final = 1_048_576  # of any sheet of Excel
_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})([0-9]{1,7})(:[A-Z]{1,3}[0-9]{1,7})"')
_TOO_LARGE: Final = "leave nothing but the table: one sheet, no pictures"


class Row(Struct, frozen=True):
    """`number` is the sheet's row, or the file's line where the row begins. Cells are without spaces at their ends."""

    number: int
    cells: list[str]


def read_rows(path: Path, faults: Faults) -> list[Row]:
    """The rows that are not empty. Raises OSError, and InputError where openpyxl is missing."""
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        faults.add(TOP, f"the file has over {MOST_BYTES:,} bytes", _TOO_LARGE)
    elif data.startswith(_OLD_OFFICE):
        faults.add(TOP, "this is a workbook of an old Excel, or one with a password",
                   "save it as .xlsx without a password, or as CSV")
    else:
        rows = _sheet(data, faults) if data.startswith(_ZIP) else _csv(data, faults)
        return [row for row in _bounded(rows, faults) if any(row.cells)]
    return []


def _bounded(rows: Iterator[Row], faults: Faults) -> Iterator[Row]:
    for count, row in enumerate(rows):
        if row.number > MOST_ROWS and (any(row.cells) or count > _MOST_EMPTY):
            faults.add(Place(row.number), f"the table goes beyond row {MOST_ROWS:,}",
                       "remove what is no clause, or split the table")
            return
        yield row


def _csv(data: bytes, faults: Faults) -> Iterator[Row]:
    text = _decoded(data)
    if text is None or "\0" in text:
        faults.add(TOP, "this is no text and no workbook", "save the table as .xlsx, or as CSV in UTF-8 or GB18030")
        return
    head = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",\t;", key=head.count), strict=True)
    number = 1
    try:
        for cells in reader:
            yield Row(number, [cell.strip() for cell in cells[:_MOST_COLUMNS]])
            number = reader.line_num + 1
    except csv.Error as error:
        faults.add(Place(number), f"the row cannot be read ({error})",
                   'close quotes, and write a quote in a quoted cell as ""')


def _decoded(data: bytes) -> str | None:
    """UTF-8 or UTF-16 with a mark, else what Excel writes in China."""
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if utf16 else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _sheet(data: bytes, faults: Faults) -> Iterator[Row]:
    """The first sheet of a workbook."""
    try:
        import openpyxl
    except ImportError:
        raise InputError("reading .xlsx needs the extra 'documents'",
                         hint="pip install 'redpost[documents]', or save the table as CSV") from None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Excel keeps beside the cells
            if sum(entry.file_size for entry in archive.infolist()) > MOST_UNPACKED:
                faults.add(TOP, f"the workbook unpacks to over {MOST_UNPACKED:,} bytes", _TOO_LARGE)
                return
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
            if not book.worksheets:
                faults.add(TOP, "the workbook has no sheet", "put the table on its first sheet")
                return
            sheet = book.worksheets[0]
            _note_merged(archive.read(sheet._worksheet_path), faults)
            sheet.reset_dimensions()  # they may claim a million rows
            for number, cells in enumerate(islice(sheet.iter_rows(), _LAST_ROW), 1):
                if cells:  # not one that is only counted
                    yield Row(number, [_text_of(cell, Place(number, i), faults)
                                       for i, cell in enumerate(cells[:_MOST_COLUMNS], 1)])
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError, OSError) as error:
        faults.add(TOP, f"this workbook cannot be read: {str(error)[:100]}", "save it again as .xlsx, or as CSV")


def _note_merged(xml: bytes, faults: Faults) -> None:
    for found in _MERGED.finditer(xml):
        column = 0
        for letter in found[1]:
            column = column * 26 + letter - ord("A") + 1
        faults.add(Place(int(found[2]), column), f"the cells {b''.join(found.groups()).decode()} are merged",
                   "unmerge them, and fill in each row")


def _text_of(cell: Any, at: Place, faults: Faults) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        faults.add(at, f"the cell {cell.coordinate} holds a formula, {shown(str(value))}", "paste its value instead")
    elif cell.data_type == "e":
        faults.add(at, f"the cell {cell.coordinate} holds an error, {shown(str(value))}", "correct it")
    elif cell.data_type == "d":
        faults.add(at, f"the cell {cell.coordinate} is a date, {shown(str(value))}",
                   "format the column as text, and write it again")
    else:
        whole = isinstance(value, float) and value.is_integer()
        return str(int(value) if whole else value).strip()
    return ""
