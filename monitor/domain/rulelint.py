"""What makes a term or a pattern unfit, whatever format it was written in."""

import re
from typing import Final

MAX_TERM: Final = 200
MAX_PATTERN: Final = 2_000
MAX_GAP: Final = 8

_SHORTER: Final = "split it in several patterns"
_SPLIT: Final = "write the parts as two selections joined by near and within"
_BOUND: Final = "bound it, such as {3,20}; for a gap, " + _SPLIT
_TOKEN: Final = re.compile(
    r"""(?P<escape>\\(?:[xpP]\{[^}]*\}|.))
      | (?P<set>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])
      | (?P<many>[*+])
      | (?P<count>\{(?P<low>[0-9]+)(?P<comma>,?)(?P<high>[0-9]*)\})
      | (?P<look>\(\?<?[=!])
      | (?P<dot>\.)
      | .""",
    re.VERBOSE | re.DOTALL,
)
_WIDE_SET: Final = re.compile(r"\[\^|.*\\[DSW]", re.DOTALL)


def term_fault(term: str) -> tuple[str, str] | None:
    """(message, hint) for a term that is no use; None for a sound one."""
    if not term.strip():
        return "the term is empty", "remove it"
    if term != term.strip():
        return f"the term {term[:40]!r} begins or ends with a space", "remove the space"
    if len(term) == 1:
        return f"the term {term!r} is one character and hits too much", "add its neighbours"
    if len(term) > MAX_TERM:
        return f"the term has {len(term)} characters, at most {MAX_TERM} are taken", "look for a part of it"
    if any(mark < " " or mark == "\x7f" for mark in term):
        return f"the term {term[:40]!r} holds a line break or control character", "write it on one line"
    return None


def pattern_faults(pattern: str) -> list[tuple[int, str, str]]:
    """(offset in the pattern, message, hint) for what a linear-time engine cannot do, or does slowly."""
    if not pattern.strip():
        return [(0, "the pattern is empty", "remove it")]
    if len(pattern) > MAX_PATTERN:
        return [(0, f"the pattern has {len(pattern)} characters, at most {MAX_PATTERN} are taken", _SHORTER)]
    found: list[tuple[int, str, str]] = []
    wide, atom = False, 0
    for token in _TOKEN.finditer(pattern):
        what, at = token.lastgroup, token.start()
        if token["count"] or token["many"]:
            why = _repetition(token, wide)
            if why:
                found.append((atom, f"'{pattern[atom:token.end()]}' {why}", _SPLIT if wide else _BOUND))
            continue
        if token["look"]:
            found.append((at, f"'{token['look']}' looks around: not possible", "use veto, allow or near"))
        elif token["escape"] and token["escape"][1] in "123456789":
            found.append((at, f"'{token['escape']}' refers back: not possible", "write the parts out"))
        atom = at
        wide = what == "dot" or (what == "escape" and token["escape"][1] in "DSW") or (
            what == "set" and _WIDE_SET.match(token["set"]) is not None)
    return found


def _repetition(token: re.Match[str], wide: bool) -> str:
    """Why this repetition of a (wide) atom is refused; "" where it is not."""
    if token["many"]:
        return "has no bound" if wide else ""
    low, comma, high = int(token["low"]), token["comma"], token["high"]
    if comma and not high:
        return "has no upper bound"
    most = int(high) if comma else low
    if most > MAX_GAP and (wide or (comma and low == 0)):
        return f"is a gap of more than {MAX_GAP}"
    return ""
