"""From a term to what is scanned for: its forms in each view, decided on the rule's side at load."""

import re
from itertools import product
from typing import Final

import numpy as np

from monitor.domain.rules import View
from monitor.engine.views import LF, SYLLABLE_BASE, ViewTables, runs_of

SOUND_FROM: Final = 3
"""Sound is on by default for terms of at least so many syllables: on 40,000 clean reviews homophones of two cost 1.3 %
false hits, of three 0.015 %, of four none."""

_MAX_READINGS: Final = 64


class Form:
    """One term as scanned. Units are 16-bit code units; all tuples hold distinct forms.

    `literal`: escaped text for the pattern scan, where the term holds a symbol (the skeleton would drop it).
    """

    __slots__ = ("literal", "skeleton", "sound", "term", "views")

    def __init__(self, term: str, tables: ViewTables, views: tuple[View, ...] | None) -> None:
        plain = tables.fold(term)
        keep = tables.keep[plain]
        skeleton = plain[keep].tolist()
        if not skeleton or LF in skeleton:
            raise ValueError("the term folds to nothing" if not skeleton else "the term holds a line feed")
        symbols = [u for u in plain[~keep].tolist() if not chr(u).isspace()]
        self.term = term
        self.literal = re_escape("".join(map(chr, plain.tolist()))) if symbols else ""
        asked = set(views or (View.PLAIN, View.SKELETON))
        if symbols:
            # 9.9包邮 is not 99包邮: the form without its symbols is looked for only where the rule names the view.
            asked = set(views or (View.PLAIN,))
        codes = _sound_forms(tables, skeleton)
        syllables = sum(code >= SYLLABLE_BASE for code in codes[0])
        if views is None and not symbols and syllables >= SOUND_FROM:
            asked.add(View.SOUND)
        self.views = frozenset(asked)
        wants_skeleton = View.SKELETON in asked or (View.PLAIN in asked and not symbols)
        self.skeleton: tuple[tuple[int, ...], ...] = (tuple(skeleton),) if wants_skeleton else ()
        self.sound = tuple(codes) if View.SOUND in asked and syllables else ()


def _sound_forms(tables: ViewTables, skeleton: list[int]) -> list[tuple[int, ...]]:
    """All readings of the term, the default first; bounded, since a term of many polyphones would multiply."""
    units = np.array(skeleton, dtype=np.uint16)
    choices: list[tuple[int, ...] | None] = [
        tables.readings.get(u) or (int(tables.sound[u]),) for u in skeleton
    ]
    for start, end in zip(*(e.tolist() for e in runs_of(tables.latin[units])), strict=True):
        for offset, length, unit in (tables.spelled(bytes(skeleton[start:end])) if end - start >= 2 else None) or ():
            choices[start + offset : start + offset + length] = [(unit,), *[None] * (length - 1)]
    present = [c for c in choices if c is not None]
    forms = []
    for form in product(*present):
        forms.append(form)
        if len(forms) == _MAX_READINGS:
            break
    return list(dict.fromkeys(forms))


_META: Final = frozenset("\\^$.|?*+()[]{}/#-&~")


def re_escape(text: str) -> str:
    """Escape for the pattern engine (PCRE syntax)."""
    return "".join(f"\\{c}" if c in _META else c for c in text)


_ESCAPE: Final = re.compile(r"\\(?:[pPxuoNgk]\{[^}]*\}|x[0-9a-fA-F]{2}|.)", re.DOTALL)


def fold_pattern(pattern: str, tables: ViewTables) -> str:
    """The pattern as it must read to meet the plain view: literals folded, escapes untouched.

    A character that folds to one with a meaning in patterns (（ → `(`) is escaped: its writer meant the character.
    """
    out: list[str] = []
    position = 0
    while position < len(pattern):
        escape = _ESCAPE.match(pattern, position)
        if escape:
            out.append(escape.group())
            position = escape.end()
            continue
        char = pattern[position]
        folded = chr(int(tables.fold(char)[0]))
        opens_class = out[-1:] == ["["] and folded in ":=."  # [: would begin a POSIX class
        out.append("\\" + folded if opens_class or (folded != char and folded in _META) else folded)
        position += 1
    return "".join(out)
