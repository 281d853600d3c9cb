"""The routes of what is kept and counted: script checks, exports, ledgers, figures."""

from typing import Final

from monitor.adapters.sheets import FORMS
from monitor.adapters.web.checks import (
    CHECK_PARAMS,
    CHECKS_PARAMS,
    VERSION_PARAMS,
    CheckBody,
    ShownCheck,
    get_check,
    list_checks,
    post_check,
)
from monitor.adapters.web.exports import EXPORTS, get_export
from monitor.adapters.web.figures import FIGURE_PARAMS, get_figures
from monitor.adapters.web.handling import Route
from monitor.adapters.web.media import MEDIA_PARAMS, PART_PARAMS, get_media, get_part
from monitor.domain.people import Permission
from monitor.services.checking import CheckPage
from monitor.services.figures import FiguresAnswer

_API: Final = "/api/v1"


def _export(name: str, summary: str, *, path: str = "", permission: Permission = Permission.SEE, whole: bool = False
            ) -> Route:
    """`whole`: it has no units, so who asks needs the permission in the whole tenant."""
    return Route(
        method="GET", path=f"{_API}/exports/{name}{path}", name=f"export{name.capitalize()}", scope="read",
        handler=get_export, summary=summary, params=EXPORTS[name], media=", ".join(FORMS.values()),
        errors=(400, 403, 404, 429, 503), stream=True,
        permission=permission, by_unit=not whole,
    )


LEDGER_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        method="POST", path=f"{_API}/checks", name="checkScript", scope="organise", handler=post_check,
        permission=Permission.PLAN, by_unit=True,
        summary="Hold a script against the rules before air; kept with its version, author and time.",
        params=CHECK_PARAMS, body=CheckBody, file="text/plain, application/octet-stream", answer=ShownCheck,
        errors=(400, 403, 408, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/checks", name="listChecks", scope="read", handler=list_checks, by_unit=True,
        summary="Script checks, newest first, page by page, without their lines.",
        params=CHECKS_PARAMS, answer=CheckPage, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/checks/{{id}}", name="getCheck", scope="read", handler=get_check, by_unit=True,
        summary="One script check with all its lines.",
        params=VERSION_PARAMS, answer=ShownCheck, errors=(400, 404, 429, 503), timed=True,
    ),
    Route(
        method="GET", path=f"{_API}/rooms/{{room}}/media", name="getMedia", scope="read", handler=get_media,
        by_unit=True,
        summary="A room's recording or live audio, from the address that its record names; takes Range.",
        params=MEDIA_PARAMS, media="application/octet-stream", errors=(400, 404, 429, 502, 503), stream=True,
    ),
    Route(
        method="GET", path=f"{_API}/rooms/{{room}}/media/part", name="getMediaPart", scope="read", handler=get_part,
        by_unit=True, summary="A part of a room's playlist, under the address that the playlist gave; takes Range.",
        params=PART_PARAMS, media="application/octet-stream", errors=(400, 404, 429, 502, 503), stream=True,
    ),
    Route(
        method="GET", path=f"{_API}/figures", name="getFigures", scope="read", handler=get_figures, by_unit=True,
        summary="How many alerts came, how long they waited, what became of them; whether rules and model are well.",
        params=FIGURE_PARAMS, answer=FiguresAnswer, errors=(400, 503), timed=True,
    ),
    _export("alerts", "All alerts under a filter as a file for a spreadsheet."),
    _export("queue", "What somebody has to decide, as a file."),
    _export("labels", "Labels as a file. Contact data is masked.", whole=True),
    _export("audit", "Who changed what, as a file.", permission=Permission.AUDIT, whole=True),
    _export("records", "Records of a kind as a file.", path="/{kind}"),
    _export("corrections", "The ledger of corrections (纠错台账): what hosts said that was found to be a violation.",
            permission=Permission.AUDIT),
    _export("comments", "The ledger of handled comments (互动处置台账).", permission=Permission.AUDIT),
)
