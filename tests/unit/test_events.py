"""The decoder: strict, batched, and clear about what is wrong."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import events
from monitor.domain.decoding import Limits, decode
from monitor.domain.events import Event, Kind, Role, Speaker, lane_of, role_and_id
from monitor.domain.rejections import Rejected

NOW = 1_790_000_000_000
GOOD = b'{"id":"a","kind":"comment","text":"t"}'


def one(body: bytes, **limits: int) -> Rejected:
    decoded = decode(body, Limits(**limits), now_ms=NOW)
    assert not decoded.events
    assert decoded.rejected_total == 1
    (rejected,) = decoded.rejected
    assert rejected.reason
    assert rejected.hint
    return rejected


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b'{"id":"a","kind":"x","text":"t"}', "kind", "invalid enum value 'x'"),
        (b'{"id":"a","kind":"comment"}', "text", "missing required field"),
        (b'{"id":"","kind":"comment","text":"t"}', "id", "length >= 1"),
        (b'{"id":7,"kind":"comment","text":"t"}', "id", "expected `str`"),
        (b'{"id":"a","kind":"comment","text":"t","mood":1}', "mood", "unknown field"),
        (b'{"id":"a","kind":"comment","text":"t","at":"2026-01-01T00:00:00"}', "at", "no offset"),
        (b'{"id":"a","kind":"comment","text":"t","at":"yesterday"}', "at", "invalid"),
        (b'{"id":"a","kind":"comment","text":"t","at":1890000000000}', "at", "in the future"),
        (b'{"id":"a","kind":"comment","text":"t","at":-5}', "at", "before 2001"),
        (b'{"id":"a","kind":"comment","text":"\\ud800"}', "text", "lone surrogate"),
        (b'{"id":"a","kind":"comment","text":"\xff"}', "", "UTF-8"),
        (b'{"id":"a","kind":"comment","text":"\0"}', "", "NUL"),
        (b'{"id":"a","kind":"comment","text":"t"', "", "malformed JSON"),
        (b'{"id":"a","kind":"signal","text":"party"}', "text", "unknown signal"),
        (b'{"id":"a","kind":"comment","text":"t","speaker":{"role":"boss"}}', "speaker.role", "invalid enum"),
        (b'{"id":"a","kind":"comment","text":"t","speaker":{"role":"host","x":1}}', "speaker.x", "field speaker.x"),
        (b'{"id":"a","kind":"comment","text":"t","speaker":{"id":"u"}}', "speaker.role", "missing"),
        (b'{"id":"a","kind":"comment","text":"t","confidence":2}', "confidence", "<= 1"),
        (b'{"id":"a","kind":"comment","text":"t","revision":2147483648}', "revision", "expected"),
        (b'{"id":"a","kind":"comment","text":"t","attributes":{"x":[1]}}', "attributes", "expected"),
        (b"[" * 100_000, "", ""),
        (b'{"id":' + b"[" * 100_000, "id", ""),
        (GOOD + GOOD, "", "several objects"),
    ],
)
def test_each_fault_is_named(body: bytes, field: str, reason: str) -> None:
    rejected = one(body)
    assert rejected.field == field
    assert reason in rejected.reason
    assert rejected.line == 1


def test_the_good_ones_of_the_same_request_are_kept_with_their_lines() -> None:
    b, d = GOOD.replace(b'"a"', b'"b"'), GOOD.replace(b'"a"', b'"d"')
    body = b"\n".join([GOOD, b"nonsense", b"", b, b'{"id":"c"}', d])
    decoded = decode(body, Limits(), now_ms=NOW)
    assert [(e.id, n) for e, n in zip(decoded.events, decoded.lines, strict=True)] == [("a", 1), ("b", 4), ("d", 6)]
    assert [(r.line, r.field) for r in decoded.rejected] == [(2, ""), (5, "kind")]
    array = decode(b"[" + GOOD + b', 3, {"id":"z"}]', Limits(), now_ms=NOW)
    assert [e.id for e in array.events] == ["a"]
    assert [r.line for r in array.rejected] == [2, 3]


@pytest.mark.parametrize(
    "body", [b"", b"\n\n", b"[]", b"\xef\xbb\xbf" + GOOD, GOOD + b"\r\n" + GOOD, b" [" + GOOD + b"]"])
def test_shapes_of_bodies(body: bytes) -> None:
    decoded = decode(body, Limits(), now_ms=NOW)
    assert not decoded.rejected
    assert len(decoded.events) == body.count(b'"id"')


@pytest.mark.parametrize("space", [b" " * 70, b"\n" * 300_000])
def test_an_array_is_known_behind_any_white_space(space: bytes) -> None:
    assert len(decode(space + b"[" + GOOD + b"]", Limits(), now_ms=NOW).events) == 1


@pytest.mark.parametrize("at", [b"0", b"1790000000", b'"0001-01-01T00:00:00+14:00"', b'"2001-09-09T00:00:00Z"'])
def test_times_in_seconds_and_of_clocks_never_set_are_refused(at: bytes) -> None:
    rejected = one(b'{"id":"a","kind":"comment","text":"t","at":%s}' % at)
    assert (rejected.field, "milliseconds" in rejected.hint) == ("at", True)


@pytest.mark.parametrize(
    "attributes",
    ['{"n":9223372036854775808}', '{"n":-9223372036854775809}', '{"t":"%s"}' % ("x" * 2_001), '{"%s":1}' % ("k" * 257),
     json.dumps({str(n): n for n in range(65)}), '{"n":' + "9" * 5_000 + "}"],
)
def test_attributes_are_bounded(attributes: str) -> None:
    rejected = one(b'{"id":"a","kind":"comment","text":"t","attributes":%s}' % attributes.encode())
    assert (rejected.field, "64" in rejected.hint) == ("attributes", True)


def test_a_rejection_repeats_little_of_what_was_sent() -> None:
    rejected = one(b'{"id":"a","%s":1}' % (b"x" * 5_000))
    assert len(rejected.field) <= 100 and len(rejected.reason) <= 100


LINE = b'{"id":"%d","kind":"comment","text":"t"}'


def framed(items: list[bytes], form: str) -> bytes:
    return b"[" + b",".join(items) + b"]" if form == "array" else b"\n".join(items)


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_large_body_is_read_in_pieces_with_the_same_lines(form: str) -> None:
    items = [LINE % n for n in range(9_000)]
    items[7_000] = b'{"id":"7000"}'
    items[8_000] = b'{"id":"8000","kind":"comment","text":"},{"}'
    items[8_500] = b'{"id":"8500","kind":"comment","text":"%s"}' % (b"x" * 300_000)
    items[8_600] = b'{"id":"8600","kind":"comment","text":"%s"}' % (b"x" * 1_100_000)
    body = framed(items, form)
    decoded = decode(body, Limits(text=400_000), now_ms=NOW)
    assert [(e.id, n) for e, n in zip(decoded.events, decoded.lines, strict=True)] == [
        (str(n), n + 1) for n in range(9_000) if n not in (7_000, 8_600)]
    assert [(r.line, r.field) for r in decoded.rejected] == [(7_001, "kind"), (8_601, "")]


@pytest.mark.parametrize("form", ["lines", "array"])
@pytest.mark.parametrize("item", [GOOD, b"0", b"x"])
def test_an_item_too_many_and_nothing_is_taken(form: str, item: bytes) -> None:
    for count in (20, 12_000):
        decoded = decode(framed([item] * count, form), Limits(batch=19), now_ms=NOW)
        assert not decoded.events
        assert "more than 19" in decoded.rejected[0].reason
        assert decoded.rejected_total <= 8_000, "it stops in the piece where the limit is passed"


@pytest.mark.parametrize("form", ["lines", "array"])
def test_at_most_so_many_rejections_are_listed(form: str) -> None:
    decoded = decode(framed([b"x"] * 50 + [GOOD], form), Limits(rejections=10), now_ms=NOW)
    assert (len(decoded.rejected), decoded.rejected_total, len(decoded.events)) == (10, 50, 1)


@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_long_item_is_refused_however_it_comes(form: str) -> None:
    long = b'{"id":"b","kind":"comment","text":"%s"}' % (b"x" * 200)
    decoded = decode(framed([GOOD, long, GOOD], form), Limits(line_bytes=100), now_ms=NOW)
    assert [(r.line, "at most 100" in r.reason) for r in decoded.rejected] == [(2, True)]
    assert list(decoded.lines) == [1, 3]


@pytest.mark.parametrize(
    "body", [b"[" + b"0," * 1_000_000 + b"0]", b"0\n" * 1_000_000, b"\n" * 2_000_000 + b"x", b"[" * 2_000_000,
             GOOD * 55_000, b"[" + b"{}," * 700_000],
    ids=["zeros", "lines", "blank lines", "brackets", "one line", "objects"],
)
def test_a_small_body_cannot_take_much_memory(body: bytes) -> None:
    tracemalloc.start()
    try:
        decoded = decode(body, Limits(), now_ms=NOW)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not decoded.events and decoded.rejected
    assert peak < 16 * 2**20


def test_an_array_without_its_end_keeps_what_is_whole() -> None:
    for cut, line in ((b"[" + GOOD, 2), (b"[" + GOOD + b"," + GOOD[:9], 2), (b"[", 1)):
        decoded = decode(cut, Limits(), now_ms=NOW)
        assert [r.line for r in decoded.rejected] == [line]
        assert len(decoded.events) == line - 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([GOOD, b'{"id":1}', b"{}", b"[]", b'{"id":"b","kind":"comment","text":"],[}{"}']),
                min_size=1, max_size=30), st.sampled_from(["lines", "array"]), st.integers(50, 300))
def test_pieces_make_no_difference(items: list[bytes], form: str, line_bytes: int) -> None:
    """A small limit of a line makes small pieces."""
    body = framed([GOOD, *items], form)
    small, large = (decode(body, Limits(line_bytes=size), now_ms=NOW) for size in (line_bytes, 10**6))
    assert (small.events, list(small.lines)) == (large.events, list(large.lines))
    assert [(r.line, r.field) for r in small.rejected] == [(r.line, r.field) for r in large.rejected]


def test_limits() -> None:
    assert one(b'{"id":"a","kind":"comment","text":"12345"}', text=4).field == "text"
    assert "bytes" in one(b'{"id":"a","kind":"comment","text":1,"x":"' + b"y" * 200 + b'"}', line_bytes=100).reason
    many = decode(b"\n".join([GOOD] * 5), Limits(batch=4), now_ms=NOW)
    assert not many.events
    assert "more than 4 items" in many.rejected[0].reason
    listed = decode(b"\n".join([b"x"] * 50), Limits(rejections=10), now_ms=NOW)
    assert (listed.rejected_total, len(listed.rejected) <= 50) == (50, True)


@pytest.mark.parametrize(
    ("kind", "speaker", "expected"),
    [
        (Kind.TRANSCRIPT, None, (Role.HOST, "")), (Kind.SCRIPT, None, (Role.HOST, "")),
        (Kind.CAPTION, None, (Role.OFFICIAL, "")), (Kind.PRODUCT, None, (Role.OFFICIAL, "")),
        (Kind.COMMENT, None, (Role.UNKNOWN, "")), (Kind.COMMENT, "host", (Role.HOST, "")),
        (Kind.COMMENT, "viewer", (Role.VIEWER, "viewer")), (Kind.COMMENT, "u7", (Role.VIEWER, "u7")),
        (Kind.COMMENT, Speaker(Role.VIEWER, "host"), (Role.VIEWER, "host")),
    ],
)
def test_speakers(kind: Kind, speaker: str | Speaker | None, expected: tuple[Role, str]) -> None:
    assert role_and_id(Event(id="a", kind=kind, text="t", speaker=speaker)) == expected


def test_only_viewers_comments_leave_the_host_side() -> None:
    assert lane_of(Kind.COMMENT, Role.VIEWER) == lane_of(Kind.COMMENT, Role.UNKNOWN) == 1
    assert lane_of(Kind.COMMENT, Role.OFFICIAL) == lane_of(Kind.TRANSCRIPT, Role.VIEWER) == 0


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise(body: bytes) -> None:
    decode(body, Limits(), now_ms=NOW)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([GOOD, b'{"id":1}', b"", b"{", b"\xff", GOOD + GOOD, b"null", b"[]"]), max_size=8))
def test_every_line_is_accepted_or_named(lines: list[bytes]) -> None:
    decoded = decode(b"\n".join(lines), Limits(), now_ms=NOW)
    if not (lines and b"\n".join(lines).lstrip()[:1] == b"["):
        assert len(decoded.events) + decoded.rejected_total == sum(bool(line.strip()) for line in lines)
    assert len(decoded.events) == len(decoded.lines)


def test_round_trip_of_the_fullest_event() -> None:
    full = {"id": "a", "kind": "transcript", "text": "t", "source": "s", "room": "r", "broadcast": "b", "stage": "clip",
            "at": "2026-09-21T14:13:20+08:00", "offset_ms": 1, "duration_ms": 2,
            "speaker": {"role": "guest", "id": "g"},
            "confidence": 0.5, "final": False, "revision": 3, "attributes": {"x": None, "y": 1.5}}
    (event,) = decode(json.dumps(full).encode(), Limits(), now_ms=NOW).events
    assert events.at_ms(event) == 1789971200000
    assert event.speaker == Speaker(Role.GUEST, "g")
