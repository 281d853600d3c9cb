"""Rules that change while events come, wait and are lost: what came before a change is judged by the old ones."""

import shutil
import signal
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from monitor.adapters.sqlite import sqlite3
from monitor.domain.findings import Finding
from monitor.domain.frames import Swap
from tests.faults.harness import RULES, Client, Item, Server, logged, serving, until
from tests.faults.streams import BASE, bulk, engine_of

SLOW = "judging@30000"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)
    return folder


def change(rules: Path, word: str) -> str:
    """From now on `word` counts instead of 全网最低; the version of the new rules."""
    path = rules / "shop/lowest.yml"
    text = (RULES / "shop/lowest.yml").read_text(encoding="utf-8").replace("全网最低", word)
    path.write_text(text, encoding="utf-8")
    engine_of.cache_clear()
    return engine_of(rules).version


def said(name: str, count: int = 5) -> list[Item]:
    """Both lanes; every event violates the first rules, the second and the third."""
    return [
        {"id": f"{name}{i}", "source": "test", "room": "a", "at": BASE + i, "text": "全网最低，全城最低，全省最低",
         "kind": "comment" if i % 2 else "transcript", "speaker": "u" if i % 2 else "host"} for i in range(count)
    ]


def judged(data: Path) -> dict[str, set[str]]:
    """Event → the versions of the rules that found something in it."""
    with closing(sqlite3.connect(f"{(data / 'store.db').as_uri()}?mode=ro", uri=True)) as db:
        bodies = [body for (body,) in db.execute("SELECT body FROM findings")]
    found: dict[str, set[str]] = {}
    for finding in (msgspec.msgpack.decode(body, type=Finding) for body in bodies):
        found.setdefault(finding.event_id, set()).add(finding.engine_set)
    return found


def by(version: str, items: Sequence[Item]) -> dict[str, set[str]]:
    return {item["id"]: {version} for item in items}


def swaps(data: Path) -> list[str]:
    return [entry.version for _, entry in logged(data) if isinstance(entry, Swap)]


def deeds(data: Path) -> list[tuple[str, str, str]]:
    """Reloads on record: (who, what, version)."""
    with closing(sqlite3.connect(f"{(data / 'store.db').as_uri()}?mode=ro", uri=True)) as db:
        return list(db.execute("SELECT by, what, of FROM audit WHERE what = 'rules.reload' ORDER BY seq"))


async def reloaded(client: Client) -> str:
    status, told = await client.reload()
    assert status == 200 and told["changed"], told
    version: str = told["version"]
    return version


async def test_reload_by_request(tmp_path: Path, rules: Path) -> None:
    old = engine_of(rules).version
    async with serving(tmp_path / "data", SLOW, rules=rules) as server, Client(server) as client:
        await client.deliver([said("a", 40)])
        new = change(rules, "全城最低")
        assert await reloaded(client) == new
        await client.deliver([said("b")])
        await client.settle()
        assert judged(server.data) == by(old, said("a", 40)) | by(new, said("b"))
        assert (await client.reload())[1]["changed"] is False


async def test_reload_by_signal(tmp_path: Path, rules: Path) -> None:
    old = engine_of(rules).version
    async with serving(tmp_path / "data", rules=rules) as server, Client(server) as client:
        await client.deliver([said("a")])
        new = change(rules, "全城最低")
        server.signal(signal.SIGHUP)
        await until(lambda: new in swaps(server.data))
        await client.deliver([said("b")])
        await client.settle()
        assert judged(server.data) == by(old, said("a")) | by(new, said("b"))
        await until(lambda: deeds(server.data))
        assert deeds(server.data) == [("system", "rules.reload", new)]


async def test_reload_by_itself(tmp_path: Path, rules: Path) -> None:
    async with serving(tmp_path / "data", rules=rules, rules__watch=True) as server, Client(server) as client:
        new = change(rules, "全城最低")
        await until(lambda: new in swaps(server.data))
        await client.deliver([said("a")])
        await client.settle()
        assert judged(server.data) == by(new, said("a"))


async def test_broken_rules_change_nothing(tmp_path: Path, rules: Path) -> None:
    old = engine_of(rules).version
    async with serving(tmp_path / "data", rules=rules) as server, Client(server) as client:
        (rules / "shop/rank.yml").write_text("id: shop.rank\ntitle: [", encoding="utf-8")
        status, told = await client.reload()
        assert status == 400 and told["error"]["code"] == "bad_rules"
        assert told["error"]["details"]["faults"][0]["path"] == "shop/rank.yml"
        server.signal(signal.SIGHUP)
        await until(lambda: server.output().count("reload_failed") == 2)
        await client.deliver([said("a")])
        await client.settle()
        assert judged(server.data) == by(old, said("a"))
        assert await client.metric("redpost_reload_failures_total") == 2
        shutil.copy(RULES / "shop/rank.yml", rules / "shop/rank.yml")
        new = change(rules, "全城最低")
        assert await reloaded(client) == new


async def test_broken_rules_at_a_start(tmp_path: Path, rules: Path) -> None:
    (rules / "shop/rank.yml").write_text("id: shop.rank\ntitle: [", encoding="utf-8")
    server = Server(tmp_path / "data", rules=rules)
    server.spawn()
    assert not await server.ready()
    assert await server.ended() == 2
    assert "shop/rank.yml" in server.output() and "Traceback" not in server.output()


async def test_changed_while_it_was_dead(tmp_path: Path, rules: Path) -> None:
    """Three versions, each with events that wait when the process is killed; the last start judges all."""
    first = engine_of(rules).version
    async with serving(tmp_path / "data", SLOW, rules=rules) as server, Client(server) as client:
        await client.deliver([said("a", 40)])
        await server.kill()
        second = change(rules, "全城最低")
        await server.start(SLOW)
        await client.deliver([said("b", 40)])
        third = change(rules, "全省最低")
        assert await reloaded(client) == third
        await client.deliver([said("c")])
        await server.kill()
        assert len(judged(server.data)) < 85
        await server.start()
        await client.deliver([said("d")])
        await client.settle()
        assert judged(server.data) == (
            by(first, said("a", 40)) | by(second, said("b", 40)) | by(third, [*said("c"), *said("d")]))


async def test_changed_before_anything_was_judged(tmp_path: Path, rules: Path) -> None:
    """The only word of the old rules in the log is an entry that nobody has read yet."""
    first = engine_of(rules).version
    async with serving(tmp_path / "data", "judged:1", rules=rules) as server, Client(server) as client:
        await client.post(said("a"))
        await server.ended()
        second = change(rules, "全城最低")
        await server.start()
        await client.deliver([said("b")])
        await client.settle()
        assert judged(server.data) == by(first, said("a")) | by(second, said("b"))


async def test_changed_back_before_the_change_was_read(tmp_path: Path, rules: Path) -> None:
    first = engine_of(rules).version
    async with serving(tmp_path / "data", rules=rules) as server, Client(server) as client:
        await client.deliver([said("a")])
        await client.settle()
        await server.stop()
        await server.start(SLOW)
        await client.deliver([said("b", 60)])
        second = change(rules, "全城最低")
        assert await reloaded(client) == second
        await client.deliver([said("c")])
        await server.kill()
        assert change(rules, "全网最低") == first
        await server.start()
        await client.deliver([said("d")])
        await client.settle()
        assert judged(server.data) == by(first, [*said("a"), *said("b", 60), *said("d")]) | by(second, said("c"))


async def test_a_change_that_the_log_refused_is_made_again(tmp_path: Path, rules: Path) -> None:
    old = engine_of(rules).version
    async with serving(tmp_path / "data", rules=rules) as server, Client(server) as client:
        await client.deliver([said("a"), *bulk(8, first=0)])  # the log is the largest file
        await client.settle()
        new = change(rules, "全城最低")
        server.limit((server.data / "log.db-wal").stat().st_size)
        status, told = await client.reload()
        server.limit(0)
        assert status == 503 and "log" in told["error"]["message"], told
        assert swaps(server.data) == [old]
        assert await reloaded(client) == new
        await client.deliver([said("b")])
        await client.settle()
        assert judged(server.data) == by(old, said("a")) | by(new, said("b"))


def test_every_event_here_violates_all_rules(rules: Path) -> None:
    versions = {engine_of(rules).version, change(rules, "全城最低"), change(rules, "全省最低")}
    assert len(versions) == 3
    assert change(rules, "全网最低") == engine_of(RULES).version



async def test_a_hangup_while_it_starts_loads_the_rules(tmp_path: Path, rules: Path) -> None:
    """As from a service manager that reloads what it has only just started."""
    server = Server(tmp_path / "data", rules=rules)
    server.spawn()
    try:
        await until(lambda: server.data.is_dir() or not server.alive())
        server.signal(signal.SIGHUP)
        assert await server.ready(), server.output()
        assert await server.stop() == 0, server.output()
    finally:
        if server.alive():
            await server.kill()
