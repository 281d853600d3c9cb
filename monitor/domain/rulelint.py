"""What makes a term or a pattern unfit, whatever format it was written in."""

import re
from typing import Final

from monitor.domain.phrases import phrase

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
      | (?P<plain>[^\\\[*+{(.]+)
      | .""",
    re.VERBOSE | re.DOTALL,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_WIDE_SET: Final = re.compile(r"\[\^|.*\\[DSW]", re.DOTALL)


def term_fault(term: str) -> tuple[str, str] | None:
    """(message, hint) for a term that is no use; None for a sound one."""
    if not term.strip():
        return "the term is empty", "remove it"
    if term != term.strip():
        return phrase("the term {term} begins or ends with a space", term=repr(term[:40])), "remove the space"
    if len(term) == 1:
        return phrase("the term {term} is one character and hits too much", term=repr(term)), "add its neighbours"
    if len(term) > MAX_TERM:
        return phrase("the term has {count} characters, at most {most} are taken", count=len(term),
                      most=MAX_TERM), "look for a part of it"
    if _CONTROL.search(term):
        return phrase("the term {term} holds a line break or control character",
                      term=repr(term[:40])), "write it on one line"
    return None


def pattern_faults(pattern: str) -> list[tuple[int, str, str]]:
    """(offset in the pattern, message, hint) for what a linear-time engine cannot do, or does slowly."""
    if not pattern.strip():
        return [(0, "the pattern is empty", "remove it")]
    if len(pattern) > MAX_PATTERN:
        return [(0, phrase("the pattern has {count} characters, at most {most} are taken", count=len(pattern),
                           most=MAX_PATTERN), _SHORTER)]
    found: list[tuple[int, str, str]] = []
    wide, atom = False, 0
    for token in _TOKEN.finditer(pattern):
        what, at = token.lastgroup, token.start()
        if what in ("count", "many"):
            why = _repetition(token, wide)
            if why:
                found.append((atom, phrase("'{part}' {why}", part=pattern[atom:token.end()], why=why),
                              _SPLIT if wide else _BOUND))
            continue
        if what == "look":
            found.append((at, phrase("'{part}' looks around: not possible", part=token["look"]),
                          "use veto, allow or near"))
        elif what == "escape" and token["escape"][1] in "123456789":
            found.append((at, phrase("'{part}' refers back: not possible", part=token["escape"]),
                          "write the parts out"))
        atom = token.end() - 1 if what == "plain" else at
        wide = what == "dot" or (what == "escape" and token["escape"][1] in "DSW") or (
            what == "set" and _WIDE_SET.match(token["set"]) is not None)
    return found


def _repetition(token: re.Match[str], wide: bool) -> str:
    """Why this repetition of a (wide) atom is refused; "" where it is not."""
    if token["many"]:
        return phrase("has no bound") if wide else ""
    low, comma, high = int(token["low"]), token["comma"], token["high"]
    if comma and not high:
        return phrase("has no upper bound")
    most = int(high) if comma else low
    if most > MAX_GAP and (wide or (comma and low == 0)):
        return phrase("is a gap of more than {most}", most=MAX_GAP)
    return ""
