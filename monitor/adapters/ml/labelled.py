"""Labelled lines from files: JSON Lines, CSV or TSV, with any names of columns and any labels."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from monitor.domain.errors import InputError
from monitor.domain.labelled import Labelled
from monitor.domain.labels import MOST_TEXT, Label

_BETWEEN: Final = "|,;、，；"
T = TypeVar("T", Labelled, Label)


class Columns(msgspec.Struct, frozen=True):
    """Names of the columns of text and labels; labels in one cell stand between any of | , ; or are a list. `none`:
    what a cell says where there is no label. `brief`: what says whose lines belong together."""

    text: str = "text"
    labels: str = "labels"
    brief: str = "brief"
    none: frozenset[str] = frozenset(("", "0", "none", "normal", "无"))


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
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in (".csv", ".tsv"):
                yield from enumerate(csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ","), 2)
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    row = msgspec.json.decode(line)
                    if not isinstance(row, dict):
                        raise InputError(f"{path}, line {number} is no object", hint='{"text": "…", "labels": […]}')
                    yield number, row
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 at byte {error.start}", hint="save it as UTF-8") from error
    except (msgspec.DecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}", hint="one JSON object a line, or CSV, or TSV") from error


def _line(row: Mapping[str, Any], columns: Columns, where: str, kind: type[T]) -> T:
    text = row.get(columns.text)
    if not isinstance(text, str):
        raise InputError(f"{where}: no text in the column {columns.text!r}", hint="name the column with --text")
    if len(text) > MOST_TEXT:
        raise InputError(f"{where}: a text of {len(text):,} characters", hint=f"at most {MOST_TEXT:,}; cut it up")
    if columns.labels not in row:
        raise InputError(f"{where}: no column {columns.labels!r}", hint="name the column with --labels")
    known = {field: row[field] for field in kind.__struct_fields__ if row.get(field) not in (None, "")}
    known |= {"text": text, "labels": _labels(row[columns.labels], columns)}
    if kind is Labelled:
        known["brief"] = str(row.get(columns.brief) or "")
    try:
        return msgspec.convert(known, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}", hint="see docs/models.md for the fields of a labelled line") from error


def _labels(cell: Any, columns: Columns) -> list[str]:
    if isinstance(cell, list):
        return [str(each) for each in cell if str(each) not in columns.none]
    words = str("" if cell is None else cell)
    for mark in _BETWEEN[1:]:
        words = words.replace(mark, _BETWEEN[0])
    return [word for each in words.split(_BETWEEN[0]) if (word := each.strip()) not in columns.none]


def write_labels(path: Path, labels: Iterable[Label]) -> None:
    """As `read_labels` reads them. A file that is there is replaced."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        path.write_bytes(b"".join(msgspec.json.encode(label) + b"\n" for label in labels))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, Label.__struct_fields__, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        rows.writeheader()
        for label in labels:
            rows.writerow(msgspec.to_builtins(label) | {"labels": _BETWEEN[0].join(label.labels)})
