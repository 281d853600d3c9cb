"""What the pipeline judges at once: one joined text, and per event the facts that rules ask for."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Final, Protocol

import numpy as np

from monitor.domain.events import KINDS, ROLES, STAGES, Event, Kind, Role, Stage, at_ms, role_and_id
from monitor.domain.frames import Frame, number, pick, portions
from monitor.engine.views import Index, without_breaks

_ROLES: Final = len(ROLES)
_STAGES: Final = len(STAGES)
CODES: Final = len(KINDS) * _ROLES * _STAGES
"""One number for kind, role and stage: what `applies` is decided on."""
_CODE: Final = {parts: code for code, parts in enumerate(product(KINDS, ROLES, STAGES))}


def parts_of(code: int) -> tuple[Kind, Role, Stage]:
    rest, stage = divmod(code, _STAGES)
    kind, role = divmod(rest, _ROLES)
    return KINDS[kind], ROLES[role], STAGES[stage]


class Batch(Protocol):
    """n events. `text`: their texts joined by line feeds; `starts`: int64[n], where each begins in it."""

    @property
    def text(self) -> str: ...
    @property
    def starts(self) -> Index: ...
    def code(self, i: int) -> int:
        """Kind, role and stage (see `parts_of`)."""
        ...
    def codes(self, events: Index) -> Index:
        """Those of these events."""
        ...
    def at(self, i: int) -> int:
        """UTC ms."""
        ...
    def room(self, i: int) -> tuple[str, str]:
        """(tenant, room)"""
        ...
    def of_rooms(self, known: Mapping[tuple[str, str], int]) -> Index:
        """int64[n]: of each event what is known of its (tenant, room), else -1."""
        ...
    def age(self, i: int) -> int | None:
        """ms since the broadcast began, where that is known."""
        ...
    def tenants(self) -> list[tuple[str, int]]:
        """Runs of events of one tenant, in order: (tenant, how many)."""
        ...


def _starts(lengths: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Index:
    starts = np.empty(lengths.size, dtype=np.int64)
    starts[:1] = 0
    np.cumsum(lengths[:-1] + 1, out=starts[1:])
    return starts


class FrameBatch:
    """Frames end to end. Event i of the batch is event `i - first[k]` of frame k."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.frames = frames
        sizes = [len(frame) for frame in frames]
        self.first = np.cumsum([0, *sizes]).tolist()
        lengths = np.frombuffer(b"".join(f.lengths for f in frames), dtype=np.uint32).astype(np.int64)
        self.starts = _starts(lengths)
        self.lengths = lengths
        text = "\n".join([frame.text for frame in frames]) if len(frames) != 1 else frames[0].text
        if text.count("\n") != max(lengths.size - 1, 0):
            text = self._without_inner_breaks(text)
        self.text = text

    def _without_inner_breaks(self, text: str) -> str:
        spans = zip(self.starts.tolist(), self.lengths.tolist(), strict=True)
        return "\n".join([without_breaks(text[a : a + n]) for a, n in spans])

    def __len__(self) -> int:
        return int(self.first[-1])

    def locate(self, i: int) -> tuple[int, int]:
        """(frame index, event index in it)"""
        k = bisect_right(self.first, i) - 1
        return k, i - self.first[k]

    def code(self, i: int) -> int:
        return int(self._codes[i])

    def codes(self, events: Index) -> Index:
        return self._codes[events]

    @cached_property
    def _codes(self) -> Index:
        kinds, roles, stages = (
            np.frombuffer(b"".join(columns), dtype=np.uint8).astype(np.int64)
            for columns in zip(*((f.kinds, f.roles, f.stages) for f in self.frames), strict=True))
        return (kinds * _ROLES + roles) * _STAGES + stages

    def at(self, i: int) -> int:
        k, j = self.locate(i)
        return number(self.frames[k].at, "q", j, 0)

    def room(self, i: int) -> tuple[str, str]:
        k, j = self.locate(i)
        frame = self.frames[k]
        return frame.tenant, pick(frame.rooms, frame.room_ix, j)

    def of_rooms(self, known: Mapping[tuple[str, str], int]) -> Index:
        found = [np.zeros(0, dtype=np.int64)]
        for frame in self.frames:
            rooms = np.array([known.get((frame.tenant, room), -1) for room in frame.rooms], dtype=np.int64)
            found.append(rooms[np.frombuffer(frame.room_ix, np.uint16)] if frame.room_ix
                         else np.repeat(rooms[:1], len(frame)))
        return np.concatenate(found)

    def age(self, i: int) -> int | None:
        k, j = self.locate(i)
        offset = number(self.frames[k].offsets, "i", j, -1)
        return None if offset < 0 else offset

    def tenants(self) -> list[tuple[str, int]]:
        return [(frame.tenant, len(frame)) for frame in self.frames]


class EventBatch:
    """Events as decoded, for one-off judging (rule cases, the scan of a file, the benchmark)."""

    def __init__(self, events: Sequence[Event], *, tenant: str = "local", now: int = 0) -> None:
        self.events = events
        self.tenant = tenant
        self.now = now
        texts = [event.text for event in events]
        text = "\n".join(texts)
        if text.count("\n") != max(len(texts) - 1, 0):
            text = "\n".join(map(without_breaks, texts))
        self.text = text
        self.starts = _starts(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
        self._codes: Index = np.full(len(texts), -1, dtype=np.int64)  # -1: not asked for yet

    def __len__(self) -> int:
        return len(self.events)

    def code(self, i: int) -> int:
        known = int(self._codes[i])
        return known if known >= 0 else int(self.codes(np.array([i]))[0])

    def codes(self, events: Index) -> Index:
        found = self._codes.take(events)
        if (unknown := found < 0).any():
            for i in set(events[unknown].tolist()):
                event = self.events[i]
                self._codes[i] = _CODE[event.kind, role_and_id(event)[0], event.stage]
            found = self._codes.take(events)
        return found

    def at(self, i: int) -> int:
        at = at_ms(self.events[i])
        return self.now if at is None else at

    def room(self, i: int) -> tuple[str, str]:
        return self.tenant, self.events[i].room

    def of_rooms(self, known: Mapping[tuple[str, str], int]) -> Index:
        return np.array([known.get((self.tenant, event.room), -1) for event in self.events], dtype=np.int64)

    def age(self, i: int) -> int | None:
        return self.events[i].offset_ms

    def tenants(self) -> list[tuple[str, int]]:
        return [(self.tenant, len(self))]


class Chosen:
    """Some events of a batch as a batch of their own: event i of it is event `events[i]`."""

    def __init__(self, whole: Batch, events: Index) -> None:
        self._whole, self.events = whole, events
        begins = whole.starts[events]
        lengths = np.append(whole.starts, len(whole.text) + 1)[events + 1] - 1 - begins
        self.starts = _starts(lengths)
        spans = zip(begins.tolist(), (begins + lengths).tolist(), strict=True)
        self.text = "\n".join([whole.text[begin:end] for begin, end in spans])

    def code(self, i: int) -> int:
        return self._whole.code(int(self.events[i]))

    def codes(self, events: Index) -> Index:
        return self._whole.codes(self.events[events])

    def at(self, i: int) -> int:
        return self._whole.at(int(self.events[i]))

    def room(self, i: int) -> tuple[str, str]:
        return self._whole.room(int(self.events[i]))

    def of_rooms(self, known: Mapping[tuple[str, str], int]) -> Index:
        return self._whole.of_rooms(known)[self.events]

    def age(self, i: int) -> int | None:
        return self._whole.age(int(self.events[i]))

    def tenants(self) -> list[tuple[str, int]]:
        return [(self.room(i)[0], 1) for i in range(len(self.events))]


def in_portions(batch: Batch, events: Index, most: int) -> Iterator[Chosen]:
    """These events, cut where the next text would make more than `most` code points."""
    sizes = np.diff(batch.starts, append=len(batch.text) + 1)[events].tolist()
    for some in portions(range(len(sizes)), sizes.__getitem__, most=most, count=len(sizes)):
        yield Chosen(batch, events[some[0] : some[-1] + 1])
