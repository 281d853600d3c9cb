"""What is committed is fit for strangers: nothing of a machine, no large files, links that lead somewhere."""

import hashlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
HERE = "tests/architecture/test_repository.py"  # spells what it looks for
LARGEST: Final = 1_000_000
LARGE_FILES: Final[frozenset[str]] = frozenset({"models/default/1/weights.npy"})
APACHE_2: Final = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"  # SHA-256, as published

PACKAGE_HOSTS: Final = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|npmmirror|conda\.anaconda|proxy\.golang\.org|crates\.io"
    r"|/simple/?\s|--(?:extra-)?index-url|--find-links\s|--trusted-host|\bindex-url\s*=|\"resolved\":|^\s*registry\s*=",
    re.MULTILINE,
)
MACHINE_PATHS: Final = re.compile(r"(?<![\w.])(?:/work/|/root/|/home/\w|/Users/\w|/tmp/\w|/opt/wheels|[A-Z]:\\Users)")
ELSEWHERE: Final = re.compile(r"(?<![\w./-])(?:\.\./|\./)?shared/[\w./-]*")
DOCUMENT: Final = re.compile(r"(?<![\w/.-])[A-Z][A-Z_]{1,30}\.md\b")


@cache
def committed() -> tuple[str, ...]:
    """Files that are, or with the next commit would be, in the repository. Skips where git knows of none."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        pytest.skip(f"needs git and a checkout: {reason.strip()}", allow_module_level=True)
    names = tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())
    assert len(names) > 50
    return names


@cache
def text_of(name: str) -> str:
    """"" for a binary file."""
    data = (ROOT / name).read_bytes()
    return "" if b"\0" in data[:8000] else data.decode("utf-8", errors="replace")


def places(pattern: re.Pattern[str], name: str, text: str) -> Iterator[str]:
    for found in pattern.finditer(text):
        yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found[0].strip()}"


def offenders(pattern: re.Pattern[str]) -> list[str]:
    return [place for name in committed() if name != HERE for place in places(pattern, name, text_of(name))]


@pytest.mark.parametrize("pattern", [PACKAGE_HOSTS, MACHINE_PATHS], ids=["package hosts", "machine paths"])
def test_nothing_of_a_machine(pattern: re.Pattern[str]) -> None:
    found = offenders(pattern)
    assert not found, "\n" + "\n".join(found)


def test_no_word_of_folders_and_documents_that_are_not_here() -> None:
    folders = {part.as_posix() for name in committed() for part in PurePosixPath(name).parents}
    documents = {PurePosixPath(name).name for name in committed()}
    found = [place for place in offenders(ELSEWHERE) if not any(folder.endswith("shared") for folder in folders)]
    found += [place for place in offenders(DOCUMENT) if place.rpartition(" ")[2] not in documents]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "pattern, text",
    [
        (PACKAGE_HOSTS, "see https://pypi.org/project/x"),
        (PACKAGE_HOSTS, "--index-url https://mirror.example/simple\n"),
        (PACKAGE_HOSTS, "https://mirror.example/pypi/simple/\n"),
        (PACKAGE_HOSTS, '  "resolved": "https://example/x.tgz"'),
        (PACKAGE_HOSTS, "registry=https://example"),
        (MACHINE_PATHS, "cd /work/main"),
        (MACHINE_PATHS, "/home/ann/x"),
        (MACHINE_PATHS, "'/tmp/x'"),
        (ELSEWHERE, "as shared/DESIGN.md says"),
        (ELSEWHERE, "../shared/x"),
        (DOCUMENT, "measured in NOTES_OF_MINE.md"),
    ],
)
def test_each_pattern_can_fail(pattern: re.Pattern[str], text: str) -> None:
    assert list(places(pattern, "x", text))


@pytest.mark.parametrize("text", ["/var/lib/redpost", "a/tmp/x", "network/root/", "shared / kept", "src/shared/x.ts"])
def test_no_pattern_fails_what_is_good(text: str) -> None:
    patterns = (PACKAGE_HOSTS, MACHINE_PATHS, ELSEWHERE)
    assert [place for pattern in patterns for place in places(pattern, "x", text)] == []


def test_no_large_files() -> None:
    large = {name for name in committed() if (ROOT / name).stat().st_size > LARGEST}
    assert large == LARGE_FILES


def test_the_licence_is_the_apache_license() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["license"] == "Apache-2.0"


@pytest.mark.parametrize("lock, extras", [
    ("run.txt", []), ("dev.txt", ["dev"]), ("image.txt", ["documents", "kafka", "notify", "postgres"])])
def test_locks_hold_what_pyproject_asks_for(lock: str, extras: list[str]) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    wanted = project["dependencies"] + [each for extra in extras for each in project["optional-dependencies"][extra]]
    text = text_of(f"deploy/locks/{lock}")
    line = r"^([\w.-]+)==([\w.+!]+)(?: ; [^\\\n]*)? \\\n    --hash=sha256:[0-9a-f]{64}"
    locked = re.findall(line, text, re.MULTILINE)
    assert len(locked) == len(re.findall(r"^\w", text, re.MULTILINE)), "a line without a version and a hash"
    for requirement in map(Requirement, wanted):
        versions = [version for name, version in locked if name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement} is not in {lock}: run make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: run make lock"
