"""redpost retrain"""

import re
from pathlib import Path

import msgspec
import pytest

from monitor.adapters.ml.folder import save_model
from monitor.adapters.ml.labelled import write_labels
from monitor.cli.retraining import _lines
from monitor.domain.labelled import Labelled
from monitor.services.learning import Learnt
from tests.fakes.registry import tiny_model
from tests.functional.clikit import Done, redpost
from tests.unit.test_retraining import labelled, lines


def written(path: Path, some: list[Labelled]) -> Path:
    path.write_bytes(b"".join(
        msgspec.json.encode(msgspec.to_builtins(line) | {"labels": line.labels}) + b"\n" for line in some))
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    save_model(tmp_path / "base/1", tiny_model("base/1"), "# base")
    (tmp_path / "data").mkdir()
    write_labels(tmp_path / "labels.jsonl", labelled(lines("minors", mark="号")))
    assert redpost("labels", "import", tmp_path / "labels.jsonl", "--data", tmp_path / "data").code == 0
    return tmp_path / "data"


def retrain(data: Path, *words: str | Path) -> Done:
    return redpost("retrain", *words, "--data", data, model=str(data.parent / "base/1"))


def model(data: Path, *words: str) -> Done:
    return redpost("model", *words, "--data", data, model=str(data.parent / "base/1"))


def test_a_candidate_is_tried_then_promoted_then_no_other_is_better(data: Path, tmp_path: Path) -> None:
    corpus = written(tmp_path / "corpus.jsonl", lines("absolute_claim"))
    done = retrain(data, "--corpus", corpus, "--hold-out", "a", "--by", "li")
    assert done.code == 0, done.err
    assert done.out.startswith("base/1 → local/1, learnt from ")
    assert "  held-out test: 24 lines · macro-F1 0.000 → " in done.out
    assert "  newest labels: 28 lines · macro-F1 0.000 → " in done.out
    assert "model_trained" in done.err
    assert re.search(r"^local/1\s+shadow", model(data, "list").out, re.MULTILINE)
    assert model(data, "promote", "local/1").code == 0
    refused = retrain(data, "--corpus", corpus, "--hold-out", "a", "--json")
    assert refused.code == 1
    told = msgspec.json.decode(refused.out, type=Learnt)
    assert (told.model, told.against, told.refused) == ("local/2", "local/1", "it is better on nothing")
    assert told.lines > 100 and told.comparisons["newest labels"].startswith("28 lines")
    assert sorted(path.name for path in (data / "models/local").iterdir()) == ["1"]


def test_what_cannot_be(data: Path, tmp_path: Path) -> None:
    corpus = written(tmp_path / "corpus.jsonl", lines("absolute_claim"))
    for words, told in (
        (["--tenant", "agency"], "the tenant agency has 0 labels, and 10 are needed"),
        (["--hold-out", "zz"], "no line has the brief 'zz'"), (["--tenant", "../x"], "is no name of a tenant"),
        (["--test", tmp_path / "nowhere.jsonl"], "nowhere.jsonl"),
    ):
        done = retrain(data, "--corpus", corpus, *words)
        assert (done.code, done.out) == (2, ""), words
        assert told in done.err and "hint: " in done.err
    assert not (data / "models").exists()


def test_the_cases_of_the_bundled_rules_are_learnt_with_the_corpus_that_comes_along(tmp_path: Path) -> None:
    test = written(tmp_path / "frozen.jsonl", lines("absolute_claim"))
    learnt, tested = _lines([], [], test)
    assert len(tested) == len(lines("absolute_claim"))
    assert sum(line.brief.startswith("cases of ") for line in learnt) > 4_000
    own, _ = _lines([test], ["a"], None)
    assert not any(line.brief.startswith("cases of ") for line in own)
