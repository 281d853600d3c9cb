"""What a lexicon sees in some texts of a batch: literals at once; what may be hit, where somebody asks; a pattern runs,
and the hits of one owner are put together, where that is asked for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.engine.expressions import OneText
from monitor.engine.lexicon import VIEWS, Lexicon, RawHit
from monitor.engine.views import Index, Views, span_of

Detected = Mapping[int, Mapping[int, list[RawHit]]]
"""event → owner → hits of detectors"""
Wanted = Callable[[Index, NDArray[np.int32]], NDArray[np.bool_]]
"""Of n pairs of an event and an owner's first number: which are asked for, bool[n]."""


def among(pairs: Collection[tuple[int, int]], events: int, owners: int) -> Wanted:
    """These pairs, of so many events and owners."""
    asked = np.zeros((events, owners), dtype=bool)
    asked[tuple(zip(*pairs, strict=True))] = True
    return lambda events, owners: asked[events, owners]  # negative owners count from the end


class _Seen(NamedTuple):
    """Of one owner in one text: places of terms, as (start, end, view, form, part), and what may match: (pattern, view,
    form, part), by pattern."""

    terms: list[tuple[int, int, int, int, int]]
    patterns: list[tuple[int, int, int, int]]


class Sightings:
    """`begins`: where the texts of the batch begin in the joined text. `events`: those that are looked at; their texts
    are scanned together, as a batch of their own. None: all of them. An owner is named by its first number."""

    def __init__(self, lexicon: Lexicon, views: Views, begins: Index, detected: Detected,
                 events: Sequence[int] | None = None) -> None:
        self._lexicon, self._views, self._begins, self._detected = lexicon, views, begins, detected
        self.bits: dict[tuple[int, int], int] = {}
        """By event and owner that was asked for: its parts that may be hit. No other has a hit."""
        self._seen: dict[tuple[int, int], _Seen] = {}
        self._texts: dict[int, OneText] = {}
        self._spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for event, owners in detected.items():
            for owner, hits in owners.items():
                for hit in hits:
                    self._note(event, owner, hit.selection)
        if events is None:
            self._scan(views, np.arange(begins.size))
        elif events:
            spans = [span_of(event, begins, views) for event in events]
            joined = "\n".join([views.text[start:end] for start, end in spans])
            self._scan(Views(views.tables, joined), np.array(events))

    def _scan(self, texts: Views, events: Index) -> None:
        lexicon = self._lexicon
        hits = lexicon.scan(texts)
        text = np.searchsorted(texts.begins, hits.starts, side="right") - 1
        moved, of = self._begins[events] - texts.begins, events[text]
        hit, self._terms = lexicon.terms.of(hits.literals)
        self._places = of[hit], hits.starts[hit] + moved[text[hit]], hits.ends[hit] + moved[text[hit]]
        hit, atoms = lexicon.atoms.of(hits.literals)
        pairs = of[hit] * len(lexicon.patterns) + atoms[:, 0]
        if lexicon.wordless.size:
            pairs = np.concatenate((pairs, (events[:, None] * len(lexicon.patterns) + lexicon.wordless).ravel()))
        self._pairs = np.divmod(np.unique(pairs), len(lexicon.patterns))

    def ask(self, wanted: Wanted) -> None:
        """What is wanted is told by `bits` and `of` from then on; each owner is asked for once."""
        events, starts, ends = self._places
        chosen = np.flatnonzero(wanted(events, self._terms[:, 2]))
        places = np.column_stack([each[chosen] for each in (events, starts, ends, self._terms)]).tolist()
        for event, start, end, view, form, owner, part in places:
            self._note(event, owner, part).terms.append((start, end, view, form, part))
        events, patterns = self._pairs
        which, leads = self._lexicon.asking.of(patterns)
        chosen = np.flatnonzero(wanted(events[which], leads[:, 2]))
        chosen = chosen[self._open(events[which[chosen]], patterns[which[chosen]])]
        which = which[chosen]
        for event, pattern, view, form, owner, part in np.column_stack(
                [events[which], patterns[which], leads[chosen]]).tolist():
            self._note(event, owner, part).patterns.append((pattern, view, form, part))

    def _open(self, events: Index, patterns: Index) -> Index:
        ends = np.append(self._begins[1:] - 1, len(self._views.plain))
        firsts = self._begins[events]
        return self._lexicon.gates.open(patterns, firsts, ends[events] - firsts, self._views.plain)

    def _note(self, event: int, owner: int, part: int) -> _Seen:
        key = event, owner
        self.bits[key] = self.bits.get(key, 0) | 1 << part
        found = self._seen.get(key)
        if found is None:
            found = self._seen[key] = _Seen([], [])
        return found

    def of(self, event: int, owner: int) -> list[RawHit]:
        """The hits of one owner: a rule, or -1 - context."""
        seen, forms = self._seen.get((event, owner)), self._lexicon.forms
        if seen is None:
            return []
        found = [RawHit(start, end, VIEWS[view], part, forms[form]) for start, end, view, form, part in seen.terms]
        found += self._detected.get(event, {}).get(owner, ())
        for pattern, leads in groupby(seen.patterns, itemgetter(0)):
            spans = self.spans(event, pattern)
            for _, view, form, part in leads if spans else ():
                places = spans if form >= 0 else self._views.whole_runs(spans)
                found += [RawHit(start, end, VIEWS[view], part, forms[form]) for start, end in places]
        return found

    def spans(self, event: int, pattern: int) -> list[tuple[int, int]]:
        """The hits of one pattern; it runs once in a text."""
        found = self._spans.get((event, pattern))
        if found is None:
            text = self._texts.get(event)
            if text is None:
                text = self._texts[event] = OneText(self._views, *span_of(event, self._begins, self._views))
            found = self._spans[event, pattern] = self._lexicon.patterns[pattern].hits(text)
        return found
