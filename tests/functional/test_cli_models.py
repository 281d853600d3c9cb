"""redpost train, evaluate and model card, on a small table of one's own."""

import csv
import json
from pathlib import Path

import pytest

from monitor.adapters.ml.folder import CARD, MANIFEST, WEIGHTS
from tests.functional.clikit import RULES, Done, redpost

WRONG = ("全网最低价{}", "史上最低价{}真的", "最低价{}没有更低")
RIGHT = ("今天天气好{}", "晚上好欢迎{}", "这款有{}种颜色")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lines") / "lines.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["TEXT", "label", "author", "type"])
        for i in range(90):
            rows.writerow([WRONG[i % 3].format(i), "price", f"a{i % 6}", "V"])
            rows.writerow([RIGHT[i % 3].format(i), "0", f"a{i % 6}", "N" if i % 2 else "O"])
        rows.writerows([f"少见{i}", "rare", "a0", "V"] for i in range(3))
    return path


COLUMNS = ("--text", "TEXT", "--labels", "label", "--brief", "author")


def train(table: Path, to: Path, *more: str) -> Done:
    return redpost("train", table, *COLUMNS, "--any-labels", "--to", to, *more)


@pytest.fixture(scope="module")
def mine(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("models") / "mine/1"
    done = train(table, to)
    assert done.code == 0, done.err
    assert done.err == ""
    assert "not learnt, for want of lines: rare" in done.out
    assert "svm · validation" in done.out
    assert done.out.count("| kind transcript |") == 2
    return to


def test_a_model_of_ones_own_is_trained_measured_and_told(table: Path, mine: Path) -> None:
    facts = json.loads((mine / MANIFEST).read_bytes())
    assert (facts["name"], facts["version"], facts["categories"]) == ("mine", "1", ["price"])
    test = facts["metrics"]["test"]
    assert test["macro_f1"] > 0.9
    assert sum(facts["lines"].values()) + test["lines"] == 183
    assert test["rounding"]["largest"] < 1e-5
    assert test["rounding"]["decisions"] == test["lines"]
    told = redpost("model", "card", mine)
    assert told.out.startswith("# mine/1\n")
    assert f"and {test['rounding']['changed']} of {test['lines']} decisions." in told.out
    done = redpost("evaluate", table, *COLUMNS, "--model", mine, "--rules", RULES)
    assert (done.code, done.err) == (0, "")
    assert "mine/1 does not know: rare" in done.out
    assert "mine/1 alone" in done.out
    assert "| price | 90 |" in done.out
    assert done.out.count("| kind transcript | 183 |") == 3  # alone, rules, both
    assert "| length 1–10 | 183 |" in done.out and "| evasive yes |" not in done.out


def test_verticals_are_told_apart_where_that_is_asked_for(table: Path, tmp_path: Path) -> None:
    done = train(table, tmp_path / "1", "--verticals", "food", "beauty", "food")
    assert (done.code, done.err) == (0, "")
    facts = json.loads((tmp_path / "1" / MANIFEST).read_bytes())
    assert (facts["format"], facts["verticals"]) == (3, ["food", "beauty"])
    assert "verticals: food, beauty" in redpost("model", "card", tmp_path / "1").out


def test_training_again_gives_the_same_weights(table: Path, mine: Path, tmp_path: Path) -> None:
    assert train(table, tmp_path / "1").code == 0
    assert (tmp_path / "1" / WEIGHTS).read_bytes() == (mine / WEIGHTS).read_bytes()


def test_other_kinds_and_words_are_compared(table: Path, mine: Path, tmp_path: Path) -> None:
    """In one table, beside what is kept, which is as without."""
    done = train(table, tmp_path / "1", "--compare")
    assert (done.code, done.err) == (0, "")
    told = done.out.split("| learnt |")[1].strip().split("\n")[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in told]
    assert [row[:2] for row in rows] == [
        [f"{kind}, {of}", part] for kind, of in (
            ("svm", "n-grams"), ("nb-svm", "n-grams"), ("lr", "n-grams"), ("svm", "words"), ("svm", "both"))
        for part in ("validation", "test")]
    assert all(float(row[2]) > 0.9 for row in rows)
    assert (tmp_path / "1" / WEIGHTS).read_bytes() == (mine / WEIGHTS).read_bytes()


def test_one_name_is_enough_of_a_folder(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out of NAME/VERSION is the folder that it is made in."""
    monkeypatch.chdir(tmp_path)
    assert train(table, Path("7"), "--hold-out", "a1").code == 0
    assert (tmp_path / "7" / CARD).read_text("utf-8").startswith(f"# {tmp_path.name}/7\n")


@pytest.mark.parametrize(("words", "told"), [
    (["--kind", "forest"], "there is no kind of model 'forest'"),
    (["--hold-out", "nobody"], "no line has the brief 'nobody'"),
])
def test_what_cannot_be_trained_is_told(table: Path, tmp_path: Path, words: list[str], told: str) -> None:
    done = train(table, tmp_path / "x/1", *words)
    assert done.code == 2
    assert told in done.err
    assert not (tmp_path / "x").exists()


def test_a_version_never_changes(table: Path, mine: Path) -> None:
    before = (mine / WEIGHTS).read_bytes()
    assert "is there already" in train(table, mine).err
    assert (mine / WEIGHTS).read_bytes() == before


def test_labels_outside_of_the_taxonomy_are_named(table: Path, tmp_path: Path) -> None:
    done = redpost("train", table, *COLUMNS, "--to", tmp_path / "x/1")
    assert done.code == 2
    assert "labels outside the taxonomy: price, rare" in done.err


def test_measuring_needs_labels_that_the_model_knows(table: Path, mine: Path) -> None:
    done = redpost("evaluate", table, "--text", "TEXT", "--labels", "author", "--model", mine, "--rules", RULES)
    assert done.code == 2
    assert "no line has a label that mine/1 knows: a0, a1" in done.err


def test_what_is_no_model_has_no_card(tmp_path: Path) -> None:
    done = redpost("model", "card", tmp_path)
    assert done.code == 2
    assert "there is no model in" in done.err
