"""Faults are gathered, not thrown: one collector per file, all of them raised at once."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.errors import Fault, RuleError
from monitor.domain.phrases import phrase

MAX_FAULTS: Final = 100  # of one file; a garbled list has a fault on each of its lines
_MAX_GUESS: Final = 60
_MAX_LISTED: Final = 24


class At(Protocol):
    """1-based line and column (code points)."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class Place(Struct, frozen=True):
    line: int = 1
    column: int = 1


TOP: Final = Place()


class Faults:
    """The faults of one file, in the order in which they are found."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.count = 0
        self._found: list[Fault] = []

    def add(self, at: At, message: str, hint: str = "") -> None:
        self.count += 1
        if self.count <= MAX_FAULTS:
            self._found.append(Fault(self.path, at.line, at.column, message, hint))

    def all(self) -> list[Fault]:
        if self.count <= MAX_FAULTS:
            return self._found
        line, column = max((fault.line, fault.column) for fault in self._found)
        more = phrase("{count} more faults in this file", count=self.count - MAX_FAULTS)
        return [*self._found, Fault(self.path, line, column, more, "mend these first")]


def raise_any(files: Iterable[Faults]) -> None:
    """Raise RuleError with the faults of all files; nothing where there is none."""
    found = [fault for file in files for fault in file.all()]
    if found:
        raise RuleError(found)


def shown(value: str) -> str:
    """A value as a message quotes it."""
    return repr(value if len(value) <= 40 else value[:39] + "…")


def meant(word: str, known: Sequence[str]) -> str:
    """The known word that was probably meant, or ""."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6) if len(word) <= _MAX_GUESS else []
    return near[0] if near else ""


def guess(word: str, known: Sequence[str]) -> str:
    """A hint: the known word that was probably meant, or all of them."""
    if near := meant(word, known):
        return phrase("did you mean {near}?", near=near)
    if not known:
        return ""
    return phrase("one of {names}", names=", ".join(known)) if len(known) <= _MAX_LISTED else "see docs/rules.md"
