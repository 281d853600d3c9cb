"""Web nodes that take events in and die: what they acknowledged is judged once, and what one does the others show."""

import asyncio
import re
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.adapters.bus.kafka.connecting import Brokers
from tests.faults.cluster import Scene
from tests.faults.harness import GONE, RULES, Batch, body_of, until
from tests.faults.processes import PARTITIONS, WorkerProcess
from tests.faults.streams import cut, stream
from tests.parts.kafka import own_kafka
from tests.parts.postgres import Cluster, own_postgres
from tests.parts.running import script

EVENTS = 4_000
API = "/api/v1"


class Node(WorkerProcess):
    """`redpost web`."""

    command = "web"

    @property
    def address(self) -> str:
        found = re.search(r"listens on (http://\S+)\n", self.output("out"))
        return found[1] if found else ""

    async def up(self) -> None:
        self.start()
        await until(lambda: self.address or not self.running())
        assert self.running(), self.output()


class Stage:
    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene, self.folder = scene, folder
        self.rules = folder / "rules"
        shutil.copytree(RULES, self.rules)
        (folder / "key").write_text("ab" * 32)
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        self.acknowledged: set[str] = set()
        self.together = {"data__shared": folder / "shared", "pseudonym__key_file": folder / "key",
                         "rules__dir": self.rules, "model__dir": "none", "ingest__future_ms": 10**10}

    def node(self, **settings: object) -> Node:
        made = Node(self.folder / f"web-{len(self.scene.workers)}", self.scene.brokers, self.scene.url,
                    **{**self.together, **settings})
        self.scene.workers.append(made)
        return made

    def worker(self) -> WorkerProcess:
        return self.scene.worker(**self.together)

    async def get(self, node: Node, path: str, **params: str) -> Any:
        async with self.http.get(f"{node.address}{API}/{path}", params=params) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(self, node: Node, path: str, body: Any) -> Any:
        async with self.http.post(f"{node.address}{API}/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def deliver(self, batches: Sequence[Batch], nodes: Sequence[Node]) -> None:
        """Each batch to whichever node answers, until one has acknowledged it."""
        for n, batch in enumerate(batches):
            for turn in range(n, n + 10_000):
                node = nodes[turn % len(nodes)]
                try:
                    async with self.http.post(f"{node.address}{API}/events", data=body_of(batch)) as answer:
                        if answer.status == 200:
                            break
                except GONE:
                    await asyncio.sleep(0.05)
            self.acknowledged |= {item["id"] for item in batch}

    async def alerts(self, node: Node) -> dict[str, Any]:
        return {each["id"]: each for each in (await self.get(node, "alerts", limit="200"))["alerts"]}

    async def some_alert(self, node: Node) -> Any:
        found = await until(lambda: self.alerts(node))
        return next(iter(found.values()))


@pytest.fixture
async def stage(brokers: Brokers, postgres: Cluster, tmp_path: Path) -> AsyncIterator[Stage]:
    scene = Scene(brokers, postgres, await postgres.fresh(), tmp_path)
    await scene.open()
    made = Stage(scene, tmp_path)
    try:
        yield made
    finally:
        await made.http.close()
        await scene.close()
        await postgres.drop(scene.url)


@asynccontextmanager
async def heard(stage: Stage, node: Node) -> AsyncIterator[list[str]]:
    """What a page at this node hears, as it comes."""
    lines: list[str] = []

    async def listen() -> None:
        async with stage.http.get(f"{node.address}/api/v1/alerts/stream", timeout=aiohttp.ClientTimeout()) as answer:
            assert answer.status == 200
            lines.append("begun")
            async for line in answer.content:
                lines.append(line.decode())

    task = asyncio.create_task(listen())
    await until(lambda: lines)
    try:
        yield lines
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_one_node_takes_in_and_does_the_others_show(stage: Stage) -> None:
    one, other = stage.node(), stage.node()
    await one.up()
    await other.up()
    stage.worker().start()
    async with heard(stage, other) as lines:
        await stage.deliver(cut(stream(1, 600), 100), [one])
        alert = await stage.some_alert(other)
        await until(lambda: any(alert["id"] in line for line in lines))
        async with stage.http.post(f"{one.address}{API}/alerts/{alert['id']}/look") as answer:
            assert answer.status == 204
        await until(lambda: any(alert["id"] in line and '"by":"loopback"' in line for line in lines))
        before = len(lines)
        [moved] = (await stage.send(one, "moves", {"moves": [
            {"alert": alert["id"], "move": {"move": "claim"}}]}))["alerts"]
        await until(lambda: any(alert["id"] in line and f'"version":{moved["version"]}' in line
                                for line in lines[before:]))
    shown = await stage.get(other, f"alerts/{alert['id']}")
    assert shown["alert"]["claimed_by"] == moved["claimed_by"] != ""
    event = alert["event_ids"][0]

    async def around() -> bool:
        return event in {line["event_id"] for line in (await stage.get(other, f"alerts/{alert['id']}"))["context"]}

    await until(around)


async def test_rules_that_one_node_loads_judge_everywhere(stage: Stage) -> None:
    one, other, worker = stage.node(), stage.node(), stage.worker()
    await one.up()
    await other.up()
    worker.start()
    await until(lambda: worker.output().count("partition_taken") == PARTITIONS)
    rule = next(stage.rules.glob("*/rank.yml"))
    rule.write_text(rule.read_text(encoding="utf-8").replace("title: ", "title: 新 ", 1), encoding="utf-8")
    version = (await stage.send(other, "rules/reload", {}))["version"]
    await until(lambda: worker.output().count(version) >= 8)  # both sides of each partition

    async def shown() -> bool:
        return bool((await stage.get(one, "rules"))["engine_set"] == version)

    await until(shown)


async def test_a_node_that_dies_loses_nothing_and_leaves_its_turn(stage: Stage) -> None:
    first, second = stage.node(), stage.node()
    await first.up()
    await second.up()
    stage.worker().start()
    stage.worker().start()
    batches = cut(stream(2, EVENTS), 50)
    delivering = asyncio.create_task(stage.deliver(batches, [first, second]))
    await until(lambda: len(stage.acknowledged) > EVENTS // 3)
    [holder] = [node for node in (first, second) if '"turn_taken"' in node.output()]
    [heir] = [node for node in (first, second) if node is not holder]
    await holder.kill()
    await delivering
    await until(lambda: '"turn_taken"' in heir.output())
    await stage.scene.settled()
    for process in stage.scene.workers:
        if process.running():
            process.signal(signal.SIGTERM)
            assert await process.ended() == 0, process.output()
    await stage.scene.check()
    kept = set()
    for message in [m for p in range(PARTITIONS) for m in await stage.scene.messages(p)]:
        for entry in message.entries:
            kept |= set(getattr(entry, "ids", ()))
    assert stage.acknowledged <= kept


async def test_a_socket_goes_on_at_another_node(stage: Stage) -> None:
    one, other = stage.node(), stage.node()
    await one.up()
    await other.up()
    first, second, third = cut(stream(4, 60), 20)

    async def opened(node: Node, last: int) -> aiohttp.ClientWebSocketResponse[Any]:
        socket = await stage.http.ws_connect(f"{node.address}{API}/events/ws")
        await socket.send_json({"hello": {"session": "s"}})
        assert await socket.receive_json() == {"welcome": {"session": "s", "last": last}}
        return socket

    async def sent(socket: aiohttp.ClientWebSocketResponse[Any], seq: int, batch: Batch) -> Any:
        await socket.send_json({"seq": seq, "events": batch})
        return await socket.receive_json()

    socket = await opened(one, 0)
    assert (await sent(socket, 1, first))["accepted"] == len(first)
    assert (await sent(socket, 2, second))["accepted"] == len(second)
    await one.kill()
    again = await opened(other, 2)
    assert (await sent(again, 2, second))["already"]
    assert (await sent(again, 3, third))["accepted"] == len(third)
    kept = [name for p in range(PARTITIONS) for message in await stage.scene.messages(p)
            for entry in message.entries for name in getattr(entry, "ids", ())]
    assert sorted(kept) == sorted(item["id"] for batch in (first, second, third) for item in batch)


async def test_what_keeps_a_node_from_starting(stage: Stage, tmp_path: Path) -> None:
    good = stage.node()
    await good.up()
    (tmp_path / "other-key").write_text("cd" * 32)
    for settings, why in (
            ({"pseudonym__key_file": tmp_path / "other-key"}, "not the one that other nodes use"),
            ({"pseudonym__key_file": ""}, "pseudonym.key_file"), ({"store__url": ""}, "store.url"),
            ({"bus__partitions": 3}, "has 4 partitions"), ({"bus__brokers": ""}, "bus.brokers")):
        node = stage.node(**settings)
        node.start()
        assert await node.ended() == 2
        assert why in node.output()


async def test_parts_that_go_away_and_come_back(tmp_path: Path) -> None:
    """Without the database events are taken in all the same; without the brokers nothing is acknowledged."""
    data = tmp_path / "kafka"
    with own_postgres() as cluster, own_kafka(data) as address:
        scene = Scene(Brokers(bootstrap=address), cluster, await cluster.fresh(), tmp_path)
        await scene.open()
        stage = Stage(scene, tmp_path)
        try:
            node, worker = stage.node(), stage.worker()
            await node.up()
            worker.start()
            batches = cut(stream(3, 1_200), 50)
            await stage.deliver(batches[:8], [node])
            await stage.some_alert(node)
            await asyncio.to_thread(cluster.stop, now=True)
            await stage.deliver(batches[8:16], [node])
            await until(lambda: status(stage, f"{node.address}/readyz", 503))
            assert await worker.ended() == 70
            await asyncio.to_thread(cluster.start)
            worker.start()
            await until(lambda: status(stage, f"{node.address}/readyz", 200))
            await scene.settled()
            await asyncio.to_thread(script, "kafka.sh", "stop", "--data", str(data), "--now")
            delivering = asyncio.create_task(stage.deliver(batches[16:], [node]))
            assert await stage.alerts(node)  # what is stored is shown as ever
            await asyncio.to_thread(script, "kafka.sh", "start", "--data", str(data))
            await delivering
            await scene.settled()
            worker.signal(signal.SIGTERM)
            assert await worker.ended() == 0, worker.output()
            await scene.check()
        finally:
            await stage.http.close()
            await scene.close()


async def status(stage: Stage, url: str, wanted: int) -> bool:
    async with stage.http.get(url) as answer:
        return answer.status == wanted
