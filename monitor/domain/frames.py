"""Frames: events that were accepted together, as columns; and the other entries of the log.

A frame is the unit of the log, the bus and the engine. Its columns serve the log (96 B an event before compression),
the engine's text buffer and the room's context alike, so that no event is ever an object on the hot path.
Numbers are packed little-endian arrays; strings that repeat are a list of distinct values and an index column.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Final, Literal, TypeVar, cast

import msgspec
from msgspec import Struct

from monitor.domain.events import (
    KINDS,
    ROLES,
    STAGES,
    Event,
    Kind,
    Role,
    Speaker,
    Stage,
    at_ms,
    lane_of,
    role_and_id,
)

MOST_EVENTS: Final = 65_535
"""Events that one frame can hold: its index columns are 16 bits wide."""

MOST_TEXT: Final = 2**18
"""Code points that are judged at once (a longer text alone, all the same): judging takes some 600 bytes for each."""

FORMAT: Final = 1
"""Version of the encoded entries; a reader that meets a newer one stops with a message."""

_KIND_CODE: Final = {kind: code for code, kind in enumerate(KINDS)}
_STAGE_CODE: Final = {stage: code for code, stage in enumerate(STAGES)}
_ROLE_CODE: Final = {role: code for code, role in enumerate(ROLES)}
_OWN_STAFF: Final = frozenset((Role.HOST, Role.ASSISTANT, Role.OFFICIAL))

Attributes = dict[str, str | int | float | bool | None]
T = TypeVar("T", bound=Hashable)
_Item = TypeVar("_Item")


class Utterance(Struct, frozen=True):
    """One event of a frame, resolved: what a finding, a context line or an archive row is made from."""

    tenant: str
    source: str
    id: str
    revision: int
    final: bool
    room: str
    broadcast: str
    kind: Kind
    stage: Stage
    role: Role
    speaker: str
    at: int
    offset_ms: int | None
    text: str
    confidence: float | None = None


class Frame(Struct, frozen=True, array_like=True, tag="f"):
    """Events of one tenant and lane. n = number of events; columns as noted.

    `sample`: 1 judges every event; k > 1 judges every k-th only (comments under overload; never the host side).
    `session`, `session_seq`: the WebSocket session and its last sequence number that this frame makes durable.
    """

    tenant: str
    lane: int
    accepted_at: int  # UTC ms
    text: str  # the n texts joined by "\n", as received
    lengths: bytes  # uint32[n], code points
    ids: list[str]
    sources: list[str]
    source_ix: bytes  # uint16[n], or empty where there is one source
    rooms: list[str]
    room_ix: bytes  # uint16[n], or empty where there is one room
    broadcasts: list[str]  # as sent; "" = none
    broadcast_ix: bytes  # uint16[n], or empty where there is one
    kinds: bytes  # uint8[n], index into KINDS
    stages: bytes  # uint8[n], index into STAGES
    roles: bytes  # uint8[n], index into ROLES
    speakers: list[str]  # distinct, pseudonymised
    speaker_ix: bytes  # uint16[n], or empty where there is one
    at: bytes  # int64[n], UTC ms
    offsets: bytes  # int32[n], ms since the broadcast's start, -1 = not given; or empty
    durations: bytes  # int32[n], ms, -1 = not given; or empty
    confidences: bytes  # float32[n], -1 = not given; or empty
    revisions: bytes  # int32[n]; empty = all 0, which is what a final result has that came without one
    interim: bytes  # uint8[n], 1 = interim; empty = all final
    attributes: dict[int, Attributes]
    sample: int = 1
    session: str = ""
    session_seq: int = 0
    followed: bool = False  # the next entry of the log holds the other lane's events of the same request

    def __len__(self) -> int:
        return len(self.ids)


class Tick(Struct, frozen=True, array_like=True, tag="t"):
    """Time passed and nothing came: `accepted_at` (UTC ms) moves the rooms' clocks."""

    accepted_at: int


class Mark(Struct, frozen=True, array_like=True, tag="m"):
    """A WebSocket session's sequence number becomes durable although its message held no new event."""

    accepted_at: int
    tenant: str
    session: str
    session_seq: int


class Swap(Struct, frozen=True, array_like=True, tag="s"):
    """From here on the engine set of this version judges (both lanes)."""

    accepted_at: int
    version: str


Entry = Frame | Tick | Swap | Mark

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[Entry]] = msgspec.msgpack.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    return _encoder.encode(entry)


def decode(data: bytes) -> Entry:
    """Raises msgspec.MsgspecError where `data` is not an encoded entry of this FORMAT."""
    return _decoder.decode(data)


def portions(
    items: Sequence[_Item], size: Callable[[_Item], int], *, most: int = MOST_TEXT, count: int = MOST_EVENTS
) -> Iterator[Sequence[_Item]]:
    """The items in order, cut where the next would make more than `most` (sum of sizes) or `count`; none is empty."""
    sizes = [size(item) for item in items]
    if items and len(items) <= count and sum(sizes) <= most:
        yield items
        return
    first = total = 0
    for i, own in enumerate(sizes):
        if i > first and (total + own > most or i - first >= count):
            yield items[first:i]
            first, total = i, 0
        total += own
    if first < len(items):
        yield items[first:]


def distinct(values: Sequence[T]) -> tuple[list[T], bytes]:
    """Distinct values in order of appearance, and the index column (uint16; empty where one value serves all)."""
    index = {value: i for i, value in enumerate(dict.fromkeys(values))}
    return list(index), array("H", [index[value] for value in values]).tobytes() if len(index) > 1 else b""


def pick(values: Sequence[T], column: bytes, i: int) -> T:
    return values[memoryview(column).cast("H")[i]] if column else values[0]


def number(column: bytes, code: Literal["i", "I", "q"], i: int, default: int) -> int:
    """Item i of a packed integer column (`code` as in `array`); `default` where the column is empty."""
    return int(memoryview(column).cast(code)[i]) if column else default


def starts(frame: Frame) -> "array[int]":
    """int64[n]: where each text begins in `frame.text`, code points."""
    begin = array("q", bytes(8 * len(frame)))
    position = 0
    for i, length in enumerate(memoryview(frame.lengths).cast("I")):
        begin[i] = position
        position += length + 1
    return begin


def utterances(frame: Frame, chosen: Iterable[int], broadcasts: Sequence[str]) -> Iterator[Utterance]:
    """The events of these indexes. `broadcasts[i]` is event i's, as admission resolved it."""
    one = bytes(2 * len(frame))
    source_ix, room_ix, speaker_ix = (
        memoryview(column or one).cast("H") for column in (frame.source_ix, frame.room_ix, frame.speaker_ix))
    lengths, at = memoryview(frame.lengths).cast("I"), memoryview(frame.at).cast("q")
    offsets, revisions = memoryview(frame.offsets).cast("i"), memoryview(frame.revisions).cast("i")
    confidences = memoryview(frame.confidences).cast("f")
    begin = starts(frame)
    for i in chosen:
        yield Utterance(
            tenant=frame.tenant,
            source=frame.sources[source_ix[i]],
            id=frame.ids[i],
            revision=revisions[i] if revisions else 0,
            final=not (frame.interim and frame.interim[i]),
            room=frame.rooms[room_ix[i]],
            broadcast=broadcasts[i],
            kind=KINDS[frame.kinds[i]],
            stage=STAGES[frame.stages[i]],
            role=ROLES[frame.roles[i]],
            speaker=frame.speakers[speaker_ix[i]],
            at=at[i],
            offset_ms=offsets[i] if offsets and offsets[i] >= 0 else None,
            text=frame.text[begin[i] : begin[i] + lengths[i]],
            confidence=round(confidences[i], 4) if confidences and confidences[i] >= 0 else None,
        )


def _optional(values: list[int | None]) -> bytes:
    """int32 column, -1 for None; empty where nothing is given."""
    if values.count(None) == len(values):
        return b""
    return array("i", [-1 if v is None else v for v in values]).tobytes()


def build(
    events: Sequence[Event],
    *,
    tenant: str,
    accepted_at: int,
    pseudonym: Callable[[str], str],
    revision_of: Callable[[Event], int],
    sample: int = 1,
    session: str = "",
    session_seq: int = 0,
) -> list[Frame]:
    """At most two frames, host side first, of at least one event each.

    `pseudonym` maps a speaker's raw id (guests, viewers, unknown: everybody but the tenant's own staff).
    `revision_of` numbers interim results. At most 65,535 events.
    """
    lanes: tuple[list[tuple[Event, Role, str]], list[tuple[Event, Role, str]]] = ([], [])
    for event in events:
        said_by = event.speaker
        role, speaker = (said_by.role, said_by.id) if type(said_by) is Speaker else role_and_id(event)
        if speaker and role not in _OWN_STAFF:
            speaker = pseudonym(speaker)
        lanes[lane_of(event.kind, role)].append((event, role, speaker))
    return [
        _columns(rows, lane=lane, tenant=tenant, accepted_at=accepted_at, revision_of=revision_of,
                 sample=sample if lane else 1, session=session, session_seq=session_seq,
                 followed=lane == 0 and bool(lanes[1]))
        for lane, rows in enumerate(lanes)
        if rows
    ]


def _columns(
    rows: list[tuple[Event, Role, str]],
    *,
    lane: int,
    tenant: str,
    accepted_at: int,
    revision_of: Callable[[Event], int],
    sample: int,
    session: str,
    session_seq: int,
    followed: bool,
) -> Frame:
    events = [row[0] for row in rows]
    texts = [e.text for e in events]
    sources, source_ix = distinct([e.source for e in events])
    rooms, room_ix = distinct([e.room for e in events])
    broadcasts, broadcast_ix = distinct([e.broadcast for e in events])
    speakers, speaker_ix = distinct([row[2] for row in rows])
    finals = [e.final for e in events]
    given = [e.revision for e in events]
    plain_final = False not in finals and given.count(None) == len(given)
    confident = [e.confidence for e in events]
    return Frame(
        tenant=tenant,
        lane=lane,
        accepted_at=accepted_at,
        text="\n".join(texts),
        lengths=array("I", map(len, texts)).tobytes(),
        ids=[e.id for e in events],
        sources=sources,
        source_ix=source_ix,
        rooms=rooms,
        room_ix=room_ix,
        broadcasts=broadcasts,
        broadcast_ix=broadcast_ix,
        kinds=bytes([_KIND_CODE[e.kind] for e in events]),
        stages=bytes([_STAGE_CODE[e.stage] for e in events]),
        roles=bytes([_ROLE_CODE[row[1]] for row in rows]),
        speakers=speakers,
        speaker_ix=speaker_ix,
        at=_times(events, accepted_at),
        offsets=_optional([e.offset_ms for e in events]),
        durations=_optional([e.duration_ms for e in events]),
        confidences=b"" if confident.count(None) == len(confident)
        else array("f", [-1.0 if c is None else c for c in confident]).tobytes(),
        revisions=b"" if plain_final else array("i", map(revision_of, events)).tobytes(),
        interim=b"" if False not in finals else bytes([not final for final in finals]),
        attributes={i: e.attributes for i, e in enumerate(events) if e.attributes},
        sample=sample,
        session=session,
        session_seq=session_seq,
        followed=followed,
    )


def _times(events: list[Event], accepted_at: int) -> bytes:
    """int64 column; an event without a time happened when it was accepted."""
    times = [e.at for e in events]
    if set(map(type, times)) == {int}:
        return array("q", cast("list[int]", times)).tobytes()
    return array("q", [accepted_at if (at := at_ms(e)) is None else at for e in events]).tobytes()
