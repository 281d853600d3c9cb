"""Rejections: what is wrong with an item that was not accepted, in the project's own words."""

import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from monitor.domain.events import KINDS, STAGES

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What the decoder raises for bytes that are no event; nesting too deep is one of them."""

_SHOWN: Final = 100
"""Characters of what a client sent that a rejection repeats."""

_anything: Final = msgspec.json.Decoder()


class Rejected(Struct, frozen=True):
    """One item that was not accepted. `line` is 1-based: the line of NDJSON, the item of an array."""

    line: int
    field: str
    reason: str
    hint: str
    id: str | None = None


def too_long(line: int, size: int, most: int) -> Rejected:
    """For an item of `size` bytes where `most` are allowed."""
    return Rejected(
        line, "", f"the line has {size} bytes, at most {most} are taken",
        "split the text into shorter events, or raise ingest.line_bytes",
    )


Fault = tuple[str, str, str]
"""Field, reason, hint."""

TOO_EARLY: Final = (
    "the time lies before 2001-09-09", "send UTC milliseconds (13 digits), not seconds; or check the sender's clock")
"""Reason and hint for a time before `EARLIEST`."""

TOO_DEEP: Final = ("", "the JSON is nested too deeply", "send flat objects")

_HINTS: Final[dict[str, str]] = {
    "at": "send RFC 3339 with an offset (2026-11-23T20:00:00+08:00) or UTC milliseconds",
    "kind": "one of " + ", ".join(KINDS),
    "stage": "one of " + ", ".join(STAGES),
    "speaker": 'send {"role": …, "id": …}, one of host, assistant, official, guest, or a viewer\'s id',
    "text": "send a string of valid Unicode",
    "id": "send a non-empty string of at most 256 characters, unique in its source",
    "attributes": "send an object of at most 64 strings (2,000 characters), numbers (64 bits), booleans or null",
}
_PATH: Final = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD: Final = re.compile(r"field `(?P<field>[^`]+)`")
_LONE_SURROGATE: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|\\u[dD][c-fC-F]")


def reject(
    line: int, raw: bytes, error: Exception, *, fields: str = "docs/events.md",
    unknown: str = "remove it, or put it under attributes",
) -> Rejected:
    """Say what is wrong with one item in the project's own words: field, reason, remedy. `fields`: the page that lists
    them; `unknown`: what to do about one that is not there."""
    field, reason, hint = _fault_of(raw, error, fields, unknown)
    return Rejected(line, _short(field), _short(reason), hint, _id_of(raw))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _fault_of(raw: bytes, error: Exception, fields: str, unknown: str) -> Fault:
    if isinstance(error, UnicodeError):
        return "", "the bytes are not valid UTF-8", "encode the body as UTF-8"
    if isinstance(error, RecursionError):
        return TOO_DEEP
    match = _PATH.match(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    head, *inside = re.split(r"[.\[]", path.lstrip("."))
    named = _FIELD.search(what)
    field = ".".join(part for part in (head, *inside[:1], named["field"] if named else "") if part.strip(".]"))
    if not isinstance(error, msgspec.ValidationError):
        if _LONE_SURROGATE.search(raw):
            return "text", "a lone surrogate is no Unicode text", _HINTS["text"]
        if b"\0" in raw:
            return "", "a NUL byte stands in the line", "remove it, or write it as \\u0000"
        reason = "several objects in one line" if "trailing characters" in what else f"malformed JSON: {what}"
        return field, reason, "send one JSON object a line, or one array of objects"
    if "Object contains unknown field" in what:
        return field, f"unknown field {field}", unknown
    if head == "at" and "timezone" in what:
        return field, "the time has no offset", _HINTS["at"]
    if head == "at" and ">=" in what:
        return field, *TOO_EARLY
    return field, what[:1].lower() + what[1:], _HINTS.get(head or field, f"see the field list in {fields}")


def _id_of(raw: bytes) -> str | None:
    try:
        item: Any = _anything.decode(raw)
    except UNREADABLE:
        return None
    found = item.get("id") if isinstance(item, dict) else None
    return found[:256] if isinstance(found, str) else None
