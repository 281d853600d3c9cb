"""GET /api/v1/alerts/stream: live, resumed, filtered, and with clients that do not read."""

import asyncio
import json
import socket
from typing import Any

import pytest

from monitor.adapters.web.auth import Principal
from monitor.adapters.web.hub import HubLimits
from monitor.adapters.web.streams import Streams
from monitor.domain.errors import BusyError
from monitor.domain.findings import Severity
from monitor.services.records import Update
from tests.functional.fakes import Api, Sse, alert, serving, unread

PATH = "/api/v1/alerts/stream"


def local(*numbers: int, **other: Any) -> list[Any]:
    return [alert(n, tenant="local", **other) for n in numbers]


def outbox(*numbers: int, tenant: str = "local") -> list[Update]:
    return [Update(n, "opened", alert(n, tenant=tenant)) for n in numbers]


async def test_alerts_come_as_they_are_published() -> None:
    async with serving() as api, api.client.get(PATH) as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        stream = Sse(response)
        assert await stream.block() == "retry: 2000"
        assert await stream.event() == ("hello", 0, {"last": 0, "resumed": False})
        assert api.hub.listening() == {"local": {"loopback"}}
        (update,) = api.publish(*local(1))
        assert await stream.event() == (
            "alert", 1, {"what": "opened", "alert": json.loads(json.dumps(await only(api)))}
        )
        api.publish(update.alert, what="withdrawn")
        name, number, data = await stream.event()
        assert (name, number, data["what"]) == ("alert", 2, "withdrawn")


async def test_who_looks_at_an_alert_is_told_to_those_who_see_it_and_never_again() -> None:
    async with serving() as api, api.client.get(PATH) as here, api.client.get(f"{PATH}?room=r9") as elsewhere:
        streams = [Sse(here), Sse(elsewhere)]
        for stream in streams:
            await stream.block()
            await stream.event()
        shown = alert(1, tenant="local")
        api.posts.put(shown)
        async with api.client.post(f"/api/v1/alerts/{shown.id}/look") as answer:
            assert (answer.status, await answer.read()) == (204, b"")
        assert await streams[0].event() == (
            "look", None, {"alert": shown.id, "moment": shown.moment, "post": shown.post, "by": "loopback"})
        api.publish(*local(2, room="r9"))
        assert [(await stream.event())[0] for stream in streams] == ["alert", "alert"], "the other one heard of no look"
        async with api.client.get(PATH, headers={"Last-Event-ID": "0"}) as late:
            stream = Sse(late)
            await stream.block()
            assert [(await stream.event())[0] for _ in range(2)] == ["hello", "alert"]


async def only(api: Api) -> Any:
    async with api.client.get("/api/v1/alerts") as response:
        (found,) = (await response.json())["alerts"]
        return found


async def test_what_was_missed_comes_from_memory_then_live() -> None:
    async with serving() as api:
        api.publish(*local(1, 2, 3))
        async with api.client.get(PATH, headers={"Last-Event-ID": "1"}) as response:
            stream = Sse(response)
            assert await stream.event() == ("hello", None, {"last": 3, "resumed": True})
            api.publish(*local(4))
            assert [(await stream.event())[1] for _ in range(3)] == [2, 3, 4]


async def test_the_header_wins_over_the_parameter() -> None:
    async with serving() as api:
        api.publish(*local(1, 2, 3))
        for after, header, first in ((0, "2", 3), (1, "", 2), (0, None, 1)):
            headers = {} if header is None else {"Last-Event-ID": header}
            async with api.client.get(f"{PATH}?after={after}", headers=headers) as response:
                stream = Sse(response)
                await stream.event()
                assert (await stream.event())[1] == first


async def test_what_memory_forgot_comes_from_the_store() -> None:
    async with serving(hub_limits=HubLimits(history=2), outbox=outbox(1, 2)) as api:
        api.publish(*local(3, 4, 5, 6))
        async with api.client.get(f"{PATH}?after=1") as response:
            stream = Sse(response)
            assert await stream.event() == ("hello", None, {"last": 6, "resumed": True})
            api.publish(*local(7))
            assert [(await stream.event())[1] for _ in range(6)] == [2, 3, 4, 5, 6, 7]


async def test_after_a_restart_the_store_fills_the_gap() -> None:
    async with serving(outbox=[*outbox(1, 2), *outbox(1, tenant="agency"), *outbox(3)]) as api:
        async with api.client.get(f"{PATH}?after=1") as response:
            stream = Sse(response)
            assert (await stream.event())[0] == "hello"
            api.publish(*local(4))
            assert [(await stream.event())[1] for _ in range(3)] == [2, 3, 4]
        async with api.client.get(PATH) as response:
            assert await Sse(response).event() == ("hello", 4, {"last": 4, "resumed": False})


async def test_ids_of_one_tenant_tell_nothing_of_another() -> None:
    async with serving(hub_limits=HubLimits(history=6)) as api:
        alone, busy = api.token("read", tenant="alone"), api.token("read", tenant="busy")
        async with api.client.get(PATH, headers=alone) as response:
            stream = Sse(response)
            assert await stream.event() == ("hello", 0, {"last": 0, "resumed": False})
            api.publish(*(alert(n, tenant="alone" if n % 5 == 0 else "busy") for n in range(1, 16)))
            assert [(await stream.event())[1] for _ in range(3)] == [1, 2, 3]
        for headers, after, missed in ((alone, 1, [2, 3]), (busy, 2, [*range(3, 13)])):  # from memory, from the store
            async with api.client.get(f"{PATH}?after={after}", headers=headers) as response:
                stream = Sse(response)
                assert await stream.event() == ("hello", None, {"last": missed[-1], "resumed": True})
                assert [(await stream.event())[1] for _ in missed] == missed


async def test_an_update_that_is_stored_but_not_published_yet_comes_once() -> None:
    async with serving(outbox=outbox(1, 2, 3)) as api:
        api.store.outbox += outbox(4)
        async with api.client.get(f"{PATH}?after=2") as response:
            stream = Sse(response)
            await stream.event()
            assert (await stream.event())[1] == 3
            assert (await stream.event())[1] == 4  # with the page that was read
            api.hub.publish(api.store.outbox[-1:])
            api.publish(*local(5))
            assert (await stream.event())[1] == 5


@pytest.mark.parametrize(
    "after, reason", [("1", "too_old"), ("99", "unknown"), ("nonsense", "unknown"), ("٣", "unknown")]
)
async def test_what_is_lost_for_good_is_said(after: str, reason: str) -> None:
    async with serving(outbox=outbox(*range(5, 9))) as api:
        headers = {"Last-Event-ID": after}
        async with api.client.get(PATH, headers=headers) as response:
            stream = Sse(response)
            assert await stream.event() == ("reset", 8, {"reason": reason, "last": 8})
            api.publish(*local(9))
            assert (await stream.event())[1] == 9


async def test_too_much_to_replay_is_a_reset_too() -> None:
    async with (
        serving(outbox=outbox(*range(1, 9)), sse_replay=3) as api,
        api.client.get(f"{PATH}?after=4") as response,
        api.client.get(f"{PATH}?after=5") as other,
    ):
        assert (await Sse(response).event())[2] == {"reason": "too_many", "last": 8}
        assert (await Sse(other).event())[0] == "hello"


@pytest.mark.parametrize(
    "query", ["severity=critical", "category=minors", "room=r9", "severity=critical&category=minors&room=r9"]
)
async def test_filters_hold_for_what_was_missed_and_for_what_comes(query: str) -> None:
    wanted = {"severity": Severity.CRITICAL, "category": ["offsite_fraud", "minors"], "room": "r9"}
    stored = [*outbox(1), Update(2, "opened", alert(2, tenant="local", **wanted))]
    for after, missed in ((0, [2, 4]), (3, [4])):  # from the store, from memory
        async with serving(outbox=stored, hub_limits=HubLimits(history=2)) as api:
            api.publish(*local(3), *local(4, **wanted), *local(5))
            async with api.client.get(f"{PATH}?after={after}&{query}") as response:
                stream = Sse(response)
                await stream.event()
                api.publish(*local(6), *local(7, **wanted), *local(8), *local(9, **wanted))
                assert [(await stream.event())[1] for _ in (*missed, 7, 9)] == [*missed, 7, 9]


async def test_silence_is_filled_with_heartbeats() -> None:
    async with serving(sse_heartbeat_s=0.01) as api, api.client.get(PATH) as response:
        stream = Sse(response)
        await stream.event()
        assert [await stream.block() for _ in range(3)] == [": still here"] * 3


async def test_one_encoding_serves_all_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as api:
        responses = [await api.client.get(PATH) for _ in range(5)]
        streams = [Sse(response) for response in responses]
        for stream in streams:
            await stream.event()
        assert 'redpost_sse_clients 5.0' in api.telemetry.render()[0].decode()
        api.publish(*local(1))
        assert len({json.dumps(await stream.event()) for stream in streams}) == 1
        for response in responses:
            response.close()


async def listening(api: Api) -> socket.socket:
    """A client that has read the head of the stream and reads no more."""
    client = await unread(api, PATH)
    head = b""
    while b"event: hello" not in head:
        head += await asyncio.get_running_loop().sock_recv(client, 4_096)
    return client


async def test_a_client_that_does_not_read_is_cut_off_and_counted() -> None:
    async with serving(hub_limits=HubLimits(queue=8)) as api:
        slow = await listening(api)
        async with api.client.get(PATH) as response:
            good = Sse(response)
            await good.event()
            for number in range(1, 500):
                api.publish(*local(number, text="这个品质就是全网最好的" * 10_000))
                assert (await good.event())[1] == number
                if "redpost_sse_dropped_total 1.0" in api.telemetry.render()[0].decode():
                    break
            else:
                pytest.fail("it was never cut off")
            await api.logger.until("request", route=PATH)
            assert "redpost_sse_clients 1.0" in api.telemetry.render()[0].decode()
            (update,) = api.publish(*local(1_000))
            assert (await good.event())[1] == update.seq
        slow.close()


async def test_a_client_that_takes_nothing_for_too_long_is_cut_off() -> None:
    async with serving(write_timeout_s=0.05, hub_limits=HubLimits(queue_bytes=2**30)) as api:
        slow = await listening(api)
        for number in range(1, 100):
            api.publish(*local(number, text="这个品质就是全网最好的" * 10_000))
        await api.logger.until("request", route=PATH)
        metrics = api.telemetry.render()[0].decode()
        assert "redpost_sse_dropped_total 1.0" in metrics and "redpost_sse_clients 0.0" in metrics
        slow.close()


async def test_a_client_that_leaves_is_forgotten() -> None:
    async with serving(sse_heartbeat_s=0.01) as api:
        response = await api.client.get(PATH)
        await Sse(response).event()
        response.close()
        assert (await api.logger.until("request", route=PATH))["status"] == 200
        assert "redpost_sse_clients 0.0" in api.telemetry.render()[0].decode()
        assert [line for line in api.logger.lines if line[0] != "info"] == []


async def test_there_is_room_for_so_many_clients() -> None:
    async with serving(hub_limits=HubLimits(clients=1)) as api, api.client.get(PATH) as response:
        await Sse(response).event()
        async with api.client.get(PATH) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (429, "10")


@pytest.mark.parametrize("path", [PATH, "/api/v1/events/ws"])
async def test_nobody_takes_all_the_places(path: str) -> None:
    async with serving(streams_each=2) as api:
        mine, theirs = (api.token("read", "ingest") for _ in range(2))
        async with api.client.get(PATH, headers=mine), api.client.get(PATH, headers=mine):
            async with api.client.get(path, headers=mine) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (429, "busy")
            async with api.client.get(path, headers=theirs) as response:
                assert response.status != 429


def test_a_place_that_is_left_is_free() -> None:
    streams, who = Streams(1), Principal("agency", frozenset(("read",)), "t1")
    with streams.opened(who, lambda: None), pytest.raises(BusyError):
        streams.check(who)
    streams.check(who)


async def test_a_stop_of_the_service_ends_the_streams() -> None:
    async with serving() as api, api.client.get(PATH) as response:
        stream = Sse(response)
        await stream.event()
        async with asyncio.timeout(5):
            await api.client.server.close()
        assert await stream.block() == ""


async def test_an_error_in_the_middle_of_a_stream_ends_it_and_is_logged() -> None:
    async with serving(outbox=outbox(*range(1, 9)), hub_limits=HubLimits(history=1)) as api:
        async with api.client.get(f"{PATH}?after=5") as response:
            stream = Sse(response)
            await stream.event()
            assert (await stream.event())[1] == 6
        api.store.fail = ValueError("inside")
        async with api.client.get(f"{PATH}?after=5") as response:
            assert response.status == 200
            assert await Sse(response).event() == ("", None, None)
        assert "outbox_bounds" in (await api.logger.until("unexpected"))["trace"]
