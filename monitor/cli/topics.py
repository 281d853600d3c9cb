"""redpost topics …"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from cyclopts import Parameter

from monitor.cli.options import Config

Brokers = Annotated[str | None, Parameter(help="The brokers' addresses. Default: the setting bus.brokers.")]


def _run(config: Any, brokers: str | None, work: Callable[[Any, Any], Coroutine[Any, Any, int]]) -> int:
    import asyncio

    from monitor.bootstrap.kafka import brokers_of, wanted_of
    from monitor.domain.errors import ConfigError
    from monitor.settings import load

    settings = load(config=config, overrides={"bus.brokers": brokers}).settings
    if not settings.bus.brokers:
        raise ConfigError("no brokers are named", hint="set bus.brokers, or say --brokers HOST:PORT")
    return asyncio.run(work(brokers_of(settings), wanted_of(settings)))


def apply(*, brokers: Brokers = None, config: Config = None) -> int:
    """Make the topics that are missing, and set what is set otherwise. Refuses to change a number of partitions.

    ```
    redpost topics apply --config /etc/redpost.toml
    ```
    """
    from monitor.adapters.bus.kafka.topics import Topics
    from monitor.cli.terminal import safe

    async def work(brokers: Any, wanted: Any) -> int:
        async with Topics(brokers) as topics:
            changes = await topics.apply(wanted)
        for change in changes:
            print(safe(f"{change.topic}: {change.what}"))
        if not changes:
            print("everything is as it should be")
        return 0

    return _run(config, brokers, work)


def check(*, brokers: Brokers = None, config: Config = None) -> int:
    """Say what is missing or set otherwise; changes nothing.

    ```
    redpost topics check --brokers kafka-1:9092
    ```
    """
    from monitor.adapters.bus.kafka.topics import Topics

    async def work(brokers: Any, wanted: Any) -> int:
        async with Topics(brokers) as topics:
            await topics.check(wanted)
        print("everything is as it should be")
        return 0

    return _run(config, brokers, work)


def dead_letters(
    *,
    brokers: Brokers = None,
    send_again: Annotated[int | None, Parameter(help="Send the one at this offset to where it came from.")] = None,
    config: Config = None,
) -> int:
    """Messages that nobody could read: where they came from, and why. Exit code 1 where there are any.

    ```
    redpost topics dead-letters
    redpost topics dead-letters --send-again 12
    ```
    """
    from monitor.adapters.bus.kafka.deadletters import read_all, resend
    from monitor.cli.terminal import safe

    async def work(brokers: Any, wanted: Any) -> int:
        if send_again is not None:
            print(safe(await resend(brokers, send_again)))
            return 0
        found = await read_all(brokers)
        for letter in found:
            print(safe(f"{letter.offset:>8}  {letter.come_from}  {letter.size} B  {letter.why}"))
        if not found:
            print("none")
        return 1 if found else 0

    return _run(config, brokers, work)
