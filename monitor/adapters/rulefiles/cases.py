"""The cases of a rule: texts with the selections that they must hit, or none."""

from datetime import datetime

import msgspec

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.detection import Detection, can_hold
from monitor.adapters.rulefiles.faults import Faults, guess, shown
from monitor.adapters.rulefiles.fields import Fields, items_of, words_of
from monitor.adapters.rulefiles.nodes import Broken, Items, Node, Scalar
from monitor.adapters.rulefiles.rooms import read_facts
from monitor.domain.conditions import names_in
from monitor.domain.events import Event, Kind, Role, Stage, role_and_id
from monitor.domain.phrases import phrase
from monitor.domain.rules import Applies, Case, Status


def read_cases(
    rule: Fields, status: Status | None, applies: Applies, detection: Detection
) -> tuple[Case, ...]:
    faults, node = rule.faults, rule.node("cases")
    found: list[Case] = []
    signs: set[bool] = set()
    seen: dict[str, int] = {}
    for item in items_of(node, faults, "cases") if node is not None else []:
        fields = Fields(item, faults, phrase("the case"), keys.CASE)
        case = _case(fields, detection)
        found.append(case)
        if "expect" in fields:
            signs.add(not _is_none(fields.node("expect")))
        if case.expect:
            _check_applies(case, applies, fields)
        key = repr(msgspec.structs.replace(case, expect=(), exempt="", line=0))
        if case.text and key in seen:
            faults.add(item, phrase("this case stands twice, first in line {line}", line=seen[key]), "remove one")
        seen.setdefault(key, case.line)
    by_score = detection.condition is not None and all(
        part.form == "score" for name, part in detection.parts.items() if name in names_in(detection.condition))
    if by_score:  # the model's card says how good it is
        return tuple(found)
    if status is not None and status is not Status.DRAFT and not isinstance(node, Broken):
        for sign, outcome, example in ((True, phrase("a positive"), "[a selection]"),
                                       (False, phrase("a negative"), "none")):
            if sign not in signs:
                faults.add(node or rule.at, phrase("the rule has no case with {outcome} outcome", outcome=outcome),
                           phrase("add {text: …, expect: {example}}, or set status: draft", example=example))
    return tuple(found)


def _case(fields: Fields, detection: Detection) -> Case:
    fields.require("text", "expect")
    room = fields.node("room")
    kind = fields.choice("kind", Kind) or Kind.TRANSCRIPT
    if kind is Kind.SIGNAL:
        fields.faults.add(fields.where("kind"), "a signal has no text to judge", "remove the case")
    return Case(
        text=fields.text("text"),
        expect=_expect(fields.node("expect"), detection, fields.faults),
        kind=kind,
        speaker=fields.choice("speaker", Role),
        stage=fields.choice("stage", Stage) or Stage.LIVE,
        line=fields.at.line,
        at=_at(fields),
        offset_ms=fields.whole("offset", most=86_400) * 1000 if "offset" in fields else None,
        room=None if room is None else read_facts(Fields(room, fields.faults, phrase("the room"), keys.CASE_ROOM)),
        exempt=fields.text("exempt"),
    )


def _at(fields: Fields) -> int | None:
    """UTC ms of a time with its offset."""
    text = fields.text("at")
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        fields.faults.add(fields.where("at"), "at must be a time with its offset",
                          "write '2026-11-26T23:30:00+08:00', in quotes")
        return None
    return round(at.timestamp() * 1000)


def _check_applies(case: Case, applies: Applies, fields: Fields) -> None:
    """A case that expects hits where the rule is not asked can never pass."""
    role = case.speaker or role_and_id(Event(id="case", kind=case.kind, text=case.text))[0]
    for key, value, known in (
        ("kind", case.kind, applies.kinds),
        ("speaker", role, applies.speakers),
        ("stage", case.stage, applies.stages),
    ):
        if known and value not in known:
            fields.faults.add(fields.where(key),
                              phrase("the rule does not apply to the {key} {value}", key=key, value=value),
                              phrase("say {key}: {known}, expect none, or change applies", key=key, known=min(known)))
            return


def _is_none(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value == "none"


def _expect(node: Node | None, detection: Detection, faults: Faults) -> tuple[str, ...]:
    if node is None or _is_none(node) or isinstance(node, Broken):
        return ()
    if not isinstance(node, Items) or not node.items:
        wrong = node.value if isinstance(node, Scalar) and node.value in detection.parts else "a selection"
        faults.add(node, "expect must be a list of selections, or none", phrase("write [{wrong}] or none", wrong=wrong))
        return ()
    found: list[str] = []
    before = faults.count
    for name, at in words_of(node, faults, "expect"):
        why = _unexpectable(name, detection)
        if why is not None:
            faults.add(at, phrase("expect: {why}", why=why[0]), why[1])
        found.append(name)
    if faults.count == before and not can_hold(detection, found):
        faults.add(node, phrase("expect: the condition cannot hold with hits of {names}", names=" and ".join(found)),
                   "correct one of them; cases run without a model")
    return tuple(found)


def _unexpectable(name: str, detection: Detection) -> tuple[str, str] | None:
    """(message, hint) where no case can expect this selection."""
    allowed = detection.expectable()
    part = detection.parts.get(name)
    if part is None:
        known = allowed or list(detection.parts)
        return (phrase("there is no selection {name}", name=shown(name)),
                guess(name, known)) if detection.parts else None
    if part.form == "score":
        return phrase("{name} is a score; cases run without a model", name=name), "expect terms, patterns or a detector"
    if part.silent:
        return phrase("{name} acts silently and leaves no hits", name=name), guess(name, allowed)
    if detection.condition is not None and name not in allowed:
        return phrase("the condition does not speak of {name}", name=name), guess(name, allowed)
    return None
