"""The rows of a segment: judged frames of one lane as an arrow table of masked events."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from monitor.domain.events import KINDS, ROLES, STAGES
from monitor.domain.frames import Frame
from monitor.domain.masking import mask_text
from monitor.services.records import Mask

_NO_OFFSET: Final = np.array([-1], "<i4").tobytes()
_FIRST: Final = bytes(4)  # revision 0
_AT_ONCE: Final = 8_192  # events: making arrow strings of Python's holds the interpreter's lock, so the loop waits

_TEXT: Final = pa.string()
_REPEATED: Final = pa.dictionary(pa.int32(), _TEXT)
_NAMED: Final = pa.dictionary(pa.int8(), _TEXT)
_SPAN: Final = pa.struct({"start": pa.int32(), "end": pa.int32(), "kind": _TEXT})
SCHEMA: Final = pa.schema(
    {
        "tenant": _REPEATED, "source": _REPEATED, "id": _TEXT, "revision": pa.int32(), "room": _REPEATED,
        "broadcast": _REPEATED, "kind": _NAMED, "stage": _NAMED, "role": _NAMED, "speaker": _TEXT, "at": pa.int64(),
        "offset_ms": pa.int32(), "text": _TEXT, "masks": pa.list_(_SPAN), "sampled_out": pa.bool_(),
        "seq": pa.int64(),
    }
)  # fmt: skip
"""What repeats is kept as a dictionary; ids, texts and (viewers') speakers hardly ever do."""


class Judged(NamedTuple):
    """A judged frame, as it was handed in."""

    seq: int
    frame: Frame
    broadcasts: Sequence[str]
    masks: Sequence[Mask]


def table_of(judged: Sequence[Judged]) -> Any:
    """The arrow table of at least one frame, in the order given; texts are masked."""
    parts, start, events = [], 0, 0
    for end, item in enumerate(judged, 1):
        events += len(item.frame)
        if events >= _AT_ONCE or end == len(judged):
            parts.append(_table(judged[start:end]))
            start, events = end, 0
    return parts[0] if len(parts) == 1 else pa.concat_tables(parts).unify_dictionaries()


def _table(judged: Sequence[Judged]) -> Any:
    frames = [item.frame for item in judged]
    counts = np.array([len(frame) for frame in frames])
    total = int(counts.sum())
    offsets = np.frombuffer(b"".join(f.offsets or _NO_OFFSET * len(f) for f in frames), "<i4")
    in_frame = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    sampled_out = in_frame % np.repeat([frame.sample for frame in frames], counts) != 0
    return pa.table(
        {
            "tenant": _picked(([f.tenant], b"", len(f)) for f in frames).dictionary_encode(),
            "source": _picked((f.sources, f.source_ix, len(f)) for f in frames).dictionary_encode(),
            "id": _strings(frame.ids for frame in frames),
            "revision": np.frombuffer(b"".join(f.revisions or _FIRST * len(f) for f in frames), "<i4"),
            "room": _picked((f.rooms, f.room_ix, len(f)) for f in frames).dictionary_encode(),
            "broadcast": _strings(item.broadcasts for item in judged).dictionary_encode(),
            "kind": _named((frame.kinds for frame in frames), KINDS),
            "stage": _named((frame.stages for frame in frames), STAGES),
            "role": _named((frame.roles for frame in frames), ROLES),
            "speaker": _picked((f.speakers, f.speaker_ix, len(f)) for f in frames),
            "at": np.frombuffer(b"".join(frame.at for frame in frames), "<i8"),
            "offset_ms": pa.array(offsets, mask=offsets < 0),
            "text": _strings(map(_texts, judged)),
            "masks": _masks(judged, counts),
            "sampled_out": sampled_out,
            "seq": np.repeat(np.array([item.seq for item in judged], "<i8"), counts),
        },
        schema=SCHEMA,
    )


def _strings(parts: Iterable[Sequence[str]]) -> Any:
    return pa.array(list(chain.from_iterable(parts)), pa.string())


def _picked(parts: Iterable[tuple[Sequence[str], bytes, int]]) -> Any:
    """The strings of a frame's (distinct values, uint16 index or empty, number of events), frame by frame."""
    values, columns, counts = zip(*parts, strict=True)
    sizes = [len(distinct) for distinct in values]
    index = b"".join(column or bytes(2 * count) for column, count in zip(columns, counts, strict=True))
    return _strings(values).take(np.frombuffer(index, "<u2") + np.repeat(np.cumsum(sizes) - sizes, counts))


def _named(columns: Iterable[bytes], names: Sequence[str]) -> Any:
    codes = np.frombuffer(b"".join(columns), np.uint8).astype(np.int8)
    return pa.DictionaryArray.from_arrays(codes, pa.array([str(name) for name in names], pa.string()))


def _texts(item: Judged) -> list[str]:
    """The frame's texts, masked."""
    frame, text = item.frame, item.frame.text
    if item.masks:
        begin, end = _bounds(frame)
        text = mask_text(
            text, [(begin[m.event] + m.start, min(begin[m.event] + m.end, end[m.event])) for m in item.masks]
        )
    lines = text.split("\n")
    if len(lines) != len(frame):  # a text holds a newline itself
        lines = [text[start:stop] for start, stop in zip(*_bounds(frame), strict=True)]
    return lines


def _bounds(frame: Frame) -> tuple[list[int], list[int]]:
    """Where each text starts and ends in `frame.text` (code points)."""
    lengths = np.frombuffer(frame.lengths, "<u4").astype(np.int64)
    ends = np.cumsum(lengths + 1) - 1
    return (ends - lengths).tolist(), ends.tolist()


def _masks(judged: Sequence[Judged], counts: "np.ndarray[Any, Any]") -> Any:
    first = np.cumsum(counts) - counts
    rows = [
        (int(first[i]) + mask.event, mask.start, mask.end, mask.kind)
        for i, item in enumerate(judged)
        for mask in sorted(item.masks, key=lambda m: (m.event, m.start))
    ]
    per_event = np.bincount([row[0] for row in rows], minlength=int(counts.sum())) if rows else np.zeros(counts.sum())
    offsets = np.concatenate(([0], np.cumsum(per_event))).astype("<i4")
    spans = pa.StructArray.from_arrays(
        [pa.array([row[i] for row in rows], kind) for i, kind in ((1, pa.int32()), (2, pa.int32()), (3, pa.string()))],
        names=["start", "end", "kind"],
    )
    return pa.ListArray.from_arrays(offsets, spans)
