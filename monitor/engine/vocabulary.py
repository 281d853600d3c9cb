"""What all rules look for, gathered into the entries of two lexicons: the slow half of compiling, kept across starts.

Each term is formed once for all rules that look for it in the same views; each pattern is checked once.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from monitor.domain.errors import Fault, RuleError
from monitor.domain.phrases import phrase
from monitor.domain.rules import Context, Rule, Selection, View
from monitor.engine.compiled import CompiledContext, CompiledRule
from monitor.engine.databases import Databases
from monitor.engine.expressions import Reader
from monitor.engine.gates import Chars
from monitor.engine.lexicon import NO_FORM, VIEWS, Entries, Lead, Literals, Owner, Rows, Table
from monitor.engine.openings import openings_of
from monitor.engine.terms import Form, Unfit, form_of

_HINTS: Final = (
    ("invalid repetition size", "a part repeats at most 1000 times, with what repeats around it"),
    ("pattern too large", "split it in several patterns, or repeat less"),
    ("", "see docs/rules.md"),
)
"""How what is said of a pattern begins, and how to mend it."""
_SAID: Final = (View.PLAIN, View.SKELETON)
"""Contexts are everyday words: their homophones stand everywhere."""
_MANY: Final = 15_000
"""More literals than these are found by their openings: a database of them takes more than linear time and memory."""
_NOBODY: Final[Owner] = (0, 0)
_Spread = tuple[tuple[View, ...] | None, tuple[View, ...]]
"""What decides, beside a term, how it is looked for: a selection's views, and the further ones."""
_NUMBERS: Final = {view: number for number, view in enumerate(VIEWS)}


def gathered(
    rules: Sequence[CompiledRule], contexts: Sequence[CompiledContext], reader: Reader, databases: Databases,
    sources: Mapping[str, bytes],
) -> tuple[Entries, Entries, Entries]:
    """(what is looked for in every text, what in those that a classifier does not find unlikely, what late).

    `sources`: the files of the rules, to name places in them. Raises RuleError with all faults: terms that fold to
    nothing or to one character, patterns that do not compile.
    """
    early, gated, late = asked = Vocabulary(reader), Vocabulary(reader), Vocabulary(reader, wordless=True)
    faults = collected(rules, contexts, sources, asked)
    if faults:
        raise RuleError(faults)
    found = early.entries(databases), gated.entries(databases), late.entries(databases)
    databases.finish()
    return found


def collected(
    rules: Sequence[CompiledRule], contexts: Sequence[CompiledContext], sources: Mapping[str, bytes],
    into: "tuple[Vocabulary, Vocabulary, Vocabulary]", *, broken: Iterable[Rule] = (),
) -> list[Fault]:
    """Puts what they look for into (early, gated, late). Returns what cannot be looked for. `broken`: rules of files
    with other faults, of which it is not known when they look."""
    early, gated, late = into
    collecting = _Collecting(sources, [])
    for rule in rules:
        at_once = gated if rule.gated else early
        for i, selection in enumerate(rule.rule.selections):
            collecting.selection(rule.rule, selection, (rule.index, i), at_once if rule.early >> i & 1 else late)
            collecting.unless(rule.rule, selection, (rule.index, rule.unless_of(i)), late)
    for each in broken:
        for selection in each.selections:
            collecting.selection(each, selection, _NOBODY, late)
            collecting.unless(each, selection, _NOBODY, late)
    for index, context in enumerate(context.context for context in contexts):
        for i, part in enumerate(context.parts):
            asked = Selection(name=context.name, terms=part.terms, patterns=part.patterns, views=_SAID)
            collecting.selection(context, asked, (-1 - index, i), late)
        collecting.unless(context, context, (-1 - index, len(context.parts)), late)
    return collecting.faults


class Vocabulary:
    """Built by `terms` and `pattern`. `wordless`: take patterns that hold no word which every hit must have, such as
    `[?]`."""

    def __init__(self, reader: Reader, *, wordless: bool = False) -> None:
        self._reader = reader
        self._takes_wordless = wordless
        self._formed: defaultdict[_Spread, dict[str, int]] = defaultdict(dict)  # by term
        self._forms: list[Form] = []
        self._places = array("i")  # of forms, see Rows.of: the view that a hit shows, the literal that is scanned for
        self._terms: list[tuple[Owner, array[int]]] = []  # forms of whoever asks
        self._symbols: dict[int, str] = {}  # the literal of a form that holds a symbol
        self._literals: defaultdict[View, dict[str, int]] = defaultdict(dict)
        self._literal_count = 0
        self._numbers: dict[tuple[str, View], int] = {}
        self._patterns: list[tuple[str, View, list[Chars]]] = []
        self._atoms: list[list[int]] = []  # by pattern
        self._leads: list[list[Lead]] = []  # by pattern

    def terms(self, terms: Iterable[str], selection: Selection, owner: Owner) -> list[tuple[str, Unfit]]:
        """Those that cannot be looked for, and why. Raises ValueError for one that cannot be run."""
        known, found, unfit = self._formed[selection.views, selection.also], array("i"), []
        for term in terms:
            number = known.get(term)
            if number is None:
                try:
                    number = known[term] = self._form(term, selection)
                except Unfit as error:
                    unfit.append((term, error))
                    continue
            found.append(number)
            if number in self._symbols:
                self._folded(self._symbols[number], View.PLAIN, (*owner, _NUMBERS[View.PLAIN], number))
        self._terms.append((owner, found))
        return unfit

    def _form(self, term: str, selection: Selection) -> int:
        form, scanned = form_of(term, self._reader.characters, selection)
        number = len(self._forms)
        self._forms.append(form)
        for shown, view, forms in scanned:
            for units in forms:
                self._places.extend((number, _NUMBERS[shown], self._literal(view, units)))
        if form.literal and not form.views.isdisjoint(_SAID):
            self._symbols[number] = form.literal
        return number

    def pattern(self, pattern: str, view: View, owner: Owner) -> None:
        """Raises ValueError for a pattern that cannot be run. Each alternative runs by itself, where its own words are:
        one with everyday words makes no text be looked at for the others."""
        for each in self._reader.parts(pattern):
            self._folded(each, view, (*owner, _NUMBERS[view], NO_FORM))

    def _folded(self, folded: str, view: View, lead: Lead) -> None:
        number = self._numbers.get((folded, view))
        if number is None:
            needs = self._reader.needs(folded)
            if not needs.atoms and not self._takes_wordless:
                raise ValueError("it holds no word that every hit must have; give each alternative one")
            number = self._numbers[folded, view] = len(self._patterns)
            self._patterns.append((folded, view, needs.gates))
            self._atoms.append([self._literal(View.SKELETON, atom) for atom in needs.atoms])
            self._leads.append([])
        self._leads[number].append(lead)

    def _literal(self, view: View, units: str) -> int:
        known = self._literals[view]
        number = known.get(units)
        if number is None:
            number = known[units] = self._literal_count
            self._literal_count += 1
        return number

    def entries(self, databases: Databases) -> Entries:
        """Its databases are known, or being compiled."""
        leads, atoms, wordless = array("i"), array("i"), []
        asked = [(pattern, lead) for pattern, asking in enumerate(self._leads) for lead in asking]
        for number, (pattern, lead) in enumerate(asked):
            leads.extend((*lead, pattern))
            for literal in self._atoms[pattern]:
                atoms.extend((literal, number))
            if not self._atoms[pattern]:
                wordless.append(number)
        return Entries(list(map(Raw, map(msgspec.msgpack.encode, self._forms))), self._patterns,
                       {view: _entry(literals, databases) for view, literals in self._literals.items()},
                       Rows.of(self._term_leads(), self._literal_count, 4), leads.tobytes(),
                       Rows.of(atoms, self._literal_count, 1), wordless)


    def _term_leads(self) -> NDArray[np.int32]:
        """int32[n, 5]: a literal and what it leads to."""
        owners = np.array([owner for owner, _ in self._terms], dtype=np.int32).reshape(-1, 2)
        asked = np.repeat(owners, [len(forms) for _, forms in self._terms], axis=0)
        forms = np.array([form for _, forms in self._terms for form in forms], dtype=np.int64)
        which, places = Table(Rows.of(self._places, len(self._forms), 2)).of(forms)
        return np.column_stack((places[:, 1], asked[which], places[:, 0], forms[which])).astype(np.int32)


def _entry(numbers: Mapping[str, int], databases: Databases) -> Literals:
    """Of one view. `numbers`: of its literals."""
    literals = [units for units in numbers if len(units) > 1]
    many = len(literals) > _MANY
    return Literals(databases.literals(literals) if literals and not many else "",
                    openings_of(literals) if many else None,
                    array("i", [numbers[units] for units in literals]).tobytes(),
                    array("i", map(len, literals)).tobytes(),
                    [(ord(units), number) for units, number in numbers.items() if len(units) == 1])


class _Collecting(NamedTuple):
    """Puts selections into a vocabulary and notes what cannot be looked for."""

    sources: Mapping[str, bytes]
    faults: list[Fault]

    def selection(self, of: Rule | Context, selection: Selection, owner: Owner, vocabulary: Vocabulary) -> None:
        for term, error in vocabulary.terms((*selection.terms, *selection.allow), selection, owner):
            self._fault(of, selection, phrase("term"), term, error.args[0], error.hint)
        view = View.SKELETON if selection.views == (View.SKELETON,) else View.PLAIN
        for pattern in selection.patterns:
            try:
                vocabulary.pattern(pattern, view, owner)
            except ValueError as error:
                hint = next(hint for begin, hint in _HINTS if str(error).startswith(begin))
                self._fault(of, selection, phrase("pattern"), pattern, str(error), hint)

    def unless(self, of: Rule | Context, said: Selection | Context, owner: Owner, vocabulary: Vocabulary) -> None:
        """The phrases that only look like what is looked for."""
        if said.unless or said.unless_patterns:
            selection = Selection(name=said.name, terms=said.unless, patterns=said.unless_patterns, views=_SAID)
            self.selection(of, selection, owner, vocabulary)

    def _fault(self, of: Rule | Context, selection: Selection, kind: str, said: str, why: str, hint: str) -> None:
        path, line, column = self._place(of, selection, said)
        message = phrase("{kind} {word} in {name}: {why}", kind=kind, word=repr(said), name=selection.name, why=why)
        self.faults.append(Fault(path, line, column, message, hint))

    def _place(self, of: Rule | Context, selection: Selection, said: str) -> tuple[str, int, int]:
        """Where it stands: after its selection's name, or in a list of the pack; else where its rule begins."""
        text = self.sources.get(of.path, b"").decode(errors="replace")
        found = re.compile(rf"(?<!\w){re.escape(said)}(?!\w)").search(text, max(text.find(f"{selection.name}:"), 0))
        if found:
            return of.path, text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        lists = of.path.partition("/")[0] + "/lists/"
        for path in sorted(path for path in self.sources if path.startswith(lists)):
            lines = self.sources[path].decode(errors="replace").splitlines()
            for number, line in enumerate(lines, 1):
                if line.partition(" #")[0].strip() == said:
                    return path, number, 1
        return of.path, of.line, 1
