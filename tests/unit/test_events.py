"""The decoder: strict, batched, and clear about what is wrong."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain import events
from monitor.domain.decoding import Limits, Rejected, decode
from monitor.domain.events import Event, Kind, Role, Speaker, lane_of, role_and_id

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
        (b'{"id":"a","kind":"comment","text":"t","at":-5}', "at", ">= 0"),
        (b'{"id":"a","kind":"comment","text":"\\ud800"}', "text", "lone surrogate"),
        (b'{"id":"a","kind":"comment","text":"\xff"}', "", "UTF-8"),
        (b'{"id":"a","kind":"comment","text":"\0"}', "", "NUL"),
        (b'{"id":"a","kind":"comment","text":"t"', "", "malformed JSON"),
        (b'{"id":"a","kind":"signal","text":"party"}', "text", "unknown signal"),
        (b'{"id":"a","kind":"comment","text":"t","speaker":{"role":"boss"}}', "speaker", "invalid enum"),
        (b'{"id":"a","kind":"comment","text":"t","confidence":2}', "confidence", "<= 1"),
        (b'{"id":"a","kind":"comment","text":"t","revision":2147483647}', "revision", "expected"),
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


def test_limits() -> None:
    assert one(b'{"id":"a","kind":"comment","text":"12345"}', text=4).field == "text"
    assert "bytes" in one(b'{"id":"a","kind":"comment","text":1,"x":"' + b"y" * 200 + b'"}', line_bytes=100).reason
    many = decode(b"\n".join([GOOD] * 5), Limits(batch=4), now_ms=NOW)
    assert not many.events
    assert "5 items" in many.rejected[0].reason
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
