"""Terms and patterns compiled for one scan: literals of all views, and patterns behind the literals that they need.

Literals are scanned as permuted two-byte units (see views.MIX), one database for each view, or found by what opens them
where they are many; those of one unit are looked up. A pattern has no scan of its own: its atoms are among the literals
of the skeleton, and it runs on a text in which one of them stands. A symbol-free term needs no scan of the plain view:
its plain hits are skeleton hits without a gap.

What literals lead to is kept in arrays, since most of them are never met: 100,000 terms are half a million leads.
"""

from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Raw, Struct
from numpy.typing import NDArray

from monitor.domain.rules import View
from monitor.engine.databases import Database, Databases
from monitor.engine.expressions import Pattern
from monitor.engine.folds import layer
from monitor.engine.gates import Chars, Gates
from monitor.engine.openings import Opened, Openings
from monitor.engine.terms import Form
from monitor.engine.views import Index, Layer, Views, mixed, ranges

Owner = tuple[int, int]
"""Whoever asks: (rule, selection), or (-1 - context, part)."""
Lead = tuple[int, int, int, int]
"""What a literal or a pattern leads to: the two numbers of its owner, then the view and the form that a hit shows, by
number."""
NO_FORM: Final = -1
"""A pattern's."""
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
    """What each of n things has: rows of int32, those of thing i ending at `ends[i]`, which is int32[n]."""

    ends: bytes
    rows: bytes
    width: int

    @classmethod
    def of(cls, found: "array[int] | NDArray[np.int32]", things: int, width: int) -> "Rows":
        """`found`: the thing's number, then its row; in this order where they are of one thing."""
        every = np.array(found, dtype=np.int32).reshape(-1, width + 1)
        of = every[:, 0]
        ends = np.cumsum(np.bincount(of, minlength=things), dtype=np.int32)
        return cls(ends.tobytes(), every[np.argsort(of, kind="stable"), 1:].tobytes(), width)


class Literals(Struct, frozen=True, array_like=True):
    """The literals of one view, by the key of their database ("": there are none) or by their openings. `numbers` and
    `sizes` of these literals: int32[n]; sizes in units. `singles`: literals of one unit, as unit and number."""

    database: str
    openings: Openings | None
    numbers: bytes
    sizes: bytes
    singles: list[tuple[int, int]]


class Entries(Struct, frozen=True, array_like=True):
    """All that a lexicon holds, but for its databases. `forms`: each a Form, encoded. `terms`: leads by literal;
    `leads`: int32[n, 5], those of patterns, each with its pattern's number; `atoms`: their numbers by literal.
    `wordless`: numbers of those without a word that every hit must have, which run on every text."""

    forms: list[Raw]
    patterns: list[tuple[str, View, list[Chars]]]
    literals: dict[View, Literals]
    terms: Rows
    leads: bytes
    atoms: Rows
    wordless: list[int]


class Hits(NamedTuple):
    """h hits of literals: their numbers, and where they stand in code points of the joined text; int64[h] each."""

    literals: Index
    starts: Index
    ends: Index


class _Forms(dict[int, Form | None]):
    """By number, decoded when they are first met."""

    def __init__(self, encoded: list[Raw]) -> None:
        super().__init__({NO_FORM: None})
        self._encoded = encoded

    def __missing__(self, number: int) -> Form:
        found = self[number] = msgspec.msgpack.decode(self._encoded[number], type=Form)
        return found


class Table:
    """Rows, for many things at once."""

    def __init__(self, rows: Rows) -> None:
        self._bounds: Index = np.concatenate(([0], np.frombuffer(rows.ends, dtype=np.int32)))
        self._rows: NDArray[np.int32] = np.frombuffer(rows.rows, dtype=np.int32).reshape(-1, rows.width)

    def of(self, things: Index) -> tuple[Index, NDArray[np.int32]]:
        """(which of `things`, row): int64[r] and int32[r, width], in order."""
        firsts = self._bounds[things]
        which, at = ranges(firsts, self._bounds[things + 1] - firsts)
        return which, self._rows.take(at, axis=0)


class _Scanned:
    """The literals of one view, ready to be scanned for."""

    def __init__(self, literals: Literals, databases: Databases) -> None:
        self._numbers: Index = np.frombuffer(literals.numbers, dtype=np.int32).astype(np.int64)
        self._sizes: Index = np.frombuffer(literals.sizes, dtype=np.int32).astype(np.int64)
        self._database = databases.known(literals.database) if literals.database else None
        self._opened = None if literals.openings is None else Opened(literals.openings)
        self._singles: Index | None = None
        if literals.singles:
            self._singles = np.full(65536, -1)
            units, numbers = zip(*literals.singles, strict=True)
            self._singles[list(units)] = numbers

    def scan(self, of: Layer) -> list[Hits]:
        found = []
        if self._database is not None:
            literals, ends = _ends(self._database, mixed(of.units))
            found.append(Hits(self._numbers[literals], *of.place(ends - self._sizes[literals], ends)))
        if self._opened is not None:
            literals, begins = self._opened.find(of.units)
            found.append(Hits(self._numbers[literals], *of.place(begins, begins + self._sizes[literals])))
        if self._singles is not None:
            numbers = np.take(self._singles, of.units)
            at = np.flatnonzero(numbers >= 0)
            found.append(Hits(numbers[at], *of.place(at, at + 1)))
        return found


def _ends(db: Database, data: bytes) -> tuple[Index, Index]:
    """Number and end in units of each hit. An odd end in bytes lies between two units, and is none."""
    found: list[int] = []  # one after the other: pairs take twice the time
    if data:
        db.scan(data, lambda n, start, end, flags, context: found.extend((n, end)))
    hits = np.array(found, dtype=np.int64).reshape(-1, 2)
    hits = hits[hits[:, 1] & 1 == 0]
    return hits[:, 0], hits[:, 1] >> 1


class Lexicon:
    """What is looked for, with owners: whoever asked. Raises LookupError where one of its databases is not kept."""

    def __init__(self, entries: Entries, databases: Databases) -> None:
        self.patterns: Sequence[Pattern] = [Pattern(folded, view) for folded, view, _ in entries.patterns]
        self.wordless: Index = np.array(entries.wordless, dtype=np.int64)
        self.gates = Gates([gates for _, _, gates in entries.patterns])
        self.forms = _Forms(entries.forms)
        self.terms, self.atoms = Table(entries.terms), Table(entries.atoms)
        self.leads: NDArray[np.int32] = np.frombuffer(entries.leads, dtype=np.int32).reshape(-1, 5)
        self.leading: NDArray[np.int32] = self.leads[:, 0].copy()
        """Whom each leads to."""
        self._literals = {view: _Scanned(literals, databases) for view, literals in entries.literals.items()}

    def __bool__(self) -> bool:
        return bool(self.patterns or self._literals)

    def scan(self, views: Views) -> Hits:
        """The literals of all views, view by view."""
        found = [hits for view, literals in self._literals.items() for hits in literals.scan(layer(view, views))]
        return Hits(*map(np.concatenate, zip(*found, strict=True))) if found else Hits(*[np.zeros(0, np.int64)] * 3)
