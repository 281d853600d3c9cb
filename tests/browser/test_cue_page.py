"""The page of a room link in a browser, before a running service: a cue comes, is answered, and the link ends."""

from pathlib import Path
from typing import Any

import aiohttp

from tests.browser.chromium import opened
from tests.browser.test_live_page import said
from tests.faults.harness import Client, serving

STATE = "document.getElementById('state').dataset.state"
CARDS = """
Array.from(document.querySelectorAll('#cues > article'), (card) => ({
  say: card.querySelector('.say').textContent, text: card.innerText, done: card.classList.contains('done'),
}))
"""
BLANK = "<img src=x onerror='throw 1'>"


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

        await page.value("document.querySelector('#cues button.main').click()")
        await page.until("document.querySelectorAll('#cues > article.done').length", equals=1)
        (cue,) = (await ask(session, "GET", f"{api}/alerts/{alert['id']}/cues"))["cues"]
        assert cue["answered"] == "seen"

        assert not page.errors and not page.unreachable
        link = f"{api}/rooms/{'r%3C1%3E'}/links/{made['link']['id']}"
        await ask(session, "DELETE", link)
        await page.until("document.getElementById('fault').hidden === false", equals=True)
        assert "已作废" in await page.value("document.getElementById('fault').innerText")
        assert made["secret"] not in server.output()
        assert await server.stop() == 0, server.output()
