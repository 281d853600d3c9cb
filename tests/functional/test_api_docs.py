"""The route table, the OpenAPI document, docs/api.md and the answers say the same."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.adapters.recordfiles import read_folder
from monitor.adapters.web.errors import CHINESE, info, of_redpost
from monitor.adapters.web.routes import ROUTES
from monitor.adapters.web.websocket import CLOSE_CODES
from monitor.domain.errors import Fault, Refused, RuleError
from monitor.domain.labels import Label
from monitor.domain.moves import Reason
from monitor.domain.phrases import phrase
from tests.functional.fakes import CONFIG, Api, body_of, furnish, kept, path_of, room, serving

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/api.md").read_text(encoding="utf-8")
POST = (ROOT / "docs/post.md").read_text(encoding="utf-8")
WEB = ROOT / "monitor/adapters/web"


async def document(api: Api) -> dict[str, Any]:
    async with api.client.get("/api/v1/openapi.json") as response:
        assert response.content_type == "application/json"
        found: dict[str, Any] = await response.json()
        return found


def test_the_documentation_lists_every_route_with_its_scope() -> None:
    rows = re.findall(r"^\| (GET|POST|PUT|DELETE) \| `([^`]+)` \| (?:`(\w+)`|–) \|", DOC, re.MULTILINE)
    assert len(rows) > 10
    assert sorted(rows) == sorted((route.method, route.path, route.scope or "") for route in ROUTES)


def test_the_documentation_names_every_parameter() -> None:
    sections = dict.fromkeys(("searchEvents", "listAlerts", "listRooms"), "Look things up")
    sections |= dict.fromkeys(("listLabels", "withdrawLabel"), "Labels")
    sections |= dict.fromkeys(
        ("shadowModel", "promoteModel", "rollBackModel", "retrainModel", "getTraining", "listModels"),
        "Classifiers")
    sections |= {"getQueue": "Decide", "listDraftCases": "Report a miss", "putRecord": "Records",
                 "deleteRecord": "Records", "listRecords": "Records", "listHanded": "Hand over a link"}
    sections |= dict.fromkeys(("getPlan", "takePlan", "listUnknownRooms"), "Tonight")
    sections |= dict.fromkeys(("listLiveRooms", "getTimeline"), "Rooms on air")
    sections["listAudit"] = "The trail"
    sections |= dict.fromkeys(("checkScript", "listChecks", "getCheck"), "Script checks")
    sections |= dict.fromkeys(("getRuleFile", "getDryRun", "stopDryRun", "getRuleShadow"), "The rules workbench")
    sections |= {"listHeld": "What is held", "testRoutes": "Where an alert would go"}
    sections |= {"streamAlerts": "Alerts as they come", "streamRoomCues": "Cues", "listMessages": "Messages"}
    sections |= dict.fromkeys(("getMedia", "getMediaPart"), "Recordings")
    sections["getFigures"] = "Figures"
    sections |= {"listRoomLinks": "Cues", "getCuePage": "Cues", "listUsers": "People", "listSessions": "People"}
    of_exports = {"exportAlerts": "Look things up", "exportQueue": "Decide", "exportLabels": "Labels"}
    files = DOC.split("## Files for spreadsheets\n", 1)[1].split("\n## ", 1)[0]
    seen = 0
    for route in ROUTES:
        for param in route.params:
            name = of_exports.get(route.name) if param.name != "format" else None
            if name is None and route.name.startswith("export"):
                section = files
            else:
                section = DOC.split(f"## {name or sections[route.name]}\n", 1)[1].split("\n## ", 1)[0]
            where = DOC if param.name == "token" else section
            assert re.search(rf"[`?]{param.name}[`=]", where), f"{route.name}: {param.name}"
            seen += 1
    assert seen > 15


def test_the_documentation_has_every_close_code_and_error_code() -> None:
    rows = re.findall(r"^\| (\d{4}) \| (.+) \|$", DOC, re.MULTILINE)
    assert {int(code): text for code, text in rows} == CLOSE_CODES
    documented = set(re.findall(r"`(\w+)`", DOC.split("| status | codes |")[1].split("\n\n")[0]))
    assert documented - {"Retry"} >= set(CHINESE) - {"bad_config", "bad_message", "gap"}


def test_every_code_that_the_web_raises_has_chinese_words() -> None:
    raised = set()
    for path in WEB.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r'(?:Problem\(\s*\d{3}, |_unauthorized\()"(\w+)"', text))
    assert len(raised) > 10
    assert raised <= set(CHINESE)
    assert all(message and hint for message, hint in CHINESE.values())


def test_a_refusal_is_told_in_the_readers_language() -> None:
    said = phrase("somebody else has moved alert {id} meanwhile", id="a1")
    problem = of_redpost(Refused("stale", said, hint="read it again"), retry_after_s=1)
    english, chinese = info(problem, "en"), info(problem, "zh-CN,zh;q=0.9")
    assert (english.message, english.hint) == ("somebody else has moved alert a1 meanwhile", "read it again")
    assert (chinese.message, chinese.hint) == ("预警 a1 刚刚被别人处理过", "重新读取后再改")
    assert chinese.details == {"why": "stale", "message": "somebody else has moved alert a1 meanwhile"}


def test_the_faults_of_rules_are_told_in_the_readers_language() -> None:
    fault = Fault("a.yml", 1, 2, phrase("{key} is no date", key="from"), "remove it")
    problem = of_redpost(RuleError([fault]), retry_after_s=1)
    told = [one for language in ("en", "zh") for one in info(problem, language).details["faults"]]
    assert [(one.message, one.hint) for one in told] == [("from is no date", "remove it"), ("from 不是日期", "删掉")]


def refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


async def test_the_openapi_document_describes_every_route() -> None:
    async with serving() as api:
        found = await document(api)
    assert found["openapi"] == "3.1.0" and found["info"]["version"]
    operations = {
        (method.upper(), path): operation for path, item in found["paths"].items() for method, operation in item.items()
    }
    assert set(operations) == {(route.method, route.path) for route in ROUTES}
    assert len({operation["operationId"] for operation in operations.values()}) == len(ROUTES)
    for route in ROUTES:
        operation = operations[route.method, route.path]
        assert operation["summary"] and operation["responses"]
        assert [next(iter(s.values())) for s in operation["security"]][:1] == ([[route.scope]] if route.scope else [])
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        assert named == {param.name for param in route.params} - {"token"}
        path_names = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert path_names == set(re.findall(r"\{(\w+)\}", route.path))
        for parameter in operation.get("parameters", []):
            assert parameter["in"] in ("query", "path", "header") and parameter["schema"]
        assert all(re.fullmatch(r"[1-5]\d\d", status) for status in operation["responses"])


async def test_every_reference_of_the_document_leads_somewhere() -> None:
    async with serving() as api:
        found = await document(api)
    seen = set(refs(found))
    assert len(seen) > 10
    for ref in seen:
        node: Any = found
        assert ref.startswith("#/")
        for part in ref[2:].split("/"):
            node = node[part]
        assert node
    used = {ref.rsplit("/", 1)[1] for ref in seen if "/schemas/" in ref}
    assert used == set(found["components"]["schemas"])


def fits(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    """As much of JSON Schema as the generated schemas use."""
    if "$ref" in schema:
        return fits(value, root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return any(fits(value, option, root) for option in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
             "null": type(None)}
    wanted = schema.get("type")
    if wanted and not isinstance(value, kinds[wanted]):  # type: ignore[arg-type]
        return False
    if isinstance(value, list):
        return all(fits(item, schema.get("items", {}), root) for item in value)
    if isinstance(value, dict):
        properties, more = schema.get("properties", {}), schema.get("additionalProperties", {})
        known = all(fits(item, properties.get(name, more or {}), root) for name, item in value.items())
        return known and set(schema.get("required", [])) <= set(value) and (
            not properties or set(value) <= set(properties)
        )
    return True


@pytest.mark.parametrize("name", ["listAlerts", "getAlert", "listRooms", "searchEvents", "sendEvents", "reloadRules",
                                  "sendLabels", "listLabels", "listModels", "promoteModel", "shadowModel", "moveAlerts",
                                  "getQueue", "getAlertHistory", "listRecords", "getRecord", "putRecord",
                                  "deleteRecord", "editRecords", "reportMiss", "listDraftCases", "handAlert",
                                  "listHanded", "answerHanded"])
async def test_answers_are_as_described(name: str) -> None:
    (route,) = [route for route in ROUTES if route.name == name]
    async with serving() as api:
        found = await document(api)
        await furnish(api, "local")
        api.store.room_list["local"] = [room("r1")]
        await api.store.save_labels("local", [Label(id="l9", text="真的", labels=[], at=1)])
        api.archive.events["local"] = [kept("我们家就是第一")]
        async with api.client.request(route.method, path_of(route), data=body_of(route)) as response:
            assert response.status == 200
            answer = await response.json()
        schema = found["paths"][route.path][route.method.lower()]["responses"]["200"]["content"]["application/json"]
        assert fits(answer, schema["schema"], found)
        assert not fits({**answer, "more": 1}, schema["schema"], found)  # the check can fail
        async with api.client.get("/nowhere") as response:
            error = found["components"]["responses"]["Error"]["content"]["application/json"]["schema"]
            assert fits(await response.json(), error, found)


def test_the_examples_of_the_documentation_are_json() -> None:
    blocks = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        json.loads(block)


async def test_the_page_for_people_brings_all_that_it_needs() -> None:
    async with serving() as api, api.client.get("/api/v1/docs") as response:
        page, policy = await response.text(), response.headers["Content-Security-Policy"]
        assert response.status == 200 and response.content_type == "text/html"
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page) and "<script src" not in page
    assert "default-src 'none'" in policy and policy.count("sha256-") == 2 and "connect-src 'self'" in policy


def test_the_page_of_the_post_has_every_shipped_reason() -> None:
    shipped = {name: reason for (kind, name), reason in read_folder(CONFIG / "post").items() if kind == Reason.kind}
    table = POST.split("| reason | | for |", 1)[1].split("\n\n", 1)[0]
    rows = re.findall(r"^ *\| `(\w+)` \| (.+) \| (.+) \| (yes|)\ ?\|$", table, re.MULTILINE)
    assert len(shipped) > 10 and sorted(rows) == sorted(
        (name, reason.title, ", ".join(f"`{outcome}`" for outcome in reason.outcomes), "yes" if reason.teaches else "")
        for name, reason in shipped.items())
