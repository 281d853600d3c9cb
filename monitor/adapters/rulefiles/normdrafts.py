"""Norms as files of a rules folder: drafts of rules, a clause register, and the norms with what became of each.

A clause becomes a rule only under a category of the taxonomy; an orientation never does. Whatever else a clause says
stays text: no term of it is kept anywhere.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from monitor.adapters.rulefiles.drafts import CONTEXTS, PACK, UNEXPLAINED, draft, listed, quoted
from monitor.adapters.rulefiles.fields import NAME
from monitor.adapters.rulefiles.norms import Norm
from monitor.adapters.rulefiles.rulefile import PACK_ID
from monitor.domain.errors import InputError
from monitor.domain.events import Kind
from monitor.domain.findings import Severity, Tier
from monitor.domain.rules import PROCESS_DUTY

_LETTERS: Final = {Tier.REDLINE: "R", Tier.STANDARD: "S", Tier.ORIENTATION: "O"}
_TITLES: Final = {Tier.REDLINE: "红线", Tier.STANDARD: "标准", Tier.ORIENTATION: "倡导"}
OUTSIDE: Final = "not automated: outside the subject"
CHECKLIST: Final = "not automated: a line of the checklist"
DUTY: Final = "not automated: a duty of the operator"
UNUSED: Final = "no wording: what the table gave was left out"
_SHORT: Final = 30
_WITHIN: Final = "5m"
_HEARD: Final = (Kind.TRANSCRIPT, Kind.CAPTION)
_CLAUSE: Final = """\
- id: {id}
  document: {document}
  issuer: {issuer}
  article: {article}
  requirement: {requirement}
  confidence: high
  categories: [{category}]
"""
_ABSENCE: Final = """\
id: {id}
title: {title}
tier: standard
category: [{category}]
severity: {severity}
status: draft             # active, once its cases hold and {said} is active
clauses: {clauses}
correlation: {{type: absence, after: broadcast, unless: [{said}], within: {within}{every}}}
advice:
  say: {say}
# cases:
#   - {{events: [{{after: 0s, text: 开播了}}], until: {until}, expect: finding}}
#   - {{events: [{{after: 0s, text: 开播了}}, {{after: 10s, text: {statement}}}], until: {until}, expect: none}}
"""
_WRITTEN: Final = "# Written from {file} by `redpost rules import`; correct the table, not this file.\n"


class Fate(Struct, frozen=True):
    """What became of a clause, and what its drafts still need from a person."""

    norm: Norm
    became: str
    needs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class Drafted(Struct, frozen=True):
    """`rules` are drafts to be finished by hand: id → text. `registers` always follow the table: path → text."""

    pack: str
    rules: dict[str, str]
    registers: dict[str, str]
    fates: list[Fate]


def drafted(
    norms: Sequence[Norm], *, file: str, pack: str, issuer: str, document: str, contexts: Collection[str]
) -> Drafted:
    """`contexts`: those that the rules folder has. Raises InputError for a pack's name that cannot be."""
    subject = pack.replace("-", "_")
    if not PACK_ID.fullmatch(pack) or not NAME.fullmatch(subject):
        raise InputError(f"{pack[:80]!r} names no pack", hint="small letters, digits, - and _, a letter first")
    files = _Files(pack, subject, issuer, document, [name for name in CONTEXTS if name in contexts])
    of = [(norm, dict(files.of(norm))) for norm in norms]
    fates = [_fate(norm, list(rules)) for norm, rules in of]
    registers = {f"{pack}/norms.md": _page(fates, f"{issuer}：{document}", file)}
    for name, some in (("clauses", [n for n in norms if n.category not in ("", PROCESS_DUTY)]),
                       ("duties", [n for n in norms if n.category == PROCESS_DUTY])):
        if some:
            registers[f"{name}_{pack}.yml"] = _WRITTEN.format(file=file) + "".join(map(files.clause, some))
    return Drafted(PACK.format(id=pack, title=quoted(issuer)),
                   {rule: text for _, rules in of for rule, text in rules.items()}, registers, fates)


class _Files(Struct, frozen=True):
    pack: str
    subject: str
    issuer: str
    document: str
    contexts: list[str]

    def of(self, norm: Norm) -> Iterator[tuple[str, str]]:
        """(id, text) of each rule that the clause becomes."""
        if norm.category in ("", PROCESS_DUTY) or norm.tier is Tier.ORIENTATION:
            return
        rule = f"{self.subject}.{norm.tier}_{norm.name}"
        if norm.terms or not norm.statement:
            yield rule, self._rule(norm, rule, norm.terms, contexts=self.contexts, allow=norm.exceptions)
        if norm.statement:
            said = f"{rule}_said"
            yield said, self._rule(norm, said, norm.statement, title=f"已说明：{norm.text}", kinds=_HEARD,
                                   notes="听到就算说过；只为另一条规则认出这句话")
            yield f"{rule}_missing", self._absence(norm, f"{rule}_missing", said)

    def clause(self, norm: Norm) -> str:
        return _CLAUSE.format(
            id=self._clause_id(norm), document=quoted(norm.source or self.document), issuer=quoted(self.issuer),
            article=quoted(f"{_TITLES[norm.tier]} {norm.number}"), requirement=quoted(norm.text),
            category=norm.category)

    def _rule(
        self, norm: Norm, rule: str, terms: Sequence[str], *, title: str = "", contexts: Iterable[str] = (),
        allow: Sequence[str] = (), kinds: Iterable[str] = (), notes: str = UNEXPLAINED,
    ) -> str:
        return draft(
            rule, category=norm.category, title=(title or norm.text)[:_SHORT], tier=norm.tier,
            severity=norm.severity or Severity.MEDIUM, clauses=[self._clause_id(norm)], terms=terms, allow=allow,
            contexts=contexts, kinds=kinds, notes=notes)

    def _absence(self, norm: Norm, rule: str, said: str) -> str:
        within = norm.within or _WITHIN
        return _ABSENCE.format(
            id=rule, title=quoted(f"没有说：{norm.text}"[:_SHORT]), category=norm.category,
            severity=norm.severity or Severity.MEDIUM, clauses=listed([self._clause_id(norm)]), said=said,
            within=within, until=within, every=f", every: {norm.every}" if norm.every else "",
            say=quoted(f"请说：{norm.statement[0]}"), statement=quoted(norm.statement[0]))

    def _clause_id(self, norm: Norm) -> str:
        return f"{self.pack.upper()}-{_LETTERS[norm.tier]}-{norm.name}"


def _fate(norm: Norm, rules: Sequence[str]) -> Fate:
    unused = (UNUSED,) if norm.terms or norm.exceptions or norm.statement else ()
    if norm.category == PROCESS_DUTY:
        return Fate(norm, DUTY, unused)
    if norm.tier is Tier.ORIENTATION:
        return Fate(norm, CHECKLIST, unused)
    if not norm.category:
        return Fate(norm, OUTSIDE, unused)
    needs = {
        "wording to look for": not norm.terms and not norm.statement,
        "a severity; it is medium for now": norm.severity is None,
        f"a deadline; it is {_WITHIN} for now": bool(norm.statement) and not norm.within,
        "a true and a false case": True,
    }
    return Fate(norm, ", ".join(rules), tuple(need for need, needed in needs.items() if needed), tuple(rules))


def _page(fates: Sequence[Fate], title: str, file: str) -> str:
    """All clauses, for people."""
    lines = [f"# {_cell(title)}", "", _WRITTEN.format(file=_cell(file)).removeprefix("# ")]
    for tier, name in _TITLES.items():
        some = [fate for fate in fates if fate.norm.tier is tier]
        if some:
            lines += [f"## {name}", "", "| 编号 | 条文 | 结果 |", "|---|---|---|", *map(_line, some), ""]
    return "\n".join(lines)


def _line(fate: Fate) -> str:
    needs = "".join(f"<br>needs {need}" for need in fate.needs)
    return f"| {_cell(fate.norm.number)} | {_cell(fate.norm.text)} | {fate.became}{needs} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
