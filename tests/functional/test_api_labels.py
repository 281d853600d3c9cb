"""Labels over HTTP: taken, told, listed, and each tenant's own."""

import json
from typing import Any

from monitor.domain.errors import StorageError
from tests.functional.fakes import NOW, Api, label, labels_body, serving

PATH = "/api/v1/labels"


async def post(api: Api, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with api.client.post(PATH, data=body, headers=headers or {}) as response:
        return response.status, await response.json()


async def listed(api: Api, query: str = "", headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with api.client.get(PATH + query, headers=headers or {}) as response:
        return response.status, await response.json()


async def test_labels_are_taken_masked_and_listed() -> None:
    async with serving() as api:
        taken = {"added": 2, "changed": 0, "unchanged": 0, "rejected": [], "rejected_total": 0}
        assert await post(api, labels_body(1, 2)) == (200, taken)
        array = json.dumps([label(2), label(3, text="电话13812345678", labels=[], near="offsite_fraud")]).encode()
        assert await post(api, array) == (200, {**taken, "added": 1, "unchanged": 1})
        status, page = await listed(api, "?limit=2")
        assert (status, [each["id"] for each in page["labels"]]) == (200, ["l1", "l2"])
        status, page = await listed(api, f"?cursor={page['next']}")
        assert page == {"labels": [{"id": "l3", "text": "电话" + "*" * 11, "labels": [], "near": "offsite_fraud",
                                    "at": NOW - 3}], "next": None}
        status, page = await listed(api, f"?since={NOW - 2}&until={NOW - 1}")
        assert [each["id"] for each in page["labels"]] == ["l2"]


async def test_bad_items_do_not_spoil_the_good_ones() -> None:
    async with serving() as api:
        status, answer = await post(api, labels_body(1) + b'\n{"id": "l2", "text": "x", "labels": ["bad"]}')
        assert (status, answer["added"], answer["rejected_total"]) == (200, 1, 1)
        assert (answer["rejected"][0]["line"], answer["rejected"][0]["id"]) == (2, "l2")
        status, answer = await post(api, b'{"text": "x"}')
        assert (status, answer["error"]["code"]) == (400, "unreadable")
        assert answer["error"]["details"]["rejected"][0]["reason"]
        assert (await post(api, b""))[0] == 200


async def test_a_refusing_store_acknowledges_nothing() -> None:
    async with serving() as api:
        api.store.fail = StorageError("the disk is full")
        assert (await post(api, labels_body(1)))[0] == 503
        api.store.fail = None
        assert (await listed(api))[1]["labels"] == []


async def withdraw(api: Api, name: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    async with api.client.delete(f"{PATH}/{name}", headers=headers or {}) as response:
        return response.status, await response.json()


async def test_a_label_is_withdrawn_and_stays_with_who_and_why() -> None:
    async with serving() as api:
        await post(api, labels_body(1, 2))
        status, answer = await withdraw(api, "l1?reason=听错&by=li")
        gone = {"by": "li", "at": NOW, "reason": "听错"}
        assert (status, answer["id"], answer["labels"], answer["withdrawn"]) == (200, "l1", ["absolute_claim"], gone)
        assert (await withdraw(api, "l1"))[1]["withdrawn"] == gone, "once"
        assert (await withdraw(api, "l2"))[1]["withdrawn"] == {"by": "loopback", "at": NOW, "reason": ""}
        assert (await post(api, labels_body(1)))[1]["unchanged"] == 1
        _, page = await listed(api)
        assert [each["withdrawn"]["by"] for each in page["labels"]] == ["li", "loopback"]
        status, answer = await withdraw(api, "l9")
        assert (status, answer["error"]["code"]) == (404, "not_found") and answer["error"]["hint"]
        for name in ("l1?reason=", "l1?why=x"):
            assert (await withdraw(api, name))[0] == 400
        status, answer = await post(api, json.dumps(label(3, withdrawn={"by": "x", "at": 1})).encode())
        assert (status, answer["error"]["details"]["rejected"][0]["field"]) == (400, "withdrawn")


async def test_a_label_whose_id_has_a_slash_is_withdrawn() -> None:
    async with serving() as api:
        await post(api, json.dumps(label(1, id="a/b ?c")).encode())
        assert (await withdraw(api, "a%2Fb%20%3Fc"))[1]["id"] == "a/b ?c"


async def test_nobody_a_lesser_one_and_a_stranger() -> None:
    async with serving(loopback=False) as api:
        lesser = api.token("read", "ingest")
        for headers, status in ((None, 401), (lesser, 403)):
            assert (await post(api, labels_body(1), headers))[0] == status
            assert (await withdraw(api, "l1", headers))[0] == status
        agency, stranger = api.token("label"), api.token("label", tenant="stranger")
        assert (await post(api, labels_body(1), agency))[1]["added"] == 1
        assert (await listed(api))[0] == 401
        assert (await listed(api, headers=agency))[0] == 403, "to look is another scope"
        assert (await withdraw(api, "l1", stranger))[0] == 404
        assert (await post(api, labels_body(1), stranger))[1]["added"] == 1, "its own, beside the agency's"
        assert (await withdraw(api, "l1", stranger))[0] == 200
        assert (await post(api, labels_body(2), api.token("admin")))[0] == 200, "the operator's"
        _, mine = await listed(api, headers=api.token("read"))
        _, theirs = await listed(api, headers=api.token("read", tenant="stranger"))
        _, operators = await listed(api, headers=api.token("admin"))
        assert [(each["id"], "withdrawn" in each) for each in mine["labels"]] == [("l1", False)]
        assert [(each["id"], "withdrawn" in each) for each in theirs["labels"]] == [("l1", True)]
        assert [each["id"] for each in operators["labels"]] == ["l2"]


async def test_whose_a_label_is_says_the_token_and_nothing_else() -> None:
    async with serving(loopback=False) as api:
        agency = api.token("label")
        assert (await post(api, json.dumps(label(1, tenant="stranger")).encode(), agency))[0] == 400
        await post(api, labels_body(1), agency)
        assert (await withdraw(api, "l1?tenant=stranger", agency))[0] == 400
        assert {tenant for tenant, _ in api.store.labelled._t.labels} == {"agency"}


async def test_the_token_is_the_author_where_nobody_is_named() -> None:
    async with serving(loopback=False) as api:
        headers = api.token("admin")
        await post(api, labels_body(1) + b"\n" + json.dumps(label(2, by="zhang")).encode(), headers)
        _, page = await listed(api, headers=headers)
        assert [each["by"] for each in page["labels"]] == [api.store.tokens_kept[0].id, "zhang"]
