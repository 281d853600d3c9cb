"""Folders are listed whole, or not at all."""

import resource
from pathlib import Path

import pytest

from monitor.adapters.storage.listing import listed


def test_one_pattern_for_each_level(tmp_path: Path) -> None:
    for name in ("b/x.key", "a/y.key", "a/.z.key", "a/y.txt", "top.key", "a/deep/z.key"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert listed(tmp_path, "*", "[!.]*.key") == [tmp_path / "a/y.key", tmp_path / "b/x.key"]
    assert listed(tmp_path, "top.*") == [tmp_path / "top.key"]
    assert listed(tmp_path / "gone", "*") == listed(tmp_path / "top.key", "*") == []


def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            listed(tmp_path, "*")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
