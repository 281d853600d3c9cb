"""One partition of the topic as a log: what the consumer group delivers is kept in memory, what it does not is read
again from the brokers.

The group may begin where it likes: an offset that was there already is left out, and where one is missing, `read` fills
the gap. So the offsets that are committed to Kafka decide nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.logreader import MOST_ENTRIES
from monitor.adapters.bus.logrows import BOTH, Totals
from monitor.adapters.bus.recent import Recent
from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.frames import Entry, Frame
from monitor.services.records import Numbered

_AT_ONCE: Final = 200
"""Messages of one re-read."""


class Message(Protocol):
    """What a consumer gives, read: the entries of an offset; none where nobody can read them."""

    @property
    def offset(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def entries(self) -> Sequence[Entry]: ...


class Rereader(Protocol):
    """Reads any offsets again, beside the group."""

    async def read(self, partition: int, offset: int, most: int) -> Sequence[Message]:
        """From `offset` on, in order; none at the end. Raises ConfigError where it is not kept any more."""
        ...

    async def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset that is kept, and the one that the next message gets."""
        ...

    async def first_since(self, partition: int, at: int) -> int | None:
        """The lowest offset of a message that was written at or after this time (UTC ms)."""
        ...


class PartitionLog:
    """`Log` of one partition; `await PartitionLog.opened(…)`, then `feed` it. Used from one event loop."""

    def __init__(
        self, partition: int, first: int, end: int, *, rereader: Rereader,
        send: Callable[[int, Sequence[Entry]], Awaitable[int]], memory_bytes: int, memory_events: int,
    ) -> None:
        """`first`: the lowest offset that is kept; `end`: the number of the last entry. `send` writes to a partition
        and gives the last number."""
        self.partition = partition
        self._first = first
        self._rereader, self._send = rereader, send
        self._memory = memory_bytes, memory_events
        self._end = end
        self._totals = Totals(end)
        self._next: int | None = None  # the offset that continues what is in memory
        self._recent = self._empty(end)
        self._read = {HOST_SIDE: 0, VIEWERS: 0}
        self._waiters: set[asyncio.Future[None]] = set()
        self._room = asyncio.Event()
        self._again: tuple[int, Sequence[Message]] = (0, ())  # the latest re-read: from where, and what it gave
        self._closed = False

    @classmethod
    async def opened(
        cls, partition: int, *, rereader: Rereader, send: Callable[[int, Sequence[Entry]], Awaitable[int]],
        memory_bytes: int = 32_000_000, memory_events: int = 100_000,
    ) -> "PartitionLog":
        first, following = await rereader.bounds(partition)
        end = wire.before(first)
        for offset in range(following - 1, first - 1, -1):
            [last, *_] = await rereader.read(partition, offset, 1)
            if last.entries:
                end = wire.seq_of(offset, len(last.entries) - 1)
                break
        return cls(partition, first, end, rereader=rereader, send=send, memory_bytes=memory_bytes,
                   memory_events=memory_events)

    async def feed(self, message: Message) -> None:
        """What the group delivers. Waits while much is unread; a message that was there already is left out."""
        while not self._closed and self._unread() > self._memory[1] // 2:
            self._room.clear()
            await self._room.wait()
        if self._next is not None and message.offset < self._next:
            return
        if message.offset != self._next:  # a gap, or the first: what lies before is read again where it is wanted
            self._recent = self._empty(wire.before(message.offset))
            self._end = max(self._end, wire.before(message.offset))  # at most: a re-read tells
        self._next = message.offset + 1
        for k, entry in enumerate(message.entries):
            lane = entry.lane if isinstance(entry, Frame) else BOTH
            events = len(entry) if isinstance(entry, Frame) else 0
            self._totals = Totals(
                wire.seq_of(message.offset, k), entry.accepted_at,
                self._totals.host_events + (events if lane == HOST_SIDE else 0),
                self._totals.viewer_events + (events if lane == VIEWERS else 0))
            self._recent.add(entry, self._totals, lane=lane, events=events, size=message.size // len(message.entries))
            self._end = max(self._end, self._totals.seq)
        self._wake()

    async def append(self, entries: Sequence[Entry]) -> int:
        """As the port; they are read once the group has delivered them."""
        return await self._send(self.partition, entries)

    async def read(self, *, after: int, lane: int | None, events: int) -> list[Numbered]:
        """As the port. Numbers rise, with holes."""
        if lane is not None and after > self._read[lane]:
            self._read[lane] = after
            self._room.set()
        found = None if self._next is None else self._recent.read(after, lane, events)
        if not found and self._next is not None and self._end > wire.before(self._next):
            found = None  # the group is behind what is known to be there: its memory knows nothing of that
        if found is not None and min(self._read.values()) >= self._recent.base.seq:
            self._again = (0, ())
        return await self._reread(after, lane, events) if found is None else found

    async def wait(self, after: int, *, timeout: float) -> bool:  # noqa: ASYNC109 - the port's
        if self._end > after or self._closed:
            return self._end > after
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)
        return self._end > after

    def end(self) -> int:
        return self._end

    def backlog(self, after: int, *, lane: int) -> int:
        """As the port, of what is in memory: what only the brokers hold is not counted."""
        if after >= self._end:
            return 0
        totals = self._recent.totals(after) or self._recent.base
        return self._totals.events(lane) - totals.events(lane)

    def messages_after(self, seq: int) -> int:
        return max(0, wire.offset_of(self._end) - wire.offset_of(seq)) if seq < self._end else 0

    async def first_since(self, accepted_at: int) -> int:
        """As the port, to the message: its first entry, written a moment after it was accepted."""
        offset = await self._rereader.first_since(self.partition, accepted_at)
        return self._end + 1 if offset is None else wire.seq_of(offset, 0)

    async def first(self) -> int:
        first, _ = await self._rereader.bounds(self.partition)
        return wire.seq_of(first, 0)

    async def session_seq(self, tenant: str, session: str) -> int:
        """0: who takes events in keeps them elsewhere."""
        return 0

    async def trim(self, *, before: int, accepted_before: int, max_bytes: int) -> int:
        """0: the brokers let go of what is older than the topic's retention."""
        return 0

    async def close(self) -> None:
        self._closed = True
        self._room.set()
        self._wake()

    def _empty(self, before: int) -> Recent:
        """A memory that begins after this number."""
        base = Totals(before, 0, self._totals.host_events, self._totals.viewer_events)
        return Recent(end=base, lasts=(before, before), bytes_=self._memory[0], events=self._memory[1])

    def _unread(self) -> int:
        """Events in memory that one of the lanes has still to read."""
        return sum(self.backlog(after, lane=lane) for lane, after in self._read.items())

    async def _reread(self, after: int, lane: int | None, events: int) -> list[Numbered]:
        found: list[Numbered] = []
        offset = wire.offset_of(after + 1) if after else self._first  # who has read nothing begins where it begins
        while after < self._end and len(found) < MOST_ENTRIES:
            messages = await self._messages(offset)
            if not messages:
                break
            for message in messages:
                for k, entry in enumerate(message.entries):
                    seq = wire.seq_of(message.offset, k)
                    if seq > self._end:
                        return found
                    if seq <= after or (lane is not None and isinstance(entry, Frame) and entry.lane != lane):
                        continue
                    events -= len(entry) if isinstance(entry, Frame) else 0
                    if found and (events < 0 or len(found) == MOST_ENTRIES):
                        return found
                    found.append(Numbered(seq, entry))
            offset = messages[-1].offset + 1
            if wire.before(offset) >= self._end:
                break
        if lane is None and not found:
            self._end = max(after, wire.before(self._first))
        return found

    async def _messages(self, offset: int) -> Sequence[Message]:
        """Those from `offset` on. The lanes and the admission ask for the same ones one after another."""
        first, messages = self._again
        if not (messages and first <= offset <= messages[-1].offset):
            messages = await self._rereader.read(self.partition, offset, _AT_ONCE)
            self._again = (offset, messages)
            return messages
        return messages[offset - messages[0].offset :]

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
