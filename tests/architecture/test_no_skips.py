"""With CI=true, `make test` loads tests.no_skips: what is skipped fails."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "text, code",
    [
        ("def test_a(): pass", 0),
        ("import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('no browser')", 1),
        ("import pytest\npytest.importorskip('no_such_module')", 1),
        ("import pytest\n@pytest.mark.skipif(True, reason='x')\ndef test_a(): pass", 1),
    ],
)
def test_a_skip_fails(tmp_path: Path, text: str, code: int) -> None:
    (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    done = subprocess.run(  # noqa: S603
        [*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout
    assert ("skipped, which fails here" in done.stdout) == bool(code)
