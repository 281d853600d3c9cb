"""Small writes in few transactions: in their order, each with its own answer and its own failure."""

import asyncio
from collections.abc import Sequence

import pytest

from monitor.adapters.storage.gathering import MOST, Gathered
from monitor.domain.ids import alert_id
from monitor.domain.moves import Claim, Release, Undo
from monitor.services.review import Wanted
from tests.contract.test_store import finding
from tests.unit.test_post_flow import LAWFUL, LEAD, NOON, WANG, ZHAO, World, world  # noqa: F401


class Writer:
    """Doubles numbers; 13 fails, and all with it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def __call__(self, some: Sequence[int]) -> list[int]:
        self.batches.append(list(some))
        await asyncio.sleep(0)
        if 13 in some:
            raise ValueError("13")
        return [2 * n for n in some]


async def test_what_is_asked_meanwhile_goes_together() -> None:
    writer = Writer()
    gathered = Gathered(writer)
    first = asyncio.create_task(gathered.ask(1))
    while not writer.batches:
        await asyncio.sleep(0)
    assert await asyncio.gather(*(gathered.ask(n) for n in range(200, 202 + MOST))) == [
        2 * n for n in range(200, 202 + MOST)]
    assert await first == 2
    assert [len(batch) for batch in writer.batches] == [1, MOST, 2]


async def test_nobody_fails_by_another_ones_fault() -> None:
    gathered = Gathered(Writer())
    found = await asyncio.gather(*(gathered.ask(n) for n in (1, 13, 2)), return_exceptions=True)
    assert found[0] == 2 and isinstance(found[1], ValueError) and found[2] == 4
    assert await gathered.ask(5) == 10


async def test_who_goes_away_is_not_waited_for() -> None:
    gathered = Gathered(Writer())
    gone = asyncio.create_task(gathered.ask(1))
    await asyncio.sleep(0)
    gone.cancel()
    assert await gathered.ask(2) == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_moves_of_one_transaction_meet_what_the_earlier_ones_made(world: World) -> None:  # noqa: F811
    await world.find(finding("a"))
    name = alert_id("a")
    asked = ((WANG, LAWFUL), (ZHAO, LAWFUL), (WANG, Undo()), (ZHAO, Claim()), (WANG, Claim()), (LEAD, Release()))
    answers = await asyncio.gather(*(world.desk.move(actor, [Wanted(name, move)], together=True)
                                     for actor, move in asked))
    assert [[why.why for why in answered.refused.values()] for answered in answers] == [
        [], ["state"], [], [], ["claimed"], []]
    assert [case.alert.state for answered in answers for case in answered.cases] == [
        "closed", "open", "claimed", "open"]
    history = await world.desk.history(WANG, name)
    assert [(moved.move["move"], moved.version) for moved in history.moves] == [
        ("decide", 1), ("undo", 2), ("claim", 3), ("release", 4)]
    await world.find(finding("b", at=NOON + 700_000, event="later"))  # the decision was undone: nothing is remembered
    assert (await world.desk.history(WANG, alert_id("b"))).case.alert.state == "open"
