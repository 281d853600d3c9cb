"""redpost held · routes test · review alike: what is held back in a running service, by command line."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.domain.alerts import AlertState
from monitor.services.cases import Case, outward
from tests.functional.clikit import Done, redpost
from tests.functional.fakes import Api, alert, furnish, serving


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with serving() as found:
        await furnish(found, "local")
        for number in (2, 3):
            found.posts.put(alert(number, tenant="local", room=f"r{number}"))
            hold(found, number)
        yield found


def hold(api: Api, number: int) -> None:
    """By a silence."""
    case = api.posts.cases["local", alert(number).id]
    review = replace(case.review, state=AlertState.HELD, why="silenced", by_what="rehearsal")
    kept = replace(case.kept, review=review)
    api.posts.cases["local", alert(number).id] = Case(alert=outward(case.alert, review, kept.factors), kept=kept)


async def run(api: Api, *words: str | Path) -> Done:
    return await asyncio.to_thread(redpost, *words, "--url", f"http://127.0.0.1:{api.port}")


async def test_what_is_held_is_listed_shown_and_released(api: Api) -> None:
    listed = await run(api, "held", "list")
    assert listed.code == 0 and "silenced" in listed.out and "rehearsal" in listed.out
    shown = await run(api, "held", "show", "silenced", "rehearsal")
    assert alert(2).id in shown.out and alert(3).id in shown.out
    assert (await run(api, "held", "release", "silenced", "rehearsal")).out == "2 alerts\n"
    assert (await run(api, "held", "list")).out == "nothing is held\n"
    assert (await run(api, "held", "show", "silenced", "rehearsal")).out == "it holds nothing\n"


async def test_what_is_held_is_decided_and_refusals_are_told(api: Api) -> None:
    words = ("held", "decide", "silenced", "rehearsal", "--outcome", "no_violation", "--reason")
    refused = await run(api, *words, "as_found")
    assert (refused.code, refused.out) == (1, "0 alerts, 2 refused\n") and "no reason for no_violation" in refused.err
    assert (await run(api, *words, "technical")).out == "2 alerts\n"


async def test_a_silence_is_previewed(api: Api) -> None:
    seen = await run(api, "held", "preview", "--match", "room=r1,r9", "--unless", "severity=low")
    assert seen.code == 0 and seen.out.startswith("1 open alerts, 1 of the last 24 h\n") and alert(1).id in seen.out
    for label, told in (("room", "no label with values"), ("colour=red", "no label 'colour'")):
        done = await run(api, "held", "preview", "--match", label)
        assert done.code == 2 and told in done.err


async def test_where_an_alert_would_go(api: Api) -> None:
    done = await run(api, "routes", "test", "--room", "r1", "--label", "category=personal_info", "--label",
                     "severity=high")
    assert done.code == 0
    assert done.out.splitlines()[-2:] == [
        "route 2 of the tenant: category=personal_info|offsite_fraud|identity_ai → network-security",
        "post: network-security (网络安全岗)"]
    assert "post: content-review" in (await run(api, "routes", "test", "--alert", alert(1).id)).out
    done = await run(api, "routes", "test", "--label", "colour=red")
    assert done.code == 2 and "unknown parameter 'colour'" in done.err


async def test_the_same_words_elsewhere(api: Api) -> None:
    assert (await run(api, "review", "alike", alert(1).id)).out == "nowhere else\n"
    done = await run(api, "review", "alike", "none")
    assert done.code == 2 and "no alert with this id" in done.err
