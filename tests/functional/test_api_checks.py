"""Script checks over HTTP."""

from tests.functional.fakes import serving


async def test_a_script_as_json_and_as_a_file() -> None:
    async with serving() as api:
        async with api.client.post("/api/v1/checks", json={"name": "晚场", "text": "今天全网最低"}) as response:
            made = await response.json()
            (found,) = made["details"]["lines"][0]["findings"]
            assert response.status == 200 and found["stage"] == "preair"
            assert [clause["id"] for clause in made["clauses"]] == found["clauses"] != []
        async with api.client.post("/api/v1/checks", params={"name": "晚场", "file": "a.md"},
                                   data="大家好".encode()) as response:
            assert (await response.json())["summary"]["version"] == 2
        name = made["summary"]["id"]
        async with api.client.get(f"/api/v1/checks/{name}?version=1") as response:
            assert (await response.json())["details"] == made["details"]
        async with api.client.get("/api/v1/checks", params={"id": name, "limit": 1}) as response:
            assert [told["version"] for told in (await response.json())["checks"]] == [2]


async def test_what_is_no_script_is_refused() -> None:
    async with serving() as api:
        for params, data, status, code in (
            ({}, b"text", 400, "bad_json"), ({}, b'{"name": "x", "text": "y", "more": 1}', 400, "bad_json"),
            ({"name": "x", "file": "a.exe"}, b"text", 400, "bad_input"), ({"name": "x"}, b"", 400, "bad_input"),
            ({"name": "x"}, b"\xff" * 1_000_001, 413, "too_large"),
        ):
            async with api.client.post("/api/v1/checks", params=params, data=data) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (status, code)
        assert not api.checks.kept
