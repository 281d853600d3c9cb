"""redpost's own events: one JSON object a line, or one array of them, as `docs/events.md` describes."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import structs

from monitor.adapters.sources.assembling import default_role
from monitor.adapters.sources.json_items import Block, blocks, shape_of
from monitor.adapters.sources.model import (
    BATCH,
    Batch,
    ByteStream,
    SourceOptions,
    cut_off,
)
from monitor.domain.decoding import Decoded, Limits, decode, filtered
from monitor.domain.events import RELATIVE, Event, Kind, Speaker, at_ms
from monitor.domain.rejections import Rejected, too_long
from monitor.domain.splitting import TooLong

NAME: Final = "ndjson"
LEGACY: Final = False

_Fault = tuple[str, str, str]


def sniff(head: bytes) -> bool:
    return shape_of(head) == "events"


def read(stream: ByteStream, options: SourceOptions) -> Iterator[Batch]:
    """Ids, speakers and times are the file's own; the options fill only what an event leaves open."""
    given = options.limits
    limits = structs.replace(
        given, batch=max(given.batch, BATCH), rejections=max(given.rejections, BATCH), relative_ms=RELATIVE)
    for block in blocks(stream, limits.line_bytes):
        batch = _batch(block, options, limits)
        if batch.events or batch.rejected:
            yield batch


def _batch(block: Block, options: SourceOptions, limits: Limits) -> Batch:
    rejected: list[Rejected] = []
    items: list[bytes] = []
    for number, item in enumerate(block.items, block.number):
        if isinstance(item, TooLong):
            rejected.append(too_long(number, item.size, limits.line_bytes))
            items.append(b"")
        else:
            items.append(item)
    rejected += _arrays(items, block.number)
    decoded = decode(b"\n".join(items), limits, now_ms=options.now_ms)
    if _touches(options):
        decoded = _completed(decoded, options, limits)
    before = block.number - 1
    lines = [line + before for line in decoded.lines] if before else decoded.lines
    rejected += [structs.replace(r, line=r.line + before) for r in decoded.rejected]
    rejected.sort(key=lambda r: r.line)
    if not block.closed:
        _mark_cut(rejected, items, block.number + len(items) - 1)
    return Batch(decoded.events, lines, rejected)


def _arrays(items: list[bytes], number: int) -> Iterator[Rejected]:
    """Blank out arrays at the head of a block: the decoder would take the whole block for one."""
    for at, item in enumerate(items):
        start = item.lstrip()
        if start.startswith(b"["):
            items[at] = b""
            yield Rejected(
                number + at, "", "an array stands in the middle of the events",
                "send one JSON object a line, or one array of objects",
            )
        elif start:
            return


def _touches(options: SourceOptions) -> bool:
    return bool(
        options.room or options.broadcast or options.source != "default" or options.kind or options.role
        or options.speaker or options.started_at is not None
    )


def _completed(decoded: Decoded, options: SourceOptions, limits: Limits) -> Decoded:
    events = [_complete(event, options) for event in decoded.events]
    latest = options.now_ms + limits.future_ms

    def fault(event: Event) -> _Fault | None:
        at = at_ms(event)
        if at is None or at <= latest:
            return None
        return ("at", f"the time lies {(at - options.now_ms) // 1000} s in the future",
                "check the start of the broadcast")

    return filtered(structs.replace(decoded, events=events), fault, limits)


def _complete(event: Event, options: SourceOptions) -> Event:
    changes: dict[str, Any] = {}
    kind = event.kind
    if options.kind and kind is not Kind.SIGNAL and kind is not options.kind:
        changes["kind"] = kind = options.kind
    if options.source != "default" and event.source == "default":
        changes["source"] = options.source
    if options.room and not event.room:
        changes["room"] = options.room
    if options.broadcast and not event.broadcast:
        changes["broadcast"] = options.broadcast
    if (options.role or options.speaker) and not event.speaker:
        changes["speaker"] = Speaker(options.role or default_role(kind), options.speaker)
    if event.at is None and event.offset_ms is not None and options.started_at is not None:
        changes["at"] = options.started_at + event.offset_ms
    return structs.replace(event, **changes) if changes else event


def _mark_cut(rejected: list[Rejected], items: list[bytes], line: int) -> None:
    """Say of the last item that the file ends in it, where it does."""
    if not items:
        rejected.append(cut_off(line + 1))
    elif rejected and rejected[-1].line == line and items[-1] and _is_cut(items[-1]):
        rejected[-1] = cut_off(line)


def _is_cut(item: bytes) -> bool:
    try:
        msgspec.json.decode(item)
    except msgspec.MsgspecError as error:
        return "truncated" in str(error)
    except (UnicodeError, RecursionError):
        return False
    return False
