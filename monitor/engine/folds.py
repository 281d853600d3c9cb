"""Further views, folded from the skeleton on demand: each costs one more scan, where a rule asks for it.

The text's side is `layer`, the rule's side `folded`; both use the same tables, so that what a term folds to is what the
text folds to.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.domain.rules import View
from monitor.engine.characters import Characters
from monitor.engine.spellings import LOOKALIKES, NUMERALS
from monitor.engine.views import Index, Layer, Units, Views, ViewTables

_NUMERALS: Final = str.maketrans(NUMERALS)
_LOOKALIKES: Final = str.maketrans(LOOKALIKES)


def layer(view: View, views: Views) -> Layer:
    """The units of a view that literals are looked for in. PLAIN, SPLIT, INITIALS and SPELLED have none of their own:
    what is looked for in them is looked for in the skeleton and in the sound view."""
    tables, units, where = views.tables, views.skeleton, views.where
    match view:
        case View.SKELETON:
            return views.skeleton_layer
        case View.SOUND:
            return views.sound_layer
        case View.NUMERALS:
            return Layer(np.take(tables.numerals, units), where)
        case View.CONFUSABLES:
            return Layer(np.take(tables.lookalikes, units), where)
        case View.STRETCHED:
            at = _run_starts(units)
            if at.size == units.size:
                return views.skeleton_layer
            return Layer(units[at], where, np.concatenate((at, [units.size])))
        case View.LETTER_GAPS:
            lone = _lone_letters(tables, units)
            if not lone.any():
                return views.skeleton_layer
            at = np.flatnonzero(~lone)
            return Layer(units[at], where, np.concatenate((at, [units.size])), tight=True)
        case View.DIALECT:
            return views.sound_layer._replace(units=np.take(tables.merged, views.sound))
        case View.SIGNS:
            return _with_signs(views)
    raise ValueError(f"{view} is no layer")


def folded(view: View, characters: Characters, skeleton: str, sounds: Sequence[str]) -> list[str]:
    """The forms in which a term is looked for in this view. `sounds`: its forms in the sound view."""
    match view:
        case View.NUMERALS:
            return [skeleton.translate(_NUMERALS)]
        case View.CONFUSABLES:
            return [skeleton.translate(_LOOKALIKES)]
        case View.STRETCHED:
            return ["".join(unit for unit, _ in groupby(skeleton))]
        case View.SPELLED:
            return list(sounds)
        case View.DIALECT:
            return list(dict.fromkeys(map(characters.merged, sounds)))
    return [skeleton]


def runs(units: Iterable[object]) -> list[int]:
    """Lengths of the runs of equal units: 天天返 → [2, 1]."""
    return [sum(1 for _ in run) for _, run in groupby(units)]


def _run_starts(units: Units) -> Index:
    return np.concatenate(([0], np.flatnonzero(units[1:] != units[:-1]) + 1)) if units.size else np.zeros(0, np.int64)


def _lone_letters(tables: ViewTables, units: Units) -> NDArray[np.bool_]:
    """Latin letters with no letter beside them."""
    latin = np.take(tables.latin, units)
    if not latin.any():
        return latin
    lone = latin.copy()
    lone[1:] &= ~latin[:-1]
    lone[:-1] &= ~latin[1:]
    return lone


def _with_signs(views: Views) -> Layer:
    """The skeleton with the signs between put in as the words that they stand for."""
    words = np.take(views.tables.signs, views.plain)
    if not words.any():
        return views.skeleton_layer
    where = np.flatnonzero(views.kept | (words != 0))
    units, signs = views.plain[where], words[where]
    return Layer(np.where(signs != 0, signs, units), where)
