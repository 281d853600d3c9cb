"""The part of the route table that speaks to rooms and to people elsewhere."""

from typing import Final

from monitor.adapters.web.cues import (
    CUE_STREAM_PARAMS,
    LINKS_PARAMS,
    PAGE_PARAMS,
    AnswerBody,
    CueHello,
    CuesAnswer,
    LinkBody,
    LinkMade,
    RoomCues,
    ShownCue,
    delete_link,
    get_room_cues,
    list_cues,
    list_links,
    post_answer,
    post_cue,
    post_link,
    stream_room_cues,
)
from monitor.adapters.web.handling import Route
from monitor.adapters.web.messages import MESSAGE_PARAMS, OnItsWay, list_messages, test_channel
from monitor.adapters.web.page import get_cue_page
from monitor.domain.cues import Cue, RoomLink
from monitor.domain.people import Permission
from monitor.services.cueing import Draft
from monitor.services.messaging import PostedPage
from monitor.services.roomlinks import LinkPage

_API: Final = "/api/v1"

CUE_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="POST", path=f"{_API}/alerts/{{id}}/cue", name="cueRoom", scope="review",
        permission=Permission.CUE, by_unit=True, handler=post_cue,
        summary="Tell the alert's room, at its link and its channels; what is left out is the rule's advice.",
        body=Draft, answer=Cue, errors=(400, 403, 404, 408, 409, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/alerts/{{id}}/cues", name="listCues", scope="read", by_unit=True,
        handler=list_cues,
        summary="What the room was told about an alert, and what it answered.",
        answer=CuesAnswer, errors=(404, 429, 503), timed=True,
    ),
    Route(
        method="POST", path=f"{_API}/rooms/{{room}}/links", name="makeRoomLink", scope="review", secret=True,
        permission=Permission.CUE, by_unit=True, handler=post_link,
        summary="A link that shows the room's cues to whoever has it; its secret is told once.",
        body=LinkBody, answer=LinkMade, status=201, errors=(400, 403, 408, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/rooms/{{room}}/links", name="listRoomLinks", scope="review",
        permission=Permission.CUE, by_unit=True, handler=list_links,
        summary="The links of a room, without their secrets.", params=LINKS_PARAMS, answer=LinkPage,
        errors=(400, 403, 503),
    ),
    Route(
        method="DELETE", path=f"{_API}/rooms/{{room}}/links/{{id}}", name="revokeRoomLink", scope="review",
        permission=Permission.CUE, by_unit=True, handler=delete_link,
        summary="End a link; whoever listens at it is cut off.",
        answer=RoomLink, errors=(400, 403, 404, 503),
    ),
    Route(
        method="GET", path=f"{_API}/cue/{{secret}}", name="getRoomCues", scope=None, by_link=True,
        handler=get_room_cues, summary="What a room link shows: the cues of the last half hour.",
        answer=RoomCues, errors=(404, 503),
    ),
    Route(
        method="GET", path=f"{_API}/cue/{{secret}}/stream", name="streamRoomCues", scope=None, by_link=True,
        handler=stream_room_cues, summary="Cues as they come and change (server-sent events), resumable.",
        params=CUE_STREAM_PARAMS, media="text/event-stream", events=(CueHello, ShownCue), errors=(400, 404, 429, 503),
        stream=True,
    ),
    Route(
        method="POST", path=f"{_API}/cue/{{secret}}/answers", name="answerCue", scope=None, by_link=True,
        handler=post_answer, summary="The room has seen a cue, has corrected what was said, or says that it is not so.",
        body=AnswerBody, answer=ShownCue, errors=(400, 404, 408, 409, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path="/cue/{secret}", name="getCuePage", scope=None, by_link=True, handler=get_cue_page,
        summary="A page for host and control room that shows the link's cues.", params=PAGE_PARAMS,
        media="text/html", errors=(400,),
    ),
    Route(
        method="GET", path=f"{_API}/messages", name="listMessages", scope="read", permission=Permission.AUDIT,
        instead=Permission.OPERATE,
        handler=list_messages,
        summary="Messages to channels, newest first: how far they are, how often tried, and the last error.",
        params=MESSAGE_PARAMS, answer=PostedPage, errors=(400, 503), timed=True,
    ),
    Route(
        method="POST", path=f"{_API}/channels/{{id}}/test", name="testChannel", scope="organise",
        permission=Permission.ORGANISE, instead=Permission.OPERATE, by_unit=True, handler=test_channel,
        summary="Send a test message to a channel.",
        answer=OnItsWay, status=202, errors=(403, 404, 503),
    ),
)
