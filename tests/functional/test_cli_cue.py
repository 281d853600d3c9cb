"""redpost cue · plan tonight · review: an evening by the command line, from the claim to what the host corrected."""

import asyncio
import re
from pathlib import Path

from aiohttp import ClientSession

from monitor.domain.organisation import Room, Slot
from tests.functional.clikit import Done, redpost
from tests.functional.real import Evening, evening
from tests.functional.test_scenario import RULES, SAYS, TAKEN_BACK


async def run(tonight: Evening, *words: str | Path) -> Done:
    done = await asyncio.to_thread(redpost, *words, "--url", tonight.base)
    assert not done.out or "\x1b" not in done.out
    return done


async def test_a_room_is_told_answers_and_corrects(tmp_path: Path) -> None:
    async with evening(tmp_path, RULES) as tonight:
        await tonight.hear(("r1", "host", SAYS))
        listed = (await run(tonight, "review", "list")).out
        (best,) = re.findall(r"^(\w{24}) .*best", listed, re.MULTILINE)
        assert (await run(tonight, "cue", "list", best)).out == "the room was told nothing\n"
        link = await run(tonight, "cue", "link", "r1", "--hours", "8")
        address = link.out.strip()
        assert address.startswith(tonight.base + "/cue/rc_") and "redpost cue unlink r1" in link.err
        sent = await run(tonight, "cue", "send", best)
        name, said = sent.out.strip().split(" to r1: ")
        assert said == "请改为可证实的表述"
        async with ClientSession() as room, room.post(
                address.replace("/cue/", "/api/v1/cue/") + "/answers",
                json={"cue": name, "answer": "not_so", "word": "有检测报告"}) as answered:
            assert answered.status == 200
        await tonight.pass_time(12)
        await tonight.hear(("r1", "host", TAKEN_BACK))
        told = "loopback: 请改为可证实的表述 · not so: 有检测报告, corrected on air after 12 s"
        assert (await run(tonight, "cue", "list", best)).out == told + "\n"
        shown = (await run(tonight, "review", "show", best)).out.splitlines()
        assert f"cue {told}" in shown and f"corrected on air after 12 s: 「{TAKEN_BACK}」" in shown
        assert "instead: 请改为可证实的表述" in shown and any(line.startswith("clause AD-09-3 ") for line in shown)

        links = (await run(tonight, "cue", "links", "r1")).out.splitlines()
        assert len(links) == 2
        ended = await run(tonight, "cue", "unlink", "r1", links[1].split()[0])
        assert ended.out == f"{links[1].split()[0]} has ended\n"
        assert "ended" in (await run(tonight, "cue", "links", "r1")).out
        assert (await run(tonight, "cue", "links", "r2")).out == "the room has no links\n"
        missing = await run(tonight, "cue", "unlink", "r1", "none")
        assert missing.code == 2 and "no such link" in missing.err


async def test_who_should_be_on_air_and_is_not(tmp_path: Path) -> None:
    async with evening(tmp_path, RULES) as tonight:
        assert (await run(tonight, "plan", "tonight")).out == "nothing is planned, and nothing is on air\n"
        operator, now = await tonight.person("operator"), tonight.clock.ms
        for room, starts in (("r1", now - 60_000), ("r2", now - 3_600_000)):
            edits = [{"kind": Room.kind, "id": room, "record": {"title": "一号"}},
                     {"kind": Slot.kind, "id": room, "record": {"room": room, "starts": starts}}]
            await operator.send("records", {"edits": edits})
        await tonight.hear(("r1", "host", "欢迎"))
        done = await run(tonight, "plan", "tonight", "--zone", "Asia/Shanghai")
        rows = [line.split()[:4] for line in done.out.splitlines()[1:3]]
        assert rows == [["silent", "11-23", "19:00", "r2"], ["on_air", "11-23", "19:59", "r1"]]
        assert done.code == 1 and done.out.splitlines()[-1] == "1 silent, 1 on_air"
        assert (await run(tonight, "plan", "tonight", "--state", "due")).out == "nothing is due\n1 silent, 1 on_air\n"


async def test_who_is_on_which_post_and_what_was_left_to_them(tmp_path: Path) -> None:
    async with evening(tmp_path, RULES) as tonight:
        lead, now = await tonight.person("lead"), tonight.clock.ms
        shifts = {"a": {"people": ["zhao"], "starts": now - 7_200_000, "ends": now, "handover": "链接价改过"},
                  "b": {"people": ["wang"], "starts": now, "ends": now + 3_600_000},
                  "c": {"people": ["li"], "starts": now + 3_600_000, "ends": now + 7_200_000}}
        await lead.send("records", {"edits": [
            {"kind": "shift", "id": name, "record": {"post": "content-review", **shift}}
            for name, shift in shifts.items()]})
        rows = (await run(tonight, "plan", "duty", "--zone", "Asia/Shanghai")).out.splitlines()
        (row,) = [row.split() for row in rows if row.startswith("content-review")]
        assert row == ["content-review", "内容审核岗", "wang", "11-23", "21:00", "li", "11-23", "21:00", "链接价改过"]
        assert [row.split()[2] for row in rows if row.startswith("network-security")] == ["nobody"]
