"""What all rules together look for, in two lexicons.

Selections that a condition names are looked for in every text, all rules in one scan per view. All others (vetoes,
shared contexts, what `near` asks for, what a condition negates) are made of everyday words and only matter once a rule
could hold: they are looked for in that one text, then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.domain.rules import View
from monitor.engine.compiled import CompiledRule
from monitor.engine.lexicon import Lexicon, Owner, RawHit
from monitor.engine.patterns import ContactSpan, contacts
from monitor.engine.sightings import Detected, Pair, Seen, Sightings
from monitor.engine.views import Index, Views


class Scan(NamedTuple):
    early: Seen
    contacts: list[ContactSpan]


class Matcher:
    """Compiled over the rules of all units. Not safe for two threads at once: one engine, one thread."""

    def __init__(self, rules: Sequence[CompiledRule], contexts: int, early: Lexicon, late: Lexicon) -> None:
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
        self.owners = len(rules) + contexts
        self._applies: NDArray[np.bool_] = np.array([list(rule.codes) for rule in rules], dtype=bool)
        self._kinds = frozenset((*self._detectors, *self._late_detectors))

    def scan(self, views: Views, starts: Index, codes: Callable[[Index], Index]) -> Scan:
        """`codes`: kind, role and stage of events as one number each. What no rule applies to is not looked at."""
        begins = starts.tolist()
        found = contacts(views, begins, self._kinds)
        early = Sightings(self._early, views, starts, _detected(found, self._detectors, begins))
        return Scan(early.ask(lambda events, rules: self._applies[rules, codes(events)]), found)

    def late(self, scan: Scan, events: Sequence[int], views: Views, starts: Index) -> Sightings:
        """What only matters once a rule could hold, in these texts, which are in order."""
        detected = _detected(scan.contacts, self._late_detectors, starts.tolist())
        return Sightings(self._late, views, starts, detected, events)

    def scan_literals(self, views: Views) -> int:
        """The literal scans alone; how many hits they give."""
        return len(self._early.scan(views).literals)


def _detected(
    contacts: Iterable[ContactSpan], asking: Mapping[str, list[Owner]], begins: Sequence[int]
) -> Detected:
    found: dict[Pair, list[RawHit]] = {}
    for contact in contacts if asking else ():
        base = begins[contact.event]
        for owner, part in asking.get(contact.kind, ()):
            found.setdefault((contact.event, owner), []).append(
                RawHit(base + contact.start, base + contact.end, View.PLAIN, part, None))
    return found
