"""The engine on one core against its own decoding and against named peers, all in one run on the same texts.

python -m tests.bench.engine [--json FILE] [--quick]
"""

import argparse
import gc
import os
import platform
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ahocorasick
import ahocorasick_rs
import daachorse
import jieba
import msgspec

from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.matcher import Scan
from monitor.engine.pipeline import judge
from monitor.engine.views import Views
from tests.bench import corpus

try:
    import matcher_py
except ImportError:  # not built for this Python
    matcher_py = None

SEED = 20261123
SHARES = (0.0, 0.05, 0.25)
TABLES = Path(__file__).parents[2] / "monitor/engine/data/views.npz"


def rounds(work: Callable[[], object], events: int, count: int) -> float:
    """Median µs per event."""
    times = []
    for _ in range(count):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) / events * 1e6)
    return statistics.median(times)


def interleaved(works: dict[str, Callable[[], object]], events: int, count: int) -> dict[str, float]:
    """Median µs per event of each, one round of each after the other, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(count):
        for name, work in works.items():
            times[name].append(rounds(work, events, 1))
    return {name: statistics.median(seen) for name, seen in times.items()}


def pipeline(engine: EngineSet, bodies: list[bytes]) -> tuple[int, int]:
    """decode → findings with spans; results freed batch by batch."""
    decode = corpus.decoder().decode_lines
    findings = 0
    for body in bodies:
        findings += len(judge(engine, EventBatch(decode(body))).matches)
    return findings, len(bodies)


def decode_only(bodies: list[bytes]) -> None:
    decode = corpus.decoder().decode_lines
    for body in bodies:
        decode(body)


def scanned(engine: EngineSet, batch: EventBatch) -> Scan:
    views = Views(engine.tables, batch.text)
    return engine.matcher.scan(views, batch.starts, batch.codes, engine.matcher.contacts(views, batch.starts))


def match_only(engine: EngineSet, batches: list[EventBatch]) -> None:
    for batch in batches:
        scanned(engine, batch)


def share_of(engine: EngineSet, batches: list[EventBatch]) -> tuple[float, float]:
    """Of the texts: how many have a hit, how many a finding."""
    hits = findings = total = 0
    for batch in batches:
        scan = scanned(engine, batch)
        hits += len({event for event, rule in scan.early.pairs if scan.early.of(event, rule)})
        findings += len({m.event for m in judge(engine, batch).matches})
        total += len(batch)
    return hits / total, findings / total


def peer_matcher_py(terms: list[str]) -> Callable[[list[str]], int]:
    kind = matcher_py.ProcessType
    folds = kind.VARIANT_NORM | kind.DELETE | kind.NORMALIZE | kind.ROMANIZE
    table = {int(folds): {i: term for i, term in enumerate(terms)}}
    matcher = matcher_py.SimpleMatcher(msgspec.json.encode(table))

    def run(texts: list[str]) -> int:
        process = matcher.process
        return sum(len(process(text)) for text in texts)

    return run


def peer_usual(terms: list[str]) -> Callable[[list[str]], int]:
    """The usual pipeline: per message an automaton over the raw text, and jieba for the words."""
    automaton = ahocorasick.Automaton()
    for i, term in enumerate(terms):
        automaton.add_word(term, (i, term))
    automaton.make_automaton()
    jieba.setLogLevel(60)
    jieba.initialize()

    def run(texts: list[str]) -> int:
        return sum(len(list(automaton.iter(text))) + len(jieba.lcut(text)) for text in texts)

    return run


def literal_engines(engine: EngineSet, joined: list[tuple[str, Any]], terms: list[str], events: int,
                    count: int) -> dict[str, float]:
    """The two literal scans by each candidate, on views that are folded already; µs per event."""
    views = [Views(engine.tables, text) for text, _ in joined]
    skeleton = ["".join(map(chr, v.skeleton.tolist())) for v in views]
    sound = ["".join(map(chr, v.sound.tolist())) for v in views]
    sounding = ["".join(map(chr, engine.tables.sound[engine.tables.fold(t)].tolist())) for t in terms if len(t) > 2]
    sounding = list(dict.fromkeys(sounding))
    charwise = [daachorse.CharwiseDoubleArrayAhoCorasick(words) for words in (terms, sounding)]
    rust = [ahocorasick_rs.AhoCorasick(words, matchkind=ahocorasick_rs.MatchKind.Standard)
            for words in (terms, sounding)]
    both = list(zip(skeleton, sound, strict=True))

    def hyperscan() -> None:
        for view in views:
            engine.matcher.scan_literals(view)

    def daac() -> None:
        for a, b in both:
            charwise[0].find_overlapping(a)
            charwise[1].find_overlapping(b)

    def rs() -> None:
        for a, b in both:
            rust[0].find_matches_as_indexes(a, overlapping=True)
            rust[1].find_matches_as_indexes(b, overlapping=True)

    return interleaved({"hyperscan": hyperscan, "daachorse": daac, "ahocorasick_rs": rs}, events, count)


def run(*, quick: bool = False) -> dict[str, Any]:
    count, size = (3, 20) if quick else (7, 80)
    every, single, paired = corpus.rules(SEED)
    engine = corpus.engine_set(every, TABLES.read_bytes())
    terms = corpus.terms(SEED)
    report: dict[str, Any] = {
        "seed": SEED, "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(),
        "python": platform.python_version(), "batch": corpus.BATCH, "terms": len(terms), "shares": {},
    }
    for share in SHARES:
        texts = corpus.texts(SEED, size * corpus.BATCH, share, single, paired)
        bodies = corpus.batches(corpus.lines(texts))
        batches = [EventBatch(corpus.decoder().decode_lines(body)) for body in bodies]
        joined = [(batch.text, batch.starts) for batch in batches]
        hit, finding = share_of(engine, batches)
        us = interleaved({
            "decode": lambda bodies=bodies: decode_only(bodies),
            "pipeline": lambda bodies=bodies: pipeline(engine, bodies),
            "match": lambda batches=batches: match_only(engine, batches),
        }, len(texts), count)
        report["shares"][f"{share:.0%}"] = row = {
            "texts": len(texts), "text_hash": corpus.text_hash(texts), "hit": hit, "finding": finding,
            "us": us, "times_decode": us["pipeline"] / us["decode"], "events_per_s": 1e6 / us["pipeline"],
        }
        print(f"{share:4.0%} planted: {hit:.1%} hit, {finding:.2%} finding · decode {us['decode']:.2f} µs · "  # noqa: T201
              f"decode → findings {us['pipeline']:.2f} µs = {row['times_decode']:.1f} × decode, "
              f"{row['events_per_s']:,.0f} events/s · match alone {us['match']:.2f} µs", flush=True)
        if share == 0.05:
            some = texts[: len(texts) // 8]
            peers = {"matcher_py": peer_matcher_py} if matcher_py else {}
            peers["pyahocorasick + jieba"] = peer_usual
            theirs = interleaved({
                "redpost": lambda batches=batches: match_only(engine, batches[: len(batches) // 8]),
                **{name: partial(peer(terms), some) for name, peer in peers.items()},
            }, len(some), count)
            literals = literal_engines(engine, joined, terms, len(texts), count)
            row["peers_us"], row["literal_engines_us"] = theirs, literals
            for name, us_each in theirs.items():
                print(f"      match: {name:24} {us_each:8.2f} µs = {us_each / theirs['redpost']:6.1f} ×")  # noqa: T201
            for name, us_each in literals.items():
                print(f"      two literal scans: {name:15} {us_each:5.2f} µs")  # noqa: T201
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    report = run(quick=options.quick)
    known = msgspec.json.decode(options.json.read_bytes()) if options.json.exists() else {}
    options.json.write_bytes(msgspec.json.format(msgspec.json.encode({**known, "engine": report})))


if __name__ == "__main__":
    main()
