"""The supervision post: who is told of alerts, and what they do with them."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from monitor.adapters.bundled import bundled, view_tables
from monitor.adapters.planfiles import read_table
from monitor.adapters.recordfiles import read_folder
from monitor.adapters.sources.scripts import read_script
from monitor.adapters.storage.accounts import SqlAccounts
from monitor.adapters.storage.answers import SqlAnswers
from monitor.adapters.storage.checks import SqlChecks
from monitor.adapters.storage.database import Database
from monitor.adapters.storage.figures import SqlFigures
from monitor.adapters.storage.holding import SqlHolds
from monitor.adapters.storage.ledgers import SqlLedgers
from monitor.adapters.storage.mail import SqlMail
from monitor.adapters.storage.onair import SqlAir
from monitor.adapters.storage.posts import SqlPosts
from monitor.adapters.storage.retention import SqlExpiry
from monitor.adapters.storage.store import SqlStore
from monitor.engine.engineset import EngineSet
from monitor.services.absences import Absences
from monitor.services.checking import CheckDesk
from monitor.services.dispatch import Dispatcher
from monitor.services.evening import Evening
from monitor.services.exporting import Exporting
from monitor.services.figures import Figures
from monitor.services.holding import HoldDesk
from monitor.services.lifecycle import ModelList
from monitor.services.linking import EvidenceOf, LinkDesk
from monitor.services.misses import MissDesk
from monitor.services.onair import AirDesk
from monitor.services.onboarding import Onboarding
from monitor.services.organising import Organising
from monitor.services.planning import PlanDesk
from monitor.services.ports import Archive, Clock, Publisher, Telemetry
from monitor.services.retention import Kind, Retention
from monitor.services.review import ReviewDesk
from monitor.services.roomwatch import RoomRecords
from monitor.services.scan import midnight
from monitor.services.trying import RouteDesk
from monitor.settings import Settings

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


def kept_ms(settings: Settings) -> dict[Kind, int]:
    """A session's time runs from its beginning."""
    kept = {kind: getattr(settings.retention, f"{kind.value}_days") * _DAY_MS for kind in Kind}
    return kept | {Kind.SESSIONS: kept[Kind.SESSIONS] + settings.people.times().whole_ms}


class PostDesks:
    """`await PostDesks.opened(…)`; then, once there is evidence to look at, `join`."""

    air: AirDesk
    links: LinkDesk
    misses: MissDesk
    checking: CheckDesk
    onboarding: Onboarding
    engine: Callable[[], EngineSet]

    def __init__(
        self, database: Database, publisher: Publisher, telemetry: Telemetry, clock: Clock, settings: Settings,
    ) -> None:
        self.posts = SqlPosts(database)
        self.answers = SqlAnswers(database)
        self.retention = Retention(SqlExpiry(database), self.answers, clock, telemetry, kept_ms(settings),
                                   settings.retention.answers_hours * _HOUR_MS)
        self.database, self.settings = database, settings
        self.publisher, self.clock, self.telemetry = publisher, clock, telemetry
        self.organising = Organising(self.posts, clock, read_folder(bundled("config") / "post"),
                                     changed=lambda kind: self.rooms.changed(kind))
        self.rooms = RoomRecords(self.organising, clock)
        self.dispatcher = Dispatcher(
            self.organising.of, view_tables().skeleton_text, breaker=settings.alerts.breaker())
        self.review = ReviewDesk(self.posts, self.organising, publisher, clock, telemetry,
                                 colleagues=SqlAccounts(database))
        self.evening = Evening(self.posts, self.organising, clock, telemetry,
                               silent_after_ms=settings.plan.silent_after_s * 1000,
                               absences=Absences(SqlMail(database), self.organising, clock))
        self.planning = PlanDesk(self.organising, partial(read_table, zone=ZoneInfo(settings.tenant.zone)))
        holds = SqlHolds(database)
        self.holding = HoldDesk(holds, self.dispatcher.breaker, self.review, self.organising, clock, telemetry)
        self.trying = RouteDesk(self.dispatcher, holds, self.review, self.organising, clock)
        self.exporting = Exporting(
            store=SqlStore(database), ledgers=SqlLedgers(database), trail=self.posts, review=self.review,
            organising=self.organising, clock=clock, zone=ZoneInfo(settings.tenant.zone))

    @classmethod
    async def opened(
        cls, database: Database, publisher: Publisher, telemetry: Telemetry, clock: Clock, settings: Settings,
    ) -> "PostDesks":
        """With what is stored of all tenants, before anything is placed."""
        desks = cls(database, publisher, telemetry, clock, settings)
        await desks.organising.load()
        return desks

    def join(self, evidence: EvidenceOf, archive: Archive, engine: Callable[[], EngineSet]) -> None:
        """The desks that show what was said, or judge."""
        self.engine = engine
        self.onboarding = Onboarding(self.posts, self.organising, self.dispatcher, self.publisher, self.clock,
                                     self.telemetry, engine)
        self.links = LinkDesk(self.posts, self.review, evidence, self.organising, self.publisher, self.clock)
        self.air = AirDesk(SqlAir(self.database), SqlStore(self.database), archive, self.organising, self.clock)
        self.misses = MissDesk(self.posts, archive, self.dispatcher, self.organising, self.publisher, self.clock)
        self.checking = CheckDesk(
            SqlChecks(self.database), self.organising,
            partial(read_script, limits=self.settings.ingest.limits()), engine,
            partial(midnight, ZoneInfo(self.settings.tenant.zone)), self.clock)

    def figures(self, models: Callable[[], Awaitable[ModelList]]) -> Figures:
        return Figures(SqlFigures(self.database), self.organising, self.engine, models, self.clock)

    async def pass_time(self) -> None:
        """Leases and storms end and clocks run out, also those that did while nothing ran; records that the command
        line changes are taken."""
        await self.organising.load()
        await self.review.pass_time()
        await self.holding.pass_time()

    async def pass_time_beside(self) -> None:
        """The same where others judge; records are taken elsewhere."""
        await self.review.pass_time()
        await self.holding.pass_time()
