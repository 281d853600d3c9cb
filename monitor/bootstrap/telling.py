"""What is said to rooms and to people elsewhere: cues, corrections and messages, put together."""

from collections.abc import Awaitable, Iterator
from typing import Final
from zoneinfo import ZoneInfo

from monitor.adapters.courier import Couriers
from monitor.adapters.keys import link_secret
from monitor.adapters.outside import Outside
from monitor.adapters.storage.cues import SqlCues
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.mail import SqlMail
from monitor.adapters.web.cuehub import CueHub
from monitor.domain.cues import CORRECTION_MS, MOST_OFTEN_MS
from monitor.domain.labels import Label
from monitor.engine.views import ViewTables
from monitor.services.correcting import Corrections
from monitor.services.cueing import CueDesk
from monitor.services.labelling import masked
from monitor.services.messaging import Messenger
from monitor.services.organising import Organising
from monitor.services.ports import Clock, Logger, Publisher, Store, Telemetry
from monitor.services.roomlinks import RoomLinks
from monitor.services.rulecues import RuleCues

_LATEST: Final = 1_000
"""Updates of a tenant that are looked at after a start."""


class Telling:
    """`publisher`: takes what is committed, in the place of the one that it passes it on to."""

    def __init__(
        self, database: Database, organising: Organising, further: Publisher, *, tables: ViewTables, outside: Outside,
        zone: str, clock: Clock, telemetry: Telemetry, logger: Logger,
    ) -> None:
        store, self._clock = SqlCues(database), clock
        self.cue_hub = CueHub()
        self.publisher = RuleCues(further, store, telemetry, logger)
        self.corrections = Corrections(store, further, clock, telemetry, logger, fold=tables.skeleton_text,
                                       wake=self.cue_hub.wake)
        self.cues = CueDesk(store, organising, clock, telemetry, mask=lambda text: without_contacts(text, tables),
                            wake=self.cue_hub.wake, watch=self.corrections.watch)
        self.links = RoomLinks(store, organising, clock, link_secret)
        self._couriers = Couriers(outside, clock.now, ZoneInfo(zone))
        self.messenger = Messenger(SqlMail(database), organising, self._couriers, clock, telemetry, logger)

    async def go_on(self, store: Store) -> None:
        """What was found in the last minutes before this start can still be cued and corrected."""
        since = self._clock.now() - CORRECTION_MS
        await self.publisher.learn()
        for tenant, last in (await store.outbox_ends()).items():
            updates = await store.updates(tenant, after=max(last - _LATEST, 0), limit=_LATEST)
            fresh = [update for update in updates if update.what == "opened" and update.alert.accepted_at >= since]
            self.corrections.remember(update.alert for update in fresh)
            self.publisher.mind([update for update in fresh
                                 if update.alert.accepted_at >= self._clock.now() - MOST_OFTEN_MS])

    def beside(self) -> Iterator[Awaitable[None]]:
        """What runs beside the judging."""
        yield self.publisher.run(self.cues)
        yield self.corrections.run()

    async def close(self) -> None:
        await self._couriers.close()


def without_contacts(text: str, tables: ViewTables) -> str:
    """With contact data masked, one `*` for each code point of it."""
    return masked([Label(text=text, labels=[])], tables)[0] if text else ""
