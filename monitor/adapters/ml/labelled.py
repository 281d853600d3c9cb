"""Labelled lines from files: JSON Lines, CSV or TSV, with any names of columns and any labels."""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from monitor.domain.errors import InputError
from monitor.domain.labelled import Labelled
from monitor.domain.labels import MOST_TEXT, Label
from monitor.services.picking import Pick

_BETWEEN: Final = "|,;、，；"
_JOINED: Final = str.maketrans(dict.fromkeys(_BETWEEN, _BETWEEN[0]))
T = TypeVar("T", Labelled, Label)


class Columns(msgspec.Struct, frozen=True):
    """Names of the columns of text and labels. Labels in one cell stand between any of | , ; or are a list. `labels`
    may name several columns, joined by commas: each is a label then, of the lines whose cell says so. `none`: what a
    cell says, in small letters, where there is no label. `brief`: what says whose lines belong together."""

    text: str = "text"
    labels: str = "labels"
    brief: str = "brief"
    none: frozenset[str] = frozenset(("", "0", "0.0", "false", "none", "null", "nan", "normal", "无", "正常"))


def read_labelled(paths: Iterable[Path], columns: Columns) -> list[Labelled]:
    """All lines. Raises InputError naming file and line for what is no labelled line, and where a file holds none."""
    return [line for path in paths for _, line in _read(path, columns, Labelled)]


def read_labels(path: Path, columns: Columns) -> list[tuple[str, Label]]:
    """As `read_labelled`, each label with the place that it stands at."""
    return list(_read(path, columns, Label))


def _read(path: Path, columns: Columns, kind: type[T]) -> Iterator[tuple[str, T]]:
    empty = True
    for number, row in _rows(path):
        where, empty = f"{path}, line {number}", False
        yield where, _line(row, columns, where, kind)
    if empty:
        raise InputError(f"{path} holds no line", hint="JSON Lines, or CSV or TSV with a first line of names")


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        yield from (_table if path.suffix.lower() in (".csv", ".tsv") else _objects)(path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8", hint="save it as UTF-8; in Excel: CSV UTF-8") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint="look at the name of the file") from error


def _table(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        try:
            for row in rows:
                yield rows.line_num, row
        except csv.Error as error:
            raise InputError(f"{path}, line {rows.line_num + 1} is no CSV: {error}",
                             hint='a cell with a quote or a line break stands in "…"') from error


def _objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(BOM_UTF8).strip()
            if text:
                try:
                    yield number, msgspec.json.decode(text, type=dict)
                except msgspec.DecodeError as error:
                    raise InputError(
                        f"{path}, line {number} is no JSON object: {error}",
                        hint='one a line: {"text": "…", "labels": […]}; tables end in .csv or .tsv') from error


def _line(row: Mapping[str, Any], columns: Columns, where: str, kind: type[T]) -> T:
    text = row.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: no text in the column {columns.text!r}", hint="name the column with --text")
    if len(text) > MOST_TEXT:
        raise InputError(f"{where}: a text of {len(text):,} characters", hint=f"at most {MOST_TEXT:,}; cut it up")
    known = {field: str(value) if isinstance(value, int | float) else value
             for field in kind.__struct_fields__ if (value := row.get(field)) not in (None, "")}
    known |= {"text": text, "labels": _labels(row, columns, where)}
    if kind is Labelled:
        known["brief"] = str(row.get(columns.brief) or "")
    try:
        return msgspec.convert(known, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}", hint="see docs/models.md for the fields of a labelled line") from error


def _labels(row: Mapping[str, Any], columns: Columns, where: str) -> list[str]:
    names = [columns.labels] if columns.labels in row else [name.strip() for name in columns.labels.split(",")]
    if missing := [name for name in names if name not in row]:
        raise InputError(f"{where}: no column {missing[0]!r}", hint="name the column with --labels")
    said = [_words(row[name], columns) for name in names]
    return said[0] if len(names) == 1 else [name for name, words in zip(names, said, strict=True) if words]


def _words(cell: Any, columns: Columns) -> list[str]:
    words = [str(each) for each in cell] if isinstance(cell, list) else _apart("" if cell is None else str(cell))
    return [word for word in words if word.lower() not in columns.none]


def _apart(cell: str) -> list[str]:
    return [word.strip() for word in cell.translate(_JOINED).split(_BETWEEN[0])]


def write_labels(path: Path, labels: Iterable[Label]) -> None:
    """As `read_labels` reads them. A file that is there is replaced."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        path.write_bytes(b"".join(msgspec.json.encode(label) + b"\n" for label in labels))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        fields = [field for field in Label.__struct_fields__ if field != "withdrawn"]
        rows = csv.DictWriter(file, fields, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        rows.writeheader()
        for label in labels:
            rows.writerow(msgspec.to_builtins(label) | {"labels": _BETWEEN[0].join(label.labels)})


def write_picks(path: Path, picks: Iterable[Pick]) -> None:
    """JSON Lines. A file that is there is replaced."""
    path.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in picks))
