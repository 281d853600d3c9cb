"""redpost token new · list · revoke"""

import asyncio
import re
import stat
from pathlib import Path

from monitor.adapters.storage.store import SqlStore
from monitor.adapters.web.auth import digest
from monitor.services.records import Token
from tests.functional.clikit import redpost


def kept(data: Path) -> list[Token]:
    async def read() -> list[Token]:
        store = await SqlStore.open(data / "store.db")
        try:
            return await store.tokens()
        finally:
            await store.close()

    return asyncio.run(read())


def test_a_token_from_its_making_to_its_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    made = redpost("token", "new", "--name", "录播", "--scopes", "read, ingest", "--data", data)
    secret = made.out.strip()
    assert made.code == 0
    assert re.fullmatch(r"rp_[\w-]{43}", secret)
    assert secret not in made.err
    (token,) = kept(data)
    assert (token.tenant, token.name, token.scopes) == ("local", "录播", ["ingest", "read"])
    assert token.sha256 == digest(secret)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700

    listed = redpost("token", "list", "--data", data)
    assert listed.code == 0
    assert re.search(rf"^{token.id}\s+录播\s+ingest,read\s+local\s+\d{{4}}-\d\d-\d\d$", listed.out, re.MULTILINE)
    assert token.sha256 not in listed.out

    assert redpost("token", "revoke", token.id, "--data", data) == (0, f"{token.id} is revoked\n", "")
    (revoked,) = kept(data)
    assert revoked.revoked_at is not None
    assert redpost("token", "revoke", token.id, "--data", data).out == f"{token.id} was revoked before\n"
    assert kept(data) == [revoked]
    assert re.search(r"\d\d\s+\d{4}-\d\d-\d\d$", redpost("token", "list", "--data", data).out, re.MULTILINE)


def test_what_cannot_be_made(tmp_path: Path) -> None:
    done = redpost("token", "new", "--name", "x", "--scopes", "everything", "--data", tmp_path / "data")
    hint = "hint: one or more of ingest, read, label, review, organise, people, admin, metrics\n"
    assert done == (2, "", "error: unknown scope 'everything'\n" + hint)
    assert redpost("token", "new", "--name", "x", "--scopes", " , ", "--data", tmp_path / "data").code == 2
    assert not (tmp_path / "data").exists()


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = redpost("token", "new", "--name", "x", "--scopes", "read", "--data", tmp_path / "typo")
    assert (done.code, "typo" in done.err, "mkdir" in done.err) == (2, True, True)
    assert not list(tmp_path.iterdir())


def test_names_that_are_none(tmp_path: Path) -> None:
    for words in (["--name", ""], ["--name", "  "], ["--name", "x" * 101], ["--name", "x", "--tenant", "../x"],
                  ["--name", "x", "--tenant", ""]):
        done = redpost("token", "new", *words, "--scopes", "ingest", "--data", tmp_path)
        assert (done.code, done.out, "hint:" in done.err) == (2, "", True), words
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_store(tmp_path: Path) -> None:
    for words in (["list"], ["revoke", "t1"]):
        done = redpost("token", *words, "--data", tmp_path)
        assert (done.code, done.out) == (2, "")
        assert "there is no store" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_token(tmp_path: Path) -> None:
    redpost("token", "new", "--name", "x", "--scopes", "read", "--data", tmp_path)
    done = redpost("token", "revoke", "t0", "--data", tmp_path)
    assert done == (2, "", "error: there is no token 't0'\nhint: `redpost token list` shows them\n")


def test_no_tokens_yet(tmp_path: Path) -> None:
    asyncio.run(_made(tmp_path / "store.db"))
    assert redpost("token", "list", "--data", tmp_path) == (0, "no tokens\n", "")


async def _made(path: Path) -> None:
    await (await SqlStore.open(path)).close()
