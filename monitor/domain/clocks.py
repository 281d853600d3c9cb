"""How long an alert may wait: limits by severity, in seconds."""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from monitor.domain.findings import Severity
from monitor.domain.phrases import phrase

LONGEST_S: Final = 30 * 86_400
"""What is to be done later than in thirty days is done never, and sums of times stay numbers that a store holds."""


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """Within how many seconds an alert is to be claimed and decided; None: no clock."""

    claim_s: Annotated[int, Meta(ge=1)] | None = None
    decide_s: Annotated[int, Meta(ge=1)] | None = None


_LIMITS: Final = {Severity.CRITICAL: Limit(20, 60), Severity.HIGH: Limit(100, 300), Severity.MEDIUM: Limit(600, 1_800)}


class Clocks(Struct, frozen=True, forbid_unknown_fields=True):
    """`limits`: by severity; one that is missing has no clock."""

    limits: dict[Severity, Limit] = field(default_factory=lambda: dict(_LIMITS))
    lease_s: Annotated[int, Meta(ge=5)] = 120

    def claim_by(self, severity: Severity, now: int) -> int | None:
        """When it has to be claimed, if it came to its post at `now` (UTC ms)."""
        return _after(now, self.limits.get(severity, Limit()).claim_s)

    def decide_by(self, severity: Severity, now: int) -> int | None:
        """When it has to be decided, if it came to its post at `now` (UTC ms)."""
        return _after(now, self.limits.get(severity, Limit()).decide_s)

    def lease(self, now: int) -> int:
        """When a claim of `now` ends (UTC ms)."""
        return now + min(self.lease_s, LONGEST_S) * 1_000

    def faults(self) -> Iterator[str]:
        limits = (seconds for limit in self.limits.values() for seconds in (limit.claim_s, limit.decide_s))
        if max((self.lease_s, *(seconds for seconds in limits if seconds is not None))) > LONGEST_S:
            yield phrase("clocks and leases last {most} s (thirty days) at most", most=f"{LONGEST_S:,}")


def _after(now: int, seconds: int | None) -> int | None:
    return None if seconds is None else now + min(seconds, LONGEST_S) * 1_000
