"""redpost's own events out of files: lines, arrays, rows of objects; good ones kept beside bad ones."""

import io

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.sources import SourceOptions, open_source
from monitor.adapters.sources.ndjson import read
from monitor.domain.decoding import Limits
from monitor.domain.errors import InputError
from monitor.domain.events import EARLIEST, Event, Kind, Role, Speaker, Stage
from monitor.domain.rejections import Rejected
from monitor.domain.splitting import Splitter, TooLong

NOW = 1_800_000_000_000
OPTIONS = SourceOptions(now_ms=NOW)


def collected(data: bytes, options: SourceOptions = OPTIONS) -> tuple[list[Event], list[int], list[Rejected]]:
    batches = list(read(io.BytesIO(data), options))
    return (
        [event for batch in batches for event in batch.events],
        [line for batch in batches for line in batch.lines],
        [rejected for batch in batches for rejected in batch.rejected],
    )


def line(name: str, text: str = "ok") -> bytes:
    return b'{"id":"%b","kind":"comment","text":"%b"}' % (name.encode(), text.encode())


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
events = st.builds(
    Event,
    id=names,
    kind=st.sampled_from([kind for kind in Kind if kind is not Kind.SIGNAL]),
    text=words,
    source=names,
    room=words,
    broadcast=words,
    stage=st.sampled_from(Stage),
    at=st.none() | st.integers(EARLIEST, NOW),
    offset_ms=st.none() | st.integers(0, 2**31 - 1),
    duration_ms=st.none() | st.integers(0, 2**31 - 1),
    speaker=st.none() | words | st.builds(Speaker, role=st.sampled_from(Role), id=words),
    confidence=st.none() | st.floats(0, 1),
    final=st.booleans(),
    revision=st.none() | st.integers(0, 1000),
    attributes=st.dictionaries(words, words | st.integers(-9, 9) | st.booleans() | st.none(), max_size=3),
)


@settings(deadline=None)
@given(st.lists(events, max_size=8), st.sampled_from(["lines", "spaced", "array", "pretty array", "pretty row"]))
def test_events_come_back_as_they_were(sent: list[Event], form: str) -> None:
    items = [msgspec.json.encode(event) for event in sent]
    pretty = [msgspec.json.format(item, indent=2) for item in items]
    data = {
        "lines": b"\n".join(items) + b"\n",
        "spaced": b"\r\n\n".join(items),
        "array": b" [" + b",".join(items) + b"]\n",
        "pretty array": b"[\n" + b",\n".join(pretty) + b"\n]",
        "pretty row": b"\n".join(pretty),
    }[form]
    read_back, lines, rejected = collected(data)
    assert (read_back, rejected) == (sent, [])
    assert lines == [n * (2 if form == "spaced" else 1) + 1 for n in range(len(sent))]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30) | st.sampled_from([line("a"), b"[1]", b"{", b"]", b'"', b"{}"]), max_size=9))
def test_lines_do_not_spoil_one_another(noise: list[bytes]) -> None:
    noise = [one.replace(b"\n", b"") for one in noise]
    data = line("first") + b"\n" + b"\n".join(one + b"\n" + line(f"n{n}") for n, one in enumerate(noise)) + b"\n"
    found, lines, rejected = collected(data)
    assert [event.id for event in found if event.id != "a"] == ["first", *(f"n{n}" for n in range(len(noise)))]
    assert lines == sorted(lines) and not set(lines) & {r.line for r in rejected}
    assert [2 * n + 1 for n in range(len(noise) + 1)] == [n for n, e in zip(lines, found, strict=True) if e.id != "a"]


def test_a_bad_line_is_named_and_the_rest_kept() -> None:
    bad = b'{"id":"2","kind":"comment"}', b'{"id":"3","kind":"nonsense","text":""}'
    found, lines, rejected = collected(b"\n".join([line("1"), *bad, line("4"), b"x", b""]))
    assert ([event.id for event in found], lines) == (["1", "4"], [1, 4])
    assert [(r.line, r.field, r.id) for r in rejected] == [(2, "text", "2"), (3, "kind", "3"), (5, "", None)]


def test_lines_are_counted_across_blocks() -> None:
    rows = [line(str(n)) for n in range(5000)]
    rows[3000] = b"broken"
    rows[4000] = b""
    _, lines, rejected = collected(b"\n".join(rows))
    assert [r.line for r in rejected] == [3001]
    assert lines == [n for n in range(1, 5001) if n not in (3001, 4001)]


def test_an_array_in_the_middle_costs_its_line() -> None:
    rows = [line(str(n)) for n in range(3000)]
    rows[1024] = b"[" + line("x") + b"]"
    rows[1025] = b"  [2]"
    found, _, rejected = collected(b"\n".join(rows))
    assert len(found) == 2998
    assert [(r.line, r.reason) for r in rejected] == [
        (1025, "an array stands in the middle of the events"), (1026, "an array stands in the middle of the events"),
    ]


@pytest.mark.parametrize("form", ["line", "array", "row"])
def test_nesting_costs_its_item(form: str) -> None:
    deep = b'{"id":"x","kind":"comment","text":"x","attributes":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    items = [line("1"), deep, line("3")]
    data = b"[" + b",".join(items) + b"]" if form == "array" else b"\n".join(items)
    found, lines, rejected = collected(data)
    assert ([event.id for event in found], lines) == (["1", "3"], [1, 3])
    (only,) = rejected
    assert only.line == 2


@pytest.mark.parametrize("second", [line("b"), b'{"id":"b","kind":"signal","text":"gift"}'])
@pytest.mark.parametrize("others", [[], [b"broken"]])
def test_two_objects_in_a_line_are_rejected_with_it(second: bytes, others: list[bytes]) -> None:
    found, lines, rejected = collected(b"\n".join([b"", line("1"), line("a") + second, line("2"), *others]))
    assert ([event.id for event in found], lines) == (["1", "2"], [2, 4])
    assert [r.line for r in rejected] == [3, 5][: 1 + len(others)]


def test_nesting_without_end_is_an_input_error() -> None:
    with pytest.raises(InputError, match="nested deeper"):
        collected(b"[" * 1_100_000)


@pytest.mark.parametrize("cut", range(1, len(line("2", "没有换行"))))
@pytest.mark.parametrize("form", ["lines", "array"])
def test_a_cut_last_item_is_said_to_be_cut(form: str, cut: int) -> None:
    before, between = (b"", b"\n") if form == "lines" else (b"[", b",")
    found, _, rejected = collected(before + line("1") + between + line("2", "没有换行")[:cut])
    assert [event.id for event in found] == ["1"]
    assert [(r.line, r.reason) for r in rejected] == [(2, "the file ends in the middle of an item")]


def test_a_last_item_without_line_end_or_bracket_is_whole() -> None:
    for data in (line("1") + b"\n" + line("2"), b"[" + line("1") + b"," + line("2")):
        found, _, rejected = collected(data)
        assert ([event.id for event in found], rejected) == (["1", "2"], [])


def test_a_bad_last_line_is_bad_not_cut() -> None:
    _, _, rejected = collected(line("1") + b'\n{"id":"2",,}')
    assert "malformed JSON" in rejected[0].reason


@pytest.mark.parametrize(
    ("data", "ids", "bad"),
    [
        (b"[%b,,%b,]", ["1", "2"], []),
        (b"[%b, 7, %b]", ["1", "2"], [2]),
        (b'[%b, {"a":[1,2}, %b]', ["1", "2"], [2]),
        (b'[%b, {"a":1}}, %b]', ["1", "2"], [2]),
        (b"[%b, %b] trailing", ["1", "2"], [3]),
        (b"[%b, %b]]", ["1", "2"], [3]),
        (b"[]%b%b", [], [1]),
    ],
)
def test_faults_inside_an_array_stay_there(data: bytes, ids: list[str], bad: list[int]) -> None:
    found, _, rejected = collected(data % (line("1"), line("2")))
    assert ([event.id for event in found], [r.line for r in rejected]) == (ids, bad)


PIECES = [b'{"a":"\\"]},"}', b'{"b":[{"c":{}}]}', b"17", b'"x,y"', b"{}", b'{"d":{"e":"}"}}']


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=9),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_the_splitter_finds_the_items_however_they_arrive(items: list[bytes], steps: list[int]) -> None:
    data = b"[ " + b" , ".join(items) + b" ]"
    splitter = Splitter(1000, array=True)
    found: list[bytes | TooLong] = []
    at = 0
    while at < len(data):
        step = steps[at % len(steps)]
        found += splitter.feed(data[at : at + step])
        at += step
    assert found + splitter.finish() == items
    assert splitter.closed


def test_long_lines_and_the_limits_of_the_caller() -> None:
    small = SourceOptions(now_ms=NOW, limits=Limits(line_bytes=60, text=5, batch=1, rejections=1))
    data = b"\n".join([line("1"), line("2", "x" * 50), line("3", "too long"), *[line("n")] * 2000])
    found, _, rejected = collected(data, small)
    assert len(found) == 2001
    assert [(r.line, r.field) for r in rejected] == [(2, ""), (3, "text")]


def test_options_fill_and_override() -> None:
    data = b'{"id":"1","kind":"comment","text":"a","offset_ms":5}\n' \
           b'{"id":"2","kind":"caption","text":"b","room":"own","source":"own","speaker":"host","at":1600000000000}\n' \
           b'{"id":"3","kind":"signal","text":"gift"}\n'
    options = SourceOptions(
        now_ms=NOW, source="s", room="r", broadcast="b", kind=Kind.TRANSCRIPT, speaker="anna",
        started_at=1_700_000_000_000,
    )
    first, second, third = collected(data, options)[0]
    assert (first.source, first.room, first.broadcast, first.kind) == ("s", "r", "b", Kind.TRANSCRIPT)
    assert first.at == 1_700_000_000_005
    assert first.speaker == Speaker(Role.HOST, "anna")
    assert (second.source, second.room, second.kind, second.at) == ("own", "own", Kind.TRANSCRIPT, 1_600_000_000_000)
    assert second.speaker == "host"
    assert (third.kind, third.speaker) == (Kind.SIGNAL, Speaker(Role.OFFICIAL, "anna"))


@pytest.mark.parametrize(("at", "taken"), [(0, True), (359_999_999, True), (1_790_000_000, False), (NOW, True)])
def test_small_times_of_a_recording_count_from_its_start_and_seconds_are_refused(at: int, taken: bool) -> None:
    found, _, rejected = collected(b'{"id":"1","kind":"comment","text":"a","at":%d}\n' % at)
    assert ([event.at for event in found], [r.field for r in rejected]) == (([at], []) if taken else ([], ["at"]))


def test_future_times_are_refused() -> None:
    _, _, rejected = collected(b'{"id":"1","kind":"comment","text":"a","at":%d}\n' % (NOW + 10**7))
    assert [r.field for r in rejected] == ["at"]


def test_a_file_that_misses_a_field_is_still_events() -> None:
    name, batches = open_source(io.BytesIO(b'{"id":"1","text":"a"}\n'), OPTIONS)
    assert name == "ndjson"
    assert [r.field for batch in batches for r in batch.rejected] == ["kind"]
