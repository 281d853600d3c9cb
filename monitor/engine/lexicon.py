"""Terms and patterns compiled for one scan: literals of all views, and patterns behind the literals that they need.

Literals are scanned as permuted two-byte units (see views.MIX), one database for each view. A pattern has no scan of
its own: its atoms are among the literals of the skeleton, and it runs on a text in which one of them stands. A
symbol-free term needs no scan of the plain view: its plain hits are skeleton hits without a gap.

What literals lead to is kept in arrays, since most of them are never met: 100,000 terms are half a million leads.
"""

from array import array
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Raw, Struct
from numpy.typing import NDArray

from monitor.domain.rules import View
from monitor.engine.databases import Database, Databases
from monitor.engine.expressions import Pattern
from monitor.engine.folds import layer
from monitor.engine.gates import Chars
from monitor.engine.terms import Form
from monitor.engine.views import Index, Layer, OneText, Views, mixed

Ending = tuple[int, int]  # literal, end in units
Owner = tuple[int, int]
"""Whoever asks: (rule, selection), or (-1 - context, part)."""
Lead = tuple[View, Form | None, Owner]
"""How a hit shows, the form that it shows (None for a pattern's), and its owner."""
Asked = tuple[View, int, int, int]
"""A lead as it is kept: the view, the number of the form or NO_FORM, and the owner's two numbers."""
NO_FORM: Final = -1
VIEWS: Final = tuple(View)
"""By number, as arrays hold them."""


class RawHit(NamedTuple):
    """Code points of the joined text. `form` is None for patterns and detectors; a context's part is a `selection`."""

    start: int
    end: int
    view: View
    selection: int
    form: Form | None


class Rows(Struct, frozen=True, array_like=True):
    """What each of n literals has: rows of int32, those of literal i ending at `ends[i]`, which is int32[n]."""

    ends: bytes
    rows: bytes
    width: int

    @classmethod
    def of(cls, found: "array[int]", literals: int, width: int) -> "Rows":
        """`found`: the literal's number, then its row; in this order where they are of one literal."""
        every = np.array(found, dtype=np.int32).reshape(-1, width + 1)
        of = every[:, 0]
        ends = np.cumsum(np.bincount(of, minlength=literals), dtype=np.int32)
        return cls(ends.tobytes(), every[np.argsort(of, kind="stable"), 1:].tobytes(), width)


class Literals(Struct, frozen=True, array_like=True):
    """The literals of one view. `databases`: their keys and how many literals each holds. `sizes`: int32[n], in units.
    `terms`: view, form and owner; `patterns`: numbers of patterns."""

    databases: list[tuple[str, int]]
    sizes: bytes
    terms: Rows
    patterns: Rows


class Entries(Struct, frozen=True, array_like=True):
    """All that a lexicon holds, but for its databases. `forms`: each a Form, encoded. `asking`: by pattern. `wordless`:
    patterns without a word that every hit must have; they run on every text."""

    forms: list[Raw]
    patterns: list[tuple[str, View, list[Chars]]]
    asking: list[list[Asked]]
    wordless: list[int]
    literals: dict[View, Literals]


class Leads(NamedTuple):
    """What a literal leads to: numbers of patterns, and terms by their owner's first number. `marks`: these owners
    again, with the bits of their second numbers."""

    patterns: dict[int, None]
    terms: dict[int, list[Lead]]
    marks: list[tuple[int, int]]


def marks_of(owners: Iterable[Owner]) -> list[tuple[int, int]]:
    """(owner, the bits of its parts), each owner once."""
    found: dict[int, int] = {}
    for owner, part in owners:
        found[owner] = found.get(owner, 0) | 1 << part
    return list(found.items())


class _Forms(dict[int, Form]):
    """By number, decoded when they are first met."""

    def __init__(self, encoded: list[Raw]) -> None:
        super().__init__()
        self._encoded = encoded

    def __missing__(self, number: int) -> Form:
        found = self[number] = msgspec.msgpack.decode(self._encoded[number], type=Form)
        return found


class LeadsOf(dict[int, Leads]):
    """By literal, made when it is first met."""

    def __init__(self, literals: Literals, forms: _Forms) -> None:
        super().__init__()
        self._forms = forms
        self._terms, self._patterns = _Table(literals.terms), _Table(literals.patterns)

    def __missing__(self, literal: int) -> Leads:
        terms: dict[int, list[Lead]] = {}
        rows = self._terms.of(literal)
        for view, form, owner, part in rows:
            terms.setdefault(owner, []).append((VIEWS[view], self._forms[form], (owner, part)))
        patterns = dict.fromkeys(number for number, in self._patterns.of(literal))
        found = self[literal] = Leads(patterns, terms, marks_of((owner, part) for _, _, owner, part in rows))
        return found


class _Table:
    def __init__(self, rows: Rows) -> None:
        self._ends: NDArray[np.int32] = np.frombuffer(rows.ends, dtype=np.int32)
        self._rows: NDArray[np.int32] = np.frombuffer(rows.rows, dtype=np.int32).reshape(-1, rows.width)

    def of(self, literal: int) -> list[list[int]]:
        found: list[list[int]] = self._rows[self._ends[literal - 1] if literal else 0 : self._ends[literal]].tolist()
        return found


class _Scanned:
    """The literals of one view, ready to be scanned for. One database, or several of bounded size."""

    def __init__(self, literals: Literals, forms: _Forms, databases: Databases) -> None:
        self.leads = LeadsOf(literals, forms)
        self.sizes: Index = np.frombuffer(literals.sizes, dtype=np.int32).astype(np.int64)
        self._parts: list[tuple[int, Database]] = []
        first = 0
        for key, amount in literals.databases:
            self._parts.append((first, databases.known(key)))
            first += amount

    def scan(self, data: bytes) -> list[Ending]:
        """Literal and end in units of each hit; an odd end in bytes lies between two units."""
        return [(first + n, end >> 1) for first, db in self._parts for n, end in _ends(db, data) if not end & 1]


def _ends(db: Database, data: bytes) -> list[Ending]:
    found: list[Ending] = []
    if data:
        db.scan(data, lambda n, start, end, flags, context: found.append((n, end)))
    return found


class Lexicon:
    """What is looked for, with owners: whoever asked. Raises LookupError where one of its databases is not kept."""

    def __init__(self, entries: Entries, databases: Databases) -> None:
        self._patterns = [Pattern(folded, view, gates) for folded, view, gates in entries.patterns]
        self.wordless = entries.wordless
        forms = _Forms(entries.forms)
        self.pattern_marks = [marks_of(asked[2:] for asked in asking) for asking in entries.asking]
        self._by_owner: dict[int, dict[int, list[Lead]]] = {}
        for number, asking in enumerate(entries.asking):
            for view, form, owner, part in asking:
                lead = (view, None if form == NO_FORM else forms[form], (owner, part))
                self._by_owner.setdefault(owner, {}).setdefault(number, []).append(lead)
        self._literals = {view: _Scanned(literals, forms, databases)
                          for view, literals in entries.literals.items()}

    def __bool__(self) -> bool:
        return bool(self._patterns or self._literals)

    def scan_literals(self, views: Views) -> list[tuple[View, Layer, list[Ending]]]:
        """Literal hits of each view, in units of its layer."""
        found = []
        for view, literals in self._literals.items():
            units = layer(view, views)
            raw = literals.scan(mixed(units.units))
            if raw:
                found.append((view, units, raw))
        return found

    def places(self, view: View, units: Layer, raw: list[Ending]) -> tuple[Index, Index]:
        """Starts and ends of literal hits in the joined text."""
        hits = np.array(raw, dtype=np.int64)
        ends = hits[:, 1]
        return units.place(ends - self._literals[view].sizes[hits[:, 0]], ends)

    def leads(self, view: View) -> LeadsOf:
        return self._literals[view].leads

    def asked(self, owner: int, seen: set[int]) -> list[tuple[int, list[Lead]]]:
        """Of the patterns in `seen`, those that this owner asks for."""
        asking = self._by_owner.get(owner, {})
        return [(number, asking[number]) for number in sorted(asking.keys() & seen)]

    def hits(self, number: int, text: OneText) -> list[tuple[int, int]]:
        pattern, chars = self._patterns[number], text.chars
        for gate in pattern.gates:
            if gate.isdisjoint(chars):
                return []
        return pattern.hits(text)
