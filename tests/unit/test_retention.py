"""What was kept long enough goes, with all that belongs to it and nothing else; a row of the trail says what."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from monitor.adapters.storage.answers import SqlAnswers
from monitor.adapters.storage.checks import SqlChecks
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.retention import SqlExpiry
from monitor.adapters.storage.schema import (
    alert_categories,
    alerts,
    context_chunks,
    findings,
    labels,
    metadata,
    shadow_findings,
    shadow_hours,
)
from monitor.adapters.storage.schema_post import (
    checks,
    cues,
    invitations,
    messages,
    moves,
    queue,
    room_links,
    rulings,
    sessions,
)
from monitor.adapters.storage.store import SqlStore
from monitor.bootstrap.post import kept_ms
from monitor.domain.audit import Deed, verify
from monitor.domain.ids import alert_id
from monitor.domain.labels import Label
from monitor.services.answers import KEPT_MS, Answered, Key
from monitor.services.checking import Check, CheckFilter, Details, Summary
from monitor.services.records import Commit, ContextChunk, Position
from monitor.services.retention import Kind, Retention
from monitor.settings import load
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


def message(name: str, at: int, due: int | None) -> dict[str, object]:
    return {"id": name, "tenant": "local", "channel": "c", "room": "r", "at": at, "due": due, "tries": 1, "error": "",
            "state": "waiting" if due else "sent", "body": b""}


def link(name: str, expires_at: int, revoked_at: int | None) -> dict[str, object]:
    return {"sha256": name, "tenant": "local", "room": "r", "by": "x", "made_at": NOON, "expires_at": expires_at,
            "revoked_at": revoked_at}


def invitation(name: str, expires_at: int, used_at: int | None) -> dict[str, object]:
    return {"sha256": name, "tenant": "local", "login": name, "expires_at": expires_at, "used_at": used_at}


def session(name: str, created_at: int) -> dict[str, object]:
    return {"id": name, "tenant": "local", "login": "x", "sha256": name, "csrf": "", "created_at": created_at,
            "rotated_at": created_at, "seen_at": NOON + 9 * DAY, "before": "", "before_until": 0}


def cue(name: str, at: int) -> dict[str, object]:
    return {"id": name, "tenant": "local", "room": "r", "alert_id": "a", "at": at, "seq": at, "body": b""}


def shadow(name: str, at: int) -> dict[str, object]:
    return {"id": name, "tenant": "local", "rule": "t.r", "version": "1", "at": at, "room": "r", "source": "",
            "event_id": name, "revision": 0, "body": b""}


def version(name: str, at: int) -> dict[str, object]:
    return {"tenant": "local", "id": name, "at": at, "body": b""}


@pytest.mark.parametrize("kind, table, rows, stay", [
    (Kind.MESSAGES, messages, [message("old", NOON, None), message("waits", NOON, NOON),
                               message("new", NOON + 5, None)], ["new", "waits"]),
    (Kind.ROOM_LINKS, room_links, [link("over", NOON, None), link("open", NOON + 5, None),
                                   link("revoked", NOON + 5, NOON), link("just", NOON, NOON + 5)], ["just", "open"]),
    (Kind.INVITATIONS, invitations, [invitation("over", NOON, None), invitation("open", NOON + 5, None),
                                     invitation("used", NOON + 5, NOON)], ["open"]),
    (Kind.SESSIONS, sessions, [session("old", NOON), session("new", NOON + 5)], ["new"]),
    (Kind.SHADOWS, shadow_findings, [shadow("old", NOON), shadow("new", NOON + 5)], ["new"]),
    (Kind.CUES, cues, [cue("old", NOON), cue("new", NOON + 5)], ["new"]),
    (Kind.CHECK_VERSIONS, checks, [version(name, NOON) for name in (
        "c.00000001", "c.00000002", "c.00000003", "ca.00000001", "c.d.00000001")],
     ["c.00000003", "c.d.00000001", "ca.00000001"]),
])
async def test_each_kind_goes_by_its_own_time(
    kept: Kept, kind: Kind, table: Table, rows: list, stay: list[str],
) -> None:
    await kept.database.run(lambda connection: connection.execute(table.insert(), rows))
    retention = Retention(SqlExpiry(kept.database), kept.answers, kept.clock, kept.telemetry, {kind: 3 * DAY})
    kept.clock.ms = NOON + 3 * DAY
    await retention.step()
    name = table.c.sha256 if "sha256" in table.c and table is not sessions else table.c.id
    left = select(name).order_by(name)
    assert len(await kept.database.read(lambda connection: connection.scalars(left).all())) == len(rows)
    kept.clock.ms += 1
    await retention.step()
    assert await kept.database.read(lambda connection: connection.scalars(left).all()) == stay
    gone = len(rows) - len(stay)
    assert f'redpost_expired_total{{kind="{kind}"}} {gone}.0' in kept.telemetry.render()[0].decode()
    told = kind not in (Kind.INVITATIONS, Kind.SESSIONS)
    assert await kept.went() == ([(kind.value, gone)] if told else [])


async def test_counts_of_rules_in_the_shadow_go_with_what_was_counted(kept: Kept) -> None:
    rows = [{"tenant": "local", "rule": "t.r", "version": "1", "hour": NOON + n, "findings": 1} for n in (0, 1)]
    await kept.database.run(lambda connection: connection.execute(shadow_hours.insert(), rows))
    await SqlExpiry(kept.database).expire(Kind.SHADOWS, before=NOON + 1, now=NOON, limit=9)
    assert await kept.database.read(lambda connection: connection.scalars(select(shadow_hours.c.hour)).all()) == [
        NOON + 1]


def test_every_kind_has_a_time() -> None:
    kept = kept_ms(load(environ={}).settings)
    assert set(kept) == set(Kind) and min(kept.values()) >= DAY


def test_every_table_that_names_an_alert_is_thought_of() -> None:
    """One that is added later must go with its alert, or say here why it stays."""
    stay = {"outbox", "handed"}  # trimmed by number; the other tenant's copy
    of_alert = {table.name for table in metadata.tables.values() if "alert_id" in table.c}
    assert of_alert == stay | {"alert_categories", "cues", "findings", "moves", "queue", "rulings"}
