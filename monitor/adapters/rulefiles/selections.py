"""One selection: what it looks for, where, and what it reaches."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from msgspec import Struct

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.faults import Faults, guess, shown
from monitor.adapters.rulefiles.fields import Fields, items_of, text_of
from monitor.adapters.rulefiles.nodes import Items, Node, Scalar, Table
from monitor.adapters.rulefiles.registers import TermList
from monitor.adapters.rulefiles.roomtests import read_room_test
from monitor.domain.phrases import phrase
from monitor.domain.rulelint import MAX_PATTERN, pattern_faults, term_fault
from monitor.domain.rules import CATEGORIES, DETECTORS, EXTRA, FOLDS, Listed, Reach, Selection, Side, View

MAX_WITHIN: Final = 200
_FULL_WIDTH: Final = re.compile("[，、；]")
_MAX_READ: Final = 100_000  # so that a term's own limit is what is named


class Lists:
    """The term lists of one pack, and which of them a rule has used."""

    def __init__(self, by_path: Mapping[str, TermList]) -> None:
        self._by_path = by_path
        self.used: dict[str, TermList] = {}

    def get(self, node: Node, faults: Faults) -> TermList | None:
        path = text_of(node, faults, "list")
        found = self._by_path.get(path)
        if found is not None:
            self.used[path] = found
        elif path:
            hint = guess(path, sorted(self._by_path)) or "put it into the pack's folder lists/"
            faults.add(node, phrase("the pack has no list {path}", path=shown(path)), hint)
        return found


class Part(Struct, frozen=True):
    """A selection as read. `form`: a key of FORMS, "" where unclear. `targets`: what veto or near names, with nodes.
    `viewed`: it is clear where it looks."""

    selection: Selection
    name: Scalar
    form: str
    vetoes: bool = False
    targets: list[tuple[str, Node]] = []
    viewed: bool = True

    @property
    def silent(self) -> bool:
        """It acts without being named in the condition."""
        return self.vetoes or self.form == "allow"

    @property
    def has_hits(self) -> bool:
        return self.form not in ("allow", "score", "room")


def read_selection(
    name: Scalar, node: Node, lists: Lists, contexts: Collection[str], faults: Faults
) -> Part:
    if isinstance(node, Items):
        return Part(Selection(name=name.value, terms=read_terms(node, lists, faults, "terms")), name, "terms")
    fields = Fields(node, faults, phrase("the selection {name}", name=name.value), keys.SELECTION)
    form = _form(fields)
    if not form:
        return Part(Selection(name=name.value), name, "", "veto" in fields)
    said = fields.where(form)
    targets = _targets(fields)
    reach = _reach(fields, form, tuple(target for target, _ in targets))
    unless, unless_patterns = read_unless(fields, lists)
    before = faults.count
    views, also = _views(fields, form), tuple(fields.members("also", View, EXTRA))
    viewed = faults.count == before
    vetoes = "veto" in fields
    selection = Selection(
        name=name.value,
        terms=read_terms(said, lists, faults, "terms") if form == "terms" else (),
        patterns=read_patterns(said, faults) if form in ("pattern", "patterns") else (),
        allow=read_terms(said, lists, faults, "allow") if form == "allow" else (),
        detector=_one_of(fields, "detector", DETECTORS),
        score=_one_of(fields, "score", CATEGORIES),
        gte=fields.share("gte"),
        context=_contexts(fields, contexts),
        room=read_room_test(said, faults) if form == "room" else None,
        views=views,
        also=also,
        times=fields.whole("times", most=99) if "times" in fields else 1,
        listed=fields.choice("listed", Listed),
        unproven=fields.flag("unproven"),
        unless=unless,
        unless_patterns=unless_patterns,
        veto=reach if vetoes else None,
        near=None if vetoes else reach,
    )
    return Part(selection, name, form, vetoes, targets, viewed)


def _form(fields: Fields) -> str:
    """The one form that the selection has; "" where that is not clear."""
    present = [form for form in keys.FORMS if form in fields]
    if len(present) > 1:
        fields.faults.add(fields.at, phrase("{one} and {one2} stand in one selection", one=present[0], one2=present[1]),
                          "write a selection for each, joined by the condition")
        return ""
    if not present:
        if fields.readable and not fields.strangers:
            fields.faults.add(fields.at, "the selection looks for nothing",
                              phrase("add one of {names}", names=", ".join(keys.FORMS)))
        return ""
    form = present[0]
    for key in keys.SELECTION:
        if key in fields and key != form and key not in keys.FORMS[form]:
            fields.faults.add(fields.where(key), phrase("{key} does not go with {form}", key=key, form=form),
                              phrase("with {form} go: {names}", form=form,
                                     names=", ".join(keys.FORMS[form]) or phrase("no other keys")))
    return form


def _entries(node: Node, lists: Lists, faults: Faults, what: str) -> Iterator[tuple[str, Node, str]]:
    """Terms with their nodes and, for those of a list, "path:line"."""
    for item in [node] if isinstance(node, Table) else items_of(node, faults, what):
        if isinstance(item, Table):
            fields = Fields(item, faults, what, ("list",))
            fields.require(*(() if fields.strangers else ("list",)))
            wanted = fields.node("list")
            found = lists.get(wanted, faults) if wanted is not None else None
            if found is not None:
                for term, line in zip(found.terms, found.lines, strict=True):
                    yield term, item, f"{found.path}:{line}"
        else:
            term = text_of(item, faults, what, limit=_MAX_READ)
            why = term_fault(term) if term else None
            mark = _FULL_WIDTH.search(term)
            if why is not None:
                faults.add(item, *why)
            elif mark and isinstance(item, Scalar) and item.bare:
                faults.add(item.place(mark.start()), phrase("the full-width {mark} parts no terms", mark=mark[0]),
                           "write , and a space; quote the term if the mark belongs to it")
            elif term:
                yield term, item, ""


def read_terms(node: Node, lists: Lists, faults: Faults, what: str) -> tuple[str, ...]:
    seen: dict[str, str | int] = {}
    for term, item, listed in _entries(node, lists, faults, what):
        if term in seen:
            at = seen[term]
            first = at if isinstance(at, str) else phrase("line {line}", line=at)
            places = phrase("{first} and {second}", first=first, second=listed) if listed else first
            faults.add(item,
                       phrase("{what}: {term} stands twice ({places})", what=what, term=shown(term),
                              places=places), "remove one")
        else:
            seen[term] = listed or item.line
    return tuple(seen)


def read_patterns(node: Node, faults: Faults) -> tuple[str, ...]:
    """Those without a fault, which is noted."""
    found: dict[str, bool] = {}
    for item in items_of(node, faults, "patterns") if isinstance(node, Items) else [node]:
        pattern = text_of(item, faults, "pattern", limit=_MAX_READ)
        if not pattern:
            continue
        if pattern in found:
            faults.add(item, phrase("the pattern {pattern} stands twice", pattern=shown(pattern)), "remove one")
        wrong = pattern_faults(pattern)
        for offset, message, hint in wrong:
            at = item.place(offset) if isinstance(item, Scalar) and len(pattern) <= MAX_PATTERN else item
            faults.add(at, message, hint)
        found[pattern] = not wrong
    return tuple(pattern for pattern, sound in found.items() if sound)


def _one_of(fields: Fields, key: str, known: tuple[str, ...]) -> str:
    found = fields.text(key)
    if found and found not in known:
        fields.faults.add(fields.where(key), phrase("there is no {key} {found}", key=key, found=shown(found)),
                          guess(found, known))
    return found


def _views(fields: Fields, form: str) -> tuple[View, ...] | None:
    node = fields.node("views")
    if node is None or "views" not in keys.FORMS[form]:
        return None
    found = fields.members("views", View, FOLDS)
    if form != "terms" and (len(found) > 1 or View.SOUND in found):
        fields.faults.add(node, "a pattern runs on one view, plain or skeleton", "write [skeleton], or terms")
    return tuple(found)


def _contexts(fields: Fields, known: Collection[str]) -> tuple[str, ...]:
    found = fields.words("context")
    for word, at in found:
        if word not in known:
            fields.faults.add(at, phrase("contexts.yml has no context {word}", word=shown(word)),
                              guess(word, sorted(known)) or "add contexts.yml at the top of the rules folder")
    return tuple(word for word, _ in found)


def _targets(fields: Fields) -> list[tuple[str, Node]]:
    """What veto or near names: one selection, or several of which each is meant."""
    key = "veto" if "veto" in fields else "near"
    node = fields.node(key)
    if node is None:
        return []
    if isinstance(node, Items):
        return fields.words(key)
    name = fields.text(key)
    return [(name, node)] if name else []


def read_unless(fields: Fields, lists: Lists) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Phrases that only look like what is looked for: terms, or a table of terms and patterns."""
    node, faults = fields.node("unless"), fields.faults
    if not isinstance(node, Table):
        return (() if node is None else read_terms(node, lists, faults, "unless")), ()
    inner = Fields(node, faults, "unless", keys.UNLESS)
    terms, patterns = inner.node("terms"), inner.node("patterns")
    if terms is None and patterns is None and not inner.strangers:
        faults.add(node, "unless looks for nothing", "add terms or patterns")
    return (() if terms is None else read_terms(terms, lists, faults, "terms"),
            () if patterns is None else read_patterns(patterns, faults))


def _reach(fields: Fields, form: str, targets: tuple[str, ...]) -> Reach | None:
    """The reach of a veto or a near, its targets not yet looked up."""
    faults = fields.faults
    kinds = [key for key in ("veto", "near") if key in fields]
    if len(kinds) == 2:
        faults.add(fields.at, "veto and near stand in one selection", "write a selection for each")
        return None
    for key, partner in (("side", "veto"), ("unless", "veto"), ("ordered", "near")):
        if key in fields and partner not in fields:
            faults.add(fields.where(key), phrase("{key} says nothing without {partner}", key=key, partner=partner),
                       phrase("add {partner}: …", partner=partner))
    if "times" in fields and "veto" in fields:
        faults.add(fields.where("times"), "times says nothing with veto, of which each hit acts by itself", "remove it")
    if not kinds:
        if "within" in fields:
            faults.add(fields.where("within"), "within says nothing without veto or near", "add one")
        return None
    target = fields.node(kinds[0])
    if "within" not in fields and form != "context":  # a context brings its own
        faults.add(target or fields.at, phrase("{kind} needs within", kind=kinds[0]),
                   phrase("add within: 0 to {most}, in characters", most=MAX_WITHIN))
    side = fields.choice("side", Side) or Side.EITHER
    if kinds[0] == "near" and fields.flag("ordered"):
        side = Side.AFTER
    return Reach(targets, fields.whole("within", most=MAX_WITHIN), side)

