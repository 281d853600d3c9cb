"""A JSON Schema of rule files, for editors: names, choices and shapes. What only the loader knows, it says at load."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

from monitor.adapters.rulefiles import keys
from monitor.domain.correlations import ENDED, By, CorrelationType, Field
from monitor.domain.events import SIGNALS, Kind, Role, Stage
from monitor.domain.findings import Severity, Tier
from monitor.domain.rules import CATEGORIES, DETECTORS, EXTRA, FOLDS, Fact, Listed, Side, Status

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT, "minItems": 1}
_WITHIN: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 200}
_LIST: Final[Schema] = {
    "type": "object", "properties": {"list": _TEXT}, "required": ["list"], "additionalProperties": False,
}
_TERM: Final[Schema] = {"type": "string", "minLength": 2, "maxLength": 200}
_TERMS: Final[Schema] = {"oneOf": [{"type": "array", "minItems": 1, "items": {"oneOf": [_TERM, _LIST]}}, _LIST]}
_FLAG: Final[Schema] = {"type": "boolean"}
_LENGTH: Final[Schema] = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"}
_DAY: Final[Schema] = {"type": "string", "format": "date"}


def rule_schema() -> Schema:
    """JSON Schema 2020-12 of one rule file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "redpost rule",
        **_table(keys.RULE, {
            "id": {"type": "string", "pattern": "^[a-z][a-z0-9_]*[.][a-z][a-z0-9_]*$"},
            "tier": _one(Tier), "severity": _one(Severity), "status": _one(Status),
            "category": {"oneOf": [_one(CATEGORIES), {"type": "array", "items": _one(CATEGORIES)}]},
            "sub": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
            "effective": _table(keys.EFFECTIVE, {key: _DAY for key in keys.EFFECTIVE}),
            "clauses": _TEXTS, "applies": _applies(), "detection": _detection(),
            "exempt": _table(keys.EXEMPT, {"when": {"oneOf": [_TERMS, _selection()]}, "within": _WITHIN}, keys.EXEMPT),
            "advice": _table(keys.ADVICE, {"rewrite": {"type": "object", "additionalProperties": _TEXT}}),
            "correlation": _correlation(),
            "cases": {"type": "array", "items": {"oneOf": [_case(), _correlation_case()]}},
        }, ("id", "title", "tier", "severity", "status")),
        "oneOf": [{"required": ["detection"]}, {"required": ["correlation"]}],
    }


def _table(known: Sequence[str], own: Schema, required: Sequence[str] = ()) -> Schema:
    """An object of these keys; those that `own` does not describe are texts."""
    found: Schema = {"type": "object", "properties": {key: own.get(key, _TEXT) for key in known},
                     "additionalProperties": False}
    return found | ({"required": list(required)} if required else {})


def _one(of: Iterable[str | StrEnum]) -> Schema:
    return {"enum": [str(each) for each in of]}


def _any_of(items: Schema) -> Schema:
    return {"oneOf": [{"const": "any"}, {"type": "array", "items": items, "minItems": 1}]}


def _applies() -> Schema:
    return _table(keys.APPLIES, {
        "kinds": _any_of(_one(kind for kind in Kind if kind is not Kind.SIGNAL)), "speakers": _any_of(_one(Role)),
        "stages": _any_of(_one(Stage)), "platforms": _any_of(_TEXT), "verticals": _any_of(_TEXT),
        "rooms": {"oneOf": [{"const": "any"}, _table(keys.ROOM_FILTER, dict.fromkeys(keys.ROOM_FILTER, _TEXTS))]},
        "likely": _FLAG,
    })


def _detection() -> Schema:
    return {"type": "object", "required": ["condition"], "properties": {"condition": _TEXT},
            "additionalProperties": {"oneOf": [_TERMS, _selection()]}}


def _selection() -> Schema:
    fact = {"oneOf": [_TEXT, _TEXTS]}
    return _table(keys.SELECTION, {
        "terms": _TERMS, "allow": _TERMS, "patterns": _TEXTS, "context": _TEXTS, "detector": _one(DETECTORS),
        "score": _one(CATEGORIES), "gte": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "views": {"type": "array", "items": _one(FOLDS)}, "also": {"type": "array", "items": _one(EXTRA)},
        "times": {"type": "integer", "minimum": 2, "maximum": 99}, "within": _WITHIN, "side": _one(Side),
        "listed": _one(Listed), "room": _table(tuple(Fact), dict.fromkeys(Fact, fact)),
        "ordered": _FLAG, "unproven": _FLAG, "veto": fact, "near": fact,
        "unless": {"oneOf": [_TERMS, _table(keys.UNLESS, {"terms": _TERMS, "patterns": _TEXTS})]},
    })


def _case() -> Schema:
    return _table(keys.CASE, {
        "expect": {"oneOf": [{"const": "none"}, _TEXTS]}, "kind": _one(Kind), "speaker": _one(Role),
        "stage": _one(Stage), "offset": {"type": "integer", "minimum": 0}, "room": {"type": "object"},
    }, ("text", "expect"))


def _correlation() -> Schema:
    number = {"type": "integer", "minimum": 0}
    lengths = dict.fromkeys(("timespan", "within", "every"), _LENGTH)
    after = _table(keys.AFTER, {"signal": _one(sorted(SIGNALS - {ENDED}))})
    return _table(keys.CORRELATION, {
        "type": _one(CorrelationType), "rules": _TEXTS, "unless": _TEXTS, "field": _one(Field),
        "group-by": {"type": "array", "items": _one(By), "minItems": 1}, "wave": _FLAG, "generate": _FLAG,
        "condition": _table(keys.THRESHOLD, dict.fromkeys(keys.THRESHOLD, number)),
        "after": {"oneOf": [{"const": "broadcast"}, after]}, **lengths,
    }, ("type",))


def _correlation_case() -> Schema:
    event = _table(keys.CASE_EVENT, {"after": _LENGTH, "signal": _one(sorted(SIGNALS)), "kind": _one(Kind),
                                     "speaker": _one(Role)}, ("after",))
    return _table(keys.CORRELATION_CASE, {
        "events": {"type": "array", "items": event, "minItems": 1}, "expect": _one(("finding", "none")),
        "until": _LENGTH,
    }, ("events", "expect"))
