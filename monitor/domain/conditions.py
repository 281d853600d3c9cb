"""The condition of a rule: `claim and (more or ranking) and not quoted`, `1 of claim*`, `all of part*`.

Parsed once at load; evaluated over three values, since a score without a model is unknown.
"""

import re
from collections.abc import Callable, Sequence
from itertools import product
from typing import Final

from msgspec import Struct

from monitor.domain.phrases import phrase


class Ref(Struct, frozen=True, tag=True):
    """A selection by name."""

    name: str


class And(Struct, frozen=True, tag=True):
    parts: tuple["Condition", ...]


class Or(Struct, frozen=True, tag=True):
    parts: tuple["Condition", ...]


class Not(Struct, frozen=True, tag=True):
    part: "Condition"


Condition = Ref | And | Or | Not

_TOKEN: Final = re.compile(r"\s*(?:(?P<paren>[()])|(?P<word>[A-Za-z0-9_*]+))")
_MAX_DEPTH: Final = 32


class ConditionError(ValueError):
    """`column` is 0-based in the condition's text."""

    def __init__(self, message: str, *, column: int, hint: str = "") -> None:
        super().__init__(message)
        self.column = column
        self.hint = hint


def parse(text: str, names: Sequence[str]) -> Condition:
    """Precedence: not, and, or. `names`: the rule's selections. Raises ConditionError."""
    return _Parser(text, names).parse()


class _Parser:
    def __init__(self, text: str, names: Sequence[str]) -> None:
        self._names = names
        self._end = len(text)
        self._tokens: list[tuple[str, int]] = []
        self._next = 0
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                at = position + len(text[position:]) - len(text[position:].lstrip())
                raise ConditionError(phrase("unexpected character {text}", text=repr(text[at])), column=at,
                                     hint="use selection names, and, or, not, parentheses, `1 of x*`, `all of x*`")
            self._tokens.append((match["paren"] or match["word"], match.start("paren" if match["paren"] else "word")))
            position = match.end()

    def _peek(self) -> str:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    def _column(self) -> int:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else self._end

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token

    def parse(self) -> Condition:
        if not self._tokens:
            raise ConditionError("the condition is empty", column=0, hint="name at least one selection")
        found = self._or(0)
        if self._peek():
            raise ConditionError(phrase("unexpected {what}", what=repr(self._peek())), column=self._column(),
                                 hint="join parts with and / or")
        return found

    def _joined(self, word: str, below: Callable[[int], Condition], depth: int) -> list[Condition]:
        parts = [below(depth)]
        while self._peek().lower() == word:
            self._take()
            parts.append(below(depth))
        return parts

    def _or(self, depth: int) -> Condition:
        parts = self._joined("or", self._and, depth)
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _and(self, depth: int) -> Condition:
        parts = self._joined("and", self._not, depth)
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _not(self, depth: int) -> Condition:
        if depth > _MAX_DEPTH:
            raise ConditionError("nested too deeply", column=self._column(), hint="split the rule in two")
        if self._peek().lower() == "not":
            self._take()
            return Not(self._not(depth + 1))
        return self._atom(depth)

    def _atom(self, depth: int) -> Condition:
        column, word = self._column(), self._take()
        if word == "(":
            inner = self._or(depth + 1)
            if self._take() != ")":
                raise ConditionError("a parenthesis is not closed", column=column, hint="add )")
            return inner
        if word.lower() in ("1", "all", "any") and self._peek().lower() == "of":
            self._take()
            return self._of(word.lower())
        if not word or word in (")", "and", "or"):
            raise ConditionError("a selection name is missing here", column=column, hint="name a selection")
        if word not in self._names:
            raise ConditionError(phrase("there is no selection {word}", word=repr(word)), column=column,
                                 hint=phrase("one of {names}", names=", ".join(self._names)))
        return Ref(word)

    def _of(self, quantity: str) -> Condition:
        column, wanted = self._column(), self._take()
        stem = wanted.removesuffix("*")
        matching = [n for n in self._names if (n.startswith(stem) if wanted.endswith("*") else n == wanted)]
        if wanted == "them":
            matching = list(self._names)
        if not matching:
            raise ConditionError(phrase("no selection is named like {wanted}", wanted=repr(wanted)), column=column,
                                 hint=phrase("one of {names}", names=", ".join(self._names)))
        parts = tuple(Ref(n) for n in matching)
        if len(parts) == 1:
            return parts[0]
        return And(parts) if quantity == "all" else Or(parts)


def evaluate(condition: Condition, value: Callable[[str], bool | None]) -> bool | None:
    """Kleene's three values; None = unknown (a score without a model)."""
    if isinstance(condition, Ref):
        return value(condition.name)
    if isinstance(condition, Not):
        inner = evaluate(condition.part, value)
        return None if inner is None else not inner
    unknown = False
    stop = isinstance(condition, Or)
    for part in condition.parts:
        found = evaluate(part, value)
        if found is stop:
            return stop
        unknown = unknown or found is None
    return None if unknown else not stop


def written(condition: Condition) -> str:
    """As a rule file would write it, `of` spelled out."""
    if isinstance(condition, Ref):
        return condition.name
    if isinstance(condition, Not):
        return f"not {_inner(condition.part)}"
    return (" and " if isinstance(condition, And) else " or ").join(map(_inner, condition.parts))


def _inner(part: Condition) -> str:
    return f"({written(part)})" if isinstance(part, And | Or) else written(part)


_SMALL: Final = 12


def can_hold(condition: Condition) -> bool:
    """Is there any outcome of the selections for which it is true? Taken for granted where there are too many."""
    names = sorted(names_in(condition))
    if len(names) > _SMALL:
        return True
    outcomes = (dict(zip(names, some, strict=True)) for some in product((True, False), repeat=len(names)))
    return any(evaluate(condition, outcome.__getitem__) for outcome in outcomes)


def names_in(condition: Condition) -> frozenset[str]:
    if isinstance(condition, Ref):
        return frozenset((condition.name,))
    if isinstance(condition, Not):
        return names_in(condition.part)
    return frozenset().union(*map(names_in, condition.parts))
