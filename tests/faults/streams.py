"""Generated streams for the fault tests, and what a plain pass over them finds."""

import importlib.resources
import random
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from monitor.adapters.rulefiles import RuleFolder
from monitor.cli.loading import scorer
from monitor.domain.alerts import GroupingSettings
from monitor.domain.events import Event
from monitor.domain.ids import alert_id
from monitor.engine.engineset import EngineSet
from monitor.engine.views import ViewTables
from monitor.services.scan import Scanner
from tests.bench.corpus import COMMON
from tests.faults.harness import RULES, SETTINGS, Batch, Item

HOST: Final = ("今天全网最低", "三天就能根治", "销量全国第一", "一周治好，全网最低")
VIEWER: Final = ("史上最低吧", "大家加微信", "全网第1名", "真的不想活了")
BASE: Final = int(time.time() * 1000) + 3_600_000
"""Event times lie ahead of the clock, so that no time that passes between two runs of one stream matters."""
STEP_MS: Final = 40
ZONE: Final = "Asia/Shanghai"


def stream(seed: int, count: int, *, name: str = "e", first: int = 0, share: float = 0.06,
           hosts: float = 0.3, revised: bool = True) -> list[Item]:
    """`count` events of eight rooms, one of them loud, each at a time of its own; `share` of them violate something.

    Some hold contact data, some host events are revised later, with or without what was wrong.
    """
    rng = random.Random(seed)
    found: list[Item] = []
    open_revisions: list[tuple[int, Item]] = []
    for i in range(first, first + count):
        at = BASE + i * STEP_MS
        if open_revisions and open_revisions[0][0] <= i:
            _, old = open_revisions.pop(0)
            text = old["text"] if rng.random() < 0.3 else _words(rng, 12)
            found.append({**old, "revision": 2, "text": text, "at": at})
            continue
        host = rng.random() < hosts
        violates = rng.random() < share
        text = _words(rng, 14)
        if violates:
            text = text[:5] + rng.choice(HOST if host else VIEWER) + text[5:]
        elif rng.random() < 0.03:
            text += "13812345678"
        room = rng.choice([0] * 8 + [1, 2, 3, 4, 5, 6, 7])
        item: Item = {
            "id": f"{name}{i}", "source": "test", "room": f"room-{room}", "at": at, "text": text,
            "kind": "transcript" if host else "comment",
            "speaker": {"role": "host", "id": "h"} if host else {"role": "viewer", "id": f"u{rng.randrange(40)}"},
        }
        if room == 3:
            item["broadcast"] = f"named-{i // 400}"
        if revised and host and violates and rng.random() < 0.3:
            item["revision"] = 1
            open_revisions.append((i + rng.randrange(5, 60), item))
        found.append(item)
    return found


def _words(rng: random.Random, size: int) -> str:
    return "".join(rng.choices(COMMON, k=size))


def cut(items: Sequence[Item], size: int) -> list[Batch]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def bulk(batches: int, *, first: int) -> list[Batch]:
    """Events that fill the log and nothing else; 140 KB a batch there, since they do not compress."""
    rng = random.Random(first)
    return [
        [{"id": f"bulk{i}-{j}", "room": "bulk", "kind": "comment", "source": "test", "speaker": "u",
          "at": BASE - 10**7 + i * 100 + j, "text": "".join(rng.choices(COMMON, k=3_000))} for j in range(30)]
        for i in range(first, first + batches)
    ]


@cache
def tables() -> ViewTables:
    return ViewTables(importlib.resources.files("monitor.engine").joinpath("data/views.npz").read_bytes())


@cache
def engine_of(rules: Path = RULES) -> EngineSet:
    """As a service judges that has nothing set."""
    folder = RuleFolder(rules, rooms=None, zone=ZONE)
    found, _ = folder.parse(folder.read())
    return EngineSet(found, tables(), zone=ZoneInfo(ZONE), scorer=scorer(""))


class Expected(Struct):
    """What one plain pass finds: finding → alert; alert → its standing events; finding → (event, revision)."""

    findings: dict[str, str]
    alerts: dict[str, list[str]]
    events: dict[str, tuple[str, int]]


def expected(batches: Sequence[Batch], *, rules: Path = RULES) -> Expected:
    def number(name: str) -> int:
        value = SETTINGS[name]
        assert isinstance(value, int)
        return value

    grouping = GroupingSettings(number("alerts.gap_ms"), number("alerts.longest_ms"))
    scanner = Scanner(engine_of(rules), grouping=grouping, with_alerts=True)
    found = [
        finding for batch in batches
        for scanned in scanner.scan(msgspec.convert(batch, list[Event])) for finding in scanned.findings
    ]
    return Expected(
        {f.id: alert_id(f.opened_by) for f in found},
        {alert.id: sorted(events) for alert, events in scanner.alerts()},
        {f.id: (f.event_id, f.revision) for f in found},
    )
