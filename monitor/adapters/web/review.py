"""The queue, and what people do with alerts."""

from functools import partial
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import Problem, in_the_readers_words, json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, choice, count, flag, text, time
from monitor.adapters.web.reading import CATEGORY, ROOM, SEVERITY
from monitor.adapters.web.services import SERVICES
from monitor.domain.alerts import LIVE, Alert
from monitor.domain.findings import Tier
from monitor.services.cases import QueueFilter
from monitor.services.review import Wanted

QUEUE_PARAMS: Final[tuple[Param, ...]] = (
    text("post", "Only this post's queue."),
    ROOM,
    text("rule", "Only this rule."),
    CATEGORY,
    choice("tier", "Only this tier.", Tier),
    SEVERITY,
    choice("state", "Only this state.", sorted(LIVE)),
    text("platform", "Only rooms whose records name this platform."),
    time("before", "Only what was said before this time."),
    text("claimed_by", "Only what this person has claimed; `me` is whoever asks."),
    flag("unrouted", "Only what no route answers, or only what one does."),
    count("limit", "How many cards a page holds.", most=200, default=50),
    text("cursor", "`next` of the page before.", longest=1_000),
)


class MovesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`together`: all of the moves or, where one is refused, none."""

    moves: Annotated[list[Wanted], Meta(min_length=1, max_length=500)]
    together: bool = True


class RefusedMove(Struct, frozen=True):
    """`why`: a code for programs."""

    why: str
    message: str
    hint: str


class MovesAnswer(Struct, frozen=True):
    """The alerts as they are now; by alert, why one could not be moved."""

    alerts: list[Alert]
    refused: dict[str, RefusedMove]


async def get_queue(request: web.Request) -> web.Response:
    query = request[QUERY].copy()
    cursor, limit, post, claimed_by = (query.pop(name) for name in ("cursor", "limit", "post", "claimed_by"))
    actor = request[PRINCIPAL].actor
    where = QueueFilter(posts=() if post is None else (post,),
                        claimed_by=actor.id if claimed_by == "me" else claimed_by, **query)
    return json_answer(await request.app[SERVICES].review.queue(actor, where, cursor=cursor, limit=limit))


async def get_history(request: web.Request) -> web.Response:
    """404 for an alert of another tenant as for one that does not exist."""
    return json_answer(await request.app[SERVICES].review.history(request[PRINCIPAL].actor, request.match_info["id"]))


async def post_look(request: web.Request) -> web.Response:
    """404 for an alert of another tenant as for one that does not exist. Kept nowhere."""
    services, actor = request.app[SERVICES], request[PRINCIPAL].actor
    alert = (await services.review.case(actor, request.match_info["id"])).alert
    services.onlookers.look(alert, actor.id)
    return web.Response(status=204)


async def post_moves(request: web.Request) -> web.Response:
    """409 where the moves belong together and one of them is refused: nothing has changed then."""
    body = await received_json(request, MovesBody)
    answered = await request.app[SERVICES].review.move(request[PRINCIPAL].actor, body.moves, together=body.together)
    told = partial(in_the_readers_words, request)
    refused = {name: RefusedMove(why.why, told(why.message), told(why.hint)) for name, why in answered.refused.items()}
    if refused and body.together:
        first = next(iter(answered.refused.values()))
        raise Problem(first.status, "refused", first.message, hint=first.hint,
                      details={"why": first.why, "refused": refused})
    return json_answer(MovesAnswer([case.alert for case in answered.cases], refused))
