"""What was said and what was found in it as one page of HTML: self-contained, for a screen, a phone and paper.

All text passes `words`: escaped, on one line, without characters that control or turn it.
"""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import groupby, pairwise
from string import Template
from typing import Final, NamedTuple

from monitor.cli.terminal import safe
from monitor.domain.clauses import Clause
from monitor.domain.findings import Finding, Remark, Severity, Tier
from monitor.domain.titles import CATEGORIES, EVASIONS, SEVERITIES, TIERS

FIRST: Final = 7
"""Rules that are named at the top as what to change first."""
FOLDED: Final = 60
"""A longer run of lines without a finding is folded."""
_RANK: Final = {severity: place for place, severity in enumerate(SEVERITIES)}


class Mark(NamedTuple):
    """[start, end) in code points of the line; `number`: of the finding. `own`: the finding is of this line."""

    start: int
    end: int
    number: int
    severity: Severity
    own: bool = True


class Line(NamedTuple):
    """One event. `text` is masked; `when` is "" where no time is known; `remarks` by their numbers."""

    file: str
    number: int
    when: str
    who: str
    text: str
    remarks: Mapping[int, Remark]
    marks: Sequence[Mark]


class Missing(NamedTuple):
    """A statement that had to be made and was not. `due`: until when, in words."""

    finding: Finding
    due: str


class Told(NamedTuple):
    """What the page is about. `notes`: why it may not tell all; `omitted`: lines without findings that are not kept,
    by the line before them."""

    title: str
    files: Sequence[str]
    facts: str
    lines: Sequence[Line]
    clauses: Mapping[str, Clause]
    total: int
    omitted: Mapping[tuple[str, int], int] = {}
    missing: Sequence[Missing] = ()
    notes: Sequence[str] = ()


def words(text: str) -> str:
    return escape(safe(text))


def page(told: Told) -> str:
    template = files("monitor.cli").joinpath("report.html").read_text(encoding="utf-8")
    hashes = {tag: b64encode(sha256(body.encode()).digest()).decode()
              for tag, body in re.findall(r"<(style|script)>(.*?)</\1>", template, re.DOTALL)}
    policy = (f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
              "base-uri 'none'; form-action 'none'")
    return Template(template).substitute(
        policy=policy, title=words(told.title), files=words("、".join(told.files)), facts=words(told.facts),
        shape="timed" if any(line.when for line in told.lines) else "", summary="\n".join(_summary(told)),
        rows="\n".join(_rows(told)))


def _summary(told: Told) -> Iterator[str]:
    found = [(number, remark, line) for line in told.lines for number, remark in line.remarks.items()]
    counts = Counter(f.severity for _, f, _ in found)
    chips = " ".join(f'<a class="chip {severity}" href="#f{next(n for n, f, _ in found if f.severity is severity)}">'
                     f"{title} {counts[severity]:,}</a>" for severity, title in SEVERITIES.items() if counts[severity])
    lines = sum(bool(line.remarks) for line in told.lines)
    verdicts = [f"{len(found):,} 处需要处理，在 {lines:,} 行里"] if found else []
    verdicts += [f"缺少 {len(told.missing):,} 项声明"] if told.missing else []
    verdict = (f"<p>{'；'.join(verdicts)}</p>" if verdicts
               else '<p class="clean">没有发现问题</p>' if told.total else "<p>没有可检查的内容</p>")
    yield f'<div class="panel wide verdict">{verdict}{chips}<span class="meta">共检查 {told.total:,} 行</span></div>'
    if told.notes:
        yield ('<div class="panel wide doubt"><ul>' + "".join(f"<li>{words(note)}</li>" for note in told.notes)
               + "</ul></div>")
    if told.missing:
        some = "".join(_missing(finding, due, told.clauses) for finding, due in told.missing)
        yield f'<div class="panel wide"><h2>缺少的声明</h2><ul>{some}</ul></div>'
    if found:
        yield f'<div class="panel"><h2>先改这些</h2><ol>{"".join(_first(found))}</ol></div>'
        yield f'<div class="panel"><h2>按类别</h2>{_table([f for _, f, _ in found])}</div>'


def _missing(finding: Finding, due: str, clauses: Mapping[str, Clause]) -> str:
    say = f'<span class="fix">{words(finding.advice.say)}</span>' if finding.advice.say else ""
    return (f'<li class="{finding.severity}"><span class="chip">{SEVERITIES[finding.severity]}</span> '
            f'{words(finding.title)} <span class="meta">{words(due)} · {words(finding.rule)}</span>{say}'
            + "".join(_clause(name, finding, clauses) for name in finding.clauses) + "</li>")


def _first(found: Sequence[tuple[int, Finding, Line]]) -> Iterator[str]:
    """The severest rules, then those that are broken most often."""
    by_rule: dict[tuple[str, Severity], list[tuple[int, Finding, Line]]] = {}
    for each in found:
        by_rule.setdefault((each[1].rule, each[1].severity), []).append(each)
    ranked = sorted(by_rule.values(), key=lambda some: (_RANK[some[0][1].severity], -len(some), some[0][0]))
    for some in ranked[:FIRST]:
        n, finding, _ = some[0]
        hits = "、".join(dict.fromkeys(f"“{hit}”" for _, f, _ in some for hit in _hits(f)))
        links = " ".join(f'<a href="#f{m}">{_place(line)}</a>' for m, _, line in some[:5])
        more = f" 等 {len(some):,} 处" if len(some) > 5 else ""
        fix = f'<span class="fix">{words(finding.advice.say)}</span>' if finding.advice.say else ""
        yield (f'<li class="{finding.severity}"><span class="chip">{SEVERITIES[finding.severity]}</span> '
               f'<a href="#f{n}">{words(finding.title)}</a> {words(_cut(hits))} '
               f'<span class="meta">{links}{more}</span>{fix}</li>')
    if len(ranked) > FIRST:
        yield f'<li class="meta rest">其余 {len(ranked) - FIRST:,} 类见下文</li>'


def _table(found: Sequence[Finding]) -> str:
    """Findings by category and severity; a finding counts under its first category."""
    counts: dict[str, Counter[Severity]] = {}
    for finding in found:
        name = CATEGORIES.get(finding.category[0], finding.category[0]) if finding.category else TIERS[finding.tier]
        counts.setdefault(name, Counter())[finding.severity] += 1
    shown = [severity for severity in SEVERITIES if any(of[severity] for of in counts.values())]
    head = "".join(f'<th scope="col">{SEVERITIES[severity]}</th>' for severity in shown)
    rows = "".join(
        f'<tr><th scope="row">{words(name)}</th>' + "".join(
            f"<td>{of[severity]:,}</td>" if of[severity] else '<td class="zero">·</td>' for severity in shown)
        + f"<td>{of.total():,}</td></tr>"
        for name, of in sorted(counts.items(), key=lambda row: (-row[1].total(), row[0])))
    return (f'<table><thead><tr><th scope="col">类别</th>{head}<th scope="col">合计</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>")


def _rows(told: Told) -> Iterator[str]:
    several = len(told.files) > 1
    for file, of_file in groupby(told.lines, key=lambda line: line.file):
        if several:
            yield f"<h3>{words(file)}</h3>"
        for touched, run in groupby(of_file, key=lambda line: bool(line.remarks or line.marks)):
            some = list(run)
            left = sum(told.omitted.get((line.file, line.number), 0) for line in some)
            if touched or (len(some) + left <= FOLDED):
                yield from (_row(line, told.clauses) for line in some)
            else:
                yield (f"<details><summary>第 {some[0].number:,} 行起 {len(some) + left:,} 行没有问题"
                       + (f"，其中 {left:,} 行未列出" if left else "") + "</summary>")
                yield from (_row(line, told.clauses) for line in some)
                yield "</details>"


def _row(line: Line, clauses: Mapping[str, Clause]) -> str:
    unmarked = line.remarks.keys() - {mark.number for mark in line.marks if mark.own}
    anchors = "".join(f'<span id="m{n}"></span>' for n in sorted(unmarked))
    when = f'<span class="when">{words(line.when)}</span>' if line.when else ""
    who = f'<span class="tag who">{words(line.who)}</span>' if line.who else ""
    notes = "".join(_card(number, remark, clauses) for number, remark in line.remarks.items())
    touched = ' class="row hit"' if line.remarks or line.marks else ' class="row"'
    return (f'<div{touched}><div class="gutter">{anchors}{when}<span class="no">{_place(line)}</span></div>'
            f'<p class="said">{who}{marked(line.text, line.marks)}</p>'
            + (f'<div class="notes">{notes}</div>' if notes else "") + "</div>")


def _place(line: Line) -> str:
    return f"第 {line.number:,} 行"


def marked(text: str, marks: Sequence[Mark]) -> str:
    """`text` with the marks; where they overlap, the severest shows. Behind the last mark of a finding its number."""
    within = [mark for mark in marks if 0 <= mark.start < mark.end <= len(text)]
    ends = {mark.number: max(other.end for other in within if other.number == mark.number) for mark in within}
    cuts = sorted({0, len(text), *(mark.start for mark in within), *(mark.end for mark in within)})
    parts = []
    for start, end in pairwise(cuts):
        over = [mark.severity for mark in within if mark.start <= start and end <= mark.end]
        piece = words(text[start:end])
        parts.append(f'<mark class="{min(over, key=_RANK.__getitem__)}">{piece}</mark>' if over else piece)
        for mark in {mark.number: mark for mark in within if ends[mark.number] == end == mark.end}.values():
            name = f' id="m{mark.number}"' if mark.own else ""
            parts.append(f'<a class="ref {mark.severity}"{name} href="#f{mark.number}">{mark.number}</a>')
    return "".join(parts) or words(text)


def _card(number: int, finding: Remark, clauses: Mapping[str, Clause]) -> str:
    tags = [CATEGORIES.get(name, name) for name in finding.category]
    tags += [TIERS[finding.tier]] if finding.tier is not Tier.REDLINE else []
    tags += [EVASIONS[finding.evasive]] if finding.evasive else []
    shown = "".join(f'<span class="tag">{words(tag)}</span>' for tag in (*tags, finding.rule))
    named = list(_facts(finding, clauses))
    named += [("另见", "<br>".join(_also(other, finding, clauses) for other in finding.also))] if finding.also else []
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in named)
    return (f'<article class="card {finding.severity}" id="f{number}" tabindex="-1">'
            f'<h4><a class="ref" href="#m{number}" title="回到原文">{number}</a> '
            f'<span class="chip">{SEVERITIES[finding.severity]}</span> {words(finding.title)}</h4>'
            f'<div class="tags">{shown}</div><dl>{facts}</dl></article>')


def _also(finding: Finding, first: Finding, clauses: Mapping[str, Clause]) -> str:
    """What says the same as the first, with the clauses that this one does not have."""
    more = "".join(_clause(name, finding, clauses) for name in finding.clauses if name not in first.clauses)
    return (f'<span class="chip">{SEVERITIES[finding.severity]}</span> {words(finding.title)} '
            f'<span class="meta">{words(finding.rule)}</span>{more}')


def _facts(finding: Finding, clauses: Mapping[str, Clause]) -> Iterator[tuple[str, str]]:
    """Name and value, as HTML, of each row of a card."""
    meant = dict.fromkeys(f"“{span.text}”即“{span.term}”" for span in finding.spans if span.term)
    if meant:
        yield "写法", "<br>".join(map(words, meant))
    reason = next((clauses[name].requirement for name in finding.clauses if name in clauses), "")
    if reason:
        yield "理由", words(reason)
    if finding.exempt:
        yield "豁免", f"可能适用，请核对证明：{_clause(finding.exempt, finding, clauses)}"
    if finding.advice.say:
        yield "建议", words(finding.advice.say)
    if finding.advice.rewrite:
        yield "改写", "<br>".join(
            f'{words(old)} → <span class="to">{words(new)}</span>' for old, new in finding.advice.rewrite.items())
    if finding.clauses:
        yield "依据", "".join(_clause(name, finding, clauses) for name in finding.clauses)


def _clause(name: str, finding: Finding, clauses: Mapping[str, Clause]) -> str:
    known = clauses.get(name)
    told = {"待核": finding.unverified, "不在有效期": finding.not_in_force}
    shown = f"{known.document} {known.article} · {known.issuer}" if known else ""
    return (f'<span class="law">{words(shown)} <code>{words(name)}</code>'
            + "".join(f' <b class="doubt">{word}</b>' for word, some in told.items() if name in some) + "</span>")


def _hits(finding: Finding) -> list[str]:
    """What was found, each text once."""
    return list(dict.fromkeys(span.text for span in finding.spans if span.text))


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[:most] + "…"
