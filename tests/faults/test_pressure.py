"""More than the engine can judge: the host side first, comments sampled where it must be, and a death on top of it."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.domain.events import HOST_SIDE, VIEWERS
from monitor.domain.frames import Frame
from tests.faults.conftest import STREAM
from tests.faults.harness import Batch, Client, Item, listening, logged, positions, serving, stored_findings, until
from tests.faults.outcome import Outcome, check, check_heard, outcome_of, same
from tests.faults.streams import cut, expected, stream

SLOW = "judging@4000"


def split(items: Sequence[Item], size: int) -> list[Batch]:
    """Comments first, then the host's words; each batch of one lane."""
    lanes: tuple[list[Item], list[Item]] = ([], [])
    for item in items:
        lanes[item["kind"] == "comment"].append(item)
    return [*cut(lanes[1], size), *cut(lanes[0], size)]


def sampled_out(data: Path) -> set[str]:
    """By the log: the events of sampled frames that are not judged."""
    return {name for _, frame in logged(data) if isinstance(frame, Frame) and frame.sample > 1
            for i, name in enumerate(frame.ids) if i % frame.sample}


def check_sampled(data: Path, outcome: Outcome, batches: Sequence[Batch]) -> set[str]:
    """What was not judged is what the log says, is kept all the same, and misses nothing else; the events' ids."""
    out = sampled_out(data)
    assert {name for name, _ in outcome.archive} == {item["id"] for batch in batches for item in batch}
    assert {name for (name, _), event in outcome.archive.items() if event["sampled_out"]} == out
    plain = expected(batches)
    assert set(outcome.findings) == {finding for finding, (event, _) in plain.events.items() if event not in out}
    return out


async def lagging(client: Client) -> None:
    """Until the host side is ahead: a commit tells that its lane is further than the viewers', which has a backlog."""
    def is_lagging() -> bool:
        found = positions(client.server.data)
        return (found[HOST_SIDE].seq > found[VIEWERS].seq > 0 and found[VIEWERS].seq < found[VIEWERS].last
                and bool(stored_findings(client.server.data)))

    await until(is_lagging)


async def test_killed_with_one_lane_behind(tmp_path: Path, uninterrupted: Outcome) -> None:
    """The same stream, the same cut, so the same outcome, however often the process dies while comments wait."""
    await behind(tmp_path / "data", uninterrupted, random.Random(1), deaths=2)


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(20))
async def test_killed_with_one_lane_behind_at_random(tmp_path: Path, uninterrupted: Outcome, turn: int) -> None:
    await behind(tmp_path / "data", uninterrupted, random.Random(turn), deaths=3)


async def behind(data: Path, uninterrupted: Outcome, rng: random.Random, *, deaths: int) -> None:
    batches = cut(STREAM, 60)
    async with (
        serving(data, SLOW, engine__batch_events=30) as server, listening(server) as listener,
        Client(server) as client,
    ):
        sent = 0
        for _ in range(deaths):
            more = sent + rng.randint(6, 12)
            await client.deliver(batches[sent:more])
            sent = more
            await lagging(client)
            await server.kill()
            waiting = positions(data)[VIEWERS]
            assert waiting.seq < waiting.last
            await server.start(SLOW)
        await server.kill()
        await server.start()
        await client.deliver(batches[sent:])
        outcome = await client.settled(outcome_of)
        await until(lambda: {a for _, _, a in listener.heard} >= set(outcome.alerts) or listener.resets)
        check(outcome, batches)
        check_heard(listener, client, outcome)
        same(outcome, uninterrupted)
        assert await server.stop() == 0, server.output()


async def test_killed_while_comments_are_sampled(tmp_path: Path) -> None:
    """A frame that was sampled stays sampled, at the same events, whoever judges it."""
    batches = split(stream(21, 1_500, revised=False), 60)
    async with (
        serving(tmp_path / "data", SLOW, engine__batch_events=30, ingest__sample_from=200) as server,
        Client(server) as client,
    ):
        await client.deliver(batches)
        before = sampled_out(server.data)
        assert before
        await lagging(client)
        await server.kill()
        await server.start()
        outcome = await client.settled(outcome_of)
        assert check_sampled(server.data, outcome, batches) == before
        assert await server.stop() == 0, server.output()


async def test_overload(tmp_path: Path) -> None:
    """Host speech overtakes comments, comments are sampled and counted, and nothing acknowledged is forgotten."""
    comments, hosts = [], []
    for item in stream(22, 2_400, share=0.2, revised=False):
        (comments if item["kind"] == "comment" else hosts).append(item)
    first, later = cut(comments[:600], 60), cut(comments[600:], 60)
    async with (
        serving(tmp_path / "data", SLOW, engine__batch_events=30, ingest__sample_from=500) as server,
        listening(server) as listener, Client(server) as client,
    ):
        await client.deliver(first)
        speech = cut(hosts[:120], 60)
        await client.deliver(speech)
        waiting = positions(server.data)[VIEWERS]
        assert waiting.seq < waiting.last
        await client.deliver(later)
        out = sampled_out(server.data)
        assert out and not out & {item["id"] for item in hosts}
        outcome = await client.settled(outcome_of)
        assert check_sampled(server.data, outcome, [*first, *speech, *later]) == out
        await until(lambda: {a for _, _, a in listener.heard} >= set(outcome.alerts))
        opened = [outcome.alerts[alert] for _, what, alert in listener.heard if what == "opened"]
        last_speech = max(n for n, alert in enumerate(opened) if alert["lane"] == HOST_SIDE)
        came_first = {item["id"] for batch in first for item in batch}
        assert len([alert for alert in opened[last_speech:] if alert["event_ids"][0] in came_first]) > 10

        async def shed() -> bool:
            return await client.metric("redpost_shed_total") == len(out)

        await until(shed)
        assert await server.stop() == 0, server.output()


async def test_too_much_speech_is_refused(tmp_path: Path) -> None:
    hosts = [item for item in stream(23, 3_000, revised=False, share=0.1) if item["kind"] == "transcript"]
    batches = cut(hosts[:800], 40)
    refused = 0
    async with serving(tmp_path / "data", SLOW, ingest__host_backlog=150) as server, Client(server) as client:
        waiting = list(batches)
        while waiting:
            status, told = await client.post(waiting[0])
            if status == 200:
                del waiting[0]
                continue
            assert status == 429 and told["error"]["code"] == "busy" and told["error"]["hint"], told
            refused += 1
            await asyncio.sleep(0.05)
        assert refused
        await client.settle()
        check(await outcome_of(client), batches)
        assert await client.metric("redpost_shed_total") == 0
        assert await server.stop() == 0, server.output()
