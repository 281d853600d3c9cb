"""Numbers for interim results of a recogniser that sends none."""

from typing import Final

from monitor.domain.events import Event

_REMEMBERED: Final = 20_000


class Interims:
    """Counts the interim results of each event, of the latest 20,000 events that had one."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}

    def revision_of(self, tenant: str, event: Event) -> int:
        """The revision as sent; without one 0 for a final result, and -1, -2, … for interim ones as they arrive.

        So none of them is the same as another one, nor as a correction, which the source numbers from 1.
        """
        if event.revision is not None:
            return event.revision
        key = (tenant, event.source, event.id)
        count = self._counts.pop(key, 0)
        if event.final:
            return 0
        self._counts[key] = count + 1
        if len(self._counts) > _REMEMBERED:
            del self._counts[next(iter(self._counts))]
        return -1 - count
