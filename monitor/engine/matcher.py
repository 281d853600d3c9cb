"""One scan per view for the terms and patterns of all rules together.

Literals are scanned as permuted two-byte units (see views.MIX), patterns as UTF-8 of the plain view, one database per
pack. A symbol-free term needs no plain scan: its plain hits are skeleton hits without a gap.

Selections that a condition names are looked for in every text. All others (vetoes, what `near` asks for, what a
condition negates) only matter once a rule could hold: their literals wait by event, their patterns are scanned then.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import hyperscan
import numpy as np

from monitor.domain.errors import Fault, RuleError
from monitor.domain.rules import View
from monitor.engine.compiled import CompiledRule
from monitor.engine.databases import Databases, PatternError, fault_of
from monitor.engine.patterns import ContactSpan, contacts, places, places_in
from monitor.engine.terms import Form, fold_pattern
from monitor.engine.views import Index, Views, ViewTables, mixed

_PLAIN, _SKELETON, _SOUND, _PATTERN = range(4)
VIEW_NAMES: Final = (View.PLAIN, View.SKELETON, View.SOUND, View.PLAIN)

Raw = tuple[int, int]  # literal, end in units
RawHit = tuple[int, int, int, "Use"]
"""(start, end, view, use): code points of the joined text; `view` indexes VIEW_NAMES."""
Waiting = tuple[int, int, int, list["Use"]]  # start, end, view, uses


class Use(NamedTuple):
    """A rule's selection that a literal, pattern or detector serves. `form` is None for patterns and detectors."""

    rule: int
    selection: int
    form: Form | None


class Scan(NamedTuple):
    """`by_rule`: (event, rule) → hits of what the condition names. `waiting`: event → hits of everything else."""

    by_rule: dict[tuple[int, int], list[RawHit]]
    waiting: dict[int, list[Waiting]]
    contacts: list[ContactSpan]


class Uses:
    """Who wants to know of one literal or pattern: at once, and only when a rule could hold."""

    __slots__ = ("early", "late")

    def __init__(self) -> None:
        self.early: list[Use] = []
        self.late: list[Use] = []


class _Literals:
    """The literals of one view in one database."""

    def __init__(self, forms: dict[tuple[int, ...], Uses], databases: Databases) -> None:
        self.uses = list(forms.values())
        self.sizes: Index = np.array([len(units) for units in forms] or [0], dtype=np.int64)
        self._db = databases.literals(list(forms)) if forms else None

    def scan(self, data: bytes) -> list[Raw]:
        if self._db is None or not data:
            return []
        found: list[Raw] = []
        self._db.scan(data, match_event_handler=lambda n, start, end, flags, context: found.append((n, end)))
        return [(n, end >> 1) for n, end in found if not end & 1]  # an odd end lies between two units


class _Patterns(NamedTuple):
    db: hyperscan.Database
    uses: list[list[Use]]


class _Collected:
    """What the rules look for, before it is compiled."""

    def __init__(self) -> None:
        self.skeleton: dict[tuple[int, ...], Uses] = {}
        self.sound: dict[tuple[int, ...], Uses] = {}
        self.early: dict[str, dict[str, list[Use]]] = {}  # pack → pattern → uses
        self.late: dict[int, dict[str, list[Use]]] = {}  # rule → pattern → uses
        self.detectors: dict[str, Uses] = {}
        self.faults: list[Fault] = []

    def rule(self, rule: CompiledRule, tables: ViewTables) -> None:
        for i, selection in enumerate(rule.rule.selections):
            is_early = bool(rule.early >> i & 1)
            use = Use(rule.index, i, None)
            if selection.detector:
                _note(self.detectors.setdefault(selection.detector, Uses()), use, is_early)
            for pattern in selection.patterns:
                self._pattern(rule, fold_pattern(pattern, tables), use, is_early)
            for term in (*selection.terms, *selection.allow):
                try:
                    form = Form(term, tables, selection.views)
                except ValueError as error:
                    self.faults.append(_fault(rule, f"term {term!r} in {selection.name}: {error}"))
                    continue
                self._term(rule, form, Use(rule.index, i, form), is_early)

    def _term(self, rule: CompiledRule, form: Form, use: Use, is_early: bool) -> None:
        for units in form.skeleton:
            _note(self.skeleton.setdefault(units, Uses()), use, is_early)
        for units in form.sound:
            _note(self.sound.setdefault(units, Uses()), use, is_early)
        if form.literal:
            self._pattern(rule, form.literal, use, is_early)

    def _pattern(self, rule: CompiledRule, pattern: str, use: Use, is_early: bool) -> None:
        of = self.early.setdefault(rule.rule.pack, {}) if is_early else self.late.setdefault(rule.index, {})
        of.setdefault(pattern, []).append(use)


def _note(uses: Uses, use: Use, is_early: bool) -> None:
    (uses.early if is_early else uses.late).append(use)


class Matcher:
    """Compiled over the rules of all units. Not safe for two threads at once: one engine, one thread."""

    def __init__(self, rules: Sequence[CompiledRule], tables: ViewTables, databases: Databases) -> None:
        """Raises RuleError with all faults: terms that fold to nothing, patterns that do not compile."""
        collected = _Collected()
        for rule in rules:
            collected.rule(rule, tables)
        faults = collected.faults
        self._early: list[_Patterns] = []
        self._late: dict[int, _Patterns] = {}
        for some in collected.early.values():
            self._early += _compiled(some, databases, rules, faults)
        for index, some in collected.late.items():
            for patterns in _compiled(some, databases, rules, faults):
                self._late[index] = patterns
        if faults:
            raise RuleError(sorted(faults, key=lambda f: (f.path, f.line, f.message)))
        self._skeleton = _Literals(collected.skeleton, databases)
        self._sound = _Literals(collected.sound, databases)
        self._detectors = collected.detectors
        late = [*collected.skeleton.values(), *collected.sound.values(), *collected.detectors.values()]
        self.late_rules = frozenset(self._late) | {use.rule for uses in late for use in uses.late}

    def scan(self, views: Views, starts: Index) -> Scan:
        scan = Scan({}, {}, contacts(views, begins := starts.tolist()))
        skeleton, sound = self.scan_literals(views)
        if skeleton:
            self._place(scan, starts, self._skeleton, skeleton, views, _SKELETON)
        if sound:
            self._place(scan, starts, self._sound, sound, views, _SOUND)
        for patterns in self._early:
            for n, start, end in places(patterns.db, views):
                _add(scan.by_rule, bisect_right(begins, start) - 1, start, end, _PATTERN, patterns.uses[n])
        for contact in scan.contacts:
            uses = self._detectors.get(contact.kind)
            if uses is not None:
                start, end = begins[contact.event] + contact.start, begins[contact.event] + contact.end
                _add(scan.by_rule, contact.event, start, end, _PATTERN, uses.early)
                if uses.late:
                    scan.waiting.setdefault(contact.event, []).append((start, end, _PATTERN, uses.late))
        return scan

    def late_hits(self, scan: Scan, event: int, rule: int, views: Views, span: tuple[int, int]) -> list[RawHit]:
        """The hits of a rule that only matter once it could hold. `span`: the event's place in the joined text."""
        hits = [(start, end, view, use)
                for start, end, view, uses in scan.waiting.get(event, ()) for use in uses if use.rule == rule]
        late = self._late.get(rule)
        if late is not None:
            for n, start, end in places_in(late.db, views.plain_text[span[0] : span[1]], span[0]):
                hits += [(start, end, _PATTERN, use) for use in late.uses[n]]
        return hits

    def scan_literals(self, views: Views) -> tuple[list[Raw], list[Raw]]:
        """Literal hits of the skeleton and of the sound view, in units of each."""
        return self._skeleton.scan(mixed(views.skeleton)), self._sound.scan(mixed(views.sound))

    @staticmethod
    def _place(scan: Scan, starts: Index, literals: _Literals, found: list[Raw], views: Views, view: int) -> None:
        hits = np.array(found, dtype=np.int64)
        ends = hits[:, 1]
        begins = ends - literals.sizes[hits[:, 0]]
        a, b = views.of_sound(begins, ends) if view == _SOUND else views.of_skeleton(begins, ends)
        events = np.searchsorted(starts, a, side="right") - 1
        by_rule, uses = scan.by_rule, literals.uses
        for (n, _), event, start, end in zip(found, events.tolist(), a.tolist(), b.tolist(), strict=True):
            wanted = uses[n]
            for use in wanted.early:
                key = (event, use[0])
                if key in by_rule:
                    by_rule[key].append((start, end, view, use))
                else:
                    by_rule[key] = [(start, end, view, use)]
            if wanted.late:
                scan.waiting.setdefault(event, []).append((start, end, view, wanted.late))


def _add(
    by_rule: dict[tuple[int, int], list[RawHit]], event: int, start: int, end: int, view: int, uses: Iterable[Use]
) -> None:
    for use in uses:
        by_rule.setdefault((event, use.rule), []).append((start, end, view, use))


def _compiled(
    patterns: dict[str, list[Use]], databases: Databases, rules: Sequence[CompiledRule], faults: list[Fault]
) -> list[_Patterns]:
    """One database, or none where a pattern is at fault: then every faulty one is named."""
    try:
        return [_Patterns(databases.patterns(list(patterns)), list(patterns.values()))]
    except PatternError as error:
        wrong = {pattern: why for pattern in patterns if (why := fault_of(pattern))} or {error.expression: str(error)}
        faults += [_fault(rules[use.rule], f"pattern {pattern!r}: {why}")
                   for pattern, why in wrong.items() for use in patterns[pattern]]
        return []


def _fault(rule: CompiledRule, message: str) -> Fault:
    return Fault(rule.rule.path, rule.rule.line, 1, message, "see docs/rules.md")
