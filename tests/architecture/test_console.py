"""The console's copy of the API's description is the one that the service gives, so that its client fits."""

import json

from monitor.adapters.web.openapi import document
from monitor.adapters.web.routes import ROUTES
from monitor.adapters.web.services import WebSettings
from tests.architecture.test_repository import ROOT, text_of

COPY = "monitor/console/openapi.json"


def described() -> str:
    return json.dumps(document(ROUTES, WebSettings(), version="0"), ensure_ascii=False, indent=1) + "\n"


def test_the_client_is_made_from_this_api() -> None:
    assert text_of(COPY) == described(), f"python -m {__name__}, then: npm --prefix monitor/console run types"


if __name__ == "__main__":
    (ROOT / COPY).write_text(described(), encoding="utf-8")
