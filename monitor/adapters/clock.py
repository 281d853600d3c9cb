"""The one place that reads the wall clock."""

import time


class SystemClock:
    def now(self) -> int:
        """UTC ms."""
        return time.time_ns() // 1_000_000
