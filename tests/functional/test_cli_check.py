"""redpost check-config: all faults at once."""

import shutil
import socket
from pathlib import Path

import pytest

from monitor.adapters.keys import KeyFiles
from monitor.adapters.ml.folder import save_model
from tests.fakes.registry import tiny_model
from tests.functional.clikit import RULES, Done, redpost


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "redpost.toml"
    path.write_text(f'[data]\ndir = "{tmp_path}/data"\n[rules]\ndir = "{RULES}"\n[http]\nport = 0\n', encoding="utf-8")
    return path


def check(config: Path) -> Done:
    """Without the warning about SQLite, which depends on the machine."""
    done = redpost("check-config", "--config", config)
    err = "".join(line for line in done.err.splitlines(keepends=True) if "warning  SQLite" not in line)
    out = "".join(line for line in done.out.splitlines(keepends=True) if "ok       SQLite" not in line)
    return Done(done.code, out, err)


def test_all_is_well_and_nothing_is_made(config: Path, tmp_path: Path) -> None:
    passed = ("settings", f"rules {RULES}", "classifier", f"data folder {tmp_path}/data",
              "address 127.0.0.1:0")
    assert check(config) == (0, "".join(f"ok       {what}\n" for what in passed), "")
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
    assert done.out.startswith("".join(
        f"ok       {what}" for what in ("settings\n", "classifier\n", "address ")))
    for part in (f"rules {rules}: shop/absolute.yml:1:1: ", f"rooms {tmp_path}/rooms.yml: ", "key ", "data folder "):
        assert f"fault    {part}" in done.err
    assert done.err.count("fault    rules") > 2


def test_a_classifier_that_cannot_serve(config: Path, tmp_path: Path) -> None:
    done = redpost("check-config", "--config", config, model=str(tmp_path / "nowhere"))
    assert (done.code, "fault    classifier: there is no model in" in done.err) == (2, True)
    model = str(save_model_to(tmp_path / "base/1"))
    save_model_to(tmp_path / "data/models/local/1")
    assert redpost("model", "promote", "local/1", "--data", tmp_path / "data", model=model).code == 0
    (tmp_path / "data/models/local/1/weights.npy").write_bytes(b"")
    done = redpost("check-config", "--config", config, model=model)
    assert (done.code, "redpost model rollback" in done.err) == (2, True)


def save_model_to(folder: Path) -> Path:
    save_model(folder, tiny_model(f"{folder.parent.name}/{folder.name}"), "#")
    return folder


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


def serve(config: Path) -> Done:
    """Where it is refused."""
    return redpost("serve", "--config", config)


@pytest.mark.parametrize("what", ["file", "below a file", "taken", "foreign"])
def test_what_serve_refuses_is_a_fault_and_the_other_way_round(config: Path, tmp_path: Path, what: str) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    data, http = f"{tmp_path}/data", 'port = 0'
    if what == "file":
        (tmp_path / "data").write_text("")
    elif what == "below a file":
        (tmp_path / "file").write_text("")
        data = f"{tmp_path}/file/data"
    elif what == "taken":
        http = f"port = {taken.getsockname()[1]}"
    else:
        http = 'port = 0\nhost = "192.0.2.7"'  # of no machine
    config.write_text(f'[data]\ndir = "{data}"\n[rules]\ndir = "{RULES}"\n[http]\n{http}\n', encoding="utf-8")
    with taken:
        told, refused = check(config), serve(config)
    assert (told.code, refused.code) == (2, 2)
    assert "Traceback" not in refused.err
    error = next(line for line in refused.err.splitlines() if line.startswith("error: ")).removeprefix("error: ")
    assert f": {error[:60]}" in told.err
    assert not (tmp_path / "data/cache").exists(), "it is refused before rules are compiled"


@pytest.mark.parametrize("words", [
    ["serve"], ["token", "list"], ["token", "revoke", "t1"], ["token", "new", "--name", "x", "--scopes", "read"],
    ["backup", "copy"], ["restore", "copy"],
], ids=" ".join)
def test_an_empty_name_is_not_the_current_folder(words: list[str], tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """As `--data "$UNSET"` gives it."""
    monkeypatch.chdir(tmp_path)
    done = redpost(*words, "--data", "")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: command line: data.dir must be the path of a folder, not ''\n")
    assert not list(tmp_path.iterdir())


def test_an_empty_name_in_the_settings(config: Path) -> None:
    config.write_text('[data]\ndir = ""\n', encoding="utf-8")
    done = check(config)
    assert done.code == 2 and f"{config}:2: data.dir must be the path of a folder, not ''" in done.err


def test_a_folder_that_is_named_asks_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDPOST_CONFIG", str(tmp_path / "nowhere.toml"))
    assert redpost("token", "new", "--name", "x", "--scopes", "read", "--data", tmp_path).code == 0
