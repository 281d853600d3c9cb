"""Reading settings in four layers: defaults < TOML file < environment < overrides. All faults are told at once."""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from monitor.domain.errors import ConfigError
from monitor.settings.table import PREFIX, Setting, Settings, table, variable

CONFIG_VARIABLE: Final = PREFIX + "CONFIG"


class Loaded(NamedTuple):
    """`warnings`: what works, but should be mended; for the log, once there is one."""

    settings: Settings
    warnings: tuple[str, ...]


class _Given(NamedTuple):
    """A value somebody gave, and where, for messages."""

    name: str
    value: object
    place: str
    text: bool = False  # from the environment: always a string, to be read as the setting's type


class _Reading:
    """One pass over the layers: collects values, all faults and all warnings."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.faults: list[str] = []
        self.warnings: list[str] = []

    def layer(self, layer: list[_Given]) -> None:
        """Take a layer over what is below it."""
        twins = {row.twin: row for row in table().values() if row.twin}
        names = {given.name for given in layer}
        for given in layer:
            if given.name in table():
                self._take(table()[given.name], given)
            elif given.name not in twins:
                self.faults.append(f"{given.place}: {given.name} is no setting{_suggestion(given.name)}")
            elif twins[given.name].name in names:
                self.faults.append(f"{given.place}: give {twins[given.name].name} or {given.name}, not both")
            else:
                self._take_file(twins[given.name], given)

    def _take(self, row: Setting, given: _Given) -> None:
        raw = given.value
        if given.text and isinstance(raw, str) and isinstance(row.default, int):
            raw = raw.replace("_", "")  # as TOML allows, and as the reference writes large numbers
        try:
            value = msgspec.convert(raw, row.type, strict=not given.text)
        except msgspec.ValidationError:
            self.faults.append(f"{given.place}: {row.name} must be {row.expects}, not {given.value!r}")
            return
        if row.unit == "zone" and not _is_zone(str(value)):
            self.faults.append(f"{given.place}: {row.name} must be {row.expects}, not {given.value!r}")
            return
        if row.secret and row.unit == "path" and value:
            self._warn_if_shared(row, Path(str(value)))
        self.values[row.name] = value

    def _take_file(self, row: Setting, given: _Given) -> None:
        if not isinstance(given.value, str) or not given.value:
            self.faults.append(f"{given.place}: {given.name} must be a path as text, not {given.value!r}")
            return
        path = Path(given.value)
        try:
            content = path.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            self.faults.append(f"{given.place}: {given.name}: {path} cannot be read as UTF-8 text: {_reason(error)}")
            return
        if row.secret:
            self._warn_if_shared(row, path)
        self._take(row, given._replace(value=content, text=True))

    def _warn_if_shared(self, row: Setting, path: Path) -> None:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except (OSError, ValueError):
            return  # whoever opens it says so
        if mode & 0o077:
            self.warnings.append(f"{row.name}: {path} is open to other users (mode {mode:04o}); run: chmod 600 {path}")


def load(
    *, config: Path | None = None, environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Loaded:
    """Read all layers. `config` defaults to REDPOST_CONFIG; without either no file is read.

    `environ` defaults to the process's; `overrides` go by dotted name, and None there means that nothing was said.
    Relative paths start from the working directory, wherever they were given.
    Raises ConfigError with every fault of every layer, one per line, each with the place where it stands.
    """
    environ = os.environ if environ is None else environ
    if config is None and environ.get(CONFIG_VARIABLE):
        config = Path(environ[CONFIG_VARIABLE])
    reading = _Reading()
    if config is not None:
        reading.layer(_of_toml(config, reading.faults))
    reading.layer(list(_of_environment(environ)))
    reading.layer([
        _Given(name, str(value) if isinstance(value, Path) else value, "command line")
        for name, value in (overrides or {}).items() if value is not None
    ])
    if reading.faults:
        raise ConfigError("\n".join(reading.faults), hint="docs/settings.md lists every setting")
    tree: dict[str, dict[str, object]] = {}
    for name, value in reading.values.items():
        section, key = name.split(".")
        tree.setdefault(section, {})[key] = value
    return Loaded(msgspec.convert(tree, Settings), tuple(reading.warnings))


def _of_toml(path: Path, faults: list[str]) -> list[_Given]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{path}: not TOML: {error}")
        return []
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{path}: cannot be read as UTF-8 text: {_reason(error)}")
        return []
    sections = set(Settings.__struct_fields__)
    given: dict[str, object] = {}
    for section, entries in tree.items():
        if isinstance(entries, dict) and (entries or section in sections):
            given.update({f"{section}.{key}": value for key, value in entries.items()})
        else:
            given[section] = entries
    return [_Given(name, value, f"{path}:{_line(text, name)}") for name, value in given.items()]


def _line(text: str, name: str) -> int:
    """The 1-based line of a setting; tomllib keeps no positions. A key in an unusual spelling counts as line 1."""
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            section = header[1] + "."
            if header[1] == name:
                return number
        elif (key := re.match(r"\s*([\w.-]+)\s*=", line)) and section + key[1] == name:
            return number
    return 1


def _of_environment(environ: Mapping[str, str]) -> Iterator[_Given]:
    """REDPOST_SECTION__NAME. Without the double underscore only a near miss counts (an orchestrator may set
    REDPOST_PORT and the like for a service of that name)."""
    missed = {variable(name).replace("__", "_") for row in table().values() for name in (row.name, row.twin) if name}
    for key in sorted(environ):
        if not key.startswith(PREFIX) or key == CONFIG_VARIABLE or not ("__" in key or key in missed):
            continue
        name = key.removeprefix(PREFIX).lower().replace("__", ".", 1)
        yield _Given(name, environ[key], key, text=True)


def _suggestion(name: str) -> str:
    known = [each for row in table().values() for each in (row.name, row.twin) if each]
    plain = {each.replace("_", "."): each for each in known}
    near = difflib.get_close_matches(name.replace("_", "."), plain, n=1)
    if not near:
        return f" (sections: {', '.join(Settings.__struct_fields__)})"
    return f"; did you mean {plain[near[0]]} ({variable(plain[near[0]])})?"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the bytes are not UTF-8"
    return (isinstance(error, OSError) and error.strerror) or str(error)
