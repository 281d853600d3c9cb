"""What a rule in the shadow finds is noted once, whatever dies or comes again, and alerts are as without it."""

import shutil
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from monitor.adapters.rulefiles import load
from monitor.domain.events import Event
from monitor.domain.rules import Status
from monitor.engine.engineset import EngineSet
from monitor.services.scan import Scanner
from tests.faults.conftest import STREAM
from tests.faults.harness import RULES, Batch, Client, query, serving
from tests.faults.outcome import Outcome, outcome_of, same
from tests.faults.streams import ZONE, cut, tables

HOUR = 3_600_000
BATCHES = cut(STREAM, 60)


def with_one_tried(folder: Path) -> Path:
    shutil.copytree(RULES, folder)
    tried = (folder / "shop/lowest.yml").read_text("utf-8").replace("shop.lowest", "shop.tried")
    (folder / "shop/tried.yml").write_text(tried.replace("status: active", "status: shadow"), encoding="utf-8")
    return folder


def expected(rules: Path, batches: list[Batch]) -> dict[str, int]:
    """What one plain pass notes, as far as it stands: finding → when."""
    engine = EngineSet(load(rules), tables(), zone=ZoneInfo(ZONE), beside=frozenset((Status.SHADOW,)))
    newest = {item["id"]: item.get("revision", 0) for batch in batches for item in batch}
    scanner = Scanner(engine)
    scanned = [*(one for batch in batches for one in scanner.scan(msgspec.convert(batch, list[Event]))),
               *scanner.finish()]
    return {f.id: f.at for one in scanned for f in one.shadows if f.revision == newest[f.event_id]}


def noted(data: Path) -> tuple[dict[str, int], dict[int, int]]:
    return (dict(query(data / "store.db", "SELECT id, at FROM shadow_findings")),
            dict(query(data / "store.db", "SELECT hour, findings FROM shadow_hours WHERE findings > 0")))


async def test_each_is_noted_once_through_kills_and_whatever_is_sent_again(
    tmp_path: Path, uninterrupted: Outcome
) -> None:
    rules, data = with_one_tried(tmp_path / "rules"), tmp_path / "data"
    wanted = expected(rules, BATCHES)
    assert len(wanted) > 30
    async with serving(data, "judged:2", rules=rules) as server, Client(server) as client:
        await client.deliver(BATCHES, failpoints=("committed:3", "published:2"))
        await client.settle()
        assert client.deaths >= 1
        await client.deliver(BATCHES[-5:] + BATCHES[:5])
        outcome = await client.settled(outcome_of)
        assert (await client.metric("redpost_shadow_rules"), await server.stop()) == (1, 0), server.output()
    hours = Counter(at - at % HOUR for at in wanted.values())
    assert noted(data) == (wanted, hours)
    same(outcome, uninterrupted)
