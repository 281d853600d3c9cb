"""Rules, their faults and their cases, for people."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.text import Text

from monitor.adapters.clock import SystemClock
from monitor.cli.loading import zone
from monitor.cli.scan_text import cited, marked
from monitor.cli.terminal import SEVERITY_STYLES, counted, err, out, safe
from monitor.domain.errors import Fault
from monitor.domain.events import Event, Speaker
from monitor.domain.rules import Case, Context, Effective, Rule, Selection, Status, not_in_force, unverified
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import Explained, MatchSpan, judge
from monitor.engine.views import ViewTables
from monitor.services.casework import CaseFailure

_LONGEST: Final = 160
"""Characters of a faulty line that are shown."""


def tell_faults(folder: Path, faults: Sequence[Fault]) -> None:
    """All faults on stderr, each under the line where it stands."""
    console = err()
    texts: dict[str, list[str]] = {}
    for fault in faults:
        if fault.path not in texts:
            texts[fault.path] = _lines(folder / fault.path)
        head = Text(safe(f"{fault.path}:{fault.line}:{fault.column}: "), style="bold")
        head.append(safe(fault.message), style="bold red")
        console.print(head, *_excerpt(texts[fault.path], fault), sep="\n", soft_wrap=True)
    console.print(Text(counted(len(faults), "fault"), style="red"))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return []  # the fault says why


def _excerpt(lines: Sequence[str], fault: Fault) -> Iterator[Text]:
    """The line, a caret under the column, and the hint."""
    number = f"{fault.line:>5} | "
    if fault.line <= len(lines) and lines[fault.line - 1].strip():
        line, column = lines[fault.line - 1], fault.column - 1
        start = max(column - _LONGEST // 2, 0)
        shown = safe(line[start : start + _LONGEST])
        yield Text(number, style="dim").append(shown, style="default")
        before = cell_len(safe(line[start:column]))
        yield Text(" " * (len(number) - 2) + "| ", style="dim").append(" " * before + "^", style="bold red")
    if fault.hint:
        yield Text(" " * (len(number) - 2) + "= ", style="dim").append(safe(fault.hint), style="default")


def tell_failure(failure: CaseFailure, tables: ViewTables, contexts: dict[str, Context]) -> None:
    """What a case wanted and what came, with the text and the spans."""
    rule, case = failure.rule, failure.case
    wanted = "no finding" if not case.expect else "hits of " + ", ".join(case.expect)
    got = "no finding" if failure.found is None else "a finding with hits of " + ", ".join(failure.found)
    spans = [] if failure.found is None else _spans(rule, case, tables, contexts)
    lines = [Text(f"{rule.path}:{case.line}: {rule.id}", style="bold red"),
             Text(f"  expected {wanted}, got {got}"),
             Text("  ").append_text(marked(case.text, [(s.start, s.end) for s in spans], brackets=_plain()))]
    lines += [Text(safe(f"  {s.selection}: {s.start}–{s.end} {case.text[s.start : s.end]} ({s.view})")) for s in spans]
    out().print(*lines, "", sep="\n", soft_wrap=True)


def _plain() -> bool:
    console = out()
    return console.no_color or not console.is_terminal


def _spans(rule: Rule, case: Case, tables: ViewTables, contexts: dict[str, Context]) -> Sequence[MatchSpan]:
    alone = RuleSet((msgspec.structs.replace(rule, effective=Effective()),), {}, rule.version, {}, contexts)
    engine = EngineSet(alone, tables, zone=zone(), statuses=frozenset(Status))
    event = Event(id="case", kind=case.kind, stage=case.stage, text=case.text, at=0,
                  speaker=None if case.speaker is None else Speaker(case.speaker))
    return [span for match in judge(engine, EventBatch([event])).matches for span in match.spans]


def tell_explained(text: str, found: Sequence[Explained]) -> None:
    """Of each rule with a hit: whether it holds, its hits, and what took a hit away."""
    lines: list[Text] = []
    for each in found:
        rule, standing = each.rule.rule, [f for f in each.hits if not f.taken_by]
        verdict = "holds" if each.holds and each.applies else "does not apply here" if each.holds else "does not hold"
        style = SEVERITY_STYLES[rule.severity] if verdict == "holds" else "dim"
        lines.append(Text(f" {verdict} ", style=style).append(f" {rule.id}  {safe(rule.title)}", style="bold"))
        lines.append(Text("  ").append_text(marked(text, [(f.start, f.end) for f in standing], brackets=_plain())))
        for fate in each.hits:
            what = f"  {fate.selection}: {text[fate.start : fate.end]} ({fate.view})"
            lines.append(Text(safe(what + (f" — taken away by {fate.taken_by}" if fate.taken_by else ""))))
        lines += [Text(safe(f"  {f.selection} heard: {text[f.start : f.end]}"), style="dim") for f in each.phrases]
        lines.append(Text(""))
    out().print(*(lines or [Text("no rule has a hit in this text")]), sep="\n", soft_wrap=True)


def tell_rule(rule: Rule, ruleset: RuleSet) -> None:
    head = Text(f" {rule.severity} ", style=SEVERITY_STYLES[rule.severity])
    head.append(f" {safe(rule.title)}", style="bold").append(f"  {rule.id}")
    facts = [f"{rule.tier} · {rule.status} · {', '.join(rule.category)} · {rule.path}:{rule.line}"]
    register, today = ruleset.clauses, datetime.fromtimestamp(SystemClock().now() / 1000, zone()).date()
    named = partial(cited, unverified=unverified(rule.clauses, register),
                    not_in_force=not_in_force(rule.clauses, register, today))
    for clause in rule.clauses:
        known = ruleset.clauses.get(clause)
        facts.append(f"{named(clause)}  "
                     + (f"{known.document} {known.article}: {known.requirement}" if known else ""))
    if rule.advice.say:
        facts.append(f"→ {rule.advice.say}")
    facts += [f"  {old} → {new}" for old, new in rule.advice.rewrite.items()]
    facts += ["", "selections:", *map(_selection, rule.selections), "", "cases:"]
    facts += [f"  {', '.join(case.expect) or 'none'}: {case.text}" for case in rule.cases]
    out().print(head, *[Text("  " + safe(fact)) for fact in facts], sep="\n", soft_wrap=True)


def _selection(selection: Selection) -> str:
    several = {"terms": selection.terms, "patterns": selection.patterns, "allow": selection.allow}
    what = [f"{len(some)} {name}" for name, some in several.items() if some]
    what += [f"detector {selection.detector}"] if selection.detector else []
    what += [f"score {selection.score} ≥ {selection.gte}"] if selection.score else []
    reach = selection.veto or selection.near
    if reach:
        what.append(f"{'veto' if selection.veto else 'near'} {reach.of} within {reach.within}")
    return f"  {selection.name}: {', '.join(what)}"
