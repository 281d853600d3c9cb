"""`redpost scan --json` over a file of a million lines: events a second and peak memory.

python -m tests.bench.scan [--json FILE] [--lines N]
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import corpus, packs

SEED = 20261123


def high_water(pid: int) -> int:
    """The most memory that the process had resident so far, bytes. (rusage would count the parent's, too.)"""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def run(lines: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="redpost-scan-") as name:
        folder = Path(name)
        packs.write(folder / "rules", SEED)
        _, single, paired = corpus.rules(SEED)
        texts = corpus.texts(SEED, min(lines, 200_000), 0.05, single, paired)
        path = folder / "million.ndjson"
        with path.open("wb") as file:
            for first in range(0, lines, len(texts)):
                some = corpus.lines(texts[: lines - first], first=first)
                file.write(b"\n".join(some) + b"\n")
        command = [sys.executable, "-m", "monitor", "scan", str(path), "--json", "--rules", str(folder / "rules")]
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
        started = time.perf_counter()
        with (folder / "found").open("wb") as output:
            process = subprocess.Popen(command, stdout=output, env=environment)  # noqa: S603
            peak = 0
            while process.poll() is None:
                peak = max(peak, high_water(process.pid))
                time.sleep(0.1)
        took = time.perf_counter() - started
        found = sum(1 for _ in (folder / "found").open("rb"))
        return {"lines": lines, "bytes": path.stat().st_size, "seconds": took, "events_per_s": lines / took,
                "peak_rss_mb": peak / 1e6, "events_with_findings": found,
                "exit_status": process.returncode, "text_hash": corpus.text_hash(texts)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--lines", type=int, default=1_000_000)
    options = parser.parse_args()
    report = run(options.lines) | {"seed": SEED, "machine": platform.machine(), "python": platform.python_version()}
    sys.stdout.write(
        f"scan of {report['lines']:,} lines ({report['bytes'] / 1e6:.0f} MB): {report['seconds']:.1f} s with start-up, "
        f"{report['events_per_s']:,.0f} events/s, "
        f"peak memory {report['peak_rss_mb']:.0f} MB, "
        f"{report['events_with_findings']:,} events with findings\n")
    known = json.loads(options.json.read_text()) if options.json.exists() else {}
    options.json.write_text(json.dumps({**known, "scan": report}, indent=2))


if __name__ == "__main__":
    main()
