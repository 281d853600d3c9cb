"""Tables for spreadsheets: what opens, what is not run, and that the number of rows does not matter."""

import csv
import io
import sys
import tempfile
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from monitor.adapters import sheets
from monitor.adapters.sheets import CSV, XLSX, pieces
from monitor.domain.errors import InputError

BOM = b"\xef\xbb\xbf"


async def pages(*some: list[list[object]]) -> AsyncIterator[list[list[object]]]:
    for page in some:
        yield page


async def file(form: str, headers: list[str], *some: list[list[object]]) -> bytes:
    return b"".join([piece async for piece in pieces(form, headers, pages(*some))])


def sheet_of(data: bytes) -> list[list[object]]:
    return [[cell.value for cell in row] for row in load_workbook(io.BytesIO(data)).active.iter_rows()]


async def test_csv_opens_in_excel_and_runs_nothing() -> None:
    data = await file(CSV, ["词", "次数"], [["=1+1", 1], ["a,\"b\"\nc", -2.5]], [], [["＝cmd", None], [" @SUM(A1)", 0]])
    assert data.startswith(BOM)
    assert list(csv.reader(io.StringIO(data[3:].decode(), newline=""))) == [
        ["词", "次数"], ["'=1+1", "1"], ["a,\"b\"\nc", "-2.5"], ["'＝cmd", ""], ["' @SUM(A1)", "0"]]


@pytest.mark.parametrize("cell", ["\x00=1", "\u200b=1", "\ufeff+1", "\x0b@A1", "\u2003-1", "\u3000＝1", "\u202e=1"])
async def test_what_nobody_sees_before_a_formula_makes_it_no_text(cell: str) -> None:
    data = (await file(CSV, ["词"], [[cell], ["好=1"]])).decode("utf-8-sig")
    assert data.splitlines()[1].startswith("'") and data.splitlines()[2] == "好=1" and "\x00" not in data


async def test_xlsx_holds_what_it_says() -> None:
    data = await file(XLSX, ["词", "次数"], [["=1+1", 1], ["2026-11-27", -2.5]], [["#N/A", None], ["a\x00\x0bb", 3]])
    assert sheet_of(data) == [["词", "次数"], ["=1+1", 1], ["2026-11-27", -2.5], ["#N/A", None], ["ab", 3]]
    types = [row[0].data_type for row in load_workbook(io.BytesIO(data)).active.iter_rows(min_row=2)]
    assert types == ["s"] * 4


@pytest.mark.parametrize("form", [CSV, XLSX])
async def test_an_empty_list_has_its_headers(form: str) -> None:
    data = await file(form, ["a", "b"])
    assert (data == BOM + b"a,b\r\n") if form == CSV else (sheet_of(data) == [["a", "b"]])


async def test_a_full_sheet_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_LAST_ROW", 4)
    book = load_workbook(io.BytesIO(await file(XLSX, ["n"], [[1], [2]], [[3], [4]], [[5]])))
    assert [[row[0].value for row in sheet.iter_rows()] for sheet in book] == [["n", 1, 2], ["n", 3, 4, 5]]


async def test_what_is_given_up_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    async def broken() -> AsyncIterator[list[list[object]]]:
        yield [["a"]]
        seen.extend(tmp_path.iterdir())
        raise InputError("no more")

    with pytest.raises(InputError):
        [piece async for piece in pieces(XLSX, ["a"], broken())]
    assert seen and not list(tmp_path.iterdir())


async def test_without_openpyxl_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match="extra 'documents'") as caught:
        pieces(XLSX, ["a"], pages())
    assert "csv" in caught.value.hint
    assert await file(CSV, ["a"], [[1]]) == BOM + b"a\r\n1\r\n"


@pytest.mark.parametrize("form", [CSV, XLSX])
async def test_memory_does_not_grow_with_the_rows(form: str) -> None:
    async def many(count: int) -> AsyncIterator[list[list[object]]]:
        for page in range(count):
            yield [[f"第{page}页第{n}行" * 20, n] for n in range(200)]

    async def peak(count: int) -> int:
        tracemalloc.reset_peak()
        begin = tracemalloc.get_traced_memory()[0]
        async for _ in pieces(form, ["text", "n"], many(count)):
            pass
        return tracemalloc.get_traced_memory()[1] - begin

    tracemalloc.start()
    try:
        await peak(2)
        few = await peak(2)
        assert await peak(20) < few + 500_000  # the texts alone are over 1.5 MB
    finally:
        tracemalloc.stop()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_cell_of_a_csv_begins_a_formula(text: str) -> None:
    shown = sheets._plain(text)
    assert isinstance(shown, str)
    held = sheets._CONTROL.sub("", text)
    assert shown in (held, "'" + held)
    assert not shown.lstrip().startswith(("=", "+", "-", "@", "＝")) and not shown.startswith(("\t", "\r", "\n"))
