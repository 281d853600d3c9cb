"""Every route against what the OpenAPI document says of it, with requests that schemathesis makes up."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from monitor.adapters.web.handling import Route
from monitor.adapters.web.openapi import document
from monitor.adapters.web.routes import ROUTES
from monitor.adapters.web.services import WebSettings
from tests.functional.fakes import furnish, serving

schemathesis = pytest.importorskip("schemathesis")
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance  # noqa: E402

EXAMPLES = 8
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
NOT_ASKED = [positive_data_acceptance, negative_data_rejection]
"""What a schema cannot say (a time that is not of this year, a kind that does not exist) is refused as well; a query
string is text, whatever was put into it."""
FINITE = [route for route in ROUTES if route.media and not route.events]
SCHEMA = schemathesis.openapi.from_dict(document(ROUTES, WebSettings(), version="0"))


@contextmanager
def running() -> Iterator[tuple[str, dict[str, str]]]:
    """The application in a thread of its own: its address, and the header of a token that may everything."""
    ready, stop, found = threading.Event(), asyncio.Event(), []

    async def serve() -> None:
        async with serving(loopback=False) as api:
            await furnish(api, "local")
            found.extend((f"http://127.0.0.1:{api.port}", api.token("admin"), asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield found[0], found[1]
    finally:
        found[2].call_soon_threadsafe(stop.set)
        thread.join(10)


@pytest.fixture(scope="module")
def running_api() -> Iterator[tuple[str, dict[str, str]]]:
    with running() as found:
        yield found


@pytest.mark.parametrize("route", FINITE, ids=[route.name for route in FINITE])
def test_a_route_does_as_the_document_says(route: Route, running_api: tuple[str, dict[str, str]]) -> None:
    address, token = running_api
    operation = SCHEMA[route.path][route.method]
    strategy = operation.as_strategy(generation_mode=MODES[0]) | operation.as_strategy(generation_mode=MODES[1])

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(case=strategy)
    def check(case: Any) -> None:
        case.call_and_validate(base_url=address, timeout=10, headers=token, excluded_checks=NOT_ASKED)

    check()
