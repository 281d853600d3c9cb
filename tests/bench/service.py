"""The service on this machine: one server process, one client process, real HTTP, real disk.

python -m tests.bench.service [--json FILE] [--only NAME …] [--seconds N] [--long]

sustained   40,000 events/s, 500 a request            nothing lost
latency     10,000 events/s, 200 a request, 1,000 rooms   ingest → SSE
small       10,000 events/s, 10 a request
overload    the engine slowed to three quarters of what arrives, one room with 3,000 comments/s
memory      10,000 rooms, 10,000 events/s, bundled packs (--long: ten minutes)
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil

from monitor.adapters.sqlite import sqlite3
from monitor.engine.batch import EventBatch
from monitor.engine.pipeline import judge
from tests.bench import corpus, packs

SEED = 20261123
SHARE = 0.05
TABLES = Path(__file__).parents[2] / "monitor/engine/data/views.npz"


class Run(msgspec.Struct, frozen=True):
    name: str
    rate: int
    per_request: int
    rooms: int
    seconds: int
    failpoint: str = ""
    loud_room: int = 0  # comments a second that one room sends, within `rate`
    bundled: bool = False
    connections: int = 8


RUNS = (
    Run("sustained", 40_000, 500, 1_000, 60),
    Run("latency", 10_000, 200, 1_000, 60),
    Run("small", 10_000, 10, 1_000, 30, connections=32),
    # capacity: 1e6 / (42 + about 8 of its own) = 20,000/s; 26,500/s arrive
    Run("overload", 26_500, 500, 1_000, 30, failpoint="judging@42", loud_room=3_000),
    Run("memory", 10_000, 200, 10_000, 120, bundled=True),
)


def events(run: Run, single: list[str], paired: list[str]) -> list[bytes]:
    """NDJSON lines in order of sending; `at` counts from 0 and is shifted by the client."""
    texts = corpus.texts(SEED, min(run.rate * run.seconds, 400_000), SHARE, single, paired)
    count = run.rate * run.seconds
    loud = run.loud_room / run.rate
    lines = []
    acc = 0.0
    for i in range(count):
        acc += loud
        is_loud = acc >= 1
        acc -= is_loud
        host = i % 20 == 0 and not is_loud
        room = "loud" if is_loud else f"room-{i % run.rooms:05d}"
        speaker = '{"role":"host","id":"h"}' if host else f'{{"role":"viewer","id":"u{i % 9973:06d}"}}'
        lines.append(
            f'{{"id":"e{i:09d}","source":"bench","room":"{room}","kind":"{"transcript" if host else "comment"}",'
            f'"stage":"live","offset_ms":{i * 1000 // run.rate},"speaker":{speaker},"final":true,'
            f'"text":"{texts[i % len(texts)]}"}}'.encode())
    return lines


def expected(lines: list[bytes], rules: Any) -> int:
    """How many findings a plain pass over the same events gives."""
    engine = corpus.engine_set(rules, TABLES.read_bytes())
    decode = corpus.decoder().decode_lines
    return sum(len(judge(engine, EventBatch(decode(b"\n".join(lines[i : i + 2048])))).matches)
               for i in range(0, len(lines), 2048))


async def _client(run: Run, address: str, lines: list[bytes]) -> dict[str, Any]:
    bodies = [b"\n".join(lines[i : i + run.per_request]) for i in range(0, len(lines), run.per_request)]
    sent_at = [0.0] * len(bodies)
    acks: list[float] = []
    seen: list[tuple[float, bool]] = []
    accepted = busy = 0
    done = asyncio.Event()

    async def listen(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{address}/api/v1/alerts/stream", timeout=aiohttp.ClientTimeout(total=None)) as stream:
            ready.set()
            async for line in stream.content:
                if line.startswith(b"data: {") and b'"what":"opened"' in line:
                    now = time.perf_counter()
                    alert = msgspec.json.decode(line[6:])["alert"]
                    if alert["event_ids"]:  # of several, the last one made it
                        body = max(int(name[1:]) for name in alert["event_ids"]) // run.per_request
                        seen.append((now - sent_at[body], alert["lane"] == 0))
                if done.is_set():
                    return

    async def send(session: aiohttp.ClientSession, i: int) -> None:
        nonlocal accepted, busy
        sent_at[i] = time.perf_counter()
        while True:
            async with session.post(f"{address}/api/v1/events", data=bodies[i]) as answer:
                if answer.status == 429:
                    busy += 1
                    await asyncio.sleep(float(answer.headers["Retry-After"]))
                    continue
                answer.raise_for_status()
                accepted += msgspec.json.decode(await answer.read())["accepted"]
                acks.append(time.perf_counter() - sent_at[i])
                return

    ready = asyncio.Event()
    connector = aiohttp.TCPConnector(limit=run.connections + 1)
    async with aiohttp.ClientSession(connector=connector) as session:
        listener = asyncio.create_task(listen(session))
        await ready.wait()
        start = time.perf_counter()
        cpu = time.process_time()
        slots = asyncio.Semaphore(run.connections)
        pending: set[asyncio.Task[None]] = set()
        for i in range(len(bodies)):
            due = start + i * run.per_request / run.rate
            delay = due - time.perf_counter()
            if delay > 0:
                await asyncio.sleep(delay)
            await slots.acquire()
            task = asyncio.create_task(send(session, i))
            pending.add(task)
            task.add_done_callback(lambda t: (pending.discard(t), slots.release()))
        await asyncio.gather(*pending)
        took = time.perf_counter() - start
        cpu = time.process_time() - cpu
        caught_up = time.perf_counter()
        while await metric(session, address, "redpost_log_oldest_unjudged_seconds") > 0:
            caught_up = time.perf_counter()
            await asyncio.sleep(1)
        shed = await metric(session, address, "redpost_shed_total")
        await asyncio.sleep(1)
        done.set()
        listener.cancel()
    return {"accepted": accepted, "busy": busy, "took": took, "acks": acks, "seen": seen, "client_cpu": cpu / took,
            "shed": shed, "behind": caught_up - start - took}


async def metric(session: aiohttp.ClientSession, address: str, name: str) -> float:
    """The sum of a metric's samples; the gauges are set every five seconds, so the answer waits for the next turn."""
    await asyncio.sleep(6)
    async with session.get(f"{address}/metrics") as answer:
        text = await answer.text()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def _client_process(run: Run, address: str, lines: list[bytes], results: Any) -> None:
    results.put(asyncio.run(_client(run, address, lines)))


def start(folder: Path, rules: Path | None, failpoint: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "monitor", "serve", "--data", str(folder), "--port", "0"]
    if rules is not None:
        command += ["--rules", str(rules)]
    environment = {**os.environ, "REDPOST_FAILPOINT": failpoint, "REDPOST_TELEMETRY__LOG_LEVEL": "warning"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603
    assert server.stdout is not None
    for line in server.stdout:
        found = re.search(r"http://[^ ]+", line)
        if found:
            return server, found[0].strip()
    raise RuntimeError(f"the service did not start: {server.wait()}")


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def measure(run: Run, rules_folder: Path, rules: Any, lines: list[bytes]) -> dict[str, Any]:
    data = Path(tempfile.mkdtemp(prefix="redpost-bench-"))
    server, address = start(data, None if run.bundled else rules_folder, run.failpoint)
    process = psutil.Process(server.pid)
    memory: list[int] = [process.memory_info().rss]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    try:
        client = context.Process(target=_client_process, args=(run, address, lines, results))
        client.start()
        cpu, began = None, time.perf_counter()
        while results.empty():
            time.sleep(1)
            memory.append(process.memory_info().rss)
            if cpu is None:
                cpu, began = sum(process.cpu_times()[:2]), time.perf_counter()
            if not client.is_alive() and results.empty():
                raise RuntimeError("the client died")
        got = results.get()
        used = sum(process.cpu_times()[:2]) - (cpu or 0)
        client.join()
        wall = time.perf_counter() - began
    finally:
        server.terminate()
        status = server.wait(120)
    with sqlite3.connect(f"file:{data}/store.db?mode=ro", uri=True) as db:
        findings = db.execute("SELECT count(*) FROM findings").fetchone()[0]
    shutil.rmtree(data)
    host = [s for s, is_host in got["seen"] if is_host]
    viewers = [s for s, is_host in got["seen"] if not is_host]
    size = len(memory)
    return {
        "sent": len(lines), "accepted": got["accepted"], "busy": got["busy"], "seconds": got["took"],
        "events_per_s": got["accepted"] / got["took"], "per_request": run.per_request, "rooms": run.rooms,
        "ack_ms": {p: percentile(got["acks"], q) * 1000 for p, q in (("p50", 0.5), ("p99", 0.99))},
        "sse_ms": {p: percentile([s for s, _ in got["seen"]], q) * 1000 for p, q in (("p50", 0.5), ("p99", 0.99))},
        "sse_host_ms": {p: percentile(host, q) * 1000 for p, q in (("p50", 0.5), ("p99", 0.99))},
        "sse_viewers_ms": {p: percentile(viewers, q) * 1000 for p, q in (("p50", 0.5), ("p99", 0.99))},
        "shed": got["shed"], "seconds_behind": got["behind"], "alerts_seen": len(got["seen"]), "findings": findings,
        "findings_expected": None if run.bundled or run.loud_room else expected(lines, rules),
        "client_cpu": got["client_cpu"], "server_cpu": used / wall, "exit_status": status,
        "rss_mb": {"start": memory[0] / 1e6, "middle": memory[size // 2] / 1e6, "max": max(memory) / 1e6,
                   "last_quarter": statistics.mean(memory[-size // 4 - 1 :]) / 1e6},
    }


def line(run: Run, row: dict[str, Any]) -> str:
    ack, sse, rss = row["ack_ms"], row["sse_ms"], row["rss_mb"]
    return " · ".join((
        f"{run.name:10} {row['events_per_s']:9,.0f} events/s for {row['seconds']:.0f} s, {run.per_request} a request",
        f"ack p50 {ack['p50']:.1f} p99 {ack['p99']:.1f} ms", f"SSE p50 {sse['p50']:.1f} p99 {sse['p99']:.1f} ms",
        f"host p99 {row['sse_host_ms']['p99']:.1f} viewers p99 {row['sse_viewers_ms']['p99']:.1f} ms",
        f"not accepted {row['sent'] - row['accepted']}, busy {row['busy']}, comments sampled out {row['shed']:.0f}",
        f"findings {row['findings']} of {row['findings_expected']}, alerts seen {row['alerts_seen']}",
        f"CPU server {row['server_cpu']:.0%} client {row['client_cpu']:.0%}",
        f"RSS start {rss['start']:.0f} max {rss['max']:.0f} last quarter {rss['last_quarter']:.0f} MB",
    )) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--only", nargs="*", default=[r.name for r in RUNS])
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="redpost-rules-"))
    packs.write(folder / "rules", SEED)
    rules, single, paired = corpus.rules(SEED)
    report: dict[str, Any] = {"seed": SEED, "machine": platform.processor() or platform.machine(),
                              "cores": os.cpu_count(), "python": platform.python_version(), "runs": {}}
    for run in RUNS:
        if run.name not in options.only:
            continue
        if options.seconds or (options.long and run.name == "memory"):
            run = msgspec.structs.replace(run, seconds=options.seconds or 600)
        lines = events(run, single, paired)
        row = measure(run, folder / "rules", rules, lines)
        report["runs"][run.name] = row
        sys.stdout.write(line(run, row))
        sys.stdout.flush()
    known = json.loads(options.json.read_text()) if options.json.exists() else {}
    options.json.write_text(json.dumps({**known, "service": report}, indent=2))
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
