"""redpost users · redpost audit"""

import asyncio
import re
import sqlite3
from pathlib import Path

import pytest

from monitor.adapters.storage.accounts import SqlAccounts
from monitor.adapters.storage.database import Database
from monitor.services.signing import digest
from tests.functional.clikit import redpost


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def test_a_user_from_the_invitation_to_the_end(data: Path) -> None:
    made = redpost("users", "add", "Wang@agency.example", "--name", "王", "--role", "reviewer", "--data", data)
    assert made.code == 0
    path, secret = re.fullmatch(r"(/invitations/)([\w-]{43})\n", made.out).groups()  # type: ignore[union-attr]
    assert path and secret not in made.err and "wang@agency.example" in made.err

    async def invited() -> bool:
        database = await Database.open(data / "store.db")
        try:
            return await SqlAccounts(database).invitation(digest(secret)) is not None
        finally:
            await database.close()

    assert asyncio.run(invited())
    listed = redpost("users", "list", "--data", data)
    assert re.search(r"^wang@agency.example\s+王\s+reviewer\s+invited\s+\d{4}-", listed.out, re.MULTILINE)
    assert redpost("users", "invite", "wang@agency.example", "--data", data).code == 0
    assert not asyncio.run(invited())
    done = redpost("users", "grant", "wang@agency.example", "--role", "lead", "--role", "auditor", "--data", data)
    assert (done.code, done.out) == (0, "wang@agency.example: lead, auditor\n")
    assert redpost("users", "disable", "wang@agency.example", "--data", data).out.endswith("lead, auditor, disabled\n")
    assert redpost("users", "invite", "wang@agency.example", "--data", data).code == 2
    assert redpost("users", "enable", "wang@agency.example", "--data", data).out.endswith("lead, auditor\n")
    shown = redpost("audit", "show", "--on", "wang@agency.example", "--data", data)
    assert [line.split()[3] for line in shown.out.splitlines()] == [
        "user.put", "user.invite", "user.invite", "user.put", "user.put", "user.put"]
    assert "cli:" in shown.out


@pytest.mark.parametrize("words, told", [
    (["add", "a b", "--role", "reviewer"], "is no login"),
    (["add", "wang", "--role", "king"], "one of reviewer, lead"),
    (["add", "wang", "--role", "lead@nowhere"], "there is no unit 'nowhere'"),
    (["add", "wang", "--role", "lead", "--tenant", "../x"], "tenant"),
    (["grant", "nobody", "--role", "lead"], "there is no user nobody"),
])
def test_what_cannot_be_is_told(data: Path, words: list[str], told: str) -> None:
    done = redpost("users", *words, "--data", data)
    assert (done.code, done.out) == (2, "")
    assert told in done.err and "hint: " in done.err


def test_the_trail_is_checked_and_the_first_bad_row_named(data: Path) -> None:
    redpost("users", "add", "wang", "--role", "lead", "--data", data)
    redpost("token", "new", "--name", "feed", "--scopes", "ingest", "--tenant", "agency", "--data", data)
    whole = redpost("audit", "verify", "--data", data)
    found = dict(re.findall(r"^(\w+): (.*)$", whole.out, re.MULTILINE))
    assert whole.code == 0 and list(found) == ["agency", "local"]
    assert found["local"].startswith("2 rows, whole; the last one is 2 ")
    hashes = [line.split()[-1] for line in found.values()]
    assert redpost("audit", "verify", "--holds", *hashes, "--data", data).code == 0
    lacking = redpost("audit", "verify", "--holds", "0" * 64, "--data", data)
    assert lacking.code == 1 and f"no chain holds {'0' * 64}" in lacking.err
    with sqlite3.connect(data / "store.db") as database:
        database.execute("UPDATE audit SET by = 'li' WHERE tenant = 'local' AND seq = 2")
    database.close()
    broken = redpost("audit", "verify", "--data", data)
    assert broken.code == 1 and "local: broken at row 2: what it says was changed" in broken.err
    assert "agency: 1 rows, whole" in broken.out


def test_tokens_are_on_record(data: Path) -> None:
    redpost("token", "new", "--name", "feed", "--scopes", "ingest", "--data", data)
    name = redpost("token", "list", "--data", data).out.splitlines()[-1].split()[0]
    for _ in range(2):
        redpost("token", "revoke", name, "--data", data)
    lines = redpost("audit", "show", "--on", name, "--data", data).out.splitlines()
    assert [line.split()[3] for line in lines] == ["token.new", "token.revoke"]
