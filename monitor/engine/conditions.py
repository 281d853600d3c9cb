"""Which hits of a rule survive, and whether its condition holds on them.

Order: a hit must be one (edges, sentence ends, the views its term asks for) → allow → near → veto → condition.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from monitor.domain.events import Kind
from monitor.domain.findings import Evasion
from monitor.domain.rules import Side, View
from monitor.engine.compiled import CompiledRule, Reaching
from monitor.engine.matcher import VIEW_NAMES, RawHit
from monitor.engine.terms import Form
from monitor.engine.views import Views

_SENTENCE_ENDS: Final = frozenset("。!?;…")
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


def genuine(raw: Iterable[RawHit], views: Views) -> list[Hit]:
    """The hits that are hits: at the right edges, in a view that the term asks for, each place once."""
    seen: dict[tuple[int, int, int], Hit] = {}
    for start, end, view, use in raw:
        key = (use.selection, start, end)
        if key in seen:
            continue
        form = use.form
        if form is None:
            seen[key] = Hit(use.selection, start, end, VIEW_NAMES[view], None)
        elif (seen_as := _view_of(form, VIEW_NAMES[view], start, end, views)) is not None:
            seen[key] = Hit(use.selection, start, end, seen_as, form)
    return list(seen.values())


def _view_of(form: Form, view: View, start: int, end: int, views: Views) -> View | None:
    """The plainest view in which this place shows the term, if the term asks for that view."""
    text = views.plain_text
    first, last = text[start], text[end - 1]
    if not _edge_free(first, text[start - 1 : start]) or not _edge_free(last, text[end : end + 1]):
        return None
    if form.literal and view is View.PLAIN:
        return View.PLAIN
    units = form.skeleton or form.sound
    if view is View.SOUND and _same_characters(form, start, end, views):
        view = View.SKELETON
    gap = views.skeleton_between(start, end) != end - start
    if view is View.SKELETON and not gap:
        view = View.PLAIN
    if gap and len(units[0]) == 2 and not _SENTENCE_ENDS.isdisjoint(text[start:end]):
        return None
    if view in form.views or (view is View.PLAIN and not form.literal):
        return view
    return View.SOUND if view is View.SKELETON and View.SOUND in form.views else None


def _edge_free(edge: str, neighbour: str) -> bool:
    """A Latin edge wants no Latin neighbour, a digit edge no digit; 加vx138001 holds vx."""
    if edge in _LETTERS:
        return neighbour not in _LETTERS
    return not (edge in _DIGITS and neighbour in _DIGITS)


def _same_characters(form: Form, start: int, end: int, views: Views) -> bool:
    kept = views.kept[start:end]
    return bool(form.skeleton) and tuple(views.plain[start:end][kept].tolist()) in form.skeleton


def surviving(rule: CompiledRule, hits: list[Hit], views: Views) -> list[Hit]:
    """After allow, near and veto, in this order."""
    if not rule.restrained:
        return hits
    if rule.allow:
        shields = [h for h in hits if rule.allow >> h.selection & 1]
        hits = [h for h in hits if not rule.allow >> h.selection & 1 and not _shielded(h, shields)]
    for near in rule.nears:
        partners = [h for h in hits if near.of >> h.selection & 1]
        hits = [h for h in hits
                if h.selection != near.by or any(_in_reach(h, p, near, views) for p in partners if p is not h)]
    for veto in rule.vetoes:
        phrases = [h for h in hits if h.selection == veto.by]
        if phrases:
            hits = [h for h in hits
                    if not veto.of >> h.selection & 1 or not any(_in_reach(h, p, veto, views) for p in phrases)]
    return hits


def _shielded(hit: Hit, shields: Sequence[Hit]) -> bool:
    return any(s.start <= hit.start and hit.end <= s.end for s in shields)


def _in_reach(hit: Hit, other: Hit, reach: Reaching, views: Views) -> bool:
    """Does `other` stand on the wanted side of `hit`, within so many skeleton code points? Overlap is no distance."""
    if reach.side is not Side.AFTER and other.start < hit.start:
        return views.skeleton_between(other.end, hit.start) <= reach.within
    if reach.side is not Side.BEFORE and other.end > hit.end:
        return views.skeleton_between(hit.end, other.start) <= reach.within
    return reach.side is Side.EITHER and other.start < hit.end and hit.start < other.end


def outermost(hits: list[Hit]) -> list[Hit]:
    """In order of place; a hit inside a longer one is its child and not shown by itself."""
    shown: list[Hit] = []
    if len(hits) == 1:
        return hits
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not shown or hit.end > shown[-1].end:
            shown.append(hit)
    return shown


def evasion_of(hit: Hit, text: str, views: Views) -> Evasion | None:
    """How the hit differs from its term, beyond case, width and traditional form. `text`: the joined original."""
    if hit.form is None:
        return None
    if hit.view is View.SOUND:
        written = sum(c in _LETTERS for c in views.plain_text[hit.start : hit.end])
        own = sum(c in _LETTERS for c in hit.form.term.lower())
        return Evasion.SPELLED if written > own else Evasion.HOMOPHONE
    if hit.view is View.SKELETON:
        return Evasion.SYMBOLS
    return Evasion.STYLED if any(_is_styled(c, views) for c in text[hit.start : hit.end]) else None


def _is_styled(char: str, views: Views) -> bool:
    return char in views.tables.styled


def variant_of(evasion: Evasion | None, kind: Kind) -> tuple[Evasion | None, bool]:
    """(evasive, asr_variant): a recogniser's slip in a transcript is nobody's evasion."""
    if kind is Kind.TRANSCRIPT and evasion not in (None, Evasion.STYLED):
        return None, True
    return evasion, False
