"""The demo's organisation: bundled records, and slots and shifts that are moved to tonight at each start."""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from monitor.domain.kinds import KINDS
from monitor.domain.organisation import Room, Shift, Slot
from monitor.domain.people import Actor, Permission
from monitor.domain.record import Record
from monitor.domain.tenants import LOCAL
from monitor.services.organising import Organising
from monitor.services.ports import Clock
from monitor.services.recordings import Edit, Stored
from monitor.services.roomlinks import RoomLinks

ACTOR: Final = Actor(id="demo", tenant=LOCAL, everywhere=frozenset(Permission))
TAG: Final = "demo"
"""What the rooms of the demo have."""
_DAY_S: Final = 86_400
BEFORE_MS: Final = 7_200_000
"""Times of the bundled slots and shifts count from so long before the start."""

Bundled = Mapping[tuple[str, str], Record]


async def furnish(organising: Organising, clock: Clock, bundled: Bundled) -> None:
    """Make the records where the tenant has none of its own, and move those slots and shifts that the demo made and
    nobody changed. A folder in which somebody keeps records stays as it is."""
    own = {(one.kind, one.id): one for kind in KINDS for one in await organising.listed(ACTOR, kind) if one.version}
    if own and all(one.by != ACTOR.id for one in own.values()):
        return
    edits = list(_edits(own, bundled, clock.now() - BEFORE_MS))
    if edits:
        await organising.edit(ACTOR, edits)


async def link_rooms(links: RoomLinks, organising: Organising) -> dict[str, str]:
    """Secrets that show what each of the demo's rooms is told, for a day."""
    rooms = [name for name, room in organising.of(LOCAL).every(Room) if TAG in room.tags]
    return {room: (await links.make(ACTOR, room, _DAY_S))[1] for room in rooms}


def _edits(own: Mapping[tuple[str, str], Stored], bundled: Bundled, origin: int) -> Iterator[Edit]:
    for (kind, name), record in bundled.items():
        known = own.get((kind, name))
        if not own or (known is not None and known.by == ACTOR.id and isinstance(record, Slot | Shift)):
            yield Edit(kind=kind, id=name, record=_tonight(record, origin))


def _tonight(record: Record, origin: int) -> Record:
    if isinstance(record, Slot | Shift):
        ends = None if record.ends is None else record.ends + origin
        return replace(record, starts=record.starts + origin, ends=ends)
    return record
