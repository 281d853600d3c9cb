"""Every key that is accepted, by its table; docs/rules.md lists the same ones (a test compares)."""

from typing import Final

from monitor.domain.rules import EXTRA, Fact

RULE: Final = ("id", "title", "tier", "category", "sub", "severity", "status", "effective", "clauses",
               "applies", "detection", "exempt", "advice", "cases", "description", "notes")
EFFECTIVE: Final = ("from", "until")
APPLIES: Final = ("kinds", "speakers", "stages", "platforms", "verticals", "rooms")
ROOM_FILTER: Final = ("with", "without")
ADVICE: Final = ("say", "rewrite")
EXEMPT: Final = ("when", "within", "clause")
CASE: Final = ("text", "expect", "kind", "speaker", "stage", "at", "offset", "room", "exempt")
PACK: Final = ("id", "title", "version", "description", "applies")
CONTEXTS: Final = ("turns", "contexts")
CONTEXT: Final = ("title", "parts", "unless")
CONTEXT_PART: Final = ("terms", "patterns", "side", "within")
FACTS: Final = ("platform", "vertical", "tags", "qualifications", "product_categories", "listed_prices", "claim_proofs")
CASE_ROOM: Final = (*FACTS, "profile")
ROOM: Final = ("room", "tenant", "title", "unit", "profile", *FACTS)
CLAUSES: Final = ("id", "document", "issuer", "article", "requirement", "effective_from", "effective_until",
                  "confidence", "categories")

_REACH: Final = ("veto", "side", "near", "ordered", "within")
FORMS: Final[dict[str, tuple[str, ...]]] = {
    "terms": ("views", "also", "words", "times", "unproven", *_REACH),
    "pattern": ("views", "times", "unproven", *_REACH),
    "patterns": ("views", "times", "unproven", *_REACH),
    "detector": ("times", "listed", *_REACH),
    "allow": ("also",),
    "score": ("gte",),
    "context": ("veto",),
    "room": (),
}
"""What a selection may look for, and the keys that go with each."""
SELECTION: Final = (*FORMS, "views", "also", "words", "times", "unproven", "listed", *_REACH, "gte")

LATER: Final = ("correlation", "generate")
"""Known to the design, refused by name until they work."""

DOCUMENTED: Final = {
    "Pack": PACK, "Rule": RULE, "Effective": EFFECTIVE, "Applies": APPLIES, "Room filter": ROOM_FILTER,
    "Selection": SELECTION, "Further views": tuple(EXTRA), "Room facts": tuple(Fact), "Exemption": EXEMPT,
    "Contexts": CONTEXTS, "Context": CONTEXT,
    "Part of a context": CONTEXT_PART, "Advice": ADVICE, "Case": CASE, "Clause register": CLAUSES, "Rooms file": ROOM,
    "Not in this version": LATER,
}
