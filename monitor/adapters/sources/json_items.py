"""JSON items of a byte stream, one a line, in one array, or one after another; with bounded memory."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from monitor.adapters.sources.model import BATCH, HEAD, ByteStream, without_mark
from monitor.domain.splitting import Splitter, TooLong

MODES: Final = ("2pass-online", "2pass-offline", "online", "offline")
"""What a FunASR server calls its results."""

_READ: Final = 262_144
_JSON: Final = re.compile(rb'\{\s*(?:"|\}|\Z)|\[\s*(?:\{|\]|\Z)')
_MODE: Final = re.compile(rb'"mode"\s*:\s*"(?:' + "|".join(MODES).encode() + rb')"')
_KIND: Final = re.compile(rb'"kind"\s*:')
_OBJECT_OVER_LINES: Final = re.compile(rb"\{[ \t\r]*\n")


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
    stream: ByteStream, data: bytes, splitter: Splitter
) -> Iterator[tuple[list[bytes | TooLong], bool]]:
    while data:
        yield splitter.feed(data), True
        data = stream.read(_READ)
    yield splitter.finish(), splitter.closed
