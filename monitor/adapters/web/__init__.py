"""HTTP: the JSON API, the WebSocket, the SSE stream, health, metrics and the live page. `docs/api.md` shows it."""

from monitor.adapters.web.app import build_app
from monitor.adapters.web.auth import new_token
from monitor.adapters.web.hub import SseHub
from monitor.adapters.web.services import Ingest, WebServices, WebSettings

__all__ = ["Ingest", "SseHub", "WebServices", "WebSettings", "build_app", "new_token"]
