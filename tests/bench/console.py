"""What the console costs a browser on this machine: real service, real Chromium, and events beside.

python -m tests.bench.console [--rate N] [--seconds N]

interactive       from navigation to the first card, cold profile
alert on screen   from before its event is sent, while `rate` events/s come in (10,000)
long tasks        while 50 alerts/s arrive and somebody works
"""

import argparse
import asyncio
import multiprocessing
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import corpus
from tests.bench.service import SEED, Run, _client, events
from tests.browser.vitest import vitest
from tests.faults.harness import serving


def load(rate: int, seconds: int, address: str) -> None:
    """Events of a thousand rooms, none of which breaks a rule of the service's."""
    run = Run("console", rate, 200, 1_000, seconds)
    _, single, paired = corpus.rules(SEED)
    asyncio.run(_client(run, address, events(run, single, paired)))


async def measured(name: str, address: str, **more: str) -> None:
    said = await vitest("-t", name, REDPOST_BENCH="1", REDPOST_URL=address, **more)
    sys.stdout.write("\n".join(line for line in said.splitlines() if line.startswith(name)) + "\n")
    sys.stdout.flush()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="redpost-console-"))
    try:
        async with serving(folder, **{"alerts.storm_most": 1_000_000}) as server:
            await measured("interactive", server.address)
            await measured("long tasks", server.address)
            beside = multiprocessing.get_context("spawn").Process(
                target=load, args=(options.rate, options.seconds + 15, server.address))
            beside.start()
            await asyncio.sleep(5)
            await measured("alert on screen", server.address, REDPOST_LOAD=f"{options.rate:,}",
                           REDPOST_SECONDS=str(options.seconds))
            beside.join()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    asyncio.run(main())
