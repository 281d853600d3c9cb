"""What can be looked up: alerts, rooms, kept events."""

from typing import Final

from aiohttp import web

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.params import Param, choice, count, text, time
from monitor.adapters.web.searches import SEARCHES
from monitor.adapters.web.services import SERVICES
from monitor.adapters.web.types import EventsAnswer
from monitor.domain.alerts import AlertState
from monitor.domain.events import Kind
from monitor.domain.findings import Severity, Tier
from monitor.domain.misses import MANUAL
from monitor.domain.moves import Outcome
from monitor.domain.rules import CATEGORIES
from monitor.services.records import AlertFilter, ArchiveQuery
from monitor.services.sight import Sight, below, sees, sight

ROOM: Final = text("room", "Only this room.")
CATEGORY: Final = choice("category", "Only alerts with this category.", CATEGORIES)
SEVERITY: Final = choice("severity", "Only this severity.", Severity)
_SINCE: Final = time("since", "At or after this time.")
_UNTIL: Final = time("until", "Before this time.")

ALERT_PARAMS: Final[tuple[Param, ...]] = (
    ROOM,
    text("broadcast", "Only this broadcast."),
    text("rule", "Only this rule."),
    CATEGORY,
    choice("tier", "Only this tier.", Tier),
    SEVERITY,
    choice("state", "Only this state.", AlertState),
    text("post", "Only what is or was before this post."),
    text("unit", "Only rooms of this unit, and of those below it."),
    choice("outcome", "Only decided so.", Outcome),
    text("claimed_by", "Only what this person has claimed; `me` is whoever asks."),
    choice("source", "Only what rules found, or what people reported.", ("rules", MANUAL)),
    _SINCE,
    _UNTIL,
    count("limit", "How many alerts a page holds.", most=200, default=50),
    text("cursor", "`next` of the page before.", longest=1_000),
)
EVENT_PARAMS: Final[tuple[Param, ...]] = (
    ROOM,
    choice("kind", "Only this kind.", Kind),
    text("text", "Only events that contain this text."),
    _SINCE,
    _UNTIL,
    count("limit", "How many events at most.", most=500, default=100),
)
ROOM_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many rooms a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before."),
)
_LONGEST_ID: Final = 128


async def list_alerts(request: web.Request) -> web.Response:
    query = request[QUERY].copy()
    cursor, limit = query.pop("cursor"), query.pop("limit")
    services = request.app[SERVICES]
    bounds, actor = _sight(request), request[PRINCIPAL].actor
    unit, claimed_by = query.pop("unit"), query.pop("claimed_by")
    within = None if unit is None else below(services.organising.of(actor.tenant), unit)
    where = AlertFilter(**query, within=within, claimed_by=actor.id if claimed_by == "me" else claimed_by,
                        units=bounds.units, posts=bounds.posts)
    page = await services.store.alerts(actor.tenant, where, cursor=cursor, limit=limit)
    return json_answer(page)


async def get_alert(request: web.Request) -> web.Response:
    """404 for an alert of another tenant, or of a unit that is not to be seen, as for one that does not exist."""
    wanted, services, actor = request.match_info["id"], request.app[SERVICES], request[PRINCIPAL].actor
    found = None
    if len(wanted) <= _LONGEST_ID:
        found = await services.evidence(actor.tenant, wanted)
    if found is None or not sees(actor, services.organising.of(actor.tenant), found.alert):
        raise Problem(404, "not_found", "there is no alert with this id", hint="GET /api/v1/alerts lists them")
    return json_answer(found)


async def list_rooms(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    since = services.clock.now() - services.live_since_ms
    return json_answer(await services.store.rooms(
        request[PRINCIPAL].tenant, live_since=since, only=_sight(request).rooms, **request[QUERY]))


async def search_events(request: web.Request) -> web.Response:
    """Cancelled where the client leaves."""
    tenant, archive = request[PRINCIPAL].tenant, request.app[SERVICES].archive
    search = archive.search(tenant, ArchiveQuery(**request[QUERY], rooms=_sight(request).rooms))
    return json_answer(EventsAnswer(await request.app[SEARCHES].run(request, tenant, search)))


def _sight(request: web.Request) -> Sight:
    actor = request[PRINCIPAL].actor
    return sight(actor, request.app[SERVICES].organising.of(actor.tenant))
