"""Pseudonym keys: made once, read at the start, and nothing that a client sees when they are broken."""

from pathlib import Path

import pytest

from monitor.adapters.keys import KeyFiles
from monitor.domain.errors import ConfigError
from monitor.services.pseudonyms import Pseudonyms


def test_keys_are_made_once_for_each_tenant(tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path / "keys")
    one, other = keys.key_of("local"), keys.key_of("a-1.b_c")
    assert one != other
    assert KeyFiles(tmp_path / "keys").key_of("local") == one


@pytest.mark.parametrize("tenant", ["", ".", "..", ".hidden", "a/b", "../x", "a\x1fb", "x" * 65, "a b", "店"])
def test_a_tenant_whose_name_is_none(tmp_path: Path, tenant: str) -> None:
    with pytest.raises(ConfigError, match="no name of a tenant"):
        KeyFiles(tmp_path).key_of(tenant)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not hex", b"00" * 31, b"\xff"])
def test_a_broken_key_is_found_when_keys_are_prepared(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop.key").write_bytes(content)
    with pytest.raises(ConfigError, match=r"shop\.key") as caught:
        Pseudonyms(KeyFiles(tmp_path).key_of).prepare(["local", "shop"])
    assert "backup" in caught.value.hint


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        KeyFiles(tmp_path, key_file=str(tmp_path / "nowhere")).key_of("local")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be made"):
        KeyFiles(tmp_path / "file" / "keys").key_of("local")


def test_a_key_that_is_made_is_told(tmp_path: Path) -> None:
    made: list[str] = []
    for _ in range(2):
        KeyFiles(tmp_path / "keys", on_made=made.append).key_of("shop")
    assert made == ["shop"]
