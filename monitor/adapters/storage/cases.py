"""Alerts as people work on them: where new ones go, and what each post has before it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, select, update

from monitor.adapters.storage import storms
from monitor.adapters.storage.records import MOVING, Values, alert_of, alert_values, moving_values, queue_facts
from monitor.adapters.storage.schema import LIVE, alerts
from monitor.adapters.storage.schema_post import moves, queue, rulings
from monitor.adapters.storage.statements import insert_new, parts
from monitor.domain.alerts import Alert
from monitor.domain.errors import Refused
from monitor.domain.events import HOST_SIDE
from monitor.domain.findings import Finding, Opinion, Severity
from monitor.domain.moves import Outcome
from monitor.domain.phrases import phrase
from monitor.domain.priority import factors
from monitor.domain.review import Review
from monitor.domain.suppression import Ruled, Standing
from monitor.services.cases import Case, Kept, Moved, Opening, Placed, Placing

_encoder: Final = msgspec.msgpack.Encoder()
_kept: Final = msgspec.msgpack.Decoder(Kept)
_moved: Final = msgspec.msgpack.Decoder(Moved)


class _Categories(msgspec.Struct):
    """The one field of a packed alert that is wanted."""

    category: list[str]


_categories: Final = msgspec.msgpack.Decoder(_Categories)
_by_id: Final = select(alerts).where(alerts.c.id.in_(bindparam("ids", expanding=True))).with_for_update()
_versions: Final = select(alerts.c.id, alerts.c.version).where(alerts.c.id.in_(bindparam("ids", expanding=True)))
_save: Final = (
    update(alerts)
    .where(alerts.c.id == bindparam("of_id"), alerts.c.version == bindparam("of_version"))
    .values({name: bindparam(name) for name in (*MOVING, "state", "review", "claim_s", "decide_s", "decided_at")})
)
_ruled: Final = select(rulings).where(rulings.c.key.in_(bindparam("keys", expanding=True)))
_standing: Final = select(alerts.c.id, alerts.c.room, alerts.c.severity, alerts.c.body).where(
    alerts.c.tenant == bindparam("of_tenant"),
    alerts.c.room.in_(bindparam("rooms", expanding=True)),
    LIVE,
)
_of_moments: Final = select(alerts).where(
    alerts.c.tenant == bindparam("of_tenant"),
    alerts.c.moment.in_(bindparam("moments", expanding=True)),
    LIVE,
)


def case_of(row: RowMapping) -> Case:
    alert = alert_of(row)
    return Case(alert=alert, kept=_kept.decode(row["review"]) if row["review"] else untouched(alert))


def untouched(alert: Alert) -> Kept:
    """Of an alert from before there was a review."""
    weights = factors(severity=alert.severity, tier=alert.tier, opinion=Opinion.NONE, recurrence=alert.recurrence,
                      evasive=alert.evasive is not None, host_side=alert.lane == HOST_SIDE, repeats=False, cued=False)
    return Kept(review=Review(state=alert.state, why=alert.reason), factors=weights)


def case_values(case: Case) -> Values:
    return {**alert_values(case.alert), **_pace(case), "review": _encoder.encode(case.kept), "alike": case.kept.alike}


def _pace(case: Case) -> Values:
    """How long people took (s): what figures count."""
    came, taken, ruling = case.alert.accepted_at, case.review.taken_at, case.review.ruling
    return {
        "claim_s": None if taken is None else max(0, taken - came) // 1_000,
        "decide_s": None if ruling is None else max(0, ruling.at - came) // 1_000,
        "decided_at": None if ruling is None else ruling.at,
    }


def place(connection: Connection, opening: Sequence[tuple[Finding, Alert]], placing: Placing, now: int) -> list[Case]:
    """Where each goes; nothing is written yet but how fast each rule's alerts come."""
    words = [placing.words(finding) for finding, _ in opening]
    keys = list({each.here for each in words} - {""})
    ruled = {row.key: row for some in parts(keys) for row in connection.execute(_ruled, {"keys": some})}
    rooms: dict[str, set[str]] = {}
    for _, alert in opening:
        rooms.setdefault(alert.tenant, set()).add(alert.room)
    others = standing(connection, rooms)
    asked = []
    for (finding, alert), said in zip(opening, words, strict=True):
        row = ruled.get(said.here)
        asked.append(Opening(
            finding=finding, alert=alert, words=said, cued=bool(row and row.cued),
            ruled=Ruled(alert=row.alert_id, outcome=Outcome(row.outcome)) if row else None,
            others=tuple(others.get((alert.tenant, alert.room), ()))))
    gauges = storms.gauges(connection, [(alert.tenant, alert.rule) for _, alert in opening])
    raged = {key: gauge.storm for key, gauge in gauges.items()}
    placed = placing.place(asked, gauges, now)
    storms.keep(connection, gauges, raged, now)
    return [_placed(found, finding) for found, (finding, _) in zip(placed, opening, strict=True)]


def _placed(found: Placed, finding: Finding) -> Case:
    return Case(alert=found.alert, kept=Kept(
        review=found.review, factors=found.factors, kind=finding.kind, role=finding.role, also=found.also,
        why=found.why, unrouted=found.unrouted, repeats=found.repeats, wording=found.words.here,
        alike=found.words.anywhere, stage=finding.stage))


def standing(connection: Connection, rooms: Mapping[str, Collection[str]]) -> dict[tuple[str, str], list[Standing]]:
    """By tenant and room, what people still have before them. `rooms`: by tenant."""
    found: dict[tuple[str, str], list[Standing]] = {}
    for tenant, names in rooms.items():
        for some in parts(sorted(names)):
            for row in connection.execute(_standing, {"of_tenant": tenant, "rooms": some}):
                category = _categories.decode(row.body).category
                found.setdefault((tenant, row.room), []).append(
                    Standing(alert=row.id, severity=Severity(row.severity), category=tuple(category)))
    return found


def insert_opened(connection: Connection, cases: Sequence[Case], now: int) -> None:
    """New alerts, with what storms hold counted."""
    connection.execute(insert_new(connection, alerts), [case_values(case) for case in cases])
    storms.hold(connection, cases, now)


def save(connection: Connection, changed: Sequence[tuple[Case, Case]]) -> None:
    """(before, after) of each; raises Refused where another one was quicker."""
    if not changed:
        return
    if not connection.dialect.supports_sane_multi_rowcount:  # it will not say how many: nobody else writes meanwhile
        _as_read(connection, [before for before, _ in changed])
    done = connection.execute(_save, [
        {"of_id": before.alert.id, "of_version": before.alert.version, **moving_values(after.alert),
         **_pace(after), "review": _encoder.encode(after.kept)} for before, after in changed])
    if connection.dialect.supports_sane_multi_rowcount and done.rowcount != len(changed):
        raise stale(changed[0][0])
    storms.refresh(connection, storms.left(changed))


def _as_read(connection: Connection, cases: Sequence[Case]) -> None:
    """Raises Refused where one is not as it was read."""
    stored = {row.id: row.version for some in parts([case.alert.id for case in cases])
              for row in connection.execute(_versions, {"ids": some})}
    for case in cases:
        if stored.get(case.alert.id) != case.alert.version:
            raise stale(case)


def stale(case: Case) -> Refused:
    return Refused("stale", phrase("somebody else has moved alert {id} meanwhile", id=case.alert.id),
                   hint=phrase("read it again: it is {state} in version {version}", state=phrase(case.alert.state),
                               version=case.alert.version))


def requeue(connection: Connection, touched: Iterable[Alert]) -> None:
    """The rows of these alerts' moments, made anew: all alerts of a moment have the rank of the most urgent one."""
    moments: dict[str, set[str]] = {}
    for alert in touched:
        moments.setdefault(alert.tenant, set()).add(alert.moment)
    for tenant, names in moments.items():
        for some in parts(sorted(names)):
            connection.execute(delete(queue).where(queue.c.tenant == tenant, queue.c.moment.in_(some)))
            rows = connection.execute(_of_moments, {"of_tenant": tenant, "moments": some}).mappings()
            _enqueue(connection, [case_of(row) for row in rows])


def _enqueue(connection: Connection, live: Sequence[Case]) -> None:
    cards: dict[tuple[str, str], list[Case]] = {}
    for case in live:
        for post in dict.fromkeys((case.review.post, *case.kept.also)):
            cards.setdefault((case.alert.moment, post), []).append(case)
    rows = [
        {"tenant": case.alert.tenant, "post": post, "moment": moment, "alert_id": case.alert.id,
         "rank": -max(other.alert.priority for other in cases), "at": min(other.alert.at for other in cases),
         "unrouted": case.kept.unrouted, **queue_facts(case.alert)}
        for (moment, post), cases in cards.items() for case in cases
    ]
    if rows:
        connection.execute(queue.insert(), rows)


def load(connection: Connection, names: Sequence[str]) -> dict[tuple[str, str], Case]:
    """By tenant and id; locked until the transaction ends where the database can."""
    rows = (row for some in parts(list(names)) for row in connection.execute(_by_id, {"ids": some}).mappings())
    return {(row["tenant"], row["id"]): case_of(row) for row in rows}


def history(connection: Connection, tenant: str, alert: str) -> list[Moved]:
    rows = connection.scalars(
        select(moves.c.body).where(moves.c.alert_id == alert, moves.c.tenant == tenant).order_by(moves.c.version))
    return [_moved.decode(body) for body in rows]


def due(connection: Connection, now: int, limit: int) -> list[tuple[str, str]]:
    rows = connection.execute(
        select(alerts.c.tenant, alerts.c.id).where(alerts.c.due.is_not(None), alerts.c.due <= now)
        .order_by(alerts.c.due).limit(limit))
    return [(row.tenant, row.id) for row in rows]


def single(connection: Connection, tenant: str, alert: str) -> Case | None:
    row = connection.execute(select(alerts).where(alerts.c.id == alert, alerts.c.tenant == tenant)).mappings().first()
    return None if row is None else case_of(row)


def of_moment(connection: Connection, tenant: str, moment: str) -> list[Alert]:
    rows = connection.execute(_of_moments, {"of_tenant": tenant, "moments": [moment]}).mappings()
    return sorted((alert_of(row) for row in rows), key=lambda alert: (-alert.priority, alert.id))
