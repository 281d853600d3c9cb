"""The log as a web node has it: it writes, and does not read. Frames go to the partition of their rooms, a rule set to
all partitions."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from monitor.adapters.bus.kafka import wire
from monitor.adapters.bus.kafka.producing import KafkaProducer
from monitor.domain.frames import Entry, Frame, Mark, Swap


class NodeLog:
    """Implements `services.ports.Sink`. All events of a frame belong to one partition: `place` says to which."""

    def __init__(
        self, producer: KafkaProducer, partitions: int, *, announce: Callable[[str], Awaitable[None]],
        note: Callable[[str, str, int], Awaitable[None]],
    ) -> None:
        """`announce`: a rule set is to judge; `note`: how far a WebSocket session is, once the brokers have it."""
        self._producer, self._partitions = producer, partitions
        self._announce, self._note = announce, note

    def place(self, tenant: str, room: str) -> int:
        return wire.partition_of(tenant, room, self._partitions)

    async def append(self, entries: Sequence[Entry]) -> None:
        """Returns once the brokers have all of it. Where they take a part of it only, it raises, and the same may be
        sent again: what was taken is known by its ids."""
        by_partition: dict[int, list[Entry]] = {}
        sessions: dict[tuple[str, str], int] = {}
        for entry in entries:
            if isinstance(entry, Frame):
                by_partition.setdefault(self.place(entry.tenant, entry.rooms[0]), []).append(entry)
            if isinstance(entry, Frame | Mark) and entry.session:
                sessions[entry.tenant, entry.session] = entry.session_seq
            if isinstance(entry, Swap):
                await self._announce(entry.version)
        sent = await asyncio.gather(
            *(self._producer.send(partition, part[start : start + wire.MOST_ENTRIES])
              for partition, part in by_partition.items() for start in range(0, len(part), wire.MOST_ENTRIES)),
            return_exceptions=True)
        for result in sent:
            if isinstance(result, BaseException):
                raise result
        for (tenant, session), seq in sessions.items():
            await self._note(tenant, session, seq)

    async def everywhere(self, swap: Swap) -> None:
        """Into every partition."""
        await asyncio.gather(*(self._producer.send(partition, [swap]) for partition in range(self._partitions)))
