"""redpost check-config: all faults at once."""

import shutil
from pathlib import Path

import pytest

from monitor.adapters.keys import KeyFiles
from tests.functional.clikit import RULES, Done, redpost


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "redpost.toml"
    path.write_text(f'[data]\ndir = "{tmp_path}/data"\n[rules]\ndir = "{RULES}"\n', encoding="utf-8")
    return path


def check(config: Path) -> Done:
    """Without the warning about SQLite, which depends on the machine."""
    done = redpost("check-config", "--config", config)
    err = "".join(line for line in done.err.splitlines(keepends=True) if "warning  SQLite" not in line)
    out = "".join(line for line in done.out.splitlines(keepends=True) if "ok       SQLite" not in line)
    return Done(done.code, out, err)


def test_all_is_well_and_nothing_is_made(config: Path, tmp_path: Path) -> None:
    expected = f"ok       settings\nok       rules {RULES}\nok       data folder {tmp_path}/data\n"
    assert check(config) == (0, expected, "")
    assert not (tmp_path / "data").exists()


def test_sqlite_is_told_of_one_way_or_the_other(config: Path) -> None:
    done = redpost("check-config", "--config", config)
    assert ("warning  SQLite" in done.err) != ("ok       SQLite" in done.out)


def test_faults_of_settings(config: Path) -> None:
    config.write_text('[http]\nport = "high"\n[datta]\ndir = "x"\n', encoding="utf-8")
    done = check(config)
    assert (done.code, done.out) == (2, "")
    faults = done.err.splitlines()
    assert len(faults) == 2
    assert all(line.startswith(f"fault    settings: {config}:") for line in faults)


def test_a_missing_settings_file(tmp_path: Path) -> None:
    done = check(tmp_path / "nowhere.toml")
    assert done.code == 2
    assert "nowhere.toml" in done.err


def test_faults_of_rules_rooms_keys_and_data_together(config: Path, tmp_path: Path) -> None:
    rules = shutil.copytree(RULES, tmp_path / "rules")
    (rules / "shop/absolute.yml").write_text("id: shop.absolute\n", encoding="utf-8")
    (tmp_path / "rooms.yml").write_text("rooms: [{room: '1'}, {room: '1'}]\n", encoding="utf-8")
    (tmp_path / "key").write_text("short", encoding="utf-8")
    (tmp_path / "data").write_text("", encoding="utf-8")
    config.write_text(
        f'[data]\ndir = "{tmp_path}/data"\n[rules]\ndir = "{rules}"\nrooms = "{tmp_path}/rooms.yml"\n'
        f'[pseudonym]\nkey_file = "{tmp_path}/key"\n', encoding="utf-8")  # fmt: skip
    (tmp_path / "key").chmod(0o600)
    done = check(config)
    assert done.code == 2
    assert done.out == "ok       settings\n"
    for part in (f"rules {rules}: shop/absolute.yml:1:1: ", f"rooms {tmp_path}/rooms.yml: ", "key ", "data folder "):
        assert f"fault    {part}" in done.err
    assert done.err.count("fault    rules") > 2


def test_cases_that_do_not_hold(config: Path, tmp_path: Path) -> None:
    rules = shutil.copytree(RULES, tmp_path / "rules")
    path = rules / "shop/absolute.yml"
    path.write_text(path.read_text("utf-8").replace("手艺, expect", "手艺全网最好, expect"), encoding="utf-8")
    config.write_text(f'[rules]\ndir = "{rules}"\n[data]\ndir = "{tmp_path}/data"\n', encoding="utf-8")
    done = check(config)
    assert done.code == 2
    assert "shop.absolute: expected no finding" in done.err


def test_keys_that_are_there(config: Path, tmp_path: Path) -> None:
    KeyFiles(tmp_path / "data/keys").key_of("local")
    key = tmp_path / "data/keys/local.key"
    assert f"ok       key {key}\n" in check(config).out
    key.chmod(0o644)
    assert check(config).err == f"warning  {key} is open to other users (mode 0644); run: chmod 600 {key}\n"
    key.write_text("ff", encoding="utf-8")
    done = check(config)
    assert done.code == 2
    assert f"fault    key {key}: " in done.err
