"""A full disk: nothing is acknowledged that is not kept, and everything goes on once there is room again.

A limit on the size of files stands for the full disk: what would grow one beyond it is refused, by any kernel, to any
user.
"""

from pathlib import Path

from monitor.adapters.storage.database import Database
from monitor.bootstrap import EXIT_FATAL
from tests.faults.harness import GONE, Client, Server, query, serving, until
from tests.faults.outcome import check, outcome_of
from tests.faults.streams import bulk, cut, stream

PAGE = 4_096
STREAM = cut(stream(3, 600), 60)


async def test_the_log_is_refused_and_goes_on_by_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    sent = [*STREAM[:5], *bulk(12, first=0)]
    more = [*bulk(2, first=100), *STREAM[5:]]
    async with serving(data) as server, Client(server) as client:
        await client.deliver(sent)
        await client.settle()
        room = (data / "log.db-wal").stat().st_size
        assert room > 2 * (data / "store.db-wal").stat().st_size, "the log was to be the largest file"
        server.limit(room)
        for _ in range(3):
            status, told = await client.post(more[0])
            assert status == 503 and told["error"]["code"] == "storage", told
            assert "log" in told["error"]["message"] and told["error"]["hint"]
        await until(lambda: "tick_refused" in server.output())  # an idle service must live with it, too
        status, _ = await client.post(more[0])
        assert status == 503 and server.alive()
        assert len(await client.alerts()) > 10  # what needs no room works
        server.limit(0)
        await client.deliver(more)
        await client.settle()
        check(await outcome_of(client), [*sent, *more])
        assert await server.stop() == 0, server.output()


async def test_the_store_is_refused_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    before = [*STREAM[:5], *bulk(40, first=0)]  # so much that the log's WAL is written from its start again
    async with serving(data) as server, Client(server) as client:
        await client.deliver(before)
        await client.settle()
        server.limit((data / "store.db-wal").stat().st_size + PAGE)
        sent = []
        for batch in STREAM[5:]:
            try:
                status, told = await client.post(batch)
            except GONE:
                break
            assert status in (200, 503), told
            if status == 200:
                sent.append(batch)
        assert await server.ended() == EXIT_FATAL
        assert "store.db" in server.output() and "disk" in server.output() and '"stopped"' in server.output()
        server.spawn(file_bytes=PAGE)
        assert not await server.ready()
        assert await server.ended() == 2
        assert "store.db" in server.output() and "Traceback" not in server.output()
        assert "free space" in server.output()
        await server.start()
        await client.deliver([batch for batch in STREAM[5:] if batch not in sent])
        await client.settle()
        check(await outcome_of(client), [*before, *STREAM[5:]])
        assert await server.stop() == 0, server.output()


async def test_an_upgrade_without_room_for_its_copy_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await (await Database.open(data / "store.db", head="0001")).close()
    before = (data / "store.db").read_bytes()
    server = Server(data)
    server.spawn(file_bytes=len(before) - PAGE)
    assert not await server.ready()
    assert await server.ended() == 2
    assert "before its upgrade" in server.output() and "free 1 MB" in server.output()
    assert (data / "store.db").read_bytes() == before and not list(data.glob("*upgrade*"))
    await server.start()
    async with Client(server) as client:
        await client.deliver(STREAM)
        await client.settle()
        check(await outcome_of(client), STREAM)
    assert await server.stop() == 0, server.output()
    assert query(data / "store.db.before-upgrade-0001", "SELECT version_num FROM alembic_version") == [("0001",)]
