"""Imports go one way: the contracts of pyproject.toml hold, and each of them can fail."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = ROOT / "pyproject.toml"


def contracts() -> list[dict[str, Any]]:
    with PYPROJECT.open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return found


def lint(folder: Path) -> tuple[int, str]:
    """The exit code and the words of lint-imports over the package `monitor` in `folder`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(PYPROJECT), "--no-cache"]
    environ = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "120"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """An empty package with every layer and two adapter families, which keeps the contracts."""
    layers = next(each for each in contracts() if each["type"] == "layers")["layers"]
    names = [name.strip() for layer in layers for name in layer.split("|")]
    for name in ["", *names, "adapters/one", "adapters/two"]:
        folder = tmp_path / "monitor" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    shutil.rmtree(tmp_path / "monitor/__main__")
    (tmp_path / "monitor/__main__.py").touch()
    return tmp_path


def test_imports_go_one_way() -> None:
    code, words = lint(ROOT)
    assert code == 0, words


def test_an_empty_house_keeps_the_contracts(house: Path) -> None:
    code, words = lint(house)
    assert code == 0, words


@pytest.mark.parametrize(
    "contract, path, text",
    [
        ("layers", "domain/bad.py", "import monitor.engine"),
        ("layers", "engine/bad.py", "import monitor.services"),
        ("layers", "services/bad.py", "import monitor.adapters.one"),
        ("layers", "adapters/one/bad.py", "import monitor.bootstrap"),
        ("layers", "adapters/one/bad.py", "import monitor.settings"),
        ("layers", "stray.py", ""),
        ("families", "adapters/one/bad.py", "import monitor.adapters.two"),
        ("pure-domain", "domain/bad.py", "import numpy"),
        ("pure-domain", "domain/bad.py", "import pathlib"),
        ("pure-engine", "engine/bad.py", "import sqlite3"),
        ("services-by-ports", "services/bad.py", "import aiohttp"),
    ],
)
def test_each_contract_can_fail(house: Path, contract: str, path: str, text: str) -> None:
    (house / "monitor" / path).write_text(text + "\n", encoding="utf-8")
    name = next(each["name"] for each in contracts() if each["id"] == contract)
    code, words = lint(house)
    assert code == 1, words
    assert f"{name} BROKEN" in " ".join(words.split()), words


def test_every_contract_is_seen_to_fail() -> None:
    marks = test_each_contract_can_fail.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == {each["id"] for each in contracts()}
