"""Who has a page open that hears of alerts, and which alert they have before them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.alerts import Alert
from monitor.domain.errors import StorageError
from monitor.services.ports import Clock

HOLDS_MS: Final = 30_000
"""Pages show a look for so long, and tell of theirs again before."""
KEPT_MS: Final = 10_000
"""What a process tells of its pages fades after so long, unless it tells it again."""
_AGAIN_MS: Final = 4_000
_TURN_S: Final = 1
_MOST: Final = 2_000


class Pages(Protocol):
    """Those that are open at this process."""

    def listening(self) -> Mapping[str, Set[str]]:
        """By tenant: logins, and ids of tokens."""
        ...

    def look(self, alert: Alert, by: str) -> None:
        """Show it to those who may see the alert."""
        ...


class Look(Struct, frozen=True):
    """`at`: UTC ms."""

    tenant: str
    alert: str
    by: str
    at: int


class Gathering(Struct, frozen=True):
    """What a process tells of its pages: who listens, by tenant, and the latest look of each."""

    listening: dict[str, list[str]]
    looks: list[Look]


_NOBODY: Final = Gathering({}, [])


class Gatherings(Protocol):
    """One for each process. Raises StorageError. Times UTC ms."""

    async def keep(self, process: str, gathering: Gathering, *, now: int, until: int) -> None:
        """In place of the one before; those that have faded by `now` go."""
        ...

    async def leave(self, process: str) -> None: ...

    async def others(self, process: str, now: int) -> dict[str, tuple[Gathering, int]]:
        """Of all other processes, each until when it holds."""
        ...

    async def alerts(self, tenant: str, names: Sequence[str]) -> list[Alert]:
        """Those of these ids that there are, in any order."""
        ...


class Onlookers:
    """Of one process that has all pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def listening(self, tenant: str) -> Set[str]:
        return self._pages.listening().get(tenant, frozenset())

    def look(self, alert: Alert, by: str) -> None:
        """Somebody has it before them."""
        self._pages.look(alert, by)


class SharedOnlookers(Onlookers):
    """Of several processes: each tells the others of its pages, and shows what they tell. Where the store is away, what
    they told fades."""

    def __init__(self, pages: Pages, gatherings: Gatherings, clock: Clock, *, process: str) -> None:
        """`process`: tells it from all others."""
        super().__init__(pages)
        self._gatherings, self._clock, self._process = gatherings, clock, process
        self._looks: dict[tuple[str, str], Look] = {}
        self._told, self._tell_again_at = _NOBODY, 0
        self._others: dict[str, tuple[Gathering, int]] = {}
        self._shown: frozenset[Look] = frozenset()

    def listening(self, tenant: str) -> Set[str]:
        now = self._clock.now()
        return super().listening(tenant) | {
            who for there, until in self._others.values() if until > now for who in there.listening.get(tenant, ())}

    def look(self, alert: Alert, by: str) -> None:
        super().look(alert, by)
        self._looks.pop((alert.tenant, by), None)  # one looks at one thing
        self._looks[alert.tenant, by] = Look(alert.tenant, alert.id, by, self._clock.now())
        if len(self._looks) > _MOST:
            del self._looks[next(iter(self._looks))]

    async def share(self) -> None:
        """Tell what has changed here, and show what has elsewhere. Raises StorageError."""
        now = self._clock.now()
        self._looks = {who: look for who, look in self._looks.items() if look.at > now - HOLDS_MS}
        here = Gathering({tenant: sorted(who) for tenant, who in sorted(self._pages.listening().items())},
                         list(self._looks.values()))
        if here != self._told or (here != _NOBODY and now >= self._tell_again_at):
            await self._gatherings.keep(self._process, here, now=now, until=now + KEPT_MS)
            self._told, self._tell_again_at = here, now + _AGAIN_MS
        self._others = await self._gatherings.others(self._process, now)
        looks = frozenset(look for there, _ in self._others.values() for look in there.looks
                          if look.at > now - HOLDS_MS)
        await self._show(looks - self._shown)
        self._shown = looks

    async def run(self) -> None:
        """Until cancelled; then the others hear that nobody is here."""
        try:
            while True:
                with suppress(StorageError):  # shared at the next turn
                    await self.share()
                await asyncio.sleep(_TURN_S)
        finally:
            with suppress(StorageError):
                await self._gatherings.leave(self._process)

    async def _show(self, looks: Iterable[Look]) -> None:
        of: dict[str, list[Look]] = {}
        for look in sorted(looks, key=lambda look: (look.at, look.by)):
            if look.tenant in self._pages.listening():
                of.setdefault(look.tenant, []).append(look)
        for tenant, new in of.items():
            found = await self._gatherings.alerts(tenant, sorted({look.alert for look in new}))
            alerts = {alert.id: alert for alert in found}
            for look in new:
                if look.alert in alerts:
                    self._pages.look(alerts[look.alert], look.by)
