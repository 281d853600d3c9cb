"""How long an alert may wait: limits by severity, in seconds."""

from typing import Annotated, Final

from msgspec import Meta, Struct, field

from monitor.domain.findings import Severity


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
        return now + self.lease_s * 1_000


def _after(now: int, seconds: int | None) -> int | None:
    return None if seconds is None else now + seconds * 1_000
