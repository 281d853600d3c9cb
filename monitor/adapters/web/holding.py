"""What is held back, the same words elsewhere, and where an alert would go."""

from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import in_the_readers_words, json_answer
from monitor.adapters.web.handling import QUERY, Route
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, choice, count, text
from monitor.adapters.web.services import SERVICES
from monitor.domain.events import KINDS, STAGES
from monitor.domain.findings import Severity, Tier
from monitor.domain.moves import Decide, Release
from monitor.domain.people import Permission
from monitor.domain.routing import Values
from monitor.services.holding import STEP, Alike, Holders, MovedAll, Preview, reason
from monitor.services.records import AlertPage
from monitor.services.trying import Trial, Tried

HELD_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many alerts a page holds.", most=200, default=50),
    text("cursor", "`next` of the page before.", longest=1_000),
)
TRIAL_PARAMS: Final[tuple[Param, ...]] = (
    text("alert", "The id of an alert whose labels are taken; all but `unit` … `tag` are then left out."),
    text("room", "A room; what its record says of it counts."),
    text("rule", "A rule."),
    text("category", "Categories, with commas between."),
    text("sub", "A sub-category."),
    choice("severity", "The severity; `medium` unless given.", Severity),
    choice("tier", "The tier; `standard` unless given.", Tier),
    choice("kind", "The kind of the event; `transcript` unless given.", KINDS),
    choice("stage", "The stage; `live` unless given.", STAGES),
    text("unit", "A unit, instead of the room's."),
    text("platform", "A platform, instead of the room's."),
    text("vertical", "A vertical, instead of the room's."),
    text("profile", "A profile, instead of the room's."),
    text("tag", "Tags with commas between, instead of the room's."),
    text("text", "The words that were found, for exceptions."),
)


class HeldMove(Struct, frozen=True, forbid_unknown_fields=True):
    """One step: the next `limit` alerts, from `cursor` on, by the same move."""

    move: Release | Decide
    cursor: Annotated[str, Meta(max_length=1_000)] | None = None
    limit: Annotated[int, Meta(ge=1, le=STEP)] = STEP


class SilenceDraft(Struct, frozen=True, forbid_unknown_fields=True):
    match: dict[str, Values]
    unless: dict[str, Values] = {}


async def list_holders(request: web.Request) -> web.Response:
    return json_answer(await request.app[SERVICES].holding.holders(request[PRINCIPAL].actor))


async def list_held(request: web.Request) -> web.Response:
    info = request.match_info
    return json_answer(await request.app[SERVICES].holding.held(
        request[PRINCIPAL].actor, reason(info["why"]), info["by"], **request[QUERY]))


async def move_held(request: web.Request) -> web.Response:
    """Bounded, so that no request takes long: again with `next` as `cursor` until that is null."""
    info, body = request.match_info, await received_json(request, HeldMove)
    moved = await request.app[SERVICES].holding.move(
        request[PRINCIPAL].actor, reason(info["why"]), info["by"], body.move, cursor=body.cursor, limit=body.limit)
    refused = {alert: in_the_readers_words(request, why) for alert, why in moved.refused.items()}
    return json_answer(msgspec.structs.replace(moved, refused=refused))


async def preview_silence(request: web.Request) -> web.Response:
    draft = await received_json(request, SilenceDraft)
    return json_answer(await request.app[SERVICES].holding.preview(
        request[PRINCIPAL].actor, draft.match, draft.unless))


async def list_alike(request: web.Request) -> web.Response:
    """404 for an alert of another tenant as for one that does not exist."""
    return json_answer(await request.app[SERVICES].holding.alike(request[PRINCIPAL].actor, request.match_info["id"]))


async def test_routes(request: web.Request) -> web.Response:
    asked = {name: value for name, value in request[QUERY].items() if value is not None}
    trial = msgspec.convert(asked, Trial)
    return json_answer(await request.app[SERVICES].trying.test(request[PRINCIPAL].actor, trial))


_API: Final = "/api/v1"
_HELD: Final = f"{_API}/held/{{why}}/{{by}}"
HOLDING: Final[tuple[Route, ...]] = (
    Route(
        method="GET", path=f"{_API}/held", name="listHolders", scope="read", by_unit=True, handler=list_holders,
        summary="How many alerts are held back, by reason, and what holds most of them.",
        answer=Holders, errors=(503,), timed=True,
    ),
    Route(
        method="GET", path=_HELD, name="listHeld", scope="read", by_unit=True, handler=list_held, params=HELD_PARAMS,
        summary="What one silence, exception, storm or alert holds back, the most urgent first, page by page.",
        answer=AlertPage, errors=(400, 404, 429, 503), timed=True,
    ),
    Route(
        method="POST", path=_HELD, name="moveHeld", scope="review", by_unit=True,
        permission=Permission.LEAD, handler=move_held,
        summary="Release or decide what it holds back, a step at a time.",
        body=HeldMove, answer=MovedAll, errors=(400, 404, 408, 413, 415, 429, 503),
    ),
    Route(
        method="POST", path=f"{_API}/silences/preview", name="previewSilence", scope="read", by_unit=True,
        handler=preview_silence,
        summary="Which alerts a silence would hold, of the open ones and of those of the last 24 h.",
        body=SilenceDraft, answer=Preview, errors=(400, 408, 413, 415, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/alerts/{{id}}/alike", name="listAlike", scope="read", by_unit=True,
        handler=list_alike,
        summary="Open alerts of other rooms with the same rule and words, for one joint decision.",
        answer=Alike, errors=(404, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/routes/test", name="testRoutes", scope="read", by_unit=True,
        handler=test_routes,
        summary="Which post an alert would go to, why, and what would hold it back.",
        params=TRIAL_PARAMS, answer=Tried, errors=(400, 404, 429, 503), timed=True,
    ),
)
