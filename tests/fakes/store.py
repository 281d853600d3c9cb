"""The store in memory: the port's words in the shortest code, to compare the real one with and to test services on."""

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import asdict, replace

from monitor.domain.alerts import LIVE, Alert, AlertState, Join, Retraction, Withdrawal, opened
from monitor.domain.audit import Deed
from monitor.domain.broadcasts import Broadcast
from monitor.domain.errors import InputError, OwnershipLost
from monitor.domain.findings import Finding
from monitor.domain.labels import Label, Withdrawn, replaces
from monitor.domain.storms import Gauge, Key
from monitor.services.cases import Case, Kept, Opening, Placing
from monitor.services.dispatch import UNPLACED
from monitor.services.records import (
    AlertFilter,
    AlertPage,
    Commit,
    ContextChunk,
    ContextLine,
    Evidence,
    LabelFilter,
    LabelPage,
    OpenAlerts,
    Position,
    RoomPage,
    RoomSummary,
    Saved,
    ShadowRule,
    Snapshot,
    Token,
    Update,
)

EVIDENCE_MS = 60_000
LINES = 400


class _Tables:
    """What a transaction works on: copied before, put in place after."""

    def __init__(self) -> None:
        self.positions: dict[int, Position] = {}
        self.snapshots: dict[int, Snapshot] = {}
        self.broadcasts: dict[tuple[str, str, str], Broadcast] = {}
        self.alerts: dict[str, Alert] = {}
        self.kept: dict[str, Kept] = {}
        self.findings: dict[str, tuple[Finding, str]] = {}  # with its alert
        self.gauges: defaultdict[Key, Gauge] = defaultdict(Gauge)
        self.latest: dict[str, int] = {}  # of a finding that events joined
        self.withdrawn: dict[str, str] = {}
        self.chunks: list[ContextChunk] = []
        self.outbox: dict[str, list[tuple[int, str, str]]] = {}
        self.rule_sets: dict[str, bytes] = {}
        self.labels: dict[tuple[str, str], Label] = {}
        self.tokens: dict[str, Token] = {}


class MemoryStore:
    """Implements `Store`. `fails`: what the next writes raise, None for nothing."""

    def __init__(self) -> None:
        self.fails: Exception | None = None
        self.closed = False
        self.deeds: list[Deed] = []
        self._t = _Tables()

    async def claim(self, lane: int) -> Position:
        self._refuse()
        old = self._t.positions.get(lane, Position(lane, 0, 0))
        self._t.positions[lane] = replace(old, epoch=old.epoch + 1)
        return self._t.positions[lane]

    async def apply(self, commits: Sequence[Commit], placing: Placing = UNPLACED) -> list[Update]:
        self._refuse()
        now = max((commit.now for commit in commits), default=0)
        t = copy.deepcopy(self._t)
        touched: dict[str, bool] = {}  # True for a new alert
        reasons: dict[str, str] = {}
        for commit in commits:
            self._advance(t, commit)
            t.chunks += commit.context
            for broadcast in commit.broadcasts:
                self._put_broadcast(t, broadcast)
        for withdrawing in (False, True):
            for commit in commits:
                for finding in () if withdrawing else commit.findings:
                    self._put_finding(t, finding, touched, placing, now)
                for join in () if withdrawing else commit.joins:
                    self._join(t, join, touched)
                for withdrawal in commit.withdrawals if withdrawing else ():
                    self._withdraw(t, withdrawal, touched, reasons)
                for retraction in commit.retractions if withdrawing else ():
                    self._retract(t, retraction, touched, reasons)
        written = [self._settle(t, alert, new, reasons, placing, now) for alert, new in touched.items()]
        self._t = t
        return written

    def _refuse(self) -> None:
        if self.fails is not None:
            raise self.fails

    @staticmethod
    def _advance(t: _Tables, commit: Commit) -> None:
        position = commit.position
        if t.positions.get(position.lane) != replace(position, seq=commit.expected):
            raise OwnershipLost(f"lane {position.lane} does not stand at {commit.expected}")
        t.positions[position.lane] = position

    @staticmethod
    def _put_broadcast(t: _Tables, new: Broadcast) -> None:
        key = (new.tenant, new.room, new.id)
        old = t.broadcasts.setdefault(key, copy.copy(new))
        old.last_at = max(old.last_at, new.last_at)
        old.ended_at, old.why_ended = new.ended_at, new.why_ended

    @staticmethod
    def _put_finding(
        t: _Tables, finding: Finding, touched: dict[str, bool], placing: Placing, now: int
    ) -> None:
        if finding.id in t.findings:
            if finding.id in t.withdrawn and not finding.event_id:
                del t.withdrawn[finding.id]
                touched.setdefault(t.findings[finding.id][1], False)
            return
        if finding.id == finding.opened_by:
            (placed,) = placing.place([Opening(finding=finding, alert=opened(finding))], t.gauges, now)
            alert = placed.alert
            t.alerts[alert.id] = alert
            t.kept[alert.id] = Kept(review=placed.review, factors=placed.factors)
            touched[alert.id] = True
            t.findings[finding.id] = (finding, alert.id)
        else:
            t.findings[finding.id] = (finding, t.findings[finding.opened_by][1])
            touched.setdefault(t.findings[finding.id][1], False)

    @staticmethod
    def _join(t: _Tables, join: Join, touched: dict[str, bool]) -> None:
        if join.finding in t.findings and join.finding not in t.withdrawn:
            finding, alert = t.findings[join.finding]
            if join.event_id not in (*finding.event_ids, *finding.joined):
                t.findings[join.finding] = replace(finding, joined=[*finding.joined, join.event_id]), alert
                t.latest[join.finding] = max(t.latest.get(join.finding, finding.at), join.at)
                touched.setdefault(alert, False)

    @staticmethod
    def _withdraw(t: _Tables, w: Withdrawal, touched: dict[str, bool], reasons: dict[str, str]) -> None:
        for finding, alert in t.findings.values():
            same = (finding.tenant, finding.source, finding.event_id) == (w.tenant, w.source, w.event_id)
            if same and finding.revision < w.revision and finding.id not in t.withdrawn:
                t.withdrawn[finding.id] = reasons[alert] = w.reason
                touched.setdefault(alert, False)

    @staticmethod
    def _retract(t: _Tables, r: Retraction, touched: dict[str, bool], reasons: dict[str, str]) -> None:
        if r.finding in t.findings and r.finding not in t.withdrawn:
            alert = t.findings[r.finding][1]
            t.withdrawn[r.finding] = reasons[alert] = r.reason
            touched.setdefault(alert, False)

    @staticmethod
    def _settle(
        t: _Tables, alert: str, new: bool, reasons: dict[str, str], placing: Placing, now: int
    ) -> Update:
        old = t.alerts[alert]
        standing = [f for f, of in t.findings.values() if of == alert and f.id not in t.withdrawn]
        told = replace(
            old, recurrence=len(standing), reason=old.reason if standing else reasons.get(alert, old.reason),
            last_at=max((t.latest.get(f.id, f.at) for f in standing), default=old.last_at),
            joined=sum(len(f.joined) for f in standing) if standing else old.joined)
        case = placing.grown(Case(alert=told, kept=t.kept[alert]), now)
        t.alerts[alert], t.kept[alert] = case.alert, case.kept
        what = "opened" if new or old.state is AlertState.WITHDRAWN else "grown"
        rows = t.outbox.setdefault(case.alert.tenant, [])
        rows.append((rows[-1][0] + 1 if rows else 1, what if standing else "withdrawn", alert))
        return Update(rows[-1][0], rows[-1][1], case.alert)

    async def save_snapshots(self, snapshots: Sequence[tuple[Snapshot, int]]) -> None:
        self._refuse()
        for snapshot, epoch in snapshots:
            position = self._t.positions.get(snapshot.lane)
            if position is None or position.epoch != epoch:
                raise OwnershipLost(f"lane {snapshot.lane} is another's")
            if snapshot.seq > position.seq:
                raise ValueError("beyond the position")
        self._t.snapshots.update((snapshot.lane, snapshot) for snapshot, _ in snapshots)

    async def snapshot(self, lane: int) -> Snapshot | None:
        return self._t.snapshots.get(lane)

    async def positions(self) -> list[Position]:
        return sorted(self._t.positions.values(), key=lambda position: position.lane)

    async def alerts(self, tenant: str, where: AlertFilter, *, cursor: str | None, limit: int) -> AlertPage:
        found = sorted(
            (a for a in self._t.alerts.values() if a.tenant == tenant and _fits(a, where)),
            key=lambda alert: (-alert.at, alert.id),
        )
        if cursor is not None:
            at, _, name = cursor.partition(" ")
            if not name:
                raise InputError("a bad cursor")
            found = [alert for alert in found if (-alert.at, alert.id) > (-int(at), name)]
        page = found[:limit]
        return AlertPage(page, f"{page[-1].at} {page[-1].id}" if page and len(found) > limit else None)

    async def evidence(self, tenant: str, alert: str) -> Evidence | None:
        found = self._t.alerts.get(alert)
        if found is None or found.tenant != tenant:
            return None
        withdrawn = {} if found.state is AlertState.WITHDRAWN else self._t.withdrawn
        held = [f for f, of in self._t.findings.values() if of == alert and f.id not in withdrawn]
        held.sort(key=lambda finding: (finding.at, finding.id))
        first, last = held[0].at - EVIDENCE_MS, max(found.last_at, *(f.at for f in held)) + EVIDENCE_MS
        lines = {}
        for chunk in sorted(self._t.chunks, key=lambda chunk: chunk.first_seq):
            for line in chunk.lines if (chunk.tenant, chunk.room) == (tenant, found.room) else ():
                if first <= line.at <= last:
                    lines.setdefault((line.source, line.event_id, line.revision), line)
        return Evidence(found, held, _nearest(lines.values(), found.at))

    async def rooms(self, tenant: str, *, live_since: int, cursor: str | None, limit: int,
                    only: Collection[str] | None = None) -> RoomPage:
        latest: dict[str, Broadcast] = {}
        for broadcast in sorted(self._t.broadcasts.values(), key=lambda b: (b.started_at, b.id)):
            if broadcast.tenant == tenant:
                latest[broadcast.room] = broadcast
        found = [
            RoomSummary(
                room=room, broadcast=b.id, started_at=b.started_at, last_at=b.last_at, ended_at=b.ended_at,
                why_ended=b.why_ended, alerts_open=sum(
                    a.tenant == tenant and a.room == room and a.broadcast == b.id and a.state is AlertState.OPEN
                    for a in self._t.alerts.values()
                ),
            )
            for room, b in sorted(latest.items())
            if (b.ended_at is None or b.last_at >= live_since) and (cursor is None or room > cursor)
            and (only is None or room in only)
        ]  # fmt: skip
        return RoomPage(found[:limit], found[limit - 1].room if len(found) > limit else None)

    async def updates(self, tenant: str, *, after: int, limit: int) -> list[Update]:
        rows = [row for row in self._t.outbox.get(tenant, []) if row[0] > after][:limit]
        return [Update(seq, what, self._t.alerts[alert]) for seq, what, alert in rows]

    async def open_alerts(self) -> list[OpenAlerts]:
        standing: dict[tuple[str, str, str], list[int]] = {}
        for alert in self._t.alerts.values():
            if alert.state in LIVE:
                standing.setdefault((alert.tenant, alert.post, alert.severity), []).append(alert.at)
        return [OpenAlerts(*key, len(at), min(at)) for key, at in sorted(standing.items())]

    async def outbox_bounds(self, tenant: str) -> tuple[int, int]:
        rows = self._t.outbox.get(tenant)
        return (rows[0][0], rows[-1][0]) if rows else (0, 0)

    async def outbox_ends(self) -> dict[str, int]:
        return {tenant: rows[-1][0] for tenant, rows in self._t.outbox.items()}

    async def trim_outbox(self, *, keep: int) -> int:
        self._refuse()
        gone = 0
        for rows in self._t.outbox.values():
            gone += len(rows[: -max(keep, 1)])
            del rows[: -max(keep, 1)]
        return gone

    async def rule_set(self, version: str) -> bytes | None:
        return self._t.rule_sets.get(version)

    async def save_rule_set(self, version: str, sources: bytes, tried: Sequence[ShadowRule] = ()) -> None:
        self._refuse()
        self._t.rule_sets.setdefault(version, sources)

    async def save_labels(self, tenant: str, labels: Sequence[Label], deeds: Sequence[Deed] = ()) -> Saved:
        self._refuse()
        added = changed = unchanged = 0
        for label in labels:
            old = self._t.labels.get((tenant, label.id))
            if old is not None and not replaces(label, old):
                unchanged += 1
                continue
            added, changed = (added + 1, changed) if old is None else (added, changed + 1)
            self._t.labels[tenant, label.id] = label
        self.deeds += deeds if added or changed else ()
        return Saved(added, changed, unchanged)

    async def withdraw_label(
        self, tenant: str, label: str, withdrawn: Withdrawn, deeds: Sequence[Deed] = ()
    ) -> Label | None:
        self._refuse()
        old = self._t.labels.get((tenant, label))
        if old is not None and old.withdrawn is None:
            self._t.labels[tenant, label] = old = replace(old, withdrawn=withdrawn)
            self.deeds += deeds
        return old

    async def labels(self, tenant: str, where: LabelFilter, *, cursor: str | None, limit: int) -> LabelPage:
        found = sorted((label for (of, _), label in self._t.labels.items() if of == tenant
                        and (where.since is None or label.at >= where.since)
                        and (where.until is None or label.at < where.until)), key=lambda label: (-label.at, label.id))
        if cursor is not None:
            at, _, name = cursor.partition(" ")
            if not name:
                raise InputError("a bad cursor")
            found = [label for label in found if (-label.at, label.id) > (-int(at), name)]
        page = found[:limit]
        return LabelPage(page, f"{page[-1].at} {page[-1].id}" if page and len(found) > limit else None)

    async def tokens(self) -> list[Token]:
        return sorted(self._t.tokens.values(), key=lambda token: (token.created_at, token.id))

    async def save_token(self, token: Token, deeds: Sequence[Deed] = ()) -> None:
        self._refuse()
        self.deeds += deeds
        self._t.tokens[token.id] = token

    async def close(self) -> None:
        self.closed = True


def _fits(alert: Alert, where: AlertFilter) -> bool:
    wanted = {name: value for name, value in asdict(where).items() if value is not None}
    since, until = wanted.pop("since", None), wanted.pop("until", None)
    category, units, posts = wanted.pop("category", None), wanted.pop("units", None), wanted.pop("posts")
    return (
        all(getattr(alert, name) == value for name, value in wanted.items())
        and (category is None or category in alert.category)
        and (units is None or alert.unit in units or alert.post in posts)
        and (since is None or alert.at >= since)
        and (until is None or alert.at < until)
    )


def _nearest(lines: Iterable[ContextLine], at: int) -> list[ContextLine]:
    by_lane: dict[int, list[ContextLine]] = {}
    for line in sorted(lines, key=lambda line: abs(line.at - at)):
        by_lane.setdefault(line.lane, []).append(line)
    kept = [line for some in by_lane.values() for line in some[:LINES]]
    return sorted(kept, key=lambda line: (line.at, line.lane, line.source, line.event_id, line.revision))
