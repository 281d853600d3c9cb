"""What the ring puts away can be read again, and takes no space once nobody wants it."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.adapters.spool import Spool


def spooled() -> int:
    """Unnamed files of this process that stand open for a spool."""
    return sum("deleted" in _target(link) for link in Path("/proc/self/fd").iterdir())


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


@given(st.lists(st.binary(max_size=300), max_size=50), st.integers(1, 500))
def test_all_that_is_kept_is_read_again(tmp_path_factory: pytest.TempPathFactory, some: list[bytes], size: int) -> None:
    spool = Spool(tmp_path_factory.getbasetemp(), file_bytes=size)
    kept = [spool.keep(data) for data in some]
    assert [read() for read in kept] == some
    assert [read() for read in reversed(kept)] == some[::-1]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see open files")
def test_a_file_goes_with_the_last_of_its_pieces(tmp_path: Path) -> None:
    before = spooled()
    spool = Spool(tmp_path, file_bytes=1_000)
    kept = [spool.keep(b"x" * 100) for _ in range(35)]
    assert spooled() == before + 4
    del kept[:10]
    assert spooled() == before + 3
    del kept[:19]
    assert spooled() == before + 2
    assert kept[0]() == b"x" * 100
    assert list(tmp_path.iterdir()) == []


def test_where_the_disk_refuses_it_stays_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    first = spool.keep(b"first")

    def full(fd: int, data: bytes, offset: int) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        second = spool.keep(b"second")
    third = spool.keep(b"third")
    assert [first(), second(), third()] == [b"first", b"second", b"third"]
    assert Spool(tmp_path / "missing").keep(b"fourth")() == b"fourth"
