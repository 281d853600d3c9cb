"""How many findings have a rewrite that fits the words.

python -m tests.quality.rewrites [--bare] [--category NAME]

Over the corpus' violations (types V and E), said by the host side, and the demo's streams. Findings whose label has no
lawful wording (rules/README.md) are counted by themselves. `--bare` lists the others that have none.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from monitor.adapters.rulefiles import load_rooms
from monitor.domain.events import HOST_SIDE, Event, Kind, Role, Speaker, lane_of
from monitor.domain.findings import Advice, Finding, Span
from monitor.domain.rules import AnyRule
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge
from monitor.services.scan import Scanner
from monitor.services.scanned import distinct
from tests.functional.test_shipped_rules import unsayable
from tests.quality.demo import DEMO
from tests.quality.evaluate import NOW, ROOT, engine_of
from tests.quality.sets import CORPUS, Line


class Advised(msgspec.Struct, frozen=True):
    """A finding of the host side's words, with what it is given."""

    rule: AnyRule
    text: str
    advice: Advice

    @property
    def sayable(self) -> bool:
        return (self.rule.category[0], self.rule.sub) not in unsayable()


def advised(engine: EngineSet, events: list[Event]) -> Iterator[Advised]:
    """Event by event; without what rests on scores alone, on nothing said, or serves others."""
    for match in judge(engine, EventBatch(events)).matches:
        rule, event = match.rule.rule, events[match.event]
        if match.spans and rule.category and rule.id not in engine.correlations.silenced:
            spans = [Span(s.start, s.end, event.text[s.start : s.end], s.selection, s.view, term=s.term)
                     for s in match.spans]
            yield Advised(rule, event.text, rule.advice.given(event.text, spans))


def corpus() -> list[Event]:
    lines = [line for path in sorted(CORPUS.glob("*.jsonl"))
             for line in msgspec.json.Decoder(Line).decode_lines(path.read_bytes()) if line.type in ("V", "E")]
    return [Event(id=line.id, kind=Kind(line.kind), text=line.text, speaker=Speaker(Role(line.speaker)), at=NOW)
            for line in lines if lane_of(Kind(line.kind), Role(line.speaker)) == HOST_SIDE]


def engine() -> EngineSet:
    return engine_of(ROOT / "rules", rooms=load_rooms(DEMO / "rooms.yml"))


def demo(engine: EngineSet) -> list[Finding]:
    """As `redpost scan` finds it."""
    found: list[Finding] = []
    for path in sorted(DEMO.glob("*.ndjson")):
        scanner = Scanner(engine, day=NOW)
        done = [*scanner.scan(msgspec.json.Decoder(Event).decode_lines(path.read_bytes())), *scanner.finish()]
        found += [finding for one in done for finding in distinct(one.findings)]
    return [finding for finding in found if finding.spans and finding.category and finding.lane == HOST_SIDE]


def told(title: str, found: Iterable[tuple[str, bool, bool]]) -> str:
    """`found`: of each finding its category, whether there is a lawful wording, and whether it has one."""
    rows = Counter(found)
    lines = []
    for name in [*sorted({category for category, *_ in rows}), ""]:
        these = Counter({row[1:]: 0 for row in rows})
        for (category, *how), count in rows.items():
            these[tuple(how)] += count if name in ("", category) else 0
        has, bare = these[True, True], these[True, False]
        if has + bare:
            lines.append(f"{name or title:20} {has:6} of {has + bare:6} {has / (has + bare):.3f}"
                         f" · {these[False, False] + these[False, True]} of labels without a lawful wording\n")
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--category", default="")
    options = parser.parse_args()
    judging = engine()
    found = list(advised(judging, corpus()))
    if options.bare:
        for one in found:
            if one.sayable and not one.advice.rewrite and options.category in ("", one.rule.category[0]):
                sys.stdout.write(f"{one.rule.id:40} {one.text}\n")
        return
    sys.stdout.write(told("corpus", ((one.rule.category[0], one.sayable, bool(one.advice.rewrite)) for one in found)))
    sys.stdout.write(told("demo", (
        (each.category[0], (each.category[0], each.sub) not in unsayable(), bool(each.advice.rewrite))
        for each in demo(judging))))


if __name__ == "__main__":
    main()
