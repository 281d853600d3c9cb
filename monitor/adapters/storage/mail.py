"""Messages on their way: written with what causes them, tried until they are sent or dead."""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, RowMapping, and_, func, or_, select, update

from monitor.adapters.storage import trail
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema_post import messages
from monitor.adapters.storage.statements import insert_new
from monitor.domain.audit import Deed
from monitor.domain.messages import Message, State
from monitor.services.messaging import Posted, PostedPage, Settled
from monitor.services.paging import packed_cursor, unpacked_cursor

_encoder: Final = msgspec.msgpack.Encoder()
_message: Final = msgspec.msgpack.Decoder(Message)
_keys: Final = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=0, lt=2**53)], str])


def put(connection: Connection, given: Sequence[Message]) -> None:
    """Each as one of its own, or with one that waits for more about its room."""
    for message in given:
        waiting = _waiting(connection, message)
        if waiting is None:
            _add(connection, message)
        else:
            connection.execute(update(messages).where(messages.c.id == waiting.id).values(
                body=_encoder.encode(waiting.joined(message)), due=min(waiting.due, message.due)))


def once(connection: Connection, given: Sequence[Message], deeds: Sequence[Deed]) -> bool:
    new = sum(_add(connection, message) for message in given)
    if new:
        trail.append(connection, deeds)
    return bool(new)


def given(connection: Connection, names: Sequence[str]) -> set[str]:
    return set(connection.scalars(select(messages.c.id).where(messages.c.id.in_(names))))


def _add(connection: Connection, message: Message) -> int:
    """How many are new: 1, or 0."""
    return connection.execute(insert_new(connection, messages), {
        "id": message.id, "tenant": message.tenant, "channel": message.channel, "room": message.room,
        "at": message.at, "state": State.WAITING.value, "due": message.due, "tries": 0, "error": "",
        "body": _encoder.encode(message)}).rowcount


def _waiting(connection: Connection, message: Message) -> Message | None:
    """One to the same channel about the same room that nobody has begun to send."""
    row = messages.c
    body = connection.scalar(
        select(row.body).where(row.tenant == message.tenant, row.channel == message.channel, row.room == message.room,
                               row.due > message.at, row.tries == 0).order_by(row.due).limit(1))
    return None if body is None else _message.decode(body)


def due(connection: Connection, now: int, each: int) -> list[Posted]:
    row = messages.c
    place = func.row_number().over(partition_by=(row.tenant, row.channel), order_by=(row.due, row.id)).label("place")
    ranked = select(messages, place).where(row.due.is_not(None), row.due <= now).subquery()
    rows = connection.execute(select(ranked).where(ranked.c.place <= each).order_by(ranked.c.due)).mappings()
    return [_posted(found) for found in rows]


def settle(connection: Connection, settled: Sequence[Settled]) -> None:
    """One to which something was added while it was sent stays as it was, and goes again."""
    for one in settled:
        row = messages.c
        connection.execute(
            update(messages).where(row.id == one.message.id, row.body == _encoder.encode(one.message))
            .values(state=one.state.value, due=one.due, tries=one.tries, error=one.error))


def page(
    connection: Connection, tenant: str, *, state: str | None, channel: str | None, cursor: str | None, limit: int
) -> PostedPage:
    row = messages.c
    query = select(messages).where(row.tenant == tenant)
    if state is not None:
        query = query.where(row.state == state)
    if channel is not None:
        query = query.where(row.channel == channel)
    if cursor is not None:
        at, name = unpacked_cursor(cursor, _keys)
        query = query.where(or_(row.at < at, and_(row.at == at, row.id < name)))
    rows = connection.execute(query.order_by(row.at.desc(), row.id.desc()).limit(limit + 1)).mappings().all()
    found = [_posted(each) for each in rows[:limit]]
    more = len(rows) > limit
    return PostedPage(found, packed_cursor((found[-1].message.at, found[-1].message.id)) if more else None)


def _posted(row: RowMapping) -> Posted:
    return Posted(message=_message.decode(row["body"]), state=State(row["state"]), due=row["due"], tries=row["tries"],
                  error=row["error"])


class SqlMail:
    """Implements `Mail` and `Announcing`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, given: Sequence[Message], deeds: Sequence[Deed]) -> None:
        def write(connection: Connection) -> None:
            put(connection, given)
            trail.append(connection, deeds)

        await self._database.run(write, durable=True)

    async def once(self, given: Sequence[Message], deeds: Sequence[Deed]) -> bool:
        return await self._database.run(lambda connection: once(connection, given, deeds), durable=True)

    async def given(self, messages: Sequence[str]) -> set[str]:
        return await self._database.read(lambda connection: given(connection, messages))

    async def due(self, now: int, *, each: int) -> list[Posted]:
        return await self._database.read(lambda connection: due(connection, now, each))

    async def settle(self, settled: Sequence[Settled]) -> None:
        await self._database.run(lambda connection: settle(connection, settled), durable=True)

    async def page(
        self, tenant: str, *, state: str | None, channel: str | None, cursor: str | None, limit: int
    ) -> PostedPage:
        return await self._database.read(
            lambda connection: page(connection, tenant, state=state, channel=channel, cursor=cursor, limit=limit))
