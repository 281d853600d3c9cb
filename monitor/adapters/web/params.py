"""Query parameters: read, checked and described in one place."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from monitor.adapters.web.errors import Problem
from monitor.domain.phrases import phrase

_Time = Annotated[datetime, Meta(tz=True)]
_LATEST: Final = 253_402_300_799_999  # the end of the year 9999, UTC ms
_LOST_PLUS: Final = re.compile(r" (\d\d:\d\d)$")


@dataclass(frozen=True, slots=True)
class Param:
    """`read` raises ValueError saying what is wanted; `schema` is its JSON Schema."""

    name: str
    about: str
    read: Callable[[str], Any]
    schema: dict[str, Any]
    default: Any = None


def text(name: str, about: str, *, longest: int = 256) -> Param:
    """Any non-empty text of at most `longest` code points."""

    def read(value: str) -> str:
        if not 0 < len(value) <= longest:
            raise ValueError(phrase("send 1 to {most} characters", most=longest))
        return value

    return Param(name, about, read, {"type": "string", "minLength": 1, "maxLength": longest})


def choice(name: str, about: str, values: Iterable[str]) -> Param:
    """One of a closed set."""
    words = [str(value) for value in values]

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(phrase("one of {names}", names=", ".join(words)))
        return value

    return Param(name, about, read, {"type": "string", "enum": words})


def count(name: str, about: str, *, most: int, least: int = 1, default: int | None = None) -> Param:
    """A whole number from `least` to `most`."""

    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 20 and least <= int(value) <= most):
            raise ValueError(phrase("send a whole number from {least} to {most}", least=least, most=most))
        return int(value)

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Param(name, about, read, schema if default is None else {**schema, "default": default}, default)


def flag(name: str, about: str) -> Param:
    """true or false."""

    def read(value: str) -> bool:
        if value not in ("true", "false"):
            raise ValueError("true or false")
        return value == "true"

    return Param(name, about, read, {"type": "boolean"})


def day(name: str, about: str) -> Param:
    """A day, as 2026-11-27."""

    def read(value: str) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("write it as 2026-11-27") from None

    return Param(name, about, read, {"type": "string", "format": "date"})


def time(name: str, about: str) -> Param:
    """RFC 3339 with an offset, or UTC ms; read as UTC ms."""
    schema = {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": 0}]}
    return Param(name, f"{about} RFC 3339 with an offset, or UTC milliseconds.", read_time, schema)


def read_time(value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) < 16 and int(value) <= _LATEST:
        return int(value)
    try:  # a plus sign that nobody escaped arrives as a space
        found: datetime = msgspec.convert(_LOST_PLUS.sub(r"+\1", value), _Time)
        return round(found.timestamp() * 1000)
    except (msgspec.ValidationError, OverflowError):
        raise ValueError("send RFC 3339 with an offset (2026-11-23T20:00:00%2B08:00) or UTC milliseconds") from None


def read_query(request: web.Request, params: tuple[Param, ...]) -> dict[str, Any]:
    """The values by name, with defaults. Raises Problem for an unknown, repeated or wrong one."""
    values = {param.name: param.default for param in params}
    if not request.query_string:
        return values
    query = request.query
    known = {param.name: param for param in params}
    for name in query:
        if name not in known:
            hint = phrase("use {names}", names=", ".join(known)) if known else "this path takes none"
            raise _problem(name, phrase("unknown parameter {name}", name=repr(name[:40])), hint)
        if len(query.getall(name)) > 1:
            raise _problem(name, phrase("the parameter {name} is given twice", name=repr(name)), "send it once")
        try:
            values[name] = known[name].read(query[name])
        except ValueError as error:
            raise _problem(name, phrase("the parameter {name} cannot be read", name=repr(name)),
                           error.args[0]) from None
    return values


def _problem(name: str, message: str, hint: str) -> Problem:
    return Problem(400, "bad_parameter", message, hint=hint, details={"parameter": name[:40]})
