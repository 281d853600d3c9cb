"""Tables for spreadsheets: CSV as Excel opens it, and XLSX, in pieces, so that the number of rows does not matter."""

import asyncio
import csv
import io
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from pathlib import Path
from typing import IO, Any, Final

from monitor.domain.errors import InputError

CSV: Final = "csv"
XLSX: Final = "xlsx"
FORMS: Final = {
    CSV: "text/csv", XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Form → its media type."""

_Cell = str | int | float | None
_Rows = AsyncIterable[list[list[_Cell]]]
_PIECE: Final = 64 * 2**10
_LONGEST: Final = 32_767
"""Characters in a cell of Excel."""
_LAST_ROW: Final = 1_048_576
_FORMULA: Final = re.compile(r"[\t\r\n]|[\s\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@＝＋－＠]")
"""Also behind what nobody sees: some spreadsheets leave it out."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def pieces(form: str, headers: Sequence[str], rows: _Rows) -> AsyncGenerator[bytes]:
    """The file. Raises InputError where openpyxl is missing, before anything else is done."""
    if form == XLSX:
        return _xlsx(_workbook(), headers, rows)
    return _csv(headers, rows)


async def _csv(headers: Sequence[str], rows: _Rows) -> AsyncGenerator[bytes]:
    head = "\N{ZERO WIDTH NO-BREAK SPACE}".encode() + _lines([list(headers)])
    async for page in rows:  # the head goes with the first page, so that what fails at once is told before anything
        if piece := head + _lines(page):
            yield piece
        head = b""
    if head:
        yield head


def _lines(page: Sequence[Sequence[_Cell]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([[_plain(cell) for cell in row] for row in page])
    return out.getvalue().encode("utf-8", "replace")


def _plain(cell: _Cell) -> _Cell:
    """Text that a spreadsheet would run is text: what viewers write ends up in front of people with rights."""
    if not isinstance(cell, str):
        return cell
    text = _CONTROL.sub("", cell)
    return "'" + text if _FORMULA.match(text) else text


def _workbook() -> Any:
    try:
        from openpyxl import Workbook
    except ImportError:
        raise InputError("writing .xlsx needs the extra 'documents'",
                         hint="take the form csv, or have the operator run: pip install 'redpost[documents]'") from None
    return Workbook(write_only=True)


async def _xlsx(workbook: Any, headers: Sequence[str], rows: _Rows) -> AsyncGenerator[bytes]:
    """Rows go to a file beside, a page at a time; the workbook is packed when all are there."""
    sheets: list[Any] = []
    left = 0
    try:
        async for page in rows:
            if not sheets or left < len(page):
                sheets.append(workbook.create_sheet())
                await asyncio.to_thread(_append, sheets[-1], [list(headers)])
                left = _LAST_ROW - 1
            await asyncio.to_thread(_append, sheets[-1], page)
            left -= len(page)
        if not sheets:
            sheets.append(workbook.create_sheet())
            await asyncio.to_thread(_append, sheets[-1], [list(headers)])
        with tempfile.TemporaryFile() as file:
            await asyncio.to_thread(_pack, workbook, file)
            while piece := await asyncio.to_thread(file.read, _PIECE):
                yield piece
    finally:
        await asyncio.to_thread(_forget, sheets)


def _pack(workbook: Any, file: IO[bytes]) -> None:
    workbook.save(file)
    file.seek(0)


def _forget(sheets: Sequence[Any]) -> None:
    """The files beside, where the workbook was not packed to its end."""
    for sheet in sheets:
        if not sheet.closed:
            sheet.close()
        if Path(sheet._writer.out).exists():
            sheet._writer.cleanup()


def _append(sheet: Any, page: Sequence[Sequence[_Cell]]) -> None:
    from openpyxl.cell import WriteOnlyCell

    for row in page:
        cells = []
        for value in row:
            if not isinstance(value, str):
                cells.append(value)
                continue
            cell = WriteOnlyCell(sheet, _CONTROL.sub("", value)[:_LONGEST])
            cell.data_type = "s"  # no formula, no error, no date: what it says
            cells.append(cell)
        sheet.append(cells)
