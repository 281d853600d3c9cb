"""What all rules together look for, in two lexicons.

Selections that a condition names are looked for in every text, all rules in one scan per view. All others (vetoes,
shared contexts, what `near` asks for, what a condition negates) are made of everyday words and only matter once a rule
could hold: they are looked for in that one text, then.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from monitor.domain.errors import Fault, RuleError
from monitor.domain.rules import Context, Rule, Selection, View
from monitor.engine.compiled import CompiledContext, CompiledRule
from monitor.engine.databases import Databases
from monitor.engine.expressions import Reader
from monitor.engine.lexicon import Lexicon, Owner, RawHit
from monitor.engine.patterns import ContactSpan, contacts
from monitor.engine.sightings import Sightings
from monitor.engine.terms import Form, Unfit
from monitor.engine.views import Index, Views, ViewTables

_HINT: Final = "see docs/rules.md"
_SAID: Final = (View.PLAIN, View.SKELETON)
"""Contexts are everyday words: their homophones stand everywhere."""


class Scan(NamedTuple):
    """`bits`: event → rule → which of its selections have a hit, of those that are looked for in every text."""

    bits: dict[int, dict[int, int]]
    early: Sightings
    contacts: list[ContactSpan]


class Matcher:
    """Compiled over the rules of all units. Not safe for two threads at once: one engine, one thread."""

    def __init__(
        self, rules: Sequence[CompiledRule], contexts: Sequence[CompiledContext], reader: Reader, databases: Databases,
        sources: Mapping[str, bytes] = {},
    ) -> None:
        """`sources`: the files of the rules, to name places in them. Raises RuleError with all faults: terms that fold
        to nothing or to one character, patterns that do not compile."""
        self._early, self._late = Lexicon(reader), Lexicon(reader, wordless=True)
        self._detectors: dict[str, list[Owner]] = {}
        self._late_detectors: dict[str, list[Owner]] = {}
        collecting = _Collecting(reader.tables, sources, [])
        late: set[int] = set()
        for rule in rules:
            for i, selection in enumerate(rule.rule.selections):
                early = bool(rule.early >> i & 1)
                if selection.detector:
                    of = self._detectors if early else self._late_detectors
                    of.setdefault(selection.detector, []).append((rule.index, i))
                collecting.selection(rule.rule, selection, (rule.index, i), self._early if early else self._late)
                if selection.unless or selection.unless_patterns:
                    unless = Selection(name=selection.name, terms=selection.unless,
                                       patterns=selection.unless_patterns, views=_SAID)
                    collecting.selection(rule.rule, unless, (rule.index, rule.unless_of(i)), self._late)
                if not early and not selection.room and not selection.score:
                    late.add(rule.index)
        for index, context in enumerate(context.context for context in contexts):
            for i, part in enumerate(context.parts):
                asked = Selection(name=context.name, terms=part.terms, patterns=part.patterns, views=_SAID)
                collecting.selection(context, asked, (-1 - index, i), self._late)
            unless = Selection(name=context.name, terms=context.unless, patterns=context.unless_patterns, views=_SAID)
            collecting.selection(context, unless, (-1 - index, len(context.parts)), self._late)
        if collecting.faults:
            raise RuleError(sorted(set(collecting.faults), key=lambda f: (f.path, f.line, f.message)))
        self._early.compile(databases)
        self._late.compile(databases)
        self.late_rules = frozenset(late)
        self._applies = [rule.codes for rule in rules]
        self._pattern_applies = [bytes(map(max, zip(*[self._applies[rule] for rule, _ in marks], strict=True)))
                                 for marks in self._early.pattern_marks]
        self._kinds = frozenset((*self._detectors, *self._late_detectors))

    def scan(self, views: Views, starts: Index, code: Callable[[int], int]) -> Scan:
        """`code`: an event's kind, role and stage as one number. What no rule applies to is not looked at."""
        begins = starts.tolist()
        found = contacts(views, begins, self._kinds)
        detected = _detected(found, self._detectors, begins)
        early = Sightings(self._early, views, begins, detected)
        bits: dict[int, dict[int, int]] = {}
        for event, literals in early.literals.items():
            here, at = bits.setdefault(event, {}), code(event)
            for leads, _, _ in literals:
                for rule, mark in leads.marks:
                    if self._applies[rule][at]:
                        here[rule] = here.get(rule, 0) | mark
            for pattern in early.patterns(event):
                if self._pattern_applies[pattern][at] and early.spans(event, pattern):
                    for rule, mark in self._early.pattern_marks[pattern]:
                        here[rule] = here.get(rule, 0) | mark
        for event, owners in detected.items():
            here = bits.setdefault(event, {})
            for rule, hits in owners.items():
                for hit in hits:
                    here[rule] = here.get(rule, 0) | 1 << hit.selection
        return Scan(bits, early, found)

    def late(self, scan: Scan, events: Sequence[int], views: Views, begins: Sequence[int]) -> Sightings:
        """Everything in these texts that only matters once a rule could hold."""
        return Sightings(self._late, views, begins, _detected(scan.contacts, self._late_detectors, begins), events)

    def scan_literals(self, views: Views) -> int:
        """The literal scans alone; how many hits they give."""
        return sum(len(raw) for _, _, raw in self._early.scan_literals(views))


def _detected(
    contacts: Iterable[ContactSpan], asking: Mapping[str, list[Owner]], begins: Sequence[int]
) -> dict[int, dict[int, list[RawHit]]]:
    found: dict[int, dict[int, list[RawHit]]] = {}
    for contact in contacts if asking else ():
        base = begins[contact.event]
        for owner, part in asking.get(contact.kind, ()):
            found.setdefault(contact.event, {}).setdefault(owner, []).append(
                RawHit(base + contact.start, base + contact.end, View.PLAIN, part, None))
    return found


class _Collecting(NamedTuple):
    """Puts selections into a lexicon and notes what cannot be looked for."""

    tables: ViewTables
    sources: Mapping[str, bytes]
    faults: list[Fault]

    def selection(self, of: Rule | Context, selection: Selection, owner: Owner, lexicon: Lexicon) -> None:
        for term in (*selection.terms, *selection.allow):
            try:
                lexicon.term(Form(term, self.tables, selection), owner)
            except Unfit as error:
                self._fault(of, selection, "term", term, str(error), error.hint)
        view = View.SKELETON if selection.views == (View.SKELETON,) else View.PLAIN
        for pattern in selection.patterns:
            try:
                lexicon.pattern(pattern, view, owner)
            except ValueError as error:
                self._fault(of, selection, "pattern", pattern, str(error), _HINT)

    def _fault(self, of: Rule | Context, selection: Selection, kind: str, said: str, why: str, hint: str) -> None:
        path, line, column = self._place(of, selection, said)
        self.faults.append(Fault(path, line, column, f"{kind} {said!r} in {selection.name}: {why}", hint))

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
