"""People's accounts and sessions: the rows, each change with its deeds in one transaction."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, or_, select, tuple_, update

from monitor.adapters.storage import trail
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema_post import invitations, people, sessions, tries, users
from monitor.adapters.storage.statements import insert
from monitor.domain.accounts import Invitation, Session, Tries, User
from monitor.domain.audit import Deed
from monitor.domain.errors import Refused
from monitor.domain.people import Grant
from monitor.domain.phrases import phrase
from monitor.services.accounts import Joined, Known, SessionKey, came_in_elsewhere

_MOST_TRIES: Final = 200_000
"""Beyond them the oldest are forgotten: guessing under ever new names must not fill the disk."""


class SqlAccounts:
    """Implements `Accounts`. What is answered is on disk, but for the times at which somebody was seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def users(self, tenant: str, *, after: str = "", limit: int | None = None) -> list[User]:
        return await self._database.read(lambda connection: _users(
            connection, users.c.tenant == tenant, users.c.login > after, limit=limit))

    async def user(self, tenant: str, login: str) -> User | None:
        found = await self._database.read(lambda connection: _users(
            connection, users.c.tenant == tenant, users.c.login == login))
        return found[0] if found else None

    async def places(self, login: str) -> list[User]:
        return await self._database.read(lambda connection: _users(connection, users.c.login == login))

    async def save_user(self, user: User, deeds: Sequence[Deed], *, expected: int) -> None:
        await self._database.run(lambda connection: _save_user(connection, user, deeds, expected), durable=True)

    async def password(self, login: str) -> str:
        return await self._database.read(
            lambda connection: connection.scalar(select(people.c.password).where(people.c.login == login)) or "")

    async def set_password(self, login: str, password: str, deeds: Sequence[Deed], *, keep: str = "") -> None:
        await self._database.run(
            lambda connection: _set_password(connection, login, password, deeds, keep), durable=True)

    async def tries(self, key: str, step: Callable[[Tries], Tries]) -> tuple[Tries, Tries]:
        return await self._database.run(lambda connection: _try(connection, key, step))

    async def invite(self, invitation: Invitation, deeds: Sequence[Deed]) -> None:
        await self._database.run(lambda connection: _invite(connection, invitation, deeds), durable=True)

    async def invitation(self, sha256: str) -> Invitation | None:
        def find(connection: Connection) -> Invitation | None:
            row = connection.execute(select(invitations).where(invitations.c.sha256 == sha256)).mappings().first()
            return None if row is None else Invitation(**row)

        return await self._database.read(find)

    async def join(self, joined: Joined, deeds: Sequence[Deed]) -> None:
        await self._database.run(lambda connection: _join(connection, joined, deeds), durable=True)

    async def open(self, session: Session, deeds: Sequence[Deed]) -> None:
        def add(connection: Connection) -> None:
            connection.execute(sessions.insert(), asdict(session))
            trail.append(connection, deeds)

        await self._database.run(add, durable=True)

    async def known(self, sha256: str) -> Known | None:
        row = sessions.c
        return await self._database.read(lambda connection: _known(
            connection, or_(row.sha256 == sha256, and_(row.before == sha256, row.before != ""))))

    async def session(self, id_: str) -> Known | None:
        return await self._database.read(lambda connection: _known(connection, sessions.c.id == id_))

    async def sessions(
        self, tenant: str, login: str, *, after: SessionKey | None = None, limit: int | None = None
    ) -> list[Session]:
        row = sessions.c
        query = select(sessions).where(row.tenant == tenant, row.login == login)
        if after is not None:
            query = query.where(tuple_(row.created_at, row.id) < tuple_(*after))
        query = query.order_by(row.created_at.desc(), row.id.desc()).limit(limit)
        return await self._database.read(lambda connection: [
            Session(**found) for found in connection.execute(query).mappings()])

    async def renew(self, old: Session, new: Session) -> bool:
        changes = asdict(new)
        statement = update(sessions).where(sessions.c.id == old.id, sessions.c.sha256 == old.sha256).values(changes)
        return await self._database.run(lambda connection: connection.execute(statement).rowcount == 1)

    async def end(self, ids: Sequence[str], deeds: Sequence[Deed]) -> None:
        def drop(connection: Connection) -> None:
            connection.execute(delete(sessions).where(sessions.c.id.in_(ids)))
            trail.append(connection, deeds)

        await self._database.run(drop, durable=True)

    async def forget(self, *, tried_before: int) -> int:
        old = (delete(tries).where(tries.c.at < tried_before),
               delete(tries).where(tries.c.key.in_(
                   select(tries.c.key).order_by(tries.c.at.desc()).offset(_MOST_TRIES))))
        return await self._database.run(
            lambda connection: sum(connection.execute(statement).rowcount for statement in old))


def _users(connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None) -> list[User]:
    rows = connection.execute(select(users).where(*conditions).order_by(users.c.tenant, users.c.login).limit(limit))
    return [_user(row) for row in rows.mappings()]


def _user(row: RowMapping) -> User:
    return User(**{**row, "grants": msgspec.convert(row["grants"], tuple[Grant, ...])})


def _save_user(connection: Connection, user: User, deeds: Sequence[Deed], expected: int) -> None:
    key = (users.c.tenant == user.tenant, users.c.login == user.login)
    values: dict[str, Any] = msgspec.to_builtins(user)
    if expected:
        done = connection.execute(update(users).where(*key, users.c.version == expected).values(values)).rowcount
    else:
        done = connection.execute(insert(connection, users).on_conflict_do_nothing(), values).rowcount
    if not done:
        raise Refused("stale", phrase("somebody else has changed the user {login} meanwhile", login=user.login),
                      hint="read it again")
    if user.disabled:
        connection.execute(delete(sessions).where(sessions.c.tenant == user.tenant, sessions.c.login == user.login))
    trail.append(connection, deeds)


def _set_password(connection: Connection, login: str, password: str, deeds: Sequence[Deed], keep: str) -> None:
    statement = insert(connection, people).values(login=login, password=password)
    connection.execute(statement.on_conflict_do_update(
        index_elements=[people.c.login], set_={"password": statement.excluded.password}))
    connection.execute(delete(sessions).where(sessions.c.login == login, sessions.c.id != keep))
    trail.append(connection, deeds)


def _try(connection: Connection, key: str, step: Callable[[Tries], Tries]) -> tuple[Tries, Tries]:
    row = connection.execute(
        select(tries.c.failures, tries.c.at, tries.c.locked_until).where(tries.c.key == key)).mappings().first()
    before = Tries() if row is None else Tries(**row)
    after = step(before)
    if after != before:
        statement = insert(connection, tries).values(key=key, **asdict(after))
        connection.execute(statement.on_conflict_do_update(index_elements=[tries.c.key], set_=asdict(after)))
    return before, after


def _invite(connection: Connection, invitation: Invitation, deeds: Sequence[Deed]) -> None:
    connection.execute(delete(invitations).where(
        invitations.c.tenant == invitation.tenant, invitations.c.login == invitation.login))
    connection.execute(invitations.insert(), asdict(invitation))
    trail.append(connection, deeds)


def _join(connection: Connection, joined: Joined, deeds: Sequence[Deed]) -> None:
    wanted = joined.invitation
    used = connection.execute(
        update(invitations).where(invitations.c.sha256 == wanted.sha256, invitations.c.used_at.is_(None))
        .values(used_at=joined.at)).rowcount
    if not used:
        raise Refused("used", "the invitation was used already", hint="sign in, or have a new one made")
    connection.execute(
        update(users).where(users.c.tenant == wanted.tenant, users.c.login == wanted.login)
        .values(joined=True, version=users.c.version + 1))
    if joined.password:
        elsewhere = select(users.c.login).where(
            users.c.login == wanted.login, users.c.tenant != wanted.tenant, users.c.joined)
        if connection.execute(elsewhere).first() is not None:
            raise came_in_elsewhere(wanted.login)
        _set_password(connection, wanted.login, joined.password, (), "")
    trail.append(connection, deeds)


def _known(connection: Connection, condition: ColumnElement[bool]) -> Known | None:
    row = connection.execute(select(sessions).where(condition)).mappings().first()
    if row is None:
        return None
    session = Session(**row)
    places = [user for user in _users(connection, users.c.login == session.login) if user.active]
    here = next((user for user in places if user.tenant == session.tenant), None)
    homes = frozenset(user.tenant for user in places) - {session.tenant}
    return None if here is None else Known(session=session, user=here, homes=homes)
