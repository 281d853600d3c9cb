"""The supervision post under load.

python -m tests.bench.post [--json FILE] [--only PART …]
"""

import argparse
import asyncio
import json
import platform
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.bench import post_figures, post_queue, post_storm

PARTS: Final[Mapping[str, tuple[Callable[[], Awaitable[dict[str, Any]]], Callable[[dict[str, Any]], str]]]] = {
    "figures": (post_figures.run, post_figures.told),
    "queue": (post_queue.run, post_queue.told),
    "storm": (post_storm.run, post_storm.told),
}
"""By name: what measures it, and how its report is told."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=sorted(PARTS))
    options = parser.parse_args()
    report: dict[str, Any] = {"machine": platform.machine(), "python": platform.python_version()}
    for name in options.only:
        measure, tell = PARTS[name]
        report[name] = asyncio.run(measure())
        sys.stdout.write(f"{name}: {tell(report[name])}\n")
    known = json.loads(options.json.read_text()) if options.json.exists() else {}
    options.json.write_text(json.dumps({**known, "post": {**known.get("post", {}), **report}}, indent=2))


if __name__ == "__main__":
    main()
