"""Every key that is accepted, by its table; docs/rules.md lists the same ones (a test compares)."""

from typing import Final

RULE: Final = ("id", "title", "tier", "category", "sub", "severity", "status", "effective", "clauses",
               "applies", "detection", "advice", "cases", "description", "notes")
EFFECTIVE: Final = ("from", "until")
APPLIES: Final = ("kinds", "speakers", "stages", "platforms", "verticals", "rooms")
ROOM_FILTER: Final = ("with", "without")
ADVICE: Final = ("say", "rewrite")
CASE: Final = ("text", "expect", "kind", "speaker", "stage")
PACK: Final = ("id", "title", "version", "description")
ROOM: Final = ("room", "tenant", "title", "platform", "vertical", "tags", "unit")
CLAUSES: Final = ("id", "document", "issuer", "article", "effective_from", "requirement", "source_confidence")

_REACH: Final = ("veto", "side", "near", "ordered", "within")
FORMS: Final[dict[str, tuple[str, ...]]] = {
    "terms": ("views", *_REACH),
    "pattern": ("views", *_REACH),
    "patterns": ("views", *_REACH),
    "detector": _REACH,
    "allow": (),
    "score": ("gte",),
}
"""What a selection may look for, and the keys that go with each."""
SELECTION: Final = (*FORMS, "views", *_REACH, "gte")

LATER: Final = ("exempt", "correlation", "generate", "numerals", "stretched", "letter_gaps", "confusables",
                "split", "signs", "words")
"""Known to the design, refused by name until they work."""

DOCUMENTED: Final = {
    "Pack": PACK, "Rule": RULE, "Effective": EFFECTIVE, "Applies": APPLIES, "Room filter": ROOM_FILTER,
    "Selection": SELECTION, "Advice": ADVICE, "Case": CASE, "Clause register": CLAUSES, "Rooms file": ROOM,
    "Not in this version": LATER,
}
