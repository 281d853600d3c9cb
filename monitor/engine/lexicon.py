"""Terms and patterns compiled for one scan: literals of all views, and patterns behind the literals that they need.

Literals are scanned as permuted two-byte units (see views.MIX), one database for each view. A pattern has no scan of
its own: its atoms are among the literals of the skeleton, and it runs on a text in which one of them stands. A
symbol-free term needs no scan of the plain view: its plain hits are skeleton hits without a gap.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import hyperscan
import numpy as np

from monitor.domain.rules import View
from monitor.engine.databases import Databases
from monitor.engine.expressions import Pattern, Reader
from monitor.engine.folds import layer
from monitor.engine.terms import Form
from monitor.engine.views import Index, Layer, OneText, Views, mixed

Raw = tuple[int, int]  # literal, end in units
Owner = tuple[int, int]
"""Whoever asks: (rule, selection), or (-1 - context, part)."""
Lead = tuple[View, Form | None, Any]
"""How a hit shows, the form that it shows (None for a pattern's), and its owner."""
_AT_ONCE: Final = 30_000


class RawHit(NamedTuple):
    """Code points of the joined text. `form` is None for patterns and detectors; a context's part is a `selection`."""

    start: int
    end: int
    view: View
    selection: int
    form: Form | None


class Leads(NamedTuple):
    """What a literal leads to: numbers of patterns, and terms by their owner's first number. `marks`: these owners
    again, with the bits of their second numbers."""

    patterns: dict[int, None]
    terms: dict[int, list[Lead]]
    marks: list[tuple[int, int]]


def marks_of(owners: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(owner, the bits of its parts), each owner once."""
    found: dict[int, int] = {}
    for owner, part in owners:
        found[owner] = found.get(owner, 0) | 1 << part
    return list(found.items())


class _Literals:
    """The literals of one view. `leads[n]`: what literal n leads to. One database, or several of bounded size, since
    compiling takes more than linear time and memory."""

    def __init__(self, forms: dict[tuple[int, ...], Leads], databases: Databases) -> None:
        self.leads = list(forms.values())
        self.sizes: Index = np.array([len(units) for units in forms], dtype=np.int64)
        units = list(forms)
        self._parts: list[tuple[int, hyperscan.Database]] = [
            (first, databases.literals(units[first : first + _AT_ONCE])) for first in range(0, len(units), _AT_ONCE)]

    def scan(self, data: bytes) -> list[Raw]:
        """Literal and end in units of each hit; an odd end in bytes lies between two units."""
        return [(first + n, end >> 1) for first, db in self._parts for n, end in _ends(db, data) if not end & 1]


def _ends(db: hyperscan.Database, data: bytes) -> list[Raw]:
    found: list[Raw] = []
    if data:
        db.scan(data, match_event_handler=lambda n, start, end, flags, context: found.append((n, end)))
    return found


class Lexicon:
    """What is looked for, with owners: whoever asked. Built by `term` and `pattern`, then `compile`d once.

    `wordless`: take patterns that hold no word which every hit must have, such as `[?]`; they run on every text.
    """

    def __init__(self, reader: Reader, *, wordless: bool = False) -> None:
        self._reader = reader
        self._takes_wordless = wordless
        self.wordless: list[int] = []
        self._forms: dict[View, dict[tuple[int, ...], Leads]] = {}
        self._known: dict[tuple[str, View], int] = {}
        self._patterns: list[Pattern] = []
        self._asking: list[list[Lead]] = []  # by pattern
        self._by_owner: dict[int, list[tuple[int, Lead]]] = {}
        self._literals: dict[View, _Literals] = {}
        self.pattern_marks: list[list[tuple[int, int]]] = []

    def __bool__(self) -> bool:
        return bool(self._patterns or self._literals)

    def term(self, form: Form, owner: Any) -> None:
        for view, scanned, forms in form.take():
            for units in forms:
                self._leads(scanned, units).terms.setdefault(owner[0], []).append((view, form, owner))
        if form.literal and not form.views.isdisjoint((View.PLAIN, View.SKELETON)):
            self.folded_pattern(form.literal, View.PLAIN, owner, form)

    def pattern(self, pattern: str, view: View, owner: Any) -> None:
        """Raises ValueError for a pattern that cannot be run."""
        self.folded_pattern(self._reader.fold(pattern), view, owner, None)

    def folded_pattern(self, folded: str, view: View, owner: Any, form: Form | None) -> None:
        number = self._known.get((folded, view))
        if number is None:
            checked, atoms = self._reader.checked(folded, view), self._reader.atoms(folded)
            if not atoms and not self._takes_wordless:
                raise ValueError("it holds no word that every hit must have; give each alternative one")
            number = self._known[folded, view] = len(self._patterns)
            self._patterns.append(checked)
            self._asking.append([])
            if not atoms:
                self.wordless.append(number)
            for atom in atoms:
                self._leads(View.SKELETON, atom).patterns[number] = None
        lead = (View.PLAIN if form else view, form, owner)
        self._asking[number].append(lead)
        self._by_owner.setdefault(owner[0], []).append((number, lead))

    def _leads(self, view: View, units: tuple[int, ...]) -> Leads:
        return self._forms.setdefault(view, {}).setdefault(units, Leads({}, {}, []))

    def compile(self, databases: Databases) -> None:
        """Nothing can be added from then on."""
        self.pattern_marks = [marks_of(owner for _, _, owner in asking) for asking in self._asking]
        for view in list(self._forms):
            for leads in self._forms[view].values():
                leads.marks.extend(marks_of(owner for some in leads.terms.values() for _, _, owner in some))
            self._literals[view] = _Literals(self._forms.pop(view), databases)

    def scan_literals(self, views: Views) -> list[tuple[View, Layer, list[Raw]]]:
        """Literal hits of each view, in units of its layer."""
        found = []
        for view, literals in self._literals.items():
            units = layer(view, views)
            raw = literals.scan(mixed(units.units))
            if raw:
                found.append((view, units, raw))
        return found

    def places(self, view: View, units: Layer, raw: list[Raw]) -> tuple[Index, Index]:
        """Starts and ends of literal hits in the joined text."""
        hits = np.array(raw, dtype=np.int64)
        ends = hits[:, 1]
        return units.place(ends - self._literals[view].sizes[hits[:, 0]], ends)

    def leads(self, view: View) -> list[Leads]:
        return self._literals[view].leads

    def patterns_of(self, owner: int) -> list[tuple[int, Lead]]:
        """All that this owner asks for."""
        return self._by_owner.get(owner, [])

    def hits(self, number: int, text: OneText) -> list[tuple[int, int]]:
        return self._patterns[number].hits(text)
