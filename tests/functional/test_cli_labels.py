"""redpost labels import · export"""

from pathlib import Path

from tests.functional.clikit import redpost


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


def test_a_wrong_line_keeps_all_of_the_file_out(tmp_path: Path) -> None:
    file = written(tmp_path / "x.jsonl", '{"text": "好", "labels": []}\n{"text": "坏", "labels": ["nonsense"]}\n')
    done = redpost("labels", "import", file, "--data", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "x.jsonl, line 2, labels: there is no category 'nonsense'\nhint: one of " in done.err
    assert redpost("labels", "import", file, "--tenant", "../x", "--data", tmp_path).code == 2
    assert "there is no store" in redpost("labels", "export", tmp_path / "y.csv", "--data", tmp_path).err
