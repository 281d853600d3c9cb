"""What the pages for readers name exists: settings, commands, files."""

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

import pytest
from cyclopts import CycloptsError, MissingArgumentError

from monitor.adapters.rulefiles import load_rooms
from monitor.cli.app import build
from monitor.cli.options import STDIN
from monitor.settings.table import table
from tests.architecture.test_repository import ROOT, committed, text_of

PAGES: Final = tuple(name for name in committed() if name.endswith(".md") and "/" not in name.removeprefix("docs/"))
_QUOTED: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_BLOCK: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(r"^ ?(?:\$ )?(?:[^#\n]*\| )?(?:\.venv/bin/)?redpost (.*)$", re.MULTILINE)
_SETTING: Final = re.compile(r"([a-z]+)\.[a-z_]+")
_PATH: Final = re.compile(r"[\w.-]+(?:/[\w.*-]+)+/?|[\w-]+\.(?:md|yml|toml|py|tsv|ndjson)")
SECTIONS: Final = {name.split(".")[0] for name in table()}
SUFFIXES: Final = (".md", ".yml", ".toml", ".py", ".tsv", ".ndjson")
MADE: Final = frozenset(("rooms.yml", "redpost.toml"))
"""Files of a reader's own that pages name; PACK stands for a folder's name."""


def quoted(page: str) -> list[str]:
    return _QUOTED.findall(_BLOCK.sub("", text_of(page)))


def settings_in(page: str) -> Iterator[str]:
    """Names with a section of the settings before the dot."""
    for name in quoted(page):
        found = _SETTING.fullmatch(name)
        if found and found[1] in SECTIONS and not name.endswith(SUFFIXES):
            yield name


def commands_in(page: str) -> Iterator[list[str]]:
    """Command lines of blocks, without what the shell does, and those in the text."""
    blocks = "\n".join(_BLOCK.findall(text_of(page)))
    lines = _COMMAND.findall(blocks) + [name.removeprefix("redpost ") for name in quoted(page)
                                        if name.startswith("redpost ")]
    for line in lines:
        yield shlex.split(re.split(r" [>|#&] ?| 2>", line)[0])


def files_in(page: str) -> Iterator[str]:
    for name in quoted(page):
        if _PATH.fullmatch(name) and name not in MADE and "PACK" not in name:
            yield name


def is_there(name: str) -> bool:
    """A file or folder of the repository, by its path or the end of it."""
    wanted = name.rstrip("/")
    known = {*committed(), *(part.as_posix() for file in committed() for part in PurePosixPath(file).parents)}
    return any(fnmatchcase(each, wanted) or fnmatchcase(each, f"*/{wanted}") for each in known)


def fault_of(words: list[str]) -> str:
    """Why the command line cannot be, or ""."""
    app = build()
    commands, _, rest = app.parse_commands(words)
    if not commands:
        return f"no command {words[0]}"
    if not rest:  # a command that is spoken of
        return ""
    try:
        app.parse_args([STDIN if word == "-" else word for word in words], exit_on_error=False, print_error=False)
    except MissingArgumentError:  # an option that is spoken of
        return ""
    except CycloptsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    wrong = [f"{name} is no setting" for name in settings_in(page)
             if name not in table() and name not in {row.twin for row in table().values()}]
    wrong += [f"{name} is not there" for name in files_in(page) if not is_there(name)]
    wrong += [f"redpost {shlex.join(words)}: {fault}" for words in commands_in(page) if (fault := fault_of(words))]
    wrong += [f"{word} is not there" for words in commands_in(page) for word in words
              if word.startswith(("config/", "docs/", "rules/")) and not is_there(word)]
    assert not wrong, "\n" + "\n".join(wrong)


def test_pages_are_read_for_all_of_it() -> None:
    assert {"README.md", "docs/cli.md", "docs/settings.md"} <= set(PAGES)
    assert len(list(settings_in("docs/settings.md"))) >= len(table())
    assert len(list(commands_in("docs/cli.md"))) > 20
    assert len(list(commands_in("README.md"))) > 3
    assert "config/rooms.yml" in files_in("docs/rules.md")
    assert is_there("config/rooms.yml") and is_there("tests/") and is_there("lists/*.txt")
    assert not is_there("config/roms.yml") and not is_there("onfig/rooms.yml")


@pytest.mark.parametrize("words", [["scam", "x"], ["scan", "x", "--jsn"], ["scan", "x", "--kind", "chat"]])
def test_a_command_that_cannot_be_is_seen(words: list[str]) -> None:
    assert fault_of(words)


def test_the_example_of_a_rooms_file_loads() -> None:
    assert [room.room for room in load_rooms(ROOT / "config/rooms.yml")] == ["9001", "9002"]
