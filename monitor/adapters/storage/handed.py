"""Copies that one tenant has handed to another, and what came back."""

from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, or_, select, update

from monitor.adapters.storage import trail
from monitor.adapters.storage.alerts import read_cursor
from monitor.adapters.storage.moving import Ask, move
from monitor.adapters.storage.schema_post import handed as rows
from monitor.domain.audit import Deed
from monitor.domain.errors import Refused
from monitor.domain.links import Handed
from monitor.domain.phrases import phrase
from monitor.services.cases import Answered, Ref, Step
from monitor.services.linking import HandedPage
from monitor.services.paging import packed_cursor

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Handed)


def hand(connection: Connection, handed: Handed, ref: Ref, step: Step) -> Answered:
    """As the port says."""
    waiting = connection.scalar(select(rows.c.id).where(
        rows.c.tenant == handed.tenant, rows.c.alert_id == handed.alert, rows.c.to == handed.to,
        rows.c.answered_at.is_(None)).limit(1))
    if waiting is not None:
        raise Refused("state", phrase("{to} has it already and has not answered yet", to=handed.to),
                      hint="wait for the answer")
    (answered,) = move(connection, [Ask(handed.tenant, [ref], step, together=True)])
    for why in answered.refused.values():
        raise why
    connection.execute(rows.insert(), {
        "id": handed.id, "tenant": handed.tenant, "to": handed.to, "alert_id": handed.alert, "at": handed.at,
        "answered_at": None, "body": _encoder.encode(handed)})
    return answered


def page(
    connection: Connection, tenant: str, *, received: bool, answered: bool | None, cursor: str | None, limit: int
) -> HandedPage:
    conditions: list[ColumnElement[bool]] = [rows.c.to == tenant if received else rows.c.tenant == tenant]
    if answered is not None:
        conditions.append(rows.c.answered_at.is_not(None) if answered else rows.c.answered_at.is_(None))
    if cursor is not None:
        at, name = read_cursor(cursor)
        conditions.append(or_(rows.c.at < at, (rows.c.at == at) & (rows.c.id > name)))
    query = select(rows.c.body).where(*conditions).order_by(rows.c.at.desc(), rows.c.id).limit(limit + 1)
    found = [_decoder.decode(body) for body in connection.scalars(query)]
    last = found[limit - 1] if len(found) > limit else None
    return HandedPage(found[:limit], None if last is None else packed_cursor((last.at, last.id)))


def single(connection: Connection, tenant: str, name: str) -> Handed | None:
    body = connection.scalar(select(rows.c.body).where(rows.c.id == name, rows.c.to == tenant))
    return None if body is None else _decoder.decode(body)


def advise(connection: Connection, handed: Handed, step: Step, deed: Deed) -> Answered:
    """As the port says."""
    done = connection.execute(
        update(rows).where(rows.c.id == handed.id, rows.c.to == handed.to, rows.c.answered_at.is_(None))
        .values(answered_at=handed.answered_at, body=_encoder.encode(handed)))
    if done.rowcount != 1:
        raise Refused("state", "it has been answered already", hint="read it again")
    trail.append(connection, [deed])
    return move(connection, [Ask(handed.tenant, [Ref(handed.alert)], step, together=True)])[0]
