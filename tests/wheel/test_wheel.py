"""The wheel works by itself: built here, installed by hash in an empty environment outside the checkout, and used."""

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HARMLESS = '{"id": "1", "kind": "comment", "room": "r", "at": "2026-11-23T20:00:00+08:00", "text": "晚上好"}'
START_S = 600  # the first start compiles all rules: minutes where others use the machine
STOP_S = 30


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = [str(part) for part in command]
    return subprocess.run(  # noqa: S603
        words, cwd=cwd, env=environ(), capture_output=True, text=True, check=False, timeout=600
    )


def environ() -> dict[str, str]:
    """This process's, without what could lead back to the checkout or change the settings."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "REDPOST_", "COVERAGE", "PYTEST")
    return {key: value for key, value in os.environ.items() if not key.startswith(hidden)}


def done(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, f"{result.args}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an environment `venv` that holds the wheel and the locked dependencies, nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    done(run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT))
    wheels = list(folder.glob("redpost-*.whl"))
    assert len(wheels) == 1
    done(run(sys.executable, "-m", "venv", folder / "venv", cwd=folder))
    pip: list[str | Path] = [folder / "venv/bin/python", "-m", "pip", "install", "--quiet"]
    done(run(*pip, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "deploy/locks/run.txt", cwd=folder))
    done(run(*pip, "--no-deps", "--no-index", wheels[0], cwd=folder))
    yield folder
    shutil.rmtree(folder)  # 500 MB that nobody reads again


@pytest.fixture(scope="module")
def package(home: Path) -> Path:
    """Where the installed package lies."""
    words = done(run(home / "venv/bin/python", "-c", "import monitor; print(monitor.__path__[0])", cwd=home))
    found = Path(words.strip())
    assert found.is_relative_to(home)
    return found


def test_dependencies_are_complete(home: Path) -> None:
    done(run(home / "venv/bin/python", "-m", "pip", "check", cwd=home))


def test_what_comes_with_it(package: Path) -> None:
    wanted = [
        "py.typed", "engine/data/views.npz", "engine/data/NOTICE.md", "_bundled/config/redpost.toml",
        "_bundled/config/demo/rooms.yml", "adapters/storage/migrations/versions/r0001_first.py",
        "console/dist/index.html",
    ]
    assert [name for name in wanted if not (package / name).is_file()] == []
    for folder in ("rules", "config", "models/default"):
        ours = files(ROOT / folder)
        assert ours
        assert files(package / "_bundled" / folder) == ours
    assert list((package / "console/dist/assets").glob("*.js.br"))
    assert {path.name for path in (package / "console").iterdir()} == {"dist"}


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_help(home: Path) -> None:
    words = done(run(home / "venv/bin/redpost", "--help", cwd=home))
    assert "scan" in words
    assert "serve" in words


def test_scan(home: Path, package: Path) -> None:
    demo = package / "_bundled/config/demo/food.ndjson"
    result = run(home / "venv/bin/redpost", "scan", demo, "--json", "--html", "report.html", cwd=home)
    assert result.returncode == 1, f"the demo stream has findings\n{result.stdout}\n{result.stderr}"
    assert parsed(result.stdout)
    assert "内容检查报告" in (home / "report.html").read_text("utf-8")
    assert "agrees" in opinions(result.stdout)
    clean = home / "clean.ndjson"
    clean.write_text(HARMLESS + "\n", encoding="utf-8")
    result = run(home / "venv/bin/redpost", "scan", clean, "--json", cwd=home)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"


def opinions(text: str) -> set[str]:
    """The classifier's, of all findings."""
    return {finding["opinion"] for item in map(json.loads, text.splitlines()) for finding in item["findings"]
            if "opinion" in finding}


def test_the_model_comes_along_and_training_is_an_extra(home: Path) -> None:
    assert done(run(home / "venv/bin/redpost", "model", "card", cwd=home)).startswith("# default/")
    lines = home / "lines.csv"
    lines.write_text("text,labels\n好,\n", encoding="utf-8")
    result = run(home / "venv/bin/redpost", "train", lines, "--to", "mine/1", cwd=home)
    assert result.returncode == 2
    assert "pip install 'redpost[train]'" in result.stderr


def parsed(text: str) -> object:
    """One JSON document, or one per line."""
    try:
        return json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def test_serve(home: Path) -> None:
    command = [str(home / "venv/bin/redpost"), "serve", "--data", str(home / "data")]
    command += ["--host", "127.0.0.1", "--port", "0"]
    with (home / "stderr").open("w+", encoding="utf-8") as errors, subprocess.Popen(  # noqa: S603
        command, cwd=home, env=environ(), stdout=subprocess.PIPE, stderr=errors, text=True
    ) as service:
        lines = Lines(service, home / "stderr")
        try:
            address = lines.address()
            assert ready(address) == 200
            assert opinion(address) in ("agrees", "differs", "alone")
            service.send_signal(signal.SIGTERM)
            code = service.wait(STOP_S)
        except BaseException:
            service.kill()
            raise
        finally:
            lines.join()
    assert code == 0, lines.text()


class Lines:
    """What a process prints, read aside so that a silent one cannot hang the test. `errors`: its other output."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        assert process.stdout is not None
        self._stream, self._errors = process.stdout, errors
        self._queue: queue.Queue[str] = queue.Queue()
        self._seen: list[str] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            self._queue.put(line)
        self._queue.put("")

    def address(self) -> str:
        """The first http://127.0.0.1:PORT that is printed."""
        until = time.monotonic() + START_S
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._queue.get(timeout=left)
            except queue.Empty:
                break
            self._seen.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                return found[0]
            if not line:
                pytest.fail("it ended without an address:\n" + self.text())
        pytest.fail(f"no address within {START_S} s:\n" + self.text())

    def join(self) -> None:
        self._thread.join(STOP_S)
        while not self._queue.empty():
            self._seen.append(self._queue.get())

    def text(self) -> str:
        return "".join(self._seen) + self._errors.read_text(encoding="utf-8")


def opinion(address: str) -> str:
    """The classifier's, of a finding that the service makes."""
    event = {"id": "1", "room": "r", "kind": "transcript", "text": "这个价格就是全网最低"}
    body = urllib.request.Request(f"{address}/api/v1/events", json.dumps(event).encode(), method="POST")  # noqa: S310
    urllib.request.urlopen(body, timeout=5).close()  # noqa: S310
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if alerts := got(f"{address}/api/v1/alerts")["alerts"]:
            return str(got(f"{address}/api/v1/alerts/{alerts[0]['id']}")["findings"][0]["opinion"])
        time.sleep(0.1)
    return "no alert"


def got(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
        return json.load(answer)


def ready(address: str) -> int:
    """The status of /readyz once it is 200, else the last one seen (0: no answer)."""
    status, until = 0, time.monotonic() + START_S
    while status != 200 and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310
                status = answer.status
        except urllib.error.HTTPError as error:
            with error:
                status = error.code
        except OSError:
            status = 0
        if status != 200:
            time.sleep(0.1)
    return status
