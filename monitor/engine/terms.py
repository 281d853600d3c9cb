"""From a term to what is scanned for: its forms in each view, decided on the rule's side at load."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations, islice, product
from typing import Final

from msgspec import Struct

from monitor.domain.phrases import phrase
from monitor.domain.rules import EXTRA, Selection, View
from monitor.engine.characters import Characters
from monitor.engine.folds import folded, runs
from monitor.engine.spellings import LETTERS, PARTS, PICTURES
from monitor.engine.views import LF, SYLLABLE_BASE, UNKNOWN_SIGN

SOUND_FROM: Final = 3
"""Sound is on by default for terms of at least so many syllables: on 40,000 clean reviews homophones of two cost 1.3 %
false hits, of three 0.015 %, of four none."""

_WORDS: Final = "write the word that its signs stand for, with also: [signs]"
_OTHER_READINGS: Final = 4
_FIRST_SYLLABLE: Final = chr(SYLLABLE_BASE)
_MOST: Final = 64
"""Other ways of writing one term that are looked for."""
_LATIN: Final = re.compile("[a-z]{2,}")
_SCANNED_AS: Final = {View.SPLIT: View.SKELETON, View.INITIALS: View.SKELETON, View.SPELLED: View.SOUND}
"""Views without units of their own."""


class Unfit(ValueError):
    """A term that cannot be looked for. `hint`: what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Form(Struct, frozen=True, array_like=True, gc=False):
    """One term as scanned.

    `literal`: escaped text for a pattern, where the term holds a symbol (the skeleton would drop it). `skeleton`: its
    own units. `views`: where it may be found. `runs`: of equal units, for a term that is looked for stretched.
    """

    term: str
    skeleton: str
    views: frozenset[View]
    literal: str
    runs: tuple[int, ...]

    @property
    def two(self) -> bool:
        """A term of two units is too short to reach over the end of a sentence."""
        return len(self.skeleton) == 2


Scanned = tuple[View, View, list[str]]
"""(view, the view whose units are scanned, the forms that are scanned for, of 16-bit units, all distinct)"""


def form_of(term: str, characters: Characters, selection: Selection) -> tuple[Form, list[Scanned]]:
    """Raises Unfit for a term that folds to nothing, or to so little that it would hit everywhere."""
    plain = characters.plain(term)
    skeleton = characters.skeleton(plain)
    if chr(LF) in skeleton:
        raise Unfit("the term holds a line feed", "write it on one line")
    if chr(UNKNOWN_SIGN) in plain:
        raise Unfit(phrase("one sign is not told from another: {term}", term=term[plain.index(chr(UNKNOWN_SIGN))]),
                    "write the word that it stands for, with also: [signs], or leave it out")
    if not skeleton and View.SIGNS not in selection.also:
        raise Unfit("the term folds to nothing", _WORDS)
    symbols = len(skeleton) < len(plain) and any(
        not unit.isspace() and not characters.skeleton(unit) for unit in plain)
    sounds = _sound_forms(characters, skeleton)
    syllables = sum(map(_FIRST_SYLLABLE.__le__, sounds[0]))
    literal = re_escape(plain) if symbols and skeleton else ""
    views = _asked(selection.views, selection.also, symbols, syllables >= SOUND_FROM)
    found: dict[View, list[str]] = {}
    if skeleton and (View.SKELETON in views or (View.PLAIN in views and not symbols)):
        found[View.SKELETON] = [skeleton]
    if View.SOUND in views and syllables:
        found[View.SOUND] = sounds
        if syllables == len(skeleton):  # whose own characters sound like it, too
            found.pop(View.SKELETON, None)
    for view in views.intersection(EXTRA) if selection.also else ():
        units = characters.worded(plain) if view is View.SIGNS else skeleton
        found[view] = _extra_forms(view, characters, units, sounds)
    for view, forms in found.items():
        if any(len(form) == 1 for form in forms):
            raise Unfit(phrase("only one character of it is looked for in the view {view}, which hits too much",
                               view=view),
                        _WORDS if symbols else "add its neighbours, or leave the view out")
    form = Form(term, skeleton, views, literal, tuple(runs(skeleton)) if View.STRETCHED in views else ())
    return form, [(view, _SCANNED_AS.get(view, view), forms) for view, forms in found.items()]


@cache
def _asked(views: tuple[View, ...] | None, also: tuple[View, ...], symbols: bool, sound: bool) -> frozenset[View]:
    """Where a term is looked for. 9.9包邮 is not 99包邮: with symbols, its skeleton only where the rule names it."""
    if views is not None:
        return frozenset((*views, *also))
    if symbols:
        return frozenset((View.PLAIN, *also))
    return frozenset((View.PLAIN, View.SKELETON, *((View.SOUND,) if sound else ()), *also))


def _extra_forms(view: View, characters: Characters, skeleton: str, sounds: list[str]) -> list[str]:
    if view is View.SPLIT:
        return _alternatives(skeleton, _parts)[1:]
    if view is View.INITIALS:
        return _initials(characters, skeleton)
    if view is View.SIGNS:
        shown = _pictured(skeleton)
        both = (skeleton, shown) if len(shown) > 1 else (skeleton,)
        return list(dict.fromkeys(form for units in both for form in _alternatives(units, _letters)))
    return folded(view, characters, skeleton, sounds)


def _initials(characters: Characters, units: str) -> list[str]:
    """One or two characters as the first letters of their sounds; at least one stays."""
    letters = {i: letter for i, unit in enumerate(units) if (letter := characters.initial(unit))}
    chosen = (some for size in (1, 2) if size < len(letters) for some in combinations(letters, size))
    return ["".join(letters[i] if i in some else unit for i, unit in enumerate(units))
            for some in islice(chosen, _MOST)] or [units]


def _pictured(units: str) -> str:
    """Words of two characters as their sign shows them."""
    for word, shown in PICTURES.items():
        units = units.replace(word, shown)
    return units


def _parts(char: str) -> Sequence[str]:
    return (PARTS[char],) if char in PARTS else ()


def _letters(char: str) -> Sequence[str]:
    return LETTERS.get(char, ())


def _alternatives(units: str, others: Callable[[str], Sequence[str]]) -> list[str]:
    """The units themselves, then with any of them written another way; bounded."""
    found = product(*((unit, *others(unit)) for unit in units))
    return list(dict.fromkeys(map("".join, islice(found, _MOST))))


def _sound_forms(characters: Characters, skeleton: str) -> list[str]:
    """The usual reading of the term, then for a short one those in which one polyphone is read another way. Who writes
    homophones plays with one of them; all combinations would multiply 100,000 terms by five."""
    if _LATIN.search(skeleton):
        skeleton = _LATIN.sub(lambda latin: characters.syllables(latin[0]), skeleton)
    usual = characters.sounds(skeleton)
    if len(usual) > _OTHER_READINGS:
        return [usual]
    return [usual, *(usual[:i] + other + usual[i + 1 :]
                     for i, unit in enumerate(skeleton) for other in characters.other_readings(unit))]


_META: Final = frozenset("\\^$.|?*+()[]{}/#-&~")


def re_escape(text: str) -> str:
    """Escape for the pattern engine (PCRE syntax)."""
    return "".join(f"\\{c}" if c in _META else c for c in text)


_CLASS: Final = re.compile(r"\[[:=.]")
"""What would begin a POSIX class."""
_ESCAPE: Final = re.compile(r"\\(?:[pPxuoNgk]\{[^}]*\}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_STEP: Final = re.compile(_ESCAPE.pattern + r"|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)
"""An escape, a set, or what parts a pattern."""


def fold_pattern(pattern: str, characters: Characters) -> str:
    """The pattern as it must read to meet the plain view: literals folded, escapes untouched.

    A character that folds to one with a meaning in patterns (（ → `(`) is escaped: its writer meant the character.
    """
    units = characters.plain(pattern)
    if units == pattern and not _CLASS.search(pattern):
        return pattern
    out: list[str] = []
    position = 0
    for escape in [*_ESCAPE.finditer(pattern), None]:
        begins, ends = (len(pattern), len(pattern)) if escape is None else escape.span()
        for char, plain in zip(pattern[position:begins], units[position:begins], strict=True):
            opens_class = out[-1:] == ["["] and plain in ":=."  # see _CLASS
            out.append("\\" + plain if opens_class or (plain != char and plain in _META) else plain)
        out.append(pattern[begins:ends])
        position = ends
    return "".join(out)


def alternatives(pattern: str) -> list[str]:
    """Its outermost alternatives. A pattern that begins with flags, or whose brackets do not match, is one."""
    if re.match(r"\(\?[a-zA-Z-]+\)", pattern):
        return [pattern]
    found, depth, begin = list[str](), 0, 0
    for step in _STEP.finditer(pattern):
        if step[0] == "(":
            depth += 1
        elif step[0] == ")":
            depth -= 1
            if depth < 0:
                return [pattern]
        elif step[0] == "|" and not depth:
            found.append(pattern[begin : step.start()])
            begin = step.end()
    return [pattern] if depth else [*found, pattern[begin:]]
