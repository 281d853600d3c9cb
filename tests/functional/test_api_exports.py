"""Files for spreadsheets over HTTP, and by the command line."""

import asyncio
import csv
import io
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError
from openpyxl import load_workbook

from monitor.adapters.web import exports
from monitor.cli.app import run
from monitor.domain.errors import StorageError
from tests.functional.clikit import redpost
from tests.functional.fakes import Api, alert, furnish, serving


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


async def get(api: Api, path: str, status: int = 200) -> bytes:
    async with api.client.get(f"/api/v1/exports/{path}") as response:
        assert response.status == status, await response.text()
        return await response.read()


async def test_a_list_comes_whole_under_its_filters() -> None:
    async with serving() as api:
        api.store.kept = [alert(n, tenant="local", room=f"r{n % 2}") for n in range(1, 502)]
        await get(api, "alerts?unit=east&claimed_by=me&post=content-review&outcome=violation")
        del api.posts.trail["local"]
        async with api.client.get("/api/v1/exports/alerts?room=r1") as response:
            assert response.content_type == "text/csv"
            assert response.headers["Content-Disposition"] == 'attachment; filename="alerts-20261123.csv"'
            rows = table(await response.read())
        assert len(rows) == 1 + 251 and rows[0][:2] == ["id", "at"]
        assert {dict(zip(rows[0], row, strict=True))["room"] for row in rows[1:]} == {"r1"}
        (deed,) = [row.deed for row in api.posts.trail["local"]]
        assert (deed.what, deed.on, deed.facts) == ("list.export", "alerts", {"format": "csv", "room": "r1"})


async def test_a_workbook_opens() -> None:
    async with serving() as api:
        await furnish(api, "local")
        data = await get(api, "records/room?format=xlsx")
        rows = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(data)).active.iter_rows()]
        assert rows[0][:3] == ["kind", "id", "version"] and rows[1][:3] == ["room", "r1", 1]


async def test_what_cannot_be_exported_is_told_as_an_error() -> None:
    async with serving() as api:
        for path, status in (("alerts?format=pdf", 400), ("alerts?limit=3", 400), ("records/nothing", 404),
                             ("audit?since=yesterday", 400), ("everything", 404)):
            await get(api, path, status)
        api.store.fail = StorageError("the disk refuses")
        await get(api, "labels", 503)
        assert [deed.deed.on for deed in api.posts.trail.get("local", [])] == ["labels"]


async def test_what_breaks_off_is_no_whole_file() -> None:
    async with serving() as api:
        api.store.kept = [alert(n, tenant="local") for n in range(1, 302)]
        given = api.store.alerts

        async def breaking(*args: object, cursor: str | None, limit: int) -> object:
            if cursor is not None:
                raise StorageError("the disk refuses")
            return await given(*args, cursor=cursor, limit=limit)  # type: ignore[arg-type]

        api.store.alerts = breaking  # type: ignore[method-assign,assignment]
        async with api.client.get("/api/v1/exports/alerts") as response:
            assert response.status == 200
            with pytest.raises(ClientPayloadError):
                await response.read()


async def test_a_tenant_has_two_exports_at_a_time() -> None:
    async with serving() as api:
        api.store.kept = [alert(1, tenant="local")]
        api.store.gate = asyncio.Event()
        running = [asyncio.create_task(get(api, "alerts")) for _ in range(exports._MOST)]
        async with asyncio.timeout(10):
            while len(api.posts.trail.get("local", [])) < exports._MOST:
                await asyncio.sleep(0.001)
        await get(api, "alerts", 429)
        api.store.gate.set()
        await asyncio.gather(*running)
        await get(api, "alerts")


def test_the_command_line_writes_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    assert run(["token", "new", "--name", "x", "--scopes", "read", "--data", str(data)]) == 2  # no folder yet
    data.mkdir()
    assert run(["token", "new", "--name", "x", "--scopes", "read", "--data", str(data)]) == 0
    reasons, ledger = tmp_path / "reasons.csv", tmp_path / "纠错台账.xlsx"
    assert run(["export", "records", str(reasons), "--where", "kind=reason", "--data", str(data)]) == 0
    assert len(table(reasons.read_bytes())) > 5
    assert run(["ledger", "corrections", str(ledger), "--since", "2026-11-01T00:00:00+08:00", "--data", str(data)]) == 0
    assert load_workbook(ledger).active["A1"].value == "预警编号"
    assert run(["ledger", "comments", str(tmp_path / "c.csv"), "--data", str(data)]) == 0
    trail = tmp_path / "trail.csv"
    assert run(["export", "audit", str(trail), "--data", str(data)]) == 0
    assert [row[4] for row in table(trail.read_bytes()) if row[3] == "list.export"] == [
        "records/reason", "corrections", "comments", "audit"]
    capsys.readouterr()
    for words, told in (
        (["export", "alerts", str(tmp_path / "a.pdf")], "neither .csv nor .xlsx"),
        (["export", "records", str(tmp_path / "a.csv")], "exported by kind"),
        (["export", "alerts", str(tmp_path / "a.csv"), "--where", "colour=red"], "no filter 'colour'"),
        (["export", "alerts", str(tmp_path / "a.csv"), "--where", "since=now"], "cannot be read"),
        (["export", "records", str(tmp_path / "a.csv"), "--where", "kind=x"], "no kind of record"),
        (["export", "audit", str(trail)], "cannot read or write"),
    ):
        assert run([*words, "--data", str(data)]) == 2
        assert told in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "a.csv").exists()


async def test_the_command_line_takes_files_from_a_running_service(tmp_path: Path) -> None:
    async with serving() as api:
        await furnish(api, "local")
        api.store.kept = [alert(n, tenant="local", room=f"r{n % 2}") for n in range(1, 302)]
        where = ("--url", f"http://127.0.0.1:{api.port}")
        rooms, alerts = tmp_path / "rooms.csv", tmp_path / "alerts.csv"
        done = await asyncio.to_thread(redpost, "export", "records", rooms, "--where", "kind=room", *where)
        assert done.code == 0 and done.out.endswith(f" bytes in {rooms}\n")
        assert [row[:2] for row in table(rooms.read_bytes())] == [["kind", "id"], ["room", "r1"]]
        assert (await asyncio.to_thread(redpost, "export", "alerts", alerts, "--where", "room=r1", *where)).code == 0
        assert len(table(alerts.read_bytes())) == 1 + 151
        ledger = tmp_path / "ledger.xlsx"
        assert (await asyncio.to_thread(redpost, "ledger", "corrections", ledger, *where)).code == 0
        assert load_workbook(ledger).active["A1"].value == "预警编号"


async def test_no_part_of_a_file_is_left_where_a_running_service_fails(tmp_path: Path) -> None:
    async with serving() as api:
        api.store.kept = [alert(n, tenant="local") for n in range(1, 302)]
        given, file = api.store.alerts, tmp_path / "alerts.csv"

        async def breaking(*args: object, cursor: str | None, limit: int) -> object:
            if cursor is not None:
                raise StorageError("the disk refuses")
            return await given(*args, cursor=cursor, limit=limit)  # type: ignore[arg-type]

        api.store.alerts = breaking  # type: ignore[method-assign,assignment]
        for words, told in ((("alerts", file), "broke off"), (("records", file, "--where", "kind=x"), "answers 404")):
            done = await asyncio.to_thread(redpost, "export", *words, "--url", f"http://127.0.0.1:{api.port}")
            assert done.code == 2 and told in done.err and not file.exists()
