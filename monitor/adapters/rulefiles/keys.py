"""Every key that is accepted, by its table; docs/rules.md lists the same ones (a test compares)."""

from typing import Final

from monitor.domain.rules import EXTRA, Fact

RULE: Final = ("id", "title", "tier", "category", "sub", "severity", "status", "effective", "clauses",
               "applies", "detection", "correlation", "exempt", "advice", "cases", "description", "notes")
EFFECTIVE: Final = ("from", "until")
APPLIES: Final = ("kinds", "speakers", "stages", "platforms", "verticals", "rooms", "likely")
ROOM_FILTER: Final = ("with", "without")
ADVICE: Final = ("say", "rewrite")
EXEMPT: Final = ("when", "within", "clause")
CASE: Final = ("text", "expect", "kind", "speaker", "stage", "at", "offset", "room", "exempt")
CORRELATION: Final = ("type", "rules", "group-by", "timespan", "condition", "field", "wave", "generate", "after",
                      "within", "unless", "every")
THRESHOLD: Final = ("gte", "gt", "lte", "lt", "eq")
AFTER: Final = ("signal", "rule")
CORRELATION_CASE: Final = ("events", "expect", "until")
CASE_EVENT: Final = ("after", "text", "signal", "kind", "speaker", "account")
PACK: Final = ("id", "title", "version", "description", "applies")
CONTEXTS: Final = ("turns", "contexts")
CONTEXT: Final = ("title", "parts", "unless")
CONTEXT_PART: Final = ("terms", "patterns", "side", "within", "commas")
UNLESS: Final = ("terms", "patterns")
FACTS: Final = ("platform", "vertical", "tags", "qualifications", "product_categories", "listed_prices", "claim_proofs")
CASE_ROOM: Final = (*FACTS, "profile")
ROOM: Final = ("room", "tenant", "title", "unit", "profile", *FACTS)
CLAUSES: Final = ("id", "document", "issuer", "article", "requirement", "effective_from", "effective_until",
                  "confidence", "categories")

_REACH: Final = ("veto", "side", "unless", "near", "ordered", "within")
FORMS: Final[dict[str, tuple[str, ...]]] = {
    "terms": ("views", "also", "times", "unproven", *_REACH),
    "pattern": ("views", "times", "unproven", *_REACH),
    "patterns": ("views", "times", "unproven", *_REACH),
    "detector": ("times", "listed", *_REACH),
    "allow": ("also",),
    "score": ("gte",),
    "context": ("veto",),
    "room": (),
}
"""What a selection may look for, and the keys that go with each."""
SELECTION: Final = (*FORMS, "views", "also", "times", "unproven", "listed", *_REACH, "gte")

GONE: Final = {
    "words": "remove it: Chinese marks no borders of words, and Latin edges want no Latin neighbour anyway",
    "list": "write it among terms: {terms: [{list: lists/name.txt}]}",
}
"""Keys of earlier versions or written in a wrong place, with what to do."""

DOCUMENTED: Final = {
    "Pack": PACK, "Rule": RULE, "Effective": EFFECTIVE, "Applies": APPLIES, "Room filter": ROOM_FILTER,
    "Selection": SELECTION, "Further views": tuple(EXTRA), "Room facts": tuple(Fact), "Exemption": EXEMPT,
    "Contexts": CONTEXTS, "Context": CONTEXT,
    "Part of a context": CONTEXT_PART, "Advice": ADVICE, "Case": CASE, "Correlation": CORRELATION,
    "Threshold": THRESHOLD, "After": AFTER, "Case of a correlation": CORRELATION_CASE, "Event of a case": CASE_EVENT,
    "Clause register": CLAUSES, "Rooms file": ROOM,
}
