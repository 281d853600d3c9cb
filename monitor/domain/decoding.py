"""The strict, batched decoder of events.

It reads a whole body in one call and goes item by item only after something was wrong, so that each bad item is named
(line, field, reason, hint) and the good ones of the same body are kept. What a body may cost is bounded before it is
paid: large bodies are read in pieces, and the reading stops at the first item too many.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.errors import InputError
from monitor.domain.events import EARLIEST, SIGNALS, Event, Kind, at_ms
from monitor.domain.rejections import TOO_DEEP, TOO_EARLY, UNREADABLE, Fault, Rejected, reject, too_long
from monitor.domain.splitting import Splitter, TooLong


class Limits(Struct, frozen=True):
    """What one request may hold. Text in code points; times in ms. Times below `relative_ms` count from a start."""

    text: int = 10_000
    batch: int = 10_000
    line_bytes: int = 1_000_000
    future_ms: int = 5 * 60_000
    rejections: int = 1_000
    relative_ms: int = 0


class Decoded(Struct, frozen=True):
    """`lines[i]` is the line of `events[i]`; `rejected_total` counts beyond what `rejected` lists."""

    events: list[Event]
    lines: Sequence[int]
    rejected: list[Rejected]
    rejected_total: int
    array: bool = False


_PIECE: Final = 2**18
"""Bytes that are decoded in one call; a longer line is a piece of its own."""
_STEP: Final = 2**14
"""Bytes of an array that are split in one call."""
_DEEPEST: Final = 1_000
"""Brackets in an array that may be open at once."""
_MARK: Final = b"\xef\xbb\xbf"
_BLANK: Final = re.compile(rb"[ \t\r\n]*+")
_event: Final = msgspec.json.Decoder(Event)
_events: Final = msgspec.json.Decoder(list[Event])


def decode(body: bytes, limits: Limits, *, now_ms: int) -> Decoded:
    """Read NDJSON or a JSON array of events.

    Raises nothing for bad items: they are in `rejected`. `now_ms` (UTC) judges future times.
    """
    return quick(body, limits, now_ms=now_ms) or _thorough(body, limits, now_ms)


def quick(body: bytes, limits: Limits, *, now_ms: int) -> Decoded | None:
    """As `decode`, in few milliseconds: None for a body that is large, or has a fault in its form."""
    if len(body) > min(_PIECE, limits.line_bytes):
        return None
    body = body.removeprefix(_MARK)
    array = _is_array(body)
    events = _decoded(_events.decode if array else _event.decode_lines, body)
    if events is None or len(events) > limits.batch:
        return None
    lines = range(1, len(events) + 1) if array else _lines(body, len(events))
    return None if lines is None else _checked(Decoded(events, lines, [], 0, array), limits, now_ms)


def _thorough(body: bytes, limits: Limits, now_ms: int) -> Decoded:
    body = body.removeprefix(_MARK)
    array = _is_array(body)
    reading = _Reading(limits)
    for _ in reading.array(body) if array else reading.lines(body):
        if reading.count > limits.batch:
            return Decoded([], [], [_too_many(limits)], reading.count, array)
    return _checked(Decoded(reading.events, reading.numbers, reading.rejected, reading.count - len(reading.events),
                            array), limits, now_ms)


def _decoded(decoder: Callable[[bytes], list[Event]], data: bytes) -> list[Event] | None:
    try:
        return decoder(data)
    except UNREADABLE:
        return None


def _is_array(body: bytes) -> bool:
    blank = _BLANK.match(body)
    return blank is not None and body[blank.end() : blank.end() + 1] == b"["


def _lines(body: bytes, count: int) -> Sequence[int] | None:
    """The lines on which `count` decoded events stand; None where two share one."""
    blank = b"\n\n" in body or b"\n\r\n" in body or body[:1] in b"\r\n"
    if not blank and body.count(b"\n") == count - (not body.endswith(b"\n")):
        return range(1, count + 1)
    lines = [n for n, line in enumerate(body.split(b"\n"), 1) if line.strip()] if count else []
    return lines if len(lines) == count else None


class _Reading:
    """Reads a body bit by bit, so that somebody can watch `count`, the number of its items so far, and stop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._piece = min(_PIECE, limits.line_bytes)
        self.events: list[Event] = []
        self.numbers: list[int] = []
        self.rejected: list[Rejected] = []
        self.count = 0

    def lines(self, body: bytes) -> Iterator[None]:
        """NDJSON."""
        at, number = 0, 1
        while at < len(body):
            end = body.rfind(b"\n", at, at + self._piece) + 1 if len(body) - at > self._piece else len(body)
            end = end or body.find(b"\n", at + self._piece) + 1 or len(body)
            piece = body[at:end]
            events = _decoded(_event.decode_lines, piece) if len(piece) <= self._piece else None
            lines = None if events is None else _lines(piece, len(events))
            if events is not None and lines is not None:
                self._take(events, number, lines)
                yield
            else:
                for place, line in enumerate(piece.split(b"\n"), number):
                    if line.strip():
                        self._item(place, line)
                        yield
            number += piece.count(b"\n")
            at = end

    def array(self, body: bytes) -> Iterator[None]:
        """A JSON array. What decodes with a bracket put behind it ended between two items."""
        at = body.index(b"[") + 1
        while True:
            last = len(body) - at <= self._piece
            cut = len(body) if last else body.rfind(b"},", at, at + self._piece) + 1
            events = _decoded(_events.decode, b"[" + body[at:cut] + (b"" if last else b"]")) if cut else None
            if events is None:
                break
            self._take(events, self.count + 1, range(1, len(events) + 1))
            at = cut + 1
            yield
            if last:
                return
        splitter = Splitter(self._limits.line_bytes, array=True, deepest=_DEEPEST)
        splitter.feed(b"[")
        try:
            for step in range(at, len(body), _STEP):
                for item in splitter.feed(body[step : step + _STEP]):
                    self._item(self.count + 1, item)
                    yield
        except InputError:
            self._refuse(Rejected(self.count + 1, *TOO_DEEP))
            yield
            return
        whole = True
        for item in splitter.finish():
            whole = self._item(self.count + 1, item)
        if not splitter.closed and whole:
            self._refuse(Rejected(self.count + 1, "", "the array has no end", "send the whole array"))
        yield

    def _take(self, events: list[Event], first: int, lines: Sequence[int]) -> None:
        """Events that stand on these lines, of which line 1 has the number `first`."""
        self.events += events
        self.numbers += [line + first - 1 for line in lines]
        self.count += len(events)

    def _item(self, number: int, raw: bytes | TooLong) -> bool:
        """Whether it is an event."""
        size = raw.size if isinstance(raw, TooLong) else len(raw)
        if isinstance(raw, TooLong) or size > self._limits.line_bytes:
            self._refuse(too_long(number, size, self._limits.line_bytes))
            return False
        try:
            self.events.append(_event.decode(raw))
        except UNREADABLE as error:
            self._refuse(reject(number, raw, error) if len(self.rejected) < self._limits.rejections else None)
            return False
        self.numbers.append(number)
        self.count += 1
        return True

    def _refuse(self, rejected: Rejected | None) -> None:
        self.count += 1
        if rejected is not None and len(self.rejected) < self._limits.rejections:
            self.rejected.append(rejected)


def _too_many(limits: Limits) -> Rejected:
    return Rejected(
        limits.batch + 1, "", f"more than {limits.batch} items in one request; none of them was taken",
        "send smaller requests, or raise ingest.batch",
    )


def _checked(decoded: Decoded, limits: Limits, now_ms: int) -> Decoded:
    """The limits that the type cannot say; by column, item by item only where one is broken."""
    events = decoded.events
    latest = now_ms + limits.future_ms
    if not events:
        return decoded

    def fault(event: Event) -> Fault | None:
        if len(event.text) > limits.text:
            return ("text", f"the text has {len(event.text)} characters, at most {limits.text} are taken",
                    "split it into several events, or raise ingest.text")
        if event.kind is Kind.SIGNAL and event.text not in SIGNALS:
            return "text", "unknown signal", "one of " + ", ".join(sorted(SIGNALS))
        at = at_ms(event)
        if at is not None and at < EARLIEST and not 0 <= at < limits.relative_ms:
            return "at", *TOO_EARLY
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
        if len(e.text) > most or e.kind is signal or (
            at is not None and (type(at) is not int or not EARLIEST <= at <= latest)
        ):
            return True
    return False


def filtered(
    decoded: Decoded, fault: Callable[[Event], Fault | None], limits: Limits
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
