"""How well the shipped packs judge lines that their writers have not seen.

python -m tests.quality.evaluate dev [--misses] [--alarms] [--category NAME]
python -m tests.quality.evaluate test            counts only; each run is logged in log.csv
python -m tests.quality.evaluate kappa           how far two labellings of the same lines agree

recall        of all (line, category) pairs of plain and implied violations, how many are found
precision     of all (line, category) pairs found on labelled lines, how many are right
hard alarms   share of the hard negatives with a finding of any category
ordinary      share of ordinary lines with a finding
evasive       recall on disguised lines, as a share of that on the same lines undisguised
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from monitor.adapters.rulefiles.folder import load as load_rules
from monitor.cli.loading import databases, scorer, view_tables
from monitor.domain.events import Event, Kind, Role, Speaker
from monitor.domain.findings import Tier
from monitor.domain.rules import RoomContext
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge
from tests.quality import second
from tests.quality.sets import CARE, CATEGORIES_AND_CARE, READABLE, UNSEEN, Line, load

ROOT: Final = Path(__file__).parents[2]
LOG: Final = Path(__file__).parent / "log.csv"
NOW: Final = 1_795_000_000_000


def engine_of(rules: Path, *, rooms: Iterable[RoomContext] = (), model: str = "") -> EngineSet:
    """As the service judges. `model`: as the setting model.dir."""
    return EngineSet(load_rules(rules), view_tables(), rooms=rooms, zone=ZoneInfo("Asia/Shanghai"),
                     scorer=scorer(model), databases=databases())


class Judge:
    def __init__(self, rules: Path, *, model: str = "") -> None:
        self.engine = engine_of(rules, model=model)

    def rules(self, lines: list[Line], texts: list[str]) -> list[dict[str, set[str]]]:
        """Of each line: rule → its categories (`care` for that tier), without hints at exemptions and without rules
        that only serve others."""
        events = [Event(id=line.id, kind=Kind(line.kind), text=text, speaker=Speaker(Role(line.speaker)), at=NOW)
                  for line, text in zip(lines, texts, strict=True)]
        found: list[dict[str, set[str]]] = [{} for _ in lines]
        for match in judge(self.engine, EventBatch(events)).matches:
            rule = match.rule.rule
            if not match.exempt and rule.id not in self.engine.correlations.silenced:
                found[match.event][rule.id] = {CARE} if rule.tier is Tier.CARE else set(rule.category)
        return found

    def labels(self, lines: list[Line], texts: list[str]) -> list[set[str]]:
        return [set().union(*rules.values()) for rules in self.rules(lines, texts)]


class Counts(msgspec.Struct):
    wanted: int = 0
    found: int = 0
    right: int = 0
    hard_alarms: int = 0

    def __str__(self) -> str:
        recall = self.right / self.wanted if self.wanted else float("nan")
        precision = self.right / self.found if self.found else float("nan")
        f1 = 2 * recall * precision / (recall + precision) if self.right else 0.0
        return (f"{self.wanted:5} wanted {self.found:5} found {self.right:5} right · recall {recall:.3f} "
                f"precision {precision:.3f} F1 {f1:.3f} · {self.hard_alarms} alarms on hard negatives")


def measure(judge_: Judge, labelled: list[Line], ordinary: list[Line]) -> tuple[dict[str, Counts], dict[str, float]]:
    each = {name: Counts() for name in CATEGORIES_AND_CARE}
    got = judge_.labels(labelled, [line.text for line in labelled])
    for line, found in zip(labelled, got, strict=True):
        for name in line.labels:
            each[name].wanted += 1
            each[name].right += name in found
        for name in found:
            each[name].found += 1
            each[name].hard_alarms += line.type == "N"
    disguised = [line for line in labelled if line.type == "E"]
    plain = judge_.labels(disguised, [line.plain for line in disguised])
    as_written = judge_.labels(disguised, [line.text for line in disguised])
    pairs = [(line, found) for line, found in zip(labelled, got, strict=True) if line.type == "V"]
    hard = [bool(found) for line, found in zip(labelled, got, strict=True) if line.type == "N"]
    alarms = [bool(found) for found in judge_.labels(ordinary, [line.text for line in ordinary])]
    of_plain = _recall(list(zip(disguised, plain, strict=True)))
    return each, {
        "recall": _recall(pairs),
        "precision": sum(c.right for c in each.values()) / max(1, sum(c.found for c in each.values())),
        "hard_alarms": sum(hard) / len(hard), "ordinary_alarms": sum(alarms) / max(1, len(alarms)),
        "evasive_recall": _recall(list(zip(disguised, as_written, strict=True))), "plain_recall": of_plain,
        "evasive_of_plain": _recall(list(zip(disguised, as_written, strict=True))) / of_plain if of_plain else 0.0,
        "lines": len(labelled), "ordinary": len(ordinary),
    }


def _recall(pairs: list[tuple[Line, set[str]]]) -> float:
    wanted = sum(len(line.labels) for line, _ in pairs)
    return sum(name in found for line, found in pairs for name in line.labels) / max(1, wanted)


def show(judge_: Judge, lines: list[Line], *, misses: bool, alarms: bool, category: str) -> None:
    """Of the half that may be read: what is missed, and what is found wrongly."""
    for line, rules in zip(lines, judge_.rules(lines, [line.text for line in lines]), strict=True):
        found = set().union(*rules.values())
        missed = [name for name in line.labels if name not in found and category in ("", name)]
        wrong = {rule: names for rule, names in rules.items()
                 if names - set(line.labels) and (not category or category in names)}
        if misses and missed:
            sys.stdout.write(f"MISS {','.join(missed):28} {line.type} {line.kind}/{line.speaker} {line.text}\n")
        if alarms and wrong:
            sys.stdout.write(f"ALARM {','.join(wrong):40} {line.type} {','.join(line.labels)} "
                             f"{line.kind}/{line.speaker} {line.text}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=(*READABLE, *UNSEEN, "kappa"))
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--alarms", action="store_true")
    parser.add_argument("--category", default="")
    parser.add_argument("--rules", type=Path, default=ROOT / "rules")
    options = parser.parse_args()
    if options.what == "kappa":
        sys.stdout.write(second.report())
        return
    labelled, ordinary = load("labelled", options.what), load("ordinary", options.what)
    judge_ = Judge(options.rules)
    if options.what in READABLE and (options.misses or options.alarms):
        show(judge_, [*labelled, *ordinary], misses=options.misses, alarms=options.alarms, category=options.category)
        return
    each, total = measure(judge_, labelled, ordinary)
    for name, counts in each.items():
        sys.stdout.write(f"{name:20} {counts}\n")
    sys.stdout.write("\n".join(f"{name:18} {value:.4f}" for name, value in total.items()) + "\n")
    kinds = Counter(line.type for line in labelled)
    sys.stdout.write(f"{dict(kinds)} · rules {judge_.engine.ruleset.version}\n")
    if options.what in UNSEEN and options.rules == ROOT / "rules":
        new = not LOG.exists()
        with LOG.open("a", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(["at", "rules", *total])
            writer.writerow([datetime.now(UTC).isoformat(timespec="seconds"), judge_.engine.ruleset.version,
                             *(f"{value:.4f}" for value in total.values())])


if __name__ == "__main__":
    main()
