"""What msgspec says of a value that is not of its type, as a phrase: it gives the text alone."""

import re
from typing import Final

from monitor.domain.phrases import Phrase, phrase

_MOST: Final = 300
_PLACE: Final = re.compile(r"(.*) - at `([^`]*)`$", re.DOTALL)
_TYPES: Final = frozenset(("int", "float", "str", "bool", "array", "object", "null"))
_FORMS: Final = (
    (re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`"), "expected {wanted}, got {got}"),
    (re.compile(r"Expected (?P<wanted>.+)"), "expected {wanted}"),
    (re.compile(r"Object missing required field `(?P<field>[^`]+)`"), "missing required field {field}"),
    (re.compile(r"Object contains unknown field `(?P<field>[^`]+)`"), "unknown field {field}"),
    (re.compile(r"Invalid (?:enum )?value (?P<value>.+)"), "no such value: {value}"),
    (re.compile(r"JSON is malformed|Input data was truncated"), "the JSON is malformed"),
)


class _AsMsgspecSays(Phrase):
    """The text is the library's own; pattern and values say the same."""

    def __new__(cls, text: str, same: Phrase) -> "_AsMsgspecSays":
        made = str.__new__(cls, text)
        made.pattern, made.values = same.pattern, same.values
        return made


def validation(error: Exception) -> str:
    """A phrase where its form is known."""
    text = str(error)[:_MOST]
    placed = _PLACE.match(text)
    what, place = placed.groups() if placed else (text, "")
    for form, pattern in _FORMS:
        found = form.match(what)
        if found:
            why = phrase(pattern, **{name: _word(value) for name, value in found.groupdict().items()})
            return _AsMsgspecSays(text, phrase("{why} - at `{place}`", why=why, place=place) if place else why)
    return text


def _word(value: str) -> str:
    return phrase(value) if value in _TYPES else value
