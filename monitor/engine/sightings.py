"""What a lexicon sees in some texts of a batch: literals at once, then what may be hit, of those who ask. A pattern
runs, and the hits of one owner are put together, where that is asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.engine.expressions import OneText
from monitor.engine.lexicon import VIEWS, Hits, Lexicon, RawHit
from monitor.engine.views import Index, Views, changes, span_of

Pair = tuple[int, int]
"""An event of the batch, and whoever asks: an owner's first number."""
Detected = Mapping[Pair, list[RawHit]]
"""Hits of detectors."""
Wanted = Callable[[Index, NDArray[Any]], NDArray[np.bool_]]
"""Of n pairs, as two arrays of n: which are asked for, bool[n]."""
Number = TypeVar("Number", int, Index)


_OWNERS: Final = 1 << 32
"""More than there are."""


class Pairs:
    """n events and whoever asks, a rule, each once and in order. `keys`: int64[n], by `_key`; `parts`: a bit mask of
    each, int64[n], or objects where one has too many."""

    __slots__ = ("keys", "parts")

    def __init__(self, keys: Index, parts: NDArray[Any]) -> None:
        self.keys, self.parts = keys, parts

    @property
    def events(self) -> Index:
        return self.keys >> 32

    @property
    def owners(self) -> Index:
        return self.keys & (_OWNERS - 1)

    def __len__(self) -> int:
        return self.keys.size

    def __iter__(self) -> Iterator[Pair]:
        return zip(self.events.tolist(), self.owners.tolist(), strict=True)

    def asked(self) -> Iterator[tuple[int, int]]:
        """The owner and the parts of each."""
        return zip(self.owners.tolist(), self.parts.tolist(), strict=True)

    def chosen(self, which: Sequence[bool] | NDArray[np.bool_]) -> "Pairs":
        mask = np.asarray(which, dtype=bool)
        return Pairs(self.keys[mask], self.parts[mask])

    def beside(self, other: "Pairs") -> "Pairs":
        """These pairs, each with its parts in the other as well."""
        if not len(other):
            return self
        at = np.minimum(np.searchsorted(other.keys, self.keys), len(other) - 1)
        return Pairs(self.keys, self.parts | np.where(other.keys[at] == self.keys, other.parts[at], 0))


def _key(event: Number, owner: Number) -> Number:
    """Of an event and who asks, or of arrays of them."""
    return event * _OWNERS + owner


def pairs_of(found: Sequence[Pair]) -> Pairs:
    """Without a part; in any order."""
    keys = np.array(sorted({_key(event, owner) for event, owner in found}), dtype=np.int64)
    return Pairs(keys, np.zeros_like(keys))


def together(some: Iterable[Pairs]) -> Pairs:
    """Each pair once, with all its parts."""
    some = [each for each in some if len(each)]
    if len(some) < 2:
        return some[0] if some else pairs_of(())
    keys, parts = map(np.concatenate, zip(*((each.keys, each.parts) for each in some), strict=True))
    order, first = _grouped(keys)
    return Pairs(keys[order[first]], np.bitwise_or.reduceat(parts[order], first))


def _grouped(keys: Index) -> tuple[Index, Index]:
    """(the order of the keys, where in it another one begins)"""
    order = np.argsort(keys, kind="stable")
    return order, changes(keys[order])


def among(events: Index, owners: Index | int, count: int, of: range) -> Wanted:
    """These pairs (int64[n] each), of `count` events and the owners in `of`."""
    asked = np.zeros(count * len(of), dtype=bool)
    asked[events * len(of) + owners - of.start] = True
    return lambda events, owners: asked.take(events * len(of) + owners - of.start)


_PATTERN: Final = -1
_DETECTED: Final = -2
_NOTHING: Final = (0, 0, 0)


class Sightings:
    """`begins`: where the texts of the batch begin in the joined text. `events`: those that are looked at; their texts
    are scanned together, as a batch of their own. None: all of them."""

    def __init__(self, lexicon: Lexicon, views: Views, begins: Index, detected: Detected,
                 events: Sequence[int] | None = None) -> None:
        self.lexicon, self.views, self.detected = lexicon, views, detected
        self._begins = begins
        self._places: tuple[Index, Index, Index]
        self._leading: tuple[Index, NDArray[Any]]
        self._texts: dict[int, OneText] = {}
        self._spans: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self._led = bool(lexicon) and (events is None or bool(events))
        if not self._led:
            return
        if events is None:
            hits = lexicon.scan(views)
            self._led_to(hits, np.searchsorted(begins, hits.starts, side="right") - 1, np.arange(begins.size))
        else:
            spans = [span_of(event, begins, views) for event in events]
            hits = lexicon.scan(Views(views.tables, "\n".join([views.text[start:end] for start, end in spans])))
            every = np.array(events, dtype=np.int64)
            sizes = np.array([end - start + 1 for start, end in spans])
            joined = np.cumsum(sizes) - sizes
            text = np.searchsorted(joined, hits.starts, side="right") - 1
            moved = (begins[every] - joined)[text]
            self._led_to(Hits(hits.literals, hits.starts + moved, hits.ends + moved), every[text], every)

    def _led_to(self, hits: Hits, of: Index, events: Index) -> None:
        """`of`: the event of each hit."""
        lexicon = self.lexicon
        hit, self._terms = lexicon.terms.of(hits.literals)
        self._places = of[hit], hits.starts[hit], hits.ends[hit]
        hit, leads = lexicon.atoms.of(hits.literals)
        self._leading = of[hit], leads[:, 0]
        if lexicon.wordless.size:
            everywhere, wordless = np.repeat(events, lexicon.wordless.size), np.tile(lexicon.wordless, events.size)
            self._leading = np.concatenate((of[hit], everywhere)), np.concatenate((leads[:, 0], wordless))

    def ask(self, wanted: Wanted | None) -> "Seen":
        """None: nothing is asked for."""
        return Seen(self, [] if wanted is None else [rows for rows in self._wanted(wanted) if len(rows)])

    def _wanted(self, wanted: Wanted) -> Iterator[Index]:
        if self._led and self._terms.size:
            events, starts, ends = self._places
            chosen = np.flatnonzero(wanted(events, self._terms[:, 0]))
            yield _rows(events[chosen], self._terms.take(chosen, axis=0), starts[chosen], ends[chosen])
        if self._led and self._leading[0].size:
            events, leads = self._leading
            chosen = np.flatnonzero(wanted(events, self.lexicon.leading.take(leads)))
            if chosen.size:
                yield self._patterns(events[chosen], leads[chosen])
        if self.detected:
            pairs = [(*pair, hit.selection, 0, 0, 0, _DETECTED)
                     for pair, hits in self.detected.items() for hit in hits]
            rows = np.array(pairs, dtype=np.int64)
            yield rows[wanted(rows[:, 0], rows[:, 1])]

    def _patterns(self, events: Index, leads: Index) -> Index:
        """Each once, without those whose gates are shut."""
        count = len(self.lexicon.leads)
        keys = np.sort(events * count + leads)
        events, leads = np.divmod(keys[changes(keys)], count)
        rows = self.lexicon.leads.take(leads, axis=0)
        is_open = self._open(events, rows[:, -1].astype(np.int64))
        return _rows(events[is_open], rows.take(is_open, axis=0), _PATTERN)

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


def _rows(events: Index, leads: NDArray[np.int32], *places: Index | int) -> Index:
    """One behind the other, as columns."""
    width = 1 + leads.shape[1]
    found = np.empty((events.size, width + len(places)), dtype=np.int64)
    found[:, 0], found[:, 1:width] = events, leads
    for column, place in enumerate(places, width):
        found[:, column] = place
    return found


class Seen:
    """What may be hit, of those who asked. `found`: rows of int64, if any: event and lead, then the start and the end
    of a term, or the number of a pattern and _PATTERN; the lead of what is _DETECTED is its owner alone."""

    def __init__(self, sightings: Sightings, found: Sequence[Index]) -> None:
        self._sightings = sightings
        self.pairs = pairs_of(())
        """Of each pair its parts that may be hit. No other has a hit."""
        if found:
            self._group(np.concatenate(found))

    def _group(self, found: Index) -> None:
        keys = _key(found[:, 0], found[:, 1])
        order, self._first = _grouped(keys)
        self._found = found.take(order, axis=0)
        parts = self._found[:, 2]
        bits = np.left_shift(1, parts, dtype=np.int64 if parts.max(initial=0) < 63 else object)
        self.pairs = Pairs(keys[order[self._first]], np.bitwise_or.reduceat(bits, self._first))

    @cached_property
    def _rows(self) -> dict[int, tuple[int, int, int]]:
        """By key: where its rows begin and end, and its parts."""
        if not len(self.pairs):
            return {}
        places = pairwise([*self._first.tolist(), len(self._found)])
        rows = [(*place, parts) for place, parts in zip(places, self.pairs.parts.tolist(), strict=True)]
        return dict(zip(self.pairs.keys.tolist(), rows, strict=True))

    def parts(self, event: int, owner: int) -> int:
        """Of one owner, a rule or -1 - context, the parts that may be hit."""
        return self._rows.get(_key(event, owner), _NOTHING)[2]

    def of(self, event: int, owner: int) -> list[RawHit]:
        """Its hits."""
        begin, end, parts = self._rows.get(_key(event, owner), _NOTHING)
        if not parts:
            return []
        rows: list[list[int]] = self._found[begin:end].tolist()
        forms = self._sightings.lexicon.forms
        found = [RawHit(start, end, VIEWS[view], part, forms[form])
                 for _, _, part, view, form, start, end in rows if end >= 0]
        found += self._sightings.detected.get((event, owner), ())
        for pattern, leads in groupby([row for row in rows if row[-1] == _PATTERN], itemgetter(-2)):
            spans = self._sightings.spans(event, pattern)
            for _, _, part, view, form, _, _ in leads if spans else ():
                places = spans if form >= 0 else self._sightings.views.whole_runs(spans)
                found += [RawHit(start, end, VIEWS[view], part, forms[form]) for start, end in places]
        return found
