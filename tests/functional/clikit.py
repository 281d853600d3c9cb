"""The command line as tests use it: in this process, with its output kept, and golden files."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from monitor.cli.app import run

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests/data/cli"
RULES = DATA / "rules"
STREAM = DATA / "stream.ndjson"
COLUMNS = "100"
_WISHES = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "XDG_CACHE_HOME")
_CACHE = tempfile.TemporaryDirectory(prefix="redpost-cache-")


class Done(NamedTuple):
    code: int
    out: str
    err: str


@contextmanager
def _standing_in(stdin: bytes, model: str) -> Iterator[None]:
    """Another standard input, and no wish of the environment about colours and widths. `model`: a classifier."""
    old = sys.stdin
    wishes = {name: os.environ.pop(name, None) for name in _WISHES}
    os.environ |= {"COLUMNS": COLUMNS, "XDG_CACHE_HOME": _CACHE.name, "REDPOST_MODEL__DIR": model}
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = old
        del os.environ["COLUMNS"], os.environ["XDG_CACHE_HOME"], os.environ["REDPOST_MODEL__DIR"]
        os.environ.update({name: value for name, value in wishes.items() if value is not None})


def redpost(*words: str | Path, stdin: bytes = b"", model: str = "none") -> Done:
    """Run one command; what it wrote, without spaces at the ends of lines. `model`: as the setting model.dir."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with _standing_in(stdin, model), redirect_stdout(out), redirect_stderr(err):
        code = run([str(word) for word in words])
    return Done(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return "\n".join(line.rstrip() for line in buffer.getvalue().decode().split("\n"))


def check_golden(name: str, text: str, *, folder: Path = DATA) -> None:
    """`text` is what the file holds. REDPOST_WRITE_GOLDEN=1 writes the file instead."""
    path = folder / name
    if os.environ.get("REDPOST_WRITE_GOLDEN") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
