"""What rules in the shadow found, as every database keeps it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from monitor.adapters.storage import shadows
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.schema import alerts
from monitor.adapters.storage.shadows import SqlShadows
from monitor.adapters.storage.store import SqlStore
from monitor.domain.alerts import Retraction
from monitor.domain.errors import OwnershipLost
from monitor.domain.findings import Finding
from monitor.domain.ids import alert_id
from monitor.domain.moves import Outcome
from monitor.services.records import AlertFilter, Position, ShadowRule
from monitor.services.shadows import ShadowNotes
from tests.contract.test_store import NOON, Writer, finding, withdrawal
from tests.parts.postgres import Cluster

HOUR = 3_600_000
FIRST = NOON - NOON % HOUR


class Kept:
    def __init__(self, database: Database) -> None:
        self.database, self.store, self.shadows = database, SqlStore(database), SqlShadows(database)

    async def notes(self, *, tenant: str = "local", version: str = "v1", since: int = 0) -> ShadowNotes:
        return await self.shadows.notes(tenant, "advertising.tried", version, since=since)

    async def names(self, **where: str) -> list[str]:
        return [hit.id for hit in (await self.notes(**where)).hits]


@pytest.fixture(params=["sqlite", "postgresql"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    cluster: Cluster | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    place = await cluster.fresh() if cluster else tmp_path / "store.db"
    database = await Database.open(place)
    yield Kept(database)
    await database.close()
    if cluster and isinstance(place, str):
        await cluster.drop(place)


def tried(name: str, **other: object) -> Finding:
    return finding(name, rule="advertising.tried", **other)


async def test_each_counts_once_whatever_comes_again(kept: Kept) -> None:
    write = await Writer.of(kept.store)
    await write(shadows=[tried("1"), tried("2", at=NOON + HOUR), tried("1")])
    await write(shadows=[tried("2", at=NOON + HOUR), tried("3", at=NOON + HOUR + 5, room="room-2")])
    notes = await kept.notes()
    assert notes.hours == {FIRST: 1, FIRST + HOUR: 2}
    assert [(hit.id, hit.room, hit.events) for hit in notes.hits] == [
        ("3", "room-2", ["e-3"]), ("2", "room-1", ["e-2"]), ("1", "room-1", ["e-1"])]
    assert (await kept.notes(since=FIRST + 1)).hours == {FIRST + HOUR: 2}
    for other in (await kept.notes(tenant="other"), await kept.notes(version="v2")):
        assert other == ShadowNotes(None, {}, [])


async def test_they_open_no_alert_and_are_no_finding(kept: Kept) -> None:
    write = await Writer.of(kept.store)
    assert await write(shadows=[tried("1")]) == []
    assert (await kept.store.alerts("local", AlertFilter(), cursor=None, limit=9)).alerts == []
    assert await kept.store.open_alerts() == [] and await kept.store.outbox_bounds("local") == (0, 0)


async def test_they_go_with_the_position_or_not_at_all(kept: Kept) -> None:
    write = await Writer.of(kept.store)
    commit = write.commit(shadows=[tried("1")])
    with pytest.raises(OwnershipLost):
        await kept.store.apply([replace(commit, position=Position(0, 1, 9))])
    assert await kept.notes() == ShadowNotes(None, {}, [])
    await kept.store.apply([commit])
    with pytest.raises(OwnershipLost):
        await kept.store.apply([commit])
    assert (await kept.notes()).hours == {FIRST: 1}


async def test_what_no_longer_stands_counts_no_longer(kept: Kept) -> None:
    write = await Writer.of(kept.store)
    await write(shadows=[tried("1", event="e"), tried("2", event="e", revision=2), tried("3", at=NOON + HOUR),
                         tried("o", tenant="other", event="e")])
    await write(withdrawals=[withdrawal("e", 2)])
    assert (await kept.names(), (await kept.notes()).hours) == (["3", "2"], {FIRST: 1, FIRST + HOUR: 1})
    await write(shadows=[tried("4")], retractions=[Retraction("local", name, "undone") for name in ("3", "4", "none")])
    assert (await kept.names(), (await kept.notes()).hours) == (["2"], {FIRST: 1})
    assert await kept.names(tenant="other") == ["o"]


async def test_the_newest_are_kept_and_all_are_counted(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadows, "KEPT", 3)
    write = await Writer.of(kept.store)
    await write(shadows=[tried(str(n), at=NOON + (n > 1)) for n in range(5)])
    await write(shadows=[finding("other", rule="advertising.other"), tried("o", tenant="other")])
    assert (await kept.names(), (await kept.notes()).hours) == (["4", "3", "2"], {FIRST: 5})
    await write(shadows=[tried("9", at=NOON - 5)])
    assert (await kept.names(), (await kept.notes()).hours) == (["4", "3", "2"], {FIRST: 6})
    assert await kept.names(tenant="other") == ["o"]


async def test_it_is_told_what_others_made_of_the_same_events(kept: Kept) -> None:
    write = await Writer.of(kept.store)
    await write(finding("a", event="e-1"), finding("b", event="e-2", by="a"), finding("c", event="e-3"),
                finding("own", event="e-4", rule="advertising.tried"), finding("x", event="e-5", source="elsewhere"),
                shadows=[tried(str(n), at=NOON + n) for n in range(1, 6)])
    await write(retractions=[Retraction("local", "c", "undone")])
    told = {hit.id: hit.alert for hit in (await kept.notes()).hits}
    assert told == {"1": alert_id("a"), "2": alert_id("a"), "3": "", "4": "", "5": ""}


async def test_a_violation_says_more_than_another_decision(kept: Kept) -> None:
    write = await Writer.of(kept.store)
    await write(*(finding(name, event="e-1", rule=f"t.{name}") for name in ("a", "b", "c")),
                shadows=[tried("1"), tried("2")])
    for name, outcome in (("a", Outcome.NO_VIOLATION), ("b", Outcome.VIOLATION)):
        decided = update(alerts).where(alerts.c.id == alert_id(name)).values(outcome=outcome.value)
        await kept.database.run(lambda connection, decided=decided: connection.execute(decided))
    assert [(hit.alert, hit.outcome) for hit in (await kept.notes()).hits] == [
        ("", ""), (alert_id("b"), Outcome.VIOLATION)]


async def test_since_when_a_version_is_tried_stays(kept: Kept) -> None:
    for since, version in ((NOON, "v1"), (NOON + 5, "v1"), (NOON + 9, "v2")):
        await kept.store.save_rule_set(f"set-{since}", b"", [ShadowRule("advertising.tried", version, since)])
    assert [(await kept.notes(version=name)).since for name in ("v1", "v2", "v3")] == [NOON, NOON + 9, None]
