"""Danmaku XML as live recorders write it: comments and super chats, and gifts as signals.

Read are the dialects of BililiveRecorder, blrec, biliup, biliLive-tools and of the video site itself, which they all
follow: `<d p="seconds,mode,size,colour,sent,pool,uid or its hash,row">text</d>`.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import structs

from monitor.adapters.sources.assembling import Assembler, Item
from monitor.adapters.sources.model import CHUNK, Batch, ByteStream, SourceOptions, without_mark
from monitor.adapters.sources.xml_elements import Element, Elements
from monitor.domain.events import Attributes, Kind, Role
from monitor.domain.rejections import Rejected

NAME: Final = "danmaku_xml"
LEGACY: Final = True

_ROOT: Final = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*+<i[\s/>]", re.DOTALL)
_ITEM: Final = re.compile(rb"<d\s+(?:[a-z]+\s*=\s*\"[^\"]*\"\s+)*p\s*=\s*[\"'][-+]?[\d.]")
_TYPES: Final = {"gift": "gift", "guard": "guard", "toast": "toast", "super_chat": "superchat", "guard_buy": "guard",
                 "sc": "superchat"}
_COPIED: Final = {"level": "level", "cointype": "coin", "unit": "unit"}
_NOBODY: Final = frozenset({"", "0", "null", "undefined", "None"})
_SECONDS: Final = re.compile(r"\s*[-+]?(?:\d{1,10}(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?\s*")
_NUMBER: Final = re.compile(r"[-+]?\d{1,15}(\.\d{1,9})?")


def sniff(head: bytes) -> bool:
    head = without_mark(head)
    return head.startswith(b"<") and (_ROOT.match(head) is not None or _ITEM.search(head) is not None)


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    """One event an item. A file without its closing tag (the recorder still runs) is complete up to its last item."""
    out = Assembler(options)
    elements = Elements(options.limits)
    reader = _Reader(out)
    more = True
    while more:
        data = b"" if elements.refused else stream.read(CHUNK)
        more = bool(data)
        if more:
            elements.feed(data)
        else:
            elements.finish()
        found, elements.found = elements.found, []
        for one in found:
            if isinstance(one, Element):
                reader.add(one)
            else:
                out.reject(one)
            if out.full:
                yield from out.drain()
        yield from out.drain(everything=True)  # of a running recorder, what has come


class _Reader:
    """Knows when the recording began once a comment said both its place and its wall clock."""

    def __init__(self, out: Assembler) -> None:
        self._out = out
        self._began: int | None = None

    def add(self, element: Element) -> None:
        given, text = element.attributes, element.text.strip()
        if element.tag == "d":
            parts = given.get("p", "").split(",")
            self._comment(element, parts, text)
            return
        what = given.get("type", "gift") if element.tag == "s" else element.tag
        if what in ("sc", "super_chat") and text:
            kind, attributes = Kind.COMMENT, {"superchat": True, **_money(given)}
        else:
            kind, text, attributes = Kind.SIGNAL, "gift", {"type": _TYPES.get(what, what[:32]), **_money(given)}
        item = Item(kind=kind, text=text, role=Role.VIEWER, speaker=_author(given), attributes=attributes)
        if "ts" not in given and (sent := _clock(given.get("timestamp", ""))) is not None:
            if self._began is None:
                self._out.add(element.line, structs.replace(item, at=sent))
            else:
                self._out.add(element.line, structs.replace(item, offset_ms=max(sent - self._began, 0)))
            return
        self._timed(element.line, item, "ts", given.get("ts", ""))

    def _comment(self, element: Element, parts: list[str], text: str) -> None:
        sender = parts[6] if len(parts) > 6 else ""
        item = Item(kind=Kind.COMMENT, text=text, role=Role.VIEWER, speaker=_author(element.attributes, sender))
        offset = self._timed(element.line, item, "p", parts[0])
        if offset is not None and len(parts) > 4 and (sent := _clock(parts[4])) is not None:
            self._began = sent - offset

    def _timed(self, line: int, item: Item, field: str, seconds: str) -> int | None:
        """Add the item at the seconds since the recording began; gives them in ms, or None where they are no time."""
        if not _SECONDS.fullmatch(seconds):
            self._out.reject(
                Rejected(line, field, f"{seconds[:40]!r} is no time in seconds",
                         'write p="seconds,mode,…" or ts="seconds"')
            )
            return None
        offset = max(round(float(seconds) * 1000), 0)
        self._out.add(line, structs.replace(item, offset_ms=offset))
        return offset


def _clock(sent: str) -> int | None:
    """UTC ms of a Unix time in seconds or ms; None for the 0 of a recorder that does not know it."""
    if not (sent.isascii() and sent.isdecimal()) or not 10 <= len(sent) <= 15:
        return None
    return int(sent) if len(sent) > 11 else int(sent) * 1000


def _author(attributes: dict[str, str], sender: str = "") -> str:
    """The uid, or the uid (or its hash) inside `p`, or the name. Recorders write 0 for a uid that they may not know."""
    name = attributes.get("user") or attributes.get("username") or ""
    return next((known for known in (attributes.get("uid", ""), sender, name) if known not in _NOBODY), "")


def _money(given: dict[str, str]) -> Attributes:
    """What was paid for: price as the recorder counts it (yuan, or thousandths of it), number, name of the gift."""
    found: Attributes = {}
    if "price" in given:
        found["price"] = _number(given["price"])
    num = given.get("giftcount") or given.get("count") or given.get("num")
    if num and num not in _NOBODY:
        found["num"] = _number(num)
    name = given.get("giftname") or given.get("role")
    if name and name not in _NOBODY:
        found["gift_name"] = name[:256]
    for key, attribute in _COPIED.items():
        if key in given:
            found[attribute] = _number(given[key])
    return found


def _number(text: str) -> str | int | float:
    text = text.strip()
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text[:256]
    return float(text) if match[1] else int(text)
