"""YAML as a tree in which every node knows its place.

Built from libyaml's events without recursion. Anchors, aliases and tags are refused: a rule file says what it
says, and no alias can blow it up.
"""

import re
from typing import Any, Final

import yaml
from msgspec import Struct

from monitor.adapters.rulefiles.faults import TOP, At, Faults, Place, shown
from monitor.domain.phrases import phrase

MAX_YAML: Final = 1_000_000
MAX_DEPTH: Final = 20
MAX_LIST: Final = 8_000_000

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVER: Final[Any] = yaml.resolver.Resolver()
_RESOLVED: Final = _RESOLVER.yaml_implicit_resolvers.keys()
"""How plain scalars begin that may be something else than a text."""
_UNPRINTABLE: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_FULL_WIDTH: Final = re.compile(r"(?:^|[{,])[ -]*[A-Za-z_-]+(?P<colon>：)|，(?=\s*[A-Za-z_-]+\s*[:：])")
_TAG: Final = "tag:yaml.org,2002:"


class Scalar(Struct, frozen=True):
    """`tag`: how YAML 1.1 reads it (str, int, float, bool, null, timestamp, merge, value).

    `inner`: the column where the value itself begins, 0 where the value is not the source's text one to one.
    """

    value: str
    tag: str
    line: int
    column: int
    inner: int = 0

    @property
    def bare(self) -> bool:
        """Written on one line without quotes."""
        return self.inner == self.column

    def place(self, offset: int) -> At:
        """The place of a code point of the value, or that of the node where this is unknown."""
        return Place(self.line, self.inner + offset) if self.inner else self


class Items(Struct, frozen=True):
    items: list["Node"]
    line: int
    column: int


class Table(Struct, frozen=True):
    pairs: list[tuple[Scalar, "Node"]]
    line: int
    column: int


class Broken(Struct, frozen=True):
    """Something whose fault is noted already."""

    line: int
    column: int


Node = Scalar | Items | Table | Broken


def decode(data: bytes, faults: Faults, *, limit: int) -> str | None:
    """UTF-8 text without its byte order mark, or None with the fault noted."""
    if len(data) > limit:
        faults.add(TOP, phrase("the file has over {limit} bytes", limit=f"{limit:,}"),
                   "split it, or move terms to lists/")
        return None
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1:].decode(errors="replace")) + 1
        faults.add(Place(before.count(b"\n") + 1, column), "the file is not UTF-8", "save it as UTF-8")
        return None
    bad = _UNPRINTABLE.search(text)
    if bad is None:
        return text
    at = bad.start()
    place = Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    faults.add(place, phrase("the character U+{mark} is not allowed here", mark=f"{ord(bad[0]):04X}"), "remove it")
    return None


def parse(data: bytes, faults: Faults) -> Node | None:
    """The file's one document, or None where it cannot be read; the faults are noted."""
    text = decode(data, faults, limit=MAX_YAML)
    if text is None:
        return None
    builder = _Builder(faults)
    try:
        loader = _LOADER(text)
        for event in iter(loader.get_event, None):
            if not builder.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        _syntax(error, text, faults)
        return None
    except yaml.YAMLError as error:
        faults.add(TOP, phrase("the file cannot be read as YAML: {error}", error=error), "see docs/rules.md")
        return None
    if builder.root is None:
        faults.add(TOP, "the file is empty", "see docs/rules.md")
    return builder.root


def _syntax(error: yaml.MarkedYAMLError, text: str, faults: Faults) -> None:
    mark = error.problem_mark or error.context_mark
    if error.context_mark and "end of stream" in (error.problem or ""):
        mark = error.context_mark  # what was never closed, not the end of the file
    place = TOP if mark is None else _at(mark)
    lines = text.split("\n")
    for number in (place.line, place.line - 1):
        found = _FULL_WIDTH.search(lines[number - 1]) if 0 < number <= len(lines) else None
        if found:
            sign, ascii_sign = ("：", ":") if found["colon"] else ("，", ",")
            faults.add(Place(number, found.end()), phrase("a full-width {sign} is no YAML", sign=sign),
                       phrase("write {ascii} and a space", ascii=ascii_sign))
            return
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if line[place.column - 1: place.column] == "\t" or line[: len(line) - len(line.lstrip())].count("\t"):
        faults.add(place, "a tab stands in the indentation", "indent by spaces")
        return
    begun = f" (begun in line {error.context_mark.line + 1})" if error.context_mark and error.context else ""
    said = (f"{error.context}{begun} " if error.context else "") + (error.problem or "")
    faults.add(place, phrase("not valid YAML: {said}", said=said),
               "check indentation, brackets and quotes; quote text with : # or @")


class _Open(Struct):
    node: Items | Table
    key: Scalar | Broken | None = None
    seen: dict[str, int] = {}


class _Builder:
    """Takes one event after the other; a stack of open containers in place of recursion."""

    def __init__(self, faults: Faults) -> None:
        self.root: Node | None = None
        self._faults = faults
        self._stack: list[_Open] = []

    def take(self, event: yaml.Event) -> bool:
        """False: give the file up."""
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            return self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            place = _place(event)
            self._faults.add(place, phrase("*{anchor}: aliases are not supported", anchor=event.anchor),
                             "write it out, or use a list file")
            self._put(Broken(place.line, place.column))
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._faults.add(_place(event), "a second document stands in the file", "split the file")
            return False
        return True

    def _marked(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._faults.add(_place(event), phrase("&{anchor}: anchors are not supported", anchor=event.anchor),
                             "remove it")
        if event.tag is not None and event.tag != "!":
            self._faults.add(_place(event), phrase("the tag {tag} is not supported", tag=shown(event.tag)),
                             "remove it; quote text")

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if event.anchor is not None or event.tag is not None:
            self._marked(event)
        start: Any = event.start_mark
        end: Any = event.end_mark
        value = event.value
        bare = not event.style  # libyaml says "", the pure parser None
        plain = bare and event.tag is None and value[:1] in _RESOLVED
        tag = str(_RESOLVER.resolve(yaml.ScalarNode, value, (True, False))).removeprefix(_TAG) if plain else "str"
        around = end.column - start.column - len(value) if end.line == start.line else -1
        exact = around == 0 if bare else around == 2 and event.style in ("'", '"')
        column = start.column + 1
        return Scalar(value, tag, start.line + 1, column, column + around // 2 if exact else 0)

    def _start(self, event: yaml.CollectionStartEvent) -> bool:
        self._marked(event)
        place = _place(event)
        if len(self._stack) >= MAX_DEPTH:
            self._faults.add(place, phrase("nested deeper than {most} levels", most=MAX_DEPTH), "flatten it")
            return False
        made = Table if isinstance(event, yaml.MappingStartEvent) else Items
        node = made([], place.line, place.column)
        self._put(node)
        self._stack.append(_Open(node))
        return True

    def _put(self, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        top = self._stack[-1]
        if isinstance(top.node, Items):
            top.node.items.append(node)
        elif top.key is None:
            top.key = self._key(top, node)
        else:
            if isinstance(top.key, Scalar):
                top.node.pairs.append((top.key, node))
            top.key = None

    def _key(self, top: _Open, node: Node) -> Scalar | Broken:
        if isinstance(node, Broken):
            return node
        if not isinstance(node, Scalar):
            self._faults.add(node, "a key must be one word", "quote brackets that belong to a text")
            return Broken(node.line, node.column)
        if node.tag != "str":
            self._faults.add(node, phrase("the key {value} is {reading}", value=node.value[:40], reading=reading(node)),
                             phrase("quote it: '{value}'", value=node.value[:40]))
            return Broken(node.line, node.column)
        if node.value in top.seen:
            first = top.seen[node.value]
            self._faults.add(node,
                             phrase("the key {value} stands twice, first in line {first}", value=shown(node.value),
                                    first=first),
                             "remove one, or join them")
            return Broken(node.line, node.column)
        top.seen[node.value] = node.line
        return node


_READINGS: Final = {
    "bool": phrase("read as a boolean"), "int": phrase("read as a number"), "float": phrase("read as a number"),
    "timestamp": phrase("read as a date"), "null": phrase("read as nothing"),
    "merge": phrase("a merge, which is not supported"), "value": phrase("a YAML sign, not a text"),
}


def reading(node: Scalar) -> str:
    """How YAML 1.1 takes a plain scalar that is no string."""
    return _READINGS.get(node.tag, phrase("no plain text"))


def _place(event: yaml.Event) -> Place:
    return _at(event.start_mark)


def _at(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)
