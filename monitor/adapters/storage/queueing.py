"""The queue: what somebody has to decide, most urgent first, a moment at a time."""

from heapq import merge
from itertools import islice
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from monitor.adapters.storage import storms
from monitor.adapters.storage.records import alert_of
from monitor.adapters.storage.schema import alerts
from monitor.adapters.storage.schema_post import queue
from monitor.domain.alerts import Alert
from monitor.services.cases import Card, QueueFilter, QueuePage, Storm
from monitor.services.paging import packed_cursor, unpacked_cursor

_Long = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Key = tuple[_Long, _Long, str, str]
"""(rank, at, moment, post) of a card: what the list goes by."""
_SAMPLES: Final = 5
"""Alerts that the notice of a storm shows."""
_keys: Final = msgspec.json.Decoder(_Key)


def queue_page(
    connection: Connection, tenant: str, where: QueueFilter, *, cursor: str | None, limit: int
) -> QueuePage:
    """Raises InputError for a bad cursor."""
    after = None if cursor is None else unpacked_cursor(cursor, _keys)
    lists = [_keys_of(connection, tenant, post, where, after, limit + 1) for post in dict.fromkeys(where.posts)]
    keys = list(islice(merge(*lists), limit + 1))
    alive, unrouted = _alerts_of(connection, tenant, keys[:limit], where.units)
    known = storms.several(connection, tenant, [
        key[2] for key, found in alive.items() if found[0].held_by == key[2]])
    cards = [_card(key, alive[key], known.get(key[2]), unrouted=key in unrouted)
             for key in keys[:limit] if key in alive]
    return QueuePage(cards, packed_cursor(keys[limit - 1]) if len(keys) > limit else None)


def _card(key: _Key, found: list[Alert], storm: Storm | None, *, unrouted: bool) -> Card:
    rank, at, moment, post = key
    shown = sorted(found, key=lambda alert: (-alert.priority, -sum(s.end - s.start for s in alert.spans), alert.rule))
    return Card(moment=moment, post=post, room=found[0].room if storm is None else "", priority=-rank, at=at,
                alerts=tuple(shown if storm is None else shown[:_SAMPLES]), unrouted=unrouted, storm=storm)


def _keys_of(
    connection: Connection, tenant: str, post: str, where: QueueFilter, after: _Key | None, limit: int
) -> list[_Key]:
    """Of one post, those behind `after`."""
    row = queue.c
    query = select(row.rank, row.at, row.moment).distinct().where(row.tenant == tenant, row.post == post)
    if where.unrouted is not None:
        query = query.where(row.unrouted == where.unrouted)
    query = query.where(*_conditions(where))
    if after is not None:
        rank, at, moment, last_post = after
        later = row.moment >= moment if post > last_post else row.moment > moment
        query = query.where(row.rank >= rank, or_(row.rank > rank, row.at > at, and_(row.at == at, later)))
    rows = connection.execute(query.order_by(row.rank, row.at, row.moment).limit(limit))
    return [(found.rank, found.at, found.moment, post) for found in rows]


def _conditions(where: QueueFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for name in ("severity", "tier", "rule", "room", "state", "claimed_by"):
        value = getattr(where, name)
        if value is not None:
            found.append(queue.c[name] == value)
    if where.units is not None:
        found.append(queue.c.unit.in_(where.units))
    if where.rooms is not None:
        found.append(queue.c.room.in_(where.rooms))
    if where.before is not None:
        found.append(queue.c.at < where.before)
    if where.category is not None:
        found.append(queue.c.categories.contains(f" {where.category} ", autoescape=True))
    return found


def _alerts_of(
    connection: Connection, tenant: str, keys: list[_Key], units: tuple[str, ...] | None
) -> tuple[dict[_Key, list[Alert]], set[_Key]]:
    """All alerts of these cards, those that the filter left out as well: a moment is decided as a whole. Of a storm,
    whose alerts are of many rooms, those of the units that may be seen. And the cards that no route answers for."""
    if not keys:
        return {}, set()
    moments = {moment for _, _, moment, _ in keys}
    rows = connection.execute(
        select(alerts, queue.c.rank, queue.c.at.label("card_at"), queue.c.post.label("of_post"),
               queue.c.moment.label("card"), queue.c.unrouted)
        .join(queue, queue.c.alert_id == alerts.c.id)
        .where(queue.c.tenant == tenant, queue.c.moment.in_(moments))).mappings()
    found: dict[_Key, list[Alert]] = {}
    unrouted: set[_Key] = set()
    for row in rows:
        if row["held_by"] == row["card"] and units is not None and row["unit"] not in units:
            continue
        key = (row["rank"], row["card_at"], row["card"], row["of_post"])
        found.setdefault(key, []).append(alert_of(row))
        if row["unrouted"]:
            unrouted.add(key)
    return found, unrouted
