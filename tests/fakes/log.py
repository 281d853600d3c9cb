"""The log in memory: the port's words in the shortest code, to compare the real one with and to test services on."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from monitor.domain import frames
from monitor.domain.frames import Entry, Frame, Mark
from monitor.services.records import Numbered


class MemoryLog:
    """Implements `Log`. `fails`: what the next appends raise (BusyError, StorageError), None for nothing.
    `size` says how many bytes an entry counts for."""

    def __init__(self, *, size: Callable[[Entry], int] = lambda entry: len(frames.encode(entry))) -> None:
        self._size = size
        self.fails: Exception | None = None
        self.closed = False
        self._held: list[Numbered] = []
        self._end = 0
        self._sessions: dict[tuple[str, str], int] = {}
        self._grown = asyncio.Condition()

    async def append(self, entries: Sequence[Entry]) -> int:
        if self.fails is not None:
            raise self.fails
        for entry in entries:
            self._end += 1
            self._held.append(Numbered(self._end, entry))
            if isinstance(entry, Frame | Mark) and entry.session:
                key = entry.tenant, entry.session
                self._sessions[key] = max(entry.session_seq, self._sessions.get(key, 0))
        async with self._grown:
            self._grown.notify_all()
        return self._end

    async def read(self, *, after: int, lane: int | None, events: int) -> list[Numbered]:
        found: list[Numbered] = []
        for numbered in self._held:
            entry = numbered.entry
            if numbered.seq <= after or (lane is not None and isinstance(entry, Frame) and entry.lane != lane):
                continue
            if found and sum(len(n.entry) for n in [*found, numbered] if isinstance(n.entry, Frame)) > events:
                break
            found.append(numbered)
        return found

    async def wait(self, after: int, *, timeout: float) -> bool:  # noqa: ASYNC109 - the port's
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout), self._grown:
                await self._grown.wait_for(lambda: self._end > after)
        return self._end > after

    def end(self) -> int:
        return self._end

    def backlog(self, after: int, *, lane: int) -> int:
        return sum(
            len(n.entry) for n in self._held if n.seq > after and isinstance(n.entry, Frame) and n.entry.lane == lane
        )

    async def first_since(self, accepted_at: int) -> int:
        return next((n.seq for n in self._held if n.entry.accepted_at >= accepted_at), self._end + 1)

    async def first(self) -> int:
        return self._held[0].seq if self._held else self._end + 1

    async def session_seq(self, tenant: str, session: str) -> int:
        return self._sessions.get((tenant, session), 0)

    async def trim(self, *, before: int, accepted_before: int, max_bytes: int) -> int:
        """From the front only, so that numbers have no holes."""
        dropped = 0
        while self._held and self._held[0].seq < before:
            held = sum(self._size(n.entry) for n in self._held)
            if self._held[0].entry.accepted_at >= accepted_before and held <= max_bytes:
                break
            del self._held[0]
            dropped += 1
        return dropped

    async def close(self) -> None:
        self.closed = True
