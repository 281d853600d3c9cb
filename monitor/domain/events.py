"""Events: one piece of text with a time, as it is sent. The decoder is in `decoding`."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct


class Kind(StrEnum):
    """What the text is. A `signal` carries its name (`SIGNALS`) as text and is not judged."""

    TRANSCRIPT = "transcript"
    COMMENT = "comment"
    CAPTION = "caption"
    PRODUCT = "product"
    SCRIPT = "script"
    SIGNAL = "signal"


class Stage(StrEnum):
    ONBOARDING = "onboarding"
    PREAIR = "preair"
    LIVE = "live"
    CLIP = "clip"


class Role(StrEnum):
    """Who speaks. Host, assistant and official speech is judged as advertising; a viewer's opinion is not."""

    HOST = "host"
    ASSISTANT = "assistant"
    OFFICIAL = "official"
    GUEST = "guest"
    VIEWER = "viewer"
    UNKNOWN = "unknown"


HOST_SIDE: Final = 0
VIEWERS: Final = 1

KINDS: Final = tuple(Kind)
STAGES: Final = tuple(Stage)
ROLES: Final = tuple(Role)

SIGNALS: Final = frozenset((
    "broadcast_started", "broadcast_ended", "heartbeat", "product_explained", "product_removed", "link_pinned",
    "pk_started", "pk_ended", "lottery_started", "lottery_ended", "gift", "digital_human_on", "digital_human_off",
))

_ROLE_WORDS: Final = {r.value: r for r in (Role.HOST, Role.ASSISTANT, Role.OFFICIAL, Role.GUEST)}
_DEFAULT_ROLE: Final = {
    Kind.TRANSCRIPT: Role.HOST,
    Kind.SCRIPT: Role.HOST,
    Kind.CAPTION: Role.OFFICIAL,
    Kind.PRODUCT: Role.OFFICIAL,
    Kind.SIGNAL: Role.OFFICIAL,
    Kind.COMMENT: Role.UNKNOWN,
}

MOST_ATTRIBUTES: Final = 64

EARLIEST: Final = 1_000_000_000_000
"""UTC ms of 2001-09-09. What lies before is a time in seconds, or of a clock that was never set; and no rule was in
force then."""

RELATIVE: Final = 360_000_000
"""100 hours, ms. In a recording a time below it counts from the start of the recording."""

Name = Annotated[str, Meta(min_length=1, max_length=256)]
OptionalName = Annotated[str, Meta(max_length=256)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Plain = Annotated[str, Meta(max_length=2_000)] | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float | bool | None
Attributes = dict[OptionalName, Plain]


class Speaker(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    role: Role
    id: OptionalName = ""


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """One event as sent. `at` is RFC 3339 with an offset, or UTC ms; `offset_ms` counts from the broadcast's start.

    A plain string as `speaker` is a role if it is host, assistant, official or guest, and a viewer's id otherwise.
    """

    id: Name
    kind: Kind
    text: str
    source: Name = "default"
    room: OptionalName = ""
    broadcast: OptionalName = ""
    stage: Stage = Stage.LIVE
    at: Annotated[datetime, Meta(tz=True)] | Annotated[int, Meta(ge=0)] | None = None
    offset_ms: Milliseconds | None = None
    duration_ms: Milliseconds | None = None
    speaker: OptionalName | Speaker | None = None
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    final: bool = True
    revision: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    attributes: Annotated[Attributes, Meta(max_length=MOST_ATTRIBUTES)] = {}


def role_and_id(event: Event) -> tuple[Role, str]:
    """The speaker's role and (raw) id; a missing speaker follows from the kind."""
    speaker = event.speaker
    if isinstance(speaker, Speaker):
        return speaker.role, speaker.id
    if not speaker:
        return _DEFAULT_ROLE[event.kind], ""
    role = _ROLE_WORDS.get(speaker)
    return (role, "") if role is not None else (Role.VIEWER, speaker)


def lane_of(kind: Kind, role: Role) -> int:
    """`VIEWERS` for a comment of a viewer or an unknown speaker, `HOST_SIDE` for all else."""
    return VIEWERS if kind is Kind.COMMENT and (role is Role.VIEWER or role is Role.UNKNOWN) else HOST_SIDE


def at_ms(event: Event) -> int | None:
    """The event's time in UTC ms, or None where it has none."""
    at = event.at
    return at if at is None or isinstance(at, int) else round(at.timestamp() * 1000)
