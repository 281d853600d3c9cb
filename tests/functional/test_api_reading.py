"""Looking things up, operating, and the shape of every answer."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from monitor.domain.errors import Fault, InputError, NewerFormat, RuleError, StorageError
from monitor.services.records import AlertFilter, ArchiveQuery
from tests.functional.fakes import NOW, Api, alert, kept, room, serving, unread

API = "/api/v1"


async def get(api: Api, path: str, **headers: str) -> tuple[int, Any]:
    async with api.client.get(path, headers=headers) as response:
        return response.status, await response.json()


async def test_alerts_come_page_by_page_newest_first() -> None:
    async with serving() as api:
        api.store.kept.extend(alert(n, tenant="local") for n in range(1, 6))
        seen, path = [], f"{API}/alerts?limit=2"
        for _ in range(3):
            status, page = await get(api, path)
            assert status == 200
            seen += [found["event_ids"][0] for found in page["alerts"]]
            path = f"{API}/alerts?limit=2&cursor={page['next']}"
        assert seen == ["e5", "e4", "e3", "e2", "e1"]
        assert page["next"] is None


async def test_clauses_of_which_people_are_told_are_named() -> None:
    async with serving() as api:
        told = {"unverified": ["PLT-KS-1"], "not_in_force": ["AD-09-3"]}
        api.store.kept.append(alert(1, tenant="local", clauses=["PLT-KS-1", "AD-09-3"], **told))
        _, page = await get(api, f"{API}/alerts")
        _, one = await get(api, f"{API}/alerts/{page['alerts'][0]['id']}")
        for found in (page["alerts"][0], one["alert"]):
            assert {key: found[key] for key in told} == told


async def test_every_filter_reaches_the_store() -> None:
    async with serving() as api:
        query = ("room=r1&broadcast=b1&rule=a.b&category=minors&tier=redline&severity=high&state=open"
                 "&since=2026-11-23T20:00:00%2B08:00&until=1795435200001")
        assert (await get(api, f"{API}/alerts?{query}"))[0] == 200
        assert api.store.asked[-1] == ("local", AlertFilter(
            room="r1", broadcast="b1", rule="a.b", category="minors", tier="redline", severity="high", state="open",
            since=NOW, until=NOW + 1,
        ))


@pytest.mark.parametrize(
    "written, read",
    [
        ("2026-11-23T20:00:00+08:00", NOW),  # the plus arrives as a space
        ("2026-11-23T12:00:00Z", NOW),
        ("2026-11-23T12:00:00.5Z", NOW + 500),
        ("2026-11-23T05:00:00-07:00", NOW),
        ("0", 0),
        (str(NOW), NOW),
    ],
)
async def test_times_are_rfc_3339_or_milliseconds(written: str, read: int) -> None:
    async with serving() as api:
        assert (await get(api, f"{API}/alerts?since={written}"))[0] == 200
        assert api.store.asked[-1][1].since == read


@pytest.mark.parametrize(
    "path, parameter, hint",
    [
        ("alerts?since=2026-11-23T20:00:00", "since", "offset"),
        ("alerts?since=yesterday", "since", "RFC 3339"),
        ("alerts?since=-5", "since", "RFC 3339"),
        ("alerts?until=99999999999999999999", "until", "RFC 3339"),
        ("alerts?until=999999999999999", "until", "RFC 3339"),
        ("alerts?since=0000-01-01T00:00:00Z", "since", "RFC 3339"),
        ("alerts?limit=0", "limit", "1 to 200"),
        ("alerts?limit=201", "limit", "1 to 200"),
        ("alerts?limit=%D9%A1", "limit", "1 to 200"),
        ("alerts?limit=x", "limit", "1 to 200"),
        ("alerts?severity=worst", "severity", "critical"),
        ("alerts?category=absolute_clain", "category", "absolute_claim"),
        ("alerts/stream?category=x", "category", "absolute_claim"),
        ("alerts?tier=x", "tier", "redline"),
        ("alerts?state=gone", "state", "open"),
        ("alerts?room=", "room", "1 to 256"),
        ("alerts?room=" + "r" * 257, "room", "1 to 256"),
        ("alerts?room=a&room=b", "room", "once"),
        ("alerts?rooms=a", "rooms", "use room, broadcast"),
        ("alerts/stream?after=x", "after", "whole number"),
        ("events?limit=501", "limit", "1 to 500"),
        ("rooms?limit=1001", "limit", "1 to 1000"),
        ("openapi.json?x=1", "x", "takes none"),
    ],
)
async def test_a_wrong_parameter_is_named_with_what_is_wanted(path: str, parameter: str, hint: str) -> None:
    async with serving() as api:
        status, answer = await get(api, f"{API}/{path}")
        error = answer["error"]
        assert (status, error["code"], error["details"]) == (400, "bad_parameter", {"parameter": parameter})
        assert hint in error["hint"] and parameter in error["message"]


async def test_a_cursor_of_somebody_elses_making_is_400() -> None:
    async with serving() as api:
        api.store.fail = InputError("this cursor is not from here", hint="start without one")
        status, answer = await get(api, f"{API}/alerts?cursor=x")
        assert status == 400
        assert answer == {"error": {"code": "bad_input", "message": "this cursor is not from here",
                                    "hint": "start without one", "details": {}}}


async def test_in_chinese_too_an_error_says_what_is_wrong_in_this_case() -> None:
    async with serving() as api:
        async with api.client.get(f"{API}/alerts?limit=x", headers={"Accept-Language": "zh"}) as response:
            error = (await response.json())["error"]
        assert (error["message"], error["hint"]) == ("参数 'limit' 读不懂", "写 1 到 200 的整数")
        assert error["details"] == {"parameter": "limit", "message": "the parameter 'limit' cannot be read"}


async def test_one_alert_comes_with_its_evidence() -> None:
    async with serving() as api:
        found = alert(7, tenant="local")
        api.store.kept.append(found)
        status, evidence = await get(api, f"{API}/alerts/{found.id}")
        assert status == 200
        assert evidence["alert"]["id"] == found.id
        assert evidence["alert"]["spans"][0]["text"] == "全网最好"
        assert evidence["alert"]["advice"] == {"say": "改为可证实的表述", "rewrite": {"全网最好": "老客回购多的一款"}}
        assert [f["event_id"] for f in evidence["findings"]] == ["e7"]
        assert [line["text"] for line in evidence["context"]] == [found.text]


async def test_rooms_are_those_of_the_last_day() -> None:
    async with serving() as api:
        api.store.room_list["local"] = [room("r1"), room("r2")]
        status, answer = await get(api, f"{API}/rooms")
        assert (status, [r["room"] for r in answer["rooms"]]) == (200, ["r1", "r2"])
        assert api.store.asked[-1] == ("local", NOW - 24 * 3_600_000)
        _, first = await get(api, f"{API}/rooms?limit=1")
        _, second = await get(api, f"{API}/rooms?limit=1&cursor={first['next']}")
        assert [r["room"] for page in (first, second) for r in page["rooms"]] == ["r1", "r2"]
        assert (first["next"], second["next"]) == ("r1", None)


async def test_kept_events_are_searched() -> None:
    async with serving() as api:
        api.archive.events["local"] = [kept("全网最低价"), kept("你好")]
        status, answer = await get(api, f"{API}/events?text=最低价&room=r1&limit=7&since=5&until=9")
        assert (status, [e["text"] for e in answer["events"]]) == (200, ["全网最低价"])
        assert api.archive.asked == [
            ("local", ArchiveQuery(room="r1", text="最低价", since=5, until=9, limit=7))
        ]
        await get(api, f"{API}/events")
        assert api.archive.asked[-1][1] == ArchiveQuery(limit=100)


async def test_a_store_that_refuses_is_503_with_a_time_to_wait() -> None:
    async with serving(retry_after_s=9) as api:
        api.store.fail = StorageError("the database is locked", hint="try again")
        async with api.client.get(f"{API}/rooms") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "9")
        assert ("warning", "refused", {"code": "storage", "path": f"{API}/rooms"}) in api.logger.lines


async def test_a_store_that_takes_too_long_is_503() -> None:
    async with serving(request_timeout_s=0.01) as api:
        api.store.gate = asyncio.Event()
        status, answer = await get(api, f"{API}/alerts")
        assert (status, answer["error"]["code"]) == (503, "slow_storage")


async def test_a_timeout_of_the_store_itself_is_an_inner_error() -> None:
    async with serving() as api:
        api.store.fail = TimeoutError("inner")
        status, answer = await get(api, f"{API}/alerts")
        assert (status, answer["error"]["code"]) == (500, "internal")


async def test_errors_of_the_inside_keep_their_code() -> None:
    async with serving() as api:
        api.store.fail = NewerFormat("written by a newer version", hint="update")
        status, answer = await get(api, f"{API}/alerts")
        assert (status, answer["error"]["code"]) == (500, "newer_format")


async def test_rules_are_reloaded_or_all_faults_are_listed() -> None:
    async with serving() as api:
        async with api.client.post(f"{API}/rules/reload") as response:
            assert (response.status, await response.json()) == (
                200, {"version": "v2", "previous": "v1", "changed": True, "rules": 42}
            )
        api.reload.fail = RuleError([Fault("a.yml", 3, 5, "unknown key", "remove it"), Fault("b.yml", 1, 1, "empty")])
        async with api.client.post(f"{API}/rules/reload") as response:
            error = (await response.json())["error"]
            assert (response.status, error["code"]) == (400, "bad_rules")
            assert [(f["path"], f["line"], f["column"]) for f in error["details"]["faults"]] == [
                ("a.yml", 3, 5), ("b.yml", 1, 1)
            ]
        async with api.client.get(f"{API}/rules/reload") as response:
            assert response.status == 405
        assert api.reload.calls == 2


async def test_health_and_readiness() -> None:
    async with serving() as api:
        for path in ("/healthz", "/readyz"):
            async with api.client.get(path) as response:
                assert (response.status, await response.text()) == (200, "ok\n")
        api.reasons += ["the disk is full", "the engine is behind"]
        async with api.client.get("/readyz") as response:
            assert (response.status, await response.text()) == (503, "the disk is full\nthe engine is behind\n")
        api.alive[0] = False
        async with api.client.get("/healthz") as response:
            assert response.status == 503


async def test_probes_may_ask_by_head() -> None:
    async with serving(loopback=False) as api:
        api.reasons.append("the disk is full")
        for path, status in (("/healthz", 200), ("/readyz", 503)):
            async with api.client.head(path) as response:
                assert (response.status, await response.read()) == (status, b"")
        assert b'method="HEAD",route="/readyz",status="503"' in api.telemetry.render()[0]
        async with api.client.head("/metrics") as response:
            assert response.status == 405


async def test_metrics_are_rendered_once_a_second_however_many_ask() -> None:
    async with serving() as api:
        async def seen() -> float:
            async with api.client.get("/metrics") as response:
                return float((await response.text()).split("\nredpost_shed_total{kind=\"comment\"} ")[1].split()[0])

        for ms, shown in ((NOW, 1), (NOW + 999, 1), (NOW + 1_000, 3), (NOW - 60_000, 4), (NOW - 59_001, 4)):
            api.telemetry.count("shed_total", kind="comment")
            api.clock.ms = ms
            assert await seen() == shown, ms


async def test_an_expectation_that_nobody_knows_is_told_in_plain_text() -> None:
    async with serving() as api:
        answer = await api.say(b"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 417 ") and b"\r\nContent-Type: text/plain" in answer


async def test_metrics_are_readable_and_hold_no_path_of_a_client() -> None:
    async with serving() as api:
        await get(api, f"{API}/alerts/geheim")
        await get(api, "/geheim")
        async with api.client.request("PROPFIND", "/healthz") as response:
            assert response.status == 405
        async with api.client.get("/metrics") as response:
            text = await response.text()
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert 'redpost_http_requests_total{method="GET",route="/api/v1/alerts/{id}",status="404"} 1.0' in text
        assert 'redpost_http_requests_total{method="GET",route="other",status="404"} 1.0' in text
        assert 'redpost_http_requests_total{method="other",route="other",status="405"} 1.0' in text
        assert "geheim" not in text.lower()


async def test_unknown_paths_and_methods_have_the_same_shape_of_error() -> None:
    async with serving() as api:
        assert (await get(api, "/nowhere"))[1]["error"]["code"] == "not_found"
        async with api.client.delete(f"{API}/alerts") as response:
            assert (response.status, response.headers["Allow"]) == (405, "GET")
            assert (await response.json())["error"]["code"] == "method_not_allowed"
        status, answer = await get(api, f"{API}/events/ws")  # no upgrade
        assert (status, answer["error"]["code"]) == (400, "bad_request")
        assert "Upgrade: websocket" in answer["error"]["hint"]


@pytest.mark.parametrize(
    "target",
    ["/../../etc/passwd", "/api/v1/alerts/../../../etc/passwd", "/api/v1/alerts/..%2f..%2fetc%2fpasswd",
     "/api/v1/alerts/%2e%2e", "/api/v1/alerts/%00", "/api/v1/alerts/" + "a" * 5_000, "//etc/passwd",
     "/live.html", "/%2e%2e/live.html", "/api/v1/alerts/%ff%fe"],
)
async def test_paths_lead_nowhere_else(target: str) -> None:
    async with serving() as api:
        answer = await api.say(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        assert answer.split(b" ")[1] in (b"404", b"400")
        assert b"root:" not in answer and b"<html" not in answer


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Large: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(5_000)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v1/events HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_without_a_trace(
    request_bytes: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving() as api:
        answer = await api.say(request_bytes)
        assert answer.startswith(b"HTTP/1.") and answer.split(b" ")[1] == b"400"
        assert b"Traceback" not in answer and b".py" not in answer
        assert {line[1] for line in api.logger.lines} <= {"http_protocol"}
        assert "xxx" not in api.logger.all() and capsys.readouterr().err == ""
        assert (await get(api, f"{API}/rooms"))[0] == 200


async def test_every_answer_carries_the_security_headers() -> None:
    async with serving() as api:
        for path in (f"{API}/rooms", "/nowhere", "/metrics", "/", f"{API}/alerts/stream", "/healthz"):
            async with api.client.get(path) as response:
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["X-Frame-Options"] == "DENY"
                assert response.headers["Referrer-Policy"] == "no-referrer"
                assert response.headers["Cache-Control"] == "no-store"
                assert response.headers["Server"] == "redpost"
                assert "default-src 'none'" in response.headers["Content-Security-Policy"]
                assert "Access-Control-Allow-Origin" not in response.headers


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


async def test_a_search_ends_with_the_client_that_left() -> None:
    async with serving(searches=1) as api:
        api.archive.gate = asyncio.Event()
        asking = asyncio.create_task(api.client.get(f"{API}/events"))
        await until(lambda: len(api.archive.asked) == 1)
        asking.cancel()
        await until(lambda: api.archive.cancelled == 1)
        api.archive.gate.set()
        assert (await get(api, f"{API}/events"))[0] == 200, "its place is free again"


async def test_a_tenant_has_so_many_searches_at_once() -> None:
    async with serving(loopback=False, searches=2) as api:
        mine, theirs = api.token("read"), api.token("read", tenant="stranger")
        api.archive.gate = asyncio.Event()
        waiting = [asyncio.create_task(api.client.get(f"{API}/events", headers=mine)) for _ in range(2)]
        await until(lambda: len(api.archive.asked) == 2)
        async with api.client.get(f"{API}/events", headers=mine) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "2")
            assert (await response.json())["error"]["code"] == "busy"
        other = asyncio.create_task(api.client.get(f"{API}/events", headers=theirs))
        await until(lambda: len(api.archive.asked) == 3)
        api.archive.gate.set()
        for task in [*waiting, other]:
            async with await task as response:
                assert response.status == 200


async def test_searches_do_not_hold_up_the_stop() -> None:
    async with serving() as api:
        api.archive.gate = asyncio.Event()
        asking = asyncio.create_task(api.client.get(f"{API}/events"))
        await until(lambda: len(api.archive.asked) == 1)
        await api.client.app.shutdown()
        async with await asking as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "5")
        assert api.archive.cancelled == 1


async def test_a_client_that_does_not_take_its_answer_is_cut_off() -> None:
    async with serving(write_timeout_s=0.05, slowest_reader=2**40) as api:
        api.archive.events["local"] = [kept("长" * 2**23)]
        with closing(await unread(api, f"{API}/events")):
            await api.logger.until("request", route=f"{API}/events", status=499)


async def test_large_answers_that_nobody_takes_leave_room_for_others() -> None:
    async with serving(loopback=False, max_unsent_bytes=2**26) as api:
        api.archive.events["local"] = [kept("长" * 2**23)]
        mine, theirs = api.token("read", tenant="local"), api.token("read", tenant="local")
        waiting = asyncio.create_task(api.client.get(f"{API}/events", headers=mine))
        response = await waiting  # its head has come, and of the body what fits between the two
        status, answer = await get(api, f"{API}/events", **mine)
        assert (status, answer["error"]["code"]) == (429, "busy")
        assert (await get(api, f"{API}/rooms", **mine))[0] == 200, "small ones are not counted"
        assert (await get(api, f"{API}/events", **theirs))[0] == 200
        response.close()
        await api.logger.until("request", route=f"{API}/events", status=499)
        assert (await get(api, f"{API}/events", **mine))[0] == 200
