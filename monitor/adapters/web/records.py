"""What a tenant keeps of itself: units, rooms, hosts, products, the plan, posts, shifts, routes, reasons, silences."""

import re
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from monitor.adapters.web.auth import PRINCIPAL
from monitor.adapters.web.errors import Problem, json_answer
from monitor.adapters.web.handling import QUERY
from monitor.adapters.web.ingest import received_json
from monitor.adapters.web.params import Param, count, text
from monitor.adapters.web.services import SERVICES
from monitor.adapters.web.validating import validation
from monitor.domain.errors import InputError
from monitor.domain.kinds import KINDS
from monitor.domain.phrases import phrase
from monitor.domain.record import Record
from monitor.services.recordings import Edit, Stored

VERSION_PARAMS: Final[tuple[Param, ...]] = (
    count("version", "The version that you have seen; 0: it is not to be there yet.", least=0, most=2**53),
)
LIST_PARAMS: Final[tuple[Param, ...]] = (
    count("limit", "How many records a page holds.", most=1_000, default=1_000),
    text("cursor", "`next` of the page before."),
)
_LONGEST: Final = 128
_AT: Final = re.compile(r" - at `\$\.?([^`]*)`")
_LACKING: Final = re.compile(r"(?:missing required|unknown) field `([^`]+)`")


class RecordAnswer(Struct, frozen=True, kw_only=True):
    """A record as it stands; `version` 0: it is shipped, and nobody has changed it. `at`: UTC ms."""

    kind: str
    id: str
    version: int
    record: Any
    at: int
    by: str


class RecordsAnswer(Struct, frozen=True):
    """By id. `next` is the cursor of the following page of a list, None at its end."""

    records: list[RecordAnswer]
    next: str | None = None


class EditBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`record` null takes it away; `version`: the one that the editor has seen."""

    kind: str
    id: Annotated[str, Meta(min_length=1, max_length=_LONGEST)]
    record: Any
    version: Annotated[int, Meta(ge=0, lt=2**53)] | None = None


class EditsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """All of them or, where one is refused, none."""

    edits: Annotated[list[EditBody], Meta(min_length=1, max_length=10_000)]


async def list_records(request: web.Request) -> web.Response:
    query = request[QUERY]
    found, after = await request.app[SERVICES].organising.page(
        request[PRINCIPAL].actor, request.match_info["kind"], after=query["cursor"] or "", limit=query["limit"])
    return json_answer(RecordsAnswer([_shown(stored) for stored in found], after))


async def get_record(request: web.Request) -> web.Response:
    info = request.match_info
    organising = request.app[SERVICES].organising
    return json_answer(_shown(await organising.one(request[PRINCIPAL].actor, info["kind"], info["id"])))


async def put_record(request: web.Request) -> web.Response:
    """Made, or replaced as a whole."""
    kind, name = request.match_info["kind"], request.match_info["id"]
    if len(name) > _LONGEST:
        raise Problem(400, "bad_parameter", phrase("an id has at most {most} characters", most=_LONGEST),
                      hint="take a shorter one")
    body = await received_json(request, dict[str, Any])
    edit = Edit(kind=kind, id=name, record=_record(kind, name, body), expected=request[QUERY]["version"])
    return await _edited(request, [edit])


async def delete_record(request: web.Request) -> web.Response:
    kind, name = request.match_info["kind"], request.match_info["id"]
    return await _edited(request, [Edit(kind=kind, id=name, record=None, expected=request[QUERY]["version"])])


async def edit_records(request: web.Request) -> web.Response:
    body = await received_json(request, EditsBody)
    return await _edited(request, [
        Edit(kind=edit.kind, id=edit.id, expected=edit.version,
             record=None if edit.record is None else _record(edit.kind, edit.id, edit.record))
        for edit in body.edits])


async def _edited(request: web.Request, edits: list[Edit]) -> web.Response:
    done = await request.app[SERVICES].organising.edit(request[PRINCIPAL].actor, edits)
    return json_answer(RecordsAnswer([_shown(stored) for stored in done]))


def _record(kind: str, name: str, body: Any) -> Record | None:
    """Raises InputError where it is no such record. A kind that does not exist is refused by the service."""
    if kind not in KINDS:
        return None
    try:
        return msgspec.convert(body, KINDS[kind], strict=True)
    except msgspec.ValidationError as error:
        raise Problem(400, InputError.code,
                      phrase("{kind} {name}: {error}", kind=phrase(kind), name=name[:80], error=validation(error)),
                      hint="docs/post.md has every key",
                      details={"field": _place(str(error))}) from None


def _place(error: str) -> str:
    """Where in the record it is wrong, as `papers[...].number`; what is missing or unknown is named, too."""
    return ".".join(found.group(1) for found in (_AT.search(error), _LACKING.search(error)) if found is not None)


def _shown(stored: Stored) -> RecordAnswer:
    record = None if stored.record is None else msgspec.to_builtins(stored.record)
    return RecordAnswer(kind=stored.kind, id=stored.id, version=stored.version, record=record, at=stored.at,
                        by=stored.by)
