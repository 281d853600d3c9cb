"""Cues: short messages to host and control room, while the broadcast runs."""

from typing import Annotated, Final

from msgspec import Meta, Struct

MOST_OFTEN_MS: Final = 120_000
"""A rule cues a room at most once in so long."""
EARNED_DECISIONS: Final = 30
EARNED_PRECISION: Final = 0.9
"""What a rule has to show before it cues by itself."""


class Cue(Struct, frozen=True, kw_only=True):
    """`by`: a person, or `rule:<id>`. Times in UTC ms; `answered`: "seen", "not_so" or ""; `corrected_at`: when the
    host was heard to correct it."""

    id: str
    tenant: str
    room: str
    broadcast: str
    alert: str
    by: str
    at: int
    say: Annotated[str, Meta(min_length=1, max_length=500)]
    quote: str = ""
    clause: str = ""
    answered: str = ""
    answered_at: int | None = None
    corrected_at: int | None = None

    @property
    def corrected_after_s(self) -> int | None:
        """Seconds from the cue to the correction."""
        return None if self.corrected_at is None else max(self.corrected_at - self.at, 0) // 1_000


def earned(violations: int, decisions: int) -> bool:
    """Has a rule been right often enough to cue by itself?"""
    return decisions >= EARNED_DECISIONS and violations / decisions >= EARNED_PRECISION


def may_cue(last_at: int | None, now: int) -> bool:
    """`last_at`: when the rule cued this room last (UTC ms)."""
    return last_at is None or now - last_at >= MOST_OFTEN_MS
