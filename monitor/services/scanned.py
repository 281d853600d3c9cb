"""What a scan gives: events with their findings in order, statements that are missing, and alerts."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from monitor.domain.alerts import Alert, opened
from monitor.domain.events import Event
from monitor.domain.findings import Finding
from monitor.engine.correlation_set import Correlations
from monitor.engine.correlation_state import LATENESS_MS
from monitor.services.lane import Outcome

_KEPT: Final = 20_000

Place = tuple[str, int]
"""A file and a line in it."""


class Scanned(Struct, frozen=True):
    """An event (room and time filled in) and what was found in it. `at`: UTC ms as given, None without a date.
    `masked`: its text without contact data; `shadows`: what rules found that are only tried."""

    event: Event
    findings: list[Finding]
    at: int | None
    masked: str
    place: Place = ("", 0)
    shadows: list[Finding] = []


def distinct(findings: Iterable[Finding]) -> Iterable[Finding]:
    """Each once, also of an event that stands several times in its file."""
    return {finding.id: finding for finding in findings}.values()


class KeptBack:
    """Events that wait, in order, for what may be found over several of them; and statements that are missing."""

    def __init__(self, correlations: Correlations) -> None:
        self.missing: dict[str, Finding] = {}
        self.missing_aside: dict[str, Finding] = {}  # by rules that are only tried
        self._reach_ms = correlations.closing_ms + LATENESS_MS
        self._waiting: deque[Scanned] = deque()
        self._watched: OrderedDict[tuple[str, str], Scanned] = OrderedDict()
        self._until = 0  # what is older than this can go

    def add(self, items: Iterable[Scanned], outcomes: Iterable[Outcome]) -> None:
        """`outcomes`: what the lanes said of these events."""
        noted = [noted.observation for outcome in outcomes for notes in outcome.notes for noted in notes.noted]
        names = {(o.source, o.id) for o in noted}
        for item in items:
            self._waiting.append(item)
            key = (item.event.source, item.event.id)
            if names and key in names:
                self._watched[key] = item
        while len(self._watched) > _KEPT:
            self._watched.popitem(last=False)
        self._until = max([self._until, *(o.at + self._reach_ms for o in noted)])

    def take(self, outcome: Outcome) -> None:
        """What several events gave stands under the last one; without it, by itself."""
        for finding, aside in (*((f, False) for f in outcome.findings), *((f, True) for f in outcome.shadows)):
            if finding.event_id:
                continue
            if not finding.event_ids:
                (self.missing_aside if aside else self.missing)[finding.id] = finding
                continue
            item = self._watched.get((finding.source, finding.under))
            if item is None or not any(item is other for other in self._waiting):
                event = item.event if item is not None else Event(
                    id=finding.under, kind=finding.kind, text=finding.text, room=finding.room, at=finding.at)
                item = Scanned(event, [], finding.at, finding.text, item.place if item is not None else ("", 0), [])
                self._waiting.append(item)
            (item.shadows if aside else item.findings).append(finding)
        for retraction in outcome.retractions:
            self.missing.pop(retraction.finding, None)
            self.missing_aside.pop(retraction.finding, None)
            for item in self._waiting:
                for some in (item.findings, item.shadows):
                    some[:] = [f for f in some if f.id != retraction.finding]

    def released(self, now: int | None) -> list[Scanned]:
        """What waits for nothing any more at this time (UTC ms); None: all."""
        waits = now is not None and now <= self._until
        count = max(0, len(self._waiting) - _KEPT) if waits else len(self._waiting)
        return [self._waiting.popleft() for _ in range(count)]


class AlertList:
    """The alerts that findings make, as the store makes them."""

    def __init__(self) -> None:
        self._alerts: dict[str, tuple[Alert, list[Finding]]] = {}
        self._joined: dict[str, dict[str, None]] = {}  # finding → events

    def all(self) -> list[tuple[Alert, list[str]]]:
        return [(alert, list(dict.fromkeys(e for f in some for e in (*f.event_ids, *self._joined.get(f.id, ())))))
                for alert, some in self._alerts.values() if some]

    def take(self, outcome: Outcome) -> None:
        """Findings first, since what withdraws some may stand in the same outcome."""
        for finding in outcome.findings:
            known = self._alerts.get(finding.opened_by)
            if known is None:
                self._alerts[finding.opened_by] = (opened(finding), [finding])
            elif all(f.id != finding.id for f in known[1]):
                known[1].append(finding)
        for join in outcome.joins:
            self._joined.setdefault(join.finding, {})[join.event_id] = None
        below = {(w.source, w.event_id): w.revision for w in outcome.withdrawals}
        gone = {r.finding for r in outcome.retractions}
        if below or gone:
            for _, some in self._alerts.values():
                some[:] = [f for f in some
                           if f.id not in gone and f.revision >= below.get((f.source, f.event_id), f.revision)]
