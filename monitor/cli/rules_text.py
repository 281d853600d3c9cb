"""Rules, their faults and their cases, for people."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec
from rich.cells import cell_len
from rich.text import Text

from monitor.adapters.clock import SystemClock
from monitor.adapters.rulefiles.importing import Imported
from monitor.cli.loading import zone
from monitor.cli.marking import marked
from monitor.cli.scan_text import cited
from monitor.cli.terminal import counted, err, out, safe
from monitor.domain.clauses import Clause, not_in_force, unverified
from monitor.domain.errors import Fault
from monitor.domain.events import Event, Speaker
from monitor.domain.rules import Case, Context, Effective, Rule, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Explained, Match
from monitor.engine.pipeline import explain, judge
from monitor.engine.views import ViewTables
from monitor.services.casework import Cost, Failure, SeriesFailure

_LONGEST: Final = 160
"""Characters of a faulty line that are shown."""
_DEAREST: Final = 20


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
        return path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []
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


def tell_failure(failure: Failure, tables: ViewTables, contexts: dict[str, Context]) -> None:
    """What a case wanted and what came, with the text and the spans."""
    if isinstance(failure, SeriesFailure):
        out().print(Text(safe(str(failure)), style="bold red"), "", sep="\n", soft_wrap=True)
        return
    rule, case = failure.rule, failure.case
    wanted = "no finding" if not case.expect else "hits of " + ", ".join(case.expect)
    got = "no finding" if failure.found is None else "a finding with hits of " + ", ".join(failure.found)
    match, told = _judged(rule, case, tables, contexts)
    spans = [] if failure.found is None or match is None else match.spans
    lost = [fate for each in told for fate in each.hits if fate.taken_by]
    aside = "" if rule.status is Status.ACTIVE else f" ({rule.status})"
    lines = [Text(f"{rule.path}:{case.line}: {rule.id}{aside}", style="bold red"),
             Text(f"  expected {wanted}, got {got}"),
             Text("  ").append_text(marked(case.text, [(s.start, s.end) for s in spans], brackets=plain()))]
    lines += [Text(safe(f"  {s.selection}: {s.start}–{s.end} {case.text[s.start : s.end]} ({s.view})")) for s in spans]
    lines += [Text(safe(f"  {f.selection}: {f.start}–{f.end} {case.text[f.start : f.end]} ({f.view}), "
                        f"lost by {f.taken_by}")) for f in lost]
    out().print(*lines, "", sep="\n", soft_wrap=True)


def tell_costs(costs: Sequence[Cost], texts: int) -> None:
    """The dearest rules; their words are too common to begin with."""
    for cost in costs[:_DEAREST]:
        words = "  ".join(f"{word} {n}" for word, n in cost.words)
        out().print(Text(safe(f"{cost.looks:>5}  {cost.rule}: {words}")), soft_wrap=True)
    looks = sum(cost.looks for cost in costs)
    out().print(f"{looks:,} second looks at {texts:,} texts of other rules that expect nothing"
                + ("; rarer words spare them" if looks else ""), soft_wrap=True)


def plain() -> bool:
    console = out()
    return console.no_color or not console.is_terminal


def _judged(
    rule: Rule, case: Case, tables: ViewTables, contexts: dict[str, Context]
) -> tuple[Match | None, Sequence[Explained]]:
    """What the rule makes of the text where it applies, and of each hit."""
    everywhere = msgspec.structs.replace(rule, effective=Effective())
    engine = EngineSet(RuleSet((everywhere,), {}, rule.version, {}, contexts), tables, zone=zone(),
                       statuses=frozenset(Status))
    batch = EventBatch([Event(id="case", kind=case.kind, stage=case.stage, text=case.text, at=0,
                              speaker=None if case.speaker is None else Speaker(case.speaker))])
    return next(iter(judge(engine, batch).matches), None), explain(engine, batch)


def tell_duties(duties: Mapping[str, Clause]) -> None:
    """Each under its document, in the order of the register."""
    console, now = out(), today()
    documents: dict[tuple[str, str], list[Clause]] = {}
    for duty in duties.values():
        documents.setdefault((duty.document, duty.issuer), []).append(duty)
    doubts = {"unverified": unverified(duties, duties), "not_in_force": not_in_force(duties, duties, now)}
    for (document, issuer), some in documents.items():
        lines = [Text(safe(document), style="bold").append(f"  {safe(issuer)}", style="dim")]
        for duty in some:
            since, until = duty.effective_from, duty.effective_until
            held = (f"  from {since}" if since else "") + (f"  until {until}" if until else "")
            lines.append(Text(safe(f"  {cited(duty.id, **doubts)}  {duty.article}{held}")))
            lines.append(Text(safe(f"    {duty.requirement}")))
        console.print(*lines, "", sep="\n", soft_wrap=True)
    console.print(f"{counted(len(documents), 'document')}, {counted(len(duties), 'duty', 'duties')}")


def tell_import(done: Imported, folder: Path) -> None:
    """Each clause with what became of it and what it still needs, and what was written."""
    console = out()
    for fate in done.fates:
        lines = [Text(safe(f"{fate.norm.tier} {fate.norm.number}  {fate.norm.text}")), Text(safe(f"  {fate.became}"))]
        lines += [Text(safe(f"  needs {need}"), style="yellow") for need in fate.needs]
        console.print(*lines, sep="\n", soft_wrap=True)
    console.print("", *[Text(safe(str(folder / path))) for path in done.written], "", sep="\n", soft_wrap=True)
    drafts = counted(sum(len(fate.rules) for fate in done.fates), "draft")
    console.print(f"{counted(len(done.fates), 'clause')}, {drafts}" + (f", {len(done.kept)} kept" if done.kept else ""))


def today() -> date:
    return datetime.fromtimestamp(SystemClock().now() / 1000, zone()).date()
