"""Why an alert is not put before people at once. Whatever holds one back has a name and an author, and can be undone.

Held alerts are stored, counted and listed; `care` is never held.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta, Struct, field

from monitor.domain.findings import RANK, Severity, Tier
from monitor.domain.moves import Outcome
from monitor.domain.record import Record
from monitor.domain.routing import Labels, Route, Values, faults

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Why = Annotated[str, Meta(min_length=1, max_length=2_000)]


class Hold(StrEnum):
    """For what reason an alert is held."""

    EXCEPTED = "excepted"
    SILENCED = "silenced"
    SAME_WORDING = "same_wording"
    INHIBITED = "inhibited"
    STORM = "storm"


class Silence(Record, frozen=True, kw_only=True):
    """Alerts with such labels are held until it ends. Times in UTC ms, [begins, ends)."""

    kind: ClassVar[str] = "silence"
    match: dict[str, Values]
    unless: dict[str, Values] = field(default_factory=dict)
    reason: Why
    by: str = ""
    begins: int
    ends: int

    def holds(self, labels: Labels, now: int) -> bool:
        return self.begins <= now < self.ends and Route(match=self.match, unless=self.unless).holds(labels)

    def faults(self) -> Iterator[str]:
        if not self.match:
            yield "it would silence everything: name labels in `match`"
        if self.ends <= self.begins:
            yield "it ends before it begins"
        yield from (fault.removeprefix("the root route: ")
                    for fault in faults(Route(match=self.match, unless=self.unless), ()))


class Waiver(Record, frozen=True, kw_only=True):
    """An exception: this wording is allowed there, by this proof: `rule` and `wording` in a room, or while a product is
    on the room's plan or named in the text. `ends`: UTC ms."""

    kind: ClassVar[str] = "exception"
    rule: Id
    wording: Annotated[str, Meta(min_length=1, max_length=500)]
    room: Annotated[str, Meta(max_length=128)] = ""
    product: Annotated[str, Meta(max_length=128)] = ""
    proof: Why
    by: str = ""
    ends: int

    def faults(self) -> Iterator[str]:
        if not self.room and not self.product:
            yield "it would hold in every room: name a `room` or a `product`"


class Held(Struct, frozen=True):
    """`by_what`: the id of what says so."""

    why: Hold
    by_what: str


class Ruled(Struct, frozen=True, kw_only=True):
    """How the same rule on the same words by the same role was decided last in this broadcast."""

    alert: str
    outcome: Outcome


class Standing(Struct, frozen=True, kw_only=True):
    """A graver alert of the same room that people still have before them."""

    alert: str
    severity: Severity
    category: tuple[str, ...]


def inhibited(severity: Severity, category: Sequence[str], others: Iterable[Standing]) -> Held | None:
    """A graver alert of the same room and category hides a lesser one."""
    for other in others:
        if RANK[other.severity] > RANK[severity] and not set(category).isdisjoint(other.category):
            return Held(Hold.INHIBITED, other.alert)
    return None


def holding(
    *, tier: Tier, severity: Severity, category: Sequence[str], labels: Labels, now: int,
    silences: Iterable[tuple[str, Silence]], excepted: str, ruled: Ruled | None, others: Iterable[Standing],
    storm: str,
) -> Iterator[Held]:
    """All that would hold a new alert, what counts first; nothing: it goes to its post. `silences`: with their ids;
    `excepted`: the id of the exception that covers all its words, "" for none; `storm`: the id of the rule's storm, ""
    where none rages."""
    if tier is Tier.CARE:
        return
    if excepted:
        yield Held(Hold.EXCEPTED, excepted)
    yield from (Held(Hold.SILENCED, name) for name, silence in silences if silence.holds(labels, now))
    if ruled is not None and ruled.outcome is Outcome.NO_VIOLATION:
        yield Held(Hold.SAME_WORDING, ruled.alert)
    hidden = inhibited(severity, category, others)
    if hidden is not None:
        yield hidden
    if storm:
        yield Held(Hold.STORM, storm)
