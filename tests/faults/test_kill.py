"""kill -9 at each step of an event's way and at any moment: what is acknowledged is judged, once, with the same ids."""

import random
import signal
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.conftest import STREAM
from tests.faults.harness import Batch, Client, Listener, key_of, listening, serving, until
from tests.faults.outcome import Outcome, check, check_heard, outcome_of, same
from tests.faults.streams import cut

POINTS = ("accepted", "judged", "committed", "published")


async def survive(
    data: Path, uninterrupted: Outcome, failpoints: Iterable[str], *, batches: list[Batch] | None = None,
    killer: Callable[[Client], Callable[[], None]] | None = None,
) -> int:
    """Send the stream through the deaths; how many there were. The outcome is that of the uninterrupted service."""
    batches = batches or cut(STREAM, 60)
    coming = iter(failpoints)
    async with serving(data, next(coming, "")) as server, listening(server) as listener, Client(server) as client:
        await client.deliver(batches, failpoints=coming, after=killer(client) if killer else lambda: None)
        while True:
            outcome = await client.settled(partial(_heard, listener))
            check(outcome, batches)
            check_heard(listener, client, outcome)
            assert client.acknowledged == {key_of(item) for batch in batches for item in batch}
            same(outcome, uninterrupted)
            status = await server.stop()
            if status != -signal.SIGKILL:
                break
            await client.revive()  # what a stop commits met the fail point
        assert status == 0, server.output()
        return client.deaths


async def _heard(listener: Listener, client: Client) -> Outcome:
    """The outcome, once the listener knows of it. Raises ConnectionError where the service dies meanwhile."""
    outcome = await outcome_of(client)
    wanted = set(outcome.alerts)
    await until(lambda: wanted <= {alert for _, _, alert in listener.heard} or listener.resets
                or not client.server.alive())
    if not client.server.alive():
        raise ConnectionError
    return outcome


def test_the_stream_is_worth_it(uninterrupted: Outcome) -> None:
    check(uninterrupted, cut(STREAM, 60))
    assert len(uninterrupted.alerts) > 100
    assert {alert["lane"] for alert in uninterrupted.alerts.values()} == {0, 1}
    assert len({alert["rule"] for alert in uninterrupted.alerts.values()}) == 5
    assert any(alert["recurrence"] > 2 for alert in uninterrupted.alerts.values())
    assert any(alert["state"] == "withdrawn" for alert in uninterrupted.alerts.values())
    assert any(event["masked"] for event in uninterrupted.archive.values())


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at(tmp_path: Path, uninterrupted: Outcome, point: str) -> None:
    """How many commits there are depends on how quickly they come, so the second one may be the stop's, or none."""
    assert await survive(tmp_path / "data", uninterrupted, [f"{point}:3", f"{point}:1"]) >= 1


async def test_killed_at_what_a_stop_commits(tmp_path: Path, uninterrupted: Outcome) -> None:
    async with serving(tmp_path / "data") as server, Client(server) as client:
        await client.deliver(cut(STREAM, 60))
        await client.settle()
        assert await server.stop() == 0, server.output()
        await server.start("committed:1")
        assert await server.stop() == -signal.SIGKILL
        await client.revive()
        same(await client.settled(outcome_of), uninterrupted)


async def test_killed_at_any_moment(tmp_path: Path, uninterrupted: Outcome) -> None:
    await at_any_moment(tmp_path / "data", uninterrupted, seed=1)


async def at_any_moment(data: Path, uninterrupted: Outcome, *, seed: int) -> None:
    rng = random.Random(seed)

    def killer(client: Client) -> Callable[[], None]:
        left = rng.randint(1, 30)

        def after() -> None:
            nonlocal left
            left -= 1
            if not left and client.deaths < 3:
                left = rng.randint(1, 30)
                assert client.server.process is not None
                client.server.process.kill()

        return after

    assert await survive(data, uninterrupted, (), killer=killer) >= 1


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(20))
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_random_count(tmp_path: Path, uninterrupted: Outcome, point: str, turn: int) -> None:
    rng = random.Random(f"{point} {turn}")
    points = [f"{point}:{rng.randint(4, 12)}" for _ in range(3)]
    assert await survive(tmp_path / "data", uninterrupted, points) >= 1  # few batches may be left for the later points


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(20))
async def test_killed_at_many_moments(tmp_path: Path, uninterrupted: Outcome, turn: int) -> None:
    await at_any_moment(tmp_path / "data", uninterrupted, seed=100 + turn)
