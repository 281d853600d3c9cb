"""The canary: words that rules must find are judged now and then, by the set and on the thread that judge.

The words are the rules' own true cases, so that every rule set has some. They go through lanes of their own as events
do, and nothing of them is written: no room, no alert, no figure knows of them. What a set finds the first time, it has
to find each time; a set that finds nothing of its own is none.
"""

from collections.abc import Callable
from typing import Final

from monitor.engine.engineset import EngineSet
from monitor.services.casework import said
from monitor.services.detect import Detect
from monitor.services.ports import Clock, Logger, Telemetry
from monitor.services.scan import Scanner

_WORDS: Final = 32
"""Rules whose words are judged."""


class Canary:
    """`judging`: what judges here now, or None. Used from one event loop."""

    def __init__(
        self, judging: Callable[[], Detect | None], clock: Clock, telemetry: Telemetry, logger: Logger,
    ) -> None:
        self._judging, self._clock, self._telemetry, self._logger = judging, clock, telemetry, logger
        self._known: tuple[str, frozenset[str]] = ("", frozenset())
        """The version that was looked at last, and the rules that it found."""

    async def look(self) -> None:
        detect = self._judging()
        if detect is None:
            return
        engine = detect.engine
        found = await detect.on_engine(found_by, engine)
        version, before = self._known
        wanted = before if engine.version == version else found
        self._known = engine.version, wanted
        if wanted and found == wanted:
            self._telemetry.gauge("canary_last_ok_timestamp_seconds", self._clock.now() / 1000)
        else:
            self._logger.error("canary_missed", version=engine.version, missed=sorted(wanted ^ found),
                               hint="the rules do not find their own words: load them anew, or start again")


def found_by(engine: EngineSet) -> frozenset[str]:
    """The rules that hold in words of their own."""
    scanner = Scanner(engine)
    scanned = [*scanner.scan(said(engine.ruleset.rules, _WORDS)), *scanner.finish()]
    return frozenset(finding.rule for item in scanned for finding in item.findings)
