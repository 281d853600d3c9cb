"""What every registry of models does, whatever it is made of."""

from pathlib import Path

import pytest

from monitor.adapters.ml.folder import save_model
from monitor.adapters.ml.shelf import ModelShelf
from monitor.domain.errors import ConfigError, NotFound
from monitor.services.lifecycle import ALL, Choice, ModelState, Registry
from tests.fakes.registry import MemoryRegistry, tiny_model


def memory(path: Path) -> Registry:
    return MemoryRegistry("base/1")


def folder(path: Path) -> Registry:
    save_model(path / "base/1", tiny_model("base/1"), "# base")
    return ModelShelf(path / "base/1", path / "models")


@pytest.fixture(params=[memory, folder], ids=lambda make: make.__name__)
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Registry:
    found: Registry = request.param(tmp_path)
    return found


def test_models_are_kept_under_their_ids(registry: Registry) -> None:
    assert (registry.base(), registry.ids()) == ("base/1", [])
    manifest = registry.add(tiny_model("local/1", bias=2), "# 模型")
    registry.add(tiny_model("agency/1"), "# other")
    assert registry.ids() == ["agency/1", "local/1"]
    assert registry.model("local/1").manifest == registry.manifest("local/1") == manifest
    assert float(registry.model("local/1").weights.bias[0]) == 2
    assert registry.card("local/1") == "# 模型"
    assert registry.model("base/1").manifest.id == "base/1"


def test_a_version_never_changes(registry: Registry) -> None:
    registry.add(tiny_model("local/1", bias=2), "# one")
    with pytest.raises(ConfigError, match="already"):
        registry.add(tiny_model("local/1", bias=3), "# two")
    assert (float(registry.model("local/1").weights.bias[0]), registry.card("local/1")) == (2, "# one")


@pytest.mark.parametrize("model", ["local/9", "", "local", "../base/1", "local/1/../2", "local/", "/", "x" * 200])
def test_what_is_not_there(registry: Registry, model: str) -> None:
    registry.add(tiny_model("local/1"), "# one")
    for ask in (registry.model, registry.manifest, registry.card):
        with pytest.raises(NotFound):
            ask(model)


def test_the_state_is_kept(registry: Registry) -> None:
    assert registry.state() == ModelState()
    choice = Choice(serving="local/1", shadow="local/2", previous="", what="promoted", by="张三", at=7)
    state = ModelState(tenants={ALL: Choice(serving="x/1"), "agency": choice})
    registry.set_state(state)
    assert registry.state() == state
