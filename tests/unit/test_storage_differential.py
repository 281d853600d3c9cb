"""Chance sequences of calls: the real store and archive do what the ones in memory do."""

import random
from pathlib import Path

import pytest

from monitor.adapters.storage.archive import ParquetArchive
from monitor.adapters.storage.store import SqlStore
from monitor.domain.events import VIEWERS
from monitor.domain.frames import Frame
from monitor.services.ports import Store
from monitor.services.records import AlertFilter, ArchiveQuery, Mask
from tests.contract.test_archive import NOON, Silent, event, frame
from tests.contract.test_store import Writer, broadcast, chunk, finding, line, withdrawal
from tests.fakes.archive import MemoryArchive
from tests.fakes.store import MemoryStore


def some_commits(dice: random.Random, openers: list[str]) -> list[dict[str, list[object]]]:
    """What one to three commits hold, over few names, so that they meet."""
    commits = []
    for _ in range(dice.randint(1, 3)):
        found = []
        for _ in range(dice.randrange(4)):
            name = f"f{dice.randrange(40)}"
            by = dice.choice([*openers, name])
            openers += [name] if by == name else []
            place = {"event": f"e{dice.randrange(6)}", "revision": dice.randint(1, 3)}
            found.append(finding(name, by=by, at=NOON + dice.randrange(99), room=f"r{dice.randrange(2)}", **place))
        gone = [withdrawal(f"e{dice.randrange(6)}", dice.randint(1, 4), reason=dice.choice("xyz"))] * dice.randrange(2)
        lines = [line(f"e{dice.randrange(9)}", NOON + dice.randrange(9), room=f"r{dice.randrange(2)}")]
        ends = broadcast(f"b{dice.randrange(3)}", room="r0", last_at=NOON + dice.randrange(9))
        commits.append({"findings": found, "withdrawals": gone, "context": [chunk(lines)], "broadcasts": [ends]})
    return commits


async def seen(store: Store) -> list[object]:
    """All that can be asked of a store."""
    alerts = (await store.alerts("local", AlertFilter(), cursor=None, limit=1_000)).alerts
    found: list[object] = [alerts, await store.positions()]
    found.append(await store.rooms("local", live_since=0, cursor=None, limit=100))
    found += [await store.updates("local", after=0, limit=1_000), await store.outbox_bounds("local")]
    for alert in alerts:
        evidence = await store.evidence("local", alert.id)
        assert evidence is not None
        found += [evidence.alert, evidence.findings, {(each.event_id, each.revision) for each in evidence.context}]
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_stores_agree(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    stores: list[Store] = [MemoryStore(), await SqlStore.open(tmp_path / "store.db")]
    writers = [await Writer.of(store) for store in stores]
    openers: list[str] = []
    for _ in range(12):
        commits = some_commits(dice, openers)
        one, other = [await w.store.apply([w.commit(**commit) for commit in commits]) for w in writers]
        assert sorted(u.seq for u in one) == [u.seq for u in other]
        assert {u.alert.id: (u.what, u.alert) for u in one} == {u.alert.id: (u.what, u.alert) for u in other}
        if dice.random() < 0.2:
            assert len({await store.trim_outbox(keep=5) for store in stores}) == 1
        mine, theirs = [await seen(store) for store in stores]
        assert [sorted(map(repr, x)) if isinstance(x, list) else x for x in mine[:3]] == [
            sorted(map(repr, x)) if isinstance(x, list) else x for x in theirs[:3]
        ]
        assert mine[4:] == theirs[4:]
    for store in stores:
        await store.close()


def logged(seed: int, seq: int) -> tuple[Frame, list[str], list[Mask]]:
    """What the log holds at a position: the same whenever it is read."""
    dice = random.Random(f"{seed} {seq}")
    count = dice.randint(1, 4)
    events = [
        event(f"{seq}.{i}", NOON + dice.randrange(50), room=f"r{dice.randrange(2)}", text=f"第 {seq} 条\n" * i)
        for i in range(count)
    ]
    made = frame(*events, tenant=dice.choice(["local", "other"]), sample=dice.randint(1, 2))
    masks = [Mask(dice.randrange(count), 0, dice.randint(1, 4), "phone")]
    return made, [f"b{i}" for i in range(count)], masks


@pytest.mark.parametrize("seed", range(6))
async def test_archives_agree(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    memory, real = MemoryArchive(), await ParquetArchive.open(tmp_path, log=Silent())
    seq = 0
    for _ in range(60):
        for _ in range(dice.randrange(4)):
            seq += 1
            if seq % 3:  # the others are of the other lane
                for archive in (memory, real):
                    await archive.keep(VIEWERS, seq, *logged(seed, seq))
        if dice.random() < 0.4:
            assert await memory.flush(VIEWERS) == await real.flush(VIEWERS)
            if dice.random() < 0.3:
                await real.close()
                real = await ParquetArchive.open(tmp_path, log=Silent())
                assert real.position(VIEWERS) == memory.position(VIEWERS)
                seq = dice.randint(0, seq)  # and the log is read again from somewhere
        if dice.random() < 0.5:
            await real.tidy(before=NOON + dice.choice([25, 1_000]))
        query = ArchiveQuery(
            room=dice.choice([None, "r0"]), text=dice.choice([None, "条"]), since=dice.choice([None, NOON + 20]),
            until=dice.choice([None, NOON + 40]), limit=dice.choice([1, 3, 100]),
        )  # fmt: skip
        assert await real.search("local", query) == await memory.search("local", query)
    await real.close()
