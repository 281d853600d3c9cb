"""The route table: the single place for path, method, scope, summary and parameters.

The application, the OpenAPI document and the tests read it.
"""

from typing import Final

from monitor.adapters.web.console import get_console
from monitor.adapters.web.cue_routes import CUE_ROUTES
from monitor.adapters.web.evening import (
    PLAN_PARAMS,
    TABLE_PARAMS,
    UNKNOWN_PARAMS,
    PlanBody,
    get_duty,
    get_plan,
    list_unknown,
    post_plan,
)
from monitor.adapters.web.handling import Route
from monitor.adapters.web.holding import HOLDING
from monitor.adapters.web.ingest import post_events
from monitor.adapters.web.linking import HANDED_PARAMS, list_handed, post_answer, post_hand
from monitor.adapters.web.misses import DRAFT_PARAMS, MissAnswer, list_drafts, post_miss
from monitor.adapters.web.openapi import get_openapi
from monitor.adapters.web.operating import healthz, metrics, readyz, reload_rules
from monitor.adapters.web.page import get_api_page
from monitor.adapters.web.params import count, text
from monitor.adapters.web.reading import (
    ALERT_PARAMS,
    CATEGORY,
    EVENT_PARAMS,
    ROOM,
    ROOM_PARAMS,
    SEVERITY,
    get_alert,
    list_alerts,
    list_rooms,
    search_events,
)
from monitor.adapters.web.records import (
    LIST_PARAMS,
    VERSION_PARAMS,
    EditsBody,
    RecordAnswer,
    RecordsAnswer,
    delete_record,
    edit_records,
    get_record,
    list_records,
    put_record,
)
from monitor.adapters.web.review import (
    QUEUE_PARAMS,
    MovesAnswer,
    MovesBody,
    get_history,
    get_queue,
    post_look,
    post_moves,
)
from monitor.adapters.web.routes_air import AIR_ROUTES
from monitor.adapters.web.routes_learning import LEARNING
from monitor.adapters.web.routes_ledger import LEDGER_ROUTES
from monitor.adapters.web.routes_people import PEOPLE
from monitor.adapters.web.routes_rules import RULE_ROUTES
from monitor.adapters.web.sse import stream_alerts
from monitor.adapters.web.types import AlertMessage, EventsAnswer, HelloMessage, IngestAnswer, LookMessage, ResetMessage
from monitor.adapters.web.websocket import events_socket
from monitor.domain.events import Event
from monitor.domain.links import AdviceGiven, Handed, HandTo
from monitor.domain.misses import Miss
from monitor.domain.people import Permission
from monitor.services.cases import QueuePage
from monitor.services.evening import DutyAnswer, PlanPage, UnknownRooms
from monitor.services.linking import HandedPage
from monitor.services.misses import DraftPage
from monitor.services.planning import PlanTaken
from monitor.services.records import AlertPage, Evidence, RoomPage
from monitor.services.review import History
from monitor.services.rulebook import ReloadResult

_API: Final = "/api/v1"


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="POST", path=f"{_API}/events", name="sendEvents", scope="ingest", handler=post_events,
        summary="Send events as NDJSON or a JSON array; answered once all that is accepted is on disk.",
        answer=IngestAnswer, item=Event, errors=(400, 408, 413, 415, 429, 503), quiet=True,
    ),
    Route(
        method="GET", path=f"{_API}/events/ws", name="sendEventsBySocket", scope="ingest", handler=events_socket,
        summary="Send numbered messages of events over a WebSocket, resumable after a drop.",
        media="", errors=(400,), stream=True,
    ),
    Route(
        method="GET", path=f"{_API}/events", name="searchEvents", scope="read", by_unit=True, handler=search_events,
        summary="Search the kept events, newest first. Contact data is masked.",
        params=EVENT_PARAMS, answer=EventsAnswer, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/alerts", name="listAlerts", scope="read", by_unit=True, handler=list_alerts,
        summary="List alerts, newest first, page by page.",
        params=ALERT_PARAMS, answer=AlertPage, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/alerts/stream", name="streamAlerts", scope="read", by_unit=True,
        handler=stream_alerts,
        summary="Alerts as they come (server-sent events), resumable by Last-Event-ID.",
        params=(
            SEVERITY, CATEGORY, ROOM,
            count("after", "Resume behind this id; the header Last-Event-ID wins.", least=0, most=2**62),
            text("token", "The token, for EventSource, which cannot send headers."),
        ),
        media="text/event-stream", events=(HelloMessage, AlertMessage, LookMessage, ResetMessage),
        errors=(400, 429, 503), stream=True, token_in_query=True,
    ),
    Route(
        method="GET", path=f"{_API}/alerts/{{id}}", name="getAlert", scope="read", by_unit=True, handler=get_alert,
        summary="One alert with all its findings and the room's lines around it.",
        answer=Evidence, errors=(404, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/alerts/{{id}}/history", name="getAlertHistory", scope="read", by_unit=True,
        handler=get_history,
        summary="How far people are with an alert, and how it came there.",
        answer=History, errors=(404, 429, 503), timed=True,
    ),
    Route(
        method="POST", path=f"{_API}/misses", name="reportMiss", scope="review", by_unit=True, handler=post_miss,
        summary="Report what no rule found: words of a kept event become an alert, a label and a draft case.",
        body=Miss, answer=MissAnswer, errors=(400, 403, 404, 408, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/cases/draft", name="listDraftCases", scope="read", by_unit=True,
        handler=list_drafts,
        summary="Cases for rules, of misses that were reported and not found lawful; newest first.",
        params=DRAFT_PARAMS, answer=DraftPage, errors=(400, 503), timed=True,
    ),
    Route(
        method="POST", path=f"{_API}/alerts/{{id}}/look", name="lookAtAlert", scope="review", by_unit=True,
        handler=post_look, summary="Tell those who see the alert that one has it before oneself now.",
        media="", status=204, errors=(403, 404, 503), quiet=True,
    ),
    Route(
        method="POST", path=f"{_API}/alerts/{{id}}/hand", name="handAlert", scope="review", by_unit=True,
        permission=Permission.LINKS, handler=post_hand,
        summary="Hand a frozen, masked copy of an alert to another tenant, over a link on which both have agreed.",
        body=HandTo, answer=Handed, errors=(400, 403, 404, 408, 409, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/handed", name="listHanded", scope="review", handler=list_handed,
        permission=Permission.LINKS,
        summary="What other tenants have handed to this one, or this one to them; newest first.",
        params=HANDED_PARAMS, answer=HandedPage, errors=(400, 403, 503), timed=True,
    ),
    Route(
        method="POST", path=f"{_API}/handed/{{id}}/answer", name="answerHanded", scope="review", handler=post_answer,
        permission=Permission.LINKS,
        summary="Advice on what was handed over; the owning tenant decides.",
        body=AdviceGiven, answer=Handed, errors=(400, 403, 404, 408, 409, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/queue", name="getQueue", scope="read", by_unit=True, handler=get_queue,
        summary="What somebody has to decide, the most urgent first, a moment at a time.",
        params=QUEUE_PARAMS, answer=QueuePage, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="POST", path=f"{_API}/moves", name="moveAlerts", scope="review", by_unit=True, handler=post_moves,
        summary="Claim, release, hand over, escalate, decide, rectify, close, reopen, undo, note.",
        body=MovesBody, answer=MovesAnswer, errors=(400, 403, 404, 408, 409, 413, 415, 429, 503),
    ),
    *HOLDING,
    Route(
        method="POST", path=f"{_API}/records", name="editRecords", scope="organise", by_unit=True, handler=edit_records,
        summary="Several records made, replaced or taken away together: all of them or none.",
        body=EditsBody, answer=RecordsAnswer, errors=(400, 403, 404, 408, 409, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/records/{{kind}}", name="listRecords", scope="read", by_unit=True,
        handler=list_records,
        summary="Units, rooms, hosts, products, slots, posts, shifts, routes, reasons, silences, exceptions.",
        params=LIST_PARAMS, answer=RecordsAnswer, errors=(400, 404, 503),
    ),
    Route(
        method="GET", path=f"{_API}/records/{{kind}}/{{id}}", name="getRecord", scope="read", by_unit=True,
        handler=get_record,
        summary="One record.", answer=RecordAnswer, errors=(404, 503),
    ),
    Route(
        method="PUT", path=f"{_API}/records/{{kind}}/{{id}}", name="putRecord", scope="organise", by_unit=True,
        handler=put_record,
        summary="Make a record, or replace it as a whole.", params=VERSION_PARAMS,
        body=dict, answer=RecordsAnswer, errors=(400, 403, 404, 408, 409, 413, 415, 429, 503),
    ),
    Route(
        method="DELETE", path=f"{_API}/records/{{kind}}/{{id}}", name="deleteRecord", scope="organise", by_unit=True,
        handler=delete_record, summary="Take a record away.", params=VERSION_PARAMS,
        answer=RecordsAnswer, errors=(400, 403, 404, 409, 503),
    ),
    *LEDGER_ROUTES,
    Route(
        method="GET", path=f"{_API}/rooms", name="listRooms", scope="read", by_unit=True, handler=list_rooms,
        summary="The latest broadcast of each room that is live or was lately, page by page.",
        params=ROOM_PARAMS, answer=RoomPage, errors=(400, 429, 503), timed=True,
    ),
    *AIR_ROUTES,
    *CUE_ROUTES,
    Route(
        method="GET", path=f"{_API}/rooms/unknown", name="listUnknownRooms", scope="read", handler=list_unknown,
        summary="Rooms that sent events within the last day and have no record.",
        params=UNKNOWN_PARAMS, answer=UnknownRooms, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/plan", name="getPlan", scope="read", by_unit=True, handler=get_plan,
        summary="Tonight's plan against what is on air: due, silent, on air, ended, to come, unplanned.",
        params=PLAN_PARAMS, answer=PlanPage, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="POST", path=f"{_API}/plan", name="takePlan", scope="organise", permission=Permission.PLAN, by_unit=True,
        handler=post_plan, summary="Take the evening's plan from a table: all lines or, where one is faulty, none.",
        params=TABLE_PARAMS, body=PlanBody, file="text/csv", answer=PlanTaken,
        errors=(400, 403, 404, 408, 409, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/duty", name="getDuty", scope="read", by_unit=True, handler=get_duty,
        summary="Who is on each post now, what the shift before left, and who comes next.",
        answer=DutyAnswer, errors=(503,),
    ),
    *LEARNING,
    *RULE_ROUTES,
    Route(
        method="POST", path=f"{_API}/rules/reload", name="reloadRules", scope="admin", permission=Permission.OPERATE,
        handler=reload_rules,
        summary="Load the rules anew; where they have faults, the old ones stay in use.",
        answer=ReloadResult, errors=(400,),
    ),
    Route(
        method="GET", path=f"{_API}/openapi.json", name="getOpenapi", scope="read", anyone=True, handler=get_openapi,
        summary="This description (OpenAPI 3.1).", answer=dict,
    ),
    Route(
        method="GET", path=f"{_API}/docs", name="getDocs", scope="read", anyone=True, handler=get_api_page,
        summary="The same description for people: a page that needs nothing from elsewhere.", media="text/html",
    ),
    Route(
        method="GET", path="/metrics", name="getMetrics", scope="metrics", handler=metrics,
        summary="Metrics as Prometheus reads them.", media="text/plain", quiet=True,
    ),
    Route(
        method="GET", path="/healthz", name="getHealth", scope=None, handler=healthz,
        summary="200 while the process should be left alone, 503 where it should be restarted.",
        media="text/plain", errors=(503,), quiet=True,
    ),
    Route(
        method="GET", path="/readyz", name="getReadiness", scope=None, handler=readyz,
        summary="200 while requests should be sent here, else 503 with the reasons, one a line.",
        media="text/plain", errors=(503,), quiet=True,
    ),
    Route(
        method="GET", path="/", name="getConsole", scope=None, handler=get_console,
        summary="The console, which asks people to sign in by itself.", media="text/html", quiet=True,
    ),
    *PEOPLE,
)
