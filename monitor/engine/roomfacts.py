"""What a rule may ask of the room at that moment. None: it is not known, and the condition's value may stay unknown."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from monitor.domain.rules import Fact, Listed, RoomContext, RoomTest
from monitor.engine.views import ViewTables


def room_holds(test: RoomTest, room: RoomContext | None, *, at: int, age: int | None, zone: ZoneInfo) -> bool | None:
    """`at`: UTC ms of the event. `age`: ms since its broadcast began, None where that is not known."""
    if test.fact is Fact.HOUR:
        hour = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).hour
        start, end = map(int, test.values)
        return start <= hour < end if start <= end else hour >= start or hour < end
    if test.fact is Fact.AGE:
        start, end = map(int, test.values)
        return None if age is None else start <= age // 1000 < end
    known = _known(test.fact, room)
    return None if known is None else not known.isdisjoint(test.values)


def _known(fact: Fact, room: RoomContext | None) -> frozenset[str] | None:
    if room is None:
        return None
    found: tuple[str, ...] | None
    match fact:
        case Fact.TAG:
            found = room.tags
        case Fact.QUALIFICATION:
            found = room.qualifications
        case Fact.PRODUCT_CATEGORY:
            found = room.product_categories
        case _:
            one = room.platform if fact is Fact.PLATFORM else room.vertical
            found = (one,) if one else None
    return None if found is None else frozenset(found)


def is_proved(room: RoomContext, text: str, start: int, end: int, tables: ViewTables) -> bool:
    """Does [start, end) of the plain `text` lie in a claim for which the room holds a proof?"""
    for claim in room.claim_proofs:
        plain = "".join(map(chr, tables.fold(claim).tolist()))
        if plain and text.find(plain, max(end - len(plain), 0), start + len(plain)) >= 0:
            return True
    return False


def compares(price: Decimal | None, listed: Sequence[float] | None, how: Listed) -> bool:
    """Does a price that was named stand so to the listed ones? Where either is not known, it does not."""
    if price is None or not listed:
        return False
    known = [Decimal(str(each)) for each in listed]
    match how:
        case Listed.BELOW:
            return price < min(known)
        case Listed.ABOVE:
            return price > max(known)
    return price not in known
