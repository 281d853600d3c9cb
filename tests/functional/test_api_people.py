"""People over HTTP: three actors by their roles, what they see of their units, and what hostile clients try."""

import json
from typing import Any

import pytest

from monitor.adapters.web.auth import OF_ALL, OPERATOR, SESSION
from monitor.adapters.web.cookies import CSRF
from monitor.adapters.web.handling import Route
from monitor.adapters.web.routes import ROUTES
from monitor.domain.accounts import Times
from monitor.domain.audit import Deed
from monitor.domain.organisation import Post, Room, Unit
from monitor.domain.people import MAY, Grant, Role
from monitor.services.recordings import Edit, Edits
from tests.functional.fakes import NOW, PASSWORD, Api, Sse, alert, furnish, kept, path_of, room, serving
from tests.functional.test_api_access import GUARDED, NAMES_ITS_OWN, ask, good

EVERYTHING = tuple(Grant(role) for role in Role)
IDS = [route.name for route in GUARDED]


def lacking(route: Route) -> list[Grant]:
    """Every role that does not give what the route needs."""
    return [Grant(role) for role in Role if MAY[role].isdisjoint((route.needs, route.instead))]


def path(route: Route, headers: dict[str, str], api: Api) -> str:
    """With the person's own session in it."""
    found = next((one.id for one in api.accounts._sessions.values() if one.csrf == headers[CSRF]), "")
    return path_of(route).replace("/s0", f"/{found}")


async def test_a_page_whose_session_is_over_is_no_program_of_this_machine() -> None:
    async with serving() as api:
        for headers, status in (({}, 200), ({CSRF: "old"}, 401)):
            async with api.client.get("/api/v1/rooms", headers=headers) as answer:
                assert answer.status == status


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
async def test_owner_lesser_role_and_stranger(route: Route) -> None:
    tenant = OPERATOR if route.scope in OF_ALL else "agency"
    async with serving(loopback=False) as api:
        await furnish(api, "agency", OPERATOR)
        owner = await api.person("owner", *EVERYTHING, tenant=tenant)
        own = path(route, owner, api)
        status, answer = await ask(api, route, owner, own)
        if route.scope == "ingest":
            assert (status, answer["error"]["code"]) == (403, "missing_permission")
            return
        assert status == good(route)
        if not (route.anyone or route.scope == SESSION):
            lesser = await api.person("lesser", *lacking(route), tenant=tenant)
            status, answer = await ask(api, route, lesser)
            assert (status, answer["error"]["code"]) == (403, "missing_permission")
            assert answer["error"]["details"] == {"permission": route.needs} and answer["error"]["hint"]
            if not route.by_unit:
                branch = await api.person("branch", *(Grant(role, "east") for role in Role), tenant=tenant)
                assert (await ask(api, route, branch))[1]["error"]["code"] == "missing_permission"
        if "{session}" in route.path:
            again = await api.person("again", *EVERYTHING, tenant=tenant)
            stranger = await api.person("stranger", *EVERYTHING, tenant=tenant)
            answers = [await ask(api, route, stranger, place) for place in (path(route, again, api), own + "0")]
            assert answers[0] == answers[1] and answers[0][0] == 404
        else:
            stranger = await api.person("stranger", *EVERYTHING, tenant="stranger")
            status, answer = await ask(api, route, stranger)
            theirs = ("{id}" in route.path and route.method != "PUT") or route.name in NAMES_ITS_OWN
            assert status == (403 if route.scope in OF_ALL else 404 if theirs else good(route))


def deeds(api: Api) -> list[Deed]:
    """In the trail, without those of whoever prepares what a request is about."""
    return [row.deed for row in api.posts.trail.get(OPERATOR, []) if row.deed.by != "x"]


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
async def test_a_change_needs_the_header_that_no_other_site_knows(route: Route) -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency", OPERATOR)
        owner = await api.person("owner", *EVERYTHING, tenant=OPERATOR)
        other = await api.person("other", *EVERYTHING, tenant=OPERATOR)
        before = deeds(api)
        for wrong in ({}, {CSRF: ""}, {CSRF: "x"}, {CSRF: other[CSRF]}, {CSRF: "ü"}):
            status, answer = await ask(api, route, {"Cookie": owner["Cookie"], **wrong}, path(route, owner, api))
            if route.method == "GET":
                assert status == good(route) or route.scope == "ingest"
            else:
                assert (status, answer["error"]["code"]) == (403, "no_csrf")
        own = path(route, owner, api)
        status, answer = await ask(api, route, {**owner, "Sec-Fetch-Site": "cross-site"}, own)
        assert (status, answer["error"]["code"]) == (403, "cross_site")
        status, answer = await ask(api, route, {**owner, "Origin": "https://evil.example"}, own)
        assert (status, answer["error"]["code"]) == (403, "cross_site")
        if route.method != "GET":
            assert deeds(api) == before and api.reload.calls == 0


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
async def test_forged_and_ended_sessions_open_nothing(route: Route) -> None:
    async with serving(loopback=False) as api:
        owner = await api.person("owner", *EVERYTHING, tenant=OPERATOR)
        name, _, secret = owner["Cookie"].partition("=")
        for cookie in ("", "x", "x" * 5_000, secret.swapcase(), secret[:-1]):
            status, answer = await ask(api, route, {**owner, "Cookie": f"{name}={cookie}"})
            assert (status, answer["error"]["code"]) == (401, "session_ended")
        api.clock.ms += Times().idle_ms
        status, answer = await ask(api, route, owner)
        assert (status, answer["error"]["code"]) == (401, "session_ended")


async def signed_in(api: Api, **body: Any) -> tuple[int, Any, Any]:
    async with api.client.post("/api/v1/session", data=json.dumps(body)) as response:
        return response.status, await response.json(), response.cookies


async def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_do_not_get() -> None:
    async with serving(loopback=False) as api:
        await api.person("wang", Grant(Role.REVIEWER, "east"))
        planted = {"Cookie": "__Host-redpost=planted"}
        async with api.client.post("/api/v1/session", headers=planted, data=json.dumps(
                {"login": "Wang", "password": PASSWORD})) as response:
            me, cookie = await response.json(), response.headers["Set-Cookie"]
        assert "planted" not in cookie  # a session that somebody else chose is never taken over
        for part in ("__Host-redpost=", "HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=43200"):
            assert part in cookie
        assert (me["id"], me["tenant"], me["name"], me["homes"]) == ("wang", "agency", "Wang", [])
        assert me["permissions"] == {"see": ["east"], "review": ["east"], "cue": ["east"]} and me["csrf"]
        headers = {"Cookie": cookie.partition(";")[0]}
        async with api.client.get("/api/v1/session", headers=headers) as response:
            assert await response.json() == me
        async with api.client.delete("/api/v1/session", headers={**headers, CSRF: me["csrf"]}) as response:
            assert response.status == 204 and "Max-Age=0" in response.headers["Set-Cookie"]
        async with api.client.get("/api/v1/session", headers=headers) as response:
            assert (await response.json())["error"]["code"] == "session_ended"
            assert "Max-Age=0" in response.headers["Set-Cookie"]
        assert cookie.partition("=")[2].partition(";")[0] not in api.logger.all()


async def test_on_loopback_the_cookie_goes_without_tls_and_says_who_it_is() -> None:
    async with serving() as api:
        wang = await api.person("wang", Grant(Role.REVIEWER), secure=False)
        async with api.client.get("/api/v1/session", headers=wang) as response:
            assert (await response.json())["id"] == "wang"
        async with api.client.get("/api/v1/session") as response:
            me = await response.json()
            assert (me["id"], me["session"], me["csrf"]) == ("loopback", "", "")
        async with api.client.post("/api/v1/session", data=json.dumps(
                {"login": "wang", "password": PASSWORD})) as response:
            assert "Secure" not in response.headers["Set-Cookie"] and "redpost=" in response.headers["Set-Cookie"]
        async with api.client.post("/api/v1/session", headers={"X-Forwarded-Proto": "https"}, data=json.dumps(
                {"login": "wang", "password": PASSWORD})) as response:
            assert "; Secure" in response.headers["Set-Cookie"]


async def test_what_is_wrong_at_signing_in_is_never_told() -> None:
    async with serving(loopback=False) as api:
        await api.person("wang", Grant(Role.REVIEWER))
        answers = [await signed_in(api, login=login, password=password)
                   for login, password in (("wang", "x"), ("nobody", PASSWORD), ("", ""), ("a b", PASSWORD))]
        assert all(answer == answers[0] for answer in answers[1:])
        assert answers[0][:2] == (401, answers[0][1]) and answers[0][1]["error"]["code"] == "bad_login"
        assert not answers[0][2]
        for _ in range(9):
            await signed_in(api, login="wang", password=PASSWORD + "x")
        async with api.client.post("/api/v1/session", data=json.dumps({"login": "wang", "password": PASSWORD}),
                                   headers={"Accept-Language": "zh"}) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "900")
            assert "请稍后" in (await response.json())["error"]["message"]


async def test_a_proxy_of_this_machine_says_whose_tries_they_are() -> None:
    async with serving(loopback=False) as api:
        await api.person("wang", Grant(Role.REVIEWER))

        async def tried(login: str, forwarded: str) -> int:
            async with api.client.post("/api/v1/session", data=json.dumps({"login": login, "password": PASSWORD}),
                                       headers={"X-Forwarded-For": forwarded}) as response:
                return response.status

        for number in range(100):
            assert await tried(f"guess{number}", f"10.9.9.{number}, 10.0.0.1") == 401
        assert await tried("wang", "10.0.0.1") == 429  # whatever the client itself had put before it
        assert await tried("wang", "10.0.0.1, 10.0.0.2") == 200


async def test_bodies_of_signing_in_are_small_and_hold_nothing_else() -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency")
        owner = await api.person("owner", *EVERYTHING)
        looked = api.passwords.looked
        for body in ({"login": "wang", "password": "x", "grants": [{"role": "ops"}]}, {"login": "wang"}, [],
                     {"login": "wang", "password": ["x"]}, {"login": "x" * 2_000, "password": ""}):
            async with api.client.post("/api/v1/session", data=json.dumps(body)) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (400, "bad_json")
        async with api.client.post("/api/v1/session", data=b"x" * 20_000) as response:
            assert response.status == 413
        for site in ({}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):  # a neighbour is no friend
            async with api.client.post("/api/v1/session", data=json.dumps({"login": "owner", "password": PASSWORD}),
                                       headers={"Origin": "https://evil.example", **site}) as response:
                assert (await response.json())["error"]["code"] == "cross_site"
        assert api.passwords.looked == looked
        for more in ({"tenant": "other"}, {"joined": True}, {"password": "x"}, {"login": "root"},
                     {"version": 2**70}):
            body = {"grants": [{"role": "reviewer"}], "version": 1, **more}
            async with api.client.put("/api/v1/users/wang", headers=owner, data=json.dumps(body)) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (400, "bad_json")


async def test_an_invitation_from_its_making_to_the_second_try() -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency")
        owner = await api.person("owner", *EVERYTHING)
        async with api.client.post("/api/v1/users/wang/invitation", headers=owner) as response:
            link = await response.json()
        async with api.client.get("/api/v1" + link["path"]) as response:
            invited = await response.json()
        assert (invited["login"], invited["tenant"], invited["new_password"]) == ("wang", "agency", True)
        async with api.client.post("/api/v1" + link["path"], data=body_of_join("short")) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (400, "bad_input")
        async with api.client.post("/api/v1" + link["path"], data=body_of_join(PASSWORD)) as response:
            assert (await response.json())["id"] == "wang" and response.headers["Set-Cookie"]
        answers = []
        for path_ in ("/api/v1" + link["path"], "/api/v1/invitations/none"):
            async with api.client.post(path_, data=body_of_join(PASSWORD)) as response:
                answers.append((response.status, await response.read()))
        assert answers[0] == answers[1] and answers[0][0] == 404
        assert link["path"].rpartition("/")[2] not in api.logger.all()
        rows = [row.deed.what for row in api.posts.trail["agency"]]
        assert rows[-3:] == ["user.invite", "user.join", "session.open"]


def body_of_join(password: str) -> str:
    return json.dumps({"password": password})


async def test_a_person_of_two_tenants_chooses_one_and_sees_that_one_alone() -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency", "street")
        await api.person("li", Grant(Role.REVIEWER))
        await api.person("li", Grant(Role.COORDINATOR), tenant="street")
        status, answer, cookies = await signed_in(api, login="li", password=PASSWORD)
        assert (status, answer["error"]["details"], dict(cookies)) == (409, {"tenants": ["agency", "street"]}, {})
        status, me, _ = await signed_in(api, login="li", password=PASSWORD, tenant="street")
        assert (me["tenant"], me["homes"]) == ("street", ["agency"])
        assert (await signed_in(api, login="li", password=PASSWORD, tenant="other"))[0] == 401


BRANCHES = ((1, "east", ""), (2, "west", "desk"), (3, "team", ""), (4, "", ""))
"""(number of an alert and its room, unit, post); the team belongs to the east."""


async def branched(api: Api) -> None:
    records = [Edit(kind="unit", id=name, record=Unit(title=name)) for name in ("east", "west")]
    records += [Edit(kind="unit", id="team", record=Unit(title="t", above="east")),
                Edit(kind="post", id="desk", record=Post(title="d", unit="west", members=("li",)))]
    records += [Edit(kind="room", id=f"r{number}", record=Room(unit=unit)) for number, unit, _ in BRANCHES]
    await api.posts.edit("agency", Edits(changes=records, deeds=[], at=NOW, by="test"))
    await api.organising.refresh("agency")
    for number, unit, post in BRANCHES:
        api.publish(alert(number, room=f"r{number}", unit=unit, post=post))
        api.posts.put(api.store.kept[-1])
    api.store.room_list["agency"] = [room(f"r{number}") for number, _, _ in BRANCHES]
    api.archive.events["agency"] = [kept("好", room=f"r{number}") for number, _, _ in BRANCHES]


@pytest.mark.parametrize("login, unit, alerts, rooms", [
    ("wang", "east", [1, 3], ["r1", "r3"]),
    ("li", "team", [2, 3], ["r3"]),  # a member of a post of the west
    ("zhao", "", [1, 2, 3, 4], ["r1", "r2", "r3", "r4"]),
])
async def test_who_belongs_to_a_branch_sees_what_is_its_own(
    login: str, unit: str, alerts: list[int], rooms: list[str]
) -> None:
    async with serving(loopback=False) as api:
        await branched(api)
        headers = await api.person(login, Grant(Role.REVIEWER, unit))

        async def seen(path_: str, key: str) -> list[str]:
            async with api.client.get(f"/api/v1/{path_}", headers=headers) as response:
                assert response.status == 200
                return sorted(one[key] for one in next(iter((await response.json()).values())))

        assert await seen("alerts", "id") == [alert(number).id for number in alerts]
        assert await seen("rooms", "room") == await seen("records/room", "id") == await seen("events", "room") == rooms
        assert "lawful_context" in await seen("records/reason", "id")  # everybody decides by them
        for number, _, _ in BRANCHES:
            for tail in ("", "/history"):
                async with api.client.get(f"/api/v1/alerts/{alert(number).id}{tail}", headers=headers) as response:
                    assert response.status == (200 if number in alerts else 404), (number, tail)
        async with api.client.get("/api/v1/alerts/stream?after=0", headers=headers) as response:
            stream = Sse(response)
            await stream.event()
            assert [(await stream.event())[2]["alert"]["id"] for _ in alerts] == [alert(n).id for n in alerts]
            api.publish(alert(8, unit="north"), alert(9, unit="team"))
            told = (await stream.event())[2]["alert"]["id"]
            assert told == alert(9 if unit else 8).id


async def test_a_stream_ends_with_the_session_and_with_the_rights() -> None:
    async with serving(loopback=False, revoked_after_s=0.02) as api:
        wang = await api.person("wang", Grant(Role.REVIEWER))
        async with api.client.get("/api/v1/alerts/stream", headers=wang) as response:
            stream = Sse(response)
            assert (await stream.event())[0] == "hello"
            async with api.client.delete("/api/v1/session", headers=wang) as gone:
                assert gone.status == 204
            assert await stream.block() == ""


async def test_the_trail_is_the_auditors_and_tells_who_did_what() -> None:
    async with serving(loopback=False) as api:
        await furnish(api, "agency")
        owner = await api.person("owner", *EVERYTHING)
        auditor = await api.person("auditor", Grant(Role.AUDITOR))
        async with api.client.put("/api/v1/records/room/r1", headers=owner, data='{"title": "新"}') as response:
            assert response.status == 200
        async with api.client.get("/api/v1/audit?on=room/r1", headers=auditor) as response:
            rows = (await response.json())["rows"]
        assert [(row["deed"]["by"], row["deed"]["what"]) for row in rows] == [("owner", "room.put")]
        async with api.client.get("/api/v1/audit", headers=auditor) as response:
            every = [row["seq"] for row in (await response.json())["rows"]]
        async with api.client.get(f"/api/v1/audit?before={every[-1]}&limit=2", headers=auditor) as response:
            assert [row["seq"] for row in (await response.json())["rows"]] == every[-2:-4:-1]
        async with api.client.get("/api/v1/audit?limit=1", headers=auditor) as response:
            assert [row["seq"] for row in (await response.json())["rows"]] == [1]


def test_every_route_has_an_answer_to_who_may() -> None:
    assert all(route.needs or route.anyone or route.scope in (None, SESSION, "ingest") for route in ROUTES)
