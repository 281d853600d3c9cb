"""The cluster by the words of its composition: its commands and variables, with processes, brokers and a database of
this machine in place of its containers."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.adapters.bus.kafka.connecting import Brokers
from tests.faults.harness import until
from tests.functional.clikit import RULES, STREAM
from tests.functional.test_deploy import DEPLOY, FILES, ROOT, last_stage, of, ours
from tests.parts.postgres import Cluster
from tests.parts.running import free_ports

PORT = 8321


class Containers:
    """Those of redpost, as processes: what lies at fixed places in a container lies in a folder for each."""

    def __init__(self, folder: Path, brokers: Brokers, store: str) -> None:
        self.folder, self.brokers = folder, brokers
        subprocess.run([DEPLOY / "secrets.sh", folder / "secrets"], check=True)  # noqa: S603
        (folder / "secrets/store_url").write_text(store, encoding="ascii")
        (folder / "shared").mkdir()
        self.running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}

    def environ(self, service: str, port: int) -> dict[str, str]:
        image = {name: value for step in of("ENV", last_stage())
                 for name, value in zip(step.value[::3], step.value[1::3], strict=True)}
        given = {**image, **ours(FILES[1])[service]["environment"]}
        moved = {name: self._here(value, service) for name, value in given.items() if name.startswith("REDPOST_")}
        here = {"REDPOST_BUS__BROKERS": self.brokers.bootstrap, "REDPOST_BUS__PREFIX": self.brokers.prefix,
                "REDPOST_BUS__REPLICATION": "1", "REDPOST_BUS__TENANTS": "", "REDPOST_HTTP__PORT": str(port)}
        assert here.keys() - moved.keys() == {"REDPOST_BUS__PREFIX", "REDPOST_HTTP__PORT"}
        less = {"REDPOST_RULES__DIR": str(RULES), "REDPOST_MODEL__DIR": "none"}  # a moment instead of minutes
        mine = {name: value for name, value in os.environ.items() if not name.startswith("REDPOST_")}
        return {**mine, **moved, **here, **less}

    def _here(self, value: str, service: str) -> str:
        for place, here in (("/run/secrets", "secrets"), ("/shared", "shared"), ("/var/lib/redpost", service)):
            value = value.replace(place, str(self.folder / here))
        return value

    def run(self, service: str, *words: str) -> str:
        """What a command prints, its own or another one in its place."""
        command = words or tuple(ours(FILES[1])[service]["command"])
        done = subprocess.run([sys.executable, "-m", "monitor", *command], cwd=ROOT,  # noqa: S603
                              env=self.environ(service, PORT), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self, service: str) -> str:
        """Its address."""
        port = free_ports(1)
        with (self.folder / f"{service}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "monitor", *ours(FILES[1])[service]["command"]], cwd=ROOT,
                env=self.environ(service, port), stdout=log, stderr=log)
        self.running[service] = process, port
        return f"http://127.0.0.1:{port}"

    def healthy(self, service: str) -> bool:
        """By the image's own health check."""
        process, port = self.running[service]
        assert process.poll() is None, (self.folder / f"{service}.log").read_text("utf-8")
        words = of("HEALTHCHECK", last_stage())[0].value[1:]
        code = words[-1].replace(str(PORT), str(port))
        return subprocess.run([sys.executable, *words[1:-1], code], capture_output=True, check=False).returncode == 0  # noqa: S603

    def stop(self, number: signal.Signals) -> list[int]:
        for process, _ in self.running.values():
            process.send_signal(number)
        return [process.wait() for process, _ in self.running.values()]


@pytest.fixture
async def containers(brokers: Brokers, postgres: Cluster, tmp_path: Path) -> AsyncIterator[Containers]:
    store = await postgres.empty()
    made = Containers(tmp_path, brokers, store)
    yield made
    made.stop(signal.SIGKILL)
    await postgres.drop(store)
    shutil.rmtree(tmp_path)


async def test_it_comes_up_takes_events_in_and_shows_what_is_found(containers: Containers) -> None:
    for once in ("migrate", "topics"):
        await asyncio.to_thread(containers.run, once)
    web, other, worker = (containers.start(service) for service in ("web-1", "web-2", "worker-1"))
    for service in containers.running:
        await until(lambda service=service: asyncio.to_thread(containers.healthy, service))  # type: ignore[misc]
    token = await asyncio.to_thread(
        containers.run, "web-1", "token", "new", "--name", "all", "--scopes", "ingest,read,metrics")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:

        async def got(address: str) -> Any:
            async with http.get(address) as answer:
                return await answer.text() if answer.status == 200 else ""

        async def sent() -> bool:
            async with http.post(f"{web}/api/v1/events", data=STREAM.read_bytes()) as answer:
                return answer.status == 200

        await until(sent)
        await until(lambda: _found(got, other))
        await until(lambda: _has(got, f"{worker}/metrics", "redpost_ruleset_info{"))
        await until(lambda: _has(got, f"{web}/metrics", "redpost_ingest_events_total{"))
        shown = await got(f"{worker}/metrics")
    for name in ("redpost_worker_partitions 12.0", "redpost_model_info{", "redpost_log_oldest_unjudged_seconds",
                 "redpost_disk_free_bytes", 'redpost_dead_letter_total{reason="unreadable"} 0.0'):
        assert name in shown, name
    assert await asyncio.to_thread(containers.stop, signal.SIGTERM) == [0, 0, 0]


async def _found(got: Any, node: str) -> bool:
    return '"rule":' in await got(f"{node}/api/v1/alerts")


async def _has(got: Any, address: str, words: str) -> bool:
    return words in await got(address)
