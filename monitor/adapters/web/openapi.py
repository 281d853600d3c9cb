"""The OpenAPI 3.1 document, generated from the route table and the types that are sent."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from monitor.adapters.web.auth import SESSION
from monitor.adapters.web.cookies import COOKIE
from monitor.adapters.web.handling import Route
from monitor.adapters.web.repeats import HEADER, LONGEST, REPLAYED
from monitor.adapters.web.services import WebSettings
from monitor.adapters.web.types import ErrorAnswer

DOCUMENT: Final = web.AppKey("openapi", bytes)
_OF_ERRORS: Final = (
    ("Retry-After", "With 429 and 503, and some of 409: after how many seconds to ask again."),
    ("WWW-Authenticate", "With 401."),
)
_REF: Final = "#/components/schemas/{name}"
_PATH_PARAM: Final = re.compile(r"\{(\w+)\}")


async def get_openapi(request: web.Request) -> web.Response:
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


def document(routes: Sequence[Route], settings: WebSettings, *, version: str) -> dict[str, Any]:
    """`version` is the package's."""
    sent = [kind for route in routes for kind in (route.answer, route.item, route.body) if kind not in (None, dict)]
    types = list(dict.fromkeys([ErrorAnswer, *(kind for route in routes for kind in route.events), *sent]))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type, settings)
    return {
        "openapi": "3.1.0",
        "info": {"title": "redpost", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                 "description": "Livestream content-compliance monitor. Times are UTC milliseconds."},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "rp_…; not needed on loopback"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "a session, from POST "
                           "/api/v1/session; every change needs its header X-CSRF-Token as well"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
            "responses": {"Error": {"description": "What is wrong, and what to do.",
                                    "headers": _headers(*_OF_ERRORS), "content": _json(by_type[ErrorAnswer])}},
        },
    }


def _operation(route: Route, by_type: dict[Any, Any], settings: WebSettings) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name, "summary": route.summary, "responses": _responses(route, by_type),
        "security": _security(route),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAM.findall(route.path)
    ] + [
        {"name": param.name, "in": "query", "required": False, "description": param.about, "schema": param.schema}
        for param in route.params if param.name != "token"
    ]
    if route.events:
        parameters.append({"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}})
    if route.once:
        about = "The same key with the same request within a day gets the same answer, and nothing is done twice."
        parameters.append({"name": HEADER, "in": "header", "required": False, "description": about,
                           "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST}})
    if parameters:
        operation["parameters"] = parameters
    if route.item is not None:
        operation["requestBody"] = _items_body(by_type[route.item], settings)
    if route.body is not None:
        schema = {"type": "object"} if route.body is dict else by_type[route.body]
        files: dict[str, Any] = {media: {"schema": {}} for media in route.file.split(", ") if media}
        operation["requestBody"] = {"required": True, "content": {**_json(schema), **files}}
    return operation


def _security(route: Route) -> list[dict[str, list[str]]]:
    """The scope is named as a role, which OpenAPI 3.1 allows for every scheme."""
    if route.scope is None:
        return []
    if route.scope == SESSION:
        return [{"cookie": [route.scope]}]
    people: list[dict[str, list[str]]] = []
    if route.needs or route.anyone:
        people = [{"cookie": [str(route.needs)] if route.needs and not route.anyone else []}]
    return [{"bearer": [route.scope]}, *people, *([{"query": [route.scope]}] if route.token_in_query else [])]


def _items_body(item: dict[str, Any], settings: WebSettings) -> dict[str, Any]:
    limits = settings.limits
    about = (
        f"At most {limits.batch} items, texts of {limits.text} characters, {settings.max_body_bytes} bytes as sent and "
        f"{settings.max_decompressed_bytes} after decompression. Content-Encoding: gzip, zstd or none."
    )
    return {
        "required": True, "description": about,
        "content": {
            "application/json": {"schema": {"type": "array", "items": item}},
            "application/x-ndjson": {"schema": item},
        },
    }


def _responses(route: Route, by_type: dict[Any, Any]) -> dict[str, Any]:
    error = {"$ref": "#/components/responses/Error"}
    responses: dict[str, Any] = {}
    if not route.media:
        about = "The connection is a WebSocket now; docs/api.md has its messages." if route.status == 200 else "Done."
        responses["101" if route.status == 200 else str(route.status)] = {"description": about}
    else:
        good = HTTPStatus(route.status)
        responses[str(good.value)] = {"description": good.phrase, "content": _content(route, by_type)}
        if route.once:
            responses[str(good.value)]["headers"] = _headers((REPLAYED, "true where the answer was given before."))
    plain = {"description": "Not so; the text says why.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    asked = () if route.scope is None else (400, 401, 403, 500)
    for status in sorted({*route.errors, *asked, *((400, 409, 422, 503) if route.once else ())}):
        responses[str(status)] = plain if route.media == "text/plain" and route.scope is None else error
    return responses


def _content(route: Route, by_type: dict[Any, Any]) -> dict[str, Any]:
    if route.answer is dict:
        return _json({"type": "object"})
    if route.answer is not None:
        return _json(by_type[route.answer])
    if route.events:
        about = "Events; their data is one of these."
        return {route.media: {"schema": {"description": about, "oneOf": [by_type[kind] for kind in route.events]}}}
    return {media: {"schema": {"type": "string"}} for media in route.media.split(", ")}


def _headers(*told: tuple[str, str]) -> dict[str, Any]:
    """(name, meaning) of each."""
    return {name: {"description": about, "required": False, "schema": {"type": "string"}} for name, about in told}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
