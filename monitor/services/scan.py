"""Scan: events of a file through the same lanes as the service, so that findings and alerts carry the same ids."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct

from monitor.domain import frames
from monitor.domain.alerts import Alert, GroupingSettings, opened
from monitor.domain.broadcasts import Rooms
from monitor.domain.events import RELATIVE, Event, at_ms, lane_of, role_and_id
from monitor.domain.findings import Finding
from monitor.domain.frames import Frame
from monitor.domain.masking import mask_text
from monitor.engine.engineset import EngineSet
from monitor.services.admission import Admission
from monitor.services.interims import Interims
from monitor.services.lane import Admitted, Lane, LaneState, Outcome
from monitor.services.records import Numbered

ROOM: Final = "default"


class Scanned(Struct, frozen=True):
    """An event (room and time filled in) and what was found in it. `at`: UTC ms as given, None without a date.
    `masked`: its text without contact data."""

    event: Event
    findings: list[Finding]
    at: int | None
    masked: str


class Scanner:
    """Streaming: memory does not grow with the file, except for `alerts` where they are asked for."""

    def __init__(
        self, engine: EngineSet, *, tenant: str = "local", room: str = ROOM, grouping: GroupingSettings | None = None,
        silence_ms: int = 1_800_000, with_alerts: bool = False, day: int = 0,
    ) -> None:
        """`day`: when recordings without a date are taken to begin (UTC ms), since rules hold from a date on."""
        settings = grouping or GroupingSettings()
        self._tenant, self._room, self._day = tenant, room, day
        self._lanes = [Lane(n, engine, settings, state=LaneState()) for n in (0, 1)]
        self._admission = Admission(Rooms(), 0, silence_ms=silence_ms)
        self._with_alerts = with_alerts
        self._alerts: dict[str, tuple[Alert, list[Finding]]] = {}
        self._interims = Interims()
        self._seq = 0
        self._now = 0

    def scan(self, events: Sequence[Event]) -> list[Scanned]:
        """Findings of each event, in the events' order; windows of earlier calls go on."""
        filled = [self._filled(event) for event in events]
        self._now = max([self._now, *(at_ms(e) or 0 for e in filled)])
        built = frames.build(filled, tenant=self._tenant, accepted_at=self._now, pseudonym=str,
                             revision_of=partial(self._interims.revision_of, self._tenant))
        numbered = [Numbered(self._seq + n, frame) for n, frame in enumerate(built, 1)]
        self._seq += len(built)
        broadcasts, _ = self._admission.admit(numbered)
        found: list[dict[int, list[Finding]]] = [{}, {}]
        masks: list[dict[int, list[tuple[int, int]]]] = [{}, {}]
        for n in numbered:
            frame = n.entry
            if isinstance(frame, Frame):
                outcome = self._lanes[frame.lane].run([Admitted(n.seq, frame, broadcasts[n.seq])])
                found[frame.lane] = _by_place(frame, outcome)
                for mask in outcome.judged[0].masks:
                    masks[frame.lane].setdefault(mask.event, []).append((mask.start, mask.end))
                if self._with_alerts:
                    self._collect(outcome)
        return self._in_order(events, filled, found, masks)

    def alerts(self) -> list[tuple[Alert, list[str]]]:
        """(alert, ids of its events in order), in order of opening."""
        return [(alert, list(dict.fromkeys(e for f in some for e in f.event_ids)))
                for alert, some in self._alerts.values() if some]

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

    @staticmethod
    def _in_order(
        given: Sequence[Event], filled: Sequence[Event], found: list[dict[int, list[Finding]]],
        masks: list[dict[int, list[tuple[int, int]]]],
    ) -> list[Scanned]:
        place = [0, 0]
        scanned = []
        for before, event in zip(given, filled, strict=True):
            lane = lane_of(event.kind, role_and_id(event)[0])
            at = at_ms(before)
            dated = at is not None and at >= RELATIVE
            n = place[lane]
            scanned.append(Scanned(event, found[lane].get(n, []), at if dated else None,
                                   mask_text(event.text, masks[lane].get(n, ()))))
            place[lane] += 1
        return scanned

    def _collect(self, outcome: Outcome) -> None:
        """As the store does it: findings first, since what withdraws some may stand in the same outcome."""
        for finding in outcome.findings:
            known = self._alerts.get(finding.opened_by)
            if known is None:
                self._alerts[finding.opened_by] = (opened(finding), [finding])
            elif all(f.id != finding.id for f in known[1]):
                known[1].append(finding)
        for withdrawal in outcome.withdrawals:
            for _, some in self._alerts.values():
                some[:] = [f for f in some if f.event_id != withdrawal.event_id or f.source != withdrawal.source
                           or f.revision >= withdrawal.revision]


def _by_place(frame: Frame, outcome: Outcome) -> dict[int, list[Finding]]:
    """Index of the event in its frame → its findings."""
    if not outcome.findings:
        return {}
    wanted: dict[tuple[str, str], list[Finding]] = {}
    for finding in outcome.findings:
        wanted.setdefault((finding.source, finding.event_id), []).append(finding)
    places: dict[int, list[Finding]] = {}
    for i, event_id in enumerate(frame.ids):
        some = wanted.get((frames.pick(frame.sources, frame.source_ix, i), event_id))
        if some:
            revision = frames.number(frame.revisions, "i", i, 0)
            places[i] = list({f.id: f for f in some if f.revision == revision}.values())
    return places
