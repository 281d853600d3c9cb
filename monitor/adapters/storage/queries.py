"""The smaller tables: lanes and their snapshots, rooms, the outbox, rule sets, tokens."""

from collections.abc import Collection, Sequence

from msgspec.structs import asdict
from sqlalchemy import Connection, and_, delete, func, or_, select

from monitor.adapters.storage.commits import lost
from monitor.adapters.storage.records import alert_of, token_of
from monitor.adapters.storage.schema import (
    LIVE,
    alerts,
    broadcasts,
    outbox,
    positions,
    rule_sets,
    snapshots,
    tokens,
)
from monitor.adapters.storage.schema_post import UNROUTED, queue
from monitor.adapters.storage.statements import how_many, insert, insert_new, parts
from monitor.domain.alerts import AlertState
from monitor.services.records import (
    OpenAlerts,
    Position,
    RoomPage,
    RoomSummary,
    Snapshot,
    Token,
    Update,
)


def claim(connection: Connection, lane: int) -> Position:
    statement = insert(connection, positions).values(lane=lane, seq=0, epoch=1)
    row = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[positions.c.lane], set_={"epoch": positions.c.epoch + 1}
        ).returning(positions)
    ).one()
    return Position(*row)


def all_positions(connection: Connection) -> list[Position]:
    return [Position(*row) for row in connection.execute(select(positions).order_by(positions.c.lane))]


def save_snapshot(connection: Connection, snapshot: Snapshot, epoch: int) -> None:
    """`snapshot.state` as it is to be stored. Raises OwnershipLost and ValueError as the port says."""
    row = connection.execute(select(positions).where(positions.c.lane == snapshot.lane).with_for_update()).first()
    if row is None or row.epoch != epoch:
        raise lost(snapshot.lane)
    if snapshot.seq > row.seq:
        raise ValueError(f"a snapshot at {snapshot.seq}, beyond lane {snapshot.lane}'s position {row.seq}")
    statement = insert(connection, snapshots)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[snapshots.c.lane],
            set_={"seq": statement.excluded.seq, "state": statement.excluded.state},
        ),
        asdict(snapshot),
    )


def snapshot(connection: Connection, lane: int) -> Snapshot | None:
    row = connection.execute(select(snapshots).where(snapshots.c.lane == lane)).first()
    return None if row is None else Snapshot(*row)


def rooms(
    connection: Connection, tenant: str, live_since: int, cursor: str | None, limit: int,
    only: Collection[str] | None = None,
) -> RoomPage:
    """By room. `alerts_open` counts the open alerts of the broadcast that is shown."""
    if only is None:
        return _rooms(connection, tenant, live_since, cursor, limit)
    found: list[RoomSummary] = []
    for names in parts(sorted(name for name in only if cursor is None or name > cursor)):
        found += _rooms(connection, tenant, live_since, None, limit + 1, names).rooms
        if len(found) > limit:
            return RoomPage(found[:limit], found[limit - 1].room)
    return RoomPage(found, None)


def _rooms(
    connection: Connection, tenant: str, live_since: int, cursor: str | None, limit: int,
    only: Sequence[str] | None = None,
) -> RoomPage:
    shown, later = broadcasts.c, broadcasts.alias("later").c
    newer = or_(later.started_at > shown.started_at, and_(later.started_at == shown.started_at, later.id > shown.id))
    superseded = select(later.id).where(later.tenant == shown.tenant, later.room == shown.room, newer).exists()
    live = (shown.ended_at.is_(None), shown.last_at >= live_since)
    query = select(
        shown.room,
        shown.id.label("broadcast"),
        shown.started_at,
        shown.last_at,
        shown.ended_at,
        shown.why_ended,
        shown.heard_at,
    ).where(or_(*(and_(shown.tenant == tenant, either) for either in live)), ~superseded)  # an index for each
    if cursor is not None:
        query = query.where(shown.room > cursor)
    if only is not None:
        query = query.where(shown.room.in_(only))
    page = query.order_by(shown.room).limit(limit + 1).subquery()
    counted = (
        select(func.count())
        .select_from(alerts)
        .where(alerts.c.tenant == tenant, alerts.c.broadcast == page.c.broadcast, alerts.c.room == page.c.room)
        .where(LIVE, alerts.c.state == AlertState.OPEN.value)
        .scalar_subquery()
    )
    rows = connection.execute(select(page, counted.label("alerts_open")).order_by(page.c.room)).mappings()
    found = [RoomSummary(**row) for row in rows]
    return RoomPage(found[:limit], found[limit - 1].room if len(found) > limit else None)


def open_alerts(connection: Connection) -> list[OpenAlerts]:
    """From two indexes that hold no more than what is to be decided. An alert that several posts see is its own
    post's; one that no route answers is in one queue."""
    row = alerts.c
    late = [how_many(row.reason == why) for why in ("claim_overdue", "decide_overdue")]
    key = row.tenant, row.post, row.severity
    live = connection.execute(
        select(*key, func.count(), func.min(row.at), *late).where(LIVE).group_by(*key).order_by(*key))
    place = queue.c.tenant, queue.c.post, queue.c.severity
    unrouted: dict[tuple[str, str, str], int] = {
        (tenant, post, severity): count for tenant, post, severity, count in connection.execute(
            select(*place, func.count()).where(UNROUTED).group_by(*place))}
    return [OpenAlerts(tenant, post, severity, count, at, unrouted.get((tenant, post, severity), 0), *overdue)
            for tenant, post, severity, count, at, *overdue in live]


def updates(connection: Connection, tenant: str, after: int, limit: int) -> list[Update]:
    """Each with its alert as it stands now, so that a late reader never sees an older state after a newer one."""
    query = (
        select(outbox.c.seq, outbox.c.what, alerts)
        .join(alerts, alerts.c.id == outbox.c.alert_id)
        .where(outbox.c.tenant == tenant, outbox.c.seq > after)
        .order_by(outbox.c.seq)
        .limit(limit)
    )
    return [Update(row["seq"], row["what"], alert_of(row)) for row in connection.execute(query).mappings()]


def outbox_bounds(connection: Connection, tenant: str) -> tuple[int, int]:
    # Two questions: SQLite answers each from one end of the key, but both at once by reading all rows.
    low = select(func.min(outbox.c.seq)).where(outbox.c.tenant == tenant).scalar_subquery()
    high = select(func.max(outbox.c.seq)).where(outbox.c.tenant == tenant).scalar_subquery()
    row = connection.execute(select(low, high)).one()
    return row[0] or 0, row[1] or 0


def outbox_ends(connection: Connection) -> dict[str, int]:
    """Tenant → its highest number, by a look at the end of each; to group all rows would be to read them."""
    known = select(func.min(outbox.c.tenant).label("tenant")).cte(recursive=True)
    following = select(func.min(outbox.c.tenant)).where(outbox.c.tenant > known.c.tenant).scalar_subquery()
    known = known.union_all(select(following).where(known.c.tenant.is_not(None)))
    end = select(func.max(outbox.c.seq)).where(outbox.c.tenant == known.c.tenant).scalar_subquery()
    return {tenant: last
            for tenant, last in connection.execute(select(known.c.tenant, end).where(known.c.tenant.is_not(None)))}


def trim_outbox(connection: Connection, keep: int) -> int:
    """Rows dropped. Each tenant's newest always stays: it says which numbers were given."""
    return sum(
        connection.execute(
            delete(outbox).where(outbox.c.tenant == tenant, outbox.c.seq <= last - max(keep, 1))).rowcount
        for tenant, last in outbox_ends(connection).items())


def rule_set(connection: Connection, version: str) -> bytes | None:
    found: bytes | None = connection.scalar(select(rule_sets.c.sources).where(rule_sets.c.version == version))
    return found


def save_rule_set(connection: Connection, version: str, sources: bytes) -> None:
    """A version names its content: what is there stays."""
    connection.execute(insert_new(connection, rule_sets), {"version": version, "sources": sources})


def all_tokens(connection: Connection) -> list[Token]:
    rows = connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id)).mappings()
    return [token_of(row) for row in rows]


def save_token(connection: Connection, token: Token) -> None:
    statement = insert(connection, tokens)
    fields = asdict(token)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[tokens.c.id],
            set_={name: statement.excluded[name] for name in fields if name != "id"},
        ),
        fields,
    )
