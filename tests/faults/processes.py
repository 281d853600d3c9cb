"""Workers in processes of their own."""

import math
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Final

from monitor.adapters.bus.kafka.connecting import Brokers
from tests.faults.harness import ROOT, SETTINGS, until

PARTITIONS: Final = 4


class WorkerProcess:
    """`redpost worker` on a data folder of its own, started again and again."""

    command = "worker"

    def __init__(self, data: Path, brokers: Brokers, store: str, **settings: object) -> None:
        self.data = data
        self.settings = {**SETTINGS, "bus.brokers": brokers.bootstrap, "bus.prefix": brokers.prefix,
                         "bus.partitions": PARTITIONS, "bus.session_s": 6, "store.url": store,
                         **{name.replace("__", "."): value for name, value in settings.items()}}
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def options(self) -> list[str]:
        return ["--data", str(self.data)]

    def output(self, name: str = "err") -> str:
        return (self.data.parent / f"{self.data.name}-{self.starts}.{name}").read_text(errors="replace")

    def start(self, failpoint: str = "") -> None:
        assert self.process is None or self.process.poll() is not None
        self.starts += 1
        environ = {name: value for name, value in os.environ.items() if not name.startswith("REDPOST_")}
        for name, value in self.settings.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            environ["REDPOST_" + name.upper().replace(".", "__")] = text
        environ |= {"REDPOST_FAILPOINT": failpoint, "REDPOST_TELEMETRY__LOG_LEVEL": "info"}
        place = self.data.parent / f"{self.data.name}-{self.starts}"
        with place.with_suffix(".out").open("wb") as out, place.with_suffix(".err").open("wb") as err:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "monitor", self.command, *self.options(), "--port", "0"],
                cwd=ROOT, env=environ, stdout=out, stderr=err)

    def taken(self) -> list[int]:
        """Partitions that this process took, so far."""
        return [int(each) for each in re.findall(r'"partition": (\d+)[^\n]*"partition_taken"', self.output())]

    def lag(self) -> float:
        """What its metrics say of messages that are not committed; infinite where they say nothing yet."""
        address = re.search(r"answers on (http://\S+)\n", self.output("out"))
        if address is None:
            return math.inf
        with urllib.request.urlopen(f"{address[1]}/metrics") as answer:  # noqa: S310
            told = re.search(r"^redpost_partition_lag(?:\{[^}]*\})? (\S+)$", answer.read().decode(), re.MULTILINE)
        return float(told[1]) if told else math.inf

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self) -> int:
        """The exit status, once it has ended."""
        assert self.process is not None
        process = self.process
        await until(lambda: process.poll() is not None)
        return int(process.returncode)

    async def kill(self) -> None:
        if self.running():
            self.signal(signal.SIGKILL)
            await self.ended()
