"""What the commands that run a process have in common."""

import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.settings import Settings


def ignore_hangups() -> None:
    """SIGHUP is not to end the process: what it asks for, loading the rules, is still to come."""
    with suppress(ValueError):  # beside the main thread
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def settings_of(config: Path | None, given: Mapping[str, object]) -> "Settings":
    """`given`: by options. Warnings are told. Raises ConfigError."""
    from monitor.cli.terminal import safe, tell
    from monitor.settings import load

    loaded = load(config=config, overrides=given)
    for warning in loaded.warnings:
        tell(f"warning: {safe(warning)}", style="yellow")
    return loaded.settings


def settings_on_kafka(
    config: Path | None, given: Mapping[str, object], why: str, *,
    hint: str = "set bus.brokers; without Kafka, `redpost serve` does everything",
) -> "Settings":
    """The same. Raises ConfigError where no brokers are named, with `why` they must be."""
    from monitor.domain.errors import ConfigError

    settings = settings_of(config, given)
    if not settings.bus.brokers:
        raise ConfigError(f"{why}, and no brokers are named", hint=hint)
    return settings
