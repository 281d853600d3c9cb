"""One lane of the log, judged in order: the pure step from entries to findings, alerts' groups and context.

Synchronous and without a clock: the service runs it on its engine thread, `redpost scan` in a loop, a worker on Kafka
over its partitions. The same entries give the same outcome, however they are cut into calls.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain import frames
from monitor.domain.alerts import Grouping, GroupingSettings, Join, Retraction, Withdrawal, standing
from monitor.domain.events import KINDS
from monitor.domain.findings import Finding, Span, Tier
from monitor.domain.frames import Frame, Utterance
from monitor.domain.ids import event_key, finding_id
from monitor.domain.masking import mask_text
from monitor.engine.batch import FrameBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.judged import Judged, Match, Scored
from monitor.engine.pipeline import judge
from monitor.services.context import Ring, Windows
from monitor.services.correlating import Correlating, CorrelatingState, Told
from monitor.services.grounds import grounds
from monitor.services.notes import Notes, NoteTaker
from monitor.services.presence import Presence, PresenceState
from monitor.services.records import ContextChunk, FrameJudged, Mask
from monitor.services.straddling import Straddle, Straddling, Tail, over_several

_REVISIONS: Final = 50_000
_PLACED: Final = 10_000
STATE_FORMAT: Final = 1


class LaneState(Struct):
    """Everything a lane remembers; plain and serialisable."""

    format: int = STATE_FORMAT
    grouping: Grouping = msgspec.field(default_factory=Grouping)
    revisions: dict[str, int] = {}
    placed: dict[str, str] = {}  # the latest findings → the ones that opened their alerts
    windows: Windows = msgspec.field(default_factory=Windows)
    tails: dict[str, Tail] = {}
    correlating: CorrelatingState = msgspec.field(default_factory=CorrelatingState)
    presence: PresenceState = msgspec.field(default_factory=PresenceState)
    now: int = 0  # UTC ms: the latest `accepted_at` seen in this lane
    engine: str = ""  # version of the engine set that judges here


class Admitted(Struct, frozen=True):
    """A frame with its place in the log and the broadcast of each event."""

    seq: int
    frame: Frame
    broadcasts: Sequence[str]


class Outcome(Struct):
    """What some entries of one lane produced, in log order. `judged` ends with frames of before, if more is masked.
    `shadows`: what rules found that are only tried; withdrawals and retractions are theirs, too."""

    findings: list[Finding] = []
    shadows: list[Finding] = []
    joins: list[Join] = []
    withdrawals: list[Withdrawal] = []
    retractions: list[Retraction] = []
    notes: list[Notes] = []  # what correlations were fed with, those that need both lanes still to come
    context: list[ContextChunk] = []
    judged: list[FrameJudged] = []
    suppressed: dict[str, int] = {}
    shed: dict[str, int] = {}  # by kind
    events: int = 0
    scored: list[Scored] = []  # by the classifiers that judged

    def add(self, told: Told, windows: Windows) -> None:
        """What correlations found next; the rooms' lines around it are wanted, too."""
        self.retractions = standing(self.retractions, [*told.findings, *told.shadows]) + told.retractions
        self.findings += told.findings
        self.shadows += told.shadows
        self.joins += told.joins
        for why, amount in told.dropped.items():
            _count(self, why, amount)
        for finding in told.findings:
            windows.add((finding.tenant, finding.room), finding.at, seen_at=finding.accepted_at)
        for join in told.joins:
            windows.add((join.tenant, join.room), join.at, seen_at=join.accepted_at)


class Lane:
    """See `run`. `windows` is shared by the lanes of one service: either lane's alert wants the lines of both."""

    def __init__(
        self, number: int, engine: EngineSet, settings: GroupingSettings, *, state: LaneState, ring: Ring | None = None,
        windows: Windows | None = None, silence_ms: int = 1_800_000,
    ) -> None:
        self.number = number
        self.engine = engine
        self.settings = settings
        self.state = state
        self.ring = ring
        self.windows = Windows() if windows is None else windows
        self._revisions: OrderedDict[str, int] = OrderedDict(state.revisions)
        self._placed: OrderedDict[str, str] = OrderedDict(state.placed)
        self._straddling = Straddling(state.tails)
        self._reread = Straddling({})  # what `remember_only` passes is in `tails` already
        self._correlating = Correlating(frozenset((number,)), engine, settings, state.correlating)
        self._notes = NoteTaker(number, engine, Presence(state.presence, silence_ms=silence_ms))

    def run(self, admitted: Sequence[Admitted], *, remember_only: bool = False) -> Outcome:
        """Judge frames in order. `remember_only`: fill the ring, change nothing else (re-reading before a snapshot)."""
        outcome = Outcome()
        if not admitted:
            return outcome
        batch = FrameBatch([a.frame for a in admitted])
        skip = _sampled_out(batch)
        judged = judge(self.engine, batch, skip=skip)
        outcome.scored = judged.scored
        straddling = self._reread if remember_only else self._straddling
        joined = straddling.judge(self.engine, batch, [a.seq for a in admitted], judged, skip)
        kept: list[list[Mask]] = [[] for _ in admitted]
        masks: list[dict[int, list[tuple[int, int]]]] = [{} for _ in admitted]
        for contact in (*judged.contacts, *joined.contacts):
            if contact.masked:
                k, i = batch.locate(contact.event)
                kept[k].append(Mask(i, contact.start, contact.end, contact.kind))
                masks[k].setdefault(i, []).append((contact.start, contact.end))
        for k, item in enumerate(admitted):
            if self.ring is not None:
                self.ring.add(item.seq, item.frame, item.broadcasts, kept[k])
            outcome.judged.append(FrameJudged(item.seq, item.frame, item.broadcasts, kept[k]))
            outcome.events += len(item.frame)
            for i in _left_out(item.frame):
                kind = KINDS[item.frame.kinds[i]]
                outcome.shed[kind] = outcome.shed.get(kind, 0) + 1
            self.state.now = max(self.state.now, item.frame.accepted_at)
        for seq, late in joined.late.items():
            self._mask(seq, late, outcome)
        if not remember_only:
            self._reread = Straddling({})
            notes = [self._notes.of_frame(item.seq, item.frame, item.broadcasts) for item in admitted]
            self._find(admitted, batch, judged, joined.straddles, masks, notes, outcome)
            self._correlate(notes, outcome)
            outcome.context = self.leave()
        return outcome

    def tick(self, seq: int, now: int) -> Outcome:
        """Time passed (UTC ms). `seq`: the tick's place in the log."""
        outcome = Outcome()
        self.state.now = max(self.state.now, now)
        self.state.grouping.prune(before=self.settings.over_before(self.state.now))
        self._correlate([self._notes.of_time(seq, now)], outcome)
        outcome.context = self.leave()
        return outcome

    def swap(self, seq: int, now: int, engine: EngineSet) -> Outcome:
        """Time passed, and from here on this engine set judges."""
        outcome = self.tick(seq, now)
        self.engine = engine
        self._notes.swap(engine)
        self._correlating.swap(engine)
        return outcome

    def finish(self, *, grace_ms: int = 0) -> Outcome:
        """The stream is over; see `Correlator.finish`."""
        outcome = Outcome()
        outcome.add(self._correlating.finish(grace_ms=grace_ms), self.windows)
        return outcome

    def leave(self) -> list[ContextChunk]:
        return [] if self.ring is None else self.ring.leave(now=self.state.now, windows=self.windows)

    def flush(self) -> list[ContextChunk]:
        """What gathers, to be committed before the windows are pruned; see `Ring.flush`."""
        return [] if self.ring is None else self.ring.flush()

    def snapshot(self) -> LaneState:
        """The state, brought up to date; encode it before the lane goes on."""
        self.state.revisions = dict(self._revisions)
        self.state.placed = dict(self._placed)
        self.state.windows = self.windows
        self.state.tails = self._straddling.tails()
        self.state.engine = self.engine.version
        self.state.correlating = self._correlating.snapshot()
        return self.state

    def _mask(self, seq: int, late: list[Mask], outcome: Outcome) -> None:
        """In what is shown and kept of an earlier frame. Its findings were told, or might have been: how entries are
        cut into calls must not matter."""
        judged = {each.seq: each for each in outcome.judged}
        if self.ring is not None:
            again = self.ring.mask(seq, late)
        elif seq in judged:
            again = msgspec.structs.replace(judged[seq], masks=[*judged[seq].masks, *late])
        else:
            again = None
        if again is not None:
            judged[seq] = again
            outcome.judged = list(judged.values())

    def _find(
        self, admitted: Sequence[Admitted], batch: FrameBatch, judged: Judged, straddles: dict[int, list[Straddle]],
        masks: list[dict[int, list[tuple[int, int]]]], notes: list[Notes], outcome: Outcome,
    ) -> None:
        """Findings and withdrawals in log order. Looked at are events with a match or a revision."""
        by_event: dict[tuple[int, int], list[Match]] = {}
        for match in (*judged.matches, *judged.shadows):
            by_event.setdefault(batch.locate(match.event), []).append(match)
        over_two = {batch.locate(event): some for event, some in straddles.items()}
        places = set(by_event) | set(over_two)
        for k, item in enumerate(admitted):
            frame = item.frame
            if frame.revisions:
                revisions = memoryview(frame.revisions).cast("i")
                places.update((k, i) for i in range(len(frame)) if revisions[i] > 0)
        for k, of_frame in groupby(sorted(places), key=itemgetter(0)):
            frame, chosen = admitted[k].frame, [i for _, i in of_frame]
            for i, said in zip(chosen, frames.utterances(frame, chosen, admitted[k].broadcasts), strict=True):
                self._event(said, frame, by_event.get((k, i), []), over_two.get((k, i), []), masks[k].get(i, []),
                            notes[k], outcome)

    def _event(
        self, said: Utterance, frame: Frame, matches: list[Match], straddles: list[Straddle],
        masks: list[tuple[int, int]], notes: Notes, outcome: Outcome,
    ) -> None:
        newest, replaces = self._newest(said) if said.final else (False, False)
        if not newest:
            judging = sum(not match.rule.aside for match in matches)
            _count(outcome, "superseded" if said.final else "interim", judging)
            return
        text = mask_text(said.text, masks) if masks else said.text
        shown = [mask_text(text, match.pointed_at) if match.pointed_at else text for match in matches]
        findings = [self._finding(said, frame, match, own, _spans(match, own))
                    for match, own in zip(matches, shown, strict=True)]
        findings += [over_several(self._finding(said, frame, s.match, text, s.spans), s) for s in straddles]
        if replaces:
            outcome.withdrawals.append(Withdrawal(said.tenant, said.source, said.id, said.revision))
        self._notes.add(notes, said, findings, replaces=replaces)
        placed = []
        for finding in findings:
            if finding.rule in self.engine.correlations.silenced:
                continue
            if finding.rule in self.engine.shadows:
                outcome.shadows.append(finding)
                continue
            opened_by = self._placed.get(finding.id) or self._place(said, finding)
            placed.append(msgspec.structs.replace(finding, opened_by=opened_by))
            if self.ring is not None:
                self.windows.add((said.tenant, said.room), said.at, seen_at=frame.accepted_at)
        if replaces:
            self.state.grouping.withdraw(said.tenant, said.room, said.source, said.id,
                                         keep=frozenset(f.id for f in placed))
        outcome.findings += placed

    def _place(self, said: Utterance, finding: Finding) -> str:
        """The finding that opened this one's alert. Remembered, so that an event that comes again, perhaps long after
        its alert, moves no group."""
        opened_by = self.state.grouping.place(
            tenant=said.tenant, room=said.room, rule=finding.rule, broadcast=said.broadcast,
            speaker=said.speaker if finding.tier is Tier.CARE else "", source=said.source, event_id=said.id,
            finding=finding.id, at=said.at, seen_at=finding.accepted_at, settings=self.settings)
        self._placed[finding.id] = opened_by
        if len(self._placed) > _PLACED:
            self._placed.popitem(last=False)
        return opened_by

    def _newest(self, said: Utterance) -> tuple[bool, bool]:
        """(is this the highest revision of its event so far, may an older one have findings that fall now).

        Remembers revisions above 0, a bounded number of them.
        """
        key = f"{len(said.tenant)}:{len(said.source)}:{said.tenant}{said.source}{said.id}"
        known = self._revisions.get(key, 0)
        if said.revision < known:
            return False, False
        if said.revision:
            self._revisions[key] = said.revision
            self._revisions.move_to_end(key)
            if len(self._revisions) > _REVISIONS:
                self._revisions.popitem(last=False)
        return True, said.revision > known

    def _finding(self, said: Utterance, frame: Frame, match: Match, text: str, spans: list[Span]) -> Finding:
        own = finding_id(said.tenant, match.rule.rule.id, event_key(said.tenant, said.source, said.id, said.revision))
        return Finding(
            id=own, opened_by=own, tenant=said.tenant, source=said.source, event_id=said.id, event_ids=[said.id],
            revision=said.revision, room=said.room, broadcast=said.broadcast, kind=said.kind,
            stage=said.stage, role=said.role, speaker=said.speaker, at=said.at, offset_ms=said.offset_ms,
            accepted_at=frame.accepted_at, evasive=match.evasive, asr_variant=match.asr_variant,
            scores=match.scores, opinion=match.opinion,
            **grounds(match.rule.rule, self.engine, said.at, lane=frame.lane, text=text, spans=spans,
                      exempt=match.exempt),
        )

    def _correlate(self, notes: list[Notes], outcome: Outcome) -> None:
        correlations = self.engine.correlations
        if not correlations.rules:
            return
        for of_entry in notes:
            outcome.add(self._correlating.take(of_entry), self.windows)
        outcome.notes += notes


def _spans(match: Match, text: str) -> list[Span]:
    return [Span(s.start, s.end, text[s.start : s.end], s.selection, s.view, term=s.term) for s in match.spans]


def _count(outcome: Outcome, reason: str, amount: int) -> None:
    if amount:
        outcome.suppressed[reason] = outcome.suppressed.get(reason, 0) + amount


def _sampled_out(batch: FrameBatch) -> frozenset[int]:
    return frozenset(batch.first[k] + i for k, frame in enumerate(batch.frames) for i in _left_out(frame))


def _left_out(frame: Frame) -> Sequence[int]:
    """Events of a sampled frame that are not judged: all but every `sample`-th."""
    return () if frame.sample == 1 else [i for i in range(len(frame)) if i % frame.sample]

