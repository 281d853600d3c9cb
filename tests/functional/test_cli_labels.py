"""redpost labels import · export · pick · terms"""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from monitor.adapters.ml.folder import save_model
from monitor.adapters.storage.archive import ParquetArchive
from monitor.domain.events import VIEWERS
from tests.contract.test_archive import NOON, Silent, event, kept
from tests.fakes.registry import tiny_model
from tests.functional.clikit import RULES, Done, redpost


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_from_a_file_and_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    file = written(tmp_path / "decided.csv", "TEXT,label,kind,speaker\n"
                   "加微信 abc12345 便宜,offsite_fraud,comment,viewer\n今天天气好,,transcript,host\n")
    words = ["labels", "import", file, "--by", "zhang", "--text", "TEXT", "--labels", "label", "--data", data]
    assert redpost(*words) == (0, "2 labels added, 0 changed, 0 known before\n", "")
    assert redpost(*words) == (0, "0 labels added, 0 changed, 2 known before\n", "")
    out = tmp_path / "labels.jsonl"
    assert redpost("labels", "export", out, "--data", data) == (0, f"2 labels in {out}\n", "")
    text = out.read_text(encoding="utf-8")
    assert "abc12345" not in text and '"by":"zhang"' in text and '"source":"decided.csv"' in text
    assert redpost("labels", "import", out, "--data", data).out == "0 labels added, 0 changed, 2 known before\n"
    assert redpost("labels", "export", out, "--tenant", "agency", "--data", data).out.startswith("0 labels")


def test_a_withdrawn_label_is_not_exported_and_does_not_come_back_with_its_file(tmp_path: Path) -> None:
    file = written(tmp_path / "x.csv", "id,text,labels\na,全网最低,absolute_claim\nb,天气好,\n")
    assert redpost("labels", "import", file, "--tenant", "agency", "--data", tmp_path).code == 0
    words = ["labels", "withdraw", "a", "a", "--data", tmp_path]
    stranger = redpost(*words)
    assert stranger.code == 2 and "no label 'a' of the tenant local\nhint: " in stranger.err
    assert redpost(*words, "--tenant", "agency", "--reason", "听错") == (0, "1 labels withdrawn\n", "")
    assert redpost("labels", "import", file, "--tenant", "agency", "--data", tmp_path).out.endswith("2 known before\n")
    for name in ("out.jsonl", "out.csv"):
        assert redpost("labels", "export", tmp_path / name, "--tenant", "agency", "--data", tmp_path).code == 0
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "天气好" in text and "全网" not in text and "withdrawn" not in text


def test_a_wrong_line_keeps_all_of_the_file_out(tmp_path: Path) -> None:
    file = written(tmp_path / "x.jsonl", '{"text": "好", "labels": []}\n{"text": "坏", "labels": ["nonsense"]}\n')
    done = redpost("labels", "import", file, "--data", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "x.jsonl, line 2, labels: there is no category 'nonsense'\nhint: one of " in done.err
    assert redpost("labels", "import", file, "--tenant", "../x", "--data", tmp_path).code == 2
    assert "there is no store" in redpost("labels", "export", tmp_path / "y.csv", "--data", tmp_path).err


async def evening(folder: Path) -> None:
    archive = await ParquetArchive.open(folder, log=Silent())
    for n in range(20):
        await kept(archive, n + 1, event(f"e{n}", NOON + n, text=f"第{n}句"))
    await archive.flush(VIEWERS)
    await archive.close()


def test_events_are_picked_labelled_and_taken(tmp_path: Path) -> None:
    data, to = tmp_path / "data", tmp_path / "picks.jsonl"
    save_model(tmp_path / "base/1", tiny_model("base/1"), "# base")
    data.mkdir()
    assert redpost("token", "new", "--name", "x", "--scopes", "read", "--data", data).code == 0  # makes the store
    asyncio.run(evening(data / "archive"))
    unfinished = next((data / "archive").iterdir()) / "x.tmp"
    unfinished.write_bytes(b"of the service that runs")
    config = written(tmp_path / "redpost.toml", f"[rules]\ndir = '{RULES}'\n")

    def pick(amount: str) -> Done:
        return redpost("labels", "pick", "--amount", amount, "--to", to, "--data", data, "--config", config,
                       model=str(tmp_path / "base/1"))

    done = pick("9")
    assert (done.code, done.out) == (0, f"9 of 20 events in {to}: 3 random, 6 uncertain\n")
    assert unfinished.exists(), "nothing of the archive was touched"
    lines = [json.loads(line) for line in to.read_text(encoding="utf-8").splitlines()]
    assert all(line["why"] and line["event"].startswith("e") for line in lines)
    taken = redpost("labels", "import", to, "--data", data)
    assert (taken.code, "no column 'labels'" in taken.err) == (2, True), "a person has to give them"
    to.write_text("".join(json.dumps({**line, "labels": []}) + "\n" for line in lines), encoding="utf-8")
    assert redpost("labels", "import", to, "--data", data).out.startswith("9 labels added")
    assert pick("300").out.startswith("11 of 20 events"), "what has a label is not picked"


def test_nothing_to_pick(tmp_path: Path) -> None:
    redpost("token", "new", "--name", "x", "--scopes", "read", "--data", tmp_path)
    words = ["labels", "pick", "--to", tmp_path / "x", "--data", tmp_path]
    assert "model.dir is none" in redpost(*words).err
    save_model(tmp_path / "base/1", tiny_model("base/1"), "# base")
    config = written(tmp_path / "redpost.toml", f"[rules]\ndir = '{RULES}'\n")
    done = redpost(*words, "--config", config, model=str(tmp_path / "base/1"))
    assert (done.code, "no kept event" in done.err) == (2, True)
    assert not (tmp_path / "x").exists() and not (tmp_path / "archive").exists()
    assert redpost(*words, "--amount", "0").code == 2


def test_words_of_missed_lines_are_suggested(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    lines = [{"text": text, "labels": labels} for text, labels in (
        ("小朋友偷拿妈妈手机来刷", ["minors"]), ("让妈妈手机给小朋友刷", ["minors"]),
        ("全网最低价", ["absolute_claim"]), ("妈妈今天好漂亮", []))]
    file = written(tmp_path / "x.jsonl", "\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    config = written(tmp_path / "redpost.toml", f"[rules]\ndir = '{RULES}'\n")
    words = ["labels", "terms", "--data", data, "--config", config]
    assert redpost("labels", "import", file, "--data", data).code == 0
    done = redpost(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out == "minors: 2 missed\n     2 小朋友\n     2 手机\n"
    assert "2 妈妈  (1 lawful)" in redpost(*words, "--lawful", "1").out
    assert redpost(*words, "--most", "1").out == "minors: 2 missed\n     2 小朋友\n"
    assert redpost(*words, "--category", "vulgar_sexual").out == "no word is common to missed lines alone\n"
    assert "there is no category 'x'" in redpost(*words, "--category", "x").err
    assert "no line of the tenant agency is labelled" in redpost(*words, "--tenant", "agency").err
    assert redpost("labels", "terms", file, *words[2:], "--tenant", "agency").out == done.out, "files count, too"


def test_without_jieba_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    done = redpost("labels", "terms", "--data", tmp_path)
    assert done == (2, "", "error: cutting text into words needs jieba, which is not installed\n"
                           "hint: pip install 'redpost[train]'\n")
