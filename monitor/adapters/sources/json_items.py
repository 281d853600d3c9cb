"""JSON items of a byte stream, one a line, in one array, or one after another; with bounded memory."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from monitor.adapters.sources.model import BATCH, HEAD, ByteStream, TooLong, without_mark
from monitor.domain.errors import InputError

MODES: Final = ("2pass-online", "2pass-offline", "online", "offline")
"""What a FunASR server calls its results."""

_READ: Final = 262_144
_JSON: Final = re.compile(rb'\{\s*(?:"|\}|\Z)|\[\s*(?:\{|\]|\Z)')
_MODE: Final = re.compile(rb'"mode"\s*:\s*"(?:' + "|".join(MODES).encode() + rb')"')
_KIND: Final = re.compile(rb'"kind"\s*:')
_OBJECT_OVER_LINES: Final = re.compile(rb"\{[ \t\r]*\n")
_TOKEN: Final = re.compile(rb'[{}\[\],]|"(?:[^"\\]++|\\.)*+("?)', re.DOTALL)
# An object with objects and arrays of plain values in it, and the comma after it: the usual event, in one match.
_VALUES: Final = rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+'
_EVENT: Final = re.compile(
    rb"\s*+\{(?:" + _VALUES[:-2] + rb"|\{" + _VALUES + rb"\}|\[" + _VALUES + rb"\])*+\}\s*+,", re.DOTALL
)
_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


def shape_of(head: bytes) -> str | None:
    """`funasr`, `events`, or None for what is not JSON objects."""
    head = without_mark(head)
    if not _JSON.match(head):
        return None
    return "funasr" if _MODE.search(head) and not _KIND.search(head) else "events"


class Block(Struct):
    """Some items in order; `number` is that of the first. `closed` is False where the file ended in the last."""

    number: int
    items: list[bytes | TooLong]
    closed: bool = True


def blocks(stream: ByteStream, limit: int) -> Iterator[Block]:
    """Blocks of at most 1,024 items, none with a line end in it.

    Numbers are lines; in an array, or a row of objects that each take several lines, places. An item of more than
    `limit` bytes comes as `TooLong` and is never held. A blank line is an item, so that numbers stay right.
    """
    data = b""
    while len(data) < HEAD and len(data.strip()) < 16 and (more := stream.read(_READ)):
        data += more
    data = data.removeprefix(b"\xef\xbb\xbf")
    start = data.lstrip()
    if start.startswith(b"["):
        return _grouped(_split(stream, data, Splitter(limit, array=True)))
    if _OBJECT_OVER_LINES.match(start):
        return _grouped(_split(stream, data, Splitter(limit, array=False)))
    return _grouped(_lines(stream, data, limit))


def _grouped(runs: Iterator[tuple[list[bytes | TooLong], bool]]) -> Iterator[Block]:
    number = 1
    for items, closed in runs:
        for at in range(0, len(items) or 1, BATCH):
            part = items[at : at + BATCH]
            last = at + BATCH >= len(items)
            if part or not closed:
                yield Block(number, part, closed or not last)
            number += len(part)


def _lines(stream: ByteStream, data: bytes, limit: int) -> Iterator[tuple[list[bytes | TooLong], bool]]:
    rest, dropped = b"", 0
    while data:
        parts = (rest + data).split(b"\n")
        rest = parts.pop()
        items: list[bytes | TooLong] = [*parts]
        if parts and (dropped or max(map(len, parts)) > limit):
            items = [TooLong(len(part)) if len(part) > limit else part for part in parts]
            if dropped:
                items[0] = TooLong(dropped + len(parts[0]))
                dropped = 0
        yield items, True
        if dropped or len(rest) > limit:
            dropped += len(rest)
            rest = b""
        data = stream.read(_READ)
    if dropped:
        yield [TooLong(dropped)], True
    elif rest.strip():
        yield [rest], False


def _split(
    stream: ByteStream, data: bytes, splitter: "Splitter"
) -> Iterator[tuple[list[bytes | TooLong], bool]]:
    while data:
        yield splitter.feed(data), True
        data = stream.read(_READ)
    yield splitter.finish(), splitter.closed


class Splitter:
    """Cuts JSON into the items of its outermost array, or into its outermost objects, without decoding them.

    A fault inside an item stays in it where brackets still pair up, so the next item is found.
    """

    def __init__(self, limit: int, *, array: bool) -> None:
        self._limit = limit
        self._array = array
        self._open = bytearray()  # the brackets that are open, outermost first
        self._held = b""  # the item so far, unless it is too long
        self._seen = 0  # how much of it was looked at
        self._dropped = 0  # bytes of it that were not held
        self._in_string = False
        self._ended = False  # the array is complete
        self._found: list[bytes | TooLong] = []

    @property
    def closed(self) -> bool:
        return self._ended if self._array else not self._open

    def feed(self, data: bytes) -> list[bytes | TooLong]:
        data = self._held + data
        start, at = 0, self._seen
        while not self._ended:
            if at == start and self._array and len(self._open) == 1 and not self._dropped:
                while event := _EVENT.match(data, start):
                    self._emit(data[start : event.end() - 1])
                    start = at = event.end()
            if self._in_string:
                at = _end(_STRING.match(data, at))
                if data[at : at + 1] != b'"':
                    break  # the end of the data, or a backslash whose character is still to come
                self._in_string = False
                at += 1
            token = _TOKEN.search(data, at)
            if token is None:
                at = len(data)
                break
            at = token.end()
            if data[token.start()] == 0x22:
                self._in_string = not token[1]
            else:
                start = self._bracket(data, start, token.start())
        if self._ended:
            at = len(data)
        if self._dropped or at - start > self._limit:
            self._dropped += at - start
            start = at
        self._held, self._seen = data[start:], at - start
        found, self._found = self._found, []
        return found

    def finish(self) -> list[bytes | TooLong]:
        """What is left at the end of the stream."""
        if self._dropped or self._held.strip():
            self._emit(self._held)
        found, self._found = self._found, []
        return found

    def _bracket(self, data: bytes, start: int, at: int) -> int:
        """Account for a bracket or comma at `at`; gives where the current item starts."""
        sign, depth = data[at], len(self._open)
        outermost = 1 if self._array else 0
        if sign == 0x2C:
            if depth == outermost:
                if self._array:
                    self._emit(data[start:at])
                return at + 1
        elif sign in b"[{":
            if depth > self._limit:
                raise InputError(f"JSON nested deeper than {self._limit}", hint="events are flat objects")
            self._open.append(sign)
            if self._array and depth == 0:
                return at + 1
        else:
            partner = self._open.rfind(b"{" if sign == 0x7D else b"[", outermost)
            if partner >= 0:
                del self._open[partner:]
                if partner == 0:
                    self._emit(data[start : at + 1])
                    return at + 1
            elif self._array and sign == 0x5D:
                self._ended = True
                if self._dropped or data[start:at].strip():
                    self._emit(data[start:at])
                return at + 1
        return start

    def _emit(self, item: bytes) -> None:
        size = self._dropped + len(item)
        self._dropped = 0
        self._found.append(
            TooLong(size) if size > self._limit else item.replace(b"\n", b" ").replace(b"\r", b" ").strip()
        )


def _end(match: re.Match[bytes] | None) -> int:
    assert match is not None  # noqa: S101 (the pattern matches the empty string)
    return match.end()
