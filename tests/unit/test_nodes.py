"""What several processes agree on through their store. Runs on PostgreSQL, too (tests/contract/test_postgres.py)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.adapters.keys import SharedKey
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.nodes import SqlNodes
from monitor.domain.errors import ConfigError, StorageError
from monitor.domain.frames import Swap
from monitor.services.nodes import TURN_MS, Announcing, SocketNumbers, Turn, check_keys, derived
from tests.functional.fakes import FakeLogger

NOW = 1_800_000_000_000


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[SqlNodes]:
    database = await Database.open(tmp_path / "store.db")
    yield SqlNodes(database)
    await database.close()


class Clock:
    def __init__(self) -> None:
        self.ms = NOW

    def now(self) -> int:
        return self.ms


def turn(nodes: SqlNodes, clock: Clock, holder: str) -> Turn:
    return Turn(nodes, clock, FakeLogger(), name="clocks", holder=holder)


async def test_a_turn_is_one_process_until_it_ends(nodes: SqlNodes) -> None:
    clock = Clock()
    one, other = turn(nodes, clock, "one"), turn(nodes, clock, "other")
    await one.renew()
    await other.renew()
    assert (one.mine, other.mine) == (True, False)
    clock.ms += TURN_MS - 1
    await one.renew()
    clock.ms += TURN_MS - 1
    await other.renew()
    assert (one.mine, other.mine) == (True, False)
    clock.ms += 1
    assert not one.mine  # before anybody else has it
    await other.renew()
    await one.renew()
    assert (one.mine, other.mine) == (False, True)


async def test_a_turn_that_is_left_is_free_at_once(nodes: SqlNodes) -> None:
    clock = Clock()
    one, other = turn(nodes, clock, "one"), turn(nodes, clock, "other")
    running = asyncio.create_task(one.run())
    while not one.mine:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await other.renew()
    assert (one.mine, other.mine) == (False, True)
    await nodes.leave_turn("clocks", "one")  # not its own any more
    await one.renew()
    assert not one.mine


class Told:
    """`swaps`: what every partition was told. `refusing`: the brokers are away."""

    def __init__(self) -> None:
        self.swaps: list[str] = []
        self.adopted: list[str] = []
        self.refusing = False

    async def tell(self, swap: Swap) -> None:
        if self.refusing:
            raise StorageError("the brokers are away")
        self.swaps.append(swap.version)

    async def adopt(self, version: str) -> None:
        self.adopted.append(version)


async def test_rules_are_told_by_whoever_has_the_turn_and_again_later(nodes: SqlNodes) -> None:
    clock, mine, theirs = Clock(), Told(), Told()
    one, other = turn(nodes, clock, "one"), turn(nodes, clock, "other")
    await one.renew()
    await other.renew()
    keeper = Announcing(nodes, one, mine.tell, clock, mine.adopt)
    further = Announcing(nodes, other, theirs.tell, clock, theirs.adopt)
    assert (await nodes.serve("v1", unless_any=True)).version == "v1"
    assert (await nodes.serve("v2", unless_any=True)).version == "v1"
    await further.look()
    assert (theirs.swaps, theirs.adopted) == ([], ["v1"])
    await keeper.look()
    await keeper.look()
    assert mine.swaps == ["v1"]
    announcing = asyncio.create_task(further.announce("v2"))
    while (await nodes.serving()) is None or (await nodes.serving()).version == "v1":  # type: ignore[union-attr]
        await asyncio.sleep(0)
    assert not announcing.done()
    mine.refusing = True
    with pytest.raises(StorageError):
        await keeper.look()
    assert not announcing.done()
    mine.refusing = False
    await keeper.look()
    await announcing
    assert (mine.swaps, theirs.swaps) == (["v1", "v2"], [])
    clock.ms += 300_000
    await one.renew()
    await keeper.look()
    assert mine.swaps == ["v1", "v2", "v2"]  # whoever missed it hears it now
    before = (await nodes.serve("v2")).number
    assert before == 2  # it serves already


async def test_one_that_was_overtaken_does_not_wait_for_ever(nodes: SqlNodes) -> None:
    clock, told = Clock(), Told()
    one = turn(nodes, clock, "one")
    await one.renew()
    announcing = Announcing(nodes, one, told.tell, clock, told.adopt)
    first = asyncio.create_task(announcing.announce("v1"))
    second = asyncio.create_task(announcing.announce("v2"))
    while (found := await nodes.serving()) is None or found.number < 2:
        await asyncio.sleep(0)
    await announcing.look()
    await asyncio.gather(first, second)
    assert len(told.swaps) == 1


async def test_all_have_the_same_keys(nodes: SqlNodes, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ab" * 32)
    key = SharedKey(str(tmp_path / "key"))
    await check_keys(nodes, {"local", "agency"}, key.key_of)
    await check_keys(nodes, {"local", "agency"}, key.key_of)
    (tmp_path / "other").write_text("cd" * 32)
    with pytest.raises(ConfigError, match="the pseudonym key of agency"):
        await check_keys(nodes, {"local", "agency"}, SharedKey(str(tmp_path / "other")).key_of)
    (tmp_path / "agency.key").write_text("ef" * 32)
    with pytest.raises(ConfigError, match="agency"):
        await check_keys(nodes, {"agency"}, key.key_of)


def test_secrets_for_other_purposes_follow_from_the_key() -> None:
    key = b"k" * 32
    media = derived(key, "redpost-media")
    assert media == derived(key, "redpost-media") and len(media) == 32
    assert len({key, media, derived(key, "redpost-other"), derived(b"l" * 32, "redpost-media")}) == 4


def test_keys_of_tenants_follow_from_the_one_that_all_have(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ab" * 32)
    key = SharedKey(str(tmp_path / "key"))
    found = {tenant: key.key_of(tenant) for tenant in ("local", "agency", "street")}
    assert found["local"] == bytes.fromhex("ab" * 32)
    assert len(set(found.values())) == 3 and {len(each) for each in found.values()} == {32}
    assert SharedKey(str(tmp_path / "key")).key_of("agency") == found["agency"]
    (tmp_path / "street.key").write_text("ef" * 32)
    assert key.key_of("street") == bytes.fromhex("ef" * 32)
    with pytest.raises(ConfigError, match="none is given"):
        SharedKey("")
    with pytest.raises(ConfigError, match="can't be read"):
        SharedKey(str(tmp_path / "nowhere"))


async def test_how_far_sessions_are_rises_and_is_forgotten(nodes: SqlNodes) -> None:
    clock = Clock()
    numbers = SocketNumbers(nodes, clock)
    assert await numbers.of("local", "s") == 0
    await asyncio.gather(*(numbers.note("local", "s", seq) for seq in (3, 1, 2)), numbers.note("local", "t", 9))
    await numbers.note("local", "s", 2)  # a late one takes nothing back
    assert [await numbers.of("local", name) for name in "st"] == [3, 9]
    assert await numbers.of("street", "s") == 0
    await nodes.forget_sockets(clock.now())
    assert await numbers.of("local", "s") == 3
    await nodes.forget_sockets(clock.now() + 1)
    assert await numbers.of("local", "s") == 0
