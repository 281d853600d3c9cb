"""In which order alerts are shown: factors that are multiplied, each of them visible."""

from typing import Final

from msgspec import Struct

from monitor.domain.findings import Opinion, Severity, Tier

_SEVERITY: Final = {Severity.INFO: 1.0, Severity.LOW: 2.0, Severity.MEDIUM: 4.0, Severity.HIGH: 8.0,
                    Severity.CRITICAL: 16.0}
_TIER: Final = {Tier.CARE: 8.0, Tier.REDLINE: 2.0, Tier.STANDARD: 1.0, Tier.ORIENTATION: 0.5}
_OPINION: Final = {Opinion.NONE: 1.0, Opinion.AGREES: 1.2, Opinion.DIFFERS: 0.6, Opinion.ALONE: 0.8}
_MOST_RECURRENCE: Final = 2.0


class Factors(Struct, frozen=True, kw_only=True):
    """What makes an alert more or less urgent; 1.0 is neutral."""

    severity: float
    confidence: float
    recurrence: float
    tier: float
    evasive: float
    speaker: float
    repeat: float

    @property
    def priority(self) -> int:
        """Their product in hundredths, so that it sorts and pages exactly."""
        product = (self.severity * self.confidence * self.recurrence * self.tier * self.evasive * self.speaker
                   * self.repeat)
        return round(product * 100)


def factors(
    *, severity: Severity, tier: Tier, opinion: Opinion, recurrence: int, evasive: bool, host_side: bool,
    repeats: bool, cued: bool,
) -> Factors:
    """`recurrence`: findings that stand; `repeats`: the same rule was ruled a violation in this broadcast before;
    `cued`: and the room was told so."""
    return Factors(
        severity=_SEVERITY[severity],
        confidence=_OPINION[opinion],
        recurrence=recurring(recurrence),
        tier=_TIER[tier],
        evasive=1.3 if evasive else 1.0,
        speaker=1.5 if host_side else 1.0,
        repeat=(2.0 if cued else 1.5) if repeats else 1.0,
    )


def recurring(findings: int) -> float:
    """A tenth more for each further finding, up to twice."""
    return min(1.0 + 0.1 * max(findings - 1, 0), _MOST_RECURRENCE)
