"""Rooms that the plan expects and that stay silent: their post is told, once a slot, and again when they are on air."""

from collections.abc import Sequence
from typing import Final, Protocol

from monitor.domain.audit import Deed
from monitor.domain.evening import Airing, Line
from monitor.domain.ids import digest
from monitor.domain.messages import Item, Message, What
from monitor.domain.organisation import Post
from monitor.services.organising import Organising
from monitor.services.ports import Clock

_BY: Final = "time"
_Slot = tuple[str, int]
"""(id, start): a slot that is moved is another evening's."""


class Announcing(Protocol):
    """Raises StorageError."""

    async def once(self, given: Sequence[Message], deeds: Sequence[Deed]) -> bool:
        """Those that were never given before, each as one of its own, and with them the deeds; False where all were."""
        ...

    async def given(self, messages: Sequence[str]) -> set[str]:
        """Which of these ids are known."""
        ...


class Absences:
    """Used from one event loop. What was told is known after a restart, too: it is in the messages."""

    def __init__(self, mail: Announcing, organising: Organising, clock: Clock) -> None:
        self._mail, self._organising, self._clock = mail, organising, clock
        self._silent: dict[str, dict[_Slot, bool]] = {}

    async def look(self, tenant: str, lines: Sequence[Line]) -> None:
        """`lines`: all slots of the tenant that run. Raises StorageError; then it is told at the next look."""
        before = self._silent.get(tenant, {})
        slots = {(line.slot, line.starts): line for line in lines if line.slot}
        self._silent[tenant] = now = {slot: before[slot] for slot in slots if slot in before}
        for slot, line in slots.items():
            if line.state is Airing.SILENT and not now.get(slot):
                await self._tell(tenant, line, What.ROOM_SILENT)
                now[slot] = True
            elif line.state in (Airing.ON_AIR, Airing.ENDED) and now.get(slot, True):
                told = [message.id for message in self._messages(tenant, line, What.ROOM_SILENT)]
                if await self._mail.given(told):
                    await self._tell(tenant, line, What.ROOM_ON_AIR)
                now[slot] = False

    async def _tell(self, tenant: str, line: Line, what: What) -> None:
        messages = self._messages(tenant, line, what)
        if messages:
            await self._mail.once(messages, [Deed(
                tenant=tenant, by=_BY, at=self._clock.now(), what=f"slot.{what.value}", on=f"slot/{line.slot}",
                facts={"room": line.room, "starts": line.starts, "post": messages[0].items[0].post})])

    def _messages(self, tenant: str, line: Line, what: What) -> list[Message]:
        """To the channels of the post that a room's alerts go to where no route says another one."""
        organisation, now = self._organising.of(tenant), self._clock.now()
        name = organisation.default_post(line.unit)
        post = organisation.get(Post, name)
        at = line.starts if what is What.ROOM_SILENT else now
        item = Item(what=what, at=at, title=line.title or line.room, post=name)
        return [Message(id="m" + digest(what.value, tenant, channel, line.slot, line.starts), tenant=tenant,
                        channel=channel, room=line.room, at=now, due=now, items=(item,))
                for channel in dict.fromkeys(post.notify if post is not None else ())]
