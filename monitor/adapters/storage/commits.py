"""One batch's results, applied in the caller's transaction: all of them or, where anything raises, none."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, case, func, select, update

from monitor.adapters.storage import cases, shadows
from monitor.adapters.storage.moving import settled
from monitor.adapters.storage.outbox import tell
from monitor.adapters.storage.records import broadcast_values, chunk_values, finding_of, finding_values
from monitor.adapters.storage.schema import (
    alert_categories,
    alerts,
    broadcasts,
    context_chunks,
    findings,
    positions,
)
from monitor.adapters.storage.statements import insert, insert_new, parts
from monitor.domain.alerts import LIVE, Alert, AlertState, Join, Retraction, Withdrawal, opened
from monitor.domain.broadcasts import Broadcast
from monitor.domain.errors import OwnershipLost
from monitor.domain.findings import Finding
from monitor.services.cases import Case, Placing
from monitor.services.records import Commit, Position, Update

_advance: Final = (
    update(positions)
    .where(
        positions.c.lane == bindparam("of_lane"),
        positions.c.seq == bindparam("expected"),
        positions.c.epoch == bindparam("of_epoch"),
    )
    .values(seq=bindparam("next"))
)
_known: Final = select(findings.c.id, findings.c.alert_id, findings.c.withdrawn).where(
    findings.c.id.in_(bindparam("ids", expanding=True))
)
_standing_of: Final = select(findings.c.id, findings.c.alert_id, findings.c.event_id, findings.c.revision).where(
    findings.c.tenant == bindparam("tenant"),
    findings.c.source == bindparam("source"),
    findings.c.event_id.in_(bindparam("events", expanding=True)),
    findings.c.withdrawn.is_(None),
)
_withdraw: Final = update(findings).where(findings.c.id == bindparam("of_id")).values(withdrawn=bindparam("reason"))
_standing: Final = (
    select(
        findings.c.alert_id,
        func.count().label("standing"),
        func.max(findings.c.at).label("last_at"),
        func.sum(findings.c.joined).label("joined"),
    )
    .where(findings.c.alert_id.in_(bindparam("ids", expanding=True)), findings.c.withdrawn.is_(None))
    .group_by(findings.c.alert_id)
)
_alerts: Final = select(alerts).where(alerts.c.id.in_(bindparam("ids", expanding=True)))
_joinable: Final = select(findings.c.id, findings.c.alert_id, findings.c.at, findings.c.body).where(
    findings.c.id.in_(bindparam("ids", expanding=True)), findings.c.withdrawn.is_(None)
)
_join: Final = (
    update(findings)
    .where(findings.c.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}") for name in ("at", "joined", "body")})
)


def apply(connection: Connection, commits: Sequence[Commit], placing: Placing) -> list[Update]:
    """Everything of `commits`, in order; the outbox rows that this wrote. `placing`: where new alerts go.

    Findings are in before withdrawals are, and both before any alert's state is made out: so an alert whose
    violation stands stays open. Raises OwnershipLost, and LookupError for a finding whose opening one is missing.
    """
    advance(connection, commits)
    save_broadcasts(connection, [b for commit in commits for b in commit.broadcasts])
    now = max((commit.now for commit in commits), default=0)
    placed = save_findings(connection, [f for commit in commits for f in commit.findings], placing, now)
    grown = join(connection, [j for commit in commits for j in commit.joins])
    withdrawals = [w for commit in commits for w in commit.withdrawals]
    retractions = [r for commit in commits for r in commit.retractions]
    reasons = withdraw(connection, withdrawals) | retract(connection, retractions)
    shadows.note(connection, [f for commit in commits for f in commit.shadows])
    shadows.withdraw(connection, withdrawals, retractions)
    chunks = [chunk_values(chunk) for commit in commits for chunk in commit.context]
    if chunks:
        connection.execute(insert_new(connection, context_chunks), chunks)
    findings_of = Counter(placed.touched)
    names = dict.fromkeys([*reasons, *grown, *placed.touched])
    alone = {name: case for name, case in placed.fresh.items()
             if findings_of[name] == 1 and name not in reasons and name not in grown}
    told = {name: ("opened", case.alert) for name, case in alone.items()}
    cases.requeue(connection, [case.alert for case in alone.values() if case.alert.state in LIVE])
    told |= settle(connection, [name for name in names if name not in alone], placed.fresh, reasons, placing, now)
    return tell(connection, [told[name] for name in dict.fromkeys([*names, *told])])


class Saved(Struct):
    """`fresh`: the alerts that were opened, as they were placed; `touched`: those of each new finding."""

    fresh: dict[str, Case]
    touched: list[str]


def advance(connection: Connection, commits: Sequence[Commit]) -> None:
    """Move each lane by compare-and-set; several commits of one lane must follow one another."""
    first: dict[int, int] = {}
    last: dict[int, Position] = {}
    for commit in commits:
        position = commit.position
        before = last.get(position.lane, Position(position.lane, commit.expected, position.epoch))
        if (before.seq, before.epoch) != (commit.expected, position.epoch):
            raise lost(position.lane)
        first.setdefault(position.lane, commit.expected)
        last[position.lane] = position
    for lane, position in last.items():
        moved = connection.execute(
            _advance,
            {"of_lane": lane, "expected": first[lane], "of_epoch": position.epoch, "next": position.seq},
        )
        if moved.rowcount != 1:
            raise lost(lane)


def lost(lane: int) -> OwnershipLost:
    return OwnershipLost(
        f"lane {lane} does not stand where this process left it: another one has taken it over",
        hint="stop this process; the other carries on",
    )


def save_broadcasts(connection: Connection, changed: Sequence[Broadcast]) -> None:
    if not changed:
        return
    statement = insert(connection, broadcasts)
    new = statement.excluded
    later = {name: case((new[name] > broadcasts.c[name], new[name]), else_=broadcasts.c[name])
             for name in ("last_at", "heard_at")}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[broadcasts.c.tenant, broadcasts.c.room, broadcasts.c.id],
            set_={**later, "ended_at": new.ended_at, "why_ended": new.why_ended},
        ),
        [broadcast_values(broadcast) for broadcast in changed],
    )


def save_findings(connection: Connection, found: Sequence[Finding], placing: Placing, now: int) -> Saved:
    """Insert what is not stored yet, and the alerts that it opens."""
    if not found:
        return Saved({}, [])
    alert_by_finding: dict[str, str] = {}
    fallen: set[str] = set()
    for ids in parts(list({name: None for f in found for name in (f.id, f.opened_by)})):
        for row in connection.execute(_known, {"ids": ids}):
            alert_by_finding[row.id] = row.alert_id
            if row.withdrawn is not None:
                fallen.add(row.id)
    new: list[tuple[Finding, str]] = []
    again: list[Finding] = []
    opening: list[tuple[Finding, Alert]] = []
    for finding in found:
        if finding.id in alert_by_finding:  # the first committed finding wins
            again += [finding] if finding.id in fallen and not finding.event_id else []
            continue
        if finding.id == finding.opened_by:
            opening.append((finding, opened(finding)))
            alert_by_finding[finding.id] = opening[-1][1].id
        elif finding.opened_by in alert_by_finding:
            alert_by_finding[finding.id] = alert_by_finding[finding.opened_by]
        else:
            raise LookupError(f"finding {finding.id} is of an alert opened by {finding.opened_by}, which is not stored")
        new.append((finding, alert_by_finding[finding.id]))
    fresh = _open(connection, opening, placing, now) if opening else {}
    if new:
        connection.execute(insert_new(connection, findings), [finding_values(*row) for row in new])
    if again:
        connection.execute(_withdraw, [{"of_id": finding.id, "reason": None} for finding in again])
    return Saved(fresh, [*(alert for _, alert in new), *(alert_by_finding[finding.id] for finding in again)])


def _open(
    connection: Connection, opening: Sequence[tuple[Finding, Alert]], placing: Placing, now: int
) -> dict[str, Case]:
    """The new alerts, each where it goes."""
    placed = cases.place(connection, opening, placing, now)
    cases.insert_opened(connection, placed, now)
    categories = [
        {"tenant": case.alert.tenant, "category": category, "at": case.alert.at, "alert_id": case.alert.id}
        for case in placed
        for category in case.alert.category
    ]
    if categories:
        connection.execute(insert_new(connection, alert_categories), categories)
    return {case.alert.id: case for case in placed}


def join(connection: Connection, joins: Sequence[Join]) -> list[str]:
    """Note events with the standing findings that they joined, each once. The alerts that grew by it."""
    by_finding: dict[str, dict[str, int]] = {}
    for each in joins:
        by_finding.setdefault(each.finding, {})[each.event_id] = each.at
    changed: list[dict[str, object]] = []
    grown: list[str] = []
    for ids in parts(list(by_finding)):
        for row in connection.execute(_joinable, {"ids": ids}):
            finding = finding_of(row.body)
            new = by_finding[row.id].keys() - {*finding.event_ids, *finding.joined}
            if new:
                at = max(row.at, *(by_finding[row.id][name] for name in new))
                joined = [*finding.joined, *(name for name in by_finding[row.id] if name in new)]
                values = finding_values(replace(finding, joined=joined), row.alert_id)
                changed.append({"of_id": row.id, "new_at": at, "new_joined": len(joined), "new_body": values["body"]})
                grown.append(row.alert_id)
    if changed:
        connection.execute(_join, changed)
    return grown


def withdraw(connection: Connection, withdrawals: Sequence[Withdrawal]) -> dict[str, str]:
    """Mark the standing findings below the given revisions. The alerts touched, with the last reason of each."""
    by_event: dict[tuple[str, str], dict[str, list[Withdrawal]]] = {}
    for w in withdrawals:
        by_event.setdefault((w.tenant, w.source), {}).setdefault(w.event_id, []).append(w)
    marked: list[dict[str, str]] = []
    reasons: dict[str, str] = {}
    for (tenant, source), events in by_event.items():  # one source at a time: SQLite finds no index for tuples
        for ids in parts(list(events)):
            key = {"tenant": tenant, "source": source, "events": ids}
            for row in connection.execute(_standing_of, key):
                why = next((w.reason for w in events[row.event_id] if row.revision < w.revision), None)
                if why is not None:
                    marked.append({"of_id": row.id, "reason": why})
                    reasons[row.alert_id] = why
    if marked:
        connection.execute(_withdraw, marked)
    return reasons


def retract(connection: Connection, retractions: Sequence[Retraction]) -> dict[str, str]:
    """Mark findings that no longer stand. The alerts touched, with the last reason of each."""
    why = {r.finding: r.reason for r in retractions}
    known = [row for ids in parts(list(why)) for row in connection.execute(_known, {"ids": ids})]
    rows = [row for row in known if row.withdrawn is None]
    if rows:
        connection.execute(_withdraw, [{"of_id": row.id, "reason": why[row.id]} for row in rows])
    return {row.alert_id: why[row.id] for row in rows}


def settle(
    connection: Connection, touched: Collection[str], fresh: Mapping[str, Case], reasons: dict[str, str],
    placing: Placing, now: int,
) -> dict[str, tuple[str, Alert]]:
    """Make out the touched alerts anew from their standing findings; what happened to each, and the alert now. `fresh`:
    those that were opened just now."""
    if not touched:
        return {}
    counts: dict[str, tuple[int, int, int]] = {}
    before = {name: fresh[name] for name in touched if name in fresh}
    for ids in parts(list(touched)):
        counts.update(
            (row.alert_id, (row.standing, row.last_at, row.joined))
            for row in connection.execute(_standing, {"ids": ids})
        )
    for ids in parts([name for name in touched if name not in fresh]):
        before.update((row["id"], cases.case_of(row)) for row in connection.execute(_alerts, {"ids": ids}).mappings())
    told: dict[str, tuple[str, Alert]] = {}
    changed: list[tuple[Case, Case]] = []
    for name in touched:
        old = before[name]
        count, last_at, joined = counts.get(name, (0, old.alert.last_at, old.alert.joined))
        reason = old.alert.reason if count else reasons.get(name, old.alert.reason)
        alert = replace(old.alert, recurrence=count, last_at=last_at, reason=reason, joined=joined)
        case = placing.grown(replace(old, alert=alert), now)
        if case.alert != old.alert:
            changed.append((old, case))
        told[name] = (_what(case.alert, name in fresh or old.alert.state is AlertState.WITHDRAWN), case.alert)
    cases.save(connection, changed)
    cases.requeue(connection, [
        *(case.alert for old, case in changed if old.alert.state in LIVE or case.alert.state in LIVE),
        *(alert for what, alert in told.values() if what == "opened" and alert.state in LIVE)])
    told.update((alert.id, ("moved", alert)) for alert in settled(connection, changed, placing, now))
    return told


def _what(now: Alert, opens: bool) -> str:
    """An alert that stands again after it was withdrawn is opened once more."""
    if now.state is AlertState.WITHDRAWN:
        return "withdrawn"
    return "opened" if opens else "grown"
