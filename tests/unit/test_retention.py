"""What was kept long enough goes, with all that belongs to it and nothing else; a row of the trail says what."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from monitor.adapters.storage.answers import SqlAnswers
from monitor.adapters.storage.checks import SqlChecks
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.retention import SqlExpiry
from monitor.adapters.storage.schema import alert_categories, alerts, context_chunks, findings, labels, metadata
from monitor.adapters.storage.schema_post import moves, queue, rulings
from monitor.adapters.storage.store import SqlStore
from monitor.domain.audit import Deed, verify
from monitor.domain.ids import alert_id
from monitor.domain.labels import Label
from monitor.services.answers import KEPT_MS, Answered, Key
from monitor.services.checking import Check, CheckFilter, Details, Summary
from monitor.services.records import Commit, ContextChunk, Position
from monitor.services.retention import Kind, Retention
from tests.contract.test_store import NOON, finding, line
from tests.unit.test_post_flow import LAWFUL, VIOLATION, WANG, World

DAY = 86_400_000
KEEP = {Kind.ALERTS: 10 * DAY, Kind.CORRECTIONS: 20 * DAY, Kind.CHECKS: 5 * DAY}


class Kept(World):
    def __init__(self, database: Database) -> None:
        super().__init__(SqlStore(database), SqlPosts(database))
        self.database, self.answers, self.checks = database, SqlAnswers(database), SqlChecks(database)
        self.retention = Retention(SqlExpiry(database), self.answers, self.clock, self.telemetry, KEEP)

    async def counts(self) -> dict[str, int]:
        tables = (alerts, findings, alert_categories, queue, moves, rulings, labels, context_chunks)
        return {table.name: await self.database.read(
            lambda connection, table=table: connection.scalar(select(func.count()).select_from(table)))
            for table in tables}

    async def went(self) -> list[tuple[str, object]]:
        rows = await self.posts.rows("local", after=0, limit=1_000)
        assert verify(rows) is None
        return [(row.deed.on, row.deed.facts["count"]) for row in rows if row.deed.what == "list.expire"]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    database = await Database.open(tmp_path / "store.db")
    yield Kept(database)
    await database.close()


async def test_nothing_goes_before_its_time(kept: Kept) -> None:
    await kept.find(finding("a"), finding("b", event="x", room="room-2"))
    await kept.act(WANG, alert_id("a"), VIOLATION)
    before = await kept.counts()
    kept.clock.ms = NOON + 10 * DAY
    assert await kept.retention.step() is False
    assert await kept.counts() == before and await kept.went() == []


async def test_an_alert_goes_with_all_that_belongs_to_it(kept: Kept) -> None:
    await kept.find(finding("a"), finding("a2", by="a", event="y"),
                    finding("b", event="x", room="room-2", rule="other"),
                    finding("c", event="z", room="room-3", rule="third"))
    await kept.act(WANG, alert_id("a"), LAWFUL)
    await kept.act(WANG, alert_id("b"), VIOLATION)
    await kept.store.save_labels("local", [Label(id="theirs", text="好", labels=[], at=NOON)])
    kept.clock.ms = NOON + 10 * DAY + 1
    assert await kept.retention.step() is False
    assert await kept.counts() == {"alerts": 1, "findings": 1, "alert_categories": 1, "queue": 0, "moves": 1,
                                   "rulings": 1, "labels": 2, "context_chunks": 0}
    assert await kept.went() == [("alerts", 2)]
    kept.clock.ms = NOON + 20 * DAY + 1
    await kept.retention.step()
    assert {name: count for name, count in (await kept.counts()).items() if count} == {"labels": 1}
    assert await kept.went() == [("alerts", 2), ("corrections", 1)]
    rows = await kept.posts.rows("local", after=0, limit=100)
    assert [row.deed.what for row in rows][:2] == ["alert.decide", "alert.decide"]  # the trail stays


async def test_it_goes_in_bounded_steps_and_each_tenants_apart(kept: Kept) -> None:
    await kept.find(*(finding(f"f{n}", event=f"e{n}", room=f"room-{n}", rule=f"r{n}", at=NOON + n) for n in range(250)),
                    *(finding(f"g{n}", event=f"e{n}", room=f"room-{n}", rule=f"r{n}", tenant="other")
                      for n in range(9)))
    kept.clock.ms = NOON + 11 * DAY
    assert await kept.retention.step() is True
    assert (await kept.counts())["alerts"] == 59
    assert await kept.retention.step() is False
    assert (await kept.counts())["alerts"] == 0
    (row,) = [row for row in await kept.posts.rows("other", after=0, limit=9) if row.deed.by == "time"]
    assert row.deed.facts == {"count": 9, "first_at": NOON, "last_at": NOON, "before": NOON + DAY}


async def test_lines_stay_while_an_alert_shows_them(kept: Kept) -> None:
    at = [NOON, NOON + 30_000, NOON + 5 * DAY]
    chunks = [ContextChunk(tenant="local", room="room-1", lane=0, first_seq=n, from_at=one, to_at=one,
                           lines=[line(f"l{n}", at=one)]) for n, one in enumerate(at)]
    position = await kept.store.claim(0)
    found = [finding("a"), finding("b", event="x", rule="other", at=at[1]), finding("c", event="y", rule="r", at=at[2])]
    await kept.store.apply([Commit(position=Position(0, 1, position.epoch), expected=0, now=NOON, context=chunks,
                                   findings=found)])
    kept.clock.ms = at[0] + 10 * DAY + 1
    await kept.retention.step()
    assert (await kept.counts())["context_chunks"] == 3  # b shows the first two
    kept.clock.ms = at[1] + 10 * DAY + 1
    await kept.retention.step()
    assert (await kept.counts())["context_chunks"] == 1
    kept.clock.ms = at[2] + 10 * DAY + 1
    await kept.retention.step()
    assert (await kept.counts())["context_chunks"] == 0


async def test_checks_and_answers_go_too(kept: Kept) -> None:
    for n in range(3):
        told = Summary(id=f"c{n}", name="晚场", version=0, at=NOON + n * DAY, by="x", room="", sha256="", lines=0,
                       findings=0, worst="", engine_set="")
        await kept.checks.keep("local", Check(told, Details([], [], [])),
                               Deed(tenant="local", by="x", at=NOON, what="check.made", on=told.id))
    await kept.answers.keep_answer(Key("local", "x", "k"), Answered("r", 200, b"", NOON))
    kept.clock.ms = NOON + 6 * DAY + 1
    await kept.retention.step()
    page = await kept.checks.page("local", CheckFilter(), cursor=None, limit=9)
    assert [told.id for told in page.checks] == ["c2"]
    assert await kept.went() == [("checks", 2)]
    assert kept.clock.ms > NOON + KEPT_MS and await kept.answers.answer(Key("local", "x", "k"), since=0) is None


def test_every_table_that_names_an_alert_is_thought_of() -> None:
    """One that is added later must go with its alert, or say here why it stays."""
    stay = {"outbox", "handed"}  # trimmed by number; the other tenant's copy
    of_alert = {table.name for table in metadata.tables.values() if "alert_id" in table.c}
    assert of_alert == stay | {"alert_categories", "cues", "findings", "moves", "queue", "rulings"}
