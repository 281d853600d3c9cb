"""What a tenant tells of itself: units as a tree, rooms, hosts, products, the evening's plan, posts and who is on them.

Each is a record: a value with an id and a version, of one tenant.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct, field

from monitor.domain.clocks import Clocks
from monitor.domain.people import ROOT
from monitor.domain.record import Record
from monitor.domain.routing import Route

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Ref = Annotated[str, Meta(max_length=128)]
Title = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=4_000)]
Link = Annotated[str, Meta(max_length=2_000)]
Time = Annotated[int, Meta(ge=0, lt=2**53)]
"""UTC ms."""


class Unit(Record, frozen=True, kw_only=True):
    """Agency, branch or team. `above` "": directly below the tenant. `default_post`: of what no route answers here."""

    kind: ClassVar[str] = "unit"
    title: Title
    above: Ref = ""
    default_post: Ref = ""


class Room(Record, frozen=True, kw_only=True):
    """`id` is the room's name in events. `media`: an address, or one with {room}, {broadcast} and {offset_s} in it, of
    the recording or the live audio. `notify`: channels of its control room. `operator`, `credit_code`: the company that
    runs it, for ledgers."""

    kind: ClassVar[str] = "room"
    unit: Ref = ""
    title: Title = ""
    platform: Ref = ""
    account: Title = ""
    vertical: Ref = ""
    profile: Ref = ""
    tags: tuple[Id, ...] = ()
    hosts: tuple[Id, ...] = ()
    product_categories: tuple[Id, ...] = ()
    listed_prices: tuple[float, ...] = ()
    claim_proofs: dict[str, str] = field(default_factory=dict)
    media: Link = ""
    notify: tuple[Id, ...] = ()
    operator: Title = ""
    credit_code: Ref = ""


class Paper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A licence, a certificate, an agreement or a training. `ends`: UTC ms, None where it has no end."""

    number: Title = ""
    ends: Time | None = None


class Host(Record, frozen=True, kw_only=True):
    """What the agency has to see before somebody goes on air; of the record, not of the person. `required`: papers
    without which this host does not go on air, by their names."""

    kind: ClassVar[str] = "host"
    name: Title
    unit: Ref = ""
    identity_checked: bool = False
    of_age: bool | None = None
    papers: dict[str, Paper] = field(default_factory=dict)
    required: tuple[Id, ...] = ()
    digital: bool = False

    def lacking(self, now: int) -> list[str]:
        """Named reasons why this host should not be on air at `now` (UTC ms)."""
        found = [] if self.identity_checked else ["identity_unchecked"]
        if self.of_age is None:
            found.append("age_unknown")
        elif not self.of_age:
            found.append("under_age")
        for name in self.required:
            paper = self.papers.get(name)
            if paper is None:
                found.append(f"lacks:{name}")
            elif paper.ends is not None and paper.ends <= now:
                found.append(f"expired:{name}")
        return found


class Product(Record, frozen=True, kw_only=True):
    """`id` is the SKU. `claims`: a claim as it is said → the number of its proof."""

    kind: ClassVar[str] = "product"
    title: Title
    unit: Ref = ""
    category: Ref = ""
    listed_price: Annotated[float, Meta(ge=0)] | None = None
    seller: Title = ""
    link: Link = ""
    certificates: dict[str, Paper] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)


REMEMBERED_MS: Final = 7 * 86_400_000
"""Slots and shifts that are over for longer are looked up where they are asked for."""
OPEN_END_MS: Final = 12 * 3_600_000
"""How long a slot without an end is taken to last."""


class Slot(Record, frozen=True, kw_only=True):
    """One line of the evening's plan: who is expected on air, where and when."""

    kind: ClassVar[str] = "slot"
    room: Id
    starts: Time
    ends: Time | None = None
    host: Ref = ""
    products: tuple[Id, ...] = ()
    note: Text = ""

    @property
    def until(self) -> int:
        """When it is over, also where it says no end (UTC ms)."""
        return self.starts + OPEN_END_MS if self.ends is None else self.ends


class Duty(StrEnum):
    CONTENT = "content_review"
    NETWORK = "network_security"
    QUALITY = "product_quality"
    OWN = "own"


class Post(Record, frozen=True, kw_only=True):
    """A staffed queue. `lead`: of `members`, who care goes to. `clocks`: how long an alert may wait here.
    `notify`: channels that are told of what nobody looks at here; `budget`: alerts an hour that its people can take."""

    kind: ClassVar[str] = "post"
    title: Title
    unit: Ref = ""
    duty: Duty = Duty.CONTENT
    members: tuple[Id, ...] = ()
    lead: Ref = ""
    clocks: Clocks = Clocks()
    notify: tuple[Id, ...] = ()
    budget: Annotated[int, Meta(ge=1, le=100_000)] | None = None


class Shift(Record, frozen=True, kw_only=True):
    """Who is on a post from when to when; `zone`: the one in which people read the roster."""

    kind: ClassVar[str] = "shift"
    post: Id
    people: Annotated[tuple[Id, ...], Meta(min_length=1)]
    starts: Time
    ends: Time
    zone: Id = "Asia/Shanghai"
    handover: Text = ""

    @property
    def until(self) -> int:
        return self.ends


class Routes(Record, frozen=True, kw_only=True):
    """The routing tree of a unit; its id is the unit's, `tenant` for the whole tenant's."""

    kind: ClassVar[str] = "routes"
    tree: Route


class Profile(Record, frozen=True, kw_only=True):
    """What a room profile is called and which tags it brings; `red_room` is shipped."""

    kind: ClassVar[str] = "profile"
    title: Title
    tags: tuple[Id, ...] = ()


TENANT: Final = "tenant"
"""The id of the routes that hang on no unit."""


class Organisation:
    """All records of one tenant, with their ids, as one value to ask. Never changed: an edit makes another one."""

    def __init__(self, records: Mapping[tuple[str, str], Record]) -> None:
        """`records`: by kind and id."""
        self._of: dict[str, dict[str, Record]] = {}
        for (kind, name), record in sorted(records.items()):
            self._of.setdefault(kind, {})[name] = record

    def with_(self, changes: Iterable[tuple[str, str, Record | None]]) -> "Organisation":
        """After edits (kind, id, record); None takes a record away. What they do not touch is shared."""
        fresh: dict[str, dict[str, Record]] = {}
        for kind, name, record in changes:
            if kind not in fresh:
                fresh[kind] = dict(self._of.get(kind, {}))
            if record is None:
                fresh[kind].pop(name, None)
            else:
                fresh[kind][name] = record
        after = Organisation({})
        after._of = self._of | {kind: dict(sorted(records.items())) for kind, records in fresh.items()}
        return after

    def get(self, kind: type[Any], name: str) -> Any:
        """The record, None where there is none."""
        return self._of.get(kind.kind, {}).get(name)

    def records(self) -> Iterator[tuple[str, str, Record]]:
        """(kind, id, record) of all, by kind and id."""
        for kind, records in sorted(self._of.items()):
            yield from ((kind, name, record) for name, record in records.items())

    def every(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """By id. Costs as much as there are of this kind, whatever else there is."""
        yield from self._of.get(kind.kind, {}).items()

    def above(self, unit: str) -> tuple[str, ...]:
        """The unit itself, then those above it, the root of the tenant last."""
        path: list[str] = []
        while unit and unit not in path:
            path.append(unit)
            found = self.get(Unit, unit)
            unit = found.above if found is not None else ""
        return (*path, ROOT)

    def unit_of(self, room: str) -> str:
        found = self.get(Room, room)
        return found.unit if found is not None else ROOT

    def tags_of(self, room: str) -> tuple[str, ...]:
        """The room's own, then those of its profile; none for a room without a record."""
        found = self.get(Room, room)
        profile = None if found is None else self.get(Profile, found.profile)
        return () if found is None else tuple(dict.fromkeys((*found.tags, *(profile.tags if profile else ()))))

    def trees(self, unit: str) -> list[tuple[str, Route]]:
        """The routing trees that are asked for a room of the unit, in their order."""
        found = ((name, self.get(Routes, name or TENANT)) for name in self.above(unit))
        return [(name, routes.tree) for name, routes in found if routes is not None]

    def default_post(self, unit: str) -> str:
        """Of the nearest unit that names one; "" where none does."""
        for name in self.above(unit):
            found = self.get(Unit, name)
            if found is not None and found.default_post:
                return str(found.default_post)
        return ""

    def post_above(self, post: str, level: str) -> tuple[str, str] | None:
        """(post, unit) that an alert of `post` escalates to: the first post of the same duty, else of any, on the units
        above `level`, or above the post's own where it is ""."""
        own = self.get(Post, post)
        unit = level or (own.unit if own is not None else ROOT)
        for higher in self.above(unit)[1:]:
            there = [(name, found) for name, found in self.every(Post) if found.unit == higher and name != post]
            same = [name for name, found in there if own is not None and found.duty is own.duty]
            if there:
                return (same or [name for name, _ in there])[0], higher
        return None

    def on_duty(self, post: str, now: int) -> tuple[str, ...]:
        """Whose shift it is (UTC ms)."""
        people = (name for _, shift in self.every(Shift) if shift.post == post and shift.starts <= now < shift.ends
                  for name in shift.people)
        return tuple(dict.fromkeys(people))

    def expected(self, now: int) -> Iterator[tuple[str, Slot]]:
        """Slots whose room should be on air now (UTC ms)."""
        for name, slot in self.every(Slot):
            if slot.starts <= now < slot.until:
                yield name, slot
