"""The part of the route table about rooms on air."""

from typing import Final

from monitor.adapters.web.handling import Route
from monitor.adapters.web.rooms import TIMELINE_PARAMS, WALL_PARAMS, get_timeline, list_live
from monitor.services.onair import Timeline
from monitor.services.wall import WallPage

_API: Final = "/api/v1"

AIR_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="GET", path=f"{_API}/rooms/live", name="listLiveRooms", scope="read", by_unit=True, handler=list_live,
        summary="Rooms on air with their findings by the minute, for half an hour, page by page.",
        params=WALL_PARAMS, answer=WallPage, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/rooms/{{room}}/timeline", name="getTimeline", scope="read", by_unit=True,
        handler=get_timeline,
        summary="A broadcast over its time: events by kind and lane, findings, cues, signals.",
        params=TIMELINE_PARAMS, answer=Timeline, errors=(400, 404, 429, 503), timed=True,
    ),
)
