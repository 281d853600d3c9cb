"""Cues to rooms, the links that show them, and what whoever has a link sees and answers."""

from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.handling import QUERY, STARTED
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, choice, count, text
from monitor.adapters.web.services import SERVICES, SETTINGS, WebServices
from monitor.adapters.web.sse import HEADERS, PING, RETRY, Writer, event, last_id
from monitor.domain.cues import Answer, Cue, RoomLink
from monitor.domain.organisation import Room
from monitor.domain.phrases import phrase
from monitor.services.cueing import LONGEST_LINK_S, Draft

CUE_STREAM_PARAMS: Final[tuple[Param, ...]] = (
    count("after", "Resume behind this id; the header Last-Event-ID wins.", least=0, most=2**62),
)
LINKS_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many links a page holds.", most=1_000, default=200),
    text("cursor", "`next` of the page before.", longest=1_000),
)
PAGE_PARAMS: Final[tuple[Param, ...]] = (
    choice("view", "overlay: for the host's picture, one cue at a time. Default: for the control room.", ("overlay",)),
)
_LONGEST_ROOM: Final = 128
_LONGEST_ANSWER: Final = 4_096


class LinkBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`lasts_s`: for how long it shows cues."""

    lasts_s: Annotated[int, Meta(ge=60, le=LONGEST_LINK_S)] = 86_400


class LinkMade(Struct, frozen=True):
    """`path`: open it in a browser, behind the address of this service; the secret in it is told once."""

    link: RoomLink
    path: str
    secret: str


class CuesAnswer(Struct, frozen=True):
    """Oldest first."""

    cues: list[Cue]


class ShownCue(Struct, frozen=True, kw_only=True):
    """A cue as the room sees it. `automatic`: a rule said so by itself; `severity`: of what was found, "" where it
    is not known. Times in UTC ms."""

    id: str
    at: int
    say: str
    quote: str
    clause: str
    automatic: bool
    severity: str
    answered: str
    answered_at: int | None
    corrected_at: int | None


class RoomCues(Struct, frozen=True, kw_only=True):
    """What a link shows; `title`: of the room, "" where it has none; `now`, `expires_at`: UTC ms. The earliest change
    first."""

    room: str
    title: str
    now: int
    expires_at: int
    cues: list[ShownCue]


class CueHello(Struct, frozen=True, kw_only=True):
    room: str
    title: str
    now: int
    expires_at: int


class AnswerBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`word`: what the room has to say to it."""

    cue: Annotated[str, Meta(min_length=1, max_length=128)]
    answer: Answer
    word: Annotated[str, Meta(max_length=200)] = ""


async def post_cue(request: web.Request) -> web.Response:
    body = await received_json(request, Draft)
    return json_answer(await request.app[SERVICES].cues.cue(request[PRINCIPAL].actor, request.match_info["id"], body))


async def list_cues(request: web.Request) -> web.Response:
    """404 for an alert of another tenant as for one that does not exist."""
    services, actor, alert = request.app[SERVICES], request[PRINCIPAL].actor, request.match_info["id"]
    case = await services.review.case(actor, alert)
    return json_answer(CuesAnswer(await services.cues.of_alert(actor, alert, case)))


async def post_link(request: web.Request) -> web.Response:
    body = await received_json(request, LinkBody)
    link, secret = await request.app[SERVICES].room_links.make(request[PRINCIPAL].actor, _room(request), body.lasts_s)
    return json_answer(LinkMade(link, f"/cue/{secret}", secret), status=201)


async def list_links(request: web.Request) -> web.Response:
    query = request[QUERY]
    return json_answer(await request.app[SERVICES].room_links.listed(
        request[PRINCIPAL].actor, _room(request), cursor=query["cursor"], limit=query["limit"]))


async def delete_link(request: web.Request) -> web.Response:
    """Whoever listens at it is cut off at once."""
    services = request.app[SERVICES]
    link = await services.room_links.revoke(request[PRINCIPAL].actor, _room(request), request.match_info["id"])
    services.cue_hub.end(link)
    return json_answer(link)


async def get_room_cues(request: web.Request) -> web.Response:
    services, link = request.app[SERVICES], await _link(request)
    found = await services.cues.shown(link)
    return json_answer(RoomCues(room=link.room, title=_title(services, link), now=services.clock.now(),
                                expires_at=link.expires_at, cues=[_shown(cue) for cue in found]))


async def post_answer(request: web.Request) -> web.Response:
    link = await _link(request)
    body = await received_json(request, AnswerBody, most=_LONGEST_ANSWER)
    return json_answer(_shown(await request.app[SERVICES].cues.answer(link, body.cue, body.answer, body.word)))


async def stream_room_cues(request: web.Request) -> web.StreamResponse:
    """Cues with a change behind the client's last id, then each that changes, until the link ends."""
    services, settings, link = request.app[SERVICES], request.app[SETTINGS], await _link(request)
    after = last_id(request.headers.get("Last-Event-ID"), request[QUERY]["after"]) or 0
    with services.cue_hub.listening(link) as listener:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        request[STARTED] = response
        writer = Writer(request, response)
        hello = CueHello(room=link.room, title=_title(services, link), now=services.clock.now(),
                         expires_at=link.expires_at)
        await writer.write(RETRY + event(b"hello", hello, None))
        while not listener.ended and await services.room_links.of(request.match_info["secret"]) is not None:
            changed = await services.cues.shown(link, after=after)
            for cue in changed:
                await writer.write(event(b"cue", _shown(cue), cue.seq))
                after = cue.seq
            if not changed and not await listener.woken(within=min(settings.cue_look_s, settings.sse_heartbeat_s)):
                await writer.write(PING)
    return response


async def _link(request: web.Request) -> RoomLink:
    """Raises Problem: one answer for what never was, was revoked or is over."""
    link = await request.app[SERVICES].room_links.of(request.match_info["secret"])
    if link is None:
        raise Problem(404, "unknown_link", "the link is unknown, over or revoked", hint="ask the reviewers for another")
    return link


def _title(services: WebServices, link: RoomLink) -> str:
    room = services.organising.of(link.tenant).get(Room, link.room)
    return room.title if room else ""


def _room(request: web.Request) -> str:
    room = request.match_info["room"]
    if len(room) > _LONGEST_ROOM:
        raise Problem(400, "bad_parameter", phrase("a room has at most {most} characters", most=_LONGEST_ROOM),
                      hint="check its name")
    return room


def _shown(cue: Cue) -> ShownCue:
    return ShownCue(id=cue.id, at=cue.at, say=cue.say, quote=cue.quote, clause=cue.clause,
                    automatic=cue.by.startswith("rule:"), severity=cue.severity, answered=cue.answered,
                    answered_at=cue.answered_at, corrected_at=cue.corrected_at)
