"""The classifier on one core, against decoding and scikit-learn's own pipelines, all in one run on the same texts.

python -m tests.bench.classifier [--json FILE] [--quick] [--model DIR] [--rules DIR]

real       lines of the corpus: ordinary ones and hard negatives, 5 % of them violations
random     20 characters each
scorer     views and contact data are made already, as the engine has them
peers      character 1–3-grams hashed into 2^17, linear, by stochastic gradient; words of jieba, tf-idf, linear SVM
engine     decode → findings with all packs, without the classifier and with it
"""

import argparse
import os
import platform
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jieba
import msgspec
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from monitor.adapters.bundled import model_folder, view_tables
from monitor.adapters.ml.folder import load_model
from monitor.adapters.ml.labelled import Columns, read_labelled
from monitor.adapters.process import collect_rarely
from monitor.adapters.rulefiles.folder import load
from monitor.domain.labelled import HARD, ORDINARY, Labelled
from monitor.engine.batch import EventBatch
from monitor.engine.engineset import EngineSet
from monitor.engine.patterns import contacts
from monitor.engine.scorer import LinearScorer
from monitor.engine.views import Views, ViewTables
from tests.bench import corpus
from tests.bench.engine import SEED, decode_only, interleaved, pipeline

ROOT = Path(__file__).parents[2]
LINES = ROOT / "models/corpus"
SIZE = 40  # batches
LEARNT = 4_000  # lines, by each peer


def texts(lines: list[Labelled]) -> dict[str, list[str]]:
    rng = random.Random(SEED)
    lawful = [line.text for line in lines if line.type in (HARD, ORDINARY)]
    wrong = [line.text for line in lines if line.labels]
    count = SIZE * corpus.BATCH
    return {"real": [rng.choice(wrong if rng.random() < 0.05 else lawful) for _ in range(count)],
            "random": corpus.texts(SEED, count, 0, [], [])}


def scoring(scorer: LinearScorer, tables: ViewTables, bodies: list[bytes]) -> Callable[[], None]:
    given = []
    for body in bodies:
        batch = EventBatch(corpus.decoder().decode_lines(body))
        views = Views(tables, batch.text)
        given.append((views, batch, contacts(views, batch.starts.tolist())))

    def run() -> None:
        for each in given:
            scorer.score(*each)

    return run


def peers(lines: list[Labelled]) -> dict[str, Pipeline]:
    """Each with a class for every category; a line's first label is its class."""
    some = random.Random(SEED).sample(lines, LEARNT)
    wanted = [line.labels[0] if line.labels else "none" for line in some]
    jieba.setLogLevel(60)
    jieba.initialize()
    found = {
        "HashingVectorizer + SGDClassifier": make_pipeline(
            HashingVectorizer(analyzer="char", ngram_range=(1, 3), n_features=1 << 17), SGDClassifier(random_state=1)),
        "jieba + TfidfVectorizer + LinearSVC": make_pipeline(
            TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None), LinearSVC(random_state=1)),
    }
    for each in found.values():
        each.fit([line.text for line in some], wanted)
    return found


def deciding(peer: Pipeline, some: list[str]) -> Callable[[], None]:
    parts = [some[i : i + corpus.BATCH] for i in range(0, len(some), corpus.BATCH)]

    def run() -> None:
        for part in parts:
            peer.decision_function(part)

    return run


def engine_set(rules: Path, tables: ViewTables, scorer: LinearScorer | None) -> EngineSet:
    return EngineSet(load(rules), tables, zone=corpus.ZONE, scorer=scorer)


def run(model: Path, rules: Path, *, quick: bool) -> dict[str, Any]:
    rounds = 3 if quick else 9
    tables, scorer = view_tables(), load_model(model).scorer()
    lines = read_labelled(sorted(LINES.glob("*.jsonl")), Columns())
    theirs = peers(lines)
    engines = {} if quick else {
        "engine without": engine_set(rules, tables, None), "engine with": engine_set(rules, tables, scorer)}
    collect_rarely()  # as the service does
    report: dict[str, Any] = {
        "seed": SEED, "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(),
        "python": platform.python_version(), "batch": corpus.BATCH, "model": scorer.version,
        "categories": len(scorer.categories), "texts": {},
    }
    for name, some in texts(lines).items():
        bodies = corpus.batches(corpus.lines(some))
        works: dict[str, Callable[[], object]] = {
            "decode": lambda bodies=bodies: decode_only(bodies), "scorer": scoring(scorer, tables, bodies)}
        works |= {of: lambda engine=engine, bodies=bodies: pipeline(engine, bodies) for of, engine in engines.items()}
        us = interleaved(works, len(some), rounds)
        few = some[: len(some) // 8]
        us |= interleaved({of: deciding(peer, few) for of, peer in theirs.items()}, len(few), 3)
        report["texts"][name] = {
            "texts": len(some), "text_hash": corpus.text_hash(some), "characters": sum(map(len, some)) / len(some),
            "us": us, "times_decode": {of: us[of] / us["decode"] for of in us},
            "times_scorer": {of: us[of] / us["scorer"] for of in theirs},
        }
        tell(name, report["texts"][name])
    return report


def tell(name: str, row: dict[str, Any]) -> None:
    sys.stdout.write(f"{name}: {row['characters']:.0f} characters\n")
    for of, us in row["us"].items():
        beside = f" · {row['times_scorer'][of]:.0f} × scorer" if of in row["times_scorer"] else ""
        sys.stdout.write(f"  {of:36} {us:8.2f} µs = {row['times_decode'][of]:6.1f} × decode, "
                         f"{1e6 / us:,.0f} events/s{beside}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("bench.json"))
    parser.add_argument("--quick", action="store_true", help="without the engine")
    parser.add_argument("--model", type=Path, default=model_folder(""))
    parser.add_argument("--rules", type=Path, default=ROOT / "rules")
    options = parser.parse_args()
    report = run(options.model, options.rules, quick=options.quick)
    known = msgspec.json.decode(options.json.read_bytes()) if options.json.exists() else {}
    options.json.write_bytes(msgspec.json.format(msgspec.json.encode({**known, "classifier": report})))


if __name__ == "__main__":
    main()
