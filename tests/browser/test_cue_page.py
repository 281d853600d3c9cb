"""The page of a room link in a browser, before a running service: a cue comes, is answered, and the link ends."""

from pathlib import Path
from typing import Any

import aiohttp

from tests.browser.chromium import opened
from tests.faults.harness import Client, Item, serving
from tests.faults.streams import BASE

STATE = "document.getElementById('state').dataset.state"
CARDS = """
Array.from(document.querySelectorAll('#cues > article'), (card) => ({
  say: card.querySelector('.say').textContent, text: card.innerText, done: card.classList.contains('done'),
}))
"""
BLANK = "<img src=x onerror='throw 1'>"


def said(n: int, text: str) -> Item:
    return {"id": f"e{n}", "room": "r<1>", "kind": "transcript", "at": BASE + 1_000 * n, "text": text}


async def ask(session: aiohttp.ClientSession, method: str, address: str, body: Any = None) -> Any:
    async with session.request(method, address, json=body) as response:
        assert response.status < 300, await response.text()
        return await response.json()


async def test_a_cue_is_shown_and_answered_until_the_link_ends(tmp_path: Path) -> None:
    async with (
        opened(tmp_path / "profile") as page, serving(tmp_path / "data") as server, Client(server) as client,
        aiohttp.ClientSession() as session,
    ):
        api = f"{server.address}/api/v1"
        made = await ask(session, "POST", f"{api}/rooms/{'r%3C1%3E'}/links", {})
        await page.go(server.address + made["path"])
        await page.until(STATE, equals="live")
        assert "暂无提示" in await page.value("document.getElementById('none').innerText")

        await client.deliver([[said(1, "今天全网最低，家人们")]])
        await client.settle()
        (alert,) = (await ask(session, "GET", f"{api}/alerts"))["alerts"]
        await ask(session, "POST", f"{api}/alerts/{alert['id']}/cue", {"say": f"{BLANK}请改口"})
        await page.until("document.querySelectorAll('#cues > article').length", equals=1)
        (card,) = await page.value(CARDS)
        assert card["say"] == f"{BLANK}请改口" and "「全网最低」" in card["text"] and not card["done"]
        assert (await page.value("document.title")).startswith("（1）")

        for words, answer in (("收到", "seen"), ("已纠正", "corrected")):
            await page.value(f"Array.from(document.querySelectorAll('#cues button')).find("
                             f"(each) => each.textContent.includes('{words}')).click()")
            await page.until(f"Array.from(cues.values())[0].answered === '{answer}'", equals=True)
            (cue,) = (await ask(session, "GET", f"{api}/alerts/{alert['id']}/cues"))["cues"]
            assert cue["answered"] == answer
        await page.until("document.querySelectorAll('#cues > article.done').length", equals=1)
        assert await page.value("Array.from(document.querySelectorAll('#cues button'), (each) => each.innerText)") == [
            "不对 Not so"]

        assert not page.errors and not page.unreachable
        link = f"{api}/rooms/{'r%3C1%3E'}/links/{made['link']['id']}"
        await ask(session, "DELETE", link)
        await page.until("document.getElementById('fault').hidden === false", equals=True)
        assert "已作废" in await page.value("document.getElementById('fault').innerText")
        assert made["secret"] not in server.output()
        assert await server.stop() == 0, server.output()


PLATE = "[document.getElementById('plate').hidden, document.getElementById('plate').innerText]"
TRANSPARENT = "rgba(0, 0, 0, 0)"
HIGH = "rgb(255, 148, 71)"


async def test_the_host_sees_one_cue_at_a_time_over_any_picture_and_after_a_restart(tmp_path: Path) -> None:
    async with (
        opened(tmp_path / "profile") as page, serving(tmp_path / "data") as server, Client(server) as client,
        aiohttp.ClientSession() as session,
    ):
        api = f"{server.address}/api/v1"
        made = await ask(session, "POST", f"{api}/rooms/{'r%3C1%3E'}/links", {})
        overlay = f"{server.address}{made['path']}?view=overlay"
        await page.call("Emulation.setDeviceMetricsOverride", width=1920, height=1080, deviceScaleFactor=1,
                        mobile=False)
        await page.go(overlay)
        await page.until(STATE, equals="live")
        assert await page.value("document.body.innerText.trim()") == ""
        for part in ("documentElement", "body"):
            assert await page.value(f"getComputedStyle(document.{part}).backgroundColor") == TRANSPARENT

        await client.deliver([[said(1, "今天全网最低，家人们")]])
        await client.settle()
        (alert,) = (await ask(session, "GET", f"{api}/alerts"))["alerts"]
        first = await ask(session, "POST", f"{api}/alerts/{alert['id']}/cue", {"say": f"{BLANK}请改口"})
        await ask(session, "POST", f"{api}/alerts/{alert['id']}/cue", {"say": "然" * 500, "quote": "话" * 200})
        await page.until("document.getElementById('plate').dataset.told?.endsWith(' 1')", equals=True)
        assert await page.value(PLATE) == [
            False, f"{BLANK}请改口\n\n刚才说的：「全网最低」\n\n后面还有 1 条"]
        assert await page.value("getComputedStyle(document.querySelector('#plate .say')).fontSize") == "56px"
        assert await page.value("getComputedStyle(document.querySelector('#plate')).borderLeftColor") == HIGH

        server.port = int(server.address.rpartition(":")[2])
        assert await server.stop() == 0, server.output()
        await server.start()
        await page.until(STATE, equals="live")
        assert (await page.value(PLATE))[1].startswith(BLANK)
        await page.go(overlay)
        await page.until("document.getElementById('plate').innerText.includes('请改口')", equals=True)

        await ask(session, "POST", f"{api}/cue/{made['secret']}/answers", {"cue": first["id"], "answer": "seen"})
        await page.until("document.getElementById('plate').innerText.startsWith('然')", equals=True)
        box = await page.value("Object.assign({}, document.getElementById('plate').getBoundingClientRect().toJSON())")
        assert box["top"] >= 54 and box["bottom"] <= 1080 - 53 and box["left"] >= 95 and box["right"] <= 1920 - 95
        fits = "document.getElementById('plate').scrollHeight <= document.getElementById('plate').clientHeight"
        assert await page.value(fits)
        await page.value("skew += 61_000, draw()")  # a minute later
        assert await page.value(PLATE) == [True, ""]
        assert not page.errors
