"""redpost model list · card · compare · shadow · promote · rollback"""

import json
import re
import shutil
from pathlib import Path

import pytest

from monitor.adapters.bundled import bundled, model_folder
from monitor.adapters.ml.folder import save_model
from tests.fakes.registry import tiny_model
from tests.functional.clikit import Done, redpost


@pytest.fixture
def data(tmp_path: Path) -> Path:
    save_model(tmp_path / "base/1", tiny_model("base/1"), "# base")
    for name, bias in (("local/1", -5.0), ("local/2", 5.0)):
        save_model(tmp_path / "data/models" / name, tiny_model(name, bias=bias), f"# {name}")
    return tmp_path / "data"


def model(data: Path, *words: str | Path) -> Done:
    return redpost("model", *words, "--data", data, model=str(data.parent / "base/1"))


def shown(roles: dict[str, str]) -> str:
    return "".join(f"{model:20} {role}\n" for model, role in roles.items())


def test_a_tenants_own_model_is_for_its_events(data: Path) -> None:
    save_model(data / "models/agency/1", tiny_model("agency/1", tenant="agency"), "#")
    assert model(data, "promote", "agency/1").out == shown({"base/1": "serving", "agency/1": "serving (agency)"})
    assert "learnt from the labels of agency" in model(data, "promote", "agency/1", "--tenant", "*").err
    assert model(data, "promote", "local/1", "--tenant", "other").code == 0
    assert re.search(r"^agency/1 +serving \(agency\) .* agency *$", model(data, "list").out, re.MULTILINE)
    refused = model(data, "rollback")
    assert refused.code == 2 and "agency, other" in refused.err
    assert model(data, "rollback", "--tenant", "other").out == shown(
        {"base/1": "serving", "agency/1": "serving (agency)"})
    assert model(data, "rollback").out == shown({"base/1": "serving"})


def test_a_model_from_list_to_rollback(data: Path) -> None:
    listed = model(data, "list")
    assert listed.code == 0
    assert re.search(r"^base/1\s+serving\s+2023-11-14\s+7\s+0\.500\s+25\.0%\s*$", listed.out, re.MULTILINE)
    assert model(data, "card", "local/1").out == "# local/1\n"
    assert model(data, "shadow", "local/1").out == shown({"base/1": "serving", "local/1": "shadow"})
    done = model(data, "promote", "local/2", "--by", "zhang")
    assert done.out == shown({"base/1": "previous", "local/1": "shadow", "local/2": "serving"})
    assert "model_promoted" in done.err and "zhang" in done.err
    assert "*: promoted by zhang, 20" in model(data, "list").out
    assert model(data, "shadow", "none").out == shown({"base/1": "previous", "local/2": "serving"})
    assert model(data, "rollback").out == shown({"base/1": "serving"})


def test_what_cannot_be(data: Path) -> None:
    for words, told in ((["promote", "local/9"], "there is no model 'local/9'"), (["rollback"], "none to go back to"),
                        (["promote", "base/1"], "serves already"), (["card", "nowhere/1"], "there is no model in")):
        done = model(data, *words)
        assert (done.code, done.out) == (2, ""), words
        assert told in done.err and "hint: " in done.err
    (data / "models/local/1/weights.npy").write_bytes(b"")
    assert "local/1 cannot serve" in model(data, "promote", "local/1").err
    assert "model.dir is none" in redpost("model", "promote", "local/2", "--data", data).err
    assert "there is no folder" in redpost("model", "promote", "local/2", "--data", data / "typo", model="").err
    assert not (data / "models/state.json").exists() and not (data / "typo").exists()


def test_two_models_on_the_same_lines(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    lines = [{"text": f"这句话是第{n}句", "labels": [], "type": "N", "brief": "q"} for n in range(30)]
    lines += [{"text": f"那句话是第{n}句", "labels": ["minors"], "type": "V", "brief": "q"} for n in range(10)]
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    done = model(data, "compare", "local/1", "local/2", file)
    assert done.code == 1, "it alarms on everything"
    assert done.out.startswith("local/1 → local/2: 40 lines · macro-F1 0.000 → 0.400")
    assert "alarms on hard negatives 0.000 → 1.000 (+1.000 to +1.000)" in done.out
    assert model(data, "compare", "local/2", str(data / "models/local/1"), file).code == 1, "it finds nothing"
    assert model(data, "compare", "local/1", "base/1", file).code == 0
    assert "no line is left" in model(data, "compare", "local/1", "local/2", file, "--only", "x").err


def test_two_models_by_what_is_known_of_them(data: Path) -> None:
    done = model(data, "compare", "local/1", "local/2")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("local/1 (0 lines) → local/2 (0 lines)\nmacro_f1              0.500 → 0.500\n")
    assert "recall                   – →    –" in done.out
    bundled = model(data, "compare", "local/1", str(model_folder("")))
    assert re.search(r"^minors +– → 0\.\d{3}$", bundled.out, re.MULTILINE)
    assert "there is no model 'x/1'" in model(data, "compare", "local/1", "x/1").err


def test_models_go_with_a_backup(data: Path, tmp_path: Path) -> None:
    model(data, "promote", "local/2")
    assert redpost("token", "new", "--name", "x", "--scopes", "read", "--data", data).code == 0  # makes the store
    assert redpost("backup", tmp_path / "copy", "--data", data).code == 0
    again = tmp_path / "again" / "data"
    assert redpost("restore", tmp_path / "copy", "--data", again).code == 0
    before, after = ({path.relative_to(folder): path.read_bytes() for path in (folder / "models").rglob("*.*")
                      if path.is_file()} for folder in (data, again))
    assert len(before) == 7 and before == after


def test_a_scan_is_judged_by_the_model_that_serves_in_a_data_folder(data: Path, tmp_path: Path) -> None:
    for name in ("agency/1", "local/3"):
        categories, tenant = ("absolute_claim",), name.partition("/")[0]
        save_model(data / "models" / name, tiny_model(name, bias=5, categories=categories, tenant=tenant), "#")
    assert model(data, "promote", "agency/1").code == 0
    rules, file = tmp_path / "rules", tmp_path / "said.srt"
    shutil.copytree(bundled("rules") / "classifier", rules / "classifier")
    shutil.copy(bundled("rules") / "clauses.yml", rules)
    file.write_text("1\n00:00:01,000 --> 00:00:03,000\n今天天气真不错大家好\n", encoding="utf-8")

    def scan(*words: str | Path) -> Done:
        return redpost("scan", file, "--json", "--alerts", "--rules", rules, *words, model=str(tmp_path / "base/1"))

    assert (scan().code, scan().err) == (0, "")
    assert scan("--data", data) == (0, "", "classifier: base/1\n")
    own = scan("--data", data, "--tenant", "agency")
    assert (own.code, own.err) == (1, "classifier: agency/1\n") and "absolute_claim" in own.out
    assert model(data, "promote", "local/3").code == 0
    mine = scan("--data", data)
    assert (mine.code, mine.err) == (1, "classifier: local/3\n")
    ids = [json.loads(each.out)["id"] for each in (own, mine)]
    assert ids[0] != ids[1], "the tenant is a part of the id"
    assert redpost("scan", file, "--rules", rules, "--data", data).err == "classifier: none\n"
    for option, value, told in (("--data", data / "typo", "there is no folder"), ("--tenant", "../x", "no name of a")):
        done = scan(option, value)
        assert done.code == 2 and told in done.err and "hint: " in done.err
