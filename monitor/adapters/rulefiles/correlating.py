"""The correlation of a rule, and its cases: several events in time, or a statement that is not heard."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.faults import Faults, guess, shown
from monitor.adapters.rulefiles.fields import Fields, items_of, member
from monitor.adapters.rulefiles.nodes import Broken, Node, Scalar
from monitor.domain.correlations import (
    ENDED,
    LONGEST_MS,
    After,
    By,
    CaseEvent,
    Correlation,
    CorrelationCase,
    CorrelationRule,
    CorrelationType,
    Field,
    Threshold,
    faults,
)
from monitor.domain.events import SIGNALS, Kind, Role
from monitor.domain.phrases import phrase
from monitor.domain.rules import AnyRule, Status

_LENGTH: Final = re.compile(r"(0|[1-9][0-9]{0,5})(ms|s|m|h)")
_UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_BROADCAST: Final = "broadcast"
_COUNT: Final = 1_000_000
_EXPECTED: Final = ("finding", "none")
_FED_BY: Final = {Status.ACTIVE: (Status.ACTIVE,), Status.SHADOW: (Status.ACTIVE, Status.SHADOW)}
"""Rules of which status a correlation needs, by its own; one that judges nothing needs none."""


def read_correlation(node: Node, found: Faults) -> tuple[Correlation, Fields]:
    """What it says, and where; whether it makes sense is `check`'s business, when all rules are known."""
    fields = Fields(node, found, "correlation", keys.CORRELATION)
    fields.require("type")
    return Correlation(
        type=fields.choice("type", CorrelationType) or CorrelationType.EVENT_COUNT,
        rules=_ids(fields, "rules"),
        group_by=_group_by(fields),
        timespan_ms=_length(fields, "timespan"),
        condition=_condition(fields),
        field=fields.choice("field", Field),
        wave=fields.flag("wave"),
        generate="generate" not in fields or fields.flag("generate"),
        after=_after(fields),
        within_ms=_length(fields, "within"),
        unless=_ids(fields, "unless"),
        every_ms=_length(fields, "every"),
    ), fields


def check(
    correlations: Sequence[CorrelationRule], others: Iterable[AnyRule], ids: Collection[str],
    places: Mapping[str, Fields],
) -> None:
    """Note what is wrong between rules. `ids`: of all rules, those that could not be read included; `places`: of each
    correlation."""
    for fault in faults(correlations, ids):
        if fault.key != "id":  # noted where the ids are read
            fields = places[fault.rule]
            fields.faults.add(fields.where(fault.key), phrase("{key}: {message}", key=fault.key, message=fault.message),
                              fault.hint)
    by_id: dict[str, AnyRule] = {rule.id: rule for rule in (*others, *correlations)}
    for rule in correlations:
        for name in rule.correlation.refers:
            if name in by_id and by_id[name].status not in _FED_BY.get(rule.status, Status):
                fields = places[rule.id]
                fields.faults.add(fields.at,
                                  phrase("{name} is {status}, so nothing is found for this rule", name=name,
                                         status=by_id[name].status),
                                  "make it active, or this rule a draft")


def read_correlation_cases(rule: Fields, status: Status | None) -> tuple[CorrelationCase, ...]:
    node, found = rule.node("cases"), rule.faults
    cases = [_case(Fields(item, found, phrase("the case"), keys.CORRELATION_CASE))
             for item in (items_of(node, found, "cases") if node is not None else [])]
    if status is not None and status is not Status.DRAFT and not isinstance(node, Broken):
        for sign, outcome, example in ((True, phrase("a positive"), "finding"), (False, phrase("a negative"), "none")):
            if sign not in [case.expect for case in cases]:
                found.add(node or rule.at, phrase("the rule has no case with {outcome} outcome", outcome=outcome),
                          phrase("add {events: […], expect: {example}}, or set status: draft", example=example))
    return tuple(cases)


def _case(fields: Fields) -> CorrelationCase:
    fields.require("events", "expect")
    node, expect = fields.node("events"), fields.text("expect")
    if expect and expect not in _EXPECTED:
        fields.faults.add(fields.where("expect"), phrase("expect: {expect} is no outcome", expect=shown(expect)),
                          "write finding or none")
    events = [_event(Fields(item, fields.faults, phrase("the event"), keys.CASE_EVENT))
              for item in (items_of(node, fields.faults, "events") if node is not None else [])]
    until = _length(fields, "until")
    latest = max((event.after_ms for event in events), default=0)
    if "until" in fields and until < latest:
        fields.faults.add(fields.where("until"), "until lies before the last event", "leave it out, or make it longer")
    return CorrelationCase(events=tuple(events), expect=expect == "finding", until_ms=until,
                           line=fields.at.line)


def _event(fields: Fields) -> CaseEvent:
    fields.require("after")
    kind = fields.choice("kind", Kind) or Kind.TRANSCRIPT
    if kind is Kind.SIGNAL or ("text" in fields) == ("signal" in fields):
        fields.faults.add(fields.at, "an event is a text or a signal", "write text: … or signal: …")
    signal = fields.text("signal")
    if signal and signal not in SIGNALS:
        fields.faults.add(fields.where("signal"), phrase("there is no signal {signal}", signal=shown(signal)),
                          guess(signal, sorted(SIGNALS)))
    return CaseEvent(after_ms=_length(fields, "after"), text=fields.text("text"), kind=kind,
                     speaker=fields.choice("speaker", Role), account=fields.text("account"), signal=signal)


def _ids(fields: Fields, key: str) -> tuple[str, ...]:
    return tuple(word for word, _ in fields.words(key))


def _group_by(fields: Fields) -> tuple[By, ...]:
    if "group-by" not in fields:
        return (By.ROOM,)
    chosen = (member(word, at, fields.faults, "group-by", By) for word, at in fields.words("group-by"))
    return tuple(by for by in chosen if by is not None)


def _length(fields: Fields, key: str) -> int:
    """Milliseconds; 0 where none is given."""
    node = fields.node(key)
    if node is None or isinstance(node, Broken):
        return 0
    found = _LENGTH.fullmatch(node.value) if isinstance(node, Scalar) else None
    length = int(found[1]) * _UNITS[found[2]] if found else LONGEST_MS + 1
    if length > LONGEST_MS:
        fields.faults.add(node, phrase("{key} is no length of time up to 24 h", key=key),
                          "write a number and its unit, such as 60s")
        return 0
    return length


def _condition(fields: Fields) -> Threshold | None:
    node = fields.node("condition")
    if node is None:
        return None
    inner = Fields(node, fields.faults, "condition", keys.THRESHOLD)
    return Threshold(**{key: inner.whole(key, most=_COUNT) for key in keys.THRESHOLD if key in inner})


def _after(fields: Fields) -> After | None:
    node = fields.node("after")
    if node is None:
        return None
    if isinstance(node, Scalar) and node.value == _BROADCAST:
        return After()
    inner = Fields(node, fields.faults, "after", keys.AFTER)
    signal, rule = inner.text("signal"), inner.text("rule")
    if inner.readable and not inner.strangers and "signal" not in inner and "rule" not in inner:
        fields.faults.add(node, "after names nothing",
                          phrase("write {broadcast}, {signal: …} or {rule: …}", broadcast=_BROADCAST))
    if signal and signal not in SIGNALS - {ENDED}:
        inner.faults.add(inner.where("signal"), phrase("nothing follows a signal {signal}", signal=shown(signal)),
                         guess(signal, sorted(SIGNALS - {ENDED})))
        signal = ""
    return After(signal, rule)
