"""kill -9 at each step of an event's way and at any moment: what is acknowledged is judged, once, with the same ids."""

import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.faults.conftest import STREAM
from tests.faults.harness import Batch, Client, key_of, listening, serving, until
from tests.faults.outcome import Outcome, check, check_heard, outcome_of
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
        outcome = await client.settled(outcome_of)
        await until(lambda: not outcome.alerts or {a for _, _, a in listener.heard} >= set(outcome.alerts)
                    or listener.resets)
        check(outcome, batches)
        check_heard(listener, client, outcome)
        assert client.acknowledged == {key_of(item) for batch in batches for item in batch}
        assert outcome == uninterrupted
        assert await server.stop() == 0, server.output()
        return client.deaths


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
    assert await survive(tmp_path / "data", uninterrupted, [f"{point}:6", f"{point}:3"]) == 2


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
