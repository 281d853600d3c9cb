"""Cues, the links that show them, and how often decisions bore each rule out."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, RowMapping, func, select, tuple_, update

from monitor.adapters.storage import mail, tracks, trail
from monitor.adapters.storage.cases import load, save
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.outbox import tell as tell_clients
from monitor.adapters.storage.schema_post import cues, room_links, rulings
from monitor.adapters.storage.statements import insert
from monitor.domain.audit import Deed
from monitor.domain.cues import Corrected, Cue, RoomLink
from monitor.services.cases import Case
from monitor.services.cueing import LinkKey, Surroundings, Told
from monitor.services.records import Update

_encoder: Final = msgspec.msgpack.Encoder()
_cue: Final = msgspec.msgpack.Decoder(Cue)
_RULE: Final = "rule:"
_LATEST: Final = 50


def tell(
    connection: Connection, tenant: str, alert: str, step: Callable[[Case, Surroundings], Told]
) -> Cue | None:
    case = load(connection, [alert]).get((tenant, alert))
    if case is None:
        return None
    around = Surroundings(track=tracks.track(connection, tenant, case.alert.rule),
                          last_at=_last_by_rule(connection, tenant, case.alert.room))
    told = step(case, around)
    cue = _write(connection, told.cue)
    if not case.kept.cued:
        save(connection, [(case, replace(case, kept=replace(case.kept, cued=True)))])
    if case.kept.wording:
        connection.execute(update(rulings).where(rulings.c.key == case.kept.wording).values(cued=True))
    trail.append(connection, [told.deed])
    mail.put(connection, told.messages)
    return cue


def change(
    connection: Connection, tenant: str, name: str, step: Callable[[Cue], tuple[Cue, Deed] | None]
) -> Cue | None:
    body = connection.scalar(
        select(cues.c.body).where(cues.c.tenant == tenant, cues.c.id == name).with_for_update())
    if body is None:
        return None
    known = _cue.decode(body)
    after = step(known)
    if after is None:
        return known
    trail.append(connection, [after[1]])
    return _write(connection, after[0])


def shown(connection: Connection, tenant: str, room: str, after: int, since: int, limit: int) -> list[Cue]:
    row = cues.c
    rows = connection.scalars(
        select(row.body).where(row.tenant == tenant, row.room == room, row.seq > after, row.at >= since)
        .order_by(row.seq.desc()).limit(limit))
    return [_cue.decode(body) for body in rows][::-1]


def told_since(connection: Connection, tenant: str, at: int) -> list[Cue]:
    rows = connection.scalars(select(cues.c.body).where(cues.c.tenant == tenant, cues.c.at >= at).order_by(cues.c.at))
    return [_cue.decode(body) for body in rows]


def of_alert(connection: Connection, tenant: str, alert: str) -> list[Cue]:
    rows = connection.scalars(
        select(cues.c.body).where(cues.c.tenant == tenant, cues.c.alert_id == alert).order_by(cues.c.at, cues.c.id))
    return [_cue.decode(body) for body in rows]


def correct(
    connection: Connection, tenant: str, alert: str, corrected: Corrected, deed: Deed
) -> list[Update] | None:
    case = load(connection, [alert]).get((tenant, alert))
    if case is None:
        return None
    cued = [cue for cue in of_alert(connection, tenant, alert)
            if cue.corrected_at is None and cue.at <= corrected.at]
    if case.kept.corrected is not None and not cued:
        return []
    for cue in cued:
        _write(connection, replace(cue, corrected_at=corrected.at))
    trail.append(connection, [deed])
    if case.kept.corrected is not None:
        return []
    after = replace(case, kept=replace(case.kept, corrected=corrected))
    save(connection, [(case, after)])
    return tell_clients(connection, [("corrected", after.alert)])


def add_link(connection: Connection, link: RoomLink, sha256: str, deed: Deed) -> None:
    values = {name: getattr(link, name) for name in ("tenant", "room", "by", "made_at", "expires_at", "revoked_at")}
    connection.execute(room_links.insert(), {"sha256": sha256, **values})
    trail.append(connection, [deed])


def links(
    connection: Connection, tenant: str, room: str, after: LinkKey | None = None, limit: int | None = None
) -> list[RoomLink]:
    row = room_links.c
    query = select(room_links).where(row.tenant == tenant, row.room == room)
    if after is not None:  # an id is the beginning of a hash, so the link itself is not below it
        query = query.where(tuple_(row.made_at, row.sha256) < tuple_(*after))
    rows = connection.execute(query.order_by(row.made_at.desc(), row.sha256.desc()).limit(limit)).mappings()
    return [_link_of(found) for found in rows]


def link(connection: Connection, sha256: str) -> RoomLink | None:
    row = connection.execute(select(room_links).where(room_links.c.sha256 == sha256)).mappings().first()
    return None if row is None else _link_of(row)


def revoke(connection: Connection, tenant: str, room: str, name: str, now: int, deed: Deed) -> RoomLink | None:
    found = next((one for one in links(connection, tenant, room) if one.id == name), None)
    if found is None or found.revoked_at is not None:
        return found
    row = room_links.c
    connection.execute(
        update(room_links).where(row.tenant == tenant, row.room == room, row.sha256.startswith(name, autoescape=True))
        .values(revoked_at=now))
    trail.append(connection, [deed])
    return replace(found, revoked_at=now)


def link_id(sha256: str) -> str:
    """What people call a link by."""
    return sha256[:16]


def _link_of(row: RowMapping) -> RoomLink:
    return RoomLink(id=link_id(row["sha256"]), **{name: row[name] for name in (
        "tenant", "room", "by", "made_at", "expires_at", "revoked_at")})


def _write(connection: Connection, cue: Cue) -> Cue:
    """With the next number of its room: those that went with their time are not given again, since none is below the
    time at which its cue was made."""
    row = cues.c
    last = connection.scalar(select(func.max(row.seq)).where(row.tenant == cue.tenant, row.room == cue.room)) or 0
    cue = replace(cue, seq=max(last + 1, cue.at))
    values: dict[str, Any] = {
        "id": cue.id, "tenant": cue.tenant, "room": cue.room, "alert_id": cue.alert, "at": cue.at, "seq": cue.seq,
        "body": _encoder.encode(cue)}
    statement = insert(connection, cues)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[row.id], set_={name: statement.excluded[name] for name in ("seq", "body")}), values)
    return cue


def _last_by_rule(connection: Connection, tenant: str, room: str) -> int | None:
    """When a rule cued the room last, among its latest cues."""
    row = cues.c
    rows = connection.scalars(
        select(row.body).where(row.tenant == tenant, row.room == room).order_by(row.at.desc()).limit(_LATEST))
    return max((cue.at for cue in map(_cue.decode, rows) if cue.by.startswith(_RULE)), default=None)


class SqlCues:
    """Implements `CueStore`. What people say is on disk before it is answered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, tenant: str, alert: str, step: Callable[[Case, Surroundings], Told]) -> Cue | None:
        return await self._database.run(lambda connection: tell(connection, tenant, alert, step), durable=True)

    async def told_since(self, tenant: str, at: int) -> list[Cue]:
        return await self._database.read(lambda connection: told_since(connection, tenant, at))

    async def change(self, tenant: str, cue: str, step: Callable[[Cue], tuple[Cue, Deed] | None]) -> Cue | None:
        return await self._database.run(lambda connection: change(connection, tenant, cue, step), durable=True)

    async def shown(self, tenant: str, room: str, *, after: int, since: int, limit: int) -> list[Cue]:
        return await self._database.read(lambda connection: shown(connection, tenant, room, after, since, limit))

    async def of_alert(self, tenant: str, alert: str) -> list[Cue]:
        return await self._database.read(lambda connection: of_alert(connection, tenant, alert))

    async def correct(self, tenant: str, alert: str, corrected: Corrected, deed: Deed) -> list[Update] | None:
        return await self._database.run(lambda connection: correct(connection, tenant, alert, corrected, deed))

    async def earned(self) -> set[tuple[str, str]]:
        return await self._database.read(tracks.every_earned)

    async def add_link(self, link: RoomLink, sha256: str, deed: Deed) -> None:
        await self._database.run(lambda connection: add_link(connection, link, sha256, deed), durable=True)

    async def links(
        self, tenant: str, room: str, *, after: LinkKey | None = None, limit: int | None = None
    ) -> list[RoomLink]:
        return await self._database.read(lambda connection: links(connection, tenant, room, after, limit))

    async def link(self, sha256: str) -> RoomLink | None:
        return await self._database.read(lambda connection: link(connection, sha256))

    async def revoke_link(self, tenant: str, room: str, link: str, now: int, deed: Deed) -> RoomLink | None:
        return await self._database.run(
            lambda connection: revoke(connection, tenant, room, link, now, deed), durable=True)
