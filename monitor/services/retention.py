"""Retention: what is kept for how long, and its end in bounded steps, each with a row of the trail."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol

from monitor.services.answers import KEPT_MS, Answers
from monitor.services.ports import Clock, Telemetry

_ALERTS: Final = 200
_ROWS: Final = 1_000


class Kind(StrEnum):
    """`corrections`: alerts that were found to be violations; `alerts`: all others. Both with their findings, moves,
    context, and the labels that reviewing them gave."""

    ALERTS = "alerts"
    CORRECTIONS = "corrections"
    CHECKS = "checks"


class Expiry(Protocol):
    """Raises StorageError."""

    async def expire(self, kind: Kind, *, before: int, now: int, limit: int) -> int:
        """Drop at most so many of what is older than `before` (UTC ms), the oldest of each tenant first, with a row of
        that tenant's trail in the same transaction; how many went."""
        ...


class Retention:
    """`keep`: ms. The trail itself is kept for good."""

    def __init__(
        self, expiry: Expiry, answers: Answers, clock: Clock, telemetry: Telemetry, keep: Mapping[Kind, int],
    ) -> None:
        self._expiry, self._answers, self._clock, self._telemetry = expiry, answers, clock, telemetry
        self.keep = keep

    async def step(self) -> bool:
        """One short step for each kind; True where more may be left."""
        now = self._clock.now()
        more = await self._answers.expire(before=now - KEPT_MS, limit=_ROWS) == _ROWS
        for kind, keep_ms in self.keep.items():
            gone = await self._expiry.expire(kind, before=now - keep_ms, now=now, limit=_ALERTS)
            if gone:
                self._telemetry.count("expired_total", gone, kind=kind.value)
            more = more or gone == _ALERTS
        return more
