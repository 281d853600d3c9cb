"""Cutting JSON into items without decoding it, in bounded memory."""

import re
from typing import Final

from msgspec import Struct

from monitor.domain.errors import InputError

_TOKEN: Final = re.compile(rb'[{}\[\],]|"(?:[^"\\]++|\\.)*+("?)', re.DOTALL)
# An object with objects and arrays of plain values in it, and the comma after it: the usual event, in one match.
_VALUES: Final = rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+'
_EVENT: Final = re.compile(
    rb"\s*+\{(?:" + _VALUES[:-2] + rb"|\{" + _VALUES + rb"\}|\[" + _VALUES + rb"\])*+\}\s*+,", re.DOTALL
)
_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


class TooLong(Struct, frozen=True):
    """Stands for an item that was longer than the limit and was not kept."""

    size: int


class Splitter:
    """Cuts JSON into the items of its outermost array, or into its outermost objects, without decoding them.

    A fault inside an item stays in it where brackets still pair up, so the next item is found. An item of more than
    `limit` bytes comes as `TooLong`; `feed` raises InputError where brackets are nested deeper than `deepest`.
    """

    def __init__(self, limit: int, *, array: bool, deepest: int = 100_000) -> None:
        self._limit = limit
        self._deepest = deepest
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
            if depth > self._deepest:
                raise InputError(f"JSON nested deeper than {self._deepest}", hint="events are flat objects")
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
