"""One model, one folder: `manifest.json`, `weights.npy`, `card.md`. Arrays only: nothing that is loaded can run."""

import shutil
import tempfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from monitor.adapters.disk import sync
from monitor.domain.errors import ConfigError, StorageError
from monitor.services.models import FORMAT, Manifest, Model, packed, shape, unpacked

MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "weights.npy"
CARD: Final = "card.md"
_AGAIN: Final = "take the folder from its source again, or name another model"


def load_model(folder: Path) -> Model:
    """In memory, so that nothing done to the file changes a model that judges. Raises ConfigError for what is missing,
    cut off, changed, of a later format, or no number."""
    manifest = load_manifest(folder)
    path = folder / WEIGHTS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", hint=_AGAIN) from error
    if sha256(data).hexdigest() != manifest.weights:
        raise ConfigError(f"{path} is not what {MANIFEST} describes: its SHA-256 is another", hint=_AGAIN)
    try:
        table = np.lib.format.read_array(BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ConfigError(f"{path} holds no array of numbers: {error}", hint=_AGAIN) from error
    wanted = shape(manifest)
    if table.shape != wanted or table.dtype != np.float32:
        raise ConfigError(f"{path} holds {table.dtype}{list(table.shape)}, not float32{list(wanted)}", hint=_AGAIN)
    if not np.isfinite(table).all():
        raise ConfigError(f"{path} holds weights that are no numbers", hint="train the model again")
    return Model(manifest, unpacked(manifest, table))


def load_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict)
        if found.get("format", FORMAT) > FORMAT:
            raise ConfigError(f"{path} is of format {found['format']}; this version reads up to {FORMAT}",
                              hint="install a newer redpost, or train the model again")
        manifest = msgspec.convert(found, Manifest)
    except OSError as error:
        raise ConfigError(f"there is no model in {folder}: {error.strerror}",
                          hint=f"a model is a folder with {MANIFEST} and {WEIGHTS}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError) as error:
        raise ConfigError(f"{path} is no manifest of a model: {error}", hint=_AGAIN) from error
    if sorted(manifest.thresholds) != sorted(manifest.categories):
        raise ConfigError(f"{path} has not one threshold for each category", hint=_AGAIN)
    return manifest


def save_model(folder: Path, model: Model, card: str) -> Manifest:
    """Whole and on disk, or not at all; the manifest as it was written, with the hash of the weights.

    Raises ConfigError where there is one already, StorageError where the disk refuses.
    """
    if folder.exists():
        raise ConfigError(f"{folder} is there already", hint="a version of a model never changes; choose another one")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
        try:
            manifest = _written(made, model, card)
            made.replace(folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        for above in (folder.parent, folder.parent.parent):  # the one may be new in the other
            sync(above)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror}",
                           hint="check free space, the folder and its owner") from error
    return manifest


def _written(made: Path, model: Model, card: str) -> Manifest:
    """All files of a model, on disk before the folder has a name under which it could be promoted."""
    np.save(made / WEIGHTS, packed(model.weights), allow_pickle=False)
    digest = sha256((made / WEIGHTS).read_bytes()).hexdigest()
    manifest = msgspec.structs.replace(model.manifest, weights=digest)
    (made / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    (made / CARD).write_text(card, encoding="utf-8")
    made.chmod(0o755)
    for path in (made / WEIGHTS, made / MANIFEST, made / CARD, made):
        sync(path)
    return manifest
