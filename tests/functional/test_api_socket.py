"""GET /api/v1/events/ws: numbered messages, acknowledged in order, through drops, pressure and nonsense."""

import asyncio
import base64
import gzip
import json
from contextlib import closing
from typing import Any

import pytest
import zstandard
from aiohttp import ClientWebSocketResponse, WSMsgType

from monitor.adapters.web.budget import BUDGET
from monitor.domain.errors import BusyError, StorageError
from tests.functional.fakes import Api, events, serving

PATH = "/api/v1/events/ws"
Socket = ClientWebSocketResponse[Any]


async def opened(api: Api, *, last: int = 0, **hello: Any) -> Socket:
    socket = await api.client.ws_connect(PATH)
    await socket.send_json({"hello": {"session": "s", **hello}})
    assert await socket.receive_json(timeout=10) == {"welcome": {"session": "s", "last": last}}
    return socket


async def closed(socket: Socket) -> int | None:
    message = await socket.receive(timeout=10)
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED), message
    return socket.close_code


def message(seq: int, *numbers: int) -> dict[str, Any]:
    return {"seq": seq, "events": events(*numbers)}


def ack(seq: int, accepted: int = 1, **other: Any) -> dict[str, Any]:
    plain = {"ack": seq, "accepted": accepted, "duplicates": 0, "rejected": [], "rejected_total": 0, "already": False}
    return {**plain, **other}


async def test_messages_are_acknowledged_with_what_became_of_them() -> None:
    async with serving() as api:
        socket = await opened(api)
        await socket.send_json(message(1, 1, 2))
        assert await socket.receive_json() == ack(1, 2)
        await socket.send_json(message(2, 2, 3))
        assert await socket.receive_json() == ack(2, 1, duplicates=1)
        await socket.send_json({"seq": 3, "events": [{"id": "e9"}, *events(4)]})
        answer = await socket.receive_json()
        assert (answer["ack"], answer["accepted"], answer["rejected_total"]) == (3, 1, 1)
        assert answer["rejected"][0]["line"] == 1 and answer["rejected"][0]["id"] == "e9"
        assert [call[0] + call[2] for call in api.ingest.calls] == ["locals"] * 3
        assert [call[3] for call in api.ingest.calls] == [1, 2, 3]
        assert json.loads(api.ingest.calls[1][1]) == events(2, 3)
        await socket.close()
        assert (await api.logger.until("request", route=PATH))["status"] == 101


async def test_a_message_of_which_nothing_can_be_kept_is_acknowledged_too() -> None:
    async with serving() as api:
        socket = await opened(api)
        await socket.send_json({"seq": 1, "events": [5, None]})
        answer = await socket.receive_json()
        assert (answer["ack"], answer["accepted"], answer["rejected_total"]) == (1, 0, 2)
        await socket.send_json({"seq": 2, "events": []})
        assert await socket.receive_json() == ack(2, 0)


async def test_messages_sent_ahead_are_acknowledged_in_order() -> None:
    async with serving() as api:
        socket = await opened(api)
        api.ingest.gate = asyncio.Event()
        for number in range(1, 51):
            await socket.send_json(message(number, number))
        await api.ingest.entered.wait()
        assert len(api.ingest.calls) == 1  # none is taken before those below it are durable
        api.ingest.gate.set()
        assert [(await socket.receive_json())["ack"] for _ in range(50)] == list(range(1, 51))
        assert [call[3] for call in api.ingest.calls] == list(range(1, 51))


async def test_text_and_binary_and_compressed_messages() -> None:
    async with serving() as api:
        socket = await opened(api)
        bodies = [json.dumps(message(n, n), ensure_ascii=False).encode() for n in range(1, 6)]
        await socket.send_bytes(bodies[0])
        await socket.send_bytes(gzip.compress(bodies[1]))
        await socket.send_bytes(zstandard.ZstdCompressor().compress(bodies[2]))
        stream = zstandard.ZstdCompressor().compressobj()
        await socket.send_bytes(stream.compress(bodies[3]) + stream.flush())
        await socket.send_str("\n " + bodies[4].decode())
        assert [await socket.receive_json() for _ in bodies] == [ack(n) for n in range(1, 6)]
        assert api.ingest.kept["local", "e3"] == "第3条"


async def test_after_a_drop_the_client_goes_on_where_the_disk_is() -> None:
    async with serving() as api:
        first = await opened(api)
        await first.send_json(message(1, 1))
        assert await first.receive_json() == ack(1)
        api.ingest.gate = asyncio.Event()
        api.ingest.entered.clear()
        await first.send_json(message(2, 2))
        await first.send_json(message(3, 3))
        await api.ingest.entered.wait()
        drop(first)
        again = asyncio.create_task(opened(api, last=2))  # 2 was in flight: it is waited for
        async with api.client.get("/healthz"):
            assert not again.done()
            api.ingest.gate.set()
        second = await again
        await second.send_json(message(2, 2))
        await second.send_json(message(3, 3))
        assert await second.receive_json() == ack(2, 0, already=True)
        assert await second.receive_json() == ack(3)
        assert [call[3] for call in api.ingest.calls] == [1, 2, 3]
        assert [line for line in api.logger.lines if line[0] == "error"] == []


def drop(socket: Socket) -> None:
    """As when a cable is pulled: no goodbye."""
    transport = socket._writer.transport
    assert transport is not None
    transport.abort()


async def test_an_ack_that_left_nothing_in_the_log_is_kept_by_the_client() -> None:
    async with serving() as api:
        socket = await opened(api, acked=7, last=7)
        await socket.send_json(message(8, 1))
        assert await socket.receive_json() == ack(8)
        await socket.close()
        await opened(api, acked=3, last=8)


async def test_a_gap_is_refused_with_the_number_that_is_expected() -> None:
    async with serving() as api:
        socket = await opened(api)
        for wrong in (2, 99):
            await socket.send_json(message(wrong, wrong))
            answer = await socket.receive_json()
            assert (answer["error"]["code"], answer["expected"]) == ("gap", 1)
        assert api.ingest.calls == []
        await socket.send_json(message(1, 1))
        assert await socket.receive_json() == ack(1)
        await socket.send_json(message(1, 1))
        assert await socket.receive_json() == ack(1, 0, already=True)


async def test_a_client_that_never_finds_the_number_is_sent_away() -> None:
    async with serving() as api:
        socket = await opened(api)
        for _ in range(101):
            await socket.send_json(message(5, 5))
        answers = [await socket.receive_json() for _ in range(101)]
        assert {answer["error"]["code"] for answer in answers} == {"gap"}
        assert await closed(socket) == 4002


@pytest.mark.parametrize(
    "error, wait, reason",
    [(BusyError("too much", retry_after=3), 3, "busy"), (StorageError("the disk is full"), 5, "storage")],
)
async def test_under_pressure_the_client_sends_again_from_there(error: Exception, wait: int, reason: str) -> None:
    async with serving() as api:
        socket = await opened(api)
        api.ingest.fail = [error]
        for number in (1, 2, 3):  # 2 and 3 were sent before the answer to 1 came
            await socket.send_json(message(number, number))
        assert [await socket.receive_json() for _ in range(3)] == [
            {"busy": 1, "retry_after": wait, "expected": 1, "reason": reason},
            {"busy": 2, "retry_after": 0, "expected": 1, "reason": "out_of_turn"},
            {"busy": 3, "retry_after": 0, "expected": 1, "reason": "out_of_turn"},
        ]
        for number in (1, 2, 3):
            await socket.send_json(message(number, number))
        assert [await socket.receive_json() for _ in range(3)] == [ack(1), ack(2), ack(3)]
        assert [event for _, event in api.ingest.kept] == ["e1", "e2", "e3"]
        await socket.send_json(message(9, 9))
        assert (await socket.receive_json())["error"]["code"] == "gap"  # it is over


async def test_a_newer_connection_takes_the_session_over() -> None:
    async with serving() as api:
        first = await opened(api)
        await first.send_json(message(1, 1))
        assert await first.receive_json() == ack(1)
        second = await opened(api, last=1)
        assert await closed(first) == 4001
        await second.send_json(message(2, 2))
        assert await second.receive_json() == ack(2)
        other = await api.client.ws_connect(PATH)  # another session leaves it alone
        await other.send_json({"hello": {"session": "t"}})
        assert (await other.receive_json())["welcome"] == {"session": "t", "last": 0}
        await second.send_json(message(3, 3))
        assert await second.receive_json() == ack(3)


async def test_what_was_sent_ahead_on_the_older_connection_is_not_taken() -> None:
    async with serving() as api:
        first = await opened(api)
        api.ingest.gate = asyncio.Event()
        for number in (1, 2, 3):
            await first.send_json(message(number, number))
        await api.ingest.entered.wait()
        second = await api.client.ws_connect(PATH)
        await second.send_str(HELLO)
        for _ in range(3):  # by now the server has read it
            async with api.client.get("/healthz"):
                pass
        api.ingest.gate.set()
        assert (await second.receive_json())["welcome"]["last"] == 1
        assert await first.receive_json() == ack(1)
        assert await closed(first) == 4001
        for number in (2, 3):
            await second.send_json(message(number, number))
            assert await second.receive_json() == ack(number)
        assert [call[3] for call in api.ingest.calls] == [1, 2, 3]


async def test_many_take_over_at_once_and_what_was_in_flight_is_waited_for() -> None:
    async with serving() as api:
        first = await opened(api)
        api.ingest.gate = asyncio.Event()
        await first.send_json(message(1, 1))
        await api.ingest.entered.wait()
        rivals = [await api.client.ws_connect(PATH) for _ in range(4)]
        for rival in rivals:
            await rival.send_json({"hello": {"session": "s"}})
            async with api.client.get("/healthz"):
                pass
        api.ingest.gate.set()
        assert (await rivals[-1].receive_json())["welcome"]["last"] == 1
        assert [await closed(rival) for rival in rivals[:-1]] == [4001] * 3


HELLO = json.dumps({"hello": {"session": "s"}})


@pytest.mark.parametrize(
    "first",
    ["", "hello", "[]", "{}", '{"hello": {}}', '{"hello": {"session": ""}}', '{"hello": {"session": 5}}',
     '{"hello": {"session": "' + "s" * 129 + '"}}', '{"hello": {"session": "s", "more": 1}}',
     '{"seq": 1, "events": []}', '{"hello": {"session": "s", "acked": -1}}', '{"hello":' + "[" * 60_000],
)
async def test_without_a_hello_there_is_no_session(first: str) -> None:
    async with serving() as api:
        socket = await api.client.ws_connect(PATH)
        await socket.send_str(first)
        assert (await socket.receive_json())["error"]["code"] == "bad_message"
        assert await closed(socket) == 4000


async def test_a_hello_must_come_in_time() -> None:
    async with serving(hello_timeout_s=0.01) as api:
        socket = await api.client.ws_connect(PATH)
        assert (await socket.receive_json())["error"]["code"] == "bad_message"
        assert await closed(socket) == 4000


@pytest.mark.parametrize(
    "garbage",
    ["", "x", "[]", "{}", "5", '{"seq": 1}', '{"seq": 0, "events": []}', '{"seq": -1, "events": []}',
     '{"seq": 1.5, "events": []}', '{"seq": "1", "events": []}', '{"seq": 1, "events": ' + "[" * 60_000,
     '{"seq": 1, "events": {}}', '{"seq": 1, "events": 5}',
     '{"seq": 1, "events": null}', '{"seq": 1, "events": [}', '{"seq": 1, "events": [], "more": 1}',
     '{"seq": 99999999999999999999, "events": []}', HELLO, "[" * 100_000,
     b"\x1f\x8bgarbage", b"\x28\xb5\x2f\xfdgarbage", b"\x00\xff", b'{"seq": 1, "events": []}garbage',
     gzip.compress(b'{"seq": 1, "events": []}', mtime=0)[:-5]],
)
async def test_garbage_ends_the_connection_and_nothing_else(garbage: str | bytes) -> None:
    async with serving() as api:
        socket = await opened(api)
        await (socket.send_str(garbage) if isinstance(garbage, str) else socket.send_bytes(garbage))
        answer = await socket.receive_json()
        assert answer["error"]["code"] in ("bad_message", "bad_body") and answer["expected"] == 1
        assert await closed(socket) == 4002
        assert api.ingest.calls == []
        assert [line for line in api.logger.lines if line[0] == "error"] == []
        again = await opened(api)
        await again.send_json(message(1, 1))
        assert await again.receive_json() == ack(1)


async def test_text_that_is_no_utf8_is_refused_by_item() -> None:
    async with serving() as api:
        socket = await opened(api)
        bad = json.dumps(message(1, 1), ensure_ascii=False).encode().replace("第1条".encode(), b"\xff\xfe")
        await socket.send_bytes(bad)
        answer = await socket.receive_json()
        assert (answer["ack"], answer["accepted"]) == (1, 0)
        assert "UTF-8" in answer["rejected"][0]["reason"]


async def test_a_goodbye_that_is_no_text_is_answered_by_1007() -> None:
    async with serving() as api:
        key = base64.b64encode(bytes(16)).decode()
        reader, writer = await api.raw(
            f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        with closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(masked((1000).to_bytes(2, "big") + b"\xff\xfe", opcode=8))
            assert await reader.readexactly(4) == b"\x88\x02" + (1007).to_bytes(2, "big")


async def test_messages_beyond_the_limit_close_with_1009() -> None:
    async with serving(max_body_bytes=1_000, max_decompressed_bytes=2_000) as api:
        socket = await opened(api)
        await socket.send_str("x" * 1_001)
        assert await closed(socket) == 1009
        socket = await opened(api)
        for compress in (gzip.compress, zstandard.ZstdCompressor().compress):
            await socket.send_bytes(compress(b" " * 100_000))
            assert (await socket.receive_json())["error"]["code"] == "too_large"
            assert await closed(socket) == 1009
            socket = await opened(api)


async def test_beyond_the_budget_of_all_bodies_the_client_comes_back_later() -> None:
    async with serving(max_held_bytes=150) as api:
        socket = await opened(api)
        await socket.send_json(message(1, 1, 2, 3))
        assert (await socket.receive_json())["error"]["code"] == "busy"
        assert await closed(socket) == 1013
        await opened(api)


async def test_a_connection_that_breaks_is_no_error_of_the_service() -> None:
    async with serving() as api:
        socket = await opened(api)
        api.ingest.fail = [ConnectionResetError("by peer")]
        await socket.send_json(message(1, 1))
        assert await closed(socket) == 1000
        await api.logger.until("request", route=PATH)
        assert [line for line in api.logger.lines if line[0] == "error"] == []


def fragment(data: bytes, *, opcode: int = 1) -> bytes:
    """A frame of a message that goes on."""
    return bytes([opcode, 0xFF]) + len(data).to_bytes(8, "big") + bytes(4) + data


async def test_fragments_count_before_their_message_is_whole() -> None:
    async with serving(max_held_bytes=400_000) as api:
        socket = await opened(api)
        assert api.client.app is not None
        budget = api.client.app[BUDGET]
        transport = socket._writer.transport
        assert transport is not None
        transport.write(fragment(b" " * 150_000))
        while budget.held < 150_000:
            await asyncio.sleep(0)
        transport.write(fragment(b" " * 150_000, opcode=0))
        assert (await socket.receive_json(timeout=10))["error"]["code"] == "busy"
        assert await closed(socket) == 1013
        assert budget.held == 0


async def test_what_is_held_for_a_socket_is_given_back_with_each_message_and_at_the_end() -> None:
    async with serving(max_held_bytes=100_000) as api:
        socket = await opened(api)
        assert api.client.app is not None
        for number in range(1, 20):
            await socket.send_json({**message(number, number), "events": [*events(number), "x" * 20_000]})
            assert (await socket.receive_json())["ack"] == number
        assert api.client.app[BUDGET].held < 1_000
        await socket.close()
        await api.logger.until("request", route=PATH)
        assert api.client.app[BUDGET].held == 0


async def test_before_its_hello_a_socket_may_say_little() -> None:
    async with serving() as api:
        socket = await api.client.ws_connect(PATH)
        await socket.send_str('{"hello": {"session": "%s"}}' % ("s" * 200_000))
        error = (await socket.receive_json(timeout=10))["error"]
        assert error["code"] == "too_large" and error["details"]["limit_bytes"] == 64 * 2**10
        assert await closed(socket) == 1009


async def test_pings_are_no_hello() -> None:
    async with serving(hello_timeout_s=0.3) as api:
        socket = await api.client.ws_connect(PATH)

        async def ping() -> None:
            while True:
                await socket.ping()
                await asyncio.sleep(0.005)

        pinging = asyncio.create_task(ping())
        assert (await socket.receive_json(timeout=10))["error"]["code"] == "bad_message"
        assert await closed(socket) == 4000
        pinging.cancel()


async def test_a_flood_of_pings_holds_up_nobody() -> None:
    pings = 30_000
    async with serving() as api:
        reader, writer = await api.raw(
            b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(bytes(16)) + b"\r\n\r\n"
            + masked(b'{"hello": {"session": "s"}}', opcode=1))
        with closing(writer):
            await reader.readuntil(b'"last":0}}')
            writer.write(masked(b"", opcode=9) * pings)
            async with api.client.get("/healthz") as response:
                assert response.status == 200
            before = await reader.read(2**20)
            assert len(before) < 2 * pings, "the other client was answered in between"
            assert before + await reader.readexactly(2 * pings - len(before)) == b"\x8a\x00" * pings


def masked(data: bytes, *, opcode: int) -> bytes:
    """A whole frame of less than 126 bytes."""
    return bytes([0x80 | opcode, 0x80 | len(data)]) + bytes(4) + data


async def test_there_are_so_many_sockets_at_once_and_no_more() -> None:
    async with serving(max_sockets=1) as api:
        socket = await opened(api)
        async with api.client.get(PATH) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (429, "busy")
        await socket.close()
        await api.logger.until("request", route=PATH, status=101)
        await opened(api)


async def test_what_a_client_says_is_acknowledged_does_not_hide_what_the_log_knows() -> None:
    async with serving() as api:
        socket = await opened(api)
        await socket.send_json(message(1, 1))
        assert await socket.receive_json() == ack(1)
        await socket.close()
        await opened(api, acked=2**61, last=1)


async def test_one_token_leaves_room_for_another() -> None:
    async with serving(loopback=False, max_held_bytes=3 * len(json.dumps(events(1)))) as api:
        headers = [api.token("ingest"), api.token("ingest")]
        api.ingest.gate = asyncio.Event()
        body = json.dumps(events(1)).encode()

        async def send(token: dict[str, str]) -> int:
            async with api.client.post("/api/v1/events", data=body, headers=token) as response:
                return response.status

        first = asyncio.create_task(send(headers[0]))
        await api.ingest.entered.wait()
        assert await send(headers[0]) == 429
        other = asyncio.create_task(send(headers[1]))
        while len(api.ingest.calls) < 2:
            await asyncio.sleep(0)
        api.ingest.gate.set()
        assert [await first, await other] == [200, 200]


async def test_an_unexpected_error_closes_with_1011_and_is_logged() -> None:
    async with serving() as api:
        socket = await opened(api)
        api.ingest.fail = [ValueError("老师说的秘密")]
        await socket.send_json(message(1, 1))
        assert (await socket.receive_json())["error"]["code"] == "internal"
        assert await closed(socket) == 1011
        assert "accept" in (await api.logger.until("unexpected"))["trace"]
        assert "秘密" not in api.logger.all()
        again = await opened(api)
        await again.send_json(message(1, 1))
        assert await again.receive_json() == ack(1)


async def test_a_store_that_refuses_at_hello_closes_and_says_so() -> None:
    async with serving() as api:
        api.ingest.session_fail = StorageError("the disk is gone")
        socket = await api.client.ws_connect(PATH)
        await socket.send_str(HELLO)
        assert (await socket.receive_json())["error"]["message"] == "the disk is gone"
        assert await closed(socket) == 1011


async def test_a_client_that_reads_no_acks_is_cut_off() -> None:
    async with serving(write_timeout_s=0.05) as api:
        socket = await opened(api)
        bad = {"id": "x" * 200, "kind": "k" * 100}
        transport = socket._writer.transport
        assert transport is not None
        transport.pause_reading()
        number = 0
        while not any(line[1] == "request" for line in api.logger.lines):
            number += 1
            try:
                await socket.send_json({"seq": number, "events": [bad] * 900})
            except ConnectionError:
                break
        await api.logger.until("request", route=PATH)
        assert [line for line in api.logger.lines if line[0] == "error"] == []


async def test_a_stop_of_the_service_says_so() -> None:
    async with serving() as api:
        socket = await opened(api)
        unborn = await api.client.ws_connect(PATH)
        stop = asyncio.create_task(api.client.server.close())
        assert await closed(socket) == 1001
        assert await closed(unborn) == 1001
        await stop


async def test_a_client_that_answers_no_heartbeat_is_dead() -> None:
    async with serving(ws_heartbeat_s=0.02) as api:
        socket = await api.client.ws_connect(PATH, autoping=False)
        await socket.send_str(HELLO)
        assert "welcome" in await socket.receive_json()
        assert (await socket.receive(timeout=10)).type is WSMsgType.PING  # and is not answered
        await api.logger.until("request", route=PATH)
