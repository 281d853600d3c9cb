"""The life of models over HTTP."""

import asyncio
from typing import Any

from monitor.domain.errors import StorageError
from tests.fakes.registry import tiny_model
from tests.functional.fakes import NOW, Api, serving

PATH = "/api/v1/models"


async def ask(api: Api, method: str, path: str = "", headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with api.client.request(method, PATH + path, headers=headers or {}) as response:
        is_json = response.content_type == "application/json"
        return response.status, await response.json() if is_json else await response.text()


async def roles(api: Api) -> dict[str, str]:
    _, answer = await ask(api, "GET")
    return {each["role"]: each["id"] for each in answer["models"] if each["role"]}


async def test_a_model_is_tried_promoted_and_rolled_back() -> None:
    async with serving() as api:
        status, answer = await ask(api, "GET")
        assert (status, [each["id"] for each in answer["models"]]) == (200, ["default/1", "local/1", "local/2"])
        assert answer["models"][1]["macro_f1"] == 0.5
        assert await ask(api, "GET", "/local/1/card") == (200, "# local/1")
        assert (await ask(api, "POST", "/local/1/shadow"))[1]["tenants"]["*"]["shadow"] == "local/1"
        status, state = await ask(api, "POST", "/local/1/promote")
        choice = state["tenants"]["*"]
        assert (status, choice["serving"], choice["by"], choice["at"]) == (200, "local/1", "loopback", NOW)
        assert await roles(api) == {"serving": "local/1", "previous": "default/1"}
        assert (await ask(api, "POST", "/rollback"))[0] == 200
        assert await roles(api) == {"serving": "default/1"}
        assert api.reload.calls == 3
        assert (await api.logger.until("model_promoted"))["serving"] == "local/1"


async def test_models_come_by_pages() -> None:
    async with serving() as api:
        found: list[str] = []
        path = "?limit=2"
        while path:
            _, answer = await ask(api, "GET", path)
            found += [each["id"] for each in answer["models"]]
            path = f"?limit=2&cursor={answer['next']}" if answer["next"] else ""
        assert found == ["default/1", "local/1", "local/2"]
        assert (await ask(api, "GET", "?cursor=x"))[0] == 400


async def test_a_tenants_own_model_is_promoted_and_rolled_back_for_it_alone() -> None:
    async with serving() as api:
        api.registry.add(tiny_model("agency/1", tenant="agency"), "#")
        status, state = await ask(api, "POST", "/agency/1/promote")
        assert (status, list(state["tenants"]), state["tenants"]["agency"]["serving"]) == (200, ["agency"], "agency/1")
        _, answer = await ask(api, "GET")
        assert {each["id"]: (each["role"], each["tenants"], each["tenant"]) for each in answer["models"]} == {
            "default/1": ("serving", {}, ""), "agency/1": ("", {"agency": "serving"}, "agency"),
            "local/1": ("", {}, ""), "local/2": ("", {}, "")}
        status, answer = await ask(api, "POST", "/agency/1/promote?tenant=other")
        assert (status, answer["error"]["code"]) == (400, "bad_input") and answer["error"]["hint"]
        assert (await ask(api, "POST", "/local/1/promote?tenant=other"))[0] == 200
        assert (await ask(api, "POST", "/local/1/shadow?tenant=..%2Fx"))[0] == 400
        status, answer = await ask(api, "POST", "/rollback")
        assert (status, "agency, other" in answer["error"]["message"]) == (400, True)
        assert (await ask(api, "POST", "/rollback?tenant=agency"))[1]["tenants"]["agency"]["serving"] == ""
        assert (await ask(api, "POST", "/rollback"))[1]["tenants"]["other"]["serving"] == ""


async def test_what_cannot_be_is_told_with_what_to_do() -> None:
    async with serving() as api:
        api.registry.unsound.add("local/2")
        for method, path, status, code in (
            ("GET", "/local/9/card", 404, "not_found"), ("POST", "/local/9/promote", 404, "not_found"),
            ("POST", "/..%2Fx/1/shadow", 404, "not_found"), ("POST", "/local/2/promote", 400, "bad_input"),
            ("POST", "/default/1/promote", 400, "bad_input"), ("POST", "/rollback", 400, "bad_input"),
        ):
            found, answer = await ask(api, method, path)
            assert (found, answer["error"]["code"]) == (status, code), path
            assert answer["error"]["message"] and answer["error"]["hint"]
        assert api.reload.calls == 0 and await roles(api) == {"serving": "default/1"}
        assert [each["fault"] for each in (await ask(api, "GET"))[1]["models"]] == ["", "", "local/2 is cut off"]


async def ended(api: Api, query: str = "") -> Any:
    async with asyncio.timeout(10):
        while True:
            status, answer = await ask(api, "GET", f"/retrain{query}")
            if status != 200 or answer["stage"] not in ("waiting", "running"):
                return answer


async def test_a_training_is_asked_for_and_told_how_it_goes() -> None:
    async with serving() as api:
        assert (await ask(api, "GET", "/retrain"))[1]["error"]["code"] == "not_found"
        api.train.gate.clear()
        status, answer = await ask(api, "POST", "/retrain?tenant=agency")
        assert (status, answer["stage"], answer["by"], answer["asked_at"]) == (202, "waiting", "loopback", NOW)
        status, answer = await ask(api, "POST", "/retrain?tenant=agency")
        assert (status, answer["error"]["code"]) == (409, "conflict") and answer["error"]["hint"]
        assert (await ask(api, "GET", "/retrain?tenant=agency"))[1]["stage"] == "running"
        deed = api.posts.trail["local"][-1].deed
        assert (deed.by, deed.what, deed.on) == ("loopback", "training.ask", "agency")
        assert (await ask(api, "POST", "/retrain"))[0] == 202, "another tenant's waits for its turn"
        assert (await ask(api, "GET", "/retrain"))[1]["stage"] == "waiting"
        api.train.gate.set()
        answer = await ended(api, "?tenant=agency")
        assert (answer["stage"], answer["learnt"]["model"], answer["ended_at"]) == ("kept", "agency/1", NOW)
        await ended(api)
        assert api.train.asked == [("agency", "loopback"), ("local", "loopback")]
        assert (await ask(api, "POST", "/retrain?tenant=..%2Fx"))[0] == 400


async def test_a_training_that_was_killed_says_so_and_what_serves_stays() -> None:
    async with serving() as api:
        api.train.gives = StorageError("the training was ended by SIGKILL; nothing was kept", hint="ask again")
        assert (await ask(api, "POST", "/retrain"))[0] == 202
        answer = await ended(api)
        assert (answer["stage"], answer["fault"]) == (
            "failed", "the training was ended by SIGKILL; nothing was kept (ask again)")
        assert (api.reload.calls, await roles(api)) == (0, {"serving": "default/1"})
        assert (await api.logger.until("training_failed"))["tenant"] == "local"


async def test_nobody_a_lesser_scope_and_the_operator() -> None:
    async with serving(loopback=False) as api:
        calls = [("GET", ""), ("GET", "/local/1/card"), ("POST", "/local/1/promote"), ("POST", "/local/2/shadow"),
                 ("POST", "/rollback"), ("POST", "/retrain"), ("GET", "/retrain")]
        for method, path in calls:
            assert (await ask(api, method, path))[0] == 401
            assert (await ask(api, method, path, api.token("read", "ingest")))[0] == 403
        assert api.reload.calls == 0 and not api.train.asked
        headers = api.token("admin")
        for method, path in calls:
            assert (await ask(api, method, path, headers))[0] == (202 if (method, path) == calls[-2] else 200)
        assert (await api.logger.until("model_promoted"))["by"] == api.store.tokens_kept[-1].id
