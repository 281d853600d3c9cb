"""What rules refer to: term lists and the clause register."""

import csv
import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from msgspec import Struct

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.faults import TOP, Faults, Place, guess, shown
from monitor.adapters.rulefiles.nodes import MAX_LIST, decode
from monitor.domain.rulelint import term_fault
from monitor.domain.rules import Clause

_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_MUST: Final = ("id", "document", "requirement")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class TermList(Struct, frozen=True):
    """`lines[i]` is the line of `terms[i]`."""

    path: str
    data: bytes
    terms: tuple[str, ...]
    lines: tuple[int, ...]


def read_list(path: str, data: bytes, faults: Faults) -> TermList:
    """One term a line; `#` at the start of a line or after a space begins a comment."""
    found: dict[str, int] = {}
    text = decode(data, faults, limit=MAX_LIST)
    for number, line in enumerate((text or "").split("\n"), 1):
        term = (_COMMENT.sub("", line, count=1) if "#" in line else line).strip()
        if not term:
            continue
        why = term_fault(term)
        if why is not None:
            faults.add(Place(number), *why)
        elif term in found:
            faults.add(Place(number), f"the term {shown(term)} stands twice, first in line {found[term]}",
                       "remove one")
        else:
            found[term] = number
    if text is not None and not found and not faults.count:
        faults.add(TOP, "the list has no terms", "add one term a line, or remove the list")
    return TermList(path, data, tuple(found), tuple(found.values()))


class Register:
    """The clauses of all register files, merged."""

    def __init__(self) -> None:
        self.clauses: dict[str, Clause] = {}
        self.complete = True  # False: a file has a fault for which a clause may be missing
        self._rows: dict[str, tuple[dict[str, str], str]] = {}

    def add(self, data: bytes, faults: Faults) -> None:
        text = decode(data, faults, limit=MAX_LIST)
        if text is None:
            self.complete = False
            return
        try:
            rows = list(_rows(text))
        except csv.Error as error:
            faults.add(TOP, f"not valid CSV: {error}", "check the quotes")
            self.complete = False
            return
        if not rows:
            faults.add(TOP, "the register is empty", "columns: " + ",".join(keys.CLAUSES))
        if not rows or not self._header_fits(rows[0], faults):
            self.complete = False
            return
        header = rows[0][1]
        for line, row in rows[1:]:
            if len(row) == len(header):
                self._row(dict(zip(header, row, strict=True)), line, faults)
            else:
                faults.add(Place(line), f"the row has {len(row)} fields, the header {len(header)}",
                           "quote fields that hold commas")
                self.complete = False

    @staticmethod
    def _header_fits(first: tuple[int, list[str]], faults: Faults) -> bool:
        line, header = first
        before = faults.count
        for name in header:
            if name not in keys.CLAUSES:
                faults.add(Place(line), f"no column is called {shown(name)}", guess(name, keys.CLAUSES))
        for name in keys.CLAUSES:
            if header.count(name) != 1:
                often = "has no column" if name not in header else "repeats the column"
                faults.add(Place(line), f"the register {often} {name}", "columns: " + ",".join(keys.CLAUSES))
        return faults.count == before

    def _row(self, row: dict[str, str], line: int, faults: Faults) -> None:
        for name in _MUST:
            if not row[name].strip():
                faults.add(Place(line), f"{name} is empty", "fill it in")
        day = row["effective_from"]
        if day and not _is_day(day):
            faults.add(Place(line), f"effective_from: {shown(day)} is no date",
                       "write it as 2026-11-23, or leave it empty where it is not certain")
        known, where = self._rows.setdefault(row["id"], (row, f"{faults.path}:{line}"))
        other = [name for name in keys.CLAUSES if known[name] != row[name]]
        if other:
            what = f"the clause {shown(row['id'])} differs from {where} in {', '.join(other)}"
            faults.add(Place(line), what, "make them agree, or give one another id")
        clause = Clause(row["id"], row["document"], row["article"], row["requirement"], day)
        self.clauses.setdefault(clause.id, clause)


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line in which each begins; empty ones are left out."""
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    line = 1
    for row in reader:
        if row:
            yield line, row
        line = reader.line_num + 1


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False
