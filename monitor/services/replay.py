"""Replay: recorded events sent in their own pace, or faster; as they are, or as if they happened now.

Time is an argument: `now` reads the clock, `sleep` waits, so that a test needs no real time. Events of several files
are merged by time; one that comes late in its own file goes out where it stands.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from monitor.domain.errors import InputError
from monitor.domain.events import Event, at_ms
from monitor.domain.ids import digest

TICK_MS: Final = 50
"""The shortest time between two sendings, unless one is full."""
MOST_EVENTS: Final = 1_000
MOST_BYTES: Final = 4 * 2**20
"""Size of one sending."""
_LONGEST_NAME: Final = 256
_LATEST: Final = 2**31 - 1

Stream = Iterable[Sequence[Event]]
Open = Callable[[], Sequence[Stream]]
Send = Callable[[list[bytes]], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]

_encoder: Final = msgspec.json.Encoder()


class Replayed(Struct, frozen=True):
    """How much was sent, in how many passes."""

    events: int
    passes: int


class _Due(NamedTuple):
    """`at`: ms on the recording's own clock; `order`: the same without steps back."""

    order: int
    at: int
    event: Event


async def replay(
    streams: Open, *, speed: float, send: Send, sleep: Sleep, now: Callable[[], int], fresh: bool = False,
    loop: bool = False,
) -> Replayed:
    """Send the events of all streams, each at most `TICK_MS` late. Returns at their end, with `loop` never.

    `streams` opens them anew for each pass, each a series of batches in its own order. `speed`: recorded seconds per
    second. `send` gets events as JSON and returns once they are accepted; `sleep` takes seconds, `now` gives UTC ms.
    `fresh`: ids, times and broadcasts are new, as if it all happened now; with `loop` so are all passes but the first.
    Raises InputError for a speed that is none and, with `loop`, where there is nothing to send.
    """
    if not speed > 0:
        raise InputError(f"a speed of {speed} stands still", hint="give a number above 0")
    sent = passes = 0
    while True:
        start = now()
        renew = _Renewed(start, passes, speed) if fresh or passes else None
        count = await _pass(merged(streams()), start, speed, renew, send, sleep, now)
        sent, passes = sent + count, passes + 1
        if not loop:
            return Replayed(sent, passes)
        if not count:
            raise InputError("there are no events to replay", hint="check the files")


def merged(streams: Sequence[Stream]) -> Iterator[_Due]:
    """The events of all streams by time. A stream without times of day begins when the earliest other one does."""
    heads = [_peeked(stream) for stream in streams]
    bases = [base for base, _ in heads if base is not None]
    first = min(bases, default=0)
    return merge(*(_timed(events, first if base is None else base) for base, events in heads),
                 key=lambda due: due.order)


def _peeked(stream: Stream) -> tuple[int | None, Iterator[Event]]:
    """When a stream's broadcast began (UTC ms), as far as its first batch tells; and all its events."""
    batches = iter(stream)
    head = next((batch for batch in batches if batch), ())
    base = next((at - (event.offset_ms or 0) for event in head if (at := at_ms(event)) is not None), None)
    return base, chain(head, chain.from_iterable(batches))


def _timed(events: Iterable[Event], base: int) -> Iterator[_Due]:
    order: int | None = None
    for event in events:
        at = at_ms(event)
        if at is None:
            at = base + event.offset_ms if event.offset_ms is not None else base if order is None else order
        order = at if order is None else max(order, at)
        yield _Due(order, at, event)


async def _pass(
    recorded: Iterator[_Due], start: int, speed: float, renew: "_Renewed | None", send: Send, sleep: Sleep,
    now: Callable[[], int],
) -> int:
    """One time through; how many events were sent."""
    waiting: list[bytes] = []
    count = size = first = 0
    moment = sent_at = start
    for due in recorded:
        if not count:
            first = due.order
        while (when := start + (due.order - first) / speed) > moment:
            if waiting:
                await send(waiting)
                waiting, size, sent_at = [], 0, now()
            if when > (moment := now()):
                await sleep(max(when - moment, sent_at + TICK_MS - moment) / 1000)
                moment = now()
        line = _encoder.encode(due.event if renew is None else renew(due.event, due.at - first))
        waiting.append(line)
        count, size = count + 1, size + len(line)
        if len(waiting) >= MOST_EVENTS or size >= MOST_BYTES:
            await send(waiting)
            waiting, size, moment = [], 0, now()
            sent_at = moment
    if waiting:
        await send(waiting)
    return count


class _Renewed:
    """Events as if they happened now: in another broadcast, under other ids, `at` on the wall clock of this pass.

    `offset_ms` stays the place in the recording.
    """

    def __init__(self, start: int, number: int, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._run = f"{start:x}-{number}"

    def __call__(self, event: Event, passed: int) -> Event:
        """`passed`: ms since the first event, on the recording's clock."""
        return msgspec.structs.replace(
            event, id=self._name(event.id), broadcast=self._name(f"{event.room}/{event.broadcast}".strip("/")),
            at=max(self._start + round(passed / self._speed), 0),
            offset_ms=event.offset_ms if event.offset_ms is not None or passed > _LATEST else max(passed, 0),
        )

    def _name(self, name: str) -> str:
        new = f"{self._run}-{name}".rstrip("-")
        return new if len(new) <= _LONGEST_NAME else f"{self._run}-{digest(name)}"
