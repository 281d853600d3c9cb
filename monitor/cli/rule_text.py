"""One rule, for people: what it says, and what it makes of a text."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, Final

import msgspec
from rich.text import Text

from monitor.cli.marking import marked
from monitor.cli.rules_text import plain, today
from monitor.cli.scan_text import cited
from monitor.cli.terminal import SEVERITY_STYLES, out, safe
from monitor.domain.clauses import not_in_force, unverified
from monitor.domain.conditions import names_in, written
from monitor.domain.correlations import CorrelationRule
from monitor.domain.rules import AnyRule, Applies, Effective, Reach, Rule, Selection, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.judged import Explained, Fate
from monitor.engine.scoring import Weighed

_WORDS: Final = 60
"""Words of one list that are shown; the rule file has all."""


def tell_rule(rule: AnyRule, ruleset: RuleSet) -> None:
    """All that the rule says."""
    head = Text(f" {rule.severity} ", style=SEVERITY_STYLES[rule.severity])
    head.append(f" {safe(rule.title)}", style="bold").append(f"  {rule.id}")
    facts = [f"{rule.tier} · {rule.status} · {', '.join(rule.category)} · {rule.path}:{rule.line}",
             f"for {scope(rule.applies, rule.effective)}"]
    register = ruleset.clauses
    named = partial(cited, unverified=unverified(rule.clauses, register),
                    not_in_force=not_in_force(rule.clauses, register, today()))
    for clause in rule.clauses:
        known = ruleset.clauses.get(clause)
        facts.append(f"{named(clause)}  "
                     + (f"{known.document} {known.article}: {known.requirement}" if known else ""))
    if rule.advice.say:
        facts.append(f"→ {rule.advice.say}")
    facts += [f"  {old} → {new}" for old, new in rule.advice.rewrite.items()]
    facts += ["", *(_detection(rule) if isinstance(rule, Rule) else [])]
    facts += _correlation(rule) if isinstance(rule, CorrelationRule) else []
    out().print(head, *[Text("  " + safe(fact)) for fact in facts], sep="\n", soft_wrap=True)


def _detection(rule: Rule) -> Iterator[str]:
    yield f"condition: {written(rule.condition)}"
    if rule.exempt:
        yield f"may be exempt under {rule.exempt.clause}: {rule.exempt.selection} within {rule.exempt.within}"
    yield from ("", "selections:")
    for selection in rule.selections:
        yield from (f"  {line}" for line in _selection(selection))
    yield from ("", "cases:")
    yield from (f"  {', '.join(case.expect) or 'none'}: {case.text}" for case in rule.cases)


def _correlation(rule: CorrelationRule) -> Iterator[str]:
    yield "findings in time:"
    for name, value in msgspec.to_builtins(rule.correlation).items():
        if value:
            yield f"  {name.removesuffix('_ms').replace('_', '-')}: {_told(value, ms=name.endswith('_ms'))}"
    yield f"cases: {len(rule.cases)}"


def _told(value: Any, *, ms: bool) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items() if each)
    if isinstance(value, list | tuple):
        return ", ".join(value)
    return f"{value / 1000:g}s" if ms else str(value)


def scope(applies: Applies, effective: Effective) -> str:
    """What texts a rule is for, in words."""
    chosen = {
        "kinds": applies.kinds, "speakers": applies.speakers, "stages": applies.stages, "platforms": applies.platforms,
        "trades": applies.verticals, "rooms tagged": applies.rooms.having, "rooms not tagged": applies.rooms.without,
    }  # fmt: skip
    told = [f"{what} {', '.join(sorted(some))}" for what, some in chosen.items() if some]
    told += [f"from {effective.since}"] if effective.since else []
    told += [f"until {effective.until}"] if effective.until else []
    told += ["what a classifier does not find unlikely"] if applies.likely else []
    return " · ".join(told) or "every text"


def _selection(selection: Selection) -> Iterator[str]:
    """A head, and under it the words."""
    facts = [f"detector {selection.detector}"] if selection.detector else []
    least = f" ≥ {selection.gte}" if selection.gte else ", where the model finds it enough"
    facts += [f"score {selection.score}{least}"] if selection.score else []
    facts += [f"context {', '.join(selection.context)}"] if selection.context else []
    if selection.room:
        facts.append(f"the room's {selection.room.fact} is one of {', '.join(selection.room.values)}")
    facts += [f"{selection.listed} the listed prices"] if selection.listed else []
    facts += ["without a proof"] if selection.unproven else []
    facts += [f"{selection.times} times"] if selection.times > 1 else []
    facts += [f"views {_list(selection.views)}"] if selection.views else []
    facts += [f"also {_list(selection.also)}"] if selection.also else []
    facts += [f"takes away {_reach(selection.veto)}"] if selection.veto else []
    facts += [f"only near {_reach(selection.near)}"] if selection.near else []
    yield f"{selection.name}: {', '.join(facts)}" if facts else selection.name
    for what, some in {"terms": selection.terms, "allowed": selection.allow}.items():
        if some:
            more = f"  … and {len(some) - _WORDS} more" if len(some) > _WORDS else ""
            yield f"  {what}: {'  '.join(some[:_WORDS])}{more}"
    for pattern in selection.patterns:
        yield f"  pattern: {pattern}"


def _list(some: Iterable[StrEnum]) -> str:
    return " ".join(some)


def _reach(reach: Reach) -> str:
    return f"{' or '.join(reach.of)} within {reach.within}" + (f" {reach.side} it" if reach.side != "either" else "")


def judges(each: Explained) -> bool:
    """Whether the rule makes a finding of the text."""
    return each.judges and each.rule.rule.status is Status.ACTIVE


def tell_explained(text: str, found: Sequence[Explained]) -> None:
    """Of each rule that has a hit which its condition asks for: whether it holds, and why, or why not."""
    shown = [each for each in found if each.holds or any(_asked(each, fate) for fate in each.hits)]
    console = out()
    for each in shown:
        console.print(*_explained(text, each), "", sep="\n", soft_wrap=True)
    holding = sum(map(judges, shown))
    console.print(f"{holding} of {len(shown)} rules with a hit hold" if shown else "no rule has a hit in this text")


def _explained(text: str, each: Explained) -> Iterator[Text]:
    rule = each.rule.rule
    verdict = "holds" if judges(each) else "would hold" if each.judges else "does not hold"
    head = Text(f" {verdict} ", style=SEVERITY_STYLES[rule.severity] if judges(each) else "dim")
    yield head.append(f" {rule.id}  {safe(rule.title)}", style="bold")
    standing = [fate for fate in each.hits if not fate.taken_by and _asked(each, fate)]
    wanted = [fate for fate in standing if each.rule.shown >> each.rule.names.index(fate.selection) & 1]
    yield Text("  ").append_text(marked(text, [(f.start, f.end) for f in wanted], brackets=plain()))
    lines = [f"{'hit    ' if fate in wanted else 'against'}  {_place(text, fate)}" for fate in standing]
    lines += [f"lost     {_place(text, fate)}: {_reason(rule, fate)}" for fate in each.hits if fate.taken_by]
    lines += [f"heard    {_place(text, fate)}: {_helper(rule, fate)}"
              for fate in each.hits if not fate.taken_by and not _asked(each, fate)]
    lines += dict.fromkeys(f"heard    context {_place(text, fate)}" for fate in each.phrases)
    lines += [f"score    {_weighed(weighed)}, enough from {weighed.least:.2f} on" for weighed in each.scores]
    if not each.holds:
        lines.append(f"why not  the condition asks for: {written(rule.condition)}")
    elif not each.applies:
        lines.append(f"why not  the rule is for {scope(rule.applies, rule.effective)}")
    elif each.unlikely:
        lines += [f"why not  the classifier finds it unlikely: {_weighed(weighed)}, below {weighed.least:.2f}"
                  for weighed in each.unlikely]
    elif rule.status is Status.SHADOW:
        lines.append("why not  the rule is in the shadow: it is noted, and no finding")
    elif rule.status is not Status.ACTIVE:
        lines.append(f"why not  the rule is of status {rule.status}: only active ones judge")
    for line in lines:
        yield Text("  " + safe(line))


def _weighed(weighed: Weighed) -> str:
    return f"{weighed.category} {weighed.score:.2f}"


def _asked(each: Explained, fate: Fate) -> bool:
    return fate.selection in names_in(each.rule.rule.condition)


def _place(text: str, fate: Fate) -> str:
    return f"{fate.selection}: {text[fate.start : fate.end]} ({fate.view})"


def _reason(rule: Rule, fate: Fate) -> str:
    """What took a hit away, from the name of the stage."""
    stage, _, what = fate.taken_by.partition(" ")
    by = {selection.name: selection for selection in rule.selections}
    if stage == "near":
        near = by[fate.selection].near
        return f"no {what} within {near.within}" if near else fate.taken_by
    return {
        "allow": "inside an allowed phrase", "proof": "the room holds a proof",
        "listed": f"not {what} the listed prices", "veto": f"taken away by {what}",
        "context": f"taken away by the context {what}", "times": f"fewer than {what} times",
    }[stage]  # fmt: skip


def _helper(rule: Rule, fate: Fate) -> str:
    """What a hit is for that the condition does not ask for."""
    selection = next(each for each in rule.selections if each.name == fate.selection)
    if selection.veto:
        return f"would take away {_reach(selection.veto)}"
    users = [each.name for each in rule.selections if each.near and fate.selection in each.near.of]
    return f"{', '.join(users)} must be near it" if users else "no condition asks for it"
