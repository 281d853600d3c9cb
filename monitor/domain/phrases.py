"""What people are told, with the pattern and the values it is made of, so that it can be told in another language."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Self

TOGETHER: Final = "; "
"""The pattern of phrases that follow one another."""
_PLACE: Final = re.compile(r"\{(\w+)\}")


class Phrase(str):
    """The text in English. A value that is a phrase itself is a word of the language; any other is as it is."""

    __slots__ = ("pattern", "values")

    pattern: str
    values: Mapping[str, str]

    def __new__(cls, pattern: str, values: Mapping[str, str]) -> Self:
        text = TOGETHER.join(values.values()) if pattern == TOGETHER else filled(pattern, values)
        made = super().__new__(cls, text)
        made.pattern, made.values = pattern, values
        return made

    def __reduce__(self) -> tuple[type["Phrase"], tuple[str, Mapping[str, str]]]:
        return Phrase, (self.pattern, self.values)


def phrase(pattern: str, /, **values: object) -> Phrase:
    """`{name}` in the pattern stands for the value of this name; any other brace for itself."""
    return Phrase(pattern, {name: value if isinstance(value, str) else str(value) for name, value in values.items()})


def together(phrases: Iterable[str]) -> Phrase:
    """All of them, one after the other."""
    return Phrase(TOGETHER, {str(number): one for number, one in enumerate(phrases)})


def filled(pattern: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), pattern)
