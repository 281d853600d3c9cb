"""What was said over two events: recognisers cut sentences anywhere, and viewers split words over messages.

Consecutive final segments of one speaker, and consecutive short comments of one viewer, are read together once more,
the end of the one and the beginning of the other. Only what neither holds by itself counts.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from monitor.domain.events import KINDS, ROLES, Kind, Role
from monitor.domain.findings import Span
from monitor.domain.frames import Frame
from monitor.domain.masking import mask_text
from monitor.engine.batch import FrameBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import Match, judge
from monitor.engine.views import Index, without_breaks

REACH: Final = 40
"""Code points of each of the two that are read together."""
SHORT: Final = 12
"""Code points of a comment that may be a part of something."""
GAP_MS: Final = 5_000
_SPEAKERS: Final = 20_000
_TRANSCRIPT: Final = KINDS.index(Kind.TRANSCRIPT)
_COMMENT: Final = KINDS.index(Kind.COMMENT)
_UNKNOWN: Final = ROLES.index(Role.UNKNOWN)

Spans = Sequence[tuple[int, int]]


class Tail(Struct, frozen=True):
    """The end of what a speaker said last. `cut`: code points before `text`; `rules`: those that held by themselves;
    `masks`: contact data, in code points of `text`."""

    source: str
    id: str
    revision: int
    at: int
    text: str
    cut: int
    rules: list[str]
    masks: list[tuple[int, int]]


class Straddle(NamedTuple):
    """A rule that holds over two events. `spans` of the earlier one name it."""

    tail: Tail
    match: Match
    spans: list[Span]


class _Joint(NamedTuple):
    event: int  # of the batch: the later one
    tail: Tail
    head: str


class _JointBatch:
    """The two together, with the later event's kind, speaker, room and time."""

    def __init__(self, joints: Sequence[_Joint], batch: FrameBatch) -> None:
        self._joints, self._batch = joints, batch
        texts = [without_breaks(j.tail.text + j.head) for j in joints]
        self.text = "\n".join(texts)
        sizes = [len(text) + 1 for text in texts]
        self.starts: Index = np.cumsum([0, *sizes[:-1]], dtype=np.int64)

    def code(self, i: int) -> int:
        return self._batch.code(self._joints[i].event)

    def at(self, i: int) -> int:
        return self._batch.at(self._joints[i].event)

    def room(self, i: int) -> tuple[str, str]:
        return self._batch.room(self._joints[i].event)

    def age(self, i: int) -> int | None:
        return self._batch.age(self._joints[i].event)


class Straddling:
    """Remembers how each speaker's last event ended; a bounded number of speakers."""

    def __init__(self, tails: Mapping[str, Tail]) -> None:
        self._tails: OrderedDict[str, Tail] = OrderedDict(tails)

    def tails(self) -> dict[str, Tail]:
        return dict(self._tails)

    def judge(
        self, engine: EngineSet, batch: FrameBatch, matches: Iterable[Match], masks: Mapping[int, Spans],
        skip: frozenset[int],
    ) -> dict[int, list[Straddle]]:
        """Event of the batch → rules that hold over it and the one before. `matches` and `masks` (event → spans) are
        what the batch gave by itself; events in `skip` are passed over."""
        alone: dict[int, list[str]] = {}
        for match in matches:
            alone.setdefault(match.event, []).append(match.rule.rule.id)
        joints: list[_Joint] = []
        for k, frame in enumerate(batch.frames):
            self._pair(frame, batch.first[k], batch, alone, masks, skip, joints)
        if not joints:
            return {}
        found: dict[int, list[Straddle]] = {}
        for match in judge(engine, _JointBatch(joints, batch)).matches:
            joint = joints[match.event]
            rule = match.rule.rule.id
            if rule not in joint.tail.rules and rule not in alone.get(joint.event, ()):
                spans = _parts(joint, match, masks.get(joint.event, ()))
                if len({span.event for span in spans}) == 2:
                    found.setdefault(joint.event, []).append(Straddle(joint.tail, match, spans))
        return found

    def _pair(
        self, frame: Frame, first: int, batch: FrameBatch, alone: Mapping[int, list[str]], masks: Mapping[int, Spans],
        skip: frozenset[int], joints: list[_Joint],
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
        revisions = memoryview(frame.revisions).cast("i")
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
            before = tails.get(key)
            if before is not None and 0 < at[i] - before.at <= GAP_MS:
                joints.append(_Joint(event, before, text[:REACH]))
            cut = max(0, len(text) - REACH)
            tails[key] = Tail(
                frame.sources[source_ix[i]], frame.ids[i], revisions[i] if revisions else 0, at[i], text[cut:], cut,
                alone.get(event, []), [(max(0, a - cut), b - cut) for a, b in masks.get(event, ()) if b > cut])
            tails.move_to_end(key)
        while len(tails) > _SPEAKERS:
            tails.popitem(last=False)


def _parts(joint: _Joint, match: Match, masks: Spans) -> list[Span]:
    """The spans of a match over two texts, each in code points of its own event's text."""
    border = len(joint.tail.text)
    before, after = mask_text(joint.tail.text, joint.tail.masks), mask_text(joint.head, masks)
    spans: list[Span] = []
    for start, end, selection, view, term in match.spans:
        if start < border:
            stop, cut = min(end, border), joint.tail.cut
            spans.append(Span(start + cut, stop + cut, before[start:stop], selection, view, joint.tail.id, term))
        if end > border:
            begin = max(start, border) - border
            spans.append(Span(begin, end - border, after[begin : end - border], selection, view, None, term))
    return spans
