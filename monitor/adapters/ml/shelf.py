"""The classifiers that a service may judge by: the one that the settings name, and those that are kept in a folder as
`<name>/<version>/`, with `state.json` beside them."""

import os
import re
import tempfile
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from monitor.adapters.disk import sync
from monitor.adapters.ml.folder import CARD, MANIFEST, load_manifest, load_model, save_model
from monitor.domain.errors import ConfigError, NewerFormat, NotFound, StorageError
from monitor.engine.scorer import LinearScorer, Scorer
from monitor.services.lifecycle import ALL, STATE_FORMAT, ModelState
from monitor.services.making import Scorers, Shadows
from monitor.services.models import Manifest, Model

STATE: Final = "state.json"
_ID: Final = re.compile(r"([A-Za-z0-9_-][\w.-]{0,63})/([A-Za-z0-9_-][\w.-]{0,63})", re.ASCII)
_MENDED: Final = "take the step again: `redpost model rollback`, or `redpost model promote` with another one"


class ModelShelf:
    """Implements `Models` and `Registry`. `base`: the folder of the model that the settings name, None: no classifier
    judges; `folder`: of all others, None: there are none. What is in use stays the same."""

    def __init__(self, base: Path | None, folder: Path | None = None) -> None:
        self._base, self._folder = base, folder
        self._known: WeakValueDictionary[str, LinearScorer] = WeakValueDictionary()

    def serving(self) -> Scorers:
        """Raises ConfigError for what is no sound model."""
        if self._base is None:
            return Scorers()
        state = self.state()
        every = state.of(ALL).serving
        try:
            return Scorers(self._kept(self.model(every) if every else load_model(self._base)), {
                tenant: self._kept(self.model(choice.serving))
                for tenant, choice in state.tenants.items() if tenant != ALL and choice.serving})
        except (ConfigError, NotFound) as error:
            if not state.tenants:
                raise
            raise ConfigError(f"the model that was promoted cannot serve: {error.message}", hint=_MENDED) from error

    def shadows(self) -> Shadows:
        """Raises ConfigError for what is no sound model, NotFound for one that is gone."""
        choices = self.state().tenants if self._base is not None else {}
        found = {tenant: self._kept(self.model(choice.shadow)) if choice.shadow else None
                 for tenant, choice in choices.items() if choice.shadow or choice.serving}
        return Shadows(found.pop(ALL, None), found)

    def of(self, version: str) -> Scorer | None:
        """The one of this version, None where it is not kept any more, or not as it was."""
        known = self._known.get(version)
        if known is not None or not version:
            return known
        try:
            found = self._kept(self.model(version.partition("@")[0]))
        except (ConfigError, NotFound):
            return None
        return found if found.version == version else None

    def fingerprint(self) -> str:
        """Changes with the state."""
        if self._folder is None:
            return ""
        try:
            found = (self._folder / STATE).stat()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise StorageError(f"{self._folder / STATE} cannot be looked at: {error.strerror}") from error
        return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"

    def base(self) -> str:
        return "" if self._base is None else load_manifest(self._base).id

    def ids(self) -> list[str]:
        found = self._folder.glob(f"*/*/{MANIFEST}") if self._folder is not None else ()
        names = (path.parent.relative_to(path.parents[2]).as_posix() for path in found)
        return sorted((name for name in names if _ID.fullmatch(name)), key=_in_order)

    def manifest(self, model: str) -> Manifest:
        return load_manifest(self._place(model))

    def model(self, model: str) -> Model:
        folder = self._place(model)
        found = load_model(folder)
        if found.manifest.id != model:
            raise ConfigError(f"{folder} holds the model {found.manifest.id}",
                              hint="a model keeps the name and version that it was trained under")
        return found

    def card(self, model: str) -> str:
        path = self._place(model) / CARD
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read", hint="take the folder from its source again") from error

    def add(self, model: Model, card: str) -> Manifest:
        if self._folder is None or not _ID.fullmatch(model.manifest.id):
            raise ConfigError(f"{model.manifest.id!r} cannot be kept here", hint="letters, digits, . _ - of ASCII")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return save_model(self._folder / model.manifest.id, model, card)

    def state(self) -> ModelState:
        if self._folder is None:
            return ModelState()
        path = self._folder / STATE
        try:
            found = msgspec.json.decode(path.read_bytes(), type=dict)
            if found.get("format", STATE_FORMAT) > STATE_FORMAT:
                raise NewerFormat(f"{path} is of format {found['format']}, this version reads up to {STATE_FORMAT}",
                                  hint="run the newer redpost that wrote it")
            if found.pop("format", STATE_FORMAT) == 1:  # one model for all
                found = {"tenants": {ALL: found}}
            return msgspec.convert(found, ModelState)
        except FileNotFoundError:
            return ModelState()
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}", hint="check its owner and mode") from error
        except (msgspec.MsgspecError, UnicodeDecodeError, TypeError) as error:
            raise ConfigError(f"{path} does not say which model serves: {error}",
                              hint="restore it from a backup, or remove it: then the one of the settings serves"
                              ) from error

    def set_state(self, state: ModelState) -> None:
        if self._folder is None:
            raise ConfigError("there is no folder to keep models in", hint="name the data folder")
        _write(self._folder / STATE, msgspec.json.format(msgspec.json.encode(state)) + b"\n")

    def spread(self, model: str) -> list[list[int]] | None:
        """Of the scores that the model of this version began with; None where nobody kept it, or not soundly."""
        if self._folder is None:
            return None
        try:
            return msgspec.json.decode((self._folder / _spread_of(model)).read_bytes(), type=list[list[int]])
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        except OSError as error:
            raise StorageError(f"{self._folder / _spread_of(model)} cannot be read: {error.strerror}") from error

    def keep_spread(self, model: str, spread: list[list[int]]) -> None:
        """Nothing where there is one, or no folder."""
        if self._folder is None or self.spread(model) is not None:
            return
        _write(self._folder / _spread_of(model), msgspec.json.encode(spread))

    def _kept(self, model: Model) -> LinearScorer:
        scorer = model.scorer()
        return self._known.setdefault(scorer.version, scorer)

    def _place(self, model: str) -> Path:
        """Raises NotFound."""
        if self._folder is not None and _ID.fullmatch(model) and (self._folder / model).is_dir():
            return self._folder / model
        if self._base is not None and model and model == self.base():
            return self._base
        raise NotFound(f"there is no model {model[:80]!r}", hint="`redpost model list` shows those that are kept")


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and for good. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(path)
        sync(path.parent)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}",
                           hint="check free space, the folder and its owner") from error


def _spread_of(version: str) -> str:
    return f"spreads/{version.replace('/', '~')}.json"


def _in_order(model: str) -> tuple[str, int, str]:
    """By name, then by version: numbers as numbers."""
    name, _, version = model.partition("/")
    return name, int(version) if version.isdigit() and len(version) < 19 else -1, version
