"""Retention: what is kept for how long, and its end in bounded steps, each with a row of the trail."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol

from monitor.services.answers import KEPT_MS, Answers
from monitor.services.ports import Clock, Telemetry

_ALERTS: Final = 200
_ROWS: Final = 1_000
ANSWERS: Final = "answers"


class Kind(StrEnum):
    """`corrections`: alerts that were found to be violations; `alerts`: all others. Both with their findings, moves,
    context, and the labels that reviewing them gave. `check_versions`: those that a newer version of the same check has
    followed; `messages`: sent or dead ones; links, invitations and sessions: from their end on; `shadows`: what rules
    in the shadow found."""

    ALERTS = "alerts"
    CORRECTIONS = "corrections"
    CHECKS = "checks"
    CHECK_VERSIONS = "check_versions"
    CUES = "cues"
    MESSAGES = "messages"
    ROOM_LINKS = "room_links"
    INVITATIONS = "invitations"
    SESSIONS = "sessions"
    SHADOWS = "shadows"


class Expiry(Protocol):
    """Raises StorageError."""

    async def expire(self, kind: Kind, *, before: int, now: int, limit: int) -> int:
        """Drop at most so many of what is older than `before` (UTC ms), the oldest of each tenant first, with a row of
        that tenant's trail in the same transaction, unless the trail has the beginning and the end of each; how many
        went."""
        ...


class Retention:
    """`keep`, `answers_ms`: ms. The trail itself is kept for good."""

    def __init__(
        self, expiry: Expiry, answers: Answers, clock: Clock, telemetry: Telemetry, keep: Mapping[Kind, int],
        answers_ms: int = KEPT_MS,
    ) -> None:
        self._expiry, self._answers, self._clock, self._telemetry = expiry, answers, clock, telemetry
        self.keep, self.answers_ms = keep, answers_ms

    async def step(self) -> bool:
        """One short step for each kind; True where more may be left."""
        now = self._clock.now()
        answers = await self._answers.expire(before=now - self.answers_ms, limit=_ROWS)
        self._count(ANSWERS, answers)
        more = answers == _ROWS
        for kind, keep_ms in self.keep.items():
            gone = await self._expiry.expire(kind, before=now - keep_ms, now=now, limit=_ALERTS)
            self._count(kind.value, gone)
            more = more or gone == _ALERTS
        return more

    def _count(self, kind: str, gone: int) -> None:
        if gone:
            self._telemetry.count("expired_total", gone, kind=kind)
