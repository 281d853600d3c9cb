"""The evening's plan from a table that somebody has uploaded."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date

from msgspec import Struct

from monitor.domain.organisation import Host, Organisation, Product, Room, Slot
from monitor.domain.people import Actor
from monitor.services.organising import Organising
from monitor.services.recordings import Edit

Read = Callable[[bytes, str, Organisation, date | None], Mapping[str, Slot]]
"""(table, its name, what it may speak of, the day of times without one) → slots by id. Raises InputError."""
_SPOKEN_OF = (Room.kind, Host.kind, Product.kind, Slot.kind)


class PlanTaken(Struct, frozen=True, kw_only=True):
    """`changed`: slots that were made or replaced, or with a dry run would be; `unchanged`: lines that stood so."""

    changed: dict[str, Slot]
    unchanged: int


class PlanDesk:
    """Used from one event loop."""

    def __init__(self, organising: Organising, read: Read) -> None:
        self._organising, self._read = organising, read

    async def take(self, actor: Actor, table: bytes, *, name: str, day: date | None, dry_run: bool) -> PlanTaken:
        """All lines or none, of rooms that the actor sees. Raises InputError with all faults, Refused, NotFound."""
        seen = {(kind, one.id): one for kind in _SPOKEN_OF for one in await self._organising.listed(actor, kind)}
        organisation = Organisation({key: one.record for key, one in seen.items() if one.record is not None})
        slots = await asyncio.to_thread(self._read, table, name, organisation, day)
        changed = {key: slot for key, slot in slots.items() if organisation.get(Slot, key) != slot}
        if changed and not dry_run:
            versions = {key: one.version for (kind, key), one in seen.items() if kind == Slot.kind}
            await self._organising.edit(actor, [
                Edit(kind=Slot.kind, id=key, record=slot, expected=versions.get(key)) for key, slot in changed.items()])
        return PlanTaken(changed=changed, unchanged=len(slots) - len(changed))
