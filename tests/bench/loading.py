"""Reading, checking and compiling rules and running their cases, with an empty cache and a full one: seconds, those of
processors, and peak memory.

python -m tests.bench.loading [--json FILE] [--terms N …]
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tests.bench import corpus

SEED = 20261126
RULES = Path(__file__).parents[2] / "rules"
TERMS = (0, 10_000, 100_000)
_A_LIST = 10_000
_ALL = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN


def write(folder: Path, terms: int) -> None:
    """The shipped packs, and one of so many generated terms of two to six characters in lists of 10,000."""
    shutil.copytree(RULES, folder)
    if not terms:
        return
    rng, found = random.Random(SEED), dict[str, None]()
    while len(found) < terms:
        found["".join(rng.choices(corpus.COMMON, k=rng.choice((2, 3, 3, 4, 4, 5, 6))))] = None
    every = list(found)
    (folder / "bench/lists").mkdir(parents=True)
    (folder / "bench/pack.yml").write_text("id: bench\ntitle: bench\nversion: 1\n", encoding="utf-8")
    for n, first in enumerate(range(0, terms, _A_LIST)):
        some = every[first : first + _A_LIST]
        (folder / f"bench/lists/l{n}.txt").write_text("\n".join(some) + "\n", encoding="utf-8")
        body = {
            "id": f"bench.l{n}", "title": "bench", "tier": "orientation", "category": ["absolute_claim"],
            "severity": "low", "status": "active",
            "detection": {"claim": {"terms": {"list": f"lists/l{n}.txt"}}, "condition": "claim"},
            "cases": [{"text": some[0], "expect": ["claim"]}, {"text": "嗯", "expect": "none"}],
        }
        (folder / f"bench/l{n}.yml").write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")


def load(folder: Path, cache: Path) -> dict[str, Any]:
    """As a start of the service does it; in this process."""
    from monitor.adapters import blobs
    from monitor.adapters.forking import halved
    from monitor.adapters.rulefiles import RuleFolder
    from monitor.cli.loading import view_tables
    from monitor.services.making import compiled

    databases = blobs.databases(cache, halved)
    source = RuleFolder(folder, rooms=None, zone=str(corpus.ZONE), databases=databases)
    bundle = source.read()
    read = _cpu_s()
    rules = compiled(source, bundle, view_tables(), databases, check=True).ruleset.rules
    peak, other = (resource.getrusage(whose).ru_maxrss / 1024 for whose in _ALL)
    return {"rules": len(rules), "terms": sum(len(s.terms) for rule in rules for s in rule.selections),
            "read_s": read, "cpu_s": _cpu_s(), "peak_rss_mb": peak, "other_peak_rss_mb": other}


def _cpu_s() -> float:
    used = [resource.getrusage(whose) for whose in _ALL]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measured(folder: Path, cache: Path) -> dict[str, Any]:
    """The same in a process of its own, imports included."""
    command = [sys.executable, "-m", "tests.bench.loading", "--load", str(folder), str(cache)]
    begun = time.perf_counter()
    told = subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603
    return {"wall_s": time.perf_counter() - begun, **json.loads(told)}


def run(sizes: list[int]) -> list[dict[str, Any]]:
    found = []
    for terms in sizes:
        with tempfile.TemporaryDirectory(prefix="redpost-loading-") as name:
            folder, cache = Path(name) / "rules", Path(name) / "cache"
            write(folder, terms)
            for state in ("cold", "warm"):
                found.append({"extra_terms": terms, "cache": state, **measured(folder, cache)})
                sys.stdout.write(_line(found[-1]))
                sys.stdout.flush()
    return found


def _line(one: dict[str, Any]) -> str:
    beside = f", of the process beside it {one['other_peak_rss_mb']:.0f} MB" if one["other_peak_rss_mb"] else ""
    return (f"packs + {one['extra_terms']:7,} terms, cache {one['cache']}: {one['wall_s']:5.1f} s, "
            f"CPU {one['cpu_s']:.1f} s ({one['read_s']:.1f} s of it until all is read), "
            f"peak memory {one['peak_rss_mb']:.0f} MB{beside}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--terms", type=int, nargs="*", default=list(TERMS))
    parser.add_argument("--load", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        sys.stdout.write(json.dumps(load(*options.load)))
        return
    report = run(options.terms)
    known = json.loads(options.json.read_text()) if options.json.exists() else {}
    options.json.write_text(json.dumps({**known, "loading": report}, indent=2))


if __name__ == "__main__":
    main()
