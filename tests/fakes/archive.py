"""The archive in memory: the port's words in short code, to compare the real one with and to test services on."""

from collections.abc import Sequence

from monitor.domain.frames import Frame, utterances
from monitor.domain.masking import mask_text
from monitor.services.records import ArchiveQuery, KeptEvent, Mask, Series, TallyQuery

Row = tuple[int, int, int, str, KeptEvent]  # at, seq, place in the frame, tenant, event


class MemoryArchive:
    """Implements `Archive`. `fails`: what the next flushes raise, None for nothing."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.closed = False
        self._positions: dict[int, int] = {}
        self._frames: dict[tuple[int, int], list[Row]] = {}  # by lane and seq
        self._flushed: set[tuple[int, int]] = set()

    async def keep(self, lane: int, seq: int, frame: Frame, broadcasts: Sequence[str], masks: Sequence[Mask]) -> None:
        rows: list[Row] = []
        for i, event in enumerate(utterances(frame, range(len(frame)), broadcasts)):
            own = sorted((mask for mask in masks if mask.event == i), key=lambda mask: mask.start)
            kept = KeptEvent(
                source=event.source, id=event.id, revision=event.revision, room=event.room, broadcast=broadcasts[i],
                lane=lane, kind=event.kind, stage=event.stage, role=event.role, speaker=event.speaker, at=event.at,
                offset_ms=event.offset_ms, text=mask_text(event.text, [(mask.start, mask.end) for mask in own]),
                masked=[mask.kind for mask in own], sampled_out=i % frame.sample != 0,
            )  # fmt: skip
            rows.append((event.at, seq, i, frame.tenant, kept))
        self._frames[lane, seq] = rows

    async def flush(self, lane: int) -> int:
        if self.fails is not None:
            raise self.fails
        self._flushed |= {key for key in self._frames if key[0] == lane}
        self._positions[lane] = max((seq for of, seq in self._flushed if of == lane), default=self.position(lane))
        return self._positions[lane]

    def position(self, lane: int) -> int:
        return self._positions.get(lane, 0)

    async def search(self, tenant: str, query: ArchiveQuery) -> list[KeptEvent]:
        newest: dict[tuple[str, str, int], KeptEvent] = {}
        for at, _, _, owner, event in sorted((row for rows in self._frames.values() for row in rows), reverse=True):
            if (
                owner == tenant
                and (query.room is None or event.room == query.room)
                and (query.rooms is None or event.room in query.rooms)
                and (query.kind is None or event.kind == query.kind)
                and (query.text is None or query.text in event.text)
                and (query.since is None or at >= query.since)
                and (query.until is None or at < query.until)
            ):
                newest.setdefault((event.source, event.id, event.revision), event)
        return list(newest.values())[: query.limit]

    async def tally(self, tenant: str, query: TallyQuery) -> list[Series]:
        found: dict[tuple[str, int], list[int]] = {}
        for at, _, _, owner, event in (row for rows in self._frames.values() for row in rows):
            if owner == tenant and event.room == query.room and query.since <= at < query.until:
                counts = found.setdefault((event.kind, event.lane), [0] * query.buckets)
                counts[(at - query.since) // query.bucket_ms] += 1
        return [Series(kind=kind, lane=lane, counts=counts) for (kind, lane), counts in sorted(found.items())]

    async def expire(self, *, before: int) -> int:
        """Frames stand for segments here."""
        old = [key for key, rows in self._frames.items() if key in self._flushed and max(rows)[0] < before]
        for key in old:
            del self._frames[key]
        return len(old)

    async def tidy(self, *, before: int) -> bool:
        """Frames do not merge."""
        return False

    async def close(self) -> None:
        self.closed = True
