"""What goes over the wire, beside the values of the domain and the ports that are sent as they are."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from monitor.domain.alerts import Alert
from monitor.domain.rejections import Rejected
from monitor.services.records import KeptEvent


class ErrorInfo(Struct, frozen=True):
    """`code` is stable for programs; `message` and `hint` are in the reader's language."""

    code: str
    message: str
    hint: str = ""
    details: dict[str, Any] = {}


class ErrorAnswer(Struct, frozen=True):
    error: ErrorInfo


class IngestAnswer(Struct, frozen=True):
    """What became of a body. `rejected` is cut after the first ones, `rejected_total` counts all."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]
    rejected_total: int


class EventsAnswer(Struct, frozen=True):
    """Newest first."""

    events: list[KeptEvent]


class AlertMessage(Struct, frozen=True):
    """Data of the SSE event `alert`. `what`: opened, grown or withdrawn."""

    what: str
    alert: Alert


class LookMessage(Struct, frozen=True):
    """Data of the SSE event `look`: `by` has the moment before them, for half a minute; never replayed."""

    alert: str
    moment: str
    post: str
    by: str


class HelloMessage(Struct, frozen=True):
    """Data of the SSE event `hello`, the first of each connection."""

    last: int
    resumed: bool


class ResetMessage(Struct, frozen=True):
    """Data of the SSE event `reset`: updates were missed for good, read GET /alerts again."""

    reason: str
    last: int


class HelloBody(Struct, frozen=True, forbid_unknown_fields=True):
    """`acked`: the highest number that this client has an ack for, where it resumes."""

    session: Annotated[str, Meta(min_length=1, max_length=128)]
    acked: Annotated[int, Meta(ge=0, lt=2**62)] = 0


class Hello(Struct, frozen=True, forbid_unknown_fields=True):
    hello: HelloBody


class Message(Struct, frozen=True, forbid_unknown_fields=True):
    """Events of a WebSocket message stay undecoded here: ingest reads them."""

    seq: Annotated[int, Meta(ge=1, lt=2**62)]
    events: msgspec.Raw


class WelcomeBody(Struct, frozen=True):
    session: str
    last: int


class Welcome(Struct, frozen=True):
    welcome: WelcomeBody


class Ack(Struct, frozen=True):
    """`already`: the message was durable before and was not read again."""

    ack: int
    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = []
    rejected_total: int = 0
    already: bool = False


class Busy(Struct, frozen=True):
    """Message `busy` was not taken: send again from `expected` on, after `retry_after` seconds."""

    busy: int
    retry_after: int
    expected: int
    reason: str


class Refused(Struct, frozen=True):
    """The message was not read; `expected` is the number that comes next."""

    error: ErrorInfo
    expected: int
