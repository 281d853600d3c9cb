"""What all rules together look for, in two lexicons.

Selections that a condition names are looked for in every text, all rules in one scan per view. All others (vetoes,
shared contexts, what `near` asks for, what a condition negates) are made of everyday words and only matter once a rule
could hold: they are looked for in that one text, then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.domain.rules import View
from monitor.engine.compiled import CompiledRule
from monitor.engine.lexicon import Lexicon, Owner, RawHit
from monitor.engine.patterns import ContactSpan, contacts
from monitor.engine.sightings import Sightings
from monitor.engine.views import Index, Views


class Scan(NamedTuple):
    """`bits`: event → rule → which of its selections have a hit, of those that are looked for in every text."""

    bits: dict[int, dict[int, int]]
    early: Sightings
    contacts: list[ContactSpan]


class Matcher:
    """Compiled over the rules of all units. Not safe for two threads at once: one engine, one thread."""

    def __init__(self, rules: Sequence[CompiledRule], early: Lexicon, late: Lexicon) -> None:
        self._early, self._late = early, late
        self._detectors: dict[str, list[Owner]] = {}
        self._late_detectors: dict[str, list[Owner]] = {}
        searched: set[int] = set()
        for rule in rules:
            for i, selection in enumerate(rule.rule.selections):
                at_once = bool(rule.early >> i & 1)
                if selection.detector:
                    of = self._detectors if at_once else self._late_detectors
                    of.setdefault(selection.detector, []).append((rule.index, i))
                if not at_once and not selection.room and not selection.score:
                    searched.add(rule.index)
        self.late_rules = frozenset(searched)
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
        for event in early.terms.keys() | early.patterns.keys():
            here, at = dict[int, int](), code(event)
            for leads, _, _ in early.terms.get(event, ()):
                for rule, mark in leads.marks:
                    if self._applies[rule][at]:
                        here[rule] = here.get(rule, 0) | mark
            for pattern in early.patterns.get(event, ()):
                if self._pattern_applies[pattern][at] and early.spans(event, pattern):
                    for rule, mark in self._early.pattern_marks[pattern]:
                        here[rule] = here.get(rule, 0) | mark
            if here:
                bits[event] = here
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
