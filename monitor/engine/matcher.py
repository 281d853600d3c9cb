"""What all rules together look for, in two lexicons.

Selections that a condition names are looked for in every text, all rules in one scan per view. All others (vetoes,
shared contexts, what `near` asks for, what a condition negates) are made of everyday words and only matter once a rule
could hold: they are looked for in that one text, then.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from monitor.domain.errors import Fault, RuleError
from monitor.domain.rules import Context, Rule, Selection, View
from monitor.engine.compiled import CompiledContext, CompiledRule
from monitor.engine.databases import Databases
from monitor.engine.expressions import Reader
from monitor.engine.lexicon import Lexicon, OneScan, Owner
from monitor.engine.patterns import ContactSpan, contacts
from monitor.engine.terms import Form
from monitor.engine.views import Index, OneText, Views, ViewTables, span_of

_HINT: Final = "see docs/rules.md"
_SAID: Final = (View.PLAIN, View.SKELETON)
"""Contexts are everyday words: their homophones stand everywhere."""


class RawHit(NamedTuple):
    """Code points of the joined text. `form` is None for patterns and detectors; a context's part is a `selection`."""

    start: int
    end: int
    view: View
    selection: int
    form: Form | None


class Scan(NamedTuple):
    """`by_rule`: (event, rule) → hits of what the condition names."""

    by_rule: dict[Owner, list[RawHit]]
    contacts: list[ContactSpan]


class Matcher:
    """Compiled over the rules of all units. Not safe for two threads at once: one engine, one thread."""

    def __init__(
        self, rules: Sequence[CompiledRule], contexts: Sequence[CompiledContext], reader: Reader, databases: Databases
    ) -> None:
        """Raises RuleError with all faults: terms that fold to nothing, patterns that do not compile."""
        self._early, self._late = Lexicon(reader), Lexicon(reader, wordless=True)
        self._detectors: dict[str, list[Owner]] = {}
        self._late_detectors: dict[str, list[Owner]] = {}
        collecting = _Collecting(reader.tables, [])
        late: set[int] = set()
        for rule in rules:
            for i, selection in enumerate(rule.rule.selections):
                early = bool(rule.early >> i & 1)
                if selection.detector:
                    of = self._detectors if early else self._late_detectors
                    of.setdefault(selection.detector, []).append((rule.index, i))
                collecting.selection(rule.rule, selection, (rule.index, i), self._early if early else self._late)
                if not early and not selection.room and not selection.score:
                    late.add(rule.index)
        for index, context in enumerate(context.context for context in contexts):
            for i, part in enumerate(context.parts):
                asked = Selection(name=context.name, terms=part.terms, patterns=part.patterns, views=_SAID)
                collecting.selection(context, asked, (-1 - index, i), self._late)
            unless = Selection(name=context.name, terms=context.unless, views=_SAID)
            collecting.selection(context, unless, (-1 - index, len(context.parts)), self._late)
        if collecting.faults:
            raise RuleError(sorted(collecting.faults, key=lambda f: (f.path, f.line, f.message)))
        self._early.compile(databases)
        self._late.compile(databases)
        self.late_rules = frozenset(late)
        self._applies = [rule.codes for rule in rules]
        self._kinds = frozenset((*self._detectors, *self._late_detectors))

    def scan(self, views: Views, starts: Index, code: Callable[[int], int]) -> Scan:
        """`code`: an event's kind, role and stage as one number. What no rule applies to is not looked at."""
        begins = starts.tolist()
        scan = Scan({}, contacts(views, begins, self._kinds))
        code_of, applies = cache(code), self._applies
        waiting: dict[Owner, None] = {}  # (event, pattern)
        for view, units, raw in self._early.scan_literals(views.whole):
            leads = self._early.leads(view)
            first, last = self._early.places(view, units, raw)
            events = (np.searchsorted(starts, first, side="right") - 1).tolist()
            for (n, _), event, start, end in zip(raw, events, first, last, strict=True):
                for lead in leads[n]:
                    if type(lead) is int:
                        waiting[event, lead] = None
                        continue
                    shown, form, (rule, selection) = lead
                    if not applies[rule][code_of(event)]:
                        continue
                    key = (event, rule)
                    hit = RawHit(start, end, shown, selection, form)
                    if key in scan.by_rule:
                        scan.by_rule[key].append(hit)
                    else:
                        scan.by_rule[key] = [hit]
        texts: dict[int, OneText] = {}
        for event, pattern in waiting:
            if not any(applies[rule][code_of(event)] for _, _, (rule, _) in self._early.asking(pattern)):
                continue
            if event not in texts:
                texts[event] = views.one(*span_of(event, begins, views))
            for found in self._early.run(pattern, texts[event]):
                rule, selection = found.owner
                scan.by_rule.setdefault((event, rule), []).append(
                    RawHit(found.start, found.end, found.view, selection, found.form))
        self._add_detected(scan, self._detectors, begins)
        return scan

    def _add_detected(self, scan: Scan, asking: dict[str, list[Owner]], begins: Sequence[int]) -> None:
        for contact in scan.contacts:
            base = begins[contact.event]
            for rule, selection in asking.get(contact.kind, ()):
                scan.by_rule.setdefault((contact.event, rule), []).append(
                    RawHit(base + contact.start, base + contact.end, View.PLAIN, selection, None))

    def late(self, scan: Scan, event: int, views: Views, begins: Sequence[int]) -> "Late":
        """Everything in one text that only matters once a rule could hold."""
        asked: dict[int, list[RawHit]] = {}
        for contact in scan.contacts if self._late_detectors else ():
            if contact.event == event:
                for owner, selection in self._late_detectors.get(contact.kind, ()):
                    start, end = begins[event] + contact.start, begins[event] + contact.end
                    asked.setdefault(owner, []).append(RawHit(start, end, View.PLAIN, selection, None))
        return Late(OneScan(self._late, views.one(*span_of(event, begins, views))), asked)

    def scan_literals(self, views: Views) -> int:
        """The literal scans alone; how many hits they give."""
        return sum(len(raw) for _, _, raw in self._early.scan_literals(views.whole))


class Late(NamedTuple):
    """What is looked for late in one text, by whoever asks: a rule, or -1 - context."""

    scan: OneScan
    detected: dict[int, list[RawHit]]

    def of(self, owner: int) -> list[RawHit]:
        return [RawHit(f.start, f.end, f.view, f.owner[1], f.form) for f in self.scan.of(owner)] + self.detected.get(
            owner, [])


class _Collecting(NamedTuple):
    """Puts selections into a lexicon and notes what cannot be looked for."""

    tables: ViewTables
    faults: list[Fault]

    def selection(self, of: Rule | Context, selection: Selection, owner: Owner, lexicon: Lexicon) -> None:
        for term in (*selection.terms, *selection.allow):
            try:
                lexicon.term(Form(term, self.tables, selection), owner)
            except ValueError as error:
                self.faults.append(Fault(of.path, of.line, 1, f"term {term!r} in {selection.name}: {error}", _HINT))
        view = View.SKELETON if selection.views == (View.SKELETON,) else View.PLAIN
        for pattern in selection.patterns:
            try:
                lexicon.pattern(pattern, view, owner)
            except ValueError as error:
                self.faults.append(
                    Fault(of.path, of.line, 1, f"pattern {pattern!r} in {selection.name}: {error}", _HINT))
