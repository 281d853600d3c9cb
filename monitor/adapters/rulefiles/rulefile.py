"""One rule file: from bytes to a Rule, with every fault noted."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from monitor.adapters.rulefiles import keys
from monitor.adapters.rulefiles.cases import read_cases
from monitor.adapters.rulefiles.contexts import FILE
from monitor.adapters.rulefiles.correlating import read_correlation, read_correlation_cases
from monitor.adapters.rulefiles.detection import Detection, read_detection
from monitor.adapters.rulefiles.faults import Faults, guess, shown
from monitor.adapters.rulefiles.fields import NAME, Fields, text_of
from monitor.adapters.rulefiles.nodes import Broken, Items, Node, Scalar, Table, parse
from monitor.adapters.rulefiles.registers import Register, TermList
from monitor.adapters.rulefiles.selections import MAX_WITHIN, Lists, read_selection
from monitor.domain.conditions import Ref
from monitor.domain.correlations import CorrelationRule
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Advice, Severity, Tier
from monitor.domain.phrases import phrase
from monitor.domain.rules import (
    CATEGORIES,
    AnyRule,
    Applies,
    Context,
    Effective,
    Exempt,
    RoomFilter,
    Rule,
    Selection,
    Status,
)

PACK_ID: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ANY: Final = Applies()
_MUST: Final = ("id", "title", "tier", "severity", "status")


class Pack(Struct, frozen=True):
    """Of a rule's pack: the id ("" where pack.yml is faulty), the lists by path in the pack."""

    id: str
    lists: Mapping[str, TermList]
    applies: Node | None = None


class Known(Struct, frozen=True):
    """What all rule files share: the clauses, the ids taken so far with their files, where each correlation
    stands, the paths of the lists that are used, and what files with faults look for."""

    register: Register
    ids: dict[str, str]
    contexts: dict[str, Context] = {}
    contexts_data: bytes = b""
    correlating: dict[str, Fields] = {}
    lists: set[str] = set()
    broken: list[Rule] = []


def hashed(parts: Mapping[str, bytes]) -> str:
    """16 hex characters of BLAKE2b over names and contents, in the order of the names."""
    h = blake2b(digest_size=8)
    for name in sorted(parts):
        for part in (name.encode(), parts[name]):
            h.update(len(part).to_bytes(8, "big"))
            h.update(part)
    return h.hexdigest()


def read_rule(path: str, data: bytes, pack: Pack, known: Known, faults: Faults) -> Rule | CorrelationRule | None:
    """The rule, or None where the file has faults."""
    root = parse(data, faults)
    if root is None:
        return None
    fields = Fields(root, faults, phrase("the rule"), keys.RULE)
    in_time = "correlation" in fields
    fields.require(*_MUST, *(() if fields.strangers or in_time else ("detection",)))
    if in_time:
        correlation = _correlation(fields, path, data, pack, known)
        return None if faults.count else correlation
    rule = _rule(fields, path, data, pack, known)
    if faults.count:
        known.broken.append(rule)
        return None
    return rule


def _rule(fields: Fields, path: str, data: bytes, pack: Pack, known: Known) -> Rule:
    faults, lists = fields.faults, Lists(pack.lists)
    said = fields.node("detection")
    detection = read_detection(said, lists, known.contexts, faults) if said is not None else Detection({}, None)
    exempt = _exempt(fields, lists, known.register)
    parts = {"": data} | {used: found.data for used, found in lists.used.items()}
    known.lists.update(found.path for found in lists.used.values())
    choosy = "applies" in fields or pack.applies is not None  # contexts say who sells
    if choosy or any(part.selection.context for part in detection.parts.values()):
        parts[FILE] = known.contexts_data
    general = _general(fields, path, pack, known, hashed(parts))
    return Rule(
        **asdict(general),
        selections=(*(part.selection for part in detection.parts.values() if part.viewed),
                    *(exempt[:1] if exempt else ())),
        condition=detection.condition or Ref(""),
        exempt=exempt[1] if exempt else None,
        cases=read_cases(fields, _status(fields), general.applies, detection),
    )


def _correlation(fields: Fields, path: str, data: bytes, pack: Pack, known: Known) -> CorrelationRule:
    for key in ("detection", "exempt"):
        if key in fields:
            fields.faults.add(fields.where(key), phrase("a rule with a correlation has no {key}", key=key),
                              "write a rule for each, and name its id in the correlation")
    general = _general(fields, path, pack, known, hashed({"": data}))
    correlation, known.correlating[general.id] = read_correlation(fields.where("correlation"), fields.faults)
    return CorrelationRule(
        **asdict(general), correlation=correlation, cases=read_correlation_cases(fields, _status(fields)))


def _general(fields: Fields, path: str, pack: Pack, known: Known, version: str) -> AnyRule:
    """What every rule says. Where something is missing, a harmless stand-in."""
    tier = fields.choice("tier", Tier)
    for unused in ("description", "notes"):
        fields.text(unused)
    return AnyRule(
        id=_id(fields, known.ids),
        title=fields.text("title"),
        tier=tier or Tier.STANDARD,
        category=_category(fields, tier),
        sub=fields.name("sub"),
        severity=fields.choice("severity", Severity) or Severity.INFO,
        status=fields.choice("status", Status) or Status.DRAFT,
        effective=_effective(fields),
        clauses=_clauses(fields, tier, known.register),
        applies=_applies(fields, pack),
        advice=_advice(fields),
        pack=pack.id,
        version=version,
        path=path,
        line=fields.at.line,
    )


def _status(fields: Fields) -> Status | None:
    """None where it is missing or unknown, which is noted already."""
    said = fields.node("status")
    return Status(said.value) if isinstance(said, Scalar) and said.value in tuple(Status) else None


def read_pack(data: bytes, faults: Faults) -> tuple[str, Node, Node | None]:
    """The pack's id ("" where it is faulty), its node, and what its rules apply to where they do not say."""
    root = parse(data, faults)
    if root is None:
        return "", Broken(1, 1), None
    fields = Fields(root, faults, phrase("the pack"), keys.PACK)
    fields.require("id", "title", "version")
    for key in ("title", "description"):
        fields.text(key)
    version = fields.node("version")
    if not (isinstance(version, Scalar) and version.tag in ("int", "float")):  # taken as written
        fields.text("version")
    _read_applies(fields.node("applies"), faults)
    found = fields.text("id")
    if found and not PACK_ID.fullmatch(found):
        faults.add(fields.where("id"), phrase("id: {found} names no pack", found=shown(found)),
                   "small letters, digits, - and _, a letter first")
        found = ""
    return found, fields.node("id") or root, fields.node("applies")


def _id(fields: Fields, taken: dict[str, str]) -> str:
    found = fields.text("id")
    if not found:
        return ""
    before, dot, name = found.partition(".")
    at = fields.where("id")
    if found in taken:
        fields.faults.add(at,
                          phrase("the id {found} stands twice, first in {taken}", found=shown(found),
                                 taken=taken[found]), "rename one")
    taken.setdefault(found, fields.faults.path)
    if not dot or not NAME.fullmatch(name) or not NAME.fullmatch(before):
        fields.faults.add(at, phrase("id: {found} is not of the form subject.name", found=shown(found)),
                          "write two words joined by a dot, each of small letters, digits and _")
    return found


def _category(fields: Fields, tier: Tier | None) -> tuple[str, ...]:
    node, faults = fields.node("category"), fields.faults
    found: list[str] = []
    if isinstance(node, Scalar):
        word = text_of(node, faults, "category")
        words: list[tuple[str, Node]] = [(word, node)] if word else []
    elif isinstance(node, Items) and not node.items and tier is Tier.CARE:
        words = []
    else:
        words = fields.words("category")
    for word, at in words:
        if word in CATEGORIES:
            found.append(word)
        else:
            faults.add(at, phrase("there is no category {word}", word=shown(word)), guess(word, CATEGORIES))
    if tier is Tier.CARE and words:
        faults.add(fields.where("category"), "a rule of tier care has no category", "remove it")
    elif tier is not None and tier is not Tier.CARE:
        fields.require("category")
    return tuple(found)


def _effective(fields: Fields) -> Effective:
    node = fields.node("effective")
    if node is None:
        return Effective()
    inner = Fields(node, fields.faults, "effective", keys.EFFECTIVE)
    since, until = inner.day("from"), inner.day("until")
    if since is not None and until is not None and since >= until:
        fields.faults.add(inner.node("until") or node,
                          phrase("until {until} is not after from {since}", until=until, since=since),
                          "until is the first day without the rule")
    return Effective(since, until)


def _clauses(fields: Fields, tier: Tier | None, register: Register) -> tuple[str, ...]:
    words = fields.words("clauses")
    for word, at in words:
        why = register.why_not(word)
        if why is not None:
            fields.faults.add(at, *why)
    needed = tier in (Tier.REDLINE, Tier.STANDARD) and _status(fields) not in (None, Status.DRAFT)
    if needed and "clauses" not in fields and fields.readable:
        fields.faults.add(fields.at, phrase("a rule of tier {tier} rests on at least one clause", tier=tier),
                          "add clauses: [id of the register], or set status: draft")
    return tuple(word for word, _ in words)


def _exempt(fields: Fields, lists: Lists, register: Register) -> tuple[Selection, Exempt] | None:
    """The words of an exemption as a selection of their own, and how far they reach."""
    node, faults = fields.node("exempt"), fields.faults
    if node is None:
        return None
    inner = Fields(node, faults, "exempt", keys.EXEMPT)
    inner.require("when", "within", "clause")
    said, clause = inner.node("when"), inner.text("clause")
    why = register.why_not(clause) if clause else None
    if why is not None:
        faults.add(inner.where("clause"), *why)
    selection = Selection(name="exempt")
    if said is not None:
        name = Scalar("exempt", "str", said.line, said.column)
        part = read_selection(name, said, lists, (), faults)
        selection = part.selection
        if part.form not in ("", "terms", "pattern", "patterns") or selection.veto or selection.near:
            faults.add(said, "the words of an exemption are terms or patterns, without veto or near",
                       "write a list of terms")
    return selection, Exempt("exempt", inner.whole("within", most=MAX_WITHIN), clause)


def _applies(fields: Fields, pack: Pack) -> Applies:
    """The rule's own, and for what it does not say, its pack's."""
    general = _read_applies(pack.applies, Faults(""))  # what is wrong in it is noted with the pack
    return _read_applies(fields.node("applies"), fields.faults, general)


def _read_applies(node: Node | None, faults: Faults, general: Applies = _ANY) -> Applies:
    """`general`: what holds for the keys that are not there."""
    if node is None:
        return general
    inner = Fields(node, faults, "applies", keys.APPLIES)
    kinds = inner.choices("kinds", Kind)
    if kinds and Kind.SIGNAL in kinds:
        faults.add(inner.node("kinds") or node, "a signal has no text to judge", "remove signal")
    platforms, verticals = inner.any_words("platforms"), inner.any_words("verticals")
    own = Applies(
        kinds=kinds,
        speakers=inner.choices("speakers", Role),
        stages=inner.choices("stages", Stage),
        platforms=None if platforms is None else frozenset(word for word, _ in platforms),
        verticals=None if verticals is None else frozenset(word for word, _ in verticals),
        rooms=_rooms(inner),
        likely=inner.flag("likely"),
    )
    return msgspec.structs.replace(own, **{key: getattr(general, key) for key in keys.APPLIES if key not in inner})


def _rooms(applies: Fields) -> RoomFilter:
    node = applies.node("rooms")
    if node is None or (isinstance(node, Scalar) and node.value == "any"):
        return RoomFilter()
    inner = Fields(node, applies.faults, "rooms", keys.ROOM_FILTER)
    having, without = inner.words("with"), inner.words("without")
    for tag, at in without:
        if tag in [other for other, _ in having]:
            applies.faults.add(at, phrase("rooms: {tag} is both wanted and excluded", tag=shown(tag)), "remove one")
    return RoomFilter(tuple(tag for tag, _ in having), tuple(tag for tag, _ in without))


def _advice(fields: Fields) -> Advice:
    node, faults = fields.node("advice"), fields.faults
    if node is None:
        return Advice()
    inner = Fields(node, faults, "advice", keys.ADVICE)
    rewrite = inner.node("rewrite")
    if rewrite is not None and not isinstance(rewrite, Table | Broken):
        faults.add(rewrite, "rewrite must be a table", "write {word: better wording}")
    pairs = rewrite.pairs if isinstance(rewrite, Table) else []
    return Advice(inner.text("say"), {key.value: text_of(value, faults, "rewrite") for key, value in pairs})
