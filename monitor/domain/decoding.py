"""The strict, batched decoder of events.

It reads a whole body in one call and goes item by item only after something was wrong, so that each bad item is named
(line, field, reason, hint) and the good ones of the same body are kept.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from monitor.domain.events import KINDS, SIGNALS, STAGES, Event, Kind, at_ms


class Limits(Struct, frozen=True):
    """What one request may hold. Text in code points; times in ms."""

    text: int = 10_000
    batch: int = 10_000
    line_bytes: int = 1_000_000
    future_ms: int = 5 * 60_000
    rejections: int = 1_000


class Rejected(Struct, frozen=True):
    """One item that was not accepted. `line` is 1-based: the line of NDJSON, the item of an array."""

    line: int
    field: str
    reason: str
    hint: str
    id: str | None = None


class Decoded(Struct, frozen=True):
    """`lines[i]` is the line of `events[i]`; `rejected_total` counts beyond what `rejected` lists."""

    events: list[Event]
    lines: Sequence[int]
    rejected: list[Rejected]
    rejected_total: int
    array: bool = False


UNREADABLE: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What the decoder raises for bytes that are no event; nesting too deep is one of them."""

_event: Final = msgspec.json.Decoder(Event)
_events: Final = msgspec.json.Decoder(list[Event])
_raws: Final = msgspec.json.Decoder(list[msgspec.Raw])
_anything: Final = msgspec.json.Decoder()


def decode(body: bytes, limits: Limits, *, now_ms: int) -> Decoded:
    """Read NDJSON or a JSON array of events.

    Raises nothing for bad items: they are in `rejected`. `now_ms` (UTC) judges future times.
    """
    array = body[:64].lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"["
    if body[:3] == b"\xef\xbb\xbf":
        body = body[3:]
    try:
        events = _events.decode(body) if array else _event.decode_lines(body)
    except UNREADABLE:
        return _checked(_one_by_one(body, array, limits), limits, now_ms)
    if len(events) > limits.batch:
        return Decoded([], [], [_too_many(len(events), limits)], len(events), array)
    lines: Sequence[int] = range(1, len(events) + 1)
    if not array and events and not _one_a_line(body, len(events)):
        lines = [n for n, line in enumerate(body.split(b"\n"), 1) if line.strip()]
        if len(lines) != len(events):  # two objects on one line
            return _checked(_one_by_one(body, array, limits), limits, now_ms)
    return _checked(Decoded(events, lines, [], 0, array), limits, now_ms)


def _one_a_line(body: bytes, count: int) -> bool:
    """No blank line among them, so that the n-th event stands on line n."""
    blank = b"\n\n" in body or b"\n\r\n" in body or body[:1] in b"\r\n"
    return not blank and body.count(b"\n") == count - (not body.endswith(b"\n"))


def _too_many(count: int, limits: Limits) -> Rejected:
    return Rejected(
        limits.batch + 1, "", f"{count} items in one request, at most {limits.batch} are taken",
        "send smaller requests, or raise ingest.batch",
    )


def _one_by_one(body: bytes, array: bool, limits: Limits) -> Decoded:
    """The slow way: every item by itself, so that each fault gets its line."""
    items: Sequence[tuple[int, bytes | msgspec.Raw]]
    if array:
        try:
            items = list(enumerate(_raws.decode(body), 1))
        except UNREADABLE as error:
            return Decoded([], [], [reject(1, body, error)], 1, True)
    else:
        items = [(n, line) for n, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if len(items) > limits.batch:
        return Decoded([], [], [_too_many(len(items), limits)], len(items), array)
    events: list[Event] = []
    lines: list[int] = []
    rejected: list[Rejected] = []
    for line, item in items:
        raw = bytes(item)
        if len(raw) > limits.line_bytes:
            rejected.append(
                Rejected(line, "", f"the line has {len(raw)} bytes, at most {limits.line_bytes} are taken",
                         "split the text into shorter events, or raise ingest.line_bytes")
            )
            continue
        try:
            events.append(_event.decode(raw))
            lines.append(line)
        except UNREADABLE as error:
            rejected.append(reject(line, raw, error))
    return Decoded(events, lines, rejected, len(rejected), array)


_HINTS: Final[dict[str, str]] = {
    "at": "send RFC 3339 with an offset (2026-11-23T20:00:00+08:00) or UTC milliseconds",
    "kind": "one of " + ", ".join(KINDS),
    "stage": "one of " + ", ".join(STAGES),
    "speaker": 'send {"role": …, "id": …}, one of host, assistant, official, guest, or a viewer\'s id',
    "text": "send a string of valid Unicode",
    "id": "send a non-empty string of at most 256 characters, unique in its source",
    "attributes": "send an object of strings, numbers, booleans or null",
}
_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(r"field `(?P<field>[^`]+)`")
_LONE_SURROGATE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|\\u[dD][c-fC-F]")


def reject(line: int, raw: bytes, error: Exception) -> Rejected:
    """Say what is wrong with one item in the project's own words: field, reason, remedy."""
    known = _id_of(raw)
    if isinstance(error, UnicodeError):
        return Rejected(line, "", "the bytes are not valid UTF-8", "encode the body as UTF-8", known)
    if isinstance(error, RecursionError):
        return Rejected(line, "", "the JSON is nested too deeply", "send one flat object a line", known)
    match = _PATH.match(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    field = re.split(r"[.\[]", path.lstrip("."), maxsplit=1)[0]
    named = _FIELD.search(what)
    if not field and named:
        field = named["field"]
    if not isinstance(error, msgspec.ValidationError):
        if _LONE_SURROGATE.search(raw):
            return Rejected(line, "text", "a lone surrogate is no Unicode text", _HINTS["text"], known)
        if b"\0" in raw:
            return Rejected(line, "", "a NUL byte stands in the line", "remove it, or write it as \\u0000", known)
        hint = "send one JSON object a line, or one array of objects"
        reason = "several objects in one line" if "trailing characters" in what else f"malformed JSON: {what}"
        return Rejected(line, field, reason, hint, known)
    if "Object contains unknown field" in what:
        return Rejected(line, field, f"unknown field {field}", "remove it, or put it under attributes", known)
    if field == "at" and "timezone" in what:
        return Rejected(line, field, "the time has no offset", _HINTS["at"], known)
    hint = _HINTS.get(field, "see the field list in docs/events.md")
    return Rejected(line, field, what[:1].lower() + what[1:], hint, known)


def _id_of(raw: bytes) -> str | None:
    try:
        item: Any = _anything.decode(raw)
    except UNREADABLE:
        return None
    found = item.get("id") if isinstance(item, dict) else None
    return found[:256] if isinstance(found, str) else None


def _checked(decoded: Decoded, limits: Limits, now_ms: int) -> Decoded:
    """The limits that the type cannot say; by column, item by item only where one is broken."""
    events = decoded.events
    latest = now_ms + limits.future_ms
    if not events:
        return decoded

    def fault(event: Event) -> tuple[str, str, str] | None:
        if len(event.text) > limits.text:
            return ("text", f"the text has {len(event.text)} characters, at most {limits.text} are taken",
                    "split it into several events, or raise ingest.text")
        if event.kind is Kind.SIGNAL and event.text not in SIGNALS:
            return "text", "unknown signal", "one of " + ", ".join(sorted(SIGNALS))
        at = at_ms(event)
        if at is not None and at > latest:
            reason = f"the time lies {(at - now_ms) // 1000} s in the future"
            return "at", reason, "check the sender's clock (milliseconds, UTC)"
        return None

    if not _suspicious(events, limits, latest):
        return decoded
    return filtered(decoded, fault, limits)


def _suspicious(events: list[Event], limits: Limits, latest: int) -> bool:
    most, signal = limits.text, Kind.SIGNAL
    for e in events:
        at = e.at
        if len(e.text) > most or e.kind is signal or (at is not None and (type(at) is not int or at > latest)):
            return True
    return False


def filtered(
    decoded: Decoded, fault: Callable[[Event], tuple[str, str, str] | None], limits: Limits
) -> Decoded:
    """`decoded` without the events for which `fault` names (field, reason, hint)."""
    events: list[Event] = []
    lines: list[int] = []
    rejected = list(decoded.rejected)
    for event, line in zip(decoded.events, decoded.lines, strict=True):
        why = fault(event)
        if why is None:
            events.append(event)
            lines.append(line)
        else:
            rejected.append(Rejected(line, *why, id=event.id))
    rejected.sort(key=lambda r: r.line)
    total = decoded.rejected_total + len(decoded.events) - len(events)
    return Decoded(events, lines, rejected[: limits.rejections], total, decoded.array)
