"""What all rules together look for, in three lexicons.

Selections that a condition names are looked for in every text, all rules in one scan per view; those of gated rules in
the texts only that a classifier does not find unlikely to break one of them. All others (vetoes, shared contexts, what
`near` asks for, what a condition negates) are made of everyday words and only matter once a rule could hold: they are
looked for in that one text, then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.domain.rules import View
from monitor.engine.batch import CODES
from monitor.engine.compiled import CompiledRule
from monitor.engine.lexicon import Lexicon, Owner, RawHit
from monitor.engine.patterns import ContactSpan, contacts
from monitor.engine.scoring import Likely
from monitor.engine.sightings import Detected, Pair, Seen, Sightings, together
from monitor.engine.views import Index, Views


class Scan(NamedTuple):
    early: "Early"
    contacts: list[ContactSpan]


class Early:
    """What is seen at first: of gated rules, and of the others. No rule is both."""

    def __init__(self, always: Seen, gated: Seen) -> None:
        self._always, self._gated = always, gated
        self.pairs = together([always.pairs, gated.pairs])

    def of(self, event: int, owner: int) -> list[RawHit]:
        return self._always.of(event, owner) or self._gated.of(event, owner)


class Matcher:
    """Compiled over the rules of all units. Not safe for two threads at once: one engine, one thread."""

    def __init__(
        self, rules: Sequence[CompiledRule], contexts: int, early: Lexicon, gated: Lexicon, late: Lexicon
    ) -> None:
        self._early, self._gated, self._late = early, gated, late
        self._detectors: dict[str, list[Owner]] = {}
        self._gated_detectors: dict[str, list[Owner]] = {}
        self._late_detectors: dict[str, list[Owner]] = {}
        self.late_rules: NDArray[np.bool_] = np.zeros(len(rules), dtype=bool)
        for rule in rules:
            for i, selection in enumerate(rule.rule.selections):
                at_once = bool(rule.early >> i & 1)
                if selection.detector:
                    at_first = self._gated_detectors if rule.gated else self._detectors
                    of = at_first if at_once else self._late_detectors
                    of.setdefault(selection.detector, []).append((rule.index, i))
                if not at_once and not selection.room and not selection.score:
                    self.late_rules[rule.index] = True
        self.owners = range(-contexts, len(rules))
        self.codes = np.frombuffer(b"".join(rule.codes for rule in rules), dtype=np.uint8).reshape(-1, CODES)
        """By rule and code: see `CompiledRule.codes`."""
        self._kinds = frozenset((*self._detectors, *self._gated_detectors, *self._late_detectors))

    def contacts(self, views: Views, starts: Index) -> list[ContactSpan]:
        """What detectors find: contact data, and what rules ask for."""
        return contacts(views, starts.tolist(), self._kinds)

    def scan(
        self, views: Views, starts: Index, codes: Callable[[Index], Index], found: list[ContactSpan],
        likely: Likely | None = None,
    ) -> Scan:
        """`codes`: kind, role and stage of events as one number each. What no rule applies to is not looked at, nor
        what `likely` leaves out. `found`: by `contacts`."""
        begins, applies = starts.tolist(), partial(self._applies, codes)
        always = Sightings(self._early, views, starts, _detected(found, self._detectors, begins)).ask(applies)
        detected = _detected(found, self._gated_detectors, begins)
        if likely is None:
            return Scan(Early(always, Sightings(self._gated, views, starts, detected).ask(applies)), found)
        gated = Sightings(self._gated, views, starts, detected, likely.events)
        return Scan(Early(always, gated.ask(
            (lambda events, rules: applies(events, rules) & likely.allows(events, rules)) if likely.events else None)),
            found)

    def _applies(self, codes: Callable[[Index], Index], events: Index, rules: NDArray[Any]) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.codes.take(rules * np.int64(CODES) + codes(events)) > 0
        return found

    def late(self, scan: Scan, events: Sequence[int], views: Views, starts: Index) -> Sightings:
        """What only matters once a rule could hold, in these texts, which are in order."""
        detected = _detected(scan.contacts, self._late_detectors, starts.tolist())
        return Sightings(self._late, views, starts, detected, events)

    def everywhere(self, views: Views, starts: Index) -> Sightings:
        """What is looked for late, in every text."""
        return Sightings(self._late, views, starts, {})

    def scan_literals(self, views: Views) -> int:
        """The literal scans alone; how many hits they give."""
        return len(self._early.scan(views).literals) + len(self._gated.scan(views).literals)


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
