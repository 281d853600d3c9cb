"""Scan: events of a file through the same lanes as the service, so that findings and alerts carry the same ids."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Final

import msgspec

from monitor.domain import frames
from monitor.domain.alerts import Alert, GroupingSettings
from monitor.domain.broadcasts import Rooms
from monitor.domain.events import RELATIVE, Event, Kind, at_ms, lane_of, role_and_id
from monitor.domain.findings import Finding
from monitor.domain.frames import Frame
from monitor.domain.masking import mask_text
from monitor.engine.correlation_state import LATENESS_MS
from monitor.engine.engineset import EngineSet
from monitor.services.admission import Admission
from monitor.services.context import Windows
from monitor.services.correlating import Merged
from monitor.services.interims import Interims
from monitor.services.lane import Admitted, Lane, LaneState, Outcome
from monitor.services.records import Numbered
from monitor.services.scanned import AlertList, KeptBack, Place, Scanned

ROOM: Final = "default"
_ByPlace = dict[int, list[Finding]]


def midnight(zone: tzinfo, now: int) -> int:
    """The begin of the day in UTC ms: the same all day, so that a file without a date gives the same ids."""
    day = datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return round(day.timestamp() * 1000)


class Scanner:
    """Streaming: memory does not grow with the file, except for `alerts` where they are asked for."""

    def __init__(
        self, engine: EngineSet, *, tenant: str = "local", room: str = ROOM, grouping: GroupingSettings | None = None,
        silence_ms: int = 1_800_000, with_alerts: bool = False, day: int = 0,
    ) -> None:
        """`day`: when recordings without a date are taken to begin (UTC ms), since rules hold from a date on."""
        settings = grouping or GroupingSettings()
        self._tenant, self._room, self._day = tenant, room, day
        self._lanes = [Lane(n, engine, settings, state=LaneState(), silence_ms=silence_ms) for n in (0, 1)]
        self._merged = Merged(engine, settings)
        self._admission = Admission(Rooms(), 0, silence_ms=silence_ms)
        self._kept = KeptBack(engine.correlations)
        self._within_ms = engine.correlations.within_ms
        self._alerts = AlertList() if with_alerts else None
        self._scripts_only = True
        self._dated = False
        self._interims = Interims()
        self._seq = 0
        self._now = 0

    def scan(self, events: Sequence[Event], places: Sequence[Place] = ()) -> list[Scanned]:
        """Events with their findings, in the events' order; `places[i]` goes with event i. Events are kept back while
        they may become a part of something longer, see `finish`."""
        filled = [self._filled(event) for event in events]
        self._scripts_only = self._scripts_only and all(event.kind is Kind.SCRIPT for event in filled)
        numbered = self._numbered(filled)
        broadcasts, _ = self._admission.admit(numbered)
        found: list[_ByPlace] = [{}, {}]
        shadows: list[_ByPlace] = [{}, {}]
        masks: list[dict[int, list[tuple[int, int]]]] = [{}, {}]
        outcomes: list[Outcome] = []
        for lane in self._lanes:
            outcome = lane.run([Admitted(n.seq, n.entry, broadcasts[n.seq]) for n in numbered
                                if isinstance(n.entry, Frame) and n.entry.lane == lane.number])
            first = 0
            for judged in outcome.judged:
                found[lane.number] |= _by_place(judged.frame, outcome.findings, first)
                shadows[lane.number] |= _by_place(judged.frame, outcome.shadows, first)
                for mask in judged.masks:
                    masks[lane.number].setdefault(first + mask.event, []).append((mask.start, mask.end))
                first += len(judged.frame)
            self._merged.add(lane.number, outcome.notes)
            outcomes.append(outcome)
        self._kept.add(self._in_order(events, filled, found, shadows, masks, places), outcomes)
        self._merge(outcomes)
        return self._kept.released(self._now)

    def pass_time(self, until: int) -> list[Scanned]:
        """Nothing comes up to then (UTC ms); what that alone gives is in."""
        self._now = max(self._now, until)
        self._seq += 1
        outcomes = [lane.tick(self._seq, self._now) for lane in self._lanes]
        for lane, outcome in zip(self._lanes, outcomes, strict=True):
            self._merged.add(lane.number, outcome.notes)
        self._merge(outcomes)
        return self._kept.released(self._now)

    def finish(self) -> list[Scanned]:
        """Nothing comes any more: the events that were kept back. A script takes no time, so a statement is missing in
        it that stands nowhere."""
        grace_ms = self._within_ms if self._scripts_only else 0
        outcomes = [lane.finish(grace_ms=grace_ms) for lane in self._lanes]
        merged = Outcome()
        merged.add(self._merged.finish(grace_ms=grace_ms), Windows())
        self._take([*outcomes, merged])
        return self._kept.released(None)

    def missing(self, *, aside: bool = False) -> list[Finding]:
        """Statements that were due and not heard, in order of time; `offset_ms` where the events have no date. `aside`:
        those that rules ask for which are only tried."""
        kept = self._kept.missing_aside if aside else self._kept.missing
        found = sorted(kept.values(), key=lambda finding: (finding.at, finding.rule))
        if self._dated:
            return found
        return [msgspec.structs.replace(finding, offset_ms=finding.at - self._day) for finding in found]

    def alerts(self) -> list[tuple[Alert, list[str]]]:
        """(alert, ids of its events in order), in order of opening. Empty unless they were asked for."""
        return self._alerts.all() if self._alerts is not None else []

    def _numbered(self, events: Sequence[Event]) -> list[Numbered]:
        """Their frames, as if each event had come at its time."""
        numbered: list[Numbered] = []
        for some in self._moments(events):
            self._now = max(self._now, *(at_ms(event) or 0 for event in some))
            built = frames.build(some, tenant=self._tenant, accepted_at=self._now, pseudonym=str,
                                 revision_of=partial(self._interims.revision_of, self._tenant))
            numbered += [Numbered(self._seq + n, frame) for n, frame in enumerate(built, 1)]
            self._seq += len(built)
        return numbered

    def _moments(self, events: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """In none is more time than correlations put in order; or the rooms' clocks would be ahead of what it holds."""
        first = until = 0
        for i, event in enumerate(events):
            at = at_ms(event) or 0
            if at > until:
                if first < i:
                    yield events[first:i]
                first, until = i, max(self._now, at) + LATENESS_MS
        if first < len(events):
            yield events[first:]

    def _merge(self, outcomes: list[Outcome]) -> None:
        merged = Outcome()
        for told in self._merged.release(self._seq):
            merged.add(told, Windows())
        self._take([*outcomes, merged])

    def _take(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self._kept.take(outcome)
            if self._alerts is not None:
                self._alerts.take(outcome)

    def _filled(self, event: Event) -> Event:
        at, offset = at_ms(event), event.offset_ms
        if at is None:
            at = self._day + (offset or 0)
        elif self._day and at < RELATIVE:
            offset = at if offset is None and at < 2**31 else offset
            at += self._day
        if event.room and event.at == at:
            return event
        return msgspec.structs.replace(event, room=event.room or self._room, at=at, offset_ms=offset)

    def _in_order(
        self, given: Sequence[Event], filled: Sequence[Event], found: list[_ByPlace], shadows: list[_ByPlace],
        masks: list[dict[int, list[tuple[int, int]]]], places: Sequence[Place],
    ) -> list[Scanned]:
        place = [0, 0]
        scanned = []
        for i, (before, event) in enumerate(zip(given, filled, strict=True)):
            lane = lane_of(event.kind, role_and_id(event)[0])
            at = at_ms(before)
            dated = at is not None and at >= RELATIVE
            self._dated |= dated
            n = place[lane]
            scanned.append(Scanned(event, found[lane].get(n, []), at if dated else None,
                                   mask_text(event.text, masks[lane].get(n, ())), places[i] if places else ("", 0),
                                   shadows[lane].get(n, [])))
            place[lane] += 1
        return scanned


def _by_place(frame: Frame, findings: Sequence[Finding], first: int) -> _ByPlace:
    """Index of the event in its lane → its findings. `first`: that of the frame's first event."""
    if not findings:
        return {}
    wanted: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        wanted.setdefault((finding.source, finding.event_id), []).append(finding)
    places: dict[int, list[Finding]] = {}
    for i, event_id in enumerate(frame.ids):
        some = wanted.get((frames.pick(frame.sources, frame.source_ix, i), event_id))
        if some:
            revision = frames.number(frame.revisions, "i", i, 0)
            places[first + i] = list({f.id: f for f in some if f.revision == revision}.values())
    return places
