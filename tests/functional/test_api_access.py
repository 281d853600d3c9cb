"""Who may do what: owner, same tenant with a lesser scope, stranger; and nobody in particular on loopback."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from monitor.adapters.web.auth import OF_ALL, OPERATOR, SCOPES, SESSION, Tokens, digest, is_loopback_name, new_token
from monitor.adapters.web.handling import Route
from monitor.adapters.web.routes import ROUTES
from monitor.domain.errors import ConfigError, Conflict, InputError, StorageError
from monitor.services.lifecycle import ALL, Choice, ModelState
from monitor.services.records import Token
from tests.functional.fakes import (
    LINK,
    NOW,
    Api,
    Sse,
    alert,
    body_of,
    edited,
    events,
    furnish,
    kept,
    ndjson,
    path_of,
    room,
    serving,
)

GUARDED = [route for route in ROUTES if route.scope is not None]
OPEN = [route for route in ROUTES if route.scope is None and route.path in ("/healthz", "/readyz")]
FOR_TOKENS = [route for route in GUARDED if route.scope != SESSION]
NAMES_ITS_OWN = ("moveAlerts", "reportMiss", "getUser", "inviteUser", "getMedia", "getMediaPart", "getTimeline")
"""Bodies that name what a tenant has: to a stranger it is not there."""
BY_LINK = [route for route in ROUTES if route.by_link]
IDS = [route.name for route in FOR_TOKENS]


async def ask(api: Api, route: Route, headers: dict[str, str], path: str = "", **more: Any) -> tuple[int, Any]:
    """One request to a route, or its path; its status and JSON, if it has some."""
    api.registry.set_state(ModelState(tenants={ALL: Choice(serving="local/2", previous="")}))
    if route.name == "getTraining":
        api.train.gives = InputError("too few labels")
        with suppress(Conflict):
            await api.learning.start(OPERATOR, by="x")
    if route.path.startswith("/api/v1/rules/"):
        await edited(api, run=route.name in ("getDryRun", "stopDryRun"))
    if route.path.endswith("/ws"):
        headers = {**headers, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    async with api.client.request(
            route.method, path or path_of(route), headers=headers, data=body_of(route), **more) as response:
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else None


def good(route: Route) -> int:
    return 101 if route.path.endswith("/ws") else route.status


@pytest.mark.parametrize("route", FOR_TOKENS, ids=IDS)
async def test_owner_lesser_scope_and_stranger(route: Route) -> None:
    assert route.scope is not None
    async with serving(loopback=False) as api:
        await furnish(api, "agency", OPERATOR)
        assert (await ask(api, route, api.token(route.scope)))[0] == good(route)
        assert (await ask(api, route, api.token("admin")))[0] == good(route)

        lesser = [scope for scope in SCOPES if scope not in (route.scope, "admin")]
        status, answer = await ask(api, route, api.token(*lesser))
        assert (status, answer["error"]["code"]) == (403, "missing_scope")
        assert answer["error"]["details"] == {"scope": route.scope}
        assert route.scope in answer["error"]["hint"]

        if route.scope not in OF_ALL:
            status, answer = await ask(api, route, api.token(route.scope, tenant="stranger"))
            theirs = ("{id}" in route.path and route.method != "PUT") or route.name in NAMES_ITS_OWN
            assert status == (404 if theirs else good(route))


@pytest.mark.parametrize("route", FOR_TOKENS, ids=IDS)
async def test_beyond_loopback_nothing_goes_without_a_token(route: Route) -> None:
    async with serving(loopback=False) as api:
        for headers, code in (
            ({}, "no_token"), ({"Authorization": "Bearer rp_wrong"}, "unknown_token"),
            ({"Authorization": "Bearer "}, "unknown_token"), ({"Authorization": "Basic cnA6cnA="}, "unknown_token"),
            ({"Authorization": "Bearer " + digest("x")}, "unknown_token"),
        ):
            status, answer = await ask(api, route, headers)
            assert (status, answer["error"]["code"]) == (401, code)
            assert answer["error"]["hint"]
        assert api.ingest.calls == [] and api.reload.calls == 0


@pytest.mark.parametrize("route", OPEN, ids=[route.name for route in OPEN])
async def test_health_is_open_to_everybody(route: Route) -> None:
    async with serving(loopback=False) as api:
        for headers in ({}, {"Host": "evil.example", "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}):
            assert (await ask(api, route, headers))[0] == 200


@pytest.mark.parametrize("route", BY_LINK, ids=[route.name for route in BY_LINK])
async def test_a_link_shows_its_room_to_whoever_has_it_and_nothing_to_others(route: Route) -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency")
        assert (await ask(api, route, {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}))[0] == 200
        assert LINK not in api.logger.all()
        wrong = path_of(route).replace(LINK, LINK[:-1] + "y")
        async with api.client.request(route.method, wrong, data=body_of(route)) as response:
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cache-Control"] == "no-store"
            if route.name != "getCuePage":
                assert (response.status, (await response.json())["error"]["code"]) == (404, "unknown_link")


def test_every_route_is_guarded_but_health() -> None:
    assert {route.path for route in ROUTES if route.scope is None and not route.by_link} == {
        "/", "/healthz", "/readyz", "/api/v1/session", "/api/v1/invitations/{secret}"}
    assert {route.scope for route in GUARDED} == {*SCOPES, SESSION}


async def test_a_stranger_sees_nothing_and_learns_of_nothing() -> None:
    async with serving(loopback=False) as api:
        mine, theirs = api.token("ingest", "read"), api.token("ingest", "read", tenant="stranger")
        api.publish(alert(1))
        api.archive.events["agency"] = [kept("最低价")]
        api.store.room_list["agency"] = [room("r1")]
        for path, field in (("alerts", "alerts"), ("rooms", "rooms"), ("events?text=最低价", "events")):
            async with api.client.get(f"/api/v1/{path}", headers=mine) as response:
                assert len((await response.json())[field]) == 1
            async with api.client.get(f"/api/v1/{path}", headers=theirs) as response:
                assert (await response.json())[field] == []
        answers = []
        for number in (1, 999):  # one that exists, one that does not
            async with api.client.get(f"/api/v1/alerts/{alert(number).id}", headers=theirs) as response:
                answers.append((response.status, await response.read()))
        assert answers[0] == answers[1] and answers[0][0] == 404
        await api.client.post("/api/v1/events", data=ndjson(1), headers=theirs)
        assert api.ingest.calls[-1][0] == "stranger"


@pytest.mark.parametrize("after", ["", "?after=0"])
async def test_a_strangers_stream_stays_silent(after: str) -> None:
    async with serving(loopback=False) as api:
        mine, theirs = api.token("read"), api.token("read", tenant="stranger")
        api.publish(alert(8), alert(9, tenant="stranger"))
        missed = [(1, alert(8).id), (1, alert(9).id)] if after else [(2, alert(1).id), (2, alert(2).id)]
        async with (
            api.client.get(f"/api/v1/alerts/stream{after}", headers=mine) as own,
            api.client.get(f"/api/v1/alerts/stream{after}", headers=theirs) as other,
        ):
            own_events, other_events = Sse(own), Sse(other)
            await own_events.event()
            await other_events.event()
            api.publish(alert(1), alert(2, tenant="stranger"))
            told = [await own_events.event(), await other_events.event()]
            assert [(number, data["alert"]["id"]) for _, number, data in told] == missed


async def test_sessions_of_two_tenants_do_not_meet() -> None:
    async with serving(loopback=False) as api:
        path = "/api/v1/events/ws"
        async with (
            api.client.ws_connect(path, headers=api.token("ingest")) as mine,
            api.client.ws_connect(path, headers=api.token("ingest", tenant="stranger")) as theirs,
        ):
            for socket in (mine, theirs):
                await socket.send_json({"hello": {"session": "s"}})
                assert (await socket.receive_json())["welcome"]["last"] == 0
                await socket.send_json({"seq": 1, "events": events(1)})
                assert (await socket.receive_json())["accepted"] == 1
        assert api.ingest.sessions == {("agency", "s"): 1, ("stranger", "s"): 1}


@pytest.mark.parametrize("route", FOR_TOKENS, ids=IDS)
async def test_on_loopback_no_token_is_needed(route: Route) -> None:
    async with serving() as api:
        await furnish(api, "local")
        assert (await ask(api, route, {}))[0] == good(route)


@pytest.mark.parametrize("route", FOR_TOKENS, ids=IDS)
async def test_a_token_that_is_sent_must_be_known_on_loopback_too(route: Route) -> None:
    async with serving() as api:
        assert (await ask(api, route, {"Authorization": "Bearer rp_wrong"}))[0] == 401


FOREIGN = (
    ({"Host": "evil.example"}, 403, "foreign_host"),
    ({"Host": "evil.example:8321"}, 403, "foreign_host"),
    ({"Host": "192.168.1.7:8321"}, 403, "foreign_host"),
    ({"Host": "127.0.0.1.evil.example"}, 403, "foreign_host"),
    ({"Sec-Fetch-Site": "cross-site"}, 403, "cross_site"),
    ({"Host": "localhost:1", "Origin": "http://localhost:2"}, 403, "cross_site"),
    ({"Origin": "https://evil.example"}, 403, "cross_site"),
    ({"Origin": "null"}, 403, "cross_site"),
    ({"Origin": "http://[bad"}, 403, "cross_site"),
    ({"X-Forwarded-For": "10.0.0.1"}, 401, "no_token"),
    ({"Forwarded": "for=10.0.0.1"}, 401, "no_token"),
    ({"X-Forwarded-Proto": "https"}, 401, "no_token"),
    ({"CF-Connecting-IP": "10.0.0.1"}, 401, "no_token"),
)
"""What a request has that does not come from this machine or this page, and how it is answered."""


@pytest.mark.parametrize("route", FOR_TOKENS, ids=IDS)
async def test_pages_of_other_sites_get_nothing_from_loopback(route: Route) -> None:
    async with serving() as api:
        for headers, status, code in FOREIGN:
            found, answer = await ask(api, route, headers)
            assert (found, answer["error"]["code"]) == (status, code)
        assert api.ingest.calls == [] and api.reload.calls == 0


async def test_the_services_own_page_and_local_names_are_welcome() -> None:
    async with serving() as api:
        for headers in (
            {"Host": "localhost:8321", "Origin": "http://localhost:8321", "Sec-Fetch-Site": "same-origin"},
            {"Host": "[::1]:8321"}, {"Host": "127.8.9.1"}, {"Host": "monitor.localhost"}, {"Sec-Fetch-Site": "none"},
        ):
            async with api.client.get("/api/v1/rooms", headers=headers) as response:
                assert response.status == 200, headers


async def test_a_token_is_enough_behind_a_proxy() -> None:
    async with serving() as api:
        headers = {**api.token("read"), "Host": "monitor.example", "X-Forwarded-For": "10.0.0.1"}
        async with api.client.get("/api/v1/rooms", headers=headers) as response:
            assert response.status == 200


def test_names_of_loopback() -> None:
    for name in ("localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1", "[::1]", "[::1]:80", "localhost."):
        assert is_loopback_name(name), name
    for name in ("", "0.0.0.0", "example.com", "localhost.evil.example", "[::2]", "[", "127.1.evil", "user@evil"):  # noqa: S104
        assert not is_loopback_name(name), name


@pytest.mark.parametrize("route", FOR_TOKENS, ids=IDS)
async def test_a_token_in_the_address_works_for_the_stream_alone(route: Route) -> None:
    async with serving(loopback=False) as api:
        secret = api.token("admin")["Authorization"].removeprefix("Bearer ")
        status, _ = await ask(api, route, {}, params={"token": secret})
        assert status == (200 if route.name == "streamAlerts" else 401)
        assert secret not in api.logger.all()
        if status == 200:
            assert (await ask(api, route, {}, params={"token": "rp_wrong"}))[0] == 401


async def greeted(api: Api, token: dict[str, str]) -> ClientWebSocketResponse[Any]:
    socket = await api.client.ws_connect("/api/v1/events/ws", headers=token)
    await socket.send_json({"hello": {"session": "s"}})
    await socket.receive_json()
    return socket


async def sent_away(socket: ClientWebSocketResponse[Any]) -> None:
    assert (await socket.receive_json())["error"]["code"] == "unknown_token"
    assert (await socket.receive()).type is WSMsgType.CLOSE
    assert socket.close_code == 4003


async def test_a_revoked_token_ends_requests_streams_and_sockets() -> None:
    async with serving(loopback=False) as api:
        token = api.token("ingest", "read")
        socket = await greeted(api, token)
        async with api.client.get("/api/v1/alerts/stream", headers=token) as response:
            stream = Sse(response)
            assert (await stream.event())[0] == "hello"
            api.revoke()
            api.publish(alert(1))
            assert await stream.block() == ""
        await socket.send_json({"seq": 1, "events": events(1)})
        await sent_away(socket)
        assert api.ingest.calls == []
        async with api.client.get("/api/v1/rooms", headers=token) as response:
            assert response.status == 401


async def test_a_revoked_token_ends_streams_and_sockets_over_which_nothing_passes() -> None:
    async with serving(loopback=False, revoked_after_s=0.02) as api:
        token = api.token("ingest", "read")
        socket = await greeted(api, token)
        async with api.client.get("/api/v1/alerts/stream", headers=token) as response:
            stream = Sse(response)
            assert (await stream.event())[0] == "hello"
            api.revoke()
            assert await stream.block() == ""
        await sent_away(socket)


@pytest.mark.parametrize("scope", ["admin", "metrics"])
async def test_what_reaches_beyond_a_tenant_is_the_operators(scope: str) -> None:
    """One set of rules and one set of figures serve all tenants."""
    with pytest.raises(ConfigError, match="all tenants"):
        new_token("agency", "ops", ["read", scope], NOW)
    async with serving(loopback=False) as api:
        secret, record = new_token(OPERATOR, "ops", [scope], NOW)
        api.store.tokens_kept.append(msgspec.structs.replace(record, tenant="agency"))  # made before this was refused
        headers = {"Authorization": f"Bearer {secret}"}
        for method, path in (("GET", "/metrics"), ("POST", "/api/v1/rules/reload")):
            async with api.client.request(method, path, headers=headers) as response:
                assert response.status == 403
        async with api.client.get("/api/v1/rooms", headers=headers) as response:
            assert response.status == (200 if scope == "admin" else 403)
        assert api.reload.calls == 0


async def test_a_socket_without_the_scope_is_refused_before_it_opens() -> None:
    async with serving(loopback=False) as api:
        with pytest.raises(WSServerHandshakeError) as caught:
            await api.client.ws_connect("/api/v1/events/ws", headers=api.token("read"))
        assert caught.value.status == 403


def test_new_tokens_are_long_and_different_and_leave_a_digest_only() -> None:
    made = [new_token("agency", "feed", ["ingest", "ingest"], NOW) for _ in range(100)]
    assert len({secret for secret, _ in made}) == len({record.id for _, record in made}) == 100
    for secret, record in made:
        assert secret.startswith("rp_") and len(secret) == 3 + 43
        assert record.sha256 == digest(secret) and secret not in repr(record)
        assert (record.tenant, record.name, record.scopes, record.created_at, record.revoked_at) == (
            "agency", "feed", ["ingest"], NOW, None
        )


@pytest.mark.parametrize("scopes", [[], ["read", "root"]])
def test_a_token_needs_scopes_that_exist(scopes: list[str]) -> None:
    with pytest.raises(ConfigError, match="scope"):
        new_token("agency", "x", scopes, NOW)


class Clock:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


async def test_tokens_are_read_again_after_a_while_and_at_once_for_a_new_one() -> None:
    async with serving() as api:
        clock = Clock()
        tokens = Tokens(api.store, api.logger, fresh_s=2, clock=clock)  # type: ignore[arg-type]
        reads = api.store.token_reads

        def read() -> int:
            return api.store.token_reads - reads

        secret = api.token("read")["Authorization"].removeprefix("Bearer ")
        assert await tokens.find(secret) is not None
        assert read() == 1
        clock.at = 1.9
        assert await tokens.find(secret) is not None
        assert read() == 1
        api.revoke()
        clock.at = 2.0
        assert await tokens.find(secret) is None
        assert read() == 2
        for _ in range(50):  # guessing does not become load
            assert await tokens.find("rp_guess") is None
        assert read() == 2
        clock.at = 2.15
        newer = api.token("read")["Authorization"].removeprefix("Bearer ")
        assert await tokens.find(newer) is not None
        assert read() == 3


async def test_while_the_store_refuses_the_known_tokens_stay() -> None:
    async with serving(loopback=False) as api:
        token = api.token("ingest")
        assert (await api.client.post("/api/v1/events", data=ndjson(1), headers=token)).status == 200
        api.store.fail = StorageError("the disk is full")
        assert (await api.client.post("/api/v1/events", data=ndjson(2), headers=token)).status == 200
        assert ("warning", "tokens_not_read", {"code": "storage"}) in api.logger.lines


async def test_the_log_names_the_tokens_id_never_its_secret() -> None:
    async with serving(loopback=False) as api:
        headers = api.token("read")
        record: Token = api.store.tokens_kept[0]
        async with api.client.get("/api/v1/rooms", headers=headers):
            facts = await api.logger.until("request", route="/api/v1/rooms")
        assert (facts["tenant"], facts["token"]) == ("agency", record.id)
        assert headers["Authorization"][10:] not in api.logger.all()
