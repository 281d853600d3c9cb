"""Help, usage errors, and docs/cli.md, which is made of the help."""

import os
import subprocess
import sys
from typing import Final

import pytest

from monitor.cli.app import guarded
from monitor.domain.errors import InputError
from tests.functional.clikit import COLUMNS, ROOT, check_golden, redpost

COMMANDS: Final = (
    "", "scan", "serve", "tail", "replay", "rules", "rules lint", "rules test", "rules explain",
    "rules new", "rules template", "rules import", "rules schema", "rules show", "rules duties", "token", "token new",
    "token list", "token revoke", "check-config", "backup", "restore", "train", "evaluate", "retrain",
    "model", "model list", "model card", "model compare", "model shadow", "model promote", "model rollback", "labels",
    "labels import", "labels export", "labels withdraw", "labels pick", "labels terms",
    "org", "org export", "org import", "org check", "org show", "plan", "plan import", "plan show", "plan tonight",
    "plan duty",
    "review", "review list", "review show", "review claim", "review release", "review hand-over", "review escalate",
    "review decide", "review undo", "review rectify", "review close", "review reopen", "review note", "review miss",
    "review drafts", "review hand", "review handed", "review answer",
    "review alike", "held", "held list", "held show", "held release", "held decide", "held preview", "routes",
    "routes test",
    "cue", "cue send", "cue list", "cue link", "cue links", "cue unlink",
    "users", "users add", "users list", "users grant", "users disable", "users enable", "users invite",
    "audit", "audit verify", "audit show",
    "worker", "web", "bridge", "migrate", "move", "topics", "topics apply", "topics check", "topics dead-letters",
    "export", "ledger", "ledger corrections", "ledger comments",
)  # fmt: skip
GROUPS: Final = ("rules", "token", "model", "labels", "org", "plan", "ledger", "review", "held", "routes", "cue",
                 "users", "audit", "topics")
BY_HAND: Final = "## For programs"
"""From here on the page is written by hand."""
HEAVY: Final = ("numpy", "hyperscan", "aiohttp", "sqlalchemy", "pyarrow", "zstandard", "yaml", "asyncio", "structlog")


def help_of(command: str) -> str:
    done = redpost(*command.split(), "--help")
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command: str) -> None:
    text = help_of(command)
    check_golden(f"help/{'-'.join(['redpost', *command.split()])}.txt", text)
    name = f"redpost {command}".strip()
    assert text.split("\n", 1)[0].split(" [", 1)[0].strip().startswith(f"Usage: {name}")
    assert command in ("", *GROUPS) or f"\n {name}" in text, "an example"


def test_every_command_is_among_them() -> None:
    listed = {line.split()[1] for line in help_of("").splitlines() if line.startswith("│ ") and line[2] not in " -"}
    assert listed == {command.split()[0] for command in COMMANDS if command}
    for group in GROUPS:
        inner = {line.split()[1] for line in help_of(group).splitlines() if line.startswith("│ ") and line[2] != " "}
        assert inner == {command.split()[1] for command in COMMANDS if command.startswith(group + " ")}


def test_the_page_of_the_docs_is_made_of_the_help() -> None:
    parts = ["# Command line",
             "Made of the help texts, which `tests/functional/test_cli_help.py` keeps in step, but for its "
             "[end](#for-programs)."]
    for command in COMMANDS:
        parts += [f"## redpost {command}".rstrip(), f"```text\n{help_of(command).strip()}\n```"]
    page = (ROOT / "docs/cli.md").read_text("utf-8")
    by_hand = page[page.index(BY_HAND):]
    check_golden("cli.md", "\n\n".join([*parts, by_hand]), folder=ROOT / "docs")


def test_no_line_is_wider_than_the_terminal() -> None:
    wide = [line for command in COMMANDS for line in help_of(command).splitlines() if len(line) > int(COLUMNS)]
    assert wide == []


def test_help_loads_nothing_heavy() -> None:
    code = ("import sys; from monitor.cli.app import run; run(['--help']); "
            f"print('heavy:', *[name for name in {HEAVY!r} if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_version() -> None:
    done = redpost("--version")
    assert done.code == 0
    assert done.out.startswith("redpost 0.")


def test_without_a_command_the_help_is_shown() -> None:
    assert redpost() == redpost("--help")


@pytest.mark.parametrize(
    "words, told",
    [
        (["scam"], 'Did you mean "scan"?'),
        (["scan"], "requires an argument"),
        (["scan", "x", "--jsn"], "--jsn"),
        (["scan", "x", "--kind", "signal"], "signal"),
        (["token", "new"], "--name"),
        (["serve", "--port", "high"], "high"),
        (["restore"], "BACKUP_DIR"),
    ],
)
def test_a_usage_error_is_told_on_stderr(words: list[str], told: str) -> None:
    done = redpost(*words)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


@pytest.mark.parametrize(
    "failure, code, told",
    [
        (OSError(28, "No space left on device"), 2, "error: cannot read or write: No space left on device\nhint: "),
        (PermissionError(13, "Permission denied", "x"), 2, "error: cannot read or write x: Permission denied\n"),
        (InputError("it is wrong", hint="mend it"), 2, "error: it is wrong\nhint: mend it\n"),
        (ZeroDivisionError("x"), 70, "Traceback"),
        (ZeroDivisionError("x"), 70, "error: redpost itself is at fault"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_no_failure_ends_as_something_found(
    failure: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise failure

    assert guarded(work) == code
    err = capsys.readouterr().err
    assert told in err and bool(told) == bool(err)


@pytest.mark.parametrize(
    "words, code, told",
    [
        ("--help > /dev/full", 2, "error: cannot read or write: No space left on device"),
        ("rules schema > /dev/full", 2, "error: cannot read or write: No space left on device"),
        ("rules schema >&-", 2, "error: standard output is closed"),
        ("rules schema 2>&-", 0, ""),
        ("scan nowhere 2> /dev/full", 2, ""),
        ("scan nowhere >&- 2>&-", 2, ""),
    ],
)
def test_output_that_cannot_be_written(words: str, code: int, told: str) -> None:
    command = f"{sys.executable} -m monitor {words}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == code
    assert done.stderr.startswith(told) and bool(told) == bool(done.stderr)


def test_as_a_module() -> None:
    environ = os.environ | {"COLUMNS": COLUMNS}
    command = [sys.executable, "-m", "monitor", "scan", "nowhere.srt", "--rules", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)  # noqa: S603
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "nowhere:1:1: there is no such folder — name the folder that holds the packs\n"
