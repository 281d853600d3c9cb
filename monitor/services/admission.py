"""Admission: which broadcast each event belongs to, decided in the order of the log, before lanes part.

The two frames of one request are read together, by event time, so that the result does not depend on how the stream was
cut into lanes or requests.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Final

import msgspec
import numpy as np
import zstandard

from monitor.domain.broadcasts import Broadcast, Rooms
from monitor.domain.events import KINDS, Kind
from monitor.domain.frames import Frame, Tick, starts
from monitor.services.records import Numbered

_SIGNAL: Final = KINDS.index(Kind.SIGNAL)
_TRANSCRIPT: Final = KINDS.index(Kind.TRANSCRIPT)
_SILENCE_EVERY_MS: Final = 10_000
_KEPT_MS: Final = 3_600_000
_GENERATIONS: Final = 24


def kept_ms(silence_ms: int) -> int:
    """How long after its last event a room is remembered (ms)."""
    return max(silence_ms, _KEPT_MS)


class Admission:
    """`rooms` is the state; `seq` the last entry that was admitted."""

    def __init__(self, rooms: Rooms, seq: int, *, silence_ms: int) -> None:
        self.rooms = rooms
        self.seq = seq
        self._silence_ms = silence_ms
        self._waiting: Numbered | None = None
        self._looked_at = 0
        self._moved: dict[tuple[str, str], int] = {}
        self._past: deque[tuple[int, bytes]] = deque()  # compressed
        self._compress = zstandard.ZstdCompressor(level=1).compress

    @property
    def taken(self) -> int:
        """The last entry that came, also where it is held back."""
        return self.seq if self._waiting is None else self._waiting.seq

    def remember(self) -> None:
        """Keep the state as it stands, for a snapshot that must not be younger than some place in the log."""
        if self._waiting is None:
            self._past.append((self.seq, self._compress(msgspec.msgpack.encode(self.rooms))))
        if len(self._past) > _GENERATIONS:  # a lane lags: thin out, but keep the oldest
            self._past = deque(list(self._past)[::2])

    def as_of(self, seq: int) -> tuple[int, bytes]:
        """The youngest remembered state (seq, encoded Rooms) no younger than `seq`; older ones are let go."""
        found = None
        while self._past and self._past[0][0] <= seq:
            found = self._past.popleft()
        if found is None:
            return 0, msgspec.msgpack.encode(Rooms())
        self._past.appendleft(found)
        return found[0], zstandard.ZstdDecompressor().decompress(found[1])

    def admit(self, entries: Sequence[Numbered]) -> tuple[dict[int, list[str]], list[Broadcast]]:
        """Sequence number of each frame → the broadcast of each of its events; and the broadcasts that changed.

        A frame whose other half is still to come is held back until the next call.
        """
        found: dict[int, list[str]] = {}
        changed: list[Broadcast] = []
        for numbered in entries:
            entry = numbered.entry
            if isinstance(entry, Frame):
                if self._waiting is None and entry.followed:
                    self._waiting = numbered
                    continue
                pair = [numbered] if self._waiting is None else [self._waiting, numbered]
                self._waiting = None
                self._pair(pair, found, changed)
            elif isinstance(entry, Tick) and entry.accepted_at - self._looked_at >= _SILENCE_EVERY_MS:
                self._looked_at = entry.accepted_at
                changed += self.rooms.silent(now=entry.accepted_at, silence_ms=self._silence_ms)
                self.rooms.forget(now=entry.accepted_at, after_ms=kept_ms(self._silence_ms))
            if self._waiting is None:
                self.seq = numbered.seq
        return found, changed

    def moved(self) -> list[Broadcast]:
        """Broadcasts that went on since the last call: their last event's time is stored by and by."""
        before, self._moved = self._moved, {key: b.last_at for key, b in self.rooms.current.items()}
        return [b for key, b in self.rooms.current.items() if before.get(key) != b.last_at]

    def _pair(self, pair: list[Numbered], found: dict[int, list[str]], changed: list[Broadcast]) -> None:
        halves = [(n.seq, n.entry) for n in pair if isinstance(n.entry, Frame)]
        if not self._all_go_on(halves, found):
            self._one_by_one(halves, found, changed)
        for _, frame in halves:
            if _TRANSCRIPT in frame.kinds:
                self._hear(frame)

    def _hear(self, frame: Frame) -> None:
        """When each room's host was last heard; what is late for an earlier broadcast counts for none."""
        spoken = np.where(np.frombuffer(frame.kinds, dtype=np.uint8) == _TRANSCRIPT, _at(frame), -1)
        for room, at in zip(frame.rooms, _latest(frame, spoken), strict=True):
            current = self.rooms.current.get((frame.tenant, room))
            if current is not None and at >= current.started_at:
                current.heard_at = max(current.heard_at, at)

    def _one_by_one(
        self, halves: list[tuple[int, Frame]], found: dict[int, list[str]], changed: list[Broadcast]
    ) -> None:
        for seq, frame in halves:
            found[seq] = [""] * len(frame)
        rows = [_rows(seq, frame) for seq, frame in halves]
        seen_at = halves[-1][1].accepted_at
        for at, _, seq, i, tenant, room, named, signal in merge(*rows) if len(rows) > 1 else rows[0]:
            current = self.rooms.current.get((tenant, room))
            if (current is not None and not named and not signal and 0 <= at - current.last_at <= self._silence_ms
                    and current.ended_at is None):
                current.last_at = at
                current.seen_at = seen_at
                found[seq][i] = current.id
                continue
            found[seq][i], some = self.rooms.assign(
                tenant, room, named=named, at=at, seen_at=seen_at, silence_ms=self._silence_ms, signal=signal)
            changed += some

    def _all_go_on(self, halves: list[tuple[int, Frame]], found: dict[int, list[str]]) -> bool:
        """The usual case at once: every room's broadcast runs, nobody names another one, no pause is long enough."""
        running: list[list[Broadcast]] = []
        latest = 0
        for _, frame in halves:
            current = [self.rooms.current.get((frame.tenant, room)) for room in frame.rooms]
            known = [b for b in current if b is not None and b.ended_at is None]
            if len(known) != len(current) or frame.broadcasts != [""] or _SIGNAL in frame.kinds:
                return False
            latest = max(latest, int(_at(frame).max()))
            running.append(known)
        if latest - min(b.last_at for known in running for b in known) > self._silence_ms:
            return False
        for (seq, frame), known in zip(halves, running, strict=True):
            ids = [b.id for b in known]
            ix = memoryview(frame.room_ix).cast("H") if frame.room_ix else bytes(len(frame))
            found[seq] = [ids[i] for i in ix]
            for broadcast, at in zip(known, _latest(frame, _at(frame)), strict=True):
                broadcast.last_at = max(broadcast.last_at, at)
                broadcast.seen_at = halves[-1][1].accepted_at
        return True


Times = np.ndarray[tuple[int], np.dtype[np.int64]]


def _at(frame: Frame) -> Times:
    return np.frombuffer(frame.at, dtype=np.int64)


def _latest(frame: Frame, at: Times) -> list[int]:
    """Of each room of the frame, -1 where there is none."""
    last = np.full(len(frame.rooms), -1, dtype=np.int64)
    rooms = np.frombuffer(frame.room_ix, dtype=np.uint16) if frame.room_ix else np.zeros(len(frame), dtype=np.uint16)
    np.maximum.at(last, rooms, at)
    return last.tolist()


Row = tuple[int, int, int, int, str, str, str, str]


def _rows(seq: int, frame: Frame) -> Iterator[Row]:
    """(at, lane, seq, i, tenant, room, named broadcast, signal) of each event. In order of arrival; where a frame's
    times step back, the merge with the other half is no longer by time, and need not be."""
    n = len(frame)
    at = memoryview(frame.at).cast("q")
    rooms, room_ix = frame.rooms, memoryview(frame.room_ix).cast("H") if frame.room_ix else bytes(n)
    named, named_ix = frame.broadcasts, memoryview(frame.broadcast_ix).cast("H") if frame.broadcast_ix else bytes(n)
    signals: dict[int, str] = {}
    if _SIGNAL in frame.kinds:
        begin, lengths = starts(frame), memoryview(frame.lengths).cast("I")
        signals = {i: frame.text[begin[i] : begin[i] + lengths[i]] for i in range(n) if frame.kinds[i] == _SIGNAL}
    for i in range(n):
        signal = signals.get(i, "")
        yield at[i], frame.lane, seq, i, frame.tenant, rooms[room_ix[i]], named[named_ix[i]], signal
