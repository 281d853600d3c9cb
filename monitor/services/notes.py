"""What a lane writes down for correlations, entry by entry."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from monitor.domain.events import HOST_SIDE, Kind, Role, Stage
from monitor.domain.findings import Evasion, Finding, Span
from monitor.domain.frames import Frame, Utterance
from monitor.engine.correlation_events import Observation, Signal
from monitor.engine.correlation_text import fingerprint
from monitor.engine.engineset import EngineSet
from monitor.services.presence import Presence, signals

_SPAN: Final = 64


class Said(Struct, frozen=True):
    """What a finding over several events shows of one of them."""

    text: str
    spans: list[Span]
    kind: Kind
    stage: Stage
    role: Role
    offset_ms: int | None
    evasive: Evasion | None

    @property
    def weight(self) -> int:
        """What it takes to remember it, in code points, roughly."""
        return len(self.text) + _SPAN * len(self.spans)


class Noted(Struct, frozen=True):
    """A finding as correlations see it."""

    observation: Observation
    said: Said


class Struck(Struct, frozen=True):
    """The findings of this event's revisions under `below` no longer stand."""

    room: str
    source: str
    event_id: str
    below: int


class Notes(Struct):
    """What one entry of the log has for correlations; of a tick, the time alone. `rooms`: their latest event times;
    `followed`: the next entry holds the other lane's events of the same request.
    """

    seq: int
    accepted_at: int
    tenant: str = ""
    rooms: dict[str, int] = {}
    noted: list[Noted] = []
    signals: list[Signal] = []
    struck: list[Struck] = []
    followed: bool = False

    def in_order(self) -> list[Noted | Signal]:
        """By event time; signals before what is found at the same time. A request may hold hours of a room."""
        return sorted([*self.signals, *self.noted], key=_at)

    def struck_by_room(self) -> dict[str, dict[tuple[str, str], int]]:
        """Room → (source, id) of an event → the revision below which its findings fall."""
        found: dict[str, dict[tuple[str, str], int]] = {}
        for s in self.struck:
            of_room = found.setdefault(s.room, {})
            of_room[s.source, s.event_id] = max(s.below, of_room.get((s.source, s.event_id), s.below))
        return found

    def together(self, viewers: "Notes") -> "Notes":
        """With the other half of its request: neither moves the rooms' clocks before the other is looked at."""
        rooms = self.rooms | {room: max(at, self.rooms.get(room, at)) for room, at in viewers.rooms.items()}
        return Notes(viewers.seq, viewers.accepted_at, self.tenant, rooms, self.noted + viewers.noted,
                     self.signals + viewers.signals, self.struck + viewers.struck)


class NoteTaker:
    """The notes of one lane. `swap` it with the lane."""

    def __init__(self, lane: int, engine: EngineSet, presence: Presence) -> None:
        self._lane, self._presence = lane, presence
        self.swap(engine)

    def swap(self, engine: EngineSet) -> None:
        self._engine, self._correlations = engine, engine.correlations

    def of_frame(self, seq: int, frame: Frame, broadcasts: Sequence[str]) -> Notes:
        """Before its findings. `broadcasts[i]`: that of event i."""
        notes = Notes(seq, frame.accepted_at, frame.tenant, followed=frame.followed)
        if self._correlations.rules:
            notes.rooms = _latest(frame)
        if self._waited_for():
            notes.signals = [*self._presence.silent(frame.accepted_at), *self._presence.of(frame, broadcasts),
                             *signals(frame, broadcasts)]
        return notes

    def of_time(self, seq: int, now: int) -> Notes:
        """Nothing came. `now`: UTC ms."""
        return Notes(seq, now, signals=self._presence.silent(now) if self._waited_for() else [])

    def add(self, notes: Notes, said: Utterance, findings: Sequence[Finding], *, replaces: bool) -> None:
        """An event's findings, those under an exemption left out. `replaces`: those of older revisions fall."""
        if replaces:
            notes.struck.append(Struck(said.room, said.source, said.id, said.revision))
        notes.noted += [self._noted(said, finding, notes.seq) for finding in findings
                        if finding.rule in self._correlations.watched and not finding.exempt]

    def _waited_for(self) -> bool:
        return self._correlations.absences and self._lane == HOST_SIDE

    def _noted(self, said: Utterance, finding: Finding, seq: int) -> Noted:
        compared = finding.rule in self._correlations.by_text
        text = fingerprint(self._engine.tables.skeleton_text(said.text)) if compared else 0
        return Noted(
            Observation(at=said.at, source=said.source, id=said.id, revision=said.revision, rule=finding.rule,
                        tenant=said.tenant, room=said.room, broadcast=said.broadcast, speaker=said.speaker,
                        lane=self._lane, text=text, accepted_at=finding.accepted_at, seq=seq),
            Said(finding.text, finding.spans, said.kind, said.stage, said.role, said.offset_ms, finding.evasive))


def _at(one: Noted | Signal) -> int:
    return one.at if isinstance(one, Signal) else one.observation.at


def _latest(frame: Frame) -> dict[str, int]:
    """Each room's latest event time in a frame (UTC ms)."""
    at = np.frombuffer(frame.at, np.int64)
    if not frame.room_ix:
        return {frame.rooms[0]: int(at.max())}
    newest = np.full(len(frame.rooms), np.iinfo(np.int64).min)
    np.maximum.at(newest, np.frombuffer(frame.room_ix, np.uint16), at)
    return dict(zip(frame.rooms, newest.tolist(), strict=True))
