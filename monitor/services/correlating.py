"""Correlations in the flow: the findings of a lane in, those of several events and of missing statements out.

A correlator of one lane runs with that lane. One that needs both is fed with the notes of both in the log's order, as
far as both are judged; so the result is the same whatever the load was.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain.alerts import Grouping, GroupingSettings, Join, Retraction
from monitor.domain.correlations import CorrelationRule
from monitor.domain.events import HOST_SIDE, VIEWERS, Kind, Role, Stage
from monitor.domain.findings import Finding
from monitor.engine.correlation import Correlator
from monitor.engine.correlation_events import Due, Fallen, Held, Joined, Outcome, Signal
from monitor.engine.correlation_lanes import Placed
from monitor.engine.correlation_state import State, decode, encode
from monitor.engine.engineset import EngineSet
from monitor.services.grounds import grounds
from monitor.services.notes import Noted, Notes, Said

BOTH: Final = frozenset((HOST_SIDE, VIEWERS))
_SAID: Final = 20_000
_SAID_WEIGHT: Final = 8_000_000
_PLACED: Final = 10_000
_PRUNE_EVERY_MS: Final = 10_000

SaidKey = tuple[str, str, str, int, str]  # tenant, source, event, revision, rule


class Told(Struct):
    """What correlations found: findings are in before what joins them, and both before retractions are. `shadows`: of
    rules that are only tried. `dropped`: reason → what does not count."""

    findings: list[Finding] = []
    shadows: list[Finding] = []
    joins: list[Join] = []
    retractions: list[Retraction] = []
    dropped: dict[str, int] = {}


class CorrelatingState(Struct):
    """Everything that is remembered; `correlator` in its own format."""

    correlator: bytes = b""
    said: dict[SaidKey, Said] = {}
    grouping: Grouping = msgspec.field(default_factory=Grouping)
    placed: dict[str, str] = {}


class Correlating:
    """The correlations of some lanes. Nothing is done where none is placed there."""

    def __init__(
        self, lanes: frozenset[int], engine: EngineSet, settings: GroupingSettings, state: CorrelatingState
    ) -> None:
        self._lanes, self._settings = lanes, settings
        self._said: OrderedDict[SaidKey, Said] = OrderedDict(state.said)
        self._said_weight = sum(said.weight for said in self._said.values())
        self._placed: OrderedDict[str, str] = OrderedDict(state.placed)
        self._grouping = state.grouping
        self._pruned_at = 0
        self._engine = engine
        self._correlator = self._made(engine, decode(state.correlator) if state.correlator else None)

    @property
    def busy(self) -> bool:
        """Whether there are correlations here at all."""
        return bool(self._rules.rules)

    def swap(self, engine: EngineSet) -> None:
        """From here on this set's correlations; what is remembered of those that say the same is kept."""
        if engine.correlations is self._engine.correlations:  # only what is known of rooms has changed
            self._engine = engine
            return
        self._correlator = self._made(engine, self._correlator.snapshot())

    def take(self, notes: Notes) -> Told:
        """The notes of the next entry of the log."""
        if not self.busy:
            return Told()
        correlator = self._correlator
        for one in notes.in_order():
            if isinstance(one, Signal):
                correlator.signal(one)
            else:
                self._remember(one)
                correlator.observe(one.observation)
        for room, struck in notes.struck_by_room().items():
            correlator.withdraw(notes.tenant, room, struck, accepted_at=notes.accepted_at)
        for room, at in notes.rooms.items():
            correlator.seen(notes.tenant, room, at, notes.accepted_at)
        if notes.accepted_at - self._pruned_at >= _PRUNE_EVERY_MS:
            self._pruned_at = notes.accepted_at
            self._grouping.prune(before=self._settings.over_before(notes.accepted_at))
        return self._told(correlator.advance(notes.accepted_at), notes.accepted_at)

    def finish(self, *, grace_ms: int = 0) -> Told:
        """The stream is over; see `Correlator.finish`."""
        return self._told(self._correlator.finish(grace_ms=grace_ms), 0) if self.busy else Told()

    def snapshot(self) -> CorrelatingState:
        if not self.busy:
            return CorrelatingState()
        return CorrelatingState(encode(self._correlator.snapshot()), dict(self._said), self._grouping,
                                dict(self._placed))

    def _made(self, engine: EngineSet, state: State | None) -> Correlator:
        self._engine = engine
        self._rules = engine.correlations.placed.get(self._lanes, Placed((), frozenset()))
        return Correlator(self._rules.rules, quiet=self._rules.quiet, state=state, applies=self._applies)

    def _applies(self, rule: CorrelationRule, tenant: str, room: str, at: int) -> bool:
        return self._engine.correlates(rule, tenant, room, at)

    def _remember(self, noted: Noted) -> None:
        o = noted.observation
        key = o.tenant, o.source, o.id, o.revision, o.rule
        if known := self._said.pop(key, None):
            self._said_weight -= known.weight
        self._said[key] = noted.said
        self._said_weight += noted.said.weight
        while len(self._said) > _SAID or self._said_weight > _SAID_WEIGHT:
            self._said_weight -= self._said.popitem(last=False)[1].weight

    def _told(self, outcome: Outcome, accepted_at: int) -> Told:
        findings: list[Finding] = []
        shadows: list[Finding] = []
        joins: list[Join] = []
        retractions: dict[str, Retraction] = {}
        for change in outcome.changes:
            if change.rule in self._engine.correlations.silenced:
                continue
            tried = change.rule in self._engine.shadows
            if isinstance(change, Fallen):
                retractions[change.id] = Retraction(change.tenant, change.id, change.why)
                self._grouping.withdraw(change.tenant, change.room, "", change.id, keep=frozenset())
            elif isinstance(change, Joined) and tried:
                continue
            elif isinstance(change, Joined):
                self._grouping.join(change.tenant, change.room, change.rule, finding=change.id, at=change.event.at)
                joins.append(Join(change.tenant, change.room, change.id, change.event.id, change.event.at,
                                  accepted_at))
            else:
                retractions.pop(change.id, None)
                made = self._window(change) if isinstance(change, Held) else self._absence(change, accepted_at)
                if tried:
                    shadows.append(made)
                else:
                    findings.append(msgspec.structs.replace(made, opened_by=self._place(made)))
        return Told(findings, shadows, joins, list(retractions.values()),
                    {str(why): n for why, n in outcome.dropped.items()})

    def _place(self, finding: Finding) -> str:
        """The finding that opened this one's alert."""
        opened_by = self._placed.get(finding.id)
        if opened_by is None:
            opened_by = self._placed[finding.id] = self._grouping.place(
                tenant=finding.tenant, room=finding.room, rule=finding.rule, broadcast=finding.broadcast, speaker="",
                source="", event_id=finding.id, finding=finding.id, at=finding.at, seen_at=finding.accepted_at,
                settings=self._settings)
            if len(self._placed) > _PLACED:
                self._placed.popitem(last=False)
        return opened_by

    def _window(self, held: Held) -> Finding:
        """The text is that of the last event, the spans are those of all."""
        rule = self._engine.correlations.rules[held.rule]
        shown = [(ref, self._said.get((held.tenant, ref.source, ref.id, ref.revision, ref.rule)))
                 for ref in held.events]
        last, said = shown[-1]
        spans = [msgspec.structs.replace(span, event=None if ref.id == last.id else span.event or ref.id)
                 for ref, each in shown if each is not None for span in each.spans]
        return Finding(
            id=held.id, opened_by=held.id, tenant=held.tenant, source=last.source, event_id="",
            event_ids=list(dict.fromkeys(ref.id for ref in held.events)), revision=last.revision, room=held.room,
            broadcast=held.broadcast, kind=said.kind if said else Kind.TRANSCRIPT,
            stage=said.stage if said else Stage.LIVE, role=said.role if said else Role.UNKNOWN, speaker=held.speaker,
            at=held.at, offset_ms=said.offset_ms if said else None, accepted_at=held.accepted_at,
            evasive=next((each.evasive for _, each in shown if each and each.evasive), None), asr_variant=False,
            **grounds(rule, self._engine, held.at, lane=held.lane, text=said.text if said else "", spans=spans),
        )

    def _absence(self, due: Due, accepted_at: int) -> Finding:
        rule = self._engine.correlations.rules[due.rule]
        return Finding(
            id=due.id, opened_by=due.id, tenant=due.tenant, source="", event_id="", event_ids=[], revision=0,
            room=due.room, broadcast=due.broadcast, kind=Kind.SIGNAL, stage=Stage.LIVE, role=Role.HOST,
            speaker="", at=due.due_at, offset_ms=None,
            accepted_at=accepted_at or due.due_at, evasive=None, asr_variant=False,
            **grounds(rule, self._engine, due.due_at, lane=HOST_SIDE, text="", spans=[]),
        )


class MergedState(Struct):
    """`waiting`: notes of each lane that the other has not come to; `swaps`: engine sets to come, by place in the log.
    """

    correlating: CorrelatingState = msgspec.field(default_factory=CorrelatingState)
    waiting: tuple[list[Notes], list[Notes]] = msgspec.field(default_factory=lambda: ([], []))
    swaps: dict[int, str] = {}
    engine: str = ""


class Merged:
    """The correlations that need both lanes. `engines`: version → set, of those that `state` names."""

    def __init__(
        self, engine: EngineSet, settings: GroupingSettings, state: MergedState | None = None,
        engines: Mapping[str, EngineSet] | None = None,
    ) -> None:
        state, engines = state or MergedState(), engines or {}
        self._engine = engines.get(state.engine, engine)
        self._correlating = Correlating(BOTH, self._engine, settings, state.correlating)
        self._waiting: tuple[deque[Notes], deque[Notes]] = (deque(state.waiting[0]), deque(state.waiting[1]))
        self._swaps = {seq: engines[version] for seq, version in state.swaps.items()}

    def add(self, lane: int, notes: Iterable[Notes]) -> None:
        if self._correlating.busy or self._swaps:
            self._waiting[lane].extend(notes)

    def swap(self, seq: int, engine: EngineSet) -> None:
        """From this place in the log on; both lanes say so."""
        self._swaps[seq] = engine

    @property
    def waiting(self) -> int:
        """Entries of the host side whose notes wait for the comments."""
        return len(self._waiting[HOST_SIDE])

    def ready(self, upto: int) -> bool:
        """Is there anything to release?"""
        return any(waiting and waiting[0].seq <= upto for waiting in self._waiting) or any(
            seq <= upto for seq in self._swaps)

    def release(self, upto: int) -> list[Told]:
        """Both lanes are judged up to this place in the log; what came out, in its order."""
        told: list[Told] = []
        while (notes := self._next(upto)) is not None:
            self._change(before=notes.seq)
            told.append(self._correlating.take(notes))
        self._change(before=upto + 1)
        return told

    def finish(self, *, grace_ms: int = 0) -> Told:
        return self._correlating.finish(grace_ms=grace_ms)

    def snapshot(self) -> MergedState:
        return MergedState(
            self._correlating.snapshot(), (list(self._waiting[0]), list(self._waiting[1])),
            {seq: engine.version for seq, engine in self._swaps.items()}, self._engine.version)

    def _next(self, upto: int) -> Notes | None:
        """Of the next entry, or of the two entries of one request."""
        heads = [waiting for waiting in self._waiting if waiting and waiting[0].seq <= upto]
        if not heads:
            return None
        first = min(heads, key=lambda waiting: waiting[0].seq)
        if first[0].followed and first[0].seq == upto:
            return None
        notes, others = first.popleft(), self._waiting[VIEWERS]
        halves = notes.followed and others and others[0].seq == notes.seq + 1
        return notes.together(others.popleft()) if halves else notes

    def _change(self, *, before: int) -> None:
        for seq in sorted(seq for seq in self._swaps if seq < before):
            self._engine = self._swaps.pop(seq)
            self._correlating.swap(self._engine)


def named(state: MergedState | None) -> set[str]:
    """The versions of the engine sets that it needs."""
    return set() if state is None else {state.engine, *state.swaps.values()} - {""}
