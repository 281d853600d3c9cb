"""What a lexicon sees in some texts of a batch: literals at once, then what may be hit, of those who ask. A pattern
runs, and the hits of one owner are put together, where that is asked for."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitor.engine.expressions import OneText
from monitor.engine.lexicon import VIEWS, Lexicon, RawHit
from monitor.engine.views import Index, Views, span_of

Pair = tuple[int, int]
"""An event of the batch, and whoever asks: an owner's first number."""
Detected = Mapping[Pair, list[RawHit]]
"""Hits of detectors."""
Wanted = Callable[[Index, NDArray[Any]], NDArray[np.bool_]]
"""Of n pairs, as two arrays of n: which are asked for, bool[n]."""


def among(pairs: Collection[Pair], events: int, owners: int) -> Wanted:
    """These pairs, at least one, of so many events and owners."""
    asked = np.zeros((events, owners), dtype=bool)
    asked[tuple(zip(*pairs, strict=True))] = True
    return lambda events, owners: asked[events, owners]  # negative owners count from the end


_OWNERS: Final = 1 << 32
"""More than there are."""


class Sightings:
    """`begins`: where the texts of the batch begin in the joined text. `events`: those that are looked at; their texts
    are scanned together, as a batch of their own. None: all of them."""

    def __init__(self, lexicon: Lexicon, views: Views, begins: Index, detected: Detected,
                 events: Sequence[int] | None = None) -> None:
        self.lexicon, self.views, self.detected = lexicon, views, detected
        self._begins = begins
        self._texts: dict[int, OneText] = {}
        self._spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
        if events is None:
            self._scan(views, np.arange(begins.size))
        elif events:
            spans = [span_of(event, begins, views) for event in events]
            joined = "\n".join([views.text[start:end] for start, end in spans])
            self._scan(Views(views.tables, joined), np.array(events, dtype=np.int64))

    def _scan(self, texts: Views, events: Index) -> None:
        lexicon = self.lexicon
        hits = lexicon.scan(texts)
        text = np.searchsorted(texts.begins, hits.starts, side="right") - 1
        of: Index = events[text]
        moved = self._begins[events] - texts.begins[: events.size]
        hit, self._terms = lexicon.terms.of(hits.literals)
        self._places = of[hit], hits.starts[hit] + moved[text[hit]], hits.ends[hit] + moved[text[hit]]
        hit, leads = lexicon.atoms.of(hits.literals)
        wordless = lexicon.wordless.size
        self._leading: tuple[Index, Index] = (np.concatenate((of[hit], np.repeat(events, wordless))),
                         np.concatenate((leads[:, 0], np.tile(lexicon.wordless, events.size))))

    def ask(self, wanted: Wanted | None) -> "Seen":
        """None: nothing is asked for."""
        terms = patterns = detected = np.zeros((0, 3), dtype=np.int64)
        if wanted is not None:
            if self.detected:
                found = [(*pair, hit.selection) for pair, hits in self.detected.items() for hit in hits]
                detected = np.array(found, dtype=np.int64)
                detected = detected[wanted(detected[:, 0], detected[:, 1])]
            events, starts, ends = self._places
            chosen = np.flatnonzero(wanted(events, self._terms[:, 0]))
            if chosen.size:
                terms = np.column_stack([events[chosen], self._terms[chosen], starts[chosen], ends[chosen]])
            events, leads = self._leading
            chosen = np.flatnonzero(wanted(events, self.lexicon.leads[leads, 0]))
            if chosen.size:
                patterns = self._patterns(events[chosen], leads[chosen])
        return Seen(self, terms, patterns, detected)

    def _patterns(self, events: Index, leads: Index) -> Index:
        """Each once, without those whose gates are shut."""
        count = len(self.lexicon.leads)
        keys = np.unique(events * count + leads)
        events, rows = keys // count, self.lexicon.leads[keys % count]
        is_open = self._open(events, rows[:, -1])
        return np.column_stack([events[is_open], rows[is_open]])

    def _open(self, events: Index, patterns: Index) -> Index:
        ends = np.append(self._begins[1:] - 1, len(self.views.plain))
        firsts = self._begins[events]
        return self.lexicon.gates.open(patterns, firsts, ends[events] - firsts, self.views.plain)

    def spans(self, event: int, pattern: int) -> list[tuple[int, int]]:
        """The hits of one pattern; it runs once in a text."""
        found = self._spans.get((event, pattern))
        if found is None:
            text = self._texts.get(event)
            if text is None:
                text = self._texts[event] = OneText(self.views, *span_of(event, self._begins, self.views))
            found = self._spans[event, pattern] = self.lexicon.patterns[pattern].hits(text)
        return found


class Seen:
    """What may be hit, of those who asked. Rows of int64: event and lead, then the place of one of `terms`, the number
    of one of `patterns`; of what is `detected`, event and owner."""

    def __init__(self, sightings: Sightings, terms: Index, patterns: Index, detected: Index) -> None:
        self._sightings = sightings
        self.bits: dict[Pair, int] = {}
        """Of each pair its parts that may be hit, in order of events and owners. No other has a hit."""
        self._numbers: dict[Pair, int] = {}
        if len(terms) or len(patterns) or len(detected):
            self._group(terms, patterns, detected)

    def _group(self, terms: Index, patterns: Index, detected: Index) -> None:
        every = np.concatenate([rows[:, :3] for rows in (terms, patterns, detected)])
        keys = every[:, 0] * _OWNERS + every[:, 1]
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        bits = np.zeros(first.size, dtype=np.int64 if every[:, 2].max(initial=0) < 63 else object)
        np.bitwise_or.at(bits, which, np.left_shift(1, every[:, 2], dtype=bits.dtype))
        pairs = zip(every[first, 0].tolist(), every[first, 1].tolist(), strict=True)
        self.bits = dict(zip(pairs, bits.tolist(), strict=True))
        self._numbers = dict(zip(self.bits, range(first.size), strict=True))
        self._terms = _Grouped(terms, which[: len(terms)], first.size)
        self._patterns = _Grouped(patterns, which[len(terms) : len(terms) + len(patterns)], first.size)

    def of(self, event: int, owner: int) -> list[RawHit]:
        """The hits of one owner: a rule, or -1 - context."""
        number, forms = self._numbers.get((event, owner)), self._sightings.lexicon.forms
        if number is None:
            return []
        found = [RawHit(start, end, VIEWS[view], part, forms[form])
                 for _, _, part, view, form, start, end in self._terms.of(number)]
        found += self._sightings.detected.get((event, owner), ())
        for pattern, leads in groupby(self._patterns.of(number), itemgetter(-1)):
            spans = self._sightings.spans(event, pattern)
            for _, _, part, view, form, _ in leads if spans else ():
                places = spans if form >= 0 else self._sightings.views.whole_runs(spans)
                found += [RawHit(start, end, VIEWS[view], part, forms[form]) for start, end in places]
        return found


class _Grouped:
    """Rows by group, in order. `which`: int64[rows], the group of each."""

    def __init__(self, rows: Index, which: Index, groups: int) -> None:
        self._rows = rows[np.argsort(which, kind="stable")]
        self._ends = [0, *np.cumsum(np.bincount(which, minlength=groups)).tolist()]

    def of(self, group: int) -> list[list[int]]:
        found: list[list[int]] = self._rows[self._ends[group] : self._ends[group + 1]].tolist()
        return found
