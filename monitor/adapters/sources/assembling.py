"""Events out of what a format says: ids, times, limits and batches, the same way for every source."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from monitor.adapters.sources.model import BATCH, Batch, SourceOptions
from monitor.domain.events import (
    EARLIEST,
    RELATIVE,
    SIGNALS,
    Attributes,
    Event,
    Kind,
    Role,
    Speaker,
    Stage,
    role_and_id,
)
from monitor.domain.ids import derived_event_id
from monitor.domain.rejections import TOO_EARLY, Fault, Rejected

LATEST_OFFSET: Final = 2**31 - 1

_REMEMBERED: Final = 32_768


def default_role(kind: Kind) -> Role:
    """The role of a speaker whom nobody names."""
    return role_and_id(Event(id="-", kind=kind, text=""))[0]


class Item(Struct, frozen=True, kw_only=True, gc=False):
    """One item as a source understood it. `kind` is what the format implies; a signal's text is its name.

    `role` and `speaker` (an id) are None where the file does not say, `source`, `room` and `broadcast` empty;
    times in ms, `at` in UTC.
    """

    kind: Kind
    text: str
    role: Role | None = None
    speaker: str | None = None
    offset_ms: int | None = None
    at: int | None = None
    duration_ms: int | None = None
    confidence: float | None = None
    final: bool = True
    revision: int | None = None
    id: str = ""
    source: str = ""
    room: str = ""
    broadcast: str = ""
    stage: Stage = Stage.LIVE
    attributes: Attributes = {}


class _Ordinals:
    """Numbers what is equal, among the last 32,768 to 65,536 different keys, in bounded memory."""

    def __init__(self) -> None:
        self._young: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def next(self, key: tuple[object, ...]) -> int:
        mark = hash(key)
        seen = self._young.get(mark)
        if seen is None:
            seen = self._old.get(mark, 0)
            if len(self._young) >= _REMEMBERED:
                self._old, self._young = self._young, {}
        self._young[mark] = seen + 1
        return seen


class Assembler:
    """Collects events and rejections. The source gives on what `drain` yields, whenever `full` and at its end."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._latest = options.now_ms + options.limits.future_ms
        self._begun = "" if options.started_at is None else f"@{options.started_at}"
        self._ordinals = _Ordinals()
        self._roles = {kind: options.role or default_role(kind) for kind in Kind}
        self._events: list[Event] = []
        self._lines: list[int] = []
        self._rejected: list[Rejected] = []
        self._warnings: list[str] = []

    @property
    def full(self) -> bool:
        return len(self._events) + len(self._rejected) >= BATCH

    def drain(self, *, everything: bool = False) -> Iterator[Batch]:
        """Full batches; with `everything` also the rest."""
        while self.full or (everything and (self._events or self._rejected or self._warnings)):
            events, lines = self._events[:BATCH], self._lines[:BATCH]
            rejected = self._rejected[: BATCH - len(events)]
            batch = Batch(events, lines, rejected, tuple(self._warnings))
            del self._events[:BATCH], self._lines[:BATCH], self._rejected[: len(rejected)], self._warnings[:]
            yield batch

    def reject(self, rejected: Rejected) -> None:
        self._rejected.append(rejected)

    def warn(self, warning: str) -> None:
        self._warnings.append(warning)

    def derived_id(
        self, kind: Kind, when: int | None, speaker: str, text: str, ordinal: int, item: Item | None = None
    ) -> str:
        """Without a broadcast's name, the room and the start tell two files apart."""
        options = self._options
        source, room, broadcast = (item.source, item.room, item.broadcast) if item else ("", "", "")
        broadcast = broadcast or options.broadcast or (room or options.room) + self._begun
        return derived_event_id(source or options.source, broadcast, kind, when, speaker, text, ordinal)

    def kind(self, kind: Kind) -> Kind:
        """What the caller makes of a kind."""
        return kind if kind is Kind.SIGNAL else self._options.kind or kind

    def add(self, line: int, item: Item) -> None:
        """Make an event of the item, or a rejection. An item without text is left out."""
        if not item.text:
            return
        kind = self.kind(item.kind)
        fault = self._fault(kind, item)
        if fault is not None:
            self._rejected.append(Rejected(line, *fault, id=item.id or None))
            return
        options = self._options
        speaker = (item.speaker if item.speaker is not None else options.speaker)[:256]
        offset, at = item.offset_ms, item.at
        known = item.id
        if not known:
            when = offset if offset is not None else at
            ordinal = self._ordinals.next((kind, when, speaker, item.text, item.source, item.room, item.broadcast))
            known = self.derived_id(kind, when, speaker, item.text, ordinal, item)
        if options.started_at is not None:
            if at is None and offset is not None:
                at = options.started_at + offset
            elif offset is None and at is not None and 0 <= at - options.started_at <= LATEST_OFFSET:
                offset = at - options.started_at
        self._events.append(
            Event(
                id=known, kind=kind, text=item.text, source=item.source or options.source,
                room=item.room or options.room, broadcast=item.broadcast or options.broadcast, stage=item.stage,
                at=at, offset_ms=offset, duration_ms=item.duration_ms,
                speaker=Speaker(item.role or self._roles[kind], speaker), confidence=item.confidence,
                final=item.final, revision=item.revision, attributes=item.attributes,
            )
        )
        self._lines.append(line)

    def _fault(self, kind: Kind, item: Item) -> Fault | None:
        """What is beyond the limits."""
        options = self._options
        if len(item.text) > options.limits.text:
            return ("text", f"the text has {len(item.text)} characters, at most {options.limits.text} are taken",
                    "split it into several events, or raise ingest.text")
        if kind is Kind.SIGNAL and item.text not in SIGNALS:
            return "text", "unknown signal", "one of " + ", ".join(sorted(SIGNALS))
        for field in ("id", "source", "room", "broadcast"):
            if len(getattr(item, field)) > 256:
                return field, f"the {field} has more than 256 characters", "send a shorter one"
        return _number_fault(item) or self._time_fault(item)

    def _time_fault(self, item: Item) -> Fault | None:
        options, at = self._options, item.at
        if at is None and item.offset_ms is not None and options.started_at is not None:
            at = options.started_at + item.offset_ms
        if at is None or 0 <= at < RELATIVE or EARLIEST <= at <= self._latest:
            return None
        if at < EARLIEST:
            return "at", *TOO_EARLY
        return ("at", f"the time lies {(at - options.now_ms) // 1000} s in the future",
                "check the recorder's clock and the start of the broadcast")


def _number_fault(item: Item) -> Fault | None:
    if item.offset_ms is not None and not 0 <= item.offset_ms <= LATEST_OFFSET:
        return "offset_ms", "the time lies outside of any broadcast", "count from the start of the broadcast"
    if item.duration_ms is not None and not 0 <= item.duration_ms <= LATEST_OFFSET:
        return "duration_ms", "no length that a broadcast has", "send milliseconds, or leave it out"
    if item.confidence is not None and not 0 <= item.confidence <= 1:
        return "confidence", "a confidence lies between 0 and 1", "send 0.93 for 93 %"
    if item.revision is not None and not 0 <= item.revision < 2**31:
        return "revision", "no revision", "count from 0, or leave it out"
    return None
