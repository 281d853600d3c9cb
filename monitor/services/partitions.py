"""Many partitions of one log, judged by one process: each is a log of its own, with two lanes of its own.

`Detect` knows of one log with a host side and a viewers' side. What it stores is told apart here: lane `side` of
partition p is lane 2p + side of the store.
"""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from monitor.services.cases import Placing
from monitor.services.dispatch import UNPLACED
from monitor.services.ports import Judgements
from monitor.services.records import Commit, Position, Snapshot, Update

SIDES = 2
"""Lanes of a partition."""


class OfPartition:
    """The store as one partition sees it."""

    def __init__(self, store: Judgements, partition: int) -> None:
        self._store, self._first = store, SIDES * partition

    async def claim(self, lane: int) -> Position:
        return replace(await self._store.claim(self._first + lane), lane=lane)

    async def apply(self, commits: Sequence[Commit], placing: Placing = UNPLACED) -> list[Update]:
        return await self._store.apply(
            [replace(each, position=replace(each.position, lane=self._first + each.position.lane)) for each in commits],
            placing)

    async def save_snapshots(self, snapshots: Sequence[tuple[Snapshot, int]]) -> None:
        await self._store.save_snapshots(
            [(replace(each, lane=self._first + each.lane), epoch) for each, epoch in snapshots])

    async def snapshot(self, lane: int) -> Snapshot | None:
        found = await self._store.snapshot(self._first + lane)
        return found and replace(found, lane=lane)


class Together:
    """What several partitions have to commit goes in one transaction: while one runs, the others' results gather.

    Used from one event loop. All calls bring the same `placing`.
    """

    def __init__(self, store: Judgements) -> None:
        self._store = store
        self._waiting: list[tuple[Sequence[Commit], Placing, asyncio.Future[list[Update]]]] = []
        self._running: asyncio.Task[None] | None = None
        self.claim, self.snapshot, self.save_snapshots = store.claim, store.snapshot, store.save_snapshots

    async def apply(self, commits: Sequence[Commit], placing: Placing = UNPLACED) -> list[Update]:
        """As the port; the updates of a transaction are given to one of those that wait for it, in order."""
        done: asyncio.Future[list[Update]] = asyncio.get_running_loop().create_future()
        self._waiting.append((commits, placing, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                commits = [commit for some, _, _ in group for commit in some]
                updates = await self._store.apply(commits, group[0][1])
            except Exception as error:
                for _, _, done in group:
                    if not done.done():
                        done.set_exception(error)
                continue
            for _, _, done in group:
                if not done.done():
                    done.set_result(updates)
                updates = []
        self._running = None
