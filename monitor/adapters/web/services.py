"""What the web application is given: its collaborators, its settings, and the keys under which it keeps them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from secrets import token_bytes
from typing import Final, Protocol

from aiohttp import web
from msgspec import Struct

from monitor.adapters.outside import Outside
from monitor.adapters.web.cuehub import CueHub
from monitor.adapters.web.hub import SseHub
from monitor.domain.decoding import Limits
from monitor.domain.labels import Label
from monitor.services.answers import KEPT_MS, Answers
from monitor.services.checking import CheckDesk
from monitor.services.cueing import CueDesk
from monitor.services.dryrun import DryRuns
from monitor.services.evening import Evening
from monitor.services.exporting import Exporting
from monitor.services.figures import Figures
from monitor.services.holding import HoldDesk
from monitor.services.ingest import Receipt
from monitor.services.labelling import LabelReceipt
from monitor.services.learning import Learning
from monitor.services.lifecycle import Lifecycle
from monitor.services.linking import LinkDesk
from monitor.services.messaging import Messenger
from monitor.services.misses import MissDesk
from monitor.services.onair import AirDesk
from monitor.services.onlookers import Onlookers
from monitor.services.organising import Organising
from monitor.services.people import People
from monitor.services.planning import PlanDesk
from monitor.services.ports import Archive, Clock, Logger, Store, Telemetry
from monitor.services.recordings import Trail
from monitor.services.records import Evidence
from monitor.services.review import ReviewDesk
from monitor.services.roomlinks import RoomLinks
from monitor.services.rulebook import ReloadResult
from monitor.services.ruletrying import RuleTrial
from monitor.services.rulework import Workbench
from monitor.services.shadows import ShadowDesk
from monitor.services.signing import SigningIn
from monitor.services.trying import RouteDesk


class Ingest(Protocol):
    async def accept(self, tenant: str, body: bytes, *, session: str = "", session_seq: int = 0) -> Receipt:
        """As `services.ingest.Ingest.accept`."""
        ...


class Labelling(Protocol):
    async def take(self, tenant: str, body: bytes, limits: Limits, *, by: str) -> LabelReceipt:
        """As `services.labelling.Labelling.take`."""
        ...

    async def withdraw(self, tenant: str, label: str, *, by: str, reason: str) -> Label:
        """As `services.labelling.Labelling.withdraw`."""
        ...


class Exposition(Telemetry, Protocol):
    """Telemetry that can also be read."""

    def render(self) -> tuple[bytes, str]:
        """The metrics as Prometheus reads them, and their content type."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """`health`: why the service is not ready (empty: it is). `alive`: False asks the supervisor for a restart.

    `reload` raises RuleError with all faults. `live_since_ms`: a room is listed while it runs or had an event within
    so many ms. `session_seq`: the log's last durable number of (tenant, WebSocket session). `evidence`: what belongs
    to the alert (tenant, id), None where the tenant has no such alert. `recordings`: WAV files of the demo, by what a
    room's record names instead of an address.
    """

    ingest: Ingest
    session_seq: Callable[[str, str], Awaitable[int]]
    evidence: Callable[[str, str], Awaitable[Evidence | None]]
    labelling: Labelling
    lifecycle: Lifecycle
    learning: Learning
    review: ReviewDesk
    misses: MissDesk
    links: LinkDesk
    organising: Organising
    exporting: Exporting
    figures: Figures
    evening: Evening
    air: AirDesk
    planning: PlanDesk
    signing: SigningIn
    people: People
    trail: Trail
    checking: CheckDesk
    answers: Answers
    outside: Outside
    cues: CueDesk
    room_links: RoomLinks
    cue_hub: CueHub
    messenger: Messenger
    holding: HoldDesk
    workbench: Workbench
    rule_trial: RuleTrial
    dry_runs: DryRuns
    shadows: ShadowDesk
    trying: RouteDesk
    store: Store
    archive: Archive
    hub: SseHub
    onlookers: Onlookers
    reload: Callable[[], Awaitable[ReloadResult]]
    health: Callable[[], list[str]]
    alive: Callable[[], bool]
    telemetry: Exposition
    clock: Clock
    logger: Logger
    live_since_ms: int = 24 * 3_600_000
    recordings: Mapping[str, bytes] = field(default_factory=dict)
    media_key: bytes = field(default_factory=partial(token_bytes, 32))
    """Signs what players may ask for; the same at all processes that answer them."""


class WebSettings(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds where their names do not say otherwise. `loopback`: the listening address is
    reachable from this machine only, whose programs need no token."""

    host: str = "127.0.0.1"
    loopback: bool = True
    limits: Limits = Limits()
    max_body_bytes: int = 16 * 2**20  # as it comes over the wire
    max_decompressed_bytes: int = 64 * 2**20
    max_held_bytes: int = 256 * 2**20  # bodies of all requests that are being read or accepted
    max_unsent_bytes: int = 128 * 2**20  # large answers that wait for their clients
    max_sockets: int = 1_000
    streams_each: int = 500  # streams and sockets of one token or person
    body_timeout_s: float = 30
    request_timeout_s: float = 20
    write_timeout_s: float = 30  # a client that takes nothing for so long is cut off
    slowest_reader: int = 64 * 2**10  # a whole answer may take longer: a second for so many bytes of it
    keepalive_timeout_s: float = 75
    linger_s: float = 2  # the rest of a refused body is read for so long, so that the answer gets through
    retry_after_s: int = 5  # where storage refuses
    token_refresh_s: float = 2
    revoked_after_s: float = 5  # streams and sockets end at most so long after their token
    searches: int = 4  # of one tenant at a time
    hello_timeout_s: float = 10
    ws_heartbeat_s: float = 20
    sse_heartbeat_s: float = 15
    cue_look_s: float = 15  # a page that shows cues looks again so often, whether or not it was woken
    answers_ms: int = KEPT_MS  # how long a request that is sent again gets the first answer
    sse_replay: int = 10_000  # updates that are read from the store for one client at most


SERVICES: Final = web.AppKey("services", WebServices)
SETTINGS: Final = web.AppKey("settings", WebSettings)
