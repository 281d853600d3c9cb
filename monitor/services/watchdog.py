"""Ends a worker that is alive but does nothing: it can only be started anew."""

import asyncio
from collections.abc import Callable
from typing import Final

from monitor.domain.errors import StorageError
from monitor.services.owning import Owning
from monitor.services.ports import Clock, Telemetry

_LOOK_S: Final = 2.0
_STUCK_MS: Final = 60_000


class Idle(StorageError):
    """Alive, and nothing goes on."""


class Watchdog:
    """`rebalancing`: are partitions being shared out?"""

    def __init__(
        self, owning: Owning, rebalancing: Callable[[], bool], clock: Clock, telemetry: Telemetry, *, session_ms: int,
        stuck_ms: int = _STUCK_MS,
    ) -> None:
        self._owning, self._rebalancing, self._clock, self._telemetry = owning, rebalancing, clock, telemetry
        self._session_ms, self._stuck_ms = session_ms, stuck_ms
        self._calm_at = clock.now()
        self._moved: dict[int, tuple[tuple[int, int], int]] = {}
        """By partition: how far its lanes are committed, and since when (UTC ms)."""

    async def run(self) -> None:
        """Raises Idle."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        now = self._clock.now()
        if not self._rebalancing():
            self._calm_at = now
        elif now - self._calm_at > 2 * self._session_ms:
            self._end("partitions have been shared out for too long")
        lag = 0
        for partition, share in self._owning.shares.items():
            if share.detect is None or not share.detect.ready:
                self._moved.pop(partition, None)
                continue
            lag += share.lag()
            at = share.detect.positions()
            before, since = self._moved.get(partition, (at, now))
            self._moved[partition] = (at, now if at != before or not share.lag() else since)
            if now - since > self._stuck_ms and at == before and share.lag():
                self._end(f"partition {partition} has not moved for {self._stuck_ms // 1000} s")
        self._moved = {p: seen for p, seen in self._moved.items() if p in self._owning.shares}
        self._telemetry.gauge("partition_lag", lag)

    def _end(self, why: str) -> None:
        self._telemetry.count("watchdog_restarts_total")
        raise Idle(why, hint="the worker ends, to be started anew")
