"""Records: what a tenant keeps of itself, each edit a new version, all edits of a tenant in one order."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, RowMapping, func, or_, select

from monitor.adapters.storage import trail
from monitor.adapters.storage.schema_post import records
from monitor.adapters.storage.statements import insert
from monitor.domain.errors import Refused
from monitor.domain.kinds import KINDS
from monitor.domain.phrases import phrase
from monitor.domain.record import Record
from monitor.services.recordings import Edit, Edits, Stored

_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_SET: Final = ("version", "body", "at", "by", "starts", "ends")
_encoder: Final = msgspec.json.Encoder(order="deterministic")


def since(connection: Connection, tenant: str, version: int, over_before: int | None) -> list[Stored]:
    """Edits behind `version`, oldest first; a record that was taken away has no value."""
    row = records.c
    query = select(records).where(row.tenant == tenant, row.version > version)
    if over_before is not None:
        latest = select(func.max(row.version)).where(row.tenant == tenant).scalar_subquery()
        query = query.where(or_(row.ends.is_(None), row.ends >= over_before, row.version == latest))
    return [_of(found) for found in connection.execute(query.order_by(row.version)).mappings()]


def page(connection: Connection, tenant: str, kind: str, after: str, limit: int) -> list[Stored]:
    row = records.c
    query = select(records).where(row.tenant == tenant, row.kind == kind, row.id > after, row.body.is_not(None))
    return [_of(found) for found in connection.execute(query.order_by(row.id).limit(limit)).mappings()]


def named(connection: Connection, tenant: str, names: Sequence[tuple[str, str]]) -> list[Stored]:
    return [found for kind, name in names if (found := one(connection, tenant, kind, name)) is not None]


def running(connection: Connection, tenant: str, kind: str, since: int, until: int) -> list[Stored]:
    row = records.c
    query = select(records).where(row.tenant == tenant, row.kind == kind, row.ends > since, row.starts <= until)
    return [_of(found) for found in connection.execute(query.order_by(row.id)).mappings()]


def one(connection: Connection, tenant: str, kind: str, name: str) -> Stored | None:
    row = connection.execute(
        select(records).where(records.c.tenant == tenant, records.c.kind == kind, records.c.id == name)
    ).mappings().first()
    return None if row is None or row["body"] is None else _of(row)


def tenants(connection: Connection) -> list[str]:
    return list(connection.scalars(select(records.c.tenant).distinct().order_by(records.c.tenant)))


def edit(connection: Connection, tenant: str, edits: Edits) -> list[Stored]:
    """All of them, or where one is refused none. Raises Refused ("stale", "missing")."""
    latest = connection.scalar(select(func.max(records.c.version)).where(records.c.tenant == tenant)) or 0
    rows = []
    for change in edits.changes:
        known = one(connection, tenant, change.kind, change.id)
        _check(change, known)
        if known is not None or change.record is not None:
            latest += 1
            rows.append(_row(tenant, change, latest, edits))
    if rows:
        statement = insert(connection, records)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[records.c.tenant, records.c.kind, records.c.id],
                set_={name: statement.excluded[name] for name in _SET}), rows)
        trail.append(connection, edits.deeds)
    return _stored(rows)


def _check(change: Edit, known: Stored | None) -> None:
    standing = known.version if known is not None else 0
    if change.record is None and known is None:
        raise Refused("missing", phrase("there is no {kind} {id}", kind=phrase(change.kind), id=change.id),
                      hint="it may be gone already")
    if change.expected is not None and change.expected != standing:
        hint = "make it without a version"
        if standing:
            hint = phrase("read it again: it stands at version {version}", version=standing)
        raise Refused("stale",
                      phrase("somebody else has changed the {kind} {id} meanwhile", kind=phrase(change.kind),
                             id=change.id), hint=hint)


def _row(tenant: str, change: Edit, version: int, edits: Edits) -> dict[str, Any]:
    body = None if change.record is None else _encoder.encode(change.record)
    ends = None if change.record is None else change.record.until
    return {"tenant": tenant, "kind": change.kind, "id": change.id, "version": version, "body": body, "at": edits.at,
            "by": edits.by, "ends": ends, "starts": None if ends is None else getattr(change.record, "starts", None)}


def _stored(rows: Iterable[dict[str, Any]]) -> list[Stored]:
    return [_of(row) for row in rows]


def _of(row: RowMapping | dict[str, Any]) -> Stored:
    body = row["body"]
    record: Record | None = None if body is None else _decoders[row["kind"]].decode(body)
    return Stored(kind=row["kind"], id=row["id"], version=row["version"], record=record, at=row["at"], by=row["by"])

