"""What runs in a process ends together: at a stop, or with the first that fails."""

import asyncio

import pytest

from monitor.bootstrap.running import run_beside


class Works:
    def __init__(self) -> None:
        self.stop, self.begun = asyncio.Event(), asyncio.Event()
        self.ended: list[str] = []

    async def lasting(self, name: str) -> None:
        try:
            self.begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.ended.append(name)

    async def failing(self) -> None:
        await self.begun.wait()
        raise ValueError("failed")


async def test_a_stop_ends_all_but_the_main_one() -> None:
    works = Works()
    main = asyncio.create_task(works.lasting("main"))
    running = asyncio.create_task(run_beside(works.stop, [works.lasting("a"), works.lasting("b")], main=main))
    await works.begun.wait()
    assert not running.done()
    works.stop.set()
    await running
    assert sorted(works.ended) == ["a", "b"] and not main.done()
    main.cancel()


@pytest.mark.parametrize("main", [False, True])
async def test_one_that_fails_ends_the_others(main: bool) -> None:
    works = Works()
    if main:
        running = run_beside(works.stop, [works.lasting("a")], main=asyncio.create_task(works.failing()))
    else:
        running = run_beside(works.stop, [works.lasting("a"), works.failing()])
    with pytest.raises(ValueError, match="failed"):
        await running
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert works.stop.is_set() and works.ended == ["a"]


async def test_what_failed_otherwise_is_raised_at_the_stop() -> None:
    works = Works()
    works.stop.set()
    with pytest.raises(OSError, match="the disk"):
        await run_beside(works.stop, [], fatal=lambda: OSError("the disk"))
    await run_beside(works.stop, [])
