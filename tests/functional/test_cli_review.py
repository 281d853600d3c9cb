"""redpost review: a running service, from the queue to a decision and its undoing, by command line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.functional.clikit import Done, redpost
from tests.functional.fakes import Api, alert, furnish, serving

NAME = alert(1).id


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with serving() as found:
        await furnish(found, "local")
        yield found


async def review(api: Api, *words: str | Path) -> Done:
    return await asyncio.to_thread(redpost, "review", *words, "--url", f"http://127.0.0.1:{api.port}")


async def test_from_the_queue_to_a_decision_and_back(api: Api) -> None:
    listed = await review(api, "list")
    assert listed.code == 0 and NAME in listed.out and "全网最好" in listed.out
    assert (await review(api, "claim", NAME)).out == f"{NAME} claimed by loopback\n"
    assert (await review(api, "decide", NAME, "--outcome", "violation", "--reason", "as_found")).out == (
        f"{NAME} violation\n")
    assert (await review(api, "undo", NAME)).out == f"{NAME} claimed by loopback\n"
    assert (await review(api, "note", NAME, "--note", "看过\x1b[2J")).code == 0
    shown = await review(api, "show", NAME)
    assert shown.code == 0 and "「这个品质就是全网最好的」" in shown.out and "\x1b" not in shown.out
    assert [line.split(": ", 1)[1].split()[0] for line in shown.out.splitlines() if " loopback: " in line] == [
        "claim", "decide", "undo", "note"]
    assert (await review(api, "release", NAME)).out == f"{NAME} open\n"


async def test_a_violation_is_rectified_closed_and_reopened(api: Api) -> None:
    for words, state in ((("decide", NAME, "--outcome", "violation", "--reason", "as_found"), "violation"),
                         (("rectify", NAME, "--remedy", "corrected_on_air"), "rectified"), (("close", NAME), "closed"),
                         (("reopen", NAME, "--note", "重看"), "open")):
        assert (await review(api, *words)).out == f"{NAME} {state}\n"


async def test_what_is_refused_is_told_with_what_to_do(api: Api) -> None:
    for words, told in ((("undo", NAME), "no decision that can still be undone"),
                        (("decide", NAME, "--outcome", "violation", "--reason", "x"), "one of as_found"),
                        (("claim", "gone"), "there is no alert gone"), (("show", "../x"), "no alert with this id"),
                        (("escalate", NAME, "--note", "x"), "no unit above")):
        done = await review(api, *words)
        assert (done.code, done.out) == (2, "") and told in done.err


async def test_a_miss_becomes_a_draft_case(api: Api) -> None:
    miss = ("miss", "--room", "r1", "--event", "e1", "--at", str(api.clock.ms), "--category", "absolute_claim",
            "--words", "第一")
    first, again = await review(api, *miss), await review(api, *miss)
    assert first.out.endswith(" open\n") and again.out == first.out.replace(" open", " open, reported before")
    drafts = (await review(api, "drafts")).out
    assert drafts.startswith('# absolute_claim\ncases:\n  - {text: "我们家就是第一", expect: ["missed"]')


async def test_over_a_link_and_back(api: Api) -> None:
    assert (await review(api, "hand", NAME, "--to", "street", "--note", "请指导")).out.endswith(" waits for street\n")
    assert "to street · 绝对化用语" in (await review(api, "handed", "--sent")).out
    assert "from street" in (await review(api, "handed")).out
    done = await review(api, "answer", NAME, "--outcome", "violation", "--note", "同意")
    assert done.out == f"{NAME} answered\n"


async def test_where_nothing_answers(api: Api) -> None:
    done = await asyncio.to_thread(redpost, "review", "list", "--url", "http://127.0.0.1:9")
    assert done.code == 2 and "does not answer" in done.err and "redpost serve" in done.err
