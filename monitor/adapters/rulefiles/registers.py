"""What rules refer to: term lists and the registers of clauses and duties."""

import difflib
import re
from typing import Final

from msgspec import Struct

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.faults import TOP, Faults, Place, guess, shown
from monitor.adapters.rulefiles.fields import Fields
from monitor.adapters.rulefiles.nodes import MAX_LIST, Broken, Items, Node, decode, parse
from monitor.domain.clauses import Clause, Confidence
from monitor.domain.phrases import phrase
from monitor.domain.rulelint import term_fault
from monitor.domain.rules import CATEGORIES, PROCESS_DUTY

_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_MUST: Final = ("id", "document", "issuer", "article", "requirement", "confidence", "categories")
_MAX_ID: Final = 60


class TermList(Struct, frozen=True):
    """`lines[i]` is the line of `terms[i]`."""

    path: str
    data: bytes
    terms: tuple[str, ...]
    lines: tuple[int, ...]


def read_list(path: str, data: bytes, faults: Faults) -> TermList:
    """One term a line; `#` at the start of a line or after a space begins a comment."""
    found: dict[str, int] = {}
    text = decode(data, faults, limit=MAX_LIST)
    for number, line in enumerate((text or "").split("\n"), 1):
        term = (_COMMENT.sub("", line, count=1) if "#" in line else line).strip()
        if not term:
            continue
        why = term_fault(term)
        if why is not None:
            faults.add(Place(number), *why)
        elif term in found:
            faults.add(Place(number),
                       phrase("the term {term} stands twice, first in line {line}", term=shown(term), line=found[term]),
                       "remove one")
        else:
            found[term] = number
    if text is not None and not found and not faults.count:
        faults.add(TOP, "the list has no terms", "add one term a line, or remove the list")
    return TermList(path, data, tuple(found), tuple(found.values()))


class Register:
    """The clauses of all register files, merged; and the duties, on which no rule can rest."""

    def __init__(self) -> None:
        self.clauses: dict[str, Clause] = {}
        self.duties: dict[str, Clause] = {}
        self.complete = True  # False: a file has a fault for which a clause may be missing
        self._first: dict[str, tuple[Clause, str, int]] = {}  # with the file and the line

    def add(self, data: bytes, faults: Faults, *, duties: bool = False) -> None:
        """Read one file; what has an id is known from then on, whatever faults it has."""
        root = parse(data, faults)
        entries = root.items if isinstance(root, Items) else []
        for node in entries:
            self._entry(node, faults, duties=duties)
        if entries:
            return
        self.complete = False
        if root is not None and not isinstance(root, Broken):
            faults.add(root, "a register must be a list of clauses", "begin each clause with - id: …")

    def why_not(self, name: str) -> tuple[str, str] | None:
        """Why no rule can cite this, as message and hint; None: it can."""
        if name in self.clauses:
            return None
        if name in self.duties:
            return (phrase("{name} is a duty of the operator, on which no rule can rest", name=shown(name)),
                    "cite a clause that says what must not be said or shown")
        if not self.complete:
            return None
        near = difflib.get_close_matches(name[:_MAX_ID], sorted(self.clauses), n=3, cutoff=0.6)
        hint = "add the clause to clauses.yml, or cite one from there"
        if near:
            hint = phrase("did you mean {names}?", names=" or ".join(near))
        return phrase("no register has the clause {name}", name=shown(name)), hint

    def _entry(self, node: Node, faults: Faults, *, duties: bool) -> None:
        before = faults.count
        fields = Fields(node, faults, phrase("the duty") if duties else phrase("the clause"), keys.CLAUSES)
        fields.require(*_MUST)
        clause = Clause(
            id=fields.text("id"),
            document=fields.text("document"),
            issuer=fields.text("issuer"),
            article=fields.text("article"),
            requirement=fields.text("requirement"),
            effective_from=fields.day("effective_from"),
            effective_until=fields.day("effective_until"),
            confidence=fields.choice("confidence", Confidence) or Confidence.LOW,
            categories=_categories(fields, duties=duties),
        )
        since, until = clause.effective_from, clause.effective_until
        if since is not None and until is not None and since >= until:
            faults.add(fields.where("effective_until"),
                       phrase("effective_until {until} is not after effective_from {since}", until=until, since=since),
                       "effective_until is the first day on which it no longer holds")
        if not clause.id:
            self.complete = False
            return
        if clause.id not in self._first:
            self._first[clause.id] = clause, faults.path, node.line
            (self.duties if duties else self.clauses)[clause.id] = clause
        else:
            self._again(clause, fields.where("id"), faults, sound=faults.count == before)

    def _again(self, clause: Clause, at: Node, faults: Faults, *, sound: bool) -> None:
        known, path, line = self._first[clause.id]
        if path == faults.path:
            faults.add(at, phrase("the id {id} stands twice, first in line {line}", id=shown(clause.id), line=line),
                       "remove one, or give it another id")
            return
        other = [name for name in keys.CLAUSES if getattr(clause, name) != getattr(known, name)]
        if sound and other:
            faults.add(at,
                       phrase("{id} differs from {path}:{line} in {fields}", id=shown(clause.id), path=path, line=line,
                              fields=', '.join(other)),
                       "make them agree, or give one another id")


def _categories(fields: Fields, *, duties: bool) -> tuple[str, ...]:
    faults, found = fields.faults, []
    for word, at in fields.words("categories"):
        if word in CATEGORIES or (duties and word == PROCESS_DUTY):
            found.append(word)
        elif word == PROCESS_DUTY:
            faults.add(at, "a clause that rules rest on is no duty", "move it to duties.yml")
        else:
            faults.add(at, phrase("there is no category {word}", word=shown(word)), guess(word, CATEGORIES))
    if duties and found and PROCESS_DUTY not in found:
        faults.add(fields.where("categories"), phrase("a duty has the category {category}", category=PROCESS_DUTY),
                   "add it, or move the clause to clauses.yml")
    return tuple(found)
