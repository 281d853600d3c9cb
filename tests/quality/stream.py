"""False alerts of lawful rooms at real density, grouped as the service groups them.

python -m tests.quality.stream [--rooms N] [--minutes N] [--seed N] [--worst N] [--json FILE]
python -m tests.quality.stream --half test       counts only; each run is logged in stream_log.csv

Every alert is false, but for one: in rooms that keep silent, a statement that was due is missing indeed.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.alerts import Alert
from monitor.domain.events import Event, Kind
from monitor.domain.findings import Severity
from monitor.engine.engineset import EngineSet
from monitor.services.scan import Scanner
from tests.quality.evaluate import ROOT, engine_of
from tests.quality.rooms import MINUTE, Room, events, rooms, stocks
from tests.quality.sets import load

LOG: Final = Path(__file__).parent / "stream_log.csv"
BATCH: Final = 500
GRAVE: Final = (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
"""What a reviewer is shown first; at most one false alert of these a room-hour is what we want."""


class Worst(Struct, frozen=True):
    rule: str
    alerts: int
    severity: Severity
    example: str


class Missing(Struct, frozen=True):
    """Alerts about a statement: in rooms where it is said they are false, in silent ones right."""

    rule: str
    false: int
    right: int


class Figures(Struct, frozen=True, kw_only=True):
    """`grave_a_room_hour`: false alerts of severity medium and above. `a_thousand`: of the events with a text, how
    many in 1,000 have a finding or are the last of several that have one. `texts`: different ones, and `texts_found`
    those of them that are in such an event: the rooms say the same lines again and again, as hosts do."""

    rules: str
    rooms: int
    room_hours: float
    events: int
    a_minute: float
    false: dict[Severity, int]
    a_room_hour: dict[Severity, float]
    grave_a_room_hour: float
    a_thousand: float
    texts: int
    texts_found: int
    worst: list[Worst]
    missing: list[Missing]


def measure(
    engine: EngineSet, some: Sequence[Room], stream: Sequence[Event], *, minutes: int, worst: int, batch: int = BATCH,
) -> Figures:
    """`stream` in order of time. `worst`: how many rules are named. `batch`: events that come together."""
    scanner = Scanner(engine, with_alerts=True)
    scanned = [item for first in range(0, len(stream), batch) for item in scanner.scan(stream[first:first + batch])]
    found = [item.event.text for item in (*scanned, *scanner.finish()) if item.findings]
    texts = [event.text for event in stream if event.kind is not Kind.SIGNAL]
    silent = {room.name for room in some if room.silent}
    false: list[Alert] = []
    right: list[Alert] = []
    for alert, _ in scanner.alerts():
        (right if alert.scope == "broadcast" and alert.room in silent else false).append(alert)
    hours = len(some) * minutes * MINUTE / 3_600_000
    by_severity = Counter(alert.severity for alert in false)
    return Figures(
        rules=engine.ruleset.version, rooms=len(some), room_hours=hours, events=len(stream),
        a_minute=len(stream) / len(some) / minutes,
        false={severity: by_severity[severity] for severity in Severity},
        a_room_hour={severity: by_severity[severity] / hours for severity in Severity},
        grave_a_room_hour=sum(by_severity[severity] for severity in GRAVE) / hours,
        a_thousand=1_000 * len(found) / len(texts), texts=len(set(texts)), texts_found=len(set(found)),
        worst=_worst(false)[:worst], missing=_missing(false, right))


def _worst(alerts: Sequence[Alert]) -> list[Worst]:
    one = {alert.rule: alert for alert in reversed(alerts)}
    return [Worst(rule, count, one[rule].severity, one[rule].text)
            for rule, count in Counter(alert.rule for alert in alerts).most_common()]


def _missing(false: Sequence[Alert], right: Sequence[Alert]) -> list[Missing]:
    wrong = Counter(alert.rule for alert in false if alert.scope == "broadcast")
    good = Counter(alert.rule for alert in right)
    return [Missing(rule, wrong[rule], good[rule]) for rule in sorted(wrong | good)]


def stream_of(some: Sequence[Room], half: str, *, minutes: int, seed: int) -> list[Event]:
    """All rooms at once, in order of time."""
    stock = stocks(load("ordinary", half), with_demo=half == "dev")
    return sorted((event for room in some for event in events(room, stock, minutes=minutes, seed=seed)),
                  key=lambda event: (event.at, event.id))


def told(all_: Figures, *, examples: bool) -> str:
    lines = [
        f"{all_.rooms} rooms, {all_.room_hours:g} room-hours, {all_.events:,} events, "
        f"{all_.a_minute:.0f} a minute and room · rules {all_.rules}", "",
        "false alerts     all  a room-hour",
        *(f"  {severity:9} {count:8} {all_.a_room_hour[severity]:12.3f}" for severity, count in all_.false.items()),
        f"  medium and above {all_.grave_a_room_hour:13.3f}", "",
        f"events with a finding: {all_.a_thousand:.3f} of 1,000",
        f"different texts in them: {all_.texts_found} of {all_.texts:,}"]
    if examples:
        lines += ["", "rules with most false alerts"]
        lines += [f"{each.alerts:5} {each.severity:8} {each.rule:44} {each.example}" for each in all_.worst]
        lines += ["", "statements     false  right, where nobody says it"]
        lines += [f"  {each.false:15} {each.right:6}  {each.rule}" for each in all_.missing]
    return "\n".join(lines) + "\n"


def _log(all_: Figures) -> None:
    new = not LOG.exists()
    with LOG.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["at", "rules", "room_hours", "events", *all_.false, "grave_a_room_hour", "a_thousand",
                             "texts", "texts_found"])
        writer.writerow([datetime.now(UTC).isoformat(timespec="seconds"), all_.rules, all_.room_hours, all_.events,
                         *all_.false.values(), f"{all_.grave_a_room_hour:.4f}", f"{all_.a_thousand:.4f}",
                         all_.texts, all_.texts_found])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("dev", "test"), default="dev")
    parser.add_argument("--rooms", type=int, default=48)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worst", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rules", type=Path, default=ROOT / "rules")
    options = parser.parse_args()
    some = rooms(options.rooms)
    stream = stream_of(some, options.half, minutes=options.minutes, seed=options.seed)
    engine = engine_of(options.rules, rooms=[room.context for room in some if room.context])
    all_ = measure(engine, some, stream, minutes=options.minutes, worst=options.worst)
    readable = options.half == "dev"
    sys.stdout.write(told(all_, examples=readable))
    if options.json and readable:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(all_)) + b"\n")
    if not readable and options.rules == ROOT / "rules":
        _log(all_)


if __name__ == "__main__":
    main()
