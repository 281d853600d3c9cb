"""What a lexicon sees in some texts of a batch: literals at once, a pattern when it is asked for, and the hits of one
owner put together when they are asked for."""

from collections.abc import Mapping, Sequence

import numpy as np

from monitor.engine.lexicon import Leads, Lexicon, RawHit
from monitor.engine.views import Index, Views, span_of

Detected = Mapping[int, Mapping[int, list[RawHit]]]
"""event → owner → hits of detectors"""
Sighting = tuple[Leads, int, int]
"""A literal's leads, and its place in code points of the joined text."""


class Sightings:
    """`events`: those of the batch that are looked at; their texts are scanned together, as a batch of their own. None:
    all of them. What a lexicon holds for an owner is told by the owner's first number, in a lead by its second."""

    def __init__(self, lexicon: Lexicon, views: Views, begins: Sequence[int], detected: Detected,
                 events: Sequence[int] | None = None) -> None:
        self._lexicon, self._views, self._begins, self._detected = lexicon, views, begins, detected
        self.terms: dict[int, list[Sighting]] = {}
        """By event."""
        self.patterns: dict[int, set[int]] = {}
        """By event, numbers of the patterns that may match, since one of their literals stands in the text."""
        self._wordless = set(lexicon.wordless)
        self._spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
        if events is None:
            self._scan(views, np.array(begins), range(len(begins)))
        elif events and lexicon:
            texts = "\n".join([views.text[slice(*span_of(event, begins, views))] for event in events])
            self._scan(Views(views.tables, texts), np.array(begins)[events], events)

    def _scan(self, texts: Views, begins: Index, events: Sequence[int]) -> None:
        """`begins`: where each of the texts, which are those of `events`, begins in the batch."""
        moved = begins - texts.begins
        for view, units, raw in self._lexicon.scan_literals(texts):
            leads = self._lexicon.leads(view)
            starts, ends = self._lexicon.places(view, units, raw)
            which = np.searchsorted(texts.begins, starts, side="right") - 1
            starts, ends = starts + moved[which], ends + moved[which]
            for (n, _), i, start, end in zip(raw, which.tolist(), starts.tolist(), ends.tolist(), strict=True):
                if leads[n].terms:
                    self.terms.setdefault(events[i], []).append((leads[n], start, end))
                if leads[n].patterns:
                    self.patterns.setdefault(events[i], set(self._wordless)).update(leads[n].patterns)

    def spans(self, event: int, pattern: int) -> list[tuple[int, int]]:
        """The hits of one pattern; it runs once in a text."""
        found = self._spans.get((event, pattern))
        if found is None:
            text = self._views.one(*span_of(event, self._begins, self._views))
            found = self._spans[event, pattern] = self._lexicon.hits(pattern, text)
        return found

    def of(self, event: int, owner: int) -> list[RawHit]:
        """The hits of one owner: a rule, or -1 - context."""
        found = [RawHit(start, end, view, part, form) for literal, start, end in self.terms.get(event, ())
                 if owner in literal.terms for view, form, (_, part) in literal.terms[owner]]
        found += self._detected.get(event, {}).get(owner, ())
        for number, leads in self._lexicon.asked(owner, self.patterns.get(event) or self._wordless):
            spans = self.spans(event, number)
            for view, form, (_, part) in leads if spans else ():
                places = spans if form else self._views.whole_runs(spans)
                found += [RawHit(start, end, view, part, form) for start, end in places]
        return found
