"""Terms and patterns compiled for one scan: literals of all views, and patterns behind the literals that they need.

Literals are scanned as permuted two-byte units (see views.MIX), one database for each view. A pattern has no scan of
its own: its atoms are among the literals of the skeleton, and it runs on a text in which one of them stands. A
symbol-free term needs no scan of the plain view: its plain hits are skeleton hits without a gap.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from math import inf, prod
from typing import Any, Final, NamedTuple

import hyperscan
import numpy as np
import re2

from monitor.domain.rules import Selection, View
from monitor.engine.atoms import atoms_of
from monitor.engine.databases import Databases
from monitor.engine.folds import layer
from monitor.engine.spellings import FREQUENT
from monitor.engine.terms import Form, fold_pattern
from monitor.engine.views import Index, Layer, OneText, Section, ViewTables, mixed

Raw = tuple[int, int]  # literal, end in units
Owner = tuple[int, int]
"""Whoever asks: (rule, selection), or (-1 - context, part)."""
# Zipf's law, fitted to 31,000 characters of hosts and viewers.
_FREQUENT: Final = {ord(char): 0.2 / (8 + rank) for rank, char in enumerate(FREQUENT)}
_RARE: Final = 0.0002
_AT_ONCE: Final = 30_000
_NEVER: Final = 4
"""Terms of so many characters are too rare to count."""
MAX_MEMORY: Final = 2**20
"""Bytes that one compiled pattern may take; a pattern that would need more is refused."""


class Found(NamedTuple):
    """A hit, in code points of the joined text. `form` is None for a pattern."""

    start: int
    end: int
    view: View
    owner: Any
    form: Form | None


class Pattern:
    """One pattern. Hits are the longest from each start."""

    __slots__ = ("_expression", "_folded", "view")

    def __init__(self, folded: str, view: View) -> None:
        self.view = view
        self._folded = folded
        self._expression: Any = None

    def check(self) -> None:
        """Raises ValueError where the linear-time engine refuses it or where it matches nothing at all."""
        if self._compiled().search(b""):
            raise ValueError("it matches the empty text")

    def _compiled(self) -> Any:
        """Made when it is first needed: most patterns of a set never are, in one process."""
        if self._expression is None:
            options = re2.Options()
            options.longest_match, options.log_errors, options.max_mem = True, False, MAX_MEMORY
            try:
                self._expression = re2.compile(self._folded.encode(), options)
            except re2.error as error:
                raise ValueError(_said(error)) from error
        return self._expression

    def hits(self, text: OneText) -> list[tuple[int, int]]:
        """Code points of the joined text."""
        if self.view is View.PLAIN:
            return [(text.start + a, text.start + b) for a, b in self._spans(text.plain)]
        where = text.section.skeleton.where
        return [(int(where[a]), int(where[b - 1]) + 1) for a, b in self._spans(text.skeleton)]

    def _spans(self, text: str) -> list[tuple[int, int]]:
        data, search = text.encode(), self._compiled().search
        found, at, chars, last = [], 0, 0, 0
        while (match := search(data, at)) is not None:
            start, end = match.span()
            chars += len(data[last:start].decode())
            found.append((chars, chars + len(data[start:end].decode())))
            last = start
            at = start + len(text[chars].encode())
        return found


def _said(error: Exception) -> str:
    what = error.args[0] if error.args else error
    return what.decode(errors="replace") if isinstance(what, bytes) else str(what)


def chance(units: Sequence[int]) -> float:
    """About how likely a text holds these units, by the frequency of its characters in speech; infinite for none."""
    if not units:
        return inf
    each = [_FREQUENT.get(unit, _RARE) for unit in units]
    return each[0] * prod(min(1.0, 8 * more) for more in each[1:])  # neighbours are no strangers


class Reader:
    """Folds patterns and finds their atoms, each pattern once. `known`: folded pattern → its atoms, from an earlier
    start; what is known was checked then."""

    def __init__(self, tables: ViewTables, known: dict[str, list[str]]) -> None:
        self.tables = tables
        self.known = known
        self.fold = cache(self._fold)

    def _fold(self, pattern: str) -> str:
        return fold_pattern(pattern, self.tables)

    def checked(self, folded: str, view: View) -> Pattern:
        """Raises ValueError for a pattern that cannot be run."""
        pattern = Pattern(folded, view)
        if folded not in self.known:
            pattern.check()
            self.known[folded] = self._atoms(folded)
        return pattern

    def _atoms(self, folded: str) -> list[str]:
        try:
            return sorted(atoms_of(folded, lambda atom: chance(self._skeleton(atom))) or ())
        except re.error as error:
            raise ValueError(str(error)) from error

    def atoms(self, folded: str) -> set[tuple[int, ...]]:
        """Of a checked pattern: literals as the skeleton shows them, one of which is in each hit."""
        return set(map(self._skeleton, self.known[folded]))

    def _skeleton(self, atom: str) -> tuple[int, ...]:
        return self.tables.skeleton(list(map(ord, atom)))

    def likelihood(self, selection: Selection) -> float:
        """About how likely a character of speech begins a hit of this selection. Faulty patterns count as none."""
        tables, units = self.tables, []
        for term in selection.terms:
            if len(term) < _NEVER:
                units.append(tables.skeleton(tables.units(term)))
        for pattern in selection.patterns:
            folded = self.fold(pattern)
            with suppress(ValueError):
                self.checked(folded, View.PLAIN)
                units += self.atoms(folded)
        return sum(min(1.0, chance(each)) for each in units)


class _Literals:
    """The literals of one view. `leads[n]`: what literal n leads to. One database, or several of bounded size, since
    compiling takes more than linear time and memory."""

    def __init__(self, forms: dict[tuple[int, ...], list[Any]], databases: Databases) -> None:
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
        self._forms: dict[View, dict[tuple[int, ...], list[Any]]] = {}
        self._known: dict[tuple[str, View], int] = {}
        self._patterns: list[Pattern] = []
        self._asking: list[list[Any]] = []  # by pattern
        self._by_owner: dict[int, list[tuple[int, Owner, Form | None]]] = {}
        self._literals: dict[View, _Literals] = {}

    def __bool__(self) -> bool:
        return bool(self._patterns or self._literals)

    def term(self, form: Form, owner: Any) -> None:
        for view, forms in form.take().items():
            scanned, lead = View.SKELETON if view is View.SPLIT else view, (view, form, owner)
            for units in forms:
                self._lead(scanned, units, lead)
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
                self._lead(View.SKELETON, atom, number)
        self._asking[number].append((owner, form))
        self._by_owner.setdefault(owner[0], []).append((number, owner, form))

    def _lead(self, view: View, units: tuple[int, ...], lead: Any) -> None:
        self._forms.setdefault(view, {}).setdefault(units, []).append(lead)

    def compile(self, databases: Databases) -> None:
        """Nothing can be added from then on."""
        for view in list(self._forms):
            self._literals[view] = _Literals(self._forms.pop(view), databases)

    def scan_literals(self, section: Section) -> list[tuple[View, Layer, list[Raw]]]:
        """Literal hits of each view, in units of its layer."""
        found = []
        for view, literals in self._literals.items():
            units = (section.skeleton if view is View.SKELETON else section.sound if view is View.SOUND
                     else layer(view, section))
            raw = literals.scan(mixed(units.units))
            if raw:
                found.append((view, units, raw))
        return found

    def places(self, view: View, units: Layer, raw: list[Raw]) -> tuple[list[int], list[int]]:
        """Starts and ends of literal hits in the joined text."""
        hits = np.array(raw, dtype=np.int64)
        ends = hits[:, 1]
        starts, stops = units.place(ends - self._literals[view].sizes[hits[:, 0]], ends)
        return starts.tolist(), stops.tolist()

    def leads(self, view: View) -> list[list[Any]]:
        return self._literals[view].leads

    def patterns_of(self, owner: int) -> list[tuple[int, Owner, Form | None]]:
        """(pattern, owner, form) of all that this owner asks for."""
        return self._by_owner.get(owner, [])

    def view_of(self, number: int) -> View:
        return self._patterns[number].view

    def hits(self, number: int, text: OneText) -> list[tuple[int, int]]:
        return self._patterns[number].hits(text)

    def asking(self, number: int) -> list[tuple[Any, Form | None]]:
        """(owner, form) of each that asks for this pattern."""
        return self._asking[number]

    def run(self, number: int, text: OneText) -> Iterable[Found]:
        """Hits of one pattern, once for each that asks."""
        pattern = self._patterns[number]
        for start, end in pattern.hits(text):
            for owner, form in self._asking[number]:
                yield Found(start, end, View.PLAIN if form else pattern.view, owner, form)


class OneScan:
    """One text, looked at for whoever asks: literals at once, a pattern when its owner's hits are asked for."""

    def __init__(self, lexicon: Lexicon, text: OneText) -> None:
        self._lexicon, self._text = lexicon, text
        self._found: dict[int, list[Found]] = {}
        self._seen = set(lexicon.wordless)
        self._ran: dict[int, list[tuple[int, int]]] = {}
        for view, units, raw in lexicon.scan_literals(text.section):
            leads = lexicon.leads(view)
            for (n, _), start, end in zip(raw, *lexicon.places(view, units, raw), strict=True):
                for lead in leads[n]:
                    if type(lead) is int:
                        self._seen.add(lead)
                    else:
                        shown, form, owner = lead
                        self._found.setdefault(owner[0], []).append(Found(start, end, shown, owner, form))

    def of(self, owner: int) -> list[Found]:
        """The hits of one owner, by the first part of its name."""
        found = self._found.get(owner, [])
        for number, name, form in self._lexicon.patterns_of(owner):
            if number in self._seen:
                if number not in self._ran:
                    self._ran[number] = self._lexicon.hits(number, self._text)
                view = View.PLAIN if form else self._lexicon.view_of(number)
                found = found + [Found(start, end, view, name, form) for start, end in self._ran[number]]
        return found
