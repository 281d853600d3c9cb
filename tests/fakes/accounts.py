"""People's accounts in memory, and passwords that cost nothing."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from monitor.domain.accounts import Invitation, Session, Tries, User
from monitor.domain.audit import Deed
from monitor.domain.errors import Refused
from monitor.services.accounts import Joined, Known, SessionKey, came_in_elsewhere
from tests.fakes.posts import MemoryPosts


class MemoryAccounts:
    """Implements `Accounts`; deeds go to the trail of `posts`."""

    def __init__(self, posts: MemoryPosts) -> None:
        self._posts = posts
        self._users: dict[tuple[str, str], User] = {}
        self._passwords: dict[str, str] = {}
        self._tries: dict[str, Tries] = {}
        self._invitations: dict[str, Invitation] = {}
        self._sessions: dict[str, Session] = {}

    async def users(self, tenant: str, *, after: str = "", limit: int | None = None) -> list[User]:
        found = [user for user in self._users.values() if user.tenant == tenant and user.login > after]
        return sorted(found, key=lambda user: user.login)[:limit]

    async def user(self, tenant: str, login: str) -> User | None:
        return self._users.get((tenant, login))

    async def places(self, login: str) -> list[User]:
        return sorted((user for user in self._users.values() if user.login == login), key=lambda user: user.tenant)

    async def save_user(self, user: User, deeds: Sequence[Deed], *, expected: int) -> None:
        known = self._users.get((user.tenant, user.login))
        if (known.version if known else 0) != expected:
            raise Refused("stale", f"somebody else has changed the user {user.login} meanwhile", hint="read it again")
        self._users[user.tenant, user.login] = user
        if user.disabled:
            self._drop(lambda one: (one.tenant, one.login) == (user.tenant, user.login))
        await self._posts.write(deeds)

    async def password(self, login: str) -> str:
        return self._passwords.get(login, "")

    async def set_password(self, login: str, password: str, deeds: Sequence[Deed], *, keep: str = "") -> None:
        self._passwords[login] = password
        self._drop(lambda one: one.login == login and one.id != keep)
        await self._posts.write(deeds)

    async def tries(self, key: str, step: Callable[[Tries], Tries]) -> tuple[Tries, Tries]:
        before = self._tries.get(key, Tries())
        self._tries[key] = step(before)
        return before, self._tries[key]

    async def invite(self, invitation: Invitation, deeds: Sequence[Deed]) -> None:
        self._invitations = {sha: one for sha, one in self._invitations.items()
                             if (one.tenant, one.login) != (invitation.tenant, invitation.login)}
        self._invitations[invitation.sha256] = invitation
        await self._posts.write(deeds)

    async def invitation(self, sha256: str) -> Invitation | None:
        return self._invitations.get(sha256)

    async def join(self, joined: Joined, deeds: Sequence[Deed]) -> None:
        invitation = self._invitations[joined.invitation.sha256]
        if invitation.used_at is not None:
            raise Refused("used", "the invitation was used already", hint="sign in, or have a new one made")
        if joined.password and any(user.joined and user.tenant != invitation.tenant
                                   for user in await self.places(invitation.login)):
            raise came_in_elsewhere(invitation.login)
        self._invitations[invitation.sha256] = replace(invitation, used_at=joined.at)
        user = self._users[invitation.tenant, invitation.login]
        self._users[user.tenant, user.login] = replace(user, joined=True, version=user.version + 1)
        if joined.password:
            await self.set_password(user.login, joined.password, [])
        await self._posts.write(deeds)

    async def open(self, session: Session, deeds: Sequence[Deed]) -> None:
        self._sessions[session.id] = session
        await self._posts.write(deeds)

    async def known(self, sha256: str) -> Known | None:
        return self._known(lambda one: sha256 in (one.sha256, one.before))

    async def session(self, id_: str) -> Known | None:
        return self._known(lambda one: one.id == id_)

    def _known(self, match: Callable[[Session], bool]) -> Known | None:
        session = next((one for one in self._sessions.values() if match(one)), None)
        if session is None:
            return None
        places = [user for user in self._users.values() if user.login == session.login and user.active]
        here = next((user for user in places if user.tenant == session.tenant), None)
        homes = frozenset(user.tenant for user in places) - {session.tenant}
        return None if here is None else Known(session=session, user=here, homes=homes)

    async def sessions(
        self, tenant: str, login: str, *, after: SessionKey | None = None, limit: int | None = None
    ) -> list[Session]:
        mine = [one for one in self._sessions.values() if (one.tenant, one.login) == (tenant, login)
                and (after is None or (one.created_at, one.id) < after)]
        return sorted(mine, key=lambda one: (one.created_at, one.id), reverse=True)[:limit]

    async def renew(self, old: Session, new: Session) -> bool:
        if self._sessions.get(old.id, new).sha256 != old.sha256 or old.id not in self._sessions:
            return False
        self._sessions[old.id] = new
        return True

    async def end(self, ids: Sequence[str], deeds: Sequence[Deed]) -> None:
        self._drop(lambda one: one.id in ids)
        await self._posts.write(deeds)

    async def forget(self, *, tried_before: int) -> int:
        held = len(self._tries)
        self._tries = {key: one for key, one in self._tries.items() if one.at >= tried_before}
        return held - len(self._tries)

    def _drop(self, match: Callable[[Session], bool]) -> None:
        self._sessions = {name: one for name, one in self._sessions.items() if not match(one)}


class PlainPasswords:
    """Implements `Passwords`. `looked`: how often one was verified."""

    def __init__(self) -> None:
        self.looked = 0

    async def hash(self, password: str) -> str:
        return "plain:" + password

    async def verify(self, stored: str, password: str) -> bool:
        self.looked += 1
        return stored == "plain:" + password
