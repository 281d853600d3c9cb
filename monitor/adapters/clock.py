"""The one place that reads the wall clock."""

import time
from collections.abc import Callable
from typing import Final

_MS: Final = 1_000_000
"""Nanoseconds."""
_STEP: Final = 2_000 * _MS
"""What the system's clock is set by before anybody is told: less is how clocks are kept right."""
_PASSED: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts on while the machine is suspended, and nobody can set it."""


def _passed() -> int:
    return time.clock_gettime_ns(_PASSED)


class SystemClock:
    def now(self) -> int:
        """UTC ms."""
        return time.time_ns() // _MS


class SteadyClock:
    """UTC ms that never go back: while the system's clock lies behind, time passes at half its speed. Forward it
    follows at once, as after a pause. For one thread.

    `on_step(ms)`: the system's clock was set by so much, or lies so far behind what it is to go on from. `wall`,
    `passed`: ns of UTC, and since some moment.
    """

    def __init__(
        self, on_step: Callable[[int], None], *, wall: Callable[[], int] = time.time_ns,
        passed: Callable[[], int] = _passed,
    ) -> None:
        self._on_step, self._read_wall, self._read_passed = on_step, wall, passed
        self._wall, self._passed = wall(), passed()
        self._now = self._wall

    def now(self) -> int:
        """UTC ms."""
        wall, passed = self._read_wall(), self._read_passed()
        went = passed - self._passed
        step = wall - self._wall - went
        self._wall, self._passed = wall, passed
        self._now = max(wall, self._now + went // 2)
        if abs(step) > _STEP:
            self._on_step(step // _MS)
        return self._now // _MS

    def go_on_from(self, at: int) -> None:
        """Not before this time (UTC ms), at which something was written already."""
        ahead = at * _MS - self._now
        self._now += max(0, ahead)
        if ahead > _STEP:
            self._on_step(-ahead // _MS)
