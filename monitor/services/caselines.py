"""The cases of rules as labelled lines, so that a classifier knows what the rules that it gates look for."""

import msgspec

from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.labelled import HARD, VIOLATION, Labelled
from monitor.domain.rules import Case, Rule
from monitor.engine.engineset import EngineSet
from monitor.services.classifying import batched, categories_of


def case_lines(engine: EngineSet, *, now: int) -> list[Labelled]:
    """Each text once, with the categories of all rules that hold for it; of cases without a finding those in which no
    other rule has one. What a rule advises to say instead is such a case, too. Each rule's are a brief of their own.
    `engine`: without a classifier. `now`: UTC ms."""
    rules = [rule for rule in engine.ruleset.rules if rule.category]
    cases = [(rule, case) for rule in rules for case in (*rule.cases, *_advised(rule))]
    found: dict[str, Labelled] = {}
    events = [_event(i, case, now) for i, (_, case) in enumerate(cases)]
    for (rule, case), categories in zip(cases, categories_of(engine, batched(events)), strict=True):
        labels = categories | (set(rule.category) if case.expect else set())
        if not case.expect and categories:
            continue
        known = found.get(case.text)
        if known is None:
            found[case.text] = _line(rule, case, labels)
        elif labels:
            found[case.text] = msgspec.structs.replace(
                known, labels=sorted({*known.labels, *labels}), type=VIOLATION, near="")
    return list(found.values())


def _advised(rule: Rule) -> list[Case]:
    return [Case(text, (), line=rule.line) for text in rule.advice.rewrite.values()]


def _line(rule: Rule, case: Case, labels: set[str]) -> Labelled:
    return Labelled(
        id=f"{rule.id}:{case.line}", type=VIOLATION if labels else HARD, labels=sorted(labels), kind=case.kind,
        speaker=_speaker(case), near="" if labels else rule.category[0], brief=f"cases of {rule.id}", text=case.text)


def _speaker(case: Case) -> Role:
    """As of an event that says none."""
    usual = {Kind.COMMENT: Role.UNKNOWN, Kind.CAPTION: Role.OFFICIAL, Kind.PRODUCT: Role.OFFICIAL}
    return case.speaker or usual.get(case.kind, Role.HOST)


def _event(number: int, case: Case, now: int) -> Event:
    return Event(id=str(number), kind=case.kind, text=case.text, speaker=Speaker(_speaker(case)),
                 at=now if case.at is None else case.at)
