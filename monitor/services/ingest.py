"""Ingest: a body in, an acknowledgement out. What is acknowledged is on disk."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from msgspec import Struct

from monitor.domain import frames
from monitor.domain.decoding import Decoded, Limits, decode, quick
from monitor.domain.errors import BusyError, StorageError
from monitor.domain.events import KINDS, Event, Kind, at_ms
from monitor.domain.frames import Entry, Mark
from monitor.domain.rejections import Rejected
from monitor.services.interims import Interims
from monitor.services.ports import Clock, Sink, Telemetry
from monitor.services.pseudonyms import Pseudonyms
from monitor.services.roomlimit import RoomLimit

KEY_MEMORY: Final = 100
"""Bytes that one key of the duplicates window takes at most: the number and its place in a set that just grew."""

_FIELDS: Final = frozenset(Event.__struct_fields__)

EventKey = int
"""64 bits of a keyed hash (the interpreter's, a new key each start) of tenant, source, id, revision and whether it is
final. That two of the some 200,000 events in the window share one is a matter of centuries at 10,000 events/s."""


class IngestSettings(Struct, frozen=True):
    """`host_backlog`: unjudged host-side events from which requests are refused · `sample_from`: unjudged comments
    from which only every `sample_keep`-th is judged · `unwritten`: judged events that wait for the archive,
    from which requests are refused · `recent`: keys per generation of the duplicates window."""

    limits: Limits = Limits()
    host_backlog: int = 200_000
    sample_from: int = 100_000
    sample_keep: int = 10
    unwritten: int = 1_000_000
    recent: int = 100_000


class Receipt(Struct, frozen=True):
    """What became of one request. `readable` is False where nothing in the body could be read (HTTP 400)."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]
    rejected_total: int
    readable: bool = True


class Recent:
    """The keys of recent events: two generations, so that it is bounded and forgets the oldest half at a time.

    Best effort: what is forgotten here is still recognised by its derived ids in the store.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: set[EventKey] = set()
        self._old: set[EventKey] = set()

    def __contains__(self, key: EventKey) -> bool:
        return key in self._young or key in self._old

    def add(self, key: EventKey) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()
        self._young.add(key)

    def discard(self, keys: list[EventKey]) -> None:
        self._young.difference_update(keys)
        self._old.difference_update(keys)


class Ingest:
    """One per process; used from the event loop only."""

    def __init__(
        self, *, log: Sink, pseudonyms: Pseudonyms, clock: Clock, telemetry: Telemetry, settings: IngestSettings,
        backlog: Callable[[int], int], unwritten: Callable[[], int] = lambda: 0, rooms: RoomLimit | None = None,
        place: Callable[[str, str], int] | None = None, via: str = "http",
    ) -> None:
        """`via`: by which way bodies come, as a label.
        `place`: where the events of a (tenant, room) go, where the log has several places; a frame has one."""
        self._log, self._pseudonyms, self._clock, self._telemetry = log, pseudonyms, clock, telemetry
        self.settings = settings
        self._backlog, self._unwritten = backlog, unwritten
        self._rooms, self._place, self._via = rooms, place, via
        self._recent = Recent(settings.recent)
        self._interims = Interims()
        self._writing: set[asyncio.Task[None]] = set()
        self._slowly = asyncio.Lock()  # one body at a time is read beside the loop

    async def accept(self, tenant: str, body: bytes, *, session: str = "", session_seq: int = 0) -> Receipt:
        """Decode, check, pseudonymise and append to the log; returns once everything accepted is durable.

        `body`: NDJSON or a JSON array, decompressed. `session`, `session_seq`: a WebSocket session and the sequence
        number that becomes durable with this body. Raises BusyError under pressure and StorageError where the disk
        refuses; nothing is acknowledged then.
        """
        self._refuse_too_much()
        now = self._clock.now()
        decoded = quick(body, self.settings.limits, now_ms=now) or await self._decoded(body, now)
        readable = bool(decoded.events) or not decoded.rejected
        if self._rooms is not None:
            decoded = self._rooms.within(tenant, decoded, now=now)
        fresh, keys, known = self._without_duplicates(tenant, decoded.events)
        duplicates = len(decoded.events) - len(fresh)
        if fresh or session:
            try:
                built = self._frames(tenant, fresh, now, session, session_seq)
            except BaseException:
                self._recent.discard(keys)
                raise
            await self._append(built, keys)
        if duplicates:
            # Their first copy may still be on its way to the disk; it must be there before this copy is acknowledged.
            if self._writing:
                await asyncio.wait(self._writing)
            if not all(key in self._recent for key in known):
                raise StorageError("the first copy of some of these events could not be written", hint="send again")
        self._count(decoded, fresh, now, via="ws" if session else self._via)
        return Receipt(len(fresh), duplicates, decoded.rejected, decoded.rejected_total, readable)

    def _refuse_too_much(self) -> None:
        """What waits is in memory. Raises BusyError, StorageError."""
        waiting, unwritten = self._backlog(0), self._unwritten()
        if waiting > self.settings.host_backlog:
            raise BusyError(f"{waiting} host-side events wait to be judged", retry_after=1,
                            hint="send again later; if it lasts, the machine is too small for this feed")
        if unwritten > self.settings.unwritten:
            raise StorageError(f"{unwritten} judged events wait to be written to the archive",
                               hint="free space where the archive lies, or mend its folder, then send again")

    async def _decoded(self, body: bytes, now: int) -> Decoded:
        async with self._slowly:
            return await asyncio.to_thread(decode, body, self.settings.limits, now_ms=now)

    def _without_duplicates(
        self, tenant: str, events: list[Event]
    ) -> tuple[list[Event], list[EventKey], list[EventKey]]:
        """The events that are new, their keys, and the keys of the others."""
        fresh: list[Event] = []
        keys: list[EventKey] = []
        known: list[EventKey] = []
        recent = self._recent
        for event in events:
            if event.final or event.revision is not None:
                key = hash((tenant, event.source, event.id, event.revision or 0, event.final))
                if key in recent:
                    known.append(key)
                    continue
                recent.add(key)
                keys.append(key)
            fresh.append(event)
        return fresh, keys, known

    def _frames(
        self, tenant: str, events: list[Event], now: int, session: str, session_seq: int
    ) -> list[Entry]:
        sample = self.settings.sample_keep if self._backlog(1) > self.settings.sample_from else 1
        if not events:
            return [Mark(now, tenant, session, session_seq)]
        built: list[Entry] = []
        for together in self._by_place(tenant, events):
            for some in frames.portions(together, lambda event: len(event.text)):
                built += frames.build(some, tenant=tenant, accepted_at=now,
                                      pseudonym=self._pseudonyms.of(tenant), sample=sample,
                                      revision_of=partial(self._interims.revision_of, tenant),
                                      session=session, session_seq=session_seq)
        return built

    def _by_place(self, tenant: str, events: list[Event]) -> Iterable[list[Event]]:
        if self._place is None:
            return [events]
        places: dict[int, list[Event]] = {}
        for event in events:
            places.setdefault(self._place(tenant, event.room), []).append(event)
        return places.values()

    async def _append(self, built: list[Entry], keys: list[EventKey]) -> None:
        async def write() -> None:
            try:
                await self._log.append(built)
            except BaseException:
                self._recent.discard(keys)  # nothing of it is on disk: the next copy is the first
                raise

        task = asyncio.ensure_future(write())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.shield(task)  # a client that goes away does not undo what is being written

    def _count(self, decoded: Decoded, fresh: list[Event], now: int, *, via: str) -> None:
        kinds = [event.kind for event in fresh]
        for kind in KINDS:
            amount = kinds.count(kind)
            if amount:
                self._telemetry.count("ingest_events_total", amount, source=via, kind=kind)
        for rejected in decoded.rejected:
            self._telemetry.count("ingest_rejected_total", reason=_reason(rejected))
        if unlisted := decoded.rejected_total - len(decoded.rejected):
            self._telemetry.count("ingest_rejected_total", unlisted, reason="unlisted")
        if fresh:
            self._telemetry.gauge("source_last_event_timestamp_seconds", now / 1000, source=via)
            spoken = [at_ms(event) or 0 for event in fresh if event.kind is Kind.TRANSCRIPT]
            if latest := max(spoken, default=0):
                self._telemetry.gauge("asr_lag_seconds", max(0, now - latest) / 1000)


def _reason(rejected: Rejected) -> str:
    """The field that was wrong, as a label: one of few, whatever the client sent."""
    field = rejected.field.partition(".")[0]
    return field if field in _FIELDS else "unknown_field" if field else "unreadable"
