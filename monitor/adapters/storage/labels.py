"""Labels: kept by tenant and id, listed by time."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, or_, select

from monitor.adapters.storage.alerts import read_cursor, write_cursor
from monitor.adapters.storage.schema import labels
from monitor.adapters.storage.statements import insert, parts
from monitor.domain.labels import Label, Withdrawn, replaces
from monitor.services.records import LabelFilter, LabelPage, Saved

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Label)


def save(connection: Connection, tenant: str, given: Sequence[Label]) -> Saved:
    """As the port says."""
    known: dict[str, Label] = {}
    for ids in parts(list({label.id for label in given})):
        query = select(labels.c.id, labels.c.body).where(labels.c.tenant == tenant, labels.c.id.in_(ids))
        known.update((row.id, _decoder.decode(row.body)) for row in connection.execute(query))
    new: dict[str, Label] = {}
    added = changed = 0
    for label in given:
        old = new.get(label.id) or known.get(label.id)
        if old is None or replaces(label, old):
            added, changed = added + (old is None), changed + (old is not None)
            new[label.id] = label
    _write(connection, tenant, new.values())
    return Saved(added, changed, len(given) - added - changed)


def withdraw(connection: Connection, tenant: str, name: str, withdrawn: Withdrawn) -> Label | None:
    """As the port says."""
    query = select(labels.c.body).where(labels.c.tenant == tenant, labels.c.id == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    label = _decoder.decode(row.body)
    if label.withdrawn is None:
        label = replace(label, withdrawn=withdrawn)
        _write(connection, tenant, [label])
    return label


def _write(connection: Connection, tenant: str, given: Collection[Label]) -> None:
    if not given:
        return
    statement = insert(connection, labels)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[labels.c.tenant, labels.c.id],
            set_={"at": statement.excluded.at, "body": statement.excluded.body}),
        [{"tenant": tenant, "id": label.id, "at": label.at, "body": _encoder.encode(label)} for label in given])


def page(connection: Connection, tenant: str, where: LabelFilter, *, cursor: str | None, limit: int) -> LabelPage:
    """Newest first, those of one time by id. Raises InputError for a bad cursor."""
    query = select(labels.c.body).where(labels.c.tenant == tenant)
    if where.since is not None:
        query = query.where(labels.c.at >= where.since)
    if where.until is not None:
        query = query.where(labels.c.at < where.until)
    if cursor is not None:
        at, name = read_cursor(cursor)
        query = query.where(labels.c.at <= at, or_(labels.c.at < at, labels.c.id > name))
    rows = connection.execute(query.order_by(labels.c.at.desc(), labels.c.id).limit(limit + 1)).all()
    found = [_decoder.decode(row.body) for row in rows[:limit]]
    return LabelPage(found, write_cursor(found[-1]) if len(rows) > limit and found else None)
