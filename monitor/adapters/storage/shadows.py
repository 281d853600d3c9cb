"""What rules in the shadow found: written in the transaction that moves the positions, each once by its id."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, and_, bindparam, delete, or_, select, update

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import alerts, findings, shadow_findings, shadow_hours, shadow_rules
from monitor.adapters.storage.statements import insert, insert_new, parts
from monitor.domain.alerts import Retraction, Withdrawal
from monitor.domain.findings import Finding
from monitor.domain.moves import Outcome
from monitor.services.figures import HOUR_MS
from monitor.services.records import ShadowRule
from monitor.services.shadows import KEPT, ShadowHit, ShadowNotes, hit_of

_encoder: Final = msgspec.msgpack.Encoder()
_hit: Final = msgspec.msgpack.Decoder(ShadowHit)
_row: Final = shadow_findings.c
_less: Final = (
    update(shadow_hours)
    .where(*(shadow_hours.c[name] == bindparam(f"of_{name}") for name in ("tenant", "rule", "version", "hour")))
    .values(findings=shadow_hours.c.findings - bindparam("gone"))
)

class SqlShadows:
    """Implements `KeptShadows`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def notes(self, tenant: str, rule: str, version: str, *, since: int) -> ShadowNotes:
        return await self._database.read(lambda connection: notes(connection, tenant, rule, version, since))


def begin(connection: Connection, tried: Sequence[ShadowRule]) -> None:
    """What was begun before goes on."""
    if tried:
        connection.execute(insert_new(connection, shadow_rules), [msgspec.structs.asdict(one) for one in tried])


def note(connection: Connection, found: Sequence[Finding]) -> None:
    """Count what is not known yet, and keep the newest."""
    by_id = {finding.id: finding for finding in reversed(found)}
    for ids in parts(list(by_id)):
        for known in connection.scalars(select(_row.id).where(_row.id.in_(ids))).all():
            del by_id[known]
    if not by_id:
        return
    hours = Counter((f.tenant, f.rule, f.rule_version, _begin(f.at)) for f in by_id.values())
    counted = insert(connection, shadow_hours)
    connection.execute(
        counted.on_conflict_do_update(
            index_elements=list(shadow_hours.primary_key),
            set_={"findings": shadow_hours.c.findings + counted.excluded.findings}),
        [{"tenant": tenant, "rule": rule, "version": version, "hour": hour, "findings": count}
         for (tenant, rule, version, hour), count in hours.items()])
    connection.execute(shadow_findings.insert(), [
        {"id": f.id, "tenant": f.tenant, "rule": f.rule, "version": f.rule_version, "at": f.at, "room": f.room,
         "source": f.source, "event_id": f.event_id, "revision": f.revision, "body": _encoder.encode(hit_of(f))}
        for f in by_id.values()])
    for tenant, rule in {(finding.tenant, finding.rule) for finding in by_id.values()}:
        _let_go(connection, tenant, rule)


def _begin(at: int) -> int:
    """Of its hour."""
    return at - at % HOUR_MS


def _let_go(connection: Connection, tenant: str, rule: str) -> None:
    """Of the oldest, what is too many."""
    own = and_(_row.tenant == tenant, _row.rule == rule)
    last = connection.execute(
        select(_row.at, _row.id).where(own).order_by(_row.at.desc(), _row.id.desc()).offset(KEPT).limit(1)).first()
    if last is not None:
        connection.execute(delete(shadow_findings).where(
            own, or_(_row.at < last.at, and_(_row.at == last.at, _row.id <= last.id))))


def withdraw(
    connection: Connection, withdrawals: Iterable[Withdrawal], retractions: Iterable[Retraction]
) -> None:
    """What no longer stands counts no longer."""
    below: dict[tuple[str, str], dict[str, int]] = {}
    for w in withdrawals:
        events = below.setdefault((w.tenant, w.source), {})
        events[w.event_id] = max(w.revision, events.get(w.event_id, 0))
    fallen = [r.finding for r in retractions]
    for (tenant, source), events in below.items():
        for some in parts(list(events)):
            fallen += [row.id for row in connection.execute(select(_row.id, _row.event_id, _row.revision).where(
                _row.tenant == tenant, _row.source == source, _row.event_id.in_(some)))
                if row.revision < events[row.event_id]]
    for ids in parts(fallen):
        _drop(connection, ids)


def _drop(connection: Connection, ids: Collection[str]) -> None:
    gone = connection.execute(
        select(_row.tenant, _row.rule, _row.version, _row.at).where(_row.id.in_(ids))).all()
    if gone:
        hours = Counter((row.tenant, row.rule, row.version, _begin(row.at)) for row in gone)
        connection.execute(_less, [
            {"of_tenant": tenant, "of_rule": rule, "of_version": version, "of_hour": hour, "gone": count}
            for (tenant, rule, version, hour), count in hours.items()])
        connection.execute(delete(shadow_findings).where(_row.id.in_(ids)))


def notes(connection: Connection, tenant: str, rule: str, version: str, since: int) -> ShadowNotes:
    hour = shadow_hours.c
    begun = connection.scalar(select(shadow_rules.c.since).where(
        shadow_rules.c.rule == rule, shadow_rules.c.version == version))
    hours = connection.execute(select(hour.hour, hour.findings).where(
        hour.tenant == tenant, hour.rule == rule, hour.version == version, hour.hour >= since, hour.findings > 0))
    own = and_(_row.tenant == tenant, _row.rule == rule, _row.version == version)
    hits = [_hit.decode(body) for body in connection.scalars(
        select(_row.body).where(own).order_by(_row.at.desc(), _row.id.desc()))]
    beside: dict[str, tuple[str, str]] = {}
    for each in connection.execute(
        select(_row.id, alerts.c.id.label("alert"), alerts.c.outcome)
        .join(findings, and_(findings.c.tenant == _row.tenant, findings.c.source == _row.source,
                             findings.c.event_id == _row.event_id))
        .join(alerts, alerts.c.id == findings.c.alert_id)
        .where(own, _row.event_id != "", findings.c.withdrawn.is_(None), findings.c.rule != _row.rule)
        .order_by(alerts.c.at, alerts.c.id)
    ):
        if _weight(each.outcome) > _weight(beside.get(each.id, ("", ""))[1]) or each.id not in beside:
            beside[each.id] = each.alert, each.outcome
    shown = [replace(hit, alert=beside[hit.id][0], outcome=beside[hit.id][1]) if hit.id in beside else hit
             for hit in hits]
    return ShadowNotes(begun, {row.hour: row.findings for row in hours}, shown)


def _weight(outcome: str) -> int:
    """A violation says more than another decision, and that more than none."""
    return 0 if not outcome else 2 if outcome == Outcome.VIOLATION else 1
