"""What holds for any bytes at all: a source ends, and raises nothing but InputError."""

import contextlib
import gzip
import io
import random
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.adapters.sources import SOURCES, Batch, SourceOptions, open_source
from monitor.adapters.sources.encoding import Transcoded, decided
from monitor.domain.decoding import Limits
from monitor.domain.errors import InputError
from monitor.domain.events import Event, Kind, Speaker

DATA = Path(__file__).parent.parent / "data" / "sources"
NOW = 1_800_000_000_000
OPTIONS = SourceOptions(now_ms=NOW, utc_offset=480, started_at=NOW - 10**7, limits=Limits(line_bytes=5000))
FIXTURES = {path.name: path.read_bytes() for path in sorted(DATA.iterdir())}
BEGINNINGS = [
    b"", b"WEBVTT\n", b"<i>", b"[Events]\n", b"[Script Info]\n", b"{", b"[{", b"text,offset\n", b'{"mode":"online",',
    b"00:01,0 --> 00:02,0\n", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"\xef\xbb\xbf",
]


def sound(batches: list[Batch]) -> None:
    """What every batch must be, whatever was read."""
    for batch in batches:
        assert len(batch.events) + len(batch.rejected) <= 1024
        assert len(batch.lines) == len(batch.events)
        assert batch.events or batch.rejected or batch.warnings
        for event, line in zip(batch.events, batch.lines, strict=True):
            assert line >= 1 and 1 <= len(event.id) <= 256 and len(event.text) <= OPTIONS.limits.text
            assert event.offset_ms is None or 0 <= event.offset_ms < 2**31
            assert event.duration_ms is None or 0 <= event.duration_ms < 2**31
            assert isinstance(event, Event)
            event.text.encode()
        for rejected in batch.rejected:
            assert rejected.line >= 1 and rejected.reason and rejected.hint


def opened(data: bytes) -> None:
    try:
        _, batches = open_source(io.BytesIO(data), OPTIONS)
        sound(list(batches))
    except InputError as error:
        assert error.message and error.hint


@settings(deadline=None)
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=300))
def test_random_bytes(beginning: bytes, data: bytes) -> None:
    opened(beginning + data)


@settings(deadline=None)
@given(st.sampled_from(BEGINNINGS), st.text(max_size=200))
def test_random_text(beginning: bytes, data: str) -> None:
    opened(beginning + data.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.NAME)
@settings(deadline=None)
@given(st.binary(max_size=200))
def test_a_source_bears_bytes_that_are_not_its_own(source: object, data: bytes) -> None:
    assert source in SOURCES
    for one in SOURCES:
        if one is source:
            one.sniff(data)
            with contextlib.suppress(InputError):
                sound(list(one.read(io.BytesIO(data), OPTIONS)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FIXTURES)), st.randoms(use_true_random=False), st.sampled_from(["plain", "gzip", "zstd"]))
def test_damaged_files(name: str, dice: random.Random, packing: str) -> None:
    data = bytearray(FIXTURES[name])
    for _ in range(dice.randrange(1, 8)):
        at = dice.randrange(len(data))
        match dice.randrange(4):
            case 0:
                data[at] = dice.randrange(256)
            case 1:
                del data[at : at + dice.randrange(1, 40)]
            case 2:
                data[at:at] = dice.choice([b"<", b'"', b"\n", b"{", b"}", b",", b"\0", b"-->", b"&x;", b"\xff", b"]"])
            case _:
                data[at:at] = data[: dice.randrange(60)]
        if not data:
            return
    packed = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}[packing](bytes(data))
    opened(packed)
    opened(packed[: dice.randrange(len(packed))])


@pytest.mark.parametrize("name", sorted(FIXTURES))
def test_a_file_cut_anywhere_gives_the_events_of_the_whole_one_up_to_there(name: str) -> None:
    data = FIXTURES[name]
    whole = [event for batch in open_source(io.BytesIO(data), OPTIONS)[1] for event in batch.events]
    ids = [event.id for event in whole]
    for cut in range(0, len(data), 7):
        try:
            batches = list(open_source(io.BytesIO(data[:cut]), OPTIONS)[1])
        except InputError:
            assert cut < 200
            continue
        sound(batches)
        events = [event for batch in batches for event in batch.events]
        # the last one may be shorter, or not yet of its final kind; the ones before it are as they were
        assert [event.id for event in events][:-2] == ids[: max(len(events) - 2, 0)]
        assert len(events) <= len(whole) + 1


WORDS = [b"abc", "你好".encode(), "你好".encode("gb18030"), b"\xe4\xbd"]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=9) | st.sampled_from(WORDS)))
def test_transcoding_does_not_lose_ascii_and_ends(parts: list[bytes]) -> None:
    data = b"".join(parts)
    stream = io.BytesIO(data)
    text = Transcoded(stream, None, legacy=True)
    out = b""
    while chunk := text.read(4):
        out += chunk
    assert decided(data) is not None or out == data


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=2))
def test_utf8_is_known_as_such(text: str) -> None:
    assert decided(text.encode()) == "utf-8"


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_ordinals_make_equal_items_different_and_stable(offsets: list[int]) -> None:
    data = ("text,offset\n" + "".join(f"666,{offset}\n" for offset in offsets)).encode()
    first, second = (
        [event.id for batch in open_source(io.BytesIO(data), OPTIONS)[1] for event in batch.events] for _ in range(2)
    )
    assert first == second and len(set(first)) == len(offsets)


def test_kinds_and_speakers_of_all_fixtures_are_what_the_engine_takes() -> None:
    kinds = set()
    for data in FIXTURES.values():
        for batch in open_source(io.BytesIO(data), OPTIONS)[1]:
            kinds |= {event.kind for event in batch.events}
            for event in batch.events:
                assert event.speaker is None or isinstance(event.speaker, (str, Speaker))
    assert kinds == {Kind.COMMENT, Kind.TRANSCRIPT, Kind.SIGNAL, Kind.PRODUCT}
