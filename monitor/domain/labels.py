"""Labels: what people of a tenant say of lines, to learn from and to measure on. Of lines, never of persons."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from monitor.domain.decoding import Limits
from monitor.domain.errors import InputError
from monitor.domain.events import EARLIEST, Kind, Role
from monitor.domain.ids import digest
from monitor.domain.labelled import CARE, HARD, ORDINARY, VIOLATION, Labelled
from monitor.domain.rejections import TOO_DEEP, TOO_EARLY, UNREADABLE, Fault, Rejected, reject, too_long
from monitor.domain.rules import CATEGORIES
from monitor.domain.splitting import Splitter, TooLong

MOST_TEXT: Final = 4_000
"""Code points."""
_DEEPEST: Final = 1_000
_MARK: Final = b"\xef\xbb\xbf"
Word = Annotated[str, Meta(max_length=256)]


Reason = Annotated[str, Meta(max_length=2_000)]


class Withdrawn(Struct, frozen=True, kw_only=True):
    """Who took a label back, when (UTC ms), and why."""

    by: Word
    at: int
    reason: Reason = ""


class Label(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line and the categories that it breaks; none where it is lawful.

    `near`: the category that a lawful line comes close to, as where a finding was dismissed. `by`: who says so, `at`:
    when (UTC ms), `reason`: why. `source`: what the line came by, such as a file or `pick.random`; `event`: its id,
    where it came from an event. `weight`: how many events such a line stands for, where it was drawn at random.
    `withdrawn`: it is kept for what it was, and teaches nothing any more.
    """

    text: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
    labels: list[str]
    id: Word = ""
    kind: Kind = Kind.TRANSCRIPT
    speaker: Role = Role.HOST
    vertical: Word = ""
    near: Word = ""
    by: Word = ""
    at: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    source: Word = ""
    reason: Reason = ""
    event: Word = ""
    weight: Annotated[float, Meta(gt=0, le=1e12)] = 1.0
    withdrawn: Withdrawn | None = None


def label_id(label: Label) -> str:
    """For a label without an id: the same line has the same one."""
    return "l" + digest(label.kind, label.speaker, label.text)


def replaces(label: Label, old: Label) -> bool:
    """Does a label that is given under the id of an earlier one take its place? The same one does not, and a withdrawn
    one comes back only as another statement: the file that it came from may be taken again."""
    if old.withdrawn is not None:
        return (label.text, label.kind, label.speaker, sorted(label.labels), label.near) != (
            old.text, old.kind, old.speaker, sorted(old.labels), old.near)
    return msgspec.structs.replace(old, at=label.at) != label


def learnt_from(label: Label) -> Labelled:
    """As a classifier learns it: dismissed lines are hard negatives, and those of one day stand together."""
    day = datetime.fromtimestamp(label.at / 1000, UTC).strftime("%Y-%m-%d")
    kind = VIOLATION if label.labels else HARD if label.near else ORDINARY
    return Labelled(id=label.id, type=kind, labels=label.labels, kind=label.kind, speaker=label.speaker,
                    vertical=label.vertical, near=label.near, brief=f"labels of {day}", text=label.text)


def fault_of(label: Label, *, now: int, future_ms: int = Limits().future_ms) -> Fault | None:
    """What is wrong with it beyond its form: (field, reason, hint). `now`: UTC ms."""
    for field, names, known in (("labels", label.labels, CATEGORIES),
                                ("near", [label.near] if label.near else [], (*CATEGORIES, CARE))):
        if strangers := [name for name in names if name not in known]:
            return field, f"there is no category {strangers[0][:40]!r}", "one of " + ", ".join(known)
    if label.withdrawn is not None:
        return "withdrawn", "a label does not come withdrawn", "leave it out, or withdraw the label by its id"
    if label.near in label.labels:
        return "near", "a line breaks a category, or comes near to it", "name it in one of the two"
    if label.kind is Kind.SIGNAL:
        return "kind", "a signal has no text to label", "label what was said or written"
    if not label.text.strip():
        return "text", "the text is blank", "send the line that is labelled"
    if 0 < label.at < EARLIEST:
        return "at", *TOO_EARLY
    if label.at > now + future_ms:
        return "at", "the time lies in the future", "check the sender's clock (milliseconds, UTC)"
    return None


class Labels(Struct, frozen=True):
    """A body, read. `rejected` is cut after the first ones, `rejected_total` counts all."""

    labels: list[Label]
    rejected: list[Rejected]
    rejected_total: int


_label: Final = msgspec.json.Decoder(Label)


def decode_labels(body: bytes, limits: Limits, *, now: int) -> Labels:
    """NDJSON or a JSON array. Nothing is raised for bad items: they are in `rejected`, each with its line. `now`: UTC
    ms. A body with more than `limits.batch` items is rejected as a whole."""
    found: list[Label] = []
    rejected: list[Rejected] = []
    for number, raw in _items(body.removeprefix(_MARK), limits.line_bytes):
        if len(found) + len(rejected) >= limits.batch:
            return Labels([], [Rejected(number, "", f"more than {limits.batch} items; none of them was taken",
                                        "send smaller requests")], 1)
        read = raw if isinstance(raw, Rejected) else _read(number, raw, limits, now)
        if isinstance(read, Label):
            found.append(read)
        else:
            rejected.append(read)
    return Labels(found, rejected[: limits.rejections], len(rejected))


def _read(number: int, raw: bytes | TooLong, limits: Limits, now: int) -> Label | Rejected:
    size = raw.size if isinstance(raw, TooLong) else len(raw)
    if isinstance(raw, TooLong) or size > limits.line_bytes:
        return too_long(number, size, limits.line_bytes)
    try:
        label = _label.decode(raw)
    except UNREADABLE as error:
        return reject(number, raw, error, fields="docs/models.md", unknown="remove it")
    fault = fault_of(label, now=now, future_ms=limits.future_ms)
    return Rejected(number, *fault, id=label.id or None) if fault else label


def _items(body: bytes, line_bytes: int) -> Iterator[tuple[int, bytes | TooLong | Rejected]]:
    """Each with its line, or its place in the array, from 1."""
    if body.lstrip()[:1] != b"[":
        yield from ((number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip())
        return
    splitter = Splitter(line_bytes, array=True, deepest=_DEEPEST)
    try:
        items = [*splitter.feed(body), *splitter.finish()]
    except InputError:
        yield 1, Rejected(1, *TOO_DEEP)
        return
    yield from enumerate(items, 1)
    if not splitter.closed:
        yield len(items) + 1, Rejected(len(items) + 1, "", "the array has no end", "send the whole array")
