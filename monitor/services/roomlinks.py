"""Links that show a room's cues to whoever has them: made, listed, revoked; of their secrets only hashes are kept."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from monitor.domain.audit import Deed
from monitor.domain.cues import RoomLink
from monitor.domain.errors import NotFound, Refused
from monitor.domain.people import Actor, Permission
from monitor.domain.phrases import phrase
from monitor.services.cueing import CueStore
from monitor.services.organising import Organising
from monitor.services.paging import packed_cursor, unpacked_cursor
from monitor.services.ports import Clock

_SECRETS: Final = (32, 128)
"""How long a secret may be: what cannot be one is not looked up."""
_keys: Final = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=0, lt=2**53)], str])


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


class LinkPage(Struct, frozen=True):
    """Newest first. `next` is the cursor of the following page, None at the end."""

    links: list[RoomLink]
    next: str | None


class RoomLinks:
    """Used from one event loop."""

    def __init__(self, store: CueStore, organising: Organising, clock: Clock, secret: Callable[[], str]) -> None:
        """`secret`: another one each time, that nobody can guess."""
        self._store, self._organising, self._clock, self._secret = store, organising, clock, secret

    async def make(self, actor: Actor, room: str, lasts_s: int) -> tuple[RoomLink, str]:
        """The link and its secret, which is kept nowhere. Raises Refused."""
        self._allow(actor, room)
        now, secret = self._clock.now(), self._secret()
        sha256 = hashed(secret)
        link = RoomLink(id=sha256[:16], tenant=actor.tenant, room=room, by=actor.id, made_at=now,
                        expires_at=now + lasts_s * 1_000)
        await self._store.add_link(link, sha256, self._deed(actor, link, "room.link"))
        return link, secret

    async def listed(self, actor: Actor, room: str, *, cursor: str | None = None, limit: int = 100) -> LinkPage:
        """Newest first. Raises Refused, and InputError for a bad cursor."""
        self._allow(actor, room)
        after = None if cursor is None else unpacked_cursor(cursor, _keys)
        found = await self._store.links(actor.tenant, room, after=after, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return LinkPage(found[:limit], None if last is None else packed_cursor((last.made_at, last.id)))

    async def revoke(self, actor: Actor, room: str, name: str) -> RoomLink:
        """Raises NotFound for a link that the room does not have, and Refused."""
        self._allow(actor, room)
        found = next((link for link in await self._store.links(actor.tenant, room) if link.id == name), None)
        if found is not None:
            deed = self._deed(actor, found, "room.unlink")
            found = await self._store.revoke_link(actor.tenant, room, name, self._clock.now(), deed)
        if found is None:
            raise NotFound("the room has no such link", hint="GET lists the room's links with their ids")
        return found

    async def of(self, secret: str) -> RoomLink | None:
        """None for one that is unknown, revoked or over."""
        if not _SECRETS[0] <= len(secret) <= _SECRETS[1]:
            return None
        found = await self._store.link(hashed(secret))
        return found if found is not None and found.valid(self._clock.now()) else None

    def _deed(self, actor: Actor, link: RoomLink, what: str) -> Deed:
        return Deed(tenant=actor.tenant, by=actor.id, at=self._clock.now(), what=what, on=f"room/{link.room}",
                    facts={"link": link.id, "expires_at": link.expires_at})

    def _allow(self, actor: Actor, room: str) -> None:
        organisation = self._organising.of(actor.tenant)
        if not actor.may(Permission.CUE, organisation.above(organisation.unit_of(room))):
            raise Refused("permission",
                          phrase("this takes the permission {permission} for the room",
                                 permission=phrase(Permission.CUE)),
                          hint="ask its lead")
