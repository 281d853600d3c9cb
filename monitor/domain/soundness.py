"""What records say of one another, checked as a whole: no edit leaves a room without a unit, or a shift without a post.
"""

from collections.abc import Iterable, Iterator

from monitor.domain.channels import Channel
from monitor.domain.ledgers import LATEST
from monitor.domain.organisation import (
    TENANT,
    Host,
    Organisation,
    Post,
    Product,
    Profile,
    Room,
    Routes,
    Shift,
    Slot,
    Unit,
)
from monitor.domain.phrases import phrase
from monitor.domain.record import Record
from monitor.domain.routing import faults as route_faults
from monitor.domain.suppression import Silence, Waiver


def faults(organisation: Organisation) -> list[str]:
    """What records say of one another that does not hold, each with its record; empty for a sound organisation."""
    return [told_of(kind, name, fault) for kind, name, record in organisation.records()
            for fault in _faults(organisation, name, record)]


def told_of(kind: str, name: str, fault: str) -> str:
    return phrase("{kind} {name}: {fault}", kind=phrase(kind), name=name, fault=fault)


def missing(kind: str, name: str) -> str:
    return phrase("there is no {kind} {name}", kind=phrase(kind), name=repr(name))


def named(record: Record | None) -> Iterator[tuple[type[Record], tuple[str, ...]]]:
    """What a record names that has a unit of its own, by kind."""
    match record:
        case Room():
            yield Host, record.hosts
            yield Channel, record.notify
        case Slot():
            yield Host, (record.host,) if record.host else ()
            yield Product, record.products
        case Post():
            yield Channel, record.notify


def _faults(organisation: Organisation, name: str, record: Record) -> Iterator[str]:
    unit = getattr(record, "unit", "")
    if unit and organisation.get(Unit, unit) is None:
        yield phrase("there is no unit {unit}", unit=repr(unit))
    for field in ("begins", "starts", "ends"):
        if not 0 <= (getattr(record, field, None) or 0) <= LATEST:
            yield phrase("`{field}` lies outside the years 1970 to 9999", field=field)
    for kind, names in named(record):
        yield from _missing(organisation, kind, names)
    match record:
        case Unit():
            yield from _unit_faults(organisation, name, record)
        case Room():
            yield from _missing(organisation, Profile, [record.profile] if record.profile else [])
        case Slot():
            yield from _missing(organisation, Room, [record.room])
            if record.ends is not None and record.ends <= record.starts:
                yield "it ends before it starts"
        case Post():
            yield from record.clocks.faults()
            if record.lead and record.lead not in record.members:
                yield phrase("its lead {lead} is not among its members", lead=repr(record.lead))
        case Channel():
            yield from record.faults()
        case Silence() | Waiver():
            yield from record.faults()
            yield from _missing(organisation, Product, [product] if (product := getattr(record, "product", "")) else [])
        case Shift():
            yield from _missing(organisation, Post, [record.post])
            if record.ends <= record.starts:
                yield "it ends before it starts"
        case Routes():
            if name != TENANT and organisation.get(Unit, name) is None:
                yield phrase("routes are named by their unit, and there is no unit {name} (the tenant's: {tenant})",
                             name=repr(name), tenant=repr(TENANT))
            yield from route_faults(record.tree, [post for post, _ in organisation.every(Post)])


def _unit_faults(organisation: Organisation, name: str, unit: Unit) -> Iterator[str]:
    if name == TENANT:
        yield phrase("{tenant} is no name for a unit: it stands for the whole tenant", tenant=repr(TENANT))
    yield from _missing(organisation, Unit, [unit.above] if unit.above else [])
    yield from _missing(organisation, Post, [unit.default_post] if unit.default_post else [])
    seen, at = {name}, unit.above
    while at:
        if at in seen:
            yield phrase("it hangs below itself, by {at}", at=repr(at))
            return
        seen.add(at)
        found = organisation.get(Unit, at)
        at = found.above if found is not None else ""


def _missing(organisation: Organisation, kind: type[Record], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if organisation.get(kind, name) is None:
            yield missing(kind.kind, name)
