"""POST /api/v1/events: every kind of body, and every kind of bad client."""

import asyncio
import gzip
import io
import json
import os
import struct
import zlib
from typing import Any

import pytest
import zstandard

from monitor.adapters.web.budget import BUDGET
from monitor.domain.errors import BusyError, ConfigError, StorageError
from tests.functional.fakes import Api, events, ndjson, serving

PATH = "/api/v1/events"


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def zstd_unsized(data: bytes) -> bytes:
    """A frame that does not tell its size."""
    out = zstandard.ZstdCompressor().compressobj()
    return out.compress(data) + out.flush()


def wide(data: bytes) -> bytes:
    """A frame whose window is larger than receivers must support."""
    parameters = zstandard.ZstdCompressionParameters(window_log=25)
    out = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return out.compress(data) + out.flush()


def skippable(data: bytes) -> bytes:
    return struct.pack("<II", 0x184D2A50, len(data)) + data


async def post(api: Api, body: bytes, encoding: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
    if encoding:
        headers["Content-Encoding"] = encoding
    async with api.client.post(PATH, data=io.BytesIO(body), headers=headers) as response:
        return response.status, await response.json()


async def test_ndjson_and_array_are_taken_and_counted() -> None:
    async with serving() as api:
        assert await post(api, ndjson(1, 2)) == (
            200, {"accepted": 2, "duplicates": 0, "rejected": [], "rejected_total": 0}
        )
        array = json.dumps(events(2, 3)).encode()
        assert await post(api, array) == (
            200, {"accepted": 1, "duplicates": 1, "rejected": [], "rejected_total": 0}
        )
        assert api.ingest.calls == [("local", ndjson(1, 2), "", 0), ("local", array, "", 0)]


async def test_a_body_keeps_its_good_items() -> None:
    async with serving() as api:
        status, answer = await post(api, ndjson(1) + b'\n{"id": "e2", "kind": "nonsense", "text": "x"}\n' + ndjson(3))
        assert status == 200
        assert answer["accepted"] == 2 and answer["rejected_total"] == 1
        (rejected,) = answer["rejected"]
        assert rejected["line"] == 2 and rejected["field"] == "kind" and rejected["id"] == "e2"
        assert rejected["reason"] and rejected["hint"]


async def test_where_nothing_can_be_read_the_answer_is_400_with_the_reasons() -> None:
    async with serving() as api:
        status, answer = await post(api, b"{nonsense\n[1,2")
        error = answer["error"]
        assert status == 400
        assert error["code"] == "unreadable" and error["hint"]
        assert error["details"]["rejected_total"] == 2
        assert [r["line"] for r in error["details"]["rejected"]] == [1, 2]


LONG = ndjson(*range(2_000))
HALVES = LONG[:70_000], LONG[70_000:]
GOOD = {
    "gzip": ("gzip", gzip.compress(LONG)),
    "x-gzip": ("X-GZip", gzip.compress(LONG)),
    "gzip members": ("gzip", b"".join(map(gzip.compress, HALVES))),
    "gzip, padded": ("gzip", gzip.compress(LONG) + bytes(700)),
    "gzip members, padded": ("gzip", gzip.compress(HALVES[0]) + bytes(3) + gzip.compress(HALVES[1])),
    "gzip, empty member": ("gzip", gzip.compress(b"") + gzip.compress(LONG)),
    "zstd": ("zstd", zstd(LONG)),
    "zstd, unsized": ("zstd", zstd_unsized(LONG)),
    "zstd frames": ("zstd", b"".join(map(zstd, HALVES))),
    "zstd, skippable frame": ("zstd", skippable(b"hello") + zstd(LONG) + skippable(b"")),
    "identity": ("identity", LONG),
}


@pytest.mark.parametrize("case", GOOD)
async def test_compressed_bodies_arrive_as_they_were(case: str) -> None:
    encoding, body = GOOD[case]
    async with serving() as api:
        status, answer = await post(api, body, encoding)
        assert (status, answer.get("accepted")) == (200, 2_000)
        assert api.ingest.calls[0][1] == LONG


async def test_incompressible_bytes_in_large_steps() -> None:
    noise = os.urandom(3 * 2**20)
    async with serving() as api:
        for encoding, body in (("gzip", gzip.compress(noise, 1)), ("zstd", zstd(noise))):
            await post(api, body, encoding)
            assert api.ingest.calls.pop()[1] == noise


BROKEN = {
    "gzip garbage": ("gzip", b"this is no gzip"),
    "gzip cut": ("gzip", gzip.compress(LONG)[:-9]),
    "gzip header only": ("gzip", gzip.compress(LONG)[:10]),
    "gzip checksum": ("gzip", gzip.compress(LONG)[:-8] + b"12345678"),
    "gzip, then garbage": ("gzip", gzip.compress(LONG) + b"garbage"),
    "gzip that is zlib": ("gzip", zlib.compress(LONG)),
    "gzip members without end": ("gzip", gzip.compress(b"") * 1_001),
    "zstd garbage": ("zstd", b"this is no zstd"),
    "zstd cut": ("zstd", zstd(LONG)[:-9]),
    "zstd cut in the header": ("zstd", zstd(LONG)[:5]),
    "zstd, then garbage": ("zstd", zstd(LONG) + b"garbage"),
    "zstd frames without end": ("zstd", zstd(b"") * 1_001),
    "zstd window": ("zstd", wide(LONG)),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_compression_is_400_and_says_so(case: str) -> None:
    encoding, body = BROKEN[case]
    async with serving() as api:
        status, answer = await post(api, body, encoding)
        assert status == 400
        assert answer["error"]["code"] == "bad_body" and encoding in answer["error"]["message"]
        assert api.ingest.calls == []


ZEROS = bytes(50 * 2**20)
BOMBS = {
    "gzip": ("gzip", gzip.compress(ZEROS, 9)),
    "gzip members": ("gzip", gzip.compress(bytes(100_000)) * 500),
    "zstd": ("zstd", zstd(ZEROS)),
    "zstd, unsized": ("zstd", zstd_unsized(ZEROS)),
    "zstd frames": ("zstd", zstd(bytes(100_000)) * 500),
}


@pytest.mark.parametrize("case", BOMBS)
async def test_bombs_are_stopped_at_the_limit(case: str) -> None:
    encoding, body = BOMBS[case]
    async with serving(max_decompressed_bytes=100_000) as api:
        assert len(body) < 100_000 or case.endswith("members")
        status, answer = await post(api, body, encoding)
        assert status == 413
        assert answer["error"]["code"] == "too_large"
        assert answer["error"]["details"] == {"limit_bytes": 100_000}
        assert api.ingest.calls == []


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    for encoding, compress in (("gzip", gzip.compress), ("zstd", zstd), ("zstd", zstd_unsized)):
        async with serving(max_decompressed_bytes=len(LONG)) as api:
            assert (await post(api, compress(LONG), encoding))[0] == 200
        async with serving(max_decompressed_bytes=len(LONG) - 1) as api:
            assert (await post(api, compress(LONG), encoding))[0] == 413


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "compress", "*"])
async def test_other_encodings_are_415_and_name_those_that_work(encoding: str) -> None:
    async with serving() as api, api.client.post(PATH, data=ndjson(1), headers={"Content-Encoding": encoding}) as r:
        assert r.status == 415
        assert r.headers["Accept-Encoding"] == "gzip, zstd"
        assert (await r.json())["error"]["code"] == "unsupported_encoding"


async def test_a_body_beyond_the_limit_is_413_announced_or_not() -> None:
    async with serving(max_body_bytes=1_000) as api:
        assert (await post(api, b"x" * 1_001))[0] == 413
        reader, writer = await api.raw(
            b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"400\r\n" + b"x" * 1024 + b"\r\n"
        )
        assert b" 413 " in await reader.readline()
        writer.close()
        assert api.ingest.calls == []
        assert (await post(api, ndjson(1)))[0] == 200


async def test_a_body_that_is_announced_too_large_is_not_waited_for() -> None:
    async with serving(max_body_bytes=1_000) as api:
        reader, writer = await api.raw(
            b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999\r\n\r\n"
        )
        assert b" 413 " in await reader.readline()
        writer.close()


async def test_a_slow_body_is_408_and_the_connection_ends() -> None:
    async with serving(body_timeout_s=0.02) as api:
        answer = await api.say(b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n[")
        assert answer.startswith(b"HTTP/1.1 408 ") and b"too_slow" in answer
        assert api.client.app is not None
        assert api.client.app[BUDGET].held == 0
        assert api.ingest.calls == []


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind() -> None:
    async with serving() as api:
        _, writer = await api.raw(b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n[{")
        assert api.client.app is not None
        while api.client.app[BUDGET].held == 0:
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()
        assert (await api.logger.until("request"))["status"] == 499
        assert api.client.app[BUDGET].held == 0
        assert api.ingest.calls == []
        assert (await post(api, ndjson(1)))[0] == 200
        assert [line for line in api.logger.lines if line[0] == "error"] == []


async def test_what_is_being_written_is_written_though_the_client_left() -> None:
    async with serving() as api:
        api.ingest.gate = asyncio.Event()
        body = ndjson(1)
        _, writer = await api.raw(
            b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await api.ingest.entered.wait()
        writer.transport.abort()
        async with api.client.get("/healthz"):  # by now the server knows
            api.ingest.gate.set()
        await api.ingest.left.wait()
        assert api.ingest.kept == {("local", "e1"): "第1条"}


async def test_under_pressure_429_with_the_seconds_to_wait() -> None:
    async with serving() as api:
        api.ingest.fail = [BusyError("too much waits", retry_after=3)]
        async with api.client.post(PATH, data=ndjson(1)) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "3")
            assert (await response.json())["error"]["code"] == "busy"
        assert (await post(api, ndjson(1)))[0] == 200


async def test_a_disk_that_refuses_is_503_and_nothing_is_acknowledged() -> None:
    async with serving(retry_after_s=7) as api:
        api.ingest.fail = [StorageError("the disk is full", hint="free some space")]
        async with api.client.post(PATH, data=ndjson(1)) as response:
            error = (await response.json())["error"]
            assert (response.status, response.headers["Retry-After"]) == (503, "7")
            assert error == {"code": "storage", "message": "the disk is full", "hint": "free some space", "details": {}}


async def test_what_the_operator_has_to_mend_is_503_and_names_no_file() -> None:
    async with serving(retry_after_s=7) as api:
        api.ingest.fail = [ConfigError("the pseudonym key /srv/keys/local.key can't be read", hint="see /srv")]
        async with api.client.post(PATH, data=ndjson(1)) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "7")
            text = await response.text()
            assert "bad_config" in text and "/srv" not in text
        assert "/srv/keys/local.key" in (await api.logger.until("refused"))["error"]


async def test_an_unexpected_error_shows_an_id_and_nothing_else() -> None:
    async with serving() as api:
        api.ingest.fail = [ValueError("老师说的秘密")]
        status, answer = await post(api, ndjson(1))
        facts = await api.logger.until("unexpected")
        assert status == 500
        assert answer["error"]["details"] == {"id": facts["id"]}
        assert "ValueError" in facts["trace"] and "accept" in facts["trace"]
        assert "秘密" not in repr(answer) + api.logger.all()
        assert "Traceback" not in repr(answer) and ".py" not in repr(answer)


async def test_bodies_of_all_requests_share_one_budget() -> None:
    async with serving(max_held_bytes=3 * len(ndjson(1))) as api:
        api.ingest.gate = asyncio.Event()
        first = asyncio.create_task(post(api, ndjson(1)))
        await api.ingest.entered.wait()
        status, answer = await post(api, ndjson(2))
        assert (status, answer["error"]["code"]) == (429, "busy")
        api.ingest.gate.set()
        assert (await first)[0] == 200
        assert (await post(api, ndjson(2)))[0] == 200


async def test_the_budget_counts_what_comes_out_of_compression() -> None:
    async with serving(max_held_bytes=100_000) as api:
        status, answer = await post(api, gzip.compress(ZEROS), "gzip")
        assert (status, answer["error"]["code"]) == (429, "busy")


async def test_errors_speak_the_readers_language() -> None:
    async with serving() as api:
        for language, chinese in {
            "": False, "en": False, "zh-CN,zh;q=0.9,en;q=0.8": True, "en-US,en;q=0.9,zh;q=0.8": False, "zh": True,
            "fr, zh;q=0.3": True, "zh;q=0": False, "zh;q=x": False,
        }.items():
            _, answer = await post(api, b"x", "br", **({"Accept-Language": language} if language else {}))
            assert ("不支持" in answer["error"]["message"]) is chinese, language


async def test_no_log_line_holds_what_was_said() -> None:
    async with serving() as api:
        await post(api, ndjson(1))
        await post(api, '{"id": "秘密", "kind": "comment", "text": 5}'.encode())
        async with api.client.get("/api/v1/events?text=秘密") as response:
            assert response.status == 200
        await api.logger.until("request", route="/api/v1/events", method="GET")
        assert "秘密" not in api.logger.all() and "第1条" not in api.logger.all() and "text" not in api.logger.all()


async def test_a_good_request_costs_no_log_line_but_is_counted() -> None:
    async with serving() as api:
        await post(api, ndjson(1))
        assert api.logger.lines == []
        metrics = api.telemetry.render()[0].decode()
        assert 'redpost_http_requests_total{method="POST",route="/api/v1/events",status="200"} 1.0' in metrics
