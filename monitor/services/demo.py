"""The demo: bundled rooms that talk in a loop, each loop a new broadcast with its own times and ids."""

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec

from monitor.domain.decoding import Limits, decode
from monitor.domain.errors import BusyError
from monitor.domain.events import RELATIVE, Event, at_ms
from monitor.services.ingest import Ingest
from monitor.services.ports import Clock

TENANT = "local"
HEAD_START_MS = 105_000
"""The first loop began so long ago: the rooms are under way, and the first alerts come within seconds."""
_STEP_S = 0.25
_encoder = msgspec.json.Encoder()


def looped(events: Sequence[Event], *, start: int) -> list[Event]:
    """The events as if they began at `start` (UTC ms): shifted times, new ids, a broadcast of their own."""
    return [
        msgspec.structs.replace(
            e, id=f"{e.id}-{start}", at=start + (at_ms(e) or 0), broadcast=f"{e.room}-{start}", offset_ms=at_ms(e))
        for e in events
    ]


async def play(streams: Sequence[bytes], ingest: Ingest, clock: Clock, stop: asyncio.Event) -> None:
    """Send all streams in their own pace until `stop`; `at` in a stream counts from its start (ms)."""
    limits = Limits(relative_ms=RELATIVE)
    script = sorted((e for body in streams for e in decode(body, limits, now_ms=clock.now()).events),
                    key=lambda e: at_ms(e) or 0)
    length = max((at_ms(e) or 0 for e in script), default=0) + 5_000
    start = clock.now() - HEAD_START_MS
    while script and not stop.is_set():
        waiting = looped(script, start=start)
        sent = 0
        while sent < len(waiting) and not stop.is_set():
            now = clock.now()
            due = sent
            while due < len(waiting) and (at_ms(waiting[due]) or 0) <= now:
                due += 1
            if due > sent:
                try:
                    await ingest.accept(TENANT, b"\n".join(map(_encoder.encode, waiting[sent:due])))
                except BusyError as error:
                    await asyncio.sleep(error.retry_after)
                    continue
                sent = due
            await asyncio.sleep(_STEP_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(0, start + length - clock.now()) / 1000)
        start = clock.now()
