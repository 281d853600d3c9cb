"""What was said over several events: recognisers cut sentences anywhere, and viewers split words over messages.

Consecutive final segments of one speaker, and consecutive short comments of one viewer, are read together once more:
the last that was said, and the beginning of the next. Only what none of them holds by itself counts. Contact data over
several is masked in all of them, in the earlier ones from then on: what was found in these by themselves was told.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.events import KINDS, ROLES, Kind, Role
from monitor.domain.findings import Finding, Span
from monitor.domain.frames import Frame
from monitor.domain.ids import event_key, finding_id, window_subject
from monitor.domain.masking import mask_text
from monitor.engine.batch import FrameBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Judged, Match
from monitor.engine.patterns import ContactSpan
from monitor.engine.pipeline import judge
from monitor.engine.views import Index, without_breaks
from monitor.services.records import Mask

REACH: Final = 40
"""Code points of what was said last, and of what comes, that are read together."""
SHORT: Final = 12
"""Code points of a comment that may be a part of something."""
GAP_MS: Final = 5_000
"""From the end of one, where its duration is known, to the beginning of the next."""
_SPEAKERS: Final = 20_000
_TRANSCRIPT: Final = KINDS.index(Kind.TRANSCRIPT)
_COMMENT: Final = KINDS.index(Kind.COMMENT)
_UNKNOWN: Final = ROLES.index(Role.UNKNOWN)

Spans = Sequence[tuple[int, int]]


class Piece(Struct):
    """A part of what a speaker said: the end of an event. `cut`: code points before `text`; `rules`: those that held by
    then; `masks`: contact data, in code points of the event; `seq`, `place`: its frame in the log, and where in it."""

    source: str
    id: str
    revision: int
    text: str
    cut: int
    rules: list[str]
    masks: list[tuple[int, int]]
    seq: int = 0
    place: int = 0

    def last(self, size: int) -> "Piece":
        """Its last `size` code points, at most. What is learnt of the event later is known of both."""
        more = max(0, len(self.text) - size)
        return Piece(self.source, self.id, self.revision, self.text[more:], self.cut + more, self.rules, self.masks,
                     self.seq, self.place)

    def shown(self) -> str:
        return mask_text(self.text, [(max(0, start - self.cut), end - self.cut) for start, end in self.masks])


class Tail(Struct, frozen=True):
    """The last that a speaker said, piece by piece, `REACH` code points at most. `at`, `ends`: of the last piece."""

    pieces: list[Piece] = []
    at: int = 0
    ends: int = 0


class Straddle(NamedTuple):
    """A rule that holds over these pieces and a later event. `spans` of the earlier ones name theirs."""

    pieces: list[Piece]
    match: Match
    spans: list[Span]


class Joined(NamedTuple):
    """What events hold together with those before: of each later event of the batch, the rules that hold, and contact
    data that it completes: the part that stands in it, and those in earlier ones, by their frame's place in the log."""

    straddles: dict[int, list[Straddle]]
    contacts: list[ContactSpan]
    late: dict[int, list[Mask]]


class _Joint(NamedTuple):
    event: int  # of the batch: the later one
    pieces: list[Piece]
    own: Piece
    head: str

    @property
    def border(self) -> int:
        """Where the later event begins."""
        return sum(len(piece.text) for piece in self.pieces)

    def shares(self, start: int, end: int) -> Iterator[tuple[Piece, int, int]]:
        """What [start, end) of all covers of each, in code points of its text."""
        begin = 0
        for piece in (*self.pieces, self.own):
            border = begin + len(self.head if piece is self.own else piece.text)
            a, b = max(start, begin) - begin, min(end, border) - begin
            if a < b:
                yield piece, a, b
            begin = border


class _JointBatch:
    """What is read together, with the later event's kind, speaker, room and time."""

    def __init__(self, joints: Sequence[_Joint], batch: FrameBatch) -> None:
        self._joints, self._batch = joints, batch
        self._events: Index = np.array([joint.event for joint in joints], dtype=np.int64)
        texts = [without_breaks("".join([*(piece.text for piece in j.pieces), j.head])) for j in joints]
        self.text = "\n".join(texts)
        sizes = [len(text) + 1 for text in texts]
        self.starts: Index = np.cumsum([0, *sizes[:-1]], dtype=np.int64)

    def code(self, i: int) -> int:
        return self._batch.code(self._joints[i].event)

    def codes(self, events: Index) -> Index:
        return self._batch.codes(self._events[events])

    def at(self, i: int) -> int:
        return self._batch.at(self._joints[i].event)

    def room(self, i: int) -> tuple[str, str]:
        return self._batch.room(self._joints[i].event)

    def of_rooms(self, known: Mapping[tuple[str, str], int]) -> Index:
        return self._batch.of_rooms(known)[self._events]

    def age(self, i: int) -> int | None:
        return self._batch.age(self._joints[i].event)

    def tenants(self) -> list[tuple[str, int]]:
        return [(self.room(i)[0], 1) for i in range(len(self._joints))]


class Straddling:
    """Remembers how each speaker's last event ended; a bounded number of speakers."""

    def __init__(self, tails: Mapping[str, Tail]) -> None:
        self._tails: OrderedDict[str, Tail] = OrderedDict(tails)

    def tails(self) -> dict[str, Tail]:
        return dict(self._tails)

    def judge(
        self, engine: EngineSet, batch: FrameBatch, seqs: Sequence[int], by_itself: Judged, skip: frozenset[int]
    ) -> Joined:
        """`seqs`: the frames' places in the log; `by_itself`: what the batch gave; events in `skip` are passed over."""
        alone: dict[int, list[str]] = {}
        for match in (*by_itself.matches, *by_itself.shadows):
            alone.setdefault(match.event, []).append(match.rule.rule.id)
        masks: dict[int, list[tuple[int, int]]] = {}
        for contact in by_itself.contacts:
            if contact.masked:
                masks.setdefault(contact.event, []).append((contact.start, contact.end))
        joints: list[_Joint] = []
        for k, frame in enumerate(batch.frames):
            self._pair(frame, seqs[k], batch.first[k], batch, alone, masks, skip, joints)
        if not joints:
            return Joined({}, [], {})
        judged = judge(engine, _JointBatch(joints, batch))
        contacts, late = _completed(joints, judged.contacts)
        found: dict[int, list[Straddle]] = {}
        for match in (*judged.matches, *judged.shadows):
            joint = joints[match.event]
            rule = match.rule.rule.id
            if rule in joint.own.rules or any(rule in piece.rules for piece in joint.pieces):
                continue
            spans = _parts(joint, match)
            named = {span.event for span in spans}
            if None in named and len(named) > 1:
                joint.own.rules.append(rule)
                found.setdefault(joint.event, []).append(
                    Straddle([piece for piece in joint.pieces if piece.id in named], match, spans))
        return Joined(found, contacts, late)

    def _pair(
        self, frame: Frame, seq: int, first: int, batch: FrameBatch, alone: Mapping[int, list[str]],
        masks: Mapping[int, Spans], skip: frozenset[int], joints: list[_Joint],
    ) -> None:
        """Join the frame's events to what their speakers said before; remember how they end."""
        n = len(frame)
        lengths = np.frombuffer(frame.lengths, dtype=np.uint32)
        kinds, roles = np.frombuffer(frame.kinds, np.uint8), np.frombuffer(frame.roles, np.uint8)
        short = (kinds == _COMMENT) & (lengths <= SHORT) & (roles != _UNKNOWN)
        wanted = (lengths > 0) & (short | (kinds == _TRANSCRIPT))
        if frame.interim:
            wanted &= np.frombuffer(frame.interim, np.uint8) == 0
        if not wanted.any():
            return
        one = bytes(2 * n)
        room_ix, speaker_ix = (memoryview(c or one).cast("H") for c in (frame.room_ix, frame.speaker_ix))
        source_ix, at = memoryview(frame.source_ix or one).cast("H"), memoryview(frame.at).cast("q")
        revisions, durations = (memoryview(column).cast("i") for column in (frame.revisions, frame.durations))
        tails = self._tails
        for i in np.flatnonzero(wanted).tolist():
            event = first + i
            if event in skip:
                continue
            speaker = frame.speakers[speaker_ix[i]]
            if not speaker and kinds[i] == _COMMENT:
                continue
            start = int(batch.starts[event])
            text = batch.text[start : start + int(lengths[i])]
            tenant, room = frame.tenant, frame.rooms[room_ix[i]]
            key = f"{kinds[i]}:{frame.roles[i]}:{len(tenant)}:{len(room)}:{tenant}{room}{speaker}"
            own = Piece(frame.sources[source_ix[i]], frame.ids[i], revisions[i] if revisions else 0, text, 0,
                        list(alone.get(event, [])), list(masks.get(event, ())), seq, i)
            before = tails.get(key)
            pieces: list[Piece] = []
            if before is not None and before.at < at[i] <= before.ends + GAP_MS:
                pieces = before.pieces
                joints.append(_Joint(event, pieces, own, text[:REACH]))
            ends = at[i] + max(0, durations[i] if durations else 0)
            tails[key] = Tail(_last([*pieces, own]), at[i], ends)
            tails.move_to_end(key)
        while len(tails) > _SPEAKERS:
            tails.popitem(last=False)


def _last(pieces: Sequence[Piece]) -> list[Piece]:
    """The last `REACH` code points of them all."""
    found: list[Piece] = []
    left = REACH
    for piece in reversed(pieces):
        if left <= 0:
            break
        found.insert(0, piece.last(left))
        left -= len(piece.text)
    return found


def _completed(
    joints: Sequence[_Joint], contacts: Iterable[ContactSpan]
) -> tuple[list[ContactSpan], dict[int, list[Mask]]]:
    """Of contact data over a border, the parts after it and before it; masked in what is shown from now on."""
    own: list[ContactSpan] = []
    late: dict[int, list[Mask]] = {}
    for contact in contacts:
        joint = joints[contact.event]
        if not (contact.masked and contact.start < joint.border < contact.end):
            continue
        for piece, a, b in joint.shares(contact.start, contact.end):
            start, end = a + piece.cut, b + piece.cut
            piece.masks.append((start, end))
            if piece is joint.own:
                own.append(ContactSpan(joint.event, start, end, contact.kind))
            else:
                late.setdefault(piece.seq, []).append(Mask(piece.place, start, end, contact.kind))
    return own, late


def _parts(joint: _Joint, match: Match) -> list[Span]:
    """The spans of a match over several texts, each in code points of its own event's text."""
    return [
        Span(a + piece.cut, b + piece.cut, piece.shown()[a:b], selection, view,
             None if piece is joint.own else piece.id, term)
        for start, end, selection, view, term in match.spans
        for piece, a, b in joint.shares(start, end)
    ]


def over_several(finding: Finding, straddle: Straddle) -> Finding:
    """The same rule, over events before and this one."""
    keys = [event_key(finding.tenant, piece.source, piece.id, piece.revision) for piece in straddle.pieces]
    subject = window_subject([*keys, event_key(finding.tenant, finding.source, finding.event_id, finding.revision)])
    own = finding_id(finding.tenant, finding.rule, subject)
    return replace(
        finding, id=own, opened_by=own, event_ids=[*(piece.id for piece in straddle.pieces), finding.event_id])
