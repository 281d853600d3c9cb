"""Reading a mapping of known keys. What is wrong is noted; what is returned then is a harmless stand-in."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from monitor.adapters.rulefiles.faults import Faults, guess, shown
from monitor.adapters.rulefiles.keys import GONE
from monitor.adapters.rulefiles.nodes import Broken, Items, Node, Scalar, Table, reading
from monitor.domain.phrases import phrase

E = TypeVar("E", bound=StrEnum)

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_TEXT: Final = 10_000
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DECIMAL: Final = re.compile(r"[0-9]{0,9}\.?[0-9]{1,17}")


def text_of(node: Node, faults: Faults, what: str, *, limit: int = MAX_TEXT) -> str:
    """A string that is not empty; "" where it is none."""
    if isinstance(node, Broken):
        return ""
    if not isinstance(node, Scalar):
        faults.add(node, phrase("{what} must be a text", what=what), "write one text")
    elif node.tag == "null" and not node.value:
        faults.add(node, phrase("{what} is empty", what=what), "write a text, or remove the key")
    elif node.tag != "str":
        value = node.value[:40]
        faults.add(node, phrase("{what}: {value} is {reading}", what=what, value=value, reading=reading(node)),
                   phrase("quote it: '{value}'", value=value))
    elif not node.value.strip():
        faults.add(node, phrase("{what} is empty", what=what), "write a text, or remove the key")
    elif len(node.value) > limit:
        faults.add(node,
                   phrase("{what} has {count} characters, at most {limit} are taken", what=what, count=len(node.value),
                          limit=limit), "shorten it")
    elif _SURROGATE.search(node.value):
        faults.add(node, phrase("{what} holds a lone surrogate", what=what), "remove it")
    else:
        return node.value
    return ""


def items_of(node: Node, faults: Faults, what: str) -> list[Node]:
    """The entries of a list that is not empty."""
    if isinstance(node, Broken):
        return []
    if not isinstance(node, Items):
        sample = node.value[:40] if isinstance(node, Scalar) and node.value else "…"
        faults.add(node, phrase("{what} must be a list", what=what), phrase("write [{sample}]", sample=sample))
        return []
    if not node.items:
        faults.add(node, phrase("{what} is an empty list", what=what), "fill it, or remove the key")
    return node.items


def words_of(node: Node, faults: Faults, what: str) -> Iterator[tuple[str, Node]]:
    """The texts of a list with their nodes; one that is repeated is noted and left out."""
    seen: set[str] = set()
    for item in items_of(node, faults, what):
        word = text_of(item, faults, what, limit=256)
        if word in seen:
            faults.add(item, phrase("{what}: {word} stands twice", what=what, word=shown(word)), "remove one")
        elif word:
            seen.add(word)
            yield word, item


def member(word: str, node: Node, faults: Faults, what: str, kind: type[E]) -> E | None:
    try:
        return kind(word)
    except ValueError:
        faults.add(node, phrase("{what}: there is no {word}", what=what, word=shown(word)),
                   guess(word, [m.value for m in kind]))
        return None


class Fields:
    """The fields of one mapping. `count` of the faults tells whether anything was wrong."""

    def __init__(self, node: Node, faults: Faults, what: str, known: Sequence[str]) -> None:
        self.at = node
        self.faults = faults
        self.strangers = 0
        self.readable = isinstance(node, Table)
        self._what = what
        self._nodes: dict[str, Node] = {}
        if isinstance(node, Table):
            for key, value in node.pairs:
                self._place(key, value, known)
        elif not isinstance(node, Broken):
            faults.add(node, phrase("{what} must be a table of keys and values", what=what),
                       phrase("its keys: {names}", names=", ".join(known)))

    def _place(self, key: Scalar, value: Node, known: Sequence[str]) -> None:
        if key.value in known:
            self._nodes[key.value] = value
            return
        self.strangers += 1
        self.faults.add(key, phrase("{what} has no key {value}", what=self._what, value=shown(key.value)),
                        GONE.get(key.value) or guess(key.value, known))

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def node(self, key: str) -> Node | None:
        return self._nodes.get(key)

    def where(self, key: str) -> Node:
        """The key's node; the mapping's own where there is none."""
        return self._nodes.get(key, self.at)

    def require(self, *keys: str) -> None:
        """Note the keys that are missing from a mapping that could be read."""
        for key in keys:
            if self.readable and key not in self._nodes:
                self.faults.add(self.at, phrase("{what} has no {key}", what=self._what, key=key),
                                phrase("add {key}: …", key=key))

    def text(self, key: str) -> str:
        node = self._nodes.get(key)
        return "" if node is None else text_of(node, self.faults, key)

    def name(self, key: str) -> str:
        """A text of small letters, digits and underscores."""
        found = self.text(key)
        if found and not NAME.fullmatch(found):
            self.faults.add(self._nodes[key], phrase("{key}: {found} is no name", key=key, found=shown(found)),
                            "small letters, digits and _, a letter first, at most 64")
            return ""
        return found

    def words(self, key: str) -> list[tuple[str, Node]]:
        node = self._nodes.get(key)
        return [] if node is None else list(words_of(node, self.faults, key))

    def members(self, key: str, kind: type[E], of: Sequence[E]) -> list[E]:
        """Members of `of` that the list names."""
        found = []
        for word, at in self.words(key):
            if word in of:
                found.append(kind(word))
            else:
                self.faults.add(at, phrase("{key}: there is no {word} here", key=key, word=shown(word)),
                                phrase("one of {names}", names=", ".join(of)))
        return found

    def choice(self, key: str, kind: type[E]) -> E | None:
        found = self.text(key)
        return member(found, self._nodes[key], self.faults, key, kind) if found else None

    def any_words(self, key: str) -> list[tuple[str, Node]] | None:
        """The texts of a list; None for the word `any` and for a key that is not there."""
        node = self._nodes.get(key)
        if node is None or (isinstance(node, Scalar) and node.value == "any"):
            return None
        return list(words_of(node, self.faults, key))

    def choices(self, key: str, kind: type[E]) -> frozenset[E] | None:
        found = self.any_words(key)
        if found is None:
            return None
        members = (member(word, at, self.faults, key, kind) for word, at in found)
        return frozenset(m for m in members if m is not None)

    def day(self, key: str) -> date | None:
        node = self._nodes.get(key)
        if node is None or isinstance(node, Broken):
            return None
        if isinstance(node, Scalar) and _DAY.fullmatch(node.value):
            try:
                return date.fromisoformat(node.value)
            except ValueError:
                pass
        self.faults.add(node, phrase("{key} is no date", key=key), "write it as 2026-11-23")
        return None

    def whole(self, key: str, *, most: int) -> int:
        """A whole number from 0 to `most`; 0 where it is none."""
        node = self._nodes.get(key)
        if isinstance(node, Scalar) and node.tag == "int" and _WHOLE.fullmatch(node.value):
            found = int(node.value)
            if found <= most:
                return found
        if node is not None and not isinstance(node, Broken):
            self.faults.add(node, phrase("{key} must be a whole number from 0 to {most}", key=key, most=most),
                            "without quotes")
        return 0

    def share(self, key: str) -> float:
        """A number above 0 and up to 1; 0.0 where it is none."""
        node = self._nodes.get(key)
        if isinstance(node, Scalar) and node.tag in ("int", "float") and _DECIMAL.fullmatch(node.value):
            found = float(node.value)
            if 0 < found <= 1:
                return found
        if node is not None and not isinstance(node, Broken):
            self.faults.add(node, phrase("{key} must be a number above 0 and up to 1", key=key), "such as 0.6")
        return 0.0

    def flag(self, key: str) -> bool:
        node = self._nodes.get(key)
        if isinstance(node, Scalar) and node.tag == "bool" and node.value in ("true", "false"):
            return node.value == "true"
        if node is not None and not isinstance(node, Broken):
            self.faults.add(node, phrase("{key} must be true or false", key=key), "without quotes")
        return False
