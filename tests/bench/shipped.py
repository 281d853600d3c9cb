"""The shipped packs: how long they take to load, and what they cost an event.

python -m tests.bench.shipped [--json FILE] [--rules DIR]

planted     random texts of 20 characters, 5 % with a term of the packs
real        the evaluation's ordinary lines (half that may be read), 5 % of them violations
            both by the rules alone, then with the bundled classifier, as the service judges
loading     reading, checking and compiling: cold, from the cache, with 10,000 and with 100,000 further terms
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from monitor.adapters import blobs
from monitor.adapters.process import collect_rarely
from monitor.adapters.rulefiles.folder import load
from monitor.cli.loading import scorer as bundled_scorer
from monitor.domain.rules import Rule
from monitor.domain.rulesets import RuleSet
from monitor.engine.batch import EventBatch
from monitor.engine.databases import Databases
from monitor.engine.engineset import EngineSet
from monitor.engine.pipeline import judge
from monitor.engine.scorer import Scorer
from monitor.engine.views import ViewTables
from tests.bench import corpus
from tests.bench.engine import SEED, TABLES, decode_only, interleaved, pipeline
from tests.quality.sets import load as lines_of

RULES = Path(__file__).parents[2] / "rules"
SIZE = 40  # batches


def compiled(
    folder: Path, extra: list[Rule], cache: Path | None, scorer: Scorer | None = None
) -> tuple[EngineSet, float, float]:
    """(set, seconds to read and check, seconds to compile)"""
    began = time.perf_counter()
    rules = load(folder)
    read = time.perf_counter()
    tables = ViewTables(TABLES.read_bytes())
    databases = blobs.databases(cache) if cache is not None else Databases()
    everything = RuleSet((*rules.rules, *extra), rules.clauses, rules.version, {}, rules.contexts)
    engine = EngineSet(everything, tables, zone=corpus.ZONE, databases=databases, scorer=scorer)
    return engine, read - began, time.perf_counter() - read


def more_terms(count: int) -> list[Rule]:
    rng = random.Random(SEED)
    words = {"".join(rng.choices(corpus.COMMON, k=rng.randint(3, 6))) for _ in range(count * 2)}
    chosen = sorted(words)[:count]
    return [corpus.one(f"x{i}", chosen[i : i + 100]) for i in range(0, count, 100)]


def loading(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as cache:
        for name, count in (("cold", 0), ("warm", 0), ("cold + 10,000 terms", 10_000), ("warm + 10,000 terms", 10_000),
                            ("cold + 100,000 terms", 100_000)):
            engine, read, compile_ = compiled(folder, more_terms(count), Path(cache))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            report[name] = {"read_s": read, "compile_s": compile_, "peak_mb": memory, "rules": len(engine.rules)}
            sys.stdout.write(f"{name:22} {len(engine.rules):5} rules · read and check {read:.2f} s, "
                             f"compile {compile_:.2f} s · peak {memory:.0f} MB\n")
            sys.stdout.flush()
    return report


def texts(engine: EngineSet) -> dict[str, list[str]]:
    rng = random.Random(SEED)
    terms = [t for r in engine.rules for i, s in enumerate(r.rule.selections) if r.early & r.shown & 1 << i
             for t in s.terms if 2 <= len(t) <= 12]
    planted = corpus.texts(SEED, SIZE * corpus.BATCH, 0.05, terms, terms)
    ordinary = [line.text for line in lines_of("ordinary", "dev")]
    wrong = [line.text for line in lines_of("labelled", "dev") if line.type == "V"]
    real = [rng.choice(wrong if rng.random() < 0.05 else ordinary) for _ in range(SIZE * corpus.BATCH)]
    return {"planted": planted, "real": real}


def speed(engine: EngineSet, beside: str = "") -> dict[str, Any]:
    report: dict[str, Any] = {}
    for kind, some in texts(engine).items():
        name = kind + beside
        bodies = corpus.batches(corpus.lines(some))
        findings = sum(len({m.event for m in judge(engine, EventBatch(corpus.decoder().decode_lines(b))).matches})
                       for b in bodies)
        us = interleaved({"decode": lambda bodies=bodies: decode_only(bodies),
                          "pipeline": lambda bodies=bodies: pipeline(engine, bodies)}, len(some), 5)
        report[name] = {"us": us, "times_decode": us["pipeline"] / us["decode"], "finding": findings / len(some)}
        length = sum(map(len, some)) / len(some)
        sys.stdout.write(f"{name:21} {length:.0f} characters, {findings / len(some):.2%} finding · "
                         f"decode {us['decode']:.2f} µs · decode → findings {us['pipeline']:.2f} µs = "
                         f"{us['pipeline'] / us['decode']:.1f} × decode, {1e6 / us['pipeline']:,.0f} events/s\n")
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--rules", type=Path, default=RULES)
    options = parser.parse_args()
    engine, _, _ = compiled(options.rules, [], None)
    judged, _, _ = compiled(options.rules, [], None, bundled_scorer(""))
    collect_rarely()  # as the service does
    report = {"seed": SEED, "cores": os.cpu_count(), "speed": speed(engine) | speed(judged, " + classifier")}
    report["loading"] = loading(options.rules)
    known = msgspec.json.decode(options.json.read_bytes()) if options.json.exists() else {}
    options.json.write_bytes(msgspec.json.format(msgspec.json.encode({**known, "shipped": report})))


if __name__ == "__main__":
    main()
