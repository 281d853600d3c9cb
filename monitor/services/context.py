"""The room's lines around an alert: ±60 s of transcript and comments, stored once per room and shared by alerts.

Judged frames wait in a ring for a little over a minute. By the time a frame leaves it, every alert that could want its
lines is known: those before it and those after it. So each line is looked at once, and only alerted rooms are written.
What is wanted gathers by room for a few seconds more, since a row of many lines costs hardly more than a row of one.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import zstandard
from msgspec import Struct

from monitor.domain import frames
from monitor.domain.frames import Frame
from monitor.domain.masking import mask_text
from monitor.services.records import ContextChunk, ContextLine, FrameJudged, Mask

REACH_MS: Final = 60_000
_LATENESS_MS: Final = 5_000
STAY_MS: Final = REACH_MS + _LATENESS_MS
CHUNK_LINES: Final = 32
_GATHER_MS: Final = 5_000

RoomKey = tuple[str, str]
Keep = Callable[[bytes], Callable[[], bytes]]
"""Puts bytes away and gives what reads them again; they are let go with it."""


def in_memory(data: bytes) -> Callable[[], bytes]:
    """The simplest `Keep`."""
    return lambda: data


class Window(Struct, frozen=True):
    """Event times [from_at, to_at] around alerts; `seen_at` is when the last of them was accepted. UTC ms."""

    from_at: int
    to_at: int
    seen_at: int


class Windows(Struct):
    """Per room the times around its alerts, disjoint."""

    of: dict[RoomKey, list[Window]] = {}

    def add(self, room: RoomKey, at: int, *, seen_at: int) -> None:
        self.merge(room, Window(at - REACH_MS, at + REACH_MS, seen_at))

    def merge(self, room: RoomKey, new: Window) -> None:
        apart = []
        for old in self.of.get(room, []):
            if old.to_at < new.from_at or old.from_at > new.to_at:
                apart.append(old)
            else:
                new = Window(min(new.from_at, old.from_at), max(new.to_at, old.to_at), max(new.seen_at, old.seen_at))
        self.of[room] = [*apart, new]

    def prune(self, *, now: int) -> None:
        """Forget windows whose last lines have left every ring; `now` is the slower lane's clock (UTC ms)."""
        before = now - 2 * STAY_MS
        for room in [room for room, windows in self.of.items() if any(w.seen_at < before for w in windows)]:
            left = [w for w in self.of[room] if w.seen_at >= before]
            if left:
                self.of[room] = left
            else:
                del self.of[room]


class _Held(Struct, frozen=True):
    seq: int
    accepted_at: int
    size: int
    read: Callable[[], bytes]
    broadcasts: Sequence[str]
    masks: list[Mask]
    rooms: "np.ndarray[tuple[int], np.dtype[np.uint32]]"
    from_at: int
    to_at: int


class _Gathered(Struct):
    """Lines of a room that left the ring and wait for a chunk of their own. `since`: UTC ms, of the first."""

    first_seq: int
    since: int
    lines: list[ContextLine]


class Ring:
    """One lane's judged frames of the last STAY_MS, compressed (20–60 B an event), at most `max_bytes`, put away by
    `keep`."""

    def __init__(self, lane: int, *, max_bytes: int, keep: Keep = in_memory) -> None:
        self.lane = lane
        self._max_bytes = max_bytes
        self._keep = keep
        self._held: deque[_Held] = deque()
        self._bytes = 0
        self._compress = zstandard.ZstdCompressor(level=1).compress
        self._decompress = zstandard.ZstdDecompressor().decompress
        self._rooms: dict[RoomKey, int] = {}
        self._gathered: dict[RoomKey, _Gathered] = {}  # in the order of their first lines

    def add(self, seq: int, frame: Frame, broadcasts: Sequence[str], masks: list[Mask]) -> None:
        data = self._compress(frames.encode(frame))
        at = np.frombuffer(frame.at, dtype=np.int64)
        numbers = [self._rooms.setdefault((frame.tenant, room), len(self._rooms)) for room in frame.rooms]
        self._held.append(_Held(seq, frame.accepted_at, len(data), self._keep(data), broadcasts, masks,
                                np.array(sorted(numbers), dtype=np.uint32), int(at.min()), int(at.max())))
        self._bytes += len(data)

    def mask(self, seq: int, masks: Sequence[Mask]) -> FrameJudged | None:
        """Mask more of a frame; all that is known of it then. None where it has left the ring, or nothing is new."""
        for n in range(len(self._held) - 1, -1, -1):
            held = self._held[n]
            if held.seq <= seq:
                break
        else:
            return None
        known = list(dict.fromkeys([*held.masks, *masks]))
        if held.seq < seq or len(known) == len(held.masks):
            return None
        self._held[n] = msgspec.structs.replace(held, masks=known)
        return FrameJudged(seq, self._frame(held), held.broadcasts, known)

    def leave(self, *, now: int, windows: Windows) -> list[ContextChunk]:
        """Let go of what is older than STAY_MS by `now` (UTC ms), or too much; the lines that alerts want, a room's
        together once they are CHUNK_LINES or have waited _GATHER_MS."""
        chunks: list[ContextChunk] = []
        while self._held and (self._bytes > self._max_bytes or now - self._held[0].accepted_at > STAY_MS):
            held = self._held.popleft()
            self._bytes -= held.size
            for room, line in self._wanted(held, windows.of):
                gathered = self._gathered.get(room)
                if gathered is None:
                    gathered = self._gathered[room] = _Gathered(held.seq, now, [])
                gathered.lines.append(line)
                if len(gathered.lines) == CHUNK_LINES:
                    chunks.append(self._chunk(room))
        while self._gathered and now - next(iter(self._gathered.values())).since > _GATHER_MS:
            chunks.append(self._chunk(next(iter(self._gathered))))
        if not self._held:
            self._rooms.clear()
        return chunks

    def flush(self) -> list[ContextChunk]:
        """The lines that gather, as chunks now. To be committed before windows are pruned: after a restart nothing
        would want these lines again."""
        return [self._chunk(room) for room in list(self._gathered)]

    def _chunk(self, room: RoomKey) -> ContextChunk:
        gathered = self._gathered.pop(room)
        at = [line.at for line in gathered.lines]
        return ContextChunk(tenant=room[0], room=room[1], lane=self.lane, first_seq=gathered.first_seq,
                            from_at=min(at), to_at=max(at), lines=gathered.lines)

    def lines(self, room: RoomKey, *, since: int, until: int) -> list[ContextLine]:
        """Lines of a room in [since, until] (UTC ms) that are not in a chunk yet."""
        gathered = self._gathered.get(room)
        found = [line for line in gathered.lines if since <= line.at <= until] if gathered is not None else []
        number = self._rooms.get(room)
        if number is None:
            return found
        wanted = {room: [Window(since, until, 0)]}
        for held in list(self._held):
            i = int(np.searchsorted(held.rooms, number))
            if i < held.rooms.size and held.rooms[i] == number and held.from_at <= until and held.to_at >= since:
                found += [line for _, line in self._wanted(held, wanted)]
        return found

    def first_held(self) -> int | None:
        """The oldest sequence number with a line that may still be wanted and is in no chunk."""
        if self._gathered:
            return next(iter(self._gathered.values())).first_seq
        return self._held[0].seq if self._held else None

    def _wanted(
        self, held: _Held, windows: Mapping[RoomKey, list[Window]]
    ) -> Iterable[tuple[RoomKey, ContextLine]]:
        if not windows:
            return
        frame = self._frame(held)
        spans = [windows.get((frame.tenant, room)) for room in frame.rooms]
        if not any(spans):
            return
        at = memoryview(frame.at).cast("q")
        room_ix = memoryview(frame.room_ix).cast("H") if frame.room_ix else bytes(len(frame))
        masks: dict[int, list[tuple[int, int]]] = {}
        for mask in held.masks:
            masks.setdefault(mask.event, []).append((mask.start, mask.end))
        within = [i for i in range(len(frame))
                  if (ranges := spans[room_ix[i]]) and any(w.from_at <= at[i] <= w.to_at for w in ranges)]
        for i, said in zip(within, frames.utterances(frame, within, held.broadcasts), strict=True):
            yield (said.tenant, said.room), line_of(said, frame.lane, masks.get(i, ()))

    def _frame(self, held: _Held) -> Frame:
        frame = frames.decode(self._decompress(held.read()))
        assert isinstance(frame, Frame)  # noqa: S101 - only frames are added
        return frame


def line_of(said: frames.Utterance, lane: int, masks: Sequence[tuple[int, int]]) -> ContextLine:
    return ContextLine(
        tenant=said.tenant, room=said.room, source=said.source, event_id=said.id, revision=said.revision, lane=lane,
        broadcast=said.broadcast, at=said.at, offset_ms=said.offset_ms, kind=said.kind, role=said.role,
        speaker=said.speaker, text=mask_text(said.text, masks) if masks else said.text, confidence=said.confidence,
    )


def nearest(lines: Sequence[ContextLine], *, at: int, most: int) -> list[ContextLine]:
    """At most `most` lines per lane, those nearest to `at` (UTC ms), each event once, oldest first."""
    unique = {(line.source, line.event_id, line.revision): line for line in lines}
    chosen: list[ContextLine] = []
    for lane in {line.lane for line in unique.values()}:
        of_lane = sorted((line for line in unique.values() if line.lane == lane), key=lambda line: line.at)
        middle = bisect_left([line.at for line in of_lane], at)
        first = max(0, min(middle - most // 2, len(of_lane) - most))
        chosen += of_lane[first : first + most]
    return sorted(chosen, key=lambda line: (line.at, line.lane))
