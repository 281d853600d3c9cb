"""Alerts: findings of one room and one rule, grouped in time. Pure state, one instance per lane."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from monitor.domain.findings import Advice, Evasion, Finding, Severity, Span, Tier
from monitor.domain.ids import alert_id, moment_id
from monitor.domain.misses import MANUAL, is_manual


class AlertState(StrEnum):
    OPEN = "open"
    HELD = "held"  # stored and counted, but in no queue, for a named reason
    CLAIMED = "claimed"
    ESCALATED = "escalated"
    VIOLATION = "violation"
    RECTIFIED = "rectified"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


LIVE: Final = frozenset((AlertState.OPEN, AlertState.CLAIMED, AlertState.ESCALATED))
"""Somebody has to decide."""
UNDECIDED: Final = LIVE | {AlertState.HELD}


class Alert(Struct, frozen=True, kw_only=True):
    """What a reviewer sees. `recurrence` is the number of distinct findings that stand, `joined` that of the events
    which fell in the windows of these findings afterwards; times in UTC ms.

    `unverified`, `not_in_force`: those of the clauses of which people are told, as in a finding. Alerts of one room
    whose opening findings share an event have the same `moment`. What people do with an alert moves its `state`, `post`
    (whose queue it is in), `claimed_by`, `outcome`, `held_by` (the id of what holds it back), `due` (when time moves it
    by itself) and `version`; `unit` is the room's. `source`: "rules", or "manual" where a person reported it."""

    id: str
    tenant: str
    room: str
    broadcast: str
    lane: int
    rule: str
    rule_version: str
    title: str
    category: list[str]
    sub: str
    tier: Tier
    severity: Severity
    clauses: list[str]
    scope: str  # "event" | "broadcast"
    event_ids: list[str]
    at: int
    last_at: int
    offset_ms: int | None
    accepted_at: int
    recurrence: int
    state: AlertState
    reason: str
    text: str
    spans: list[Span]
    evasive: Evasion | None
    advice: Advice
    unverified: list[str] = []
    not_in_force: list[str] = []
    joined: int = 0
    unit: str = ""
    post: str = ""
    priority: int = 0
    moment: str = ""
    version: int = 0
    claimed_by: str = ""
    outcome: str = ""
    held_by: str = ""
    due: int | None = None
    source: str = "rules"


_LATE_MS: Final = 60_000


class GroupingSettings(Struct, frozen=True):
    """`gap_ms`: the longest pause inside one alert; `longest_ms`: the longest alert."""

    gap_ms: int = 60_000
    longest_ms: int = 600_000

    def over_before(self, now: int) -> int:
        """Nothing joins a group any more whose latest finding was accepted before this. UTC ms."""
        return now - self.gap_ms - self.longest_ms - _LATE_MS


class Group(Struct):
    """An alert that may still grow. `findings`: event (source, id) → ids of its findings here.

    `first_at`, `last_at` are event times; `seen_at` is when the latest finding was accepted, which for a recording is
    long after."""

    opened_by: str
    broadcast: str
    first_at: int
    last_at: int
    findings: dict[tuple[str, str], list[str]]
    seen_at: int = 0


GroupKey = tuple[str, str, str, str]  # tenant, room, rule, speaker (of care only)


class Withdrawal(Struct, frozen=True):
    """The findings of this event below `revision` no longer stand, for this named reason."""

    tenant: str
    source: str
    event_id: str
    revision: int
    reason: str = "revised"


class Retraction(Struct, frozen=True):
    """This finding, of several events or of a missing statement, no longer stands, for this named reason."""

    tenant: str
    finding: str
    reason: str


class Join(Struct, frozen=True):
    """This event fell in the window of a finding that is known, after all that it rests on. Times in UTC ms."""

    tenant: str
    room: str
    finding: str
    event_id: str
    at: int
    accepted_at: int


def standing(retractions: Iterable[Retraction], again: Iterable[Finding]) -> list[Retraction]:
    """Those that still hold when these findings came later: what comes again stands again."""
    back = {finding.id for finding in again}
    return [retraction for retraction in retractions if retraction.finding not in back]


class Grouping(Struct):
    """Groups that may still grow, by room and rule."""

    groups: dict[GroupKey, Group] = {}

    def place(
        self, *, tenant: str, room: str, rule: str, broadcast: str, speaker: str, source: str, event_id: str,
        finding: str, at: int, seen_at: int, settings: GroupingSettings,
    ) -> str:
        """The id of the finding that opened the alert which this finding belongs to (itself, where it opens one).

        A finding joins where broadcast, room and rule are the same, no pause exceeds the gap and the whole stays
        within the upper end; one with an earlier time joins as well, without changing the alert's id.
        """
        key = (tenant, room, rule, speaker)
        group = self.groups.get(key)
        if group is None or not self._fits(group, broadcast, at, settings):
            self.groups[key] = Group(finding, broadcast, at, at, {(source, event_id): [finding]}, seen_at)
            return finding
        group.first_at = min(group.first_at, at)
        group.last_at = max(group.last_at, at)
        group.seen_at = max(group.seen_at, seen_at)
        known = group.findings.setdefault((source, event_id), [])
        if finding not in known:
            known.append(finding)
        return group.opened_by

    def join(self, tenant: str, room: str, rule: str, *, finding: str, at: int) -> None:
        """An event joined this finding of several events: its group goes on until then."""
        group = self.groups.get((tenant, room, rule, ""))
        if group is not None and finding in group.findings.get(("", finding), ()):
            group.last_at = max(group.last_at, at)

    @staticmethod
    def _fits(group: Group, broadcast: str, at: int, settings: GroupingSettings) -> bool:
        first, last = min(group.first_at, at), max(group.last_at, at)
        near = group.first_at - settings.gap_ms <= at <= group.last_at + settings.gap_ms
        return broadcast == group.broadcast and near and last - first <= settings.longest_ms

    def withdraw(self, tenant: str, room: str, source: str, event_id: str, *, keep: frozenset[str]) -> None:
        """Forget the findings of an event that was revised, but for those in `keep`; an empty group closes."""
        for key in [k for k in self.groups if k[0] == tenant and k[1] == room]:
            group = self.groups[key]
            known = group.findings.get((source, event_id))
            if known is None:
                continue
            left = [f for f in known if f in keep]
            if left:
                group.findings[source, event_id] = left
            else:
                del group.findings[source, event_id]
                if not group.findings:
                    del self.groups[key]

    def prune(self, *, before: int) -> None:
        """Drop the groups whose latest finding was accepted before `before` (UTC ms): what could join them has come."""
        for key in [k for k, group in self.groups.items() if group.seen_at < before]:
            del self.groups[key]


def opened(finding: Finding) -> Alert:
    """The alert that `finding` opens."""
    return Alert(
        id=alert_id(finding.id), tenant=finding.tenant, room=finding.room, broadcast=finding.broadcast,
        lane=finding.lane, rule=finding.rule, rule_version=finding.rule_version, title=finding.title,
        category=finding.category, sub=finding.sub, tier=finding.tier, severity=finding.severity,
        clauses=finding.clauses, scope=finding.scope, event_ids=finding.event_ids, at=finding.at, last_at=finding.at,
        offset_ms=finding.offset_ms, accepted_at=finding.accepted_at, recurrence=1, state=AlertState.OPEN,
        reason="", text=finding.text, spans=finding.spans, evasive=finding.evasive, advice=finding.advice,
        unverified=finding.unverified, not_in_force=finding.not_in_force,
        source=MANUAL if is_manual(finding.rule) else "rules",
        moment=moment_id(finding.tenant, finding.room, finding.source, finding.under or finding.id),
    )
