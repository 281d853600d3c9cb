"""Named places where a test makes the process die or slow down. Off unless REDPOST_FAILPOINT is set.

REDPOST_FAILPOINT=committed:3      die (SIGKILL) at the third pass of `committed`
REDPOST_FAILPOINT=judged!3         raise at the third pass of `judged`
REDPOST_FAILPOINT=judging@60       sleep 60 µs for each event judged
Several are separated by commas. Names: accepted, judging, judged, committed, published,
segment_written, segment_renamed, segment_removed.
"""

import os
import signal
import time
from collections import Counter
from typing import Final

from monitor.domain.errors import ConfigError

VARIABLE: Final = "REDPOST_FAILPOINT"


class Failed(Exception):
    """What nobody expects."""


class FailPoints:
    def __init__(self, spec: str = "") -> None:
        """Raises ConfigError for a spec that is none."""
        self._deaths: dict[str, int] = {}
        self._errors: dict[str, int] = {}
        self._delays: dict[str, float] = {}
        self._passes: Counter[str] = Counter()
        for part in filter(None, spec.split(",")):
            try:
                if "@" in part:
                    name, delay = part.split("@")
                    self._delays[name] = float(delay) / 1e6
                elif "!" in part:
                    name, count = part.split("!")
                    self._errors[name] = int(count)
                else:
                    name, _, count = part.partition(":")
                    self._deaths[name] = int(count or 1)
            except ValueError:
                raise ConfigError(
                    f"{VARIABLE}: {part!r} is no fail point",
                    hint="name:count, name!count or name@microseconds") from None

    @classmethod
    def from_environment(cls) -> "FailPoints":
        return cls(os.environ.get(VARIABLE, ""))

    def __call__(self, name: str, events: int = 0) -> None:
        if name in self._delays:
            time.sleep(self._delays[name] * events)
        if name in self._deaths or name in self._errors:
            self._passes[name] += 1
            if self._passes[name] == self._deaths.get(name):
                os.kill(os.getpid(), signal.SIGKILL)
            if self._passes[name] == self._errors.get(name):
                raise Failed(name)
