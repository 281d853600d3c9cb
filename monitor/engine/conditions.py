"""Which hits of a rule survive, and how they differ from their terms.

Order: a hit must be one (edges, sentence ends, the views its term asks for) → allow → proof → near → veto → times.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from monitor.domain.events import Kind
from monitor.domain.findings import Evasion
from monitor.domain.rules import Listed, View
from monitor.engine.compiled import SENTENCE_ENDS, CompiledContext, CompiledRule
from monitor.engine.folds import runs
from monitor.engine.lexicon import RawHit
from monitor.engine.reach import Place, Places, Reached, Reaching
from monitor.engine.terms import Form
from monitor.engine.views import Views

_SENTENCE_ENDS: Final = frozenset(SENTENCE_ENDS)
_ORDER: Final = {view: i for i, view in enumerate(View)}
_DIGITS: Final = frozenset("0123456789")
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")


class Hit:
    """A hit that stands. `start`, `end`: code points of the joined text."""

    __slots__ = ("end", "form", "selection", "start", "view")

    def __init__(self, selection: int, start: int, end: int, view: View, form: Form | None) -> None:
        self.selection = selection
        self.start = start
        self.end = end
        self.view = view
        self.form = form


class Heard(NamedTuple):
    """A context in one text: its hits (`selection` is the part), and for each part what they reach."""

    hits: list[Hit]
    reached: list[Reached]


SILENCE: Final = Heard([], [])

Hear = Callable[[int], Heard]
"""context → what is heard of it"""


def genuine(raw: Iterable[RawHit], views: Views) -> list[Hit]:
    """The hits that are hits: at the right edges, in a view that the term asks for; each place once, in the plainest
    view in which it is hit."""
    seen: dict[tuple[int, int, int], Hit] = {}
    for start, end, view, selection, form in raw:
        key = (selection, start, end)
        known = seen.get(key)
        if known is not None and known.view is View.PLAIN:
            continue
        seen_as = view if form is None else _view_of(form, view, start, end, views)
        if seen_as is not None and (known is None or _ORDER[seen_as] < _ORDER[known.view]):
            seen[key] = Hit(selection, start, end, seen_as, form)
    return list(seen.values())


def _view_of(form: Form, view: View, start: int, end: int, views: Views) -> View | None:
    """The plainest view in which this place shows the term, if the term asks for that view."""
    text = views.plain_text
    first, last = text[start], text[end - 1]
    if not _edge_free(first, text[start - 1 : start]) or not _edge_free(last, text[end : end + 1]):
        return None
    if form.literal and view is View.PLAIN:
        return View.PLAIN
    if view is not View.SKELETON and _same_characters(form, start, end, views):
        view = View.SKELETON
    gap = views.skeleton_between(start, end) != end - start
    if view is View.SKELETON and not gap:
        view = View.PLAIN
    if gap and form.two and not _SENTENCE_ENDS.isdisjoint(text[start:end]):
        return None
    if view in form.views or (view is View.PLAIN and not form.literal):
        return view if _fits(form, view, start, end, views) else None
    return View.SOUND if view is View.SKELETON and View.SOUND in form.views else None


def _fits(form: Form, view: View, start: int, end: int, views: Views) -> bool:
    """What the scan of this view cannot tell."""
    if view is View.STRETCHED:
        return _stretched(form, start, end, views)
    return view is not View.SPELLED or _spelled(form, start, end, views)


def _spelled(form: Form, start: int, end: int, views: Views) -> bool:
    """More of it is written in letters than of the term itself: 加wei信 for 加微信."""
    return sum(c in _LETTERS for c in views.plain_text[start:end]) > sum(c in _LETTERS for c in form.term.lower())


def _stretched(form: Form, start: int, end: int, views: Views) -> bool:
    """Each run of the text is at least as long as the term's own: 天返 is not 天天返."""
    kept = views.kept[start:end]
    written = runs(views.plain[start:end][kept].tolist())
    return len(written) == len(form.runs) and all(a >= b for a, b in zip(written, form.runs, strict=True))


def _edge_free(edge: str, neighbour: str) -> bool:
    """A Latin edge wants no Latin neighbour, a digit edge no digit; 加vx138001 holds vx."""
    if edge in _LETTERS:
        return neighbour not in _LETTERS
    return not (edge in _DIGITS and neighbour in _DIGITS)


def _same_characters(form: Form, start: int, end: int, views: Views) -> bool:
    kept = views.kept[start:end]
    return bool(form.skeleton) and "".join(map(chr, views.plain[start:end][kept].tolist())) == form.skeleton


def meant(rule: CompiledRule, hits: list[Hit]) -> list[Hit]:
    """Without the hits of vetoes inside of what only looks like them, and without those phrases."""
    for i in rule.unless:
        phrases = [(h.start, h.end) for h in hits if h.selection == rule.unless_of(i)]
        if phrases:
            shields = Places(phrases)
            hits = [h for h in hits if h.selection != i or not shields.around(h.start, h.end)]
    return [h for h in hits if h.selection < len(rule.names)] if rule.unless else hits


def bits_of(hits: Iterable[Hit | RawHit]) -> int:
    """The selections that have hits."""
    bits = 0
    for hit in hits:
        bits |= 1 << hit.selection
    return bits


class Missed(Enum):
    """How far a rule, of which the words are there, is from a text for which it does not hold."""

    FAR = auto()
    """It is for others."""
    NEARLY = auto()
    """They are not there as it asks."""
    SPARED = auto()
    """They are, and what stands around them makes them lawful."""


_SPARING: Final = ("allow", "veto", "context")
"""Stages."""


def surviving(
    rule: CompiledRule, hits: list[Hit], views: Views, hear: Hear, contexts: Sequence[CompiledContext],
    proved: Callable[[Hit], bool], priced: Callable[[Hit, str, Listed], bool],
) -> list[Hit] | Missed:
    """What is left after all `stages`, or why the rule cannot hold, as soon as it cannot."""
    left = hits
    if rule.restrained:
        for stage, rest in stages(rule, hits, views, hear, contexts, proved, priced):
            if len(rest) < len(left) and not rule.possible(bits_of(rest)):
                return Missed.SPARED if stage.startswith(_SPARING) else Missed.NEARLY
            left = rest
    return left


def stages(
    rule: CompiledRule, hits: list[Hit], views: Views, hear: Hear, contexts: Sequence[CompiledContext],
    proved: Callable[[Hit], bool], priced: Callable[[Hit, str, Listed], bool],
) -> Iterator[tuple[str, list[Hit]]]:
    """What is left, after each stage that may take something away, with its name. `proved`: the room holds a proof of
    this claim. `priced`: what this detector found compares so with the room's listed prices."""
    allowed = [(h.start, h.end) for h in hits if rule.allow >> h.selection & 1] if rule.allow else []
    if allowed:
        shields = Places(allowed)
        hits = [h for h in hits if not rule.allow >> h.selection & 1 and not shields.around(h.start, h.end)]
        yield "allow", hits
    if rule.unproven:
        hits = [h for h in hits if not (rule.unproven >> h.selection & 1 and proved(h))]
        yield "proof", hits
    for selection, detector, how in rule.listed:
        hits = [h for h in hits if h.selection != selection or priced(h, detector, how)]
        yield f"listed {how}", hits
    for near in rule.nears:
        if not any(h.selection == near.by for h in hits):
            continue
        reaches = reached_by(hits, near.of, near, views)
        hits = [h for h in hits if h.selection != near.by or reaches(h.start, h.end)]
        yield f"near {' or '.join(name for i, name in enumerate(rule.names) if near.of >> i & 1)}", hits
    for veto in rule.vetoes:
        if not any(h.selection == veto.by for h in hits):
            continue
        hits = _without(hits, veto.of, [reached_by(hits, 1 << veto.by, veto, views)])
        yield f"veto {rule.names[veto.by]}", hits
    for spare in rule.spares:
        for c in spare.contexts:
            reached = hear(c).reached
            if reached:
                hits = _without(hits, spare.of, reached)
                yield f"context {contexts[c].context.name}", hits
    for selection, times in rule.times:
        if len(outermost([h for h in hits if h.selection == selection])) < times:
            hits = [h for h in hits if h.selection != selection]
        yield f"times {times}", hits


def reached_by(hits: Iterable[Hit], of: int, reach: Reaching, views: Views) -> Reached:
    """What the hits of the selections in `of` (a bit mask) reach."""
    return Reached([(h.start, h.end) for h in hits if of >> h.selection & 1], reach, views)


def _without(hits: list[Hit], of: int, reached: Sequence[Reached]) -> list[Hit]:
    return [h for h in hits if not of >> h.selection & 1 or not any(each(h.start, h.end) for each in reached)]


def heard(context: CompiledContext, hits: list[Hit], views: Views, text: Place) -> Heard:
    """The hits of a context's parts, but for those inside of what only looks like it."""
    parts = len(context.parts)
    phrases = [(h.start, h.end) for h in hits if h.selection == parts]
    left = hits
    if phrases:
        shields = Places(phrases)
        left = [h for h in hits if h.selection < parts and not shields.around(h.start, h.end)]
    places: list[list[Place]] = [[] for _ in context.parts]
    for hit in left:
        places[hit.selection].append((hit.start, hit.end))
    return Heard(left, [Reached(words, reach, views, text)
                        for words, reach in zip(places, context.parts, strict=True) if words])


def outermost(hits: list[Hit]) -> list[Hit]:
    """In order of place; a hit inside a longer one is its child and not shown by itself."""
    shown: list[Hit] = []
    if len(hits) == 1:
        return hits
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not shown or hit.end > shown[-1].end:
            shown.append(hit)
    return shown


_EVASIONS: Final = {
    View.SKELETON: Evasion.SYMBOLS, View.STRETCHED: Evasion.STRETCHED, View.LETTER_GAPS: Evasion.LETTERS,
    View.CONFUSABLES: Evasion.LOOKALIKE, View.SPLIT: Evasion.SPLIT, View.SIGNS: Evasion.SIGNS,
    View.DIALECT: Evasion.HOMOPHONE, View.SPELLED: Evasion.SPELLED, View.INITIALS: Evasion.SPELLED,
}


def evasion_of(hit: Hit, text: str, views: Views) -> Evasion | None:
    """How the hit differs from its term, beyond case, width, traditional form and the way a number is written.
    `text`: the joined original."""
    if hit.form is None:
        return None
    if hit.view is View.SOUND:
        return Evasion.SPELLED if _spelled(hit.form, hit.start, hit.end, views) else Evasion.HOMOPHONE
    if hit.view in _EVASIONS:
        return _EVASIONS[hit.view]
    return Evasion.STYLED if any(_is_styled(c, views) for c in text[hit.start : hit.end]) else None


def _is_styled(char: str, views: Views) -> bool:
    return char in views.tables.styled


def variant_of(evasion: Evasion | None, kind: Kind) -> tuple[Evasion | None, bool]:
    """(evasive, asr_variant): a recogniser's slip in a transcript is nobody's evasion."""
    if kind is Kind.TRANSCRIPT and evasion not in (None, Evasion.STYLED):
        return None, True
    return evasion, False
