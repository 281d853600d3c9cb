"""What every source takes and gives."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from monitor.domain.decoding import Limits
from monitor.domain.errors import InputError
from monitor.domain.events import EARLIEST, Event, Kind, Role
from monitor.domain.rejections import Rejected

BATCH: Final = 1024
"""The most items (events and rejections) in one batch."""

HEAD: Final = 65_536
"""How many bytes of the text a source sees to recognise its format."""

CHUNK: Final = 65_536
"""How many bytes are read at once."""


class SourceOptions(Struct, frozen=True, kw_only=True):
    """What the caller knows and the file does not say.

    `room`, `broadcast`, `source` fill what the file leaves open; `kind` replaces what the format implies (never a
    signal's). `role` and `speaker` (an id) stand for a speaker whom the file does not name. `started_at` (UTC ms) turns
    relative times into absolute ones; `utc_offset` (minutes) says what a time without an offset means, which is refused
    otherwise. `now_ms` (UTC) judges future times. `encoding` overrides what the bytes look like.
    """

    now_ms: int
    source: str = "default"
    room: str = ""
    broadcast: str = ""
    kind: Kind | None = None
    role: Role | None = None
    speaker: str = ""
    started_at: int | None = None
    utc_offset: int | None = None
    encoding: str | None = None
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        for name in ("source", "room", "broadcast", "speaker"):
            if len(getattr(self, name)) > 256:
                raise InputError(f"the {name} has more than 256 characters", hint="give a shorter one")
        if not self.source:
            raise InputError("the source has no name", hint="leave it out, or give a name")
        if self.kind is Kind.SIGNAL:
            raise InputError("a whole file cannot be signals", hint="leave the kind out; signals are recognised")
        if self.started_at is not None and self.started_at < EARLIEST:
            raise InputError("the start of the broadcast lies before 2001-09-09", hint="give UTC milliseconds")


class Batch(Struct, frozen=True):
    """`lines[i]` is the line (or item of an array) of `events[i]`. `warnings` concern the file as a whole."""

    events: list[Event]
    lines: Sequence[int]
    rejected: list[Rejected]
    warnings: tuple[str, ...] = ()


class ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Source(Protocol):
    """A format. `LEGACY`: files in GB18030 are usual, so bytes that are not UTF-8 are tried as that."""

    @property
    def NAME(self) -> str: ...

    @property
    def LEGACY(self) -> bool: ...

    def sniff(self, head: bytes, /) -> bool: ...

    def read(self, stream: ByteStream, options: SourceOptions, /) -> Iterator[Batch]: ...


def cut_off(line: int) -> Rejected:
    return Rejected(
        line, "", "the file ends in the middle of an item",
        "the recorder was stopped or still writes; read the file again when it is complete",
    )


def not_text(line: int, hint: str = "save the file as UTF-8, or name its encoding (--encoding)") -> Rejected:
    return Rejected(line, "", "the bytes are not valid UTF-8", hint)


def without_mark(head: bytes) -> bytes:
    """The head of a file without its byte order mark and leading white space."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()
