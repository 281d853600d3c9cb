"""Bounded memory: long files, long lines, and small files that become large ones."""

import gzip
import io
import itertools
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
import zstandard

from monitor.adapters.sources import Batch, SourceOptions, open_source
from monitor.domain.decoding import Limits
from monitor.domain.errors import InputError
from monitor.domain.events import Event
from monitor.domain.rejections import Rejected

OPTIONS = SourceOptions(now_ms=1_800_000_000_000)
LINES = 200_000
COUNT = {"srt": LINES // 4, "vtt": LINES // 3}  # items of more than one line
MIB = 1024 * 1024


class Generated:
    """A stream out of a generator; nothing of it is kept. `given` counts the bytes that were read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._ahead = b""
        self.given = 0

    def read(self, size: int, /) -> bytes:
        while len(self._ahead) < size and (more := b"".join(itertools.islice(self._parts, 500))):
            self._ahead += more
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        self.given += len(data)
        return data


def lines_of(name: str) -> Iterator[bytes]:
    text, count = "链接在哪里呀".encode(), COUNT.get(name, LINES)
    if name == "ndjson":
        for i in range(count):
            yield b'{"id":"c-%d","kind":"comment","text":"%b"}\n' % (i, text)
    elif name == "json array":
        yield b"["
        for i in range(count):
            yield b'{"id":"c-%d","kind":"comment","text":"%b"}%b' % (i, text, b",\n" if i < count - 1 else b"]")
    elif name == "csv":
        yield b"offset_s,user_id,text\n"
        for i in range(count):
            yield b"%d.5,u%d,%b\n" % (i // 20, i % 999, text)
    elif name == "danmaku_xml":
        yield b'<?xml version="1.0"?><i>\n'
        for i in range(count):
            yield b'<d p="%d.5,1,25,16777215,0,0,%d,0">%b</d>\n' % (i // 20, i % 999, text)
    elif name == "srt":
        for i in range(count):
            yield b"%d\n00:%02d:%02d,%03d --> 00:59:59,000\n%b\n\n" % (i, i // 6000, i // 100 % 60, i % 1000, text)
    elif name == "vtt":
        yield b"WEBVTT\n\n"
        for i in range(count):
            yield b"00:%02d:%02d.%03d --> 00:59:59.000\n%b\n\n" % (i // 6000, i // 100 % 60, i % 1000, text)
    elif name == "ass":
        yield b"[Events]\nFormat: Start, End, Text\n"
        for i in range(count):
            yield b"Dialogue: 0:%02d:%02d.%02d,0:59:59.00,%b\n" % (i // 6000, i // 100 % 60, i % 100, text)
    elif name == "funasr":
        for _ in range(count):
            yield b'{"mode":"2pass-offline","text":"%b","wav_name":"mic"}\n' % text


@pytest.mark.parametrize("name", ["ndjson", "json array", "csv", "danmaku_xml", "srt", "vtt", "ass", "funasr"])
def test_a_long_file_is_read_in_small_batches(name: str) -> None:
    stream = Generated(lines_of(name))
    _, batches = open_source(stream, OPTIONS)
    count = largest = last = given = 0
    for batch in batches:
        assert batch.rejected == []
        assert len(batch.lines) == len(batch.events)
        assert batch.lines[0] > last
        last = batch.lines[-1]
        count += len(batch.events)
        largest = max(largest, len(batch.events))
        assert stream.given - given <= 600_000  # read since the batch before
        given = stream.given
    assert given > 2 * MIB
    assert count == COUNT.get(name, LINES)
    assert 500 < largest <= 1024


def test_what_is_held_does_not_grow_with_the_file() -> None:
    tracemalloc.start()
    try:
        for batch in open_source(Generated(itertools.islice(lines_of("danmaku_xml"), 60_000)), OPTIONS)[1]:
            assert batch.events
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


def long_item(name: str, size: int) -> Iterator[bytes]:
    """A good item, one of `size` bytes, and a good one; the line of the long one is 3 (2 for the XML)."""
    long = itertools.repeat(b"x" * 10_000, size // 10_000)
    before, begin, end, after = {
        "ndjson": (b'{"id":"a","kind":"comment","text":"a"}\n\n', b'{"id":"b","text":"', b'"}\n',
                   b'{"id":"c","kind":"comment","text":"c"}\n'),
        "csv": (b"offset,text\n1,a\n", b"2,", b"\n", b"3,c\n"),
        "csv quoted": (b"offset,text\n1,a\n", b'2,"', b'"\n', b"3,c\n"),
        "danmaku_xml": (b'<i><d p="1">a</d>\n', b'<d p="2">', b"</d>\n", b'<d p="3">c</d></i>'),
        "danmaku_xml tag": (b'<i><d p="1">a</d>\n', b'<d p="2" user="', b'">b</d>\n', b'<d p="3">c</d></i>'),
        "danmaku_xml >": (b'<i><d p="1">a</d>\n', b'<d p="2" user="' + b">" * 20, b'">b</d>\n', b'<d p="3">c</d></i>'),
        "srt": (b"00:01,0 --> 00:02,0\na\n", b"", b"\n", b"00:03,0 --> 00:04,0\nc\n"),
        "funasr": (b'{"mode":"offline","text":"a"}\n\n', b'{"mode":"offline","text":"', b'"}\n',
                   b'{"mode":"offline","text":"c"}\n'),
    }[name]
    return itertools.chain([before, begin], long, [end, after])


@pytest.mark.parametrize(
    "name", ["ndjson", "csv", "csv quoted", "danmaku_xml", "danmaku_xml tag", "danmaku_xml >", "srt", "funasr"]
)
def test_a_long_line_is_rejected_and_not_kept(name: str) -> None:
    tracemalloc.start()
    try:
        _, batches = open_source(Generated(long_item(name, 10 * MIB)), OPTIONS)
        events, rejected = collected(batches)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [event.text for event in events] == ["a", "c"]
    assert [r.line for r in rejected] == [2 if name.startswith("danmaku") else 3]
    assert "1000000" in rejected[0].reason or "10000" in rejected[0].reason
    assert peak < 16 * MIB


def test_long_items_of_an_array_are_counted() -> None:
    small = SourceOptions(now_ms=OPTIONS.now_ms, limits=Limits(line_bytes=1000))
    good = b'{"id":"%d","kind":"comment","text":"ok \\" ]} ok"}'
    long = b'{"id":"%d","kind":"comment","text":"' + b'\\\\ \\" [{' * 50_000 + b'"}'
    data = b"[" + b",".join([good % 1, long % 2, good % 3, long % 4]) + b"]"
    events, rejected = collected(open_source(io.BytesIO(data), small)[1])
    assert [event.id for event in events] == ["1", "3"]
    assert [r.line for r in rejected] == [2, 4]
    assert rejected[0].reason == f"the line has {len(long) - 1} bytes, at most 1000 are taken"


def collected(batches: Iterator[Batch]) -> tuple[list[Event], list[Rejected]]:
    events: list[Event] = []
    rejected: list[Rejected] = []
    for batch in batches:
        assert len(batch.events) + len(batch.rejected) <= 1024
        events += batch.events
        rejected += batch.rejected
    return events, rejected


def bomb(packing: str, content: bytes, mib: int) -> bytes:
    """A good event, then `mib` MiB of a content that packs well."""
    packer = zlib.compressobj(9, wbits=31) if packing == "gzip" else zstandard.ZstdCompressor().compressobj()
    block = content * (MIB // len(content))
    first = packer.compress(b'{"id":"a","kind":"comment","text":"a"}\n')
    return b"".join([first, *(packer.compress(block) for _ in range(mib)), packer.flush()])


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("content", [b"0", b"0" * 65_535 + b"\n"])
def test_a_bomb_is_noticed_and_not_held(packing: str, content: bytes) -> None:
    data = bomb(packing, content, 200)
    assert len(data) < MIB
    tracemalloc.start()
    try:
        name, batches = open_source(io.BytesIO(data), OPTIONS)
        assert name == "ndjson"
        with pytest.raises(InputError, match="expands more than 500 times"):
            for _ in batches:
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 * MIB


def test_a_window_beyond_the_bound_is_refused_not_allocated() -> None:
    packer = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    ).compressobj()
    data = packer.compress(b'{"id":"a","kind":"comment","text":"a"}\n' * 100) + packer.flush()
    with pytest.raises(InputError, match="damaged after 0 bytes"):
        open_source(io.BytesIO(data), OPTIONS)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_cut_archive_gives_what_is_in_it(packing: str) -> None:
    rows = b"".join(b'{"id":"c-%d","kind":"comment","text":"%d"}\n' % (i, i * 7919 % 1000) for i in range(60_000))
    data = gzip.compress(rows) if packing == "gzip" else zstandard.ZstdCompressor().compress(rows)
    events, rejected, warnings = [], [], []
    for batch in open_source(io.BytesIO(data[: len(data) * 2 // 3]), OPTIONS)[1]:
        events += batch.events
        rejected += batch.rejected
        warnings += batch.warnings
    assert 20_000 < len(events) < 60_000
    assert [event.id for event in events] == [f"c-{i}" for i in range(len(events))]
    assert len(rejected) <= 1 and all("middle of an item" in r.reason for r in rejected)
    assert len(warnings) == 1 and "ends early" in warnings[0]


def test_a_damaged_archive_says_so() -> None:
    data = bytearray(gzip.compress(b'{"id":"a","kind":"comment","text":"a"}\n' * 100))
    data[-6] ^= 0xFF
    batches = list(open_source(io.BytesIO(bytes(data)), OPTIONS)[1])
    assert sum(len(batch.events) for batch in batches) == 100
    assert "damaged" in batches[-1].warnings[0]


def test_many_rejections_come_in_batches_too() -> None:
    faulty = itertools.chain([b"00:01,0 --> 00:02,0\n"], itertools.repeat(b"00:01,0 --> x\n", 5000))
    sizes = [len(batch.rejected) for batch in open_source(Generated(faulty), OPTIONS)[1]]
    assert sum(sizes) == 5000 and max(sizes) <= 1024


def test_voices_of_one_cue_come_in_batches_too() -> None:
    cue = b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + b"<v a>x" * 1600 + b"\n"
    sizes = [len(batch.events) for batch in open_source(io.BytesIO(cue), OPTIONS)[1]]
    assert sizes == [1024, 576]
