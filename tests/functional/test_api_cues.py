"""Cues by HTTP: a link is made, shows what the room is told as it comes, takes its answer, and ends."""

import asyncio
from typing import Any

import pytest

from monitor.domain.people import Grant, Role
from tests.functional.fakes import NOW, Api, Sse, alert, serving


async def prepared(api: Api) -> tuple[dict[str, str], dict[str, Any]]:
    """The header of a reviewer, and a link of the alert's room."""
    api.posts.put(alert(1, tenant="agency"))
    reviewer = api.token("review")
    async with api.client.post(f"/api/v1/rooms/{alert(1).room}/links", json={}, headers=reviewer) as response:
        assert response.status == 201
        return reviewer, await response.json()


async def cue(api: Api, reviewer: dict[str, str], **body: Any) -> dict[str, Any]:
    async with api.client.post(f"/api/v1/alerts/{alert(1).id}/cue", json=body, headers=reviewer) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_a_room_sees_its_cues_as_they_come_and_answers_them() -> None:
    async with serving(loopback=False) as api:
        reviewer, made = await prepared(api)
        address = f"/api/v1/cue/{made['secret']}"
        assert made["path"] == f"/cue/{made['secret']}"
        async with api.client.get(f"{address}/stream") as response:
            stream = Sse(response)
            name, _, hello = await stream.event()
            assert (name, hello["room"], hello["expires_at"]) == ("hello", alert(1).room, NOW + 86_400_000)
            told = await cue(api, reviewer, say="请更正")
            name, number, shown = await stream.event()
            assert (name, shown["id"], shown["say"], shown["automatic"]) == ("cue", told["id"], "请更正", False)
            assert {"by", "tenant", "alert"}.isdisjoint(shown)
            answer = {"cue": told["id"], "answer": "not_so", "word": "引用"}
            async with api.client.post(f"{address}/answers", json=answer) as answered:
                assert (answered.status, (await answered.json())["answered"]) == (200, "not_so")
            assert (await stream.event())[2]["answered"] == "not_so"
        async with api.client.get(f"{address}/stream", headers={"Last-Event-ID": str(number)}) as response:
            resumed = Sse(response)
            await resumed.event()
            assert (await resumed.event())[2]["answered"] == "not_so"  # what changed meanwhile, once
        async with api.client.get(f"/api/v1/alerts/{alert(1).id}/cues", headers=api.token("read")) as response:
            assert [each["word"] for each in (await response.json())["cues"]] == ["引用"]
        assert made["secret"] not in api.logger.all()


async def test_a_link_says_what_people_call_its_room() -> None:
    async with serving(loopback=False) as api:
        _, made = await prepared(api)
        address, room = f"/api/v1/cue/{made['secret']}", f"/api/v1/records/room/{alert(1).room}"
        async with api.client.get(address) as response:
            assert (await response.json())["title"] == ""
        async with api.client.put(room, json={"title": "茶山"}, headers=api.token("organise")) as response:
            assert response.status == 200, await response.text()
        async with api.client.get(address) as response:
            assert (await response.json())["title"] == "茶山"
        async with api.client.get(f"{address}/stream") as response:
            assert (await Sse(response).event())[2]["title"] == "茶山"


async def test_a_revoked_link_cuts_off_whoever_listens() -> None:
    async with serving(loopback=False) as api:
        reviewer, made = await prepared(api)
        address = f"/api/v1/cue/{made['secret']}"
        async with api.client.get(f"{address}/stream") as response:
            stream = Sse(response)
            await stream.event()
            link = f"/api/v1/rooms/{alert(1).room}/links/{made['link']['id']}"
            async with api.client.delete(link, headers=reviewer) as revoked:
                assert (await revoked.json())["revoked_at"] == NOW
            async with asyncio.timeout(5):
                assert await stream.block() == ""
        async with api.client.get(address) as response:
            assert response.status == 404


async def test_a_link_that_ends_by_time_ends_its_streams() -> None:
    async with serving(loopback=False, sse_heartbeat_s=0.02) as api:
        _, made = await prepared(api)
        async with api.client.get(f"/api/v1/cue/{made['secret']}/stream") as response:
            stream = Sse(response)
            await stream.event()
            api.clock.ms += 86_400_000
            async with asyncio.timeout(5):
                while await stream.block() != "":
                    pass


async def test_few_pages_listen_at_one_link() -> None:
    async with serving(loopback=False) as api:
        _, made = await prepared(api)
        opened = [await api.client.get(f"/api/v1/cue/{made['secret']}/stream") for _ in range(9)]
        assert [response.status for response in opened] == [200] * 8 + [429]
        for response in opened:
            response.close()


@pytest.mark.parametrize("body, status", [
    ({"cue": "nothing", "answer": "seen"}, 404), ({"cue": "c", "answer": "maybe"}, 400),
    ({"cue": "c", "answer": "seen", "room": "r2"}, 400), ({"cue": "c", "answer": "seen", "word": "长" * 201}, 400)])
async def test_a_bad_answer_is_refused(body: dict[str, str], status: int) -> None:
    async with serving(loopback=False) as api:
        _, made = await prepared(api)
        async with api.client.post(f"/api/v1/cue/{made['secret']}/answers", json=body,
                                   headers={"Accept-Language": "zh-CN"}) as response:
            answer = await response.json()
            assert response.status == status and answer["error"]["hint"]


async def test_a_channel_is_tested_and_its_secret_never_shown() -> None:
    async with serving(loopback=False) as api:
        organiser = api.token("organise")
        record = {"url": "https://hooks.example.com/abc/secret-path", "secret": "s" * 20, "title": "值班群"}
        address = "/api/v1/records/channel/ops"
        async with api.client.put(address, json=record, headers=organiser) as response:
            assert response.status == 200
            shown = (await response.json())["records"][0]["record"]
        assert shown == {"title": "值班群", "url": "https://hooks.example.com/***", "secret": "***"}
        async with api.client.put(address, json={**shown, "title": "夜班群"}, headers=organiser) as response:
            assert response.status == 200
        kept = api.posts.records["agency"]["channel", "ops"].record
        assert (kept.url, kept.secret, kept.title) == (record["url"], record["secret"], "夜班群")
        assert "secret-path" not in repr(api.posts.trail) and "ssss" not in repr(api.posts.trail)
        async with api.client.get(address, headers=api.token("read")) as response:
            assert (await response.json())["record"]["url"] == "https://hooks.example.com/***"
        async with api.client.post("/api/v1/channels/ops/test", headers=organiser) as response:
            assert response.status == 202
        async with api.client.get("/api/v1/messages", headers=api.token("read")) as response:
            (message,) = (await response.json())["messages"]
        assert (message["state"], message["tries"], message["message"]["channel"]) == ("waiting", 0, "ops")


async def test_who_runs_the_service_tests_channels_and_sees_what_became_of_it() -> None:
    async with serving(loopback=False) as api:
        channel = {"url": "https://hooks.example.com/abc", "secret": "s" * 20}
        async with api.client.put("/api/v1/records/channel/ops", json=channel, headers=api.token("organise")):
            pass
        for role, test, read in ((Role.OPS, 202, 200), (Role.OPERATOR, 202, 403), (Role.AUDITOR, 403, 200),
                                 (Role.REVIEWER, 403, 403)):
            headers = await api.person(role.value, Grant(role))
            async with api.client.post("/api/v1/channels/ops/test", headers=headers) as response:
                assert response.status == test
            async with api.client.get("/api/v1/messages", headers=headers) as response:
                assert response.status == read


@pytest.mark.parametrize("record, why", [
    ({"url": "json://10.0.0.1/x"}, "no channel has the scheme"), ({"url": "https://h.example/x"}, "at least 16"),
    ({"url": "https:///x", "secret": "s" * 20}, "no host"), ({"url": "wecombot://***"}, "stands for a secret")])
async def test_a_channel_that_cannot_work_is_refused(record: dict[str, str], why: str) -> None:
    async with serving(loopback=False) as api:
        organiser = api.token("organise")
        async with api.client.put("/api/v1/records/channel/ops", json=record, headers=organiser) as response:
            assert response.status == 400 and why in (await response.json())["error"]["message"]


async def test_a_page_shows_the_cues_and_brings_nothing_from_elsewhere() -> None:
    async with serving(loopback=False) as api:
        async with api.client.get("/cue/anything") as response:
            body = await response.text()
            policy = response.headers["Content-Security-Policy"]
        assert "场控提示" in body and "src=" not in body
        assert "http" not in body.replace("http://www.w3.org/2000/svg", "")
        assert "default-src 'none'" in policy and "'unsafe-inline'" not in policy
