"""What other processes did, as a web node follows it: updates from the outbox, lines from the archive, cues."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol

from monitor.domain.cues import Cue
from monitor.domain.errors import StorageError
from monitor.services.ports import Archive, Clock, Publisher
from monitor.services.records import ArchiveQuery, ContextLine, KeptEvent, Update

_LOOK_S: Final = 0.1
_AT_ONCE: Final = 1_000
_LINES: Final = 2_000


class Outbox(Protocol):
    """Raises StorageError."""

    async def outbox_ends(self) -> dict[str, int]: ...

    async def updates(self, tenant: str, *, after: int, limit: int) -> list[Update]: ...


class OutboxFollower:
    """Implements `Publisher`: what is committed, here or elsewhere, comes from the outbox alone, so that every node
    shows all of it in one order. Used from one event loop."""

    def __init__(
        self, outbox: Outbox, further: Publisher, last: Mapping[str, int], *,
        stepped_back: Callable[[str, int], None] = lambda tenant, end: None,
    ) -> None:
        """`last`: each tenant's highest number at the start. `stepped_back` is told where a tenant's numbers end now: a
        database that crashed has lost its last moment, and gives the same numbers to other updates."""
        self._outbox, self._further, self._stepped_back = outbox, further, stepped_back
        self._last = dict(last)
        self._wake = asyncio.Event()

    def publish(self, updates: Sequence[Update]) -> None:
        """They are in the outbox: to be looked at now."""
        if updates:
            self._wake.set()

    async def run(self) -> None:
        while True:
            with suppress(StorageError):  # looked at again at the next turn
                await self.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_S)
            self._wake.clear()

    async def look(self) -> None:
        """Pass on what is new, also of tenants that had nothing so far."""
        ends = await self._outbox.outbox_ends()
        for tenant, end in (dict.fromkeys(self._last, 0) | ends).items():
            if end < self._last.get(tenant, 0):
                self._last[tenant] = end
                self._stepped_back(tenant, end)
            while self._last.get(tenant, 0) < end:
                found = await self._outbox.updates(tenant, after=self._last.get(tenant, 0), limit=_AT_ONCE)
                self._further.publish(found)
                self._last[tenant] = found[-1].seq if found else end


class KeptLines:
    """Implements `evidence.FreshLines` where others judge: what they have written into the archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def fresh_lines(self, tenant: str, room: str, *, since: int, until: int) -> list[ContextLine]:
        found = await self._archive.search(
            tenant, ArchiveQuery(room=room, since=since, until=until + 1, limit=_LINES))
        return [line_of(tenant, event) for event in found]


def line_of(tenant: str, event: KeptEvent) -> ContextLine:
    return ContextLine(
        tenant=tenant, room=event.room, source=event.source, event_id=event.id, revision=event.revision,
        lane=event.lane, broadcast=event.broadcast, at=event.at, offset_ms=event.offset_ms, kind=event.kind,
        role=event.role, speaker=event.speaker, text=event.text)


class NewCues(Protocol):
    async def told_since(self, tenant: str, at: int) -> list[Cue]:
        """Those that were told at this time (UTC ms) or later. Raises StorageError."""
        ...


async def follow_cues(
    cues: NewCues, tenants: Callable[[], Iterable[str]], watch: Callable[[Cue], None], clock: Clock, *,
    every_s: float = 1, overlap_ms: int = 10_000,
) -> None:
    """Until cancelled, `watch` is told of every cue that any node gives; of some again, since clocks differ."""
    since = clock.now() - overlap_ms
    while True:
        now = clock.now()
        with suppress(StorageError):
            for tenant in tenants():
                for cue in await cues.told_since(tenant, since):
                    watch(cue)
            since = now - overlap_ms
        await asyncio.sleep(every_s)
