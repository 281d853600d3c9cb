"""The page at / in a browser: it shows what a running service finds, and goes on behind a restart."""

import socket
from pathlib import Path
from typing import Any

from tests.browser.chromium import opened
from tests.faults.harness import Client, Item, serving
from tests.faults.streams import BASE

STATE = "document.getElementById('line').dataset.state"
CARDS = """
Array.from(document.querySelectorAll('#rows > tr'), (card) => ({
  said: card.querySelector('.said').textContent,
  marks: Array.from(card.querySelectorAll('.said mark'), (mark) => mark.textContent),
  name: card.querySelector('.name').textContent,
  level: card.querySelector('.chip').textContent,
  right: card.lastElementChild.innerText,
  withdrawn: card.classList.contains('withdrawn'),
  seen: card.offsetHeight > 0,
}))
"""
BLANK = "<img src=x onerror='throw 1'>😀"


def said(n: int, text: str, **more: Any) -> Item:
    return {"id": f"e{n}", "room": "r<1>", "kind": "transcript", "at": BASE + 1_000 * n, "text": text, **more}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def test_alerts_arrive_and_go_on_arriving_behind_a_restart(tmp_path: Path) -> None:
    async with (
        opened(tmp_path / "profile") as page, serving(tmp_path / "data", port=free_port()) as server,
        Client(server) as client,
    ):
        await page.go(server.address)
        await page.until(STATE, equals="live")
        await page.until("document.getElementById('note').offsetHeight > 0")  # nothing yet, and it says so
        assert await page.value(CARDS) == []

        await client.deliver([[said(1, f"{BLANK}今天全网最低，家人们"), said(2, "今天天气不错")]])
        await page.until("document.querySelectorAll('#rows > tr').length", equals=1)
        (card,) = await page.value(CARDS)
        assert card["said"] == f"{BLANK}今天全网最低，家人们" and card["marks"] == ["全网最低"]
        assert card["name"] == "最低价" and card["level"] == "4 高" and card["seen"]
        assert "T-1" in card["right"] and "去掉最低价的说法" in card["right"]

        await page.value("document.querySelector('#rows details.more summary').click()")
        opened_text = await page.until("document.querySelector('#rows details.more').innerText.includes('只供测试')"
                                       " && document.querySelector('#rows details.more').innerText")
        assert "今天天气不错" in opened_text and "测试用规定" in opened_text
        assert not page.errors and not page.unreachable

        await server.kill()
        await page.until(STATE, equals="lost")
        await server.start()
        await client.deliver([[said(63, "史上最低了")]])
        await client.settle()  # most likely before the page is back: what it missed is told again
        await page.until(STATE, equals="live")
        await client.deliver([[said(64, "三天就能根治")], [said(1, "今天很便宜", revision=2)]])
        await page.until("document.querySelectorAll('#rows > tr.withdrawn').length", equals=1)
        await page.until("document.querySelectorAll('#rows > tr').length", equals=3)
        cards = await page.value(CARDS)
        assert [(card["marks"], card["withdrawn"]) for card in cards] == [
            (["三天", "根治"], False), (["史上最低"], False), (["全网最低"], True)]

        await page.value("document.querySelector('#levels button').click()")  # critical ones off
        assert [card["seen"] for card in await page.value(CARDS)] == [False, True, True]
        assert not page.errors
        assert await server.stop() == 0, server.output()
