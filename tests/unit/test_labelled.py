"""Labelled lines as people have them: tables and JSON, odd names, odd cells; what is wrong is told by file and line."""

import json
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.ml.labelled import Columns, read_labelled
from monitor.domain.errors import InputError
from monitor.domain.events import Kind, Role
from monitor.domain.labelled import Labelled


def read(tmp_path: Path, data: str | bytes, name: str = "lines.csv", **columns: Any) -> list[Labelled]:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_labelled([path], Columns(**columns))


def labels(lines: list[Labelled]) -> list[list[str]]:
    return [line.labels for line in lines]


def test_the_same_lines_as_json_csv_and_tsv(tmp_path: Path) -> None:
    wanted = [Labelled(text="全网最低，真的", labels=["absolute_claim", "minors"], id="7", brief="a"),
              Labelled(text="好", kind=Kind.COMMENT, speaker=Role.VIEWER)]
    rows = [{"id": 7, "text": "全网最低，真的", "labels": ["absolute_claim", "minors"], "brief": "a"},
            {"text": "好", "labels": [], "kind": "comment", "speaker": "viewer"}]
    told = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert read(tmp_path, told, "lines.jsonl") == wanted
    head = "id,text,labels,brief,kind,speaker,more\n"
    body = '7,"全网最低，真的",absolute_claim|minors,a,,,x\n,好,,,comment,viewer,\n'
    assert read(tmp_path, head + body) == wanted
    assert read(tmp_path, (head + body).replace(",", "\t").replace("absolute_claim|", "absolute_claim;"),
                "lines.TSV") == wanted
    assert read(tmp_path, "\ufeff" + head + body.replace("\n", "\r\n")) == wanted
    assert read(tmp_path, "\ufeff" + told, "lines.jsonl") == wanted


def test_columns_have_any_names(tmp_path: Path) -> None:
    found = read(tmp_path, "TEXT,label,作者\n好,spam,甲\n", text="TEXT", labels="label", brief="作者")
    assert found == [Labelled(text="好", labels=["spam"], brief="甲")]


@pytest.mark.parametrize(("cell", "wanted"), [
    ("0", []), ("1", ["1"]), ("0.0", []), ("False", []), ("NaN", []), ("None", []), ("正常", []), ("", []),
    ("a|b", ["a", "b"]), ("a；b、c，d", ["a", "b", "c", "d"]), (" a ; 0 ", ["a"]), ("a||b", ["a", "b"]),
])
def test_cells_of_labels(tmp_path: Path, cell: str, wanted: list[str]) -> None:
    assert labels(read(tmp_path, f"text\tlabels\n好\t{cell}\n", "lines.tsv")) == [wanted]


@pytest.mark.parametrize(("cell", "wanted"), [
    (None, []), (0, []), (0.0, []), (False, []), (1, ["1"]), ("a,b", ["a", "b"]), (["a,b", "0"], ["a,b"])])
def test_labels_in_json(tmp_path: Path, cell: Any, wanted: list[str]) -> None:
    assert labels(read(tmp_path, json.dumps({"text": "好", "labels": cell}), "lines.jsonl")) == [wanted]


def test_a_column_for_each_label(tmp_path: Path) -> None:
    rows = "text,minors,vulgar_sexual\n好,1,0\n坏,0.0,1.0\n又,1,1\n无,,\n"
    found = read(tmp_path, rows, labels="minors, vulgar_sexual")
    assert labels(found) == [["minors"], ["vulgar_sexual"], ["minors", "vulgar_sexual"], []]
    assert labels(read(tmp_path, 'text,"a,b"\n好,x\n', labels="a,b")) == [["x"]]


def test_a_line_break_in_a_cell(tmp_path: Path) -> None:
    assert [line.text for line in read(tmp_path, 'text,labels\n"好\n的",\n')] == ["好\n的"]


def test_as_long_as_may_be(tmp_path: Path) -> None:
    assert len(read(tmp_path, f"text,labels\n{'好' * 4_000},\n")[0].text) == 4_000


@pytest.mark.parametrize(("name", "data", "told"), [
    ("a.csv", "", "holds no line"),
    ("a.csv", "text,labels\n", "holds no line"),
    ("a.jsonl", "\n \n", "holds no line"),
    ("a.csv", "text,labels\n好,\n,minors\n", "line 3: no text in the column 'text'"),
    ("a.csv", "text,labels\n  ,minors\n", "line 2: no text"),
    ("a.csv", "words,labels\n好,\n", "line 2: no text in the column 'text'"),
    ("a.csv", "text,label\n好,1\n", "line 2: no column 'labels'"),
    ("a.csv", 'text,labels\n"好\n的",\n坏,,\n"",\n', "line 5: no text"),
    ("a.csv", f"text,labels\n{'好' * 4_001},\n", "line 2: a text of 4,001 characters"),
    ("a.csv", f"text,labels\n好,\n{'好' * 200_000},\n", "line 3 is no CSV: field larger"),
    ("a.csv", "text,labels\n好,\n".encode("gb18030"), "is not UTF-8"),
    ("a.csv", "text,labels\n好,\n".encode("utf-16"), "is not UTF-8"),
    ("a.jsonl", '{"text": "好", "labels": []}\n'.encode("gb18030"), "is not UTF-8"),
    ("a.jsonl", '{"text": "好", "labels": []}\n{"text": ', "line 2 is no JSON object"),
    ("a.jsonl", '[{"text": "好", "labels": []}]', "line 1 is no JSON object"),
    ("a.jsonl", '{"text": "\\ud800", "labels": []}', "line 1 is no JSON object"),
    ("a.jsonl", '{"text": 5, "labels": []}', "line 1: no text"),
    ("a.jsonl", '{"text": "好", "labels": [], "kind": "song"}', "line 1: Invalid enum value 'song'"),
    ("a.txt", "text,labels\n好,\n", "line 1 is no JSON object"),
])
def test_what_is_wrong_is_told(tmp_path: Path, name: str, data: str | bytes, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, data, name)
    assert told in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert caught.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_labelled([path], Columns())
