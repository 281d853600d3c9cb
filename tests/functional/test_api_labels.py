"""Labels over HTTP: taken, told, listed, and each tenant's own."""

import json
from typing import Any

from monitor.domain.errors import StorageError
from monitor.domain.labels import Label
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


async def test_nobody_a_lesser_one_and_a_stranger() -> None:
    async with serving(loopback=False) as api:
        assert (await post(api, labels_body(1)))[0] == 401
        assert (await post(api, labels_body(1), api.token("read", "ingest")))[0] == 403
        assert (await post(api, labels_body(1), api.token("admin")))[0] == 200
        await api.store.save_labels("agency", [Label(id="own", text="好", labels=[], at=NOW)])
        assert (await listed(api))[0] == 401
        assert (await listed(api, headers=api.token("ingest")))[0] == 403
        _, mine = await listed(api, headers=api.token("read"))
        _, theirs = await listed(api, headers=api.token("read", tenant="stranger"))
        assert [each["id"] for each in mine["labels"]] == ["own"], "the agency's, not the operator's"
        assert theirs["labels"] == []


async def test_the_token_is_the_author_where_nobody_is_named() -> None:
    async with serving(loopback=False) as api:
        headers = api.token("admin")
        await post(api, labels_body(1) + b"\n" + json.dumps(label(2, by="zhang")).encode(), headers)
        _, page = await listed(api, headers=headers)
        assert [each["by"] for each in page["labels"]] == [api.store.tokens_kept[0].id, "zhang"]
