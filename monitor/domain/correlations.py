"""Correlation rules as values: findings of several rules in time, or a statement that was not heard.

The types and their words are Sigma's (specification 2.0); `absence` and waves are ours. What a window is, is the
engine's business; here stands what a rule says, and what is wrong with it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import fields

from monitor.domain.events import SIGNALS, Kind, Role
from monitor.domain.phrases import phrase
from monitor.domain.rules import AnyRule

STARTED: Final = "broadcast_started"
ENDED: Final = "broadcast_ended"
SHORTEST_MS: Final = 1_000
LONGEST_MS: Final = 86_400_000
SHORTEST_EVERY_MS: Final = 60_000
MOST: Final = 1_000
"""The largest number that a condition may name: so many observations of a window are remembered."""


class CorrelationType(StrEnum):
    EVENT_COUNT = "event_count"  # so many events
    VALUE_COUNT = "value_count"  # so many distinct values of a field
    TEMPORAL = "temporal"  # all of the rules, in any order
    TEMPORAL_ORDERED = "temporal_ordered"  # all of the rules, in the order in which they are named
    ABSENCE = "absence"  # none of the statements within a time of something


class By(StrEnum):
    """What findings of one window have in common, beside the tenant."""

    ROOM = "room"
    SPEAKER = "speaker"
    BROADCAST = "broadcast"
    SOURCE = "source"
    RULE = "rule"


class Field(StrEnum):
    """What `value_count` counts the distinct values of. Near-identical texts are one value."""

    SPEAKER = "speaker"
    TEXT = "text"
    BROADCAST = "broadcast"
    SOURCE = "source"
    RULE = "rule"


class Threshold(Struct, frozen=True, kw_only=True):
    """A count's bounds: one of them, or a lower and an upper one."""

    gte: int | None = None
    gt: int | None = None
    lte: int | None = None
    lt: int | None = None
    eq: int | None = None

    @property
    def low(self) -> int:
        """The least count that holds; nothing is counted where nothing is found, so 1 without a lower bound."""
        return max(n for n in (1, self.gte, self.eq, None if self.gt is None else self.gt + 1) if n is not None)

    @property
    def high(self) -> int | None:
        """The largest count that holds, or None where there is none."""
        bounds = [n for n in (self.lte, self.eq, None if self.lt is None else self.lt - 1) if n is not None]
        return min(bounds, default=None)


class After(Struct, frozen=True):
    """What a statement must follow: each signal of a name, or a rule's first finding of a broadcast, or, with neither,
    the broadcast's start."""

    signal: str = ""
    rule: str = ""


class Correlation(Struct, frozen=True, kw_only=True):
    """Times in ms. `generate` False: the rules that are referred to make no finding of their own.

    `wave`: counted are near-identical messages only, each wave of them by itself. Of `absence` alone: `unless` are the
    rules that recognise the statement; it is due `within_ms` of `after`, then every `every_ms` since it was last heard.
    """

    type: CorrelationType
    rules: tuple[str, ...] = ()
    group_by: tuple[By, ...] = (By.ROOM,)
    timespan_ms: int = 0
    condition: Threshold | None = None
    field: Field | None = None
    wave: bool = False
    generate: bool = True
    after: After | None = None
    within_ms: int = 0
    unless: tuple[str, ...] = ()
    every_ms: int = 0

    @property
    def refers(self) -> tuple[str, ...]:
        """Ids of all the rules that it looks at."""
        return (*self.rules, *((self.after.rule,) if self.after and self.after.rule else ()), *self.unless)


class CaseEvent(Struct, frozen=True, kw_only=True):
    """`after_ms` since the case's beginning. `account` tells apart those who write; `signal` stands for a text."""

    after_ms: int
    text: str = ""
    kind: Kind = Kind.TRANSCRIPT
    speaker: Role | None = None
    account: str = ""
    signal: str = ""


class CorrelationCase(Struct, frozen=True, kw_only=True):
    """`until_ms`: how long time goes on, at least to the last event."""

    events: tuple[CaseEvent, ...]
    expect: bool
    until_ms: int = 0
    line: int = 0

    @property
    def length_ms(self) -> int:
        return max([self.until_ms, *(event.after_ms for event in self.events)])


class CorrelationRule(AnyRule, frozen=True, kw_only=True):
    """One check over findings in time. `applies` chooses among rooms; what is said, the rules choose that it names."""

    correlation: Correlation
    cases: tuple[CorrelationCase, ...] = ()


class CorrelationFault(Struct, frozen=True):
    """What is wrong with the value of a key (as rule files spell it)."""

    rule: str
    key: str
    message: str
    hint: str = ""


Found = Iterator[tuple[str, str, str]]
"""(key, message, hint)"""

_COUNTS: Final = (CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT)
_WINDOW: Final = frozenset(("rules", "group_by", "timespan_ms"))
TAKES: Final[Mapping[CorrelationType, frozenset[str]]] = {
    CorrelationType.EVENT_COUNT: _WINDOW | {"condition", "wave"},
    CorrelationType.VALUE_COUNT: _WINDOW | {"condition", "wave", "field"},
    CorrelationType.TEMPORAL: _WINDOW,
    CorrelationType.TEMPORAL_ORDERED: _WINDOW,
    CorrelationType.ABSENCE: frozenset(("after", "within_ms", "unless", "every_ms")),
}
"""The fields that a type uses, beside `type` and `generate`."""


def faults(rules: Sequence[CorrelationRule], known: Collection[str]) -> list[CorrelationFault]:
    """Everything that is wrong. `known`: ids of the other rules."""
    by_id = {rule.id: rule for rule in rules}
    found: list[CorrelationFault] = []
    for place, rule in enumerate(rules):
        if rule.id in known or any(other.id == rule.id for other in rules[:place]):
            found.append(CorrelationFault(rule.id, "id", phrase("the id {id} stands twice", id=rule.id),
                                          "choose another"))
        some = (*_unused(rule.correlation), *_times(rule.correlation), *_references(rule, by_id, known),
                *_shape(rule.correlation), *_condition(rule.correlation), *_circle(rule.id, by_id))
        found += [CorrelationFault(rule.id, *one) for one in some]
    return found


def spelled(name: str) -> str:
    """A field's name as rule files spell it: group-by, timespan."""
    return name.removesuffix("_ms").replace("_", "-")


def _unused(correlation: Correlation) -> Found:
    for field in fields(Correlation):
        if field.name in ("type", "generate") or field.name in TAKES[correlation.type]:
            continue
        if getattr(correlation, field.name) != field.default:
            yield spelled(field.name), phrase("{type} takes no {name}", type=correlation.type,
                                              name=spelled(field.name)), "remove it"


def _times(correlation: Correlation) -> Found:
    takes = TAKES[correlation.type]
    for name, least in (("timespan_ms", SHORTEST_MS), ("within_ms", SHORTEST_MS), ("every_ms", SHORTEST_EVERY_MS)):
        length: int = getattr(correlation, name)
        if name in takes and not least <= length <= LONGEST_MS and (name != "every_ms" or length):
            yield spelled(name), phrase("{length} s is out of bounds",
                                        length=f"{length / 1000:g}"), phrase("from {least} s to 24 h",
                                                                             least=least // 1000)


def _references(rule: CorrelationRule, by_id: Mapping[str, CorrelationRule], known: Collection[str]) -> Found:
    correlation = rule.correlation
    after = correlation.after
    named = {"rules": correlation.rules, "unless": correlation.unless,
             "after": (after.rule,) if after is not None and after.rule else ()}
    for key, ids in named.items():
        for place, name in enumerate(ids):
            if name in ids[:place]:
                yield key, phrase("{name} is named twice", name=name), "remove one"
            elif name not in by_id and name not in known:
                yield key, phrase("there is no rule {name}", name=name), "name a rule by its id"
            elif name in by_id and name != rule.id and by_id[name].correlation.type is CorrelationType.ABSENCE:
                yield key, phrase("{name} is an absence: it has no event that could be counted",
                                  name=name), "name other rules"
    if after is not None and after.signal and after.rule:
        yield "after", "a signal and a rule are named", "name one"
    if after is not None and after.signal and (after.signal not in SIGNALS or after.signal == ENDED):
        following = ", ".join(sorted(SIGNALS - {ENDED}))
        yield ("after", phrase("nothing follows a signal {signal}", signal=after.signal),
               phrase("one of {names}", names=following))
    if after is not None and after.rule in correlation.unless:
        yield "unless", phrase("{rule} would satisfy what it demands", rule=after.rule), "name other rules"


def _shape(correlation: Correlation) -> Found:
    takes = TAKES[correlation.type]
    temporal = "rules" in takes and correlation.type not in _COUNTS
    for name, least in (("rules", 2 if temporal else 1), ("unless", 1)):
        if name in takes and len(getattr(correlation, name)) < least:
            yield name, phrase("{type} needs {least} rules or more", type=correlation.type,
                               least=least), "name them by their ids"
    if "after" in takes and correlation.after is None:
        yield "after", "it is not said what the statement must follow", "name a signal, a rule, or the broadcast"
    if "group_by" not in takes:
        return
    if By.ROOM not in correlation.group_by:
        yield "group-by", "findings of different rooms are not correlated", "add room"
    if len(set(correlation.group_by)) < len(correlation.group_by):
        yield "group-by", "a name stands twice", "remove one"
    if temporal and By.RULE in correlation.group_by:
        yield "group-by", "grouped by rule, different rules never meet", "remove rule"


def _condition(correlation: Correlation) -> Found:
    if correlation.type not in _COUNTS:
        return
    yield from _field(correlation)
    bounds = correlation.condition
    if bounds is None or bounds == Threshold():
        yield "condition", "a count needs a condition", "such as {gte: 5}"
        return
    lower, upper = ([n for n in pair if n is not None] for pair in ((bounds.gte, bounds.gt), (bounds.lte, bounds.lt)))
    low, high = bounds.low, bounds.high
    if len(lower) > 1 or len(upper) > 1 or (bounds.eq is not None and (lower or upper)):
        yield "condition", "two bounds say the same", "one of eq, or one lower and one upper bound"
    elif high is not None and low > high:
        yield "condition", phrase("no count is at least {low} and at most {high}", low=low,
                                  high=high), "correct the bounds"
    elif lower and low < 2:
        yield "condition", "one finding is no correlation", "gte: 2 or more"
    elif max(low, high or 0) > MOST:
        yield "condition", phrase("a count of {count} is too much", count=max(low, high or 0)), phrase("at most {most}",
                                                                                                       most=MOST)
    elif correlation.field is Field.RULE and low > len(correlation.rules):
        yield "condition", phrase("only {count} rules are named",
                                  count=len(correlation.rules)), "name more, or lower the bound"


def _field(correlation: Correlation) -> Found:
    if correlation.type is not CorrelationType.VALUE_COUNT:
        return
    if correlation.field is None:
        yield "field", "it is not said what is counted", phrase("one of {fields}", fields=", ".join(Field))
    elif correlation.field.value in correlation.group_by:
        yield "field", phrase("grouped by {field}, it has one value",
                              field=correlation.field), "remove it from group-by"
    elif correlation.field is Field.TEXT and correlation.wave:
        yield "field", "the texts of a wave are one value", "count speakers, or leave wave out"


def _circle(start: str, by_id: Mapping[str, CorrelationRule]) -> Found:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        for other in by_id[name].correlation.refers if name in by_id else ():
            if other == start:
                way = phrase("itself") if name == start else phrase("itself by way of {name}", name=name)
                yield "rules", phrase("{start} refers to {way}", start=start, way=way), "remove one of the references"
                return
            if other not in seen:
                seen.add(other)
                ahead.append(other)
