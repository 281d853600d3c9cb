"""A folder that is not a sound model is refused with what to do; a service goes on judging by the one it has."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from monitor.adapters.ml.folder import CARD, MANIFEST, WEIGHTS, load_model, save_model
from monitor.adapters.ml.shelf import ModelShelf
from monitor.adapters.rulefiles import RuleFolder
from monitor.domain.errors import ConfigError, NotFound, StorageError
from monitor.services.making import Scorers
from monitor.services.modelcard import card
from monitor.services.models import packed
from monitor.services.rulebook import Rulebook
from tests.fakes.log import MemoryLog
from tests.fakes.registry import tiny_model
from tests.fakes.store import MemoryStore
from tests.faults.harness import RULES
from tests.faults.inside import Clock, Quiet
from tests.faults.streams import ZONE
from tests.unit.mlkit import looked_at, manifest, model
from tests.unit.rulekit import tables


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "small/1", model(), "# card\n")
    return tmp_path / "small/1"


def written(folder: Path, **more: Any) -> None:
    """The manifest, with some facts changed or, with None, left out."""
    facts = json.loads((folder / MANIFEST).read_bytes()) | more
    (folder / MANIFEST).write_text(json.dumps({key: value for key, value in facts.items() if value is not None}))


def weighing(folder: Path, data: Any) -> None:
    """These bytes, or this array, as weights, with a manifest that says so."""
    if not isinstance(data, bytes):
        file = BytesIO()
        np.save(file, data)
        data = file.getvalue()
    (folder / WEIGHTS).write_bytes(data)
    written(folder, weights=sha256(data).hexdigest())


def table() -> Any:
    return packed(model().weights)


def archive(array: Any) -> bytes:
    file = BytesIO()
    np.savez(file, array)
    return file.getvalue()


def with_nan(array: Any) -> Any:
    array[7, 0] = np.nan
    return array


def test_what_is_saved_is_what_is_loaded(folder: Path) -> None:
    given = looked_at(["全网最低价", "随便说说"])
    assert (load_model(folder).scorer().score(*given) == model().scorer().score(*given)).all()
    assert (folder / CARD).read_text() == "# card\n"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["1"]
    with pytest.raises(ConfigError, match="is there already"):
        save_model(folder, model(), "")


def test_a_model_without_a_common_column_is_read(folder: Path) -> None:
    """As formats 1 and 2 have none."""
    weights = model().weights
    plain = msgspec.structs.replace(weights, table=weights.table[:, :-1], aside=weights.aside[:, :-1],
                                    bias=weights.bias[:-1], trades=weights.trades[:, :-1], common=None)
    weighing(folder, packed(plain))
    written(folder, format=2, common=None)
    given, without = looked_at(["全网最低价", "随便说说"]), load_model(folder).scorer()
    assert without.decide(*given) == pytest.approx(model().scorer().margins(*given)[:, :-1])
    assert without.score(*given) != pytest.approx(model().scorer().score(*given))


def test_what_cannot_be_saved_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        save_model(tmp_path / "small/1", model(), "\ud800")
    assert list((tmp_path / "small").iterdir()) == []


def test_a_model_is_on_disk_before_it_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    replace, fsync = Path.replace, os.fsync

    def named(made: Path, target: Path) -> Path:
        did.append("name")
        return replace(made, target)

    def synced(handle: int) -> None:
        did.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    monkeypatch.setattr(Path, "replace", named)
    monkeypatch.setattr(os, "fsync", synced)
    save_model(tmp_path / "small/1", model(), "")
    made = did.index("name")
    assert {WEIGHTS, MANIFEST, CARD} <= set(did[:made]) and did[made - 1].startswith(".")
    assert did[made + 1 :] == ["small", tmp_path.name]


KILLED = """
import os, signal, sys
from pathlib import Path
from monitor.adapters.ml.shelf import ModelShelf
from tests.fakes.registry import tiny_model

def die(*_): os.kill(os.getpid(), signal.SIGKILL)
owner, name = {"replace": (Path, "replace"), "fsync": (os, "fsync")}[sys.argv[2]]
setattr(owner, name, die)
ModelShelf(None, Path(sys.argv[1])).add(tiny_model("local/1"), "#")
"""


@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_killed_while_a_model_is_written_nothing_is_listed_and_it_can_be_written_again(tmp_path: Path, at: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, at], check=False)  # noqa: S603
    assert done.returncode == -signal.SIGKILL
    shelf = ModelShelf(None, tmp_path)
    assert shelf.ids() == []
    with pytest.raises(NotFound):
        shelf.model("local/1")
    shelf.add(tiny_model("local/1"), "#")
    assert shelf.ids() == ["local/1"] and shelf.model("local/1").manifest.id == "local/1"


def test_a_disk_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left") as caught:
        save_model(tmp_path / "small/1", model(), "")
    assert caught.value.hint and list((tmp_path / "small").iterdir()) == []


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (shutil.rmtree, "there is no model in .*: No such file"),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), "cannot be read: No such file"),
    "weights cut off": (lambda f: (f / WEIGHTS).write_bytes((f / WEIGHTS).read_bytes()[:-1]), "SHA-256 is another"),
    "weights changed": (lambda f: np.save(f / WEIGHTS, table() + 1), "SHA-256 is another"),
    "weights a folder": (lambda f: ((f / WEIGHTS).unlink(), (f / WEIGHTS).mkdir()), "cannot be read: Is a directory"),
    "no bytes": (lambda f: weighing(f, b""), "holds no array of numbers"),
    "half an array": (lambda f: weighing(f, (f / WEIGHTS).read_bytes()[:5_000]), "holds no array of numbers"),
    "an archive": (lambda f: weighing(f, archive(table())), "holds no array of numbers"),
    "a pickle": (lambda f: weighing(f, pickle.dumps(table())), "holds no array of numbers"),
    "objects": (lambda f: weighing(f, np.array([{}], dtype=object)), "holds no array of numbers"),
    "too few rows": (lambda f: weighing(f, table()[:-1]), "not float32"),
    "too few columns": (lambda f: weighing(f, table()[:, :-1]), "not float32"),
    "one row": (lambda f: weighing(f, table()[0]), "not float32"),
    "doubles": (lambda f: weighing(f, table().astype(float)), "holds float64"),
    "another byte order": (lambda f: weighing(f, table().astype(">f4")), "holds >f4"),
    "no numbers": (lambda f: weighing(f, with_nan(table())), "weights that are no numbers"),
    "a later format": (lambda f: written(f, format=4, news="!"), "is of format 4; this version reads up to 3"),
    "another kind of format": (lambda f: written(f, format="x"), "is no manifest"),
    "half a manifest": (lambda f: (f / MANIFEST).write_bytes(b'{"format": 1,'), "is no manifest"),
    "a list": (lambda f: (f / MANIFEST).write_bytes(b"[]"), "is no manifest"),
    "bytes": (lambda f: (f / MANIFEST).write_bytes(b"\xff\xfe"), "is no manifest"),
    "no grams": (lambda f: written(f, grams=None), "missing required field `grams`"),
    "too many buckets": (lambda f: written(f, grams={"bits": 60}), "is no manifest"),
    "fewer than none": (lambda f: written(f, grams={"bits": -1}), "is no manifest"),
    "grams of nothing": (lambda f: written(f, grams={"characters": [0]}), "is no manifest"),
    "no categories": (lambda f: written(f, categories=[], thresholds={}), "is no manifest"),
    "a category twice": (lambda f: written(f, categories=["minors"] * 4, thresholds={
        "minors": {"alone": 0.5, "beside": 0.5}}), "not one threshold for each"),
    "no thresholds": (lambda f: written(f, thresholds={}), "not one threshold for each"),
    "a threshold beyond": (lambda f: written(f, thresholds={
        "minors": {"alone": 1.5, "beside": 0.5}}), "is no manifest"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_folder_is_refused_with_what_to_do(folder: Path, name: str) -> None:
    damage, told = DAMAGE[name]
    damage(folder)
    with pytest.raises(ConfigError, match=told) as caught:
        load_model(folder)
    assert caught.value.hint
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("name", ["no folder", "weights changed", "no numbers", "a later format"])
async def test_a_reload_with_a_damaged_model_leaves_the_old_one_judging(folder: Path, name: str) -> None:
    book = Rulebook(RuleFolder(RULES, rooms=None, zone=ZONE), MemoryStore(), tables(), logger=Quiet(),
                    telemetry=Quiet(), clock=Clock(), models=ModelShelf(folder))
    serving, log = await book.load(), MemoryLog()
    given = looked_at(["全网最低价"])
    assert serving.scorer is not None
    before = serving.scorer.score(*given)
    DAMAGE[name][0](folder)
    with pytest.raises(ConfigError):
        await book.reload(log)
    assert book.current is serving
    assert (serving.scorer.score(*given) == before).all()
    assert log.end() == 0


def test_files_that_are_overwritten_do_not_change_a_model_that_judges(folder: Path) -> None:
    scorer, given = load_model(folder).scorer(), looked_at(["全网最低价"])
    before = scorer.score(*given)
    with (folder / WEIGHTS).open("r+b") as file:
        file.seek(256)
        file.write(b"\x7f" * 100_000)
    assert (scorer.score(*given) == before).all()


def test_a_shelf_gives_the_same_object_for_the_same_model(folder: Path) -> None:
    shelf = ModelShelf(folder)
    one = shelf.serving().every
    assert one is not None
    assert shelf.serving().every is one
    assert shelf.of(one.version) is one
    assert shelf.of("other/1") is None
    assert shelf.of("") is None
    assert ModelShelf(None).serving() == Scorers()


def test_a_card_tells_what_was_measured_and_what_it_cannot_do() -> None:
    found = card(manifest(["minors"], {}))
    assert found.startswith("# small/1\n")
    assert "1 violations" in found
    assert "## What it cannot do" in found
