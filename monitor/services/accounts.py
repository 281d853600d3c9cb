"""What passes between people's desks and the store: accounts, sessions, passwords. Times in UTC ms."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from monitor.domain.accounts import Invitation, Session, Tries, User
from monitor.domain.audit import Deed
from monitor.domain.errors import Refused
from monitor.domain.phrases import phrase

SessionKey = tuple[int, str]
"""(created_at, id): by what sessions are in order."""


class Known(Struct, frozen=True, kw_only=True):
    """A session with whose it is. `homes`: the other tenants where they work."""

    session: Session
    user: User
    homes: frozenset[str] = frozenset()


class Joined(Struct, frozen=True, kw_only=True):
    """An invitation that is taken. `password`: the hash of a new one, "" where the person keeps theirs."""

    invitation: Invitation
    password: str
    at: int


def came_in_elsewhere(login: str) -> Refused:
    """The error to raise."""
    return Refused("used", phrase("{login} has come in elsewhere meanwhile", login=login), hint="open the link again")


class Accounts(Protocol):
    """Deeds are written in the same transaction. Raises StorageError."""

    async def users(self, tenant: str, *, after: str = "", limit: int | None = None) -> list[User]:
        """By login, those behind `after`."""
        ...

    async def user(self, tenant: str, login: str) -> User | None:
        ...

    async def places(self, login: str) -> list[User]:
        """Of one person in all tenants, by tenant."""
        ...

    async def save_user(self, user: User, deeds: Sequence[Deed], *, expected: int) -> None:
        """In the version `expected` so far, 0: not there. Who is disabled is signed out. Raises Refused ("stale")."""
        ...

    async def password(self, login: str) -> str:
        """Its hash; "" where none is set."""
        ...

    async def set_password(self, login: str, password: str, deeds: Sequence[Deed], *, keep: str = "") -> None:
        """All of the person's sessions end, but the one with the id `keep`."""
        ...

    async def tries(self, key: str, step: Callable[[Tries], Tries]) -> tuple[Tries, Tries]:
        """What is remembered under `key`, before and after `step`."""
        ...

    async def invite(self, invitation: Invitation, deeds: Sequence[Deed]) -> None:
        """Earlier ones of the same person in the same tenant no longer work."""
        ...

    async def invitation(self, sha256: str) -> Invitation | None: ...

    async def join(self, joined: Joined, deeds: Sequence[Deed]) -> None:
        """The person is in. A new password ends all of their sessions; there is none for somebody who is in another
        tenant by now. Raises Refused ("used")."""
        ...

    async def open(self, session: Session, deeds: Sequence[Deed]) -> None: ...

    async def known(self, sha256: str) -> Known | None:
        """By the hash of a session's secret, or of the one before it."""
        ...

    async def session(self, id_: str) -> Known | None: ...

    async def sessions(
        self, tenant: str, login: str, *, after: SessionKey | None = None, limit: int | None = None
    ) -> list[Session]:
        """Newest first, those behind `after`."""
        ...

    async def renew(self, old: Session, new: Session) -> bool:
        """False where it has changed, or ended, meanwhile."""
        ...

    async def end(self, ids: Sequence[str], deeds: Sequence[Deed]) -> None: ...

    async def forget(self, *, tried_before: int) -> int:
        """Drop what is remembered of tries from before; how many rows went."""
        ...


class Passwords(Protocol):
    """Raises BusyError where too many wait."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, stored: str, password: str) -> bool:
        """`stored` "": False, after as long as any other."""
        ...
