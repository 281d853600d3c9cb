"""Settings: the four layers, their messages, the reference page and the example file.

WRITE_OUTPUTS=1 rewrites docs/settings.md and config/redpost.toml from the table.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from monitor.domain.errors import ConfigError
from monitor.settings import Setting, Settings, load, table

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/settings.md"
EXAMPLE = ROOT / "config/redpost.toml"

INTRO = """# Settings

Every setting has a default; `redpost serve` runs without any of them. What is said later wins:

1. the defaults below;
2. a TOML file, given by `--config FILE` or `REDPOST_CONFIG` (`config/redpost.toml` shows all of it);
3. the environment: `http.port` is `REDPOST_HTTP__PORT`;
4. options of the command line.

A setting that holds text can also be read from a file: `tenant.zone_file` names a file whose content, without the
white space around it, becomes `tenant.zone`. Relative paths start from the working directory. A file that holds a
secret should be readable by its owner only; the start says so where it is not.

A name that is no setting, or a value of the wrong kind, stops the start with a list of all such faults.
A variable of the environment that begins with `REDPOST_` but has no double underscore is left alone, unless it is
a setting's name with an underscore missing.
"""


def sections() -> dict[str, list[Setting]]:
    found: dict[str, list[Setting]] = {}
    for row in table().values():
        found.setdefault(row.name.partition(".")[0], []).append(row)
    return found


def written(value: str | int | bool) -> str:
    """As TOML: 67_108_864, true, "text"."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}" if value >= 100_000 else str(value)
    return json.dumps(value)


def reference() -> str:
    parts = [INTRO]
    for name, rows in sections().items():
        lines = [f"\n## {name}\n", "| setting | default | must be | what it does |", "|---|---|---|---|"]
        lines += [f"| `{row.name}` | `{written(row.default)}` | {row.expects} | {row.help} |" for row in rows]
        parts.append("\n".join(lines) + "\n")
    return "".join(parts)


def example() -> str:
    parts = ["# Every setting with its default. Take the # away before those to change; docs/settings.md explains.\n"]
    for name, rows in sections().items():
        parts.append(f"\n[{name}]\n")
        for row in rows:
            parts.append(f"# {row.help} ({row.expects})\n#{row.name.partition('.')[2]} = {written(row.default)}\n")
    return "".join(parts)


def refused(
    *, config: Path | None = None, environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(config=config, environ=environ or {}, overrides=overrides)
    return caught.value.message.splitlines()


def toml(folder: Path, text: str) -> Path:
    path = folder / "redpost.toml"
    path.write_text(text, encoding="utf-8")
    return path


def leaves(settings: Settings) -> Iterator[tuple[str, object]]:
    for section, values in msgspec.to_builtins(settings).items():
        for key, value in values.items():
            yield f"{section}.{key}", value


def test_defaults() -> None:
    settings, warnings = load(environ={})
    assert warnings == ()
    assert dict(leaves(settings)) == {row.name: row.default for row in table().values()}
    assert (settings.http.host, settings.http.port, settings.data.dir) == ("127.0.0.1", 8321, "data")
    assert len(table()) > 30


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        load(environ={}).settings.http.port = 1  # type: ignore[misc]


def test_later_layers_win(tmp_path: Path) -> None:
    config = toml(tmp_path, "http.port = 1\nengine.batch_events = 64\n[log]\nkeep_hours = 2\ncache_bytes = 5\n")
    settings = load(
        config=config,
        environ={"REDPOST_LOG__KEEP_HOURS": "3", "REDPOST_HTTP__PORT": "2"},
        overrides={"http.port": 3, "http.host": None, "data.dir": tmp_path},
    ).settings
    assert settings.engine.batch_events == 64
    assert settings.log.cache_bytes == 5
    assert settings.log.keep_hours == 3
    assert settings.http.port == 3
    assert settings.http.host == "127.0.0.1"
    assert settings.data.dir == str(tmp_path)


def test_config_from_the_environment_unless_given(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    environ = {"REDPOST_CONFIG": str(toml(tmp_path, "[http]\nport = 1\n"))}
    assert load(environ=environ).settings.http.port == 1
    assert load(environ=environ, config=toml(tmp_path / "other", "")).settings.http.port == 8321


@pytest.mark.parametrize("text, value", [("true", True), ("0", False), ("False", False)])
def test_environment_reads_switches(text: str, value: bool) -> None:
    assert load(environ={"REDPOST_RULES__WATCH": text}).settings.rules.watch is value


def test_environment_reads_numbers_as_the_reference_writes_them() -> None:
    settings = load(environ={"REDPOST_LOG__MAX_BYTES": "53_687_091_200", "REDPOST_LOG__KEEP_HOURS": "12"}).settings
    assert (settings.log.max_bytes, settings.log.keep_hours) == (53_687_091_200, 12)


def test_every_setting_can_be_set_by_its_variable() -> None:
    samples = {"zone": "Europe/Berlin", "port": "9", "path": "somewhere", "": "other"}
    choice = {"telemetry.log_level": "error", "telemetry.log_format": "json", "rules.watch": "false",
              "rules.edits": "false", "http.require_token": "true", "outside.private": "true"}
    environ = {row.variable: choice.get(row.name) or samples.get(row.unit, "7") for row in table().values()}
    changed = dict(leaves(load(environ=environ).settings))
    assert [name for name, value in changed.items() if value == table()[name].default] == []


def test_all_faults_at_once_each_with_its_place(tmp_path: Path) -> None:
    config = toml(tmp_path, '# mine\n[http]\nport = "no"\nprot = 1\n\n[alerts]\n  gap_ms = -1\n[rules]\nwatch = 1\n')
    assert refused(
        config=config,
        environ={"REDPOST_LOG__KEEP_HOURS": "soon", "REDPOST_LGO__MAX_BYTES": "1", "REDPOST_HTTP_PORT": "2"},
        overrides={"telemetry.log_level": "loud"},
    ) == [
        f"{config}:3: http.port must be a port, 0 to 65535, not 'no'",
        f"{config}:4: http.prot is no setting; did you mean http.port (REDPOST_HTTP__PORT)?",
        f"{config}:7: alerts.gap_ms must be a whole number of milliseconds (ms), not -1",
        f"{config}:9: rules.watch must be true or false, not 1",
        "REDPOST_HTTP_PORT: http_port is no setting; did you mean http.port (REDPOST_HTTP__PORT)?",
        "REDPOST_LGO__MAX_BYTES: lgo.max_bytes is no setting; did you mean log.max_bytes (REDPOST_LOG__MAX_BYTES)?",
        "REDPOST_LOG__KEEP_HOURS: log.keep_hours must be a whole number of hours (h), at least 1, not 'soon'",
        "command line: telemetry.log_level must be one of debug, error, info, warning, not 'loud'",
    ]


@pytest.mark.parametrize(
    "text, fault",
    [
        ("[http\n", "{}: not TOML: "),
        ("[zebra]\n", "{}:1: zebra is no setting (sections: data, http, "),
        ("\n[zebra]\nstripes = 1\n", "{}:3: zebra.stripes is no setting (sections: "),
        ("http = 1\n", "{}:1: http is no setting"),
        ("[http.tls]\non = true\n", "{}:1: http.tls is no setting"),
        ("[http]\nport = [1]\n", "{}:2: http.port must be a port, 0 to 65535, not [1]"),
        ("[http]\nport = 65536\n", "{}:2: http.port must be a port"),
        ("[http]\nport = true\n", "{}:2: http.port must be a port"),
        ("[http]\nhost = 1\n", "{}:2: http.host must be text, not 1"),
        ("[people]\nlogin_tries = 2\n", "{}:2: people.login_tries must be a whole number, 3 to 100, not 2"),
        ("[people]\nidle_minutes = 1441\n",
         "{}:2: people.idle_minutes must be a whole number of minutes (min), 5 to 1440, not 1441"),
        ('[tenant]\nzone = "Mars/Base"\n', "{}:2: tenant.zone must be an IANA time zone"),
        ('[tenant]\nzone = ""\n', "{}:2: tenant.zone must be an IANA time zone"),
        ('[tenant]\nzone = "../etc"\n', "{}:2: tenant.zone must be an IANA time zone"),
    ],
)
def test_faults_of_a_file(tmp_path: Path, text: str, fault: str) -> None:
    config = toml(tmp_path, text)
    faults = refused(config=config)
    assert len(faults) == 1
    assert faults[0].startswith(fault.format(config))


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    missing, binary = tmp_path / "none.toml", tmp_path / "binary.toml"
    binary.write_bytes(b"\xff")
    assert refused(config=missing) == [f"{missing}: cannot be read as UTF-8 text: No such file or directory"]
    assert refused(config=binary) == [f"{binary}: cannot be read as UTF-8 text: the bytes are not UTF-8"]


def test_variables_of_an_orchestrator_are_left_alone() -> None:
    environ = {"REDPOST_PORT": "tcp://10.0.0.1:8321", "REDPOST_SERVICE_HOST": "10.0.0.1", "OTHER": "x"}
    assert load(environ=environ).settings == Settings()


def test_text_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "zone"
    secret.write_text(" Europe/Berlin\n", encoding="utf-8")
    assert load(environ={"REDPOST_TENANT__ZONE_FILE": str(secret)}).settings.tenant.zone == "Europe/Berlin"
    config = toml(tmp_path, f"[tenant]\nzone_file = '{secret}'\n")
    assert load(environ={}, config=config).settings.tenant.zone == "Europe/Berlin"
    assert load(environ={"REDPOST_TENANT__ZONE": "UTC"}, config=config).settings.tenant.zone == "UTC"


def test_faults_of_a_file_twin(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert refused(environ={"REDPOST_HTTP__HOST_FILE": str(missing)}) == [
        f"REDPOST_HTTP__HOST_FILE: http.host_file: {missing} cannot be read as UTF-8 text: No such file or directory"
    ]
    assert refused(environ={"REDPOST_HTTP__HOST": "::1", "REDPOST_HTTP__HOST_FILE": str(missing)}) == [
        "REDPOST_HTTP__HOST_FILE: give http.host or http.host_file, not both"
    ]
    config = toml(tmp_path, "[http]\nhost_file = 1\nport_file = 'x'\n")
    assert refused(config=config) == [
        f"{config}:2: http.host_file must be a path as text, not 1",
        f"{config}:3: http.port_file is no setting; did you mean http.host_file (REDPOST_HTTP__HOST_FILE)?",
    ]


def test_every_text_has_a_file_twin_and_nothing_else_has() -> None:
    twins = [row.name for row in table().values() if row.twin]
    texts = [row.name for row in table().values() if isinstance(row.default, str)]
    assert {name for name in texts if not name.endswith("_file")} == set(twins)
    assert twins


@pytest.mark.parametrize("mode, warned", [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_secret_open_to_others_is_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(mode)
    settings, warnings = load(environ={"REDPOST_PSEUDONYM__KEY_FILE": str(key)})
    assert settings.pseudonym.key_file == str(key)
    expected = (f"pseudonym.key_file: {key} is open to other users (mode {mode:04o}); run: chmod 600 {key}",)
    assert warnings == (expected if warned else ())


def test_a_secret_that_is_not_there_yet_is_no_fault(tmp_path: Path) -> None:
    assert load(environ={"REDPOST_PSEUDONYM__KEY_FILE": str(tmp_path / "none")}).warnings == ()


@pytest.mark.parametrize("path, text", [(REFERENCE, reference()), (EXAMPLE, example())], ids=["reference", "example"])
def test_written_form_is_current(path: Path, text: str) -> None:
    if os.environ.get("WRITE_OUTPUTS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "run WRITE_OUTPUTS=1 pytest tests/unit/test_settings.py"


def test_the_reference_names_every_setting_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z_.]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == list(table())


def test_the_example_loads_as_it_is_and_with_every_line_in_force(tmp_path: Path) -> None:
    assert load(environ={}, config=EXAMPLE).settings == Settings()
    text = re.sub(r"^#(\w)", r"\1", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(re.findall(r"^\w+ = ", text, re.MULTILINE)) == len(table())
    assert load(environ={}, config=toml(tmp_path, text)).settings == Settings()
