"""Events that know no date, only a place in a recording."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from monitor.domain.events import Event

RELATIVE: Final = 10_000_000_000
"""A time below it (ms; April 1970) counts from a start."""


def today(zone: ZoneInfo, now: int) -> int:
    """The begin of the day, in UTC ms: the same all day, so that the same file gives the same times."""
    day = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return round(day.timestamp() * 1000)


def dated(events: Sequence[Event], day: int) -> Sequence[Event]:
    """The events, those without a date as if their recording began with `day` (UTC ms).

    A rule holds from a date on: without one, nothing would be found.
    """
    if any(event.at is None or (type(event.at) is int and event.at < RELATIVE) for event in events):
        return [_dated(event, day) for event in events]
    return events


def _dated(event: Event, day: int) -> Event:
    at, offset = event.at, event.offset_ms
    if at is None:
        return replace(event, at=day + (offset or 0))
    if isinstance(at, int) and at < RELATIVE:
        return replace(event, at=day + at, offset_ms=at if offset is None and at < 2**31 else offset)
    return event
