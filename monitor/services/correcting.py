"""Corrections on air: the host is heard to take back what an alert or a cue is about. That is noted, and proposes a
remedy; a person decides.

The words by which a correction is known are the packs' own context for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Final

import numpy as np
from msgspec import Struct

from monitor.domain.alerts import Alert
from monitor.domain.audit import Deed
from monitor.domain.cues import CORRECTION_MS, Corrected, Cue, corrects
from monitor.domain.errors import RedpostError
from monitor.domain.events import HOST_SIDE, KINDS, Kind
from monitor.domain.findings import Finding, Tier
from monitor.domain.frames import number
from monitor.domain.ids import alert_id
from monitor.domain.masking import mask_text
from monitor.engine.batch import Chosen, FrameBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.spoken import spoken
from monitor.services.cueing import CueStore
from monitor.services.ports import Clock, Logger, Publisher, Telemetry
from monitor.services.records import FrameJudged

CONTEXT: Final = "correction"
"""What the packs call the way of speaking that takes something back (rules/contexts.yml)."""
HOST: Final = "host"
"""Who corrects, in the trail."""
_MOST_OF_ROOM: Final = 16
_MOST_ROOMS: Final = 20_000
_TRIES: Final = 60
_SPEECH: Final = KINDS.index(Kind.TRANSCRIPT)
_QUOTE: Final = 120


class _Watched(Struct):
    """What may be corrected: said at `said_at`, cued at `cued_at` (UTC ms), in these `words` (folded)."""

    alert: str
    said_at: int
    words: tuple[str, ...]
    events: set[str]
    cued_at: int | None = None


class _Heard(Struct):
    """To be stored; `tries`: an alert may be committed after its correction is heard."""

    tenant: str
    alert: str
    corrected: Corrected
    tries: int = 0


class Corrections:
    """`listen` on the thread that judges; all else on the event loop."""

    def __init__(
        self, store: CueStore, publisher: Publisher, clock: Clock, telemetry: Telemetry, logger: Logger, *,
        fold: Callable[[str], str], wake: Callable[[str, str], None],
    ) -> None:
        """`fold`: a text as its skeleton; `wake`: is told the (tenant, room) whose cues changed."""
        self._store, self._publisher, self._clock = store, publisher, clock
        self._telemetry, self._logger, self._fold, self._wake = telemetry, logger, fold, wake
        self._rooms: dict[tuple[str, str], deque[_Watched]] = {}
        self._lock = Lock()
        self._heard: deque[tuple[str, _Heard]] = deque()

    def watch(self, cue: Cue) -> None:
        """The host may correct it from now on, however long ago it was said."""
        with self._lock:
            room = self._room(cue.tenant, cue.room)
            known = next((each for each in room if each.alert == cue.alert), None)
            if known is None:
                room.append(_Watched(cue.alert, cue.at, (self._fold(cue.quote),) if cue.quote else (), set(), cue.at))
            else:
                known.cued_at = cue.at

    def remember(self, alerts: Iterable[Alert]) -> None:
        """What was found shortly before this start."""
        with self._lock:
            for alert in alerts:
                if alert.lane == HOST_SIDE and alert.event_ids and alert.tier is not Tier.CARE:
                    words = tuple(self._fold(span.text) for span in alert.spans)
                    self._room(alert.tenant, alert.room).append(
                        _Watched(alert.id, alert.last_at, words, set(alert.event_ids)))

    def listen(self, engine: EngineSet, judged: Sequence[FrameJudged], findings: Sequence[Finding]) -> None:
        """What was just judged, with the findings of it: hear what corrects one of the last minutes."""
        with self._lock:
            for finding in findings:
                self._note(finding)
            frames = [each for each in judged if each.frame.lane == HOST_SIDE and any(
                (each.frame.tenant, room) in self._rooms for room in each.frame.rooms)]
            if frames:
                self._look(engine, frames)

    def _look(self, engine: EngineSet, judged: Sequence[FrameJudged]) -> None:
        batch = FrameBatch([each.frame for each in judged])
        kinds = np.frombuffer(b"".join(each.frame.kinds for each in judged), np.uint8)
        events = [i for i in np.flatnonzero(kinds == _SPEECH).tolist() if batch.room(i) in self._rooms]
        if not events:
            return
        for said in spoken(engine, Chosen(batch, np.array(events, dtype=np.int64)), CONTEXT):
            event = events[said.event]
            frame, place = batch.locate(event)
            self._match(batch.room(event), judged[frame], place, said.looks_back)

    def _match(self, room: tuple[str, str], judged: FrameJudged, i: int, looks_back: bool) -> None:
        """`looks_back`: as it says, it speaks of what was said before."""
        frame, at = judged.frame, number(judged.frame.at, "q", i, 0)
        text = _masked(judged, i)
        folded, event = self._fold(text), frame.ids[i]
        left = deque[_Watched]()
        for each in self._rooms.get(room, ()):
            mentions = any(word in folded for word in each.words if word)
            if event not in each.events and (looks_back or mentions) and corrects(
                    folded, at, said_at=each.said_at, cued_at=each.cued_at, words=each.words):
                corrected = Corrected(at=at, after_s=max(at - each.said_at, 0) // 1_000, event=event,
                                      quote=text[:_QUOTE])
                self._heard.append((room[1], _Heard(room[0], each.alert, corrected)))
            elif at - max(each.said_at, each.cued_at or 0) <= CORRECTION_MS:
                left.append(each)
        if left:
            self._rooms[room] = left
        else:
            self._rooms.pop(room, None)

    def _note(self, finding: Finding) -> None:
        if finding.lane != HOST_SIDE or not finding.event_ids or finding.tier is Tier.CARE:
            return
        room = self._room(finding.tenant, finding.room)
        alert = alert_id(finding.opened_by)
        words = tuple(self._fold(span.text) for span in finding.spans)
        known = next((each for each in room if each.alert == alert), None)
        if known is None:
            room.append(_Watched(alert, finding.at, words, set(finding.event_ids)))
        else:
            known.said_at = max(known.said_at, finding.at)
            known.words = tuple(dict.fromkeys((*known.words, *words)))[-_MOST_OF_ROOM:]
            known.events.update(finding.event_ids)

    def _room(self, tenant: str, room: str) -> deque[_Watched]:
        known = self._rooms.pop((tenant, room), None)
        if known is None:
            known = deque(maxlen=_MOST_OF_ROOM)
        self._rooms[tenant, room] = known  # the latest last
        if len(self._rooms) > _MOST_ROOMS:
            del self._rooms[next(iter(self._rooms))]
        return known

    async def run(self) -> None:
        while True:
            await self.store()
            await asyncio.sleep(1)

    async def store(self) -> None:
        """Note down what was heard; what is not committed yet, at the next turn."""
        for _ in range(len(self._heard)):
            room, heard = self._heard.popleft()
            deed = Deed(tenant=heard.tenant, by=HOST, at=self._clock.now(), what="alert.corrected", on=heard.alert,
                        facts={"event": heard.corrected.event, "after_s": heard.corrected.after_s})
            try:
                updates = await self._store.correct(heard.tenant, heard.alert, heard.corrected, deed)
            except RedpostError as error:
                self._logger.warning("correction_not_stored", error=str(error))
                updates = None
            if updates is None:
                heard.tries += 1
                if heard.tries < _TRIES:
                    self._heard.append((room, heard))
                continue
            if updates:
                self._telemetry.count("corrected_on_air_total")
            self._publisher.publish(updates)
            self._wake(heard.tenant, room)


def _masked(judged: FrameJudged, i: int) -> str:
    frame = judged.frame
    lengths = np.frombuffer(frame.lengths, np.uint32).astype(np.int64)
    start = int(lengths[:i].sum()) + i
    text = frame.text[start : start + int(lengths[i])]
    return mask_text(text, [(mask.start, mask.end) for mask in judged.masks if mask.event == i])
