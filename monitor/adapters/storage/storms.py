"""Storms: how fast each rule's alerts come, whoever places them; and the notices that stand for what storms hold.

A notice is a row of the queue whose moment is the storm's id: one for each post and unit, with one of the alerts that
are held there, so that whoever may see the unit finds the storm by that alert's labels.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select, update

from monitor.adapters.storage.records import alert_of, queue_facts
from monitor.adapters.storage.schema import HELD, alerts
from monitor.adapters.storage.schema_post import paces, queue, storms
from monitor.adapters.storage.statements import insert, parts
from monitor.domain.storms import Breaker, Gauge, Key
from monitor.domain.suppression import Hold
from monitor.services.cases import Case, Storm

Storms = Iterable[tuple[str, str]]
"""Tenants and ids."""
_encoder: Final = msgspec.msgpack.Encoder()
_gauge: Final = msgspec.msgpack.Decoder(Gauge)
_paces: Final = select(paces.c.rule, paces.c.body).where(
    paces.c.tenant == bindparam("of_tenant"), paces.c.rule.in_(bindparam("rules", expanding=True)))
_raging: Final = select(paces).where(paces.c.storm != "")
_forget: Final = delete(paces).where(paces.c.storm == "", paces.c.at <= bindparam("before"))
_end: Final = update(storms).where(
    storms.c.tenant == bindparam("of_tenant"), storms.c.id == bindparam("of_id")).values(ended_at=bindparam("now"))


def hold(connection: Connection, cases: Sequence[Case], now: int) -> None:
    """New alerts that storms hold: they are counted, and noticed where nothing of the storm is yet."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        if case.review.why == Hold.STORM:
            found.setdefault((case.alert.tenant, case.review.by_what), []).append(case)
    if not found:
        return
    statement = insert(connection, storms)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[storms.c.tenant, storms.c.id],
            set_={name: storms.c[name] + statement.excluded[name] for name in ("held", "waiting")}),
        [{"tenant": tenant, "id": name, "rule": held[0].alert.rule, "began_at": now, "ended_at": None,
          "held": len(held), "waiting": len(held)} for (tenant, name), held in found.items()])
    for (tenant, name), held in found.items():
        _notice(connection, tenant, name, held, now)


def _notice(connection: Connection, tenant: str, storm: str, held: Sequence[Case], now: int) -> None:
    standing = connection.execute(
        select(queue.c.post, queue.c.rank, queue.c.at, queue.c.alert_id, alerts.c.unit)
        .join(alerts, alerts.c.id == queue.c.alert_id).where(queue.c.tenant == tenant, queue.c.moment == storm)).all()
    samples = {(row.post, row.unit): row.alert_id for row in standing}
    ranks = {row.post: row.rank for row in standing}
    before = (dict(samples), dict(ranks))
    for case in held:
        post = case.review.post
        samples.setdefault((post, case.alert.unit), case.alert.id)
        ranks[post] = min(ranks.get(post, 0), -case.alert.priority)
    if (samples, ranks) != before:
        began = standing[0].at if standing else now
        _enqueue(connection, tenant, storm, began, samples, ranks)


def _enqueue(connection: Connection, tenant: str, storm: str, began: int, samples: Mapping[tuple[str, str], str],
             ranks: Mapping[str, int]) -> None:
    """`samples`: an alert of each post and unit; `ranks`: of each post."""
    connection.execute(delete(queue).where(queue.c.tenant == tenant, queue.c.moment == storm))
    if samples:
        shown = connection.execute(select(alerts).where(alerts.c.id.in_(list(samples.values())))).mappings()
        facts = {row["id"]: queue_facts(alert_of(row)) for row in shown}
        connection.execute(queue.insert(), [
            {"tenant": tenant, "post": post, "rank": ranks[post], "at": began, "moment": storm, "alert_id": alert,
             **facts[alert]} for (post, _), alert in samples.items()])


def refresh(connection: Connection, touched: Storms) -> None:
    """Counts and notices made anew, after something that a storm held was moved; none where it holds nothing more."""
    for tenant, storm in sorted(set(touched)):
        places = connection.execute(
            select(alerts.c.post, alerts.c.unit, func.count().label("many"),
                   func.max(alerts.c.priority).label("priority"), func.min(alerts.c.id).label("sample"))
            .where(alerts.c.tenant == tenant, alerts.c.held_by == storm, HELD, alerts.c.reason == Hold.STORM.value)
            .group_by(alerts.c.post, alerts.c.unit)).all()
        row = storms.c.tenant == tenant, storms.c.id == storm
        connection.execute(update(storms).where(*row).values(waiting=sum(place.many for place in places)))
        began = connection.scalar(select(storms.c.began_at).where(*row)) or 0
        ranks: dict[str, int] = {}
        for place in places:
            ranks[place.post] = min(ranks.get(place.post, 0), -place.priority)
        _enqueue(connection, tenant, storm, began, {(place.post, place.unit): place.sample for place in places}, ranks)


def left(changed: Iterable[tuple[Case, Case]]) -> set[tuple[str, str]]:
    """The storms that no longer hold some of these (before, after)."""
    return {(before.alert.tenant, before.review.by_what) for before, after in changed
            if before.review.why == Hold.STORM and before.review.state != after.review.state}


def gauges(connection: Connection, keys: Iterable[Key]) -> dict[Key, Gauge]:
    """One of each; it begins anew where no alert of the rule came lately."""
    rules: dict[str, set[str]] = {}
    for tenant, rule in keys:
        rules.setdefault(tenant, set()).add(rule)
    found = {(tenant, rule): Gauge() for tenant, names in rules.items() for rule in names}
    for tenant, names in rules.items():
        for some in parts(sorted(names)):
            for row in connection.execute(_paces, {"of_tenant": tenant, "rules": some}):
                found[tenant, row.rule] = _gauge.decode(row.body)
    return found


def keep(connection: Connection, moved: Mapping[Key, Gauge], raged: Mapping[Key, str], now: int) -> None:
    """Gauges as they are now; storms end that do not rage any more (UTC ms). `raged`: the ids before."""
    for key, storm in raged.items():
        if storm and moved[key].storm != storm:
            connection.execute(_end, {"of_tenant": key[0], "of_id": storm, "now": now})
    rows = [{"tenant": tenant, "rule": rule, "storm": gauge.storm, "at": max(gauge.counts, default=0) * 1_000,
             "body": _encoder.encode(gauge)} for (tenant, rule), gauge in moved.items() if gauge.counts or gauge.storm
            or raged[tenant, rule]]
    if rows:
        new = insert(connection, paces)
        connection.execute(new.on_conflict_do_update(
            index_elements=[paces.c.tenant, paces.c.rule],
            set_={name: new.excluded[name] for name in ("storm", "at", "body")}), rows)


def calm(connection: Connection, breaker: Breaker, now: int) -> int:
    """End those that do not rage any more (UTC ms); how many rage."""
    connection.execute(_forget, {"before": now - breaker.within_s * 1_000})
    raging = {(row.tenant, row.rule): _gauge.decode(row.body) for row in connection.execute(_raging)}
    raged = {key: gauge.storm for key, gauge in raging.items()}
    for gauge in raging.values():
        breaker.pass_time(gauge, now)
    keep(connection, raging, raged, now)
    return sum(gauge.storm != "" for gauge in raging.values())


def standing(connection: Connection) -> list[tuple[str, str, str]]:
    """(tenant, rule, id) of those that have not ended."""
    rows = connection.execute(select(storms.c.tenant, storms.c.rule, storms.c.id).where(storms.c.ended_at.is_(None)))
    return [(row.tenant, row.rule, row.id) for row in rows]


def several(connection: Connection, tenant: str, names: Iterable[str]) -> dict[str, Storm]:
    """By id."""
    rows = connection.execute(select(storms).where(storms.c.tenant == tenant, storms.c.id.in_(list(names)))).mappings()
    return {row["id"]: _of(row) for row in rows}


def _of(row: Any) -> Storm:
    return Storm(id=row["id"], rule=row["rule"], began_at=row["began_at"], ended_at=row["ended_at"], held=row["held"],
                 waiting=row["waiting"])
