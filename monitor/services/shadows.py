"""Rules in the shadow: they judge what comes, and what they find is noted, so that their owner can decide on them.

Nothing of it is a finding: no alert, queue, figure or report knows of it. Times in UTC ms.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import NotFound
from monitor.domain.events import Kind, Role
from monitor.domain.findings import Finding, Span
from monitor.domain.moves import Outcome
from monitor.domain.phrases import phrase
from monitor.domain.rules import AnyRule, Status
from monitor.domain.rulesets import RuleSet
from monitor.services.ports import Clock
from monitor.services.records import ShadowRule

KEPT: Final = 1_000
"""Findings of a rule and tenant that are kept one by one, the newest; older ones are only counted."""
_SHOWN: Final = 20
_SINCE_MS: Final = 30 * 86_400_000
_BEFORE: Final = 100
_MOST_TEXT: Final = 400
"""Code points of a text that are kept, and how many of them before the first hit."""


class ShadowHit(Struct, frozen=True, kw_only=True):
    """What it would have found. `text`: masked, what stands around the hit; `alert`: one of another rule on the same
    event, with what people decided of it, "" where there is none."""

    id: str
    room: str
    broadcast: str
    at: int
    events: list[str]
    kind: Kind
    role: Role
    text: str
    spans: list[Span]
    alert: str = ""
    outcome: str = ""


class ShadowNotes(Struct, frozen=True):
    """What is kept of a version of a rule. `since`: None where it was never loaded; `hours`: begin → how many; `hits`:
    newest first, so many as are kept."""

    since: int | None
    hours: dict[int, int]
    hits: list[ShadowHit]


class KeptShadows(Protocol):
    """What rules in the shadow found. Written with the positions, by `Judgements.apply`."""

    async def notes(self, tenant: str, rule: str, version: str, *, since: int) -> ShadowNotes:
        """Hours from `since` on. Raises StorageError."""
        ...


class ShadowDay(Struct, frozen=True):
    """`day`: in the service's time zone."""

    day: str
    findings: int


class ShadowTrial(Struct, frozen=True, kw_only=True):
    """How a rule does in the shadow, its version that judges now. `findings`: of the last 30 days, by day in `days`. Of
    the newest `looked_at` of them: in how many rooms, how many are on events of which another rule has an alert, and
    of these, how many were found to be violations, and how many were decided otherwise."""

    rule: str
    title: str
    version: str
    since: int | None
    findings: int
    days: list[ShadowDay]
    looked_at: int
    rooms: int
    with_alert: int
    violations: int
    otherwise: int
    hits: list[ShadowHit]


def shadow_rules(rules: Sequence[AnyRule], now: int) -> list[ShadowRule]:
    return [ShadowRule(rule.id, rule.version, now) for rule in rules if rule.status is Status.SHADOW]


def hit_of(finding: Finding) -> ShadowHit:
    own = [span for span in finding.spans if span.event is None]
    cut = max(0, min((span.start for span in own), default=0) - _BEFORE) if len(finding.text) > _MOST_TEXT else 0
    text = finding.text[cut : cut + _MOST_TEXT]
    spans = [replace(span, start=span.start - cut, end=min(span.end - cut, len(text))) for span in own
             if span.start - cut < len(text)]
    return ShadowHit(
        id=finding.id, room=finding.room, broadcast=finding.broadcast, at=finding.at, events=finding.event_ids,
        kind=finding.kind, role=finding.role, text=text, spans=spans)


class ShadowDesk:
    def __init__(self, kept: KeptShadows, ruleset: Callable[[], RuleSet], zone: tzinfo, clock: Clock) -> None:
        """`ruleset`: what judges now; `zone`: in which days begin."""
        self._kept, self._ruleset, self._zone, self._clock = kept, ruleset, zone, clock

    async def trial(self, tenant: str, name: str) -> ShadowTrial:
        """Raises NotFound where no rule of this id is in the shadow, StorageError."""
        rule = next((rule for rule in self._ruleset().all() if rule.id == name), None)
        if rule is None or rule.status is not Status.SHADOW:
            raise NotFound(phrase("no rule {name} is in the shadow", name=repr(name[:80])),
                           hint="GET /api/v1/rules tells the status of each")
        notes = await self._kept.notes(tenant, rule.id, rule.version, since=self._clock.now() - _SINCE_MS)
        days: dict[str, int] = {}
        for hour, count in sorted(notes.hours.items()):
            day = datetime.fromtimestamp(hour / 1000, self._zone).date().isoformat()
            days[day] = days.get(day, 0) + count
        outcomes = [hit.outcome for hit in notes.hits if hit.alert]
        return ShadowTrial(
            rule=rule.id, title=rule.title, version=rule.version, since=notes.since, findings=sum(days.values()),
            days=[ShadowDay(day, count) for day, count in days.items()], looked_at=len(notes.hits),
            rooms=len({hit.room for hit in notes.hits}), with_alert=len(outcomes),
            violations=outcomes.count(Outcome.VIOLATION),
            otherwise=sum(outcome not in ("", Outcome.VIOLATION) for outcome in outcomes), hits=notes.hits[:_SHOWN])
