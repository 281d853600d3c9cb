"""What a tenant's records tell rules of its rooms: the room's own, its hosts' papers, the products of its slots."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from monitor.domain.organisation import Host, Organisation, Product, Room, Slot
from monitor.domain.rules import RoomContext

LEAD_MS: Final = 3_600_000
"""How long before its slot starts a room counts as in it: hosts begin early."""


def recorded(organisation: Organisation, tenant: str, now: int) -> list[RoomContext]:
    """Of every room that has a record, by its id, as of `now` (UTC ms): papers that have run out say nothing, nor do
    slots that are over or come later than in `LEAD_MS`."""
    slots: dict[str, list[Slot]] = {}
    for _, slot in organisation.every(Slot):
        if slot.starts - LEAD_MS <= now < slot.until:
            slots.setdefault(slot.room, []).append(slot)
    return [_context(organisation, tenant, name, room, slots.get(name, []), now)
            for name, room in organisation.every(Room)]


def _context(
    organisation: Organisation, tenant: str, name: str, room: Room, slots: Iterable[Slot], now: int,
) -> RoomContext:
    hosts = {*room.hosts, *(slot.host for slot in slots if slot.host)}
    products = [product for sku in sorted({sku for slot in slots for sku in slot.products})
                if (product := organisation.get(Product, sku)) is not None]
    categories = {*room.product_categories, *(product.category for product in products if product.category)}
    prices = {*room.listed_prices, *(each.listed_price for each in products if each.listed_price is not None)}
    proofs: dict[str, str] = {}
    for product in products:
        proofs |= product.claims
    return RoomContext(
        room=name, tenant=tenant, title=room.title, platform=room.platform, vertical=room.vertical, unit=room.unit,
        tags=tuple(dict.fromkeys((*organisation.tags_of(name), *([room.profile] if room.profile else ())))),
        qualifications=_papers(organisation, hosts, now) if hosts else None,
        product_categories=tuple(sorted(categories)) or None, listed_prices=tuple(sorted(prices)) or None,
        claim_proofs=proofs | room.claim_proofs)


def _papers(organisation: Organisation, hosts: Iterable[str], now: int) -> tuple[str, ...]:
    """Names of those that any of the hosts has and that have not run out."""
    found = {name for host in hosts if (record := organisation.get(Host, host)) is not None
             for name, paper in record.papers.items() if paper.ends is None or paper.ends > now}
    return tuple(sorted(found))


def joined(filed: Iterable[RoomContext], of_records: Iterable[RoomContext]) -> list[RoomContext]:
    """What config/rooms.yml says, and over it what records say; where a record says nothing, the file holds."""
    rooms = {(room.tenant, room.room): room for room in filed}
    for room in of_records:
        known = rooms.get((room.tenant, room.room))
        rooms[room.tenant, room.room] = room if known is None else _over(known, room)
    return list(rooms.values())


def _over(filed: RoomContext, room: RoomContext) -> RoomContext:
    said = {name: value for name in room.__struct_fields__ if (value := getattr(room, name)) not in ("", (), None)}
    return replace(filed, **{**said, "claim_proofs": filed.claim_proofs | room.claim_proofs,
                             "qualifications": filed.qualifications if room.qualifications is None
                             else room.qualifications})
