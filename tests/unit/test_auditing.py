"""The trail: what tampering shows, and what does not."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, update

from monitor.adapters.storage.database import Database
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.schema_post import audit
from monitor.domain.audit import Deed
from monitor.services import auditing
from monitor.services.auditing import Auditing, Checked, follow

ROWS = 12


def deed(n: int, tenant: str = "local") -> Deed:
    return Deed(tenant=tenant, by="wang", at=1_000 + n, what="room.put", on=f"room/{n}", facts={"名": n})


class Said:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.gauges: list[float] = []

    def error(self, event: str, **facts: Any) -> None:
        self.lines.append((event, facts))

    info = warning = error

    def gauge(self, metric: str, value: float, /, **labels: str) -> None:
        assert metric == "audit_chain_ok"
        self.gauges.append(value)

    def count(self, metric: str, amount: float = 1, /, **labels: str) -> None: ...

    def observe(self, metric: str, value: float, /, **labels: str) -> None: ...


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "store.db")
    await SqlPosts(opened).write([deed(n) for n in range(1, ROWS + 1)])
    await SqlPosts(opened).write([deed(n, "other") for n in range(1, 4)])
    yield opened
    await opened.close()


def changed(**values: Any) -> Callable[[Connection], None]:
    def tamper(connection: Connection) -> None:
        connection.execute(update(audit).where(audit.c.tenant == "local", audit.c.seq == 5).values(**values))

    return tamper


def removed(connection: Connection) -> None:
    connection.execute(delete(audit).where(audit.c.tenant == "local", audit.c.seq == 5))


def removed_and_closed(connection: Connection) -> None:
    removed(connection)
    for seq in range(6, ROWS + 1):
        connection.execute(update(audit).where(audit.c.tenant == "local", audit.c.seq == seq).values(seq=seq - 1))


def put_in(connection: Connection) -> None:
    for seq in range(ROWS, 4, -1):
        connection.execute(update(audit).where(audit.c.tenant == "local", audit.c.seq == seq).values(seq=seq + 1))
    connection.execute(audit.insert().values(tenant="local", seq=5, at=1, by="x", what="w", of="o", before="0" * 64,
                                             hash="1" * 64, facts=b"{}"))


def swapped(connection: Connection) -> None:
    for old, new in ((5, 0), (6, 5), (0, 6)):
        connection.execute(update(audit).where(audit.c.tenant == "local", audit.c.seq == old).values(seq=new))


def of_another_tenant(connection: Connection) -> None:
    removed(connection)
    connection.execute(update(audit).where(audit.c.tenant == "other", audit.c.seq == 3).values(tenant="local", seq=5))


TAMPERED = {
    "by": changed(by="li"), "at": changed(at=1), "what": changed(what="room.remove"), "of": changed(of="room/6"),
    "facts": changed(facts='{"名":6}'.encode()), "hash": changed(hash="0" * 64), "before": changed(before="0" * 64),
    "removed": removed, "removed and closed": removed_and_closed, "put in": put_in, "swapped": swapped,
    "of another tenant": of_another_tenant,
}


@pytest.mark.parametrize("name", TAMPERED)
@pytest.mark.parametrize("start", [0, 4])
async def test_whatever_is_done_to_a_row_is_told_with_its_number(database: Database, name: str, start: int) -> None:
    posts = SqlPosts(database)
    before = await follow(posts, "local", most=start) if start else Checked()
    if start:
        rows = await posts.rows("local", after=start - 1, limit=1)
        before = Checked(rows=start, hash=rows[0].hash)
    assert (await follow(posts, "local", before)).broken is None
    await database.run(TAMPERED[name])
    broken = (await follow(posts, "local", before)).broken
    assert broken is not None and broken.seq == 5 and broken.why
    assert (await follow(posts, "other")).broken is None


async def test_a_tail_that_was_cut_off_is_told_by_a_hash_that_was_noted(database: Database) -> None:
    posts = SqlPosts(database)
    whole = await follow(posts, "local")
    middle = (await posts.rows("local", after=6, limit=1))[0].hash
    assert whole.rows == ROWS
    assert (await follow(posts, "local", wanted=[whole.hash, middle, "x"])).found == {whole.hash, middle}
    await database.run(lambda connection: connection.execute(
        delete(audit).where(audit.c.tenant == "local", audit.c.seq > 8)))
    cut = await follow(posts, "local", wanted=[whole.hash, middle])
    assert (cut.broken, cut.rows, cut.found) == (None, 8, {middle})


async def test_the_service_follows_what_is_new_and_sees_what_is_cut_off_while_it_runs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "_PAGE", 5)
    monkeypatch.setattr(auditing, "_AT_ONCE", 8)
    said, posts = Said(), SqlPosts(database)
    service = Auditing(posts, said, said)
    for _ in range(3):
        await service.look()
    assert [(name, facts["tenant"], facts["seq"]) for name, facts in said.lines] == [
        ("audit_anchor", "local", 9), ("audit_anchor", "other", 3), ("audit_anchor", "local", 12)]
    await posts.write([deed(13)])
    await service.look()
    assert said.lines[-1][1]["seq"] == 13 and said.gauges == [1, 1, 1, 1]
    await database.run(lambda connection: connection.execute(delete(audit).where(audit.c.seq > 11)))
    await service.look()
    assert said.lines[-1][0] == "audit_broken" and said.lines[-1][1]["seq"] == 13
    await posts.write([deed(12), deed(13), deed(14)])  # a chain of its own behind the cut
    await service.look()
    assert said.gauges[-2:] == [0, 0]


async def test_a_trail_that_is_gone_as_a_whole_is_told(database: Database) -> None:
    said = Said()
    service = Auditing(SqlPosts(database), said, said)
    await service.look()
    await database.run(lambda connection: connection.execute(delete(audit).where(audit.c.tenant == "other")))
    await service.look()
    assert said.gauges == [1, 0]
    assert (said.lines[-1][0], said.lines[-1][1]["tenant"]) == ("audit_broken", "other")
