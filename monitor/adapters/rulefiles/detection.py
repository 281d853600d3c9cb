"""The detection of a rule: its selections, how they refer to one another, and the condition."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

from monitor.adapters.rulefiles.faults import Faults, guess, meant, shown
from monitor.adapters.rulefiles.fields import text_of
from monitor.adapters.rulefiles.nodes import Broken, Node, Scalar, Table
from monitor.adapters.rulefiles.selections import Lists, Part, read_selection
from monitor.domain.conditions import And, Condition, ConditionError, Not, Ref, evaluate, names_in, parse
from monitor.domain.conditions import can_hold as satisfiable
from monitor.domain.phrases import phrase

RESERVED: Final = frozenset(("and", "or", "not", "of", "all", "any", "them", "none", "condition", "exempt"))
MAX_CONDITION: Final = 2_000
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_WORD: Final = re.compile(r"[A-Za-z0-9_]+")


class Detection(Struct, frozen=True):
    """`condition` is None where it could not be read."""

    parts: dict[str, Part]
    condition: Condition | None

    def expectable(self) -> list[str]:
        """Selections whose hits a case may expect: spoken of by the condition, or near-partners of such."""
        if self.condition is None:
            return []
        named = names_in(self.condition)
        near = {of for n, p in self.parts.items() if p.selection.near and n in named for of in p.selection.near.of}
        return [n for n, p in self.parts.items() if n in named | near and p.has_hits and not p.silent]


def read_detection(node: Node, lists: Lists, contexts: Collection[str], faults: Faults) -> Detection:
    if not isinstance(node, Table):
        if not isinstance(node, Broken):
            faults.add(node, "detection must be a table of selections and a condition", "see docs/rules.md")
        return Detection({}, None)
    parts: dict[str, Part] = {}
    said: Node | None = None
    keys = {name.value for name, _ in node.pairs}
    for name, value in node.pairs:
        if name.value == "condition":
            said = value
            continue
        if isinstance(value, Scalar) and meant(name.value, ("condition",)) and "condition" not in keys:
            faults.add(name, phrase("detection has no key {value}", value=shown(name.value)), "did you mean condition?")
            said = value
            continue
        if not _NAME.fullmatch(name.value) or name.value.lower() in RESERVED:
            faults.add(name, phrase("{value} cannot name a selection", value=shown(name.value)),
                       "letters, digits and _, a letter first, and none of the words of a condition")
        parts[name.value] = read_selection(name, value, lists, contexts, faults)
    for part in parts.values():
        for target, at in part.targets:
            _check_target(part, target, at, parts, faults)
    _check_circles(parts, faults)
    if said is None:
        faults.add(node, "detection has no condition", "add condition: …, which names the selections")
        return Detection(parts, None)
    condition = _condition(said, parts, faults)
    if condition is not None:
        _check_used(condition, parts, faults)
        if evaluate(condition, lambda name: False):
            faults.add(said, "the condition holds where nothing is found", "join by and what must have hits")
        elif not satisfiable(condition):
            faults.add(said, "the condition can never hold", "it asks for a selection and for its absence at once")
    return Detection(parts, condition)


def _check_target(part: Part, name: str, at: Node, parts: Mapping[str, Part], faults: Faults) -> None:
    """That what a veto or near names exists and has hits."""
    kind = "veto" if part.vetoes else "near"
    target = parts.get(name)
    if part.vetoes and name == "all":
        if len(part.targets) > 1:
            faults.add(at, "veto: all stands beside other names", "write veto: all")
    elif target is None:
        others = [other for other in parts if other != part.name.value] + ["all"] * part.vetoes
        faults.add(at, phrase("{kind}: there is no selection {name}", kind=kind, name=shown(name)), guess(name, others))
    elif target is part:
        faults.add(at, phrase("{kind}: a selection cannot refer to itself", kind=kind), "name another one")
    elif not target.has_hits:
        faults.add(at,
                   phrase("{kind}: {name} is of the form {form}, which has no hits to reach", kind=kind, name=name,
                          form=target.form),
                   "name terms, patterns or a detector")
    elif target.form == "context" and not target.vetoes:
        faults.add(at,
                   phrase("{kind}: {name} is a context, which is heard only once the hits are settled", kind=kind,
                          name=name),
                   "write its words as terms, or name it in the condition")
    elif not part.vetoes and target.silent:
        faults.add(at, phrase("near: {name} is a veto, whose hits count for nothing", name=name), "name another one")


def _check_circles(parts: Mapping[str, Part], faults: Faults) -> None:
    """That no hit counts only where a hit counts that counts only where it counts."""
    asks = {name: part.selection.near.of for name, part in parts.items() if part.selection.near}
    for name, part in parts.items():
        seen: set[str] = set()
        ahead = list(asks.get(name, ()))
        while ahead:
            other = ahead.pop()
            if other == name and part.targets and name not in asks[name]:
                faults.add(part.targets[0][1],
                           phrase("near: {name} asks for {names}, and that for {name}", name=name,
                                  names=" or ".join(asks[name])),
                           "let one of them ask, and name both in the condition")
                break
            if other not in seen:
                seen.add(other)
                ahead += asks.get(other, ())


def _condition(node: Node, parts: Mapping[str, Part], faults: Faults) -> Condition | None:
    text = text_of(node, faults, "condition", limit=MAX_CONDITION)
    if not text or not isinstance(node, Scalar):
        return None
    names = [name for name, part in parts.items() if not part.silent]
    try:
        return parse(text, names)
    except ConditionError as error:
        at = node.place(min(error.column, len(text)))
        word = _WORD.match(text, error.column)
        part = parts.get(word[0]) if word else None
        if part is not None and part.silent:
            what = phrase("a veto") if part.vetoes else phrase("an allow list")
            faults.add(at, phrase("{value} is {what} and acts without being named", value=part.name.value, what=what),
                       "remove it from the condition")
        else:
            near = guess(word[0], names) if word and "no selection" in str(error) else error.hint
            faults.add(at, phrase("condition: {why}", why=error.args[0]), near or error.hint)
        return None


def _check_used(condition: Condition, parts: Mapping[str, Part], faults: Faults) -> None:
    named = names_in(condition)
    nears = [p.selection.near.of for p in parts.values() if p.selection.near]
    near = {of for each in nears for of in each}
    for name, part in parts.items():
        if name not in named | near and part.form and not part.silent and () not in nears:
            faults.add(part.name, phrase("the selection {name} is never used", name=name),
                       "name it in the condition, or remove it")


def can_hold(detection: Detection, expected: Sequence[str]) -> bool:
    """Whether the condition can be true, without a model, where these selections have hits."""
    if detection.condition is None:
        return True
    scores = [name for name, part in detection.parts.items() if part.form == "score"]
    return _possible(detection.condition, expected, scores)[0]


def _possible(condition: Condition, hit: Sequence[str], unknown: Sequence[str]) -> tuple[bool, bool]:
    """(may be true, may be false); neither for what stays unknown."""
    if isinstance(condition, Ref):
        return condition.name not in unknown, condition.name not in unknown and condition.name not in hit
    if isinstance(condition, Not):
        true, false = _possible(condition.part, hit, unknown)
        return false, true
    parts = [_possible(part, hit, unknown) for part in condition.parts]
    join, other = (all, any) if isinstance(condition, And) else (any, all)
    return join(true for true, _ in parts), other(false for _, false in parts)
