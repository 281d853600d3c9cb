"""redpost scan: what it says, in which form, and with which exit code; whatever it is given to read."""

import gzip
import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from monitor.domain.ids import alert_id, event_key, finding_id
from tests.functional.clikit import DATA, RULES, STREAM, Done, check_golden, redpost
from tests.unit.mlkit import certain

FOUND: Final = {"id": "e", "kind": "transcript", "text": "这个品质就是全网最好"}
CLEAN: Final = {"id": "e", "kind": "transcript", "text": "家人们晚上好"}


def scan(*words: str | Path, stdin: bytes = b"") -> Done:
    return redpost("scan", *words, "--rules", RULES, stdin=stdin)


def line(event: dict[str, Any], **more: Any) -> bytes:
    return json.dumps(event | more, ensure_ascii=False).encode() + b"\n"


def written(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path


def without_place(told: str) -> dict[str, Any]:
    return {key: value for key, value in json.loads(told).items() if key not in ("file", "line")}


# --- forms


def test_a_line_of_json_says_where_and_when(tmp_path: Path) -> None:
    """A time is told as the file has it: today's date, which rules are judged by, is not the file's."""
    cues = written(tmp_path / "s.srt", "1\n00:00:01,500 --> 00:00:02,000\n全网最好\n".encode())
    rows = written(tmp_path / "r.csv", "text,user\n全网最好,u1\n".encode())
    facts = ("file", "line", "kind", "speaker", "at", "offset_ms", "text")
    told = [json.loads(scan(*words, "--json", "--kind", "transcript").out) for words in (
        (cues,), (cues, "--started-at", "2024-06-01T20:00:00+08:00"), (rows,))]
    assert [[item[fact] for fact in facts] for item in told] == [
        [str(cues), 2, "transcript", "host", None, 1500, "全网最好"],
        [str(cues), 2, "transcript", "host", 1_717_243_201_500, 1500, "全网最好"],
        [str(rows), 2, "transcript", "viewer", None, None, "全网最好"],
    ]
    assert f"  default  viewer transcript  {rows}:2\n" in scan(rows, "--kind", "transcript").out


def test_json_is_one_object_per_event_with_findings_and_exactly_these_keys() -> None:
    done = scan(STREAM, "--json")
    lines = done.out.splitlines()
    assert lines[1] == (
        '{"id":"c1","findings":[{"rule":"shop.contact","category":["offsite_fraud"],"tier":"redline",'
        '"severity":"medium","spans":[{"start":3,"end":8,"text":"加 微.信"},'
        '{"start":11,"end":22,"text":"13800138000"}],"evasive":"symbols","clauses":["LSM-18-5"],"unverified":["LSM-18-5"]}],"scores":{},'
        f'"file":"{STREAM}","line":4,"room":"直播间-1","kind":"comment","speaker":"viewer","at":null,'
        '"offset_ms":66000,"text":"想要的加 微.信，电话13800138000"}'
    )
    assert [json.loads(each)["id"] for each in lines] == ["t2", "c1", "t3", "c3", "t4", "t5"]
    assert done.code == 1


def test_a_span_is_the_callers_own_text() -> None:
    texts = {event["id"]: event["text"] for event in map(json.loads, STREAM.read_text("utf-8").splitlines())}
    spans = 0
    for item in map(json.loads, scan(STREAM, "--json").out.splitlines()):
        for span in (span for finding in item["findings"] for span in finding["spans"]):
            assert span["text"] == texts[item["id"]][span["start"] : span["end"]]
            spans += 1
    assert spans > 6


def test_all_tells_the_clean_events_too() -> None:
    lines = scan(STREAM, "--json", "--all").out.splitlines()
    assert len(lines) == 9
    assert lines[1].startswith('{"id":"t1","findings":[],"scores":{},"file":')


def test_alerts_as_json_have_exactly_these_keys() -> None:
    done = scan(STREAM, "--json", "--alerts")
    alerts = [json.loads(each) for each in done.out.splitlines()]
    assert done.code == 1
    assert {tuple(alert) for alert in alerts} == {(
        "id", "tenant", "room", "broadcast", "rule", "category", "tier", "severity", "event_ids", "scope", "at",
        "offset_ms",
    )}  # fmt: skip
    by_first = {alert["event_ids"][0]: alert for alert in alerts}
    assert by_first["t4"]["event_ids"] == ["t4", "t5"]  # within a minute of each other
    assert by_first["t4"]["at"] == 1_717_243_200_000
    assert by_first["t2"] | {"at": 0, "id": ""} == {
        "id": "", "tenant": "local", "room": "直播间-1", "broadcast": "b1", "rule": "shop.absolute",
        "category": ["absolute_claim", "false_promotion"], "tier": "redline", "severity": "high",
        "event_ids": ["t2"], "scope": "event", "at": 0, "offset_ms": 65400,
    }  # fmt: skip


def test_alerts_carry_the_ids_of_the_service() -> None:
    for alert in map(json.loads, scan(STREAM, "--json", "--alerts").out.splitlines()):
        key = event_key("local", "default", alert["event_ids"][0], 0)
        assert alert["id"] == alert_id(finding_id("local", alert["rule"], key))


def test_the_same_findings_whatever_the_form(tmp_path: Path) -> None:
    array = tmp_path / "array.json"
    events = [json.loads(each) for each in STREAM.read_text("utf-8").splitlines()]
    array.write_text(json.dumps(events, ensure_ascii=False, indent=1), encoding="utf-8")
    packed = tmp_path / "stream.gz"
    packed.write_bytes(gzip.compress(STREAM.read_bytes()))
    expected = [without_place(each) for each in scan(STREAM, "--json").out.splitlines()]
    assert expected
    for done in (scan(array, "--json"), scan(packed, "--json"), scan("-", "--json", stdin=STREAM.read_bytes())):
        assert [without_place(each) for each in done.out.splitlines()] == expected


@pytest.mark.parametrize("name, words", [("scan", []), ("scan-alerts", ["--alerts"])])
def test_for_people(name: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DATA)
    done = scan("stream.ndjson", *words)
    check_golden(f"{name}.txt", done.out)
    assert done.code == 1
    assert done.err == ("stream.ndjson:8: kind: invalid enum value 'coment' (one of transcript, comment, caption, "
                        "product, script, signal)\n1 item rejected\n")


def test_the_best_clauses_and_the_advice_that_fits(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    names = ("LSM-18-5", "AD-09-3", "X-1", "X-2", "X-3")
    register = (rules / "clauses.yml").read_text("utf-8")
    more = [register[: register.index("- id: LSM")].replace("AD-09-3", name) for name in names[2:]]
    (rules / "clauses.yml").write_text(register + "".join(more), encoding="utf-8")
    rule = (rules / "shop/absolute.yml").read_text("utf-8").replace("[AD-09-3]", f"[{', '.join(names)}]")
    rule = rule.replace("多的一款}", "多的一款, 国家级: 省级, 全网最低: 今天的价}")
    (rules / "shop/absolute.yml").write_text(rule, encoding="utf-8")
    shown = redpost("scan", written(tmp_path / "e", line(FOUND)), "--rules", rules).out
    law = "中华人民共和国广告法（2021修正） 第九条第三项"
    assert shown.split("shop.absolute\n")[1].split("\n\n")[0].splitlines() == [
        f"  AD-09-3  {law}", f"  X-1  {law}", f"  X-2  {law}", "  +2 more: X-3, LSM-18-5 (待核)",
        "  → 去掉绝对化用语，改为可证实的表述", "    全网最好 → 老客回购多的一款",
    ]  # fmt: skip


def twice(tmp_path: Path, category: str, clauses: str) -> Path:
    """The rules with a second, lesser one for the same words."""
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    rule = (rules / "shop/absolute.yml").read_text("utf-8").replace("shop.absolute", "shop.again")
    for key, value in ("severity", "low"), ("category", f"[{category}]"), ("clauses", f"[{clauses}]"):
        rule = re.sub(f"(?m)^{key}: .*$", f"{key}: {value}", rule)
    (rules / "shop/again.yml").write_text(rule, encoding="utf-8")
    return rules


def test_a_sentence_stands_once_above_all_that_was_found_in_it(tmp_path: Path) -> None:
    rules = twice(tmp_path, "price_consumer", "AD-09-3")
    shown = redpost("scan", written(tmp_path / "e", line(FOUND)), "--rules", rules).out
    assert shown.count("【全网最好】") == 3
    where, said, *told = shown.split("\n\n")[0].splitlines()
    assert where.endswith(":1") and said.startswith("  ") and said.count("【全网最好】") == 1
    assert [each for each in told if each.startswith(" ") and not each.startswith("  ")] == [
        " high  绝对化用语  shop.absolute  【全网最好】", " low  绝对化用语  shop.again  【全网最好】"]
    assert "1 event, 2 findings in 1 event" in shown


def test_a_second_rule_that_says_the_same_of_the_same_words_is_one_line_below_the_first(tmp_path: Path) -> None:
    rules = twice(tmp_path, "absolute_claim", "AD-09-3, LSM-18-5")
    shown = redpost("scan", written(tmp_path / "e", line(FOUND)), "--rules", rules).out
    told = shown.split("\n\n")[0].splitlines()[2:]
    assert told[0] == " high  绝对化用语  shop.absolute  【全网最好】"
    assert told[-1] == "  also  low  绝对化用语  shop.again  【全网最好】  LSM-18-5 (待核)"
    assert sum("→ 去掉绝对化用语" in each for each in told) == 1
    assert "1 event, 2 findings in 1 event" in shown


def test_for_programs_it_lies_within_the_first(tmp_path: Path) -> None:
    rules = twice(tmp_path, "absolute_claim, price_consumer", "AD-09-3, LSM-18-5")
    done = redpost("scan", written(tmp_path / "e", line(FOUND)), "--rules", rules, "--json")
    (found,) = json.loads(done.out)["findings"]
    assert (found["rule"], found["severity"], found["clauses"]) == ("shop.absolute", "high", ["AD-09-3"])
    (other,) = found["also"]
    assert (other["rule"], other["severity"], other["clauses"]) == ("shop.again", "low", ["AD-09-3", "LSM-18-5"])
    assert other["category"] == ["absolute_claim", "price_consumer"] and other["spans"] == found["spans"]


def test_text_cannot_take_the_terminal_over(tmp_path: Path) -> None:
    text = "\x1b]0;x\x07\x1b[31m全网最好\u202e\x9b2J\n\r"
    for words in ([], ["--alerts"]):
        out = scan(written(tmp_path / "e.ndjson", line(FOUND, text=text, room="\x1b[2J")), *words).out
        assert "全网最好" in out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)


def test_markup_in_a_text_is_text(tmp_path: Path) -> None:
    out = scan(written(tmp_path / "e.ndjson", line(FOUND, text="[red]全网最好[/red] :smile:"))).out
    assert "[red]【全网最好】[/red] :smile:" in out


def test_an_event_that_stands_twice_has_its_findings_once(tmp_path: Path) -> None:
    lines = scan(written(tmp_path / "e", line(FOUND), line(CLEAN, id="c"), line(FOUND)), "--json").out.splitlines()
    assert [len(json.loads(each)["findings"]) for each in lines] == [1, 1]


# --- exit codes


def test_nothing_found(tmp_path: Path) -> None:
    for words in ([], ["--json"], ["--alerts"], ["--alerts", "--json"], ["--json", "--all"]):
        assert scan(written(tmp_path / "e.ndjson", line(CLEAN)), *words).code == 0
    assert scan(tmp_path / "e.ndjson") == Done(0, "1 event, 0 findings\n", "")


def test_something_found(tmp_path: Path) -> None:
    for words in ([], ["--json"], ["--alerts"], ["--alerts", "--json"], ["--json", "--all"]):
        assert scan(written(tmp_path / "e.ndjson", line(FOUND)), *words).code == 1


def test_a_missing_file_among_others_is_told_and_the_others_are_scanned(tmp_path: Path) -> None:
    done = scan(tmp_path / "nowhere.srt", written(tmp_path / "e.ndjson", line(FOUND)), "--json")
    assert done.code == 2
    assert json.loads(done.out)["id"] == "e"
    assert done.err == (f"error: cannot read {tmp_path}/nowhere.srt: No such file or directory\n"
                        "hint: check the path and its permissions\n"
                        "1 of 2 files not read: what is told above is not all\n")


def test_rejected_items_alone_do_not_change_the_exit_code(tmp_path: Path) -> None:
    bad = b'{"id": "x"}\n'
    assert scan(written(tmp_path / "e", line(CLEAN), bad)).code == 0
    assert scan(written(tmp_path / "e", line(FOUND), bad)).code == 1
    done = scan(written(tmp_path / "e", bad, bad))
    assert done.code == 2
    assert done.err.splitlines()[-2:] == [f"error: nothing in {tmp_path}/e could be read", "2 items rejected"]


def test_twenty_rejected_items_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    files = [written(tmp_path / name, line(CLEAN), b"{}\n" * 1500) for name in ("a", "b")]
    told = scan(*files).err.splitlines()
    assert len(told) == 22
    assert told[0].startswith(f"{tmp_path}/a:2: kind: ") or told[0].startswith(f"{tmp_path}/a:2: id: ")
    assert told[-2:] == ["… and 2,980 more", "3,000 items rejected"]


def test_rules_with_faults(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/rule.yml").write_text("id: x", encoding="utf-8")
    done = redpost("scan", STREAM, "--rules", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "pack/rule.yml:1:1: " in done.err


# --- whatever it is given to read


def test_an_empty_file(tmp_path: Path) -> None:
    told = f"{tmp_path}/e: there is nothing in it\n"
    assert scan(written(tmp_path / "e")) == Done(0, "0 events, 0 findings\n", told)
    assert scan("-", "--json") == Done(0, "", "standard input: there is nothing in it\n")


def test_an_unknown_format_names_the_file_and_the_known_ones(tmp_path: Path) -> None:
    done = scan(written(tmp_path / "notes", "只是一段话\n".encode()))
    assert done.code == 2
    assert done.err.startswith(f"error: {tmp_path}/notes: the file is text of no known format")
    assert "danmaku_xml" in done.err


@pytest.mark.parametrize("data", [bytes(range(256)) * 300, b"\x89PNG\r\n\x1a\n" + bytes(5000), b"\x1f\x8b" + bytes(90)])
def test_binary_garbage(tmp_path: Path, data: bytes) -> None:
    done = scan(written(tmp_path / "e.ndjson", data))
    assert done.code == 2 or "damaged" in done.err
    assert "Traceback" not in done.err


def test_a_half_written_file(tmp_path: Path) -> None:
    whole = line(FOUND) + line(FOUND, id="f")
    done = scan(written(tmp_path / "e.ndjson", whole[:-30]), "--json")
    assert done.code == 1
    assert json.loads(done.out)["id"] == "e"
    assert "e.ndjson:2: the file ends in the middle of an item" in done.err
    many = b"".join(line(FOUND, id=f"e{n}") for n in range(3000))
    packed = scan(written(tmp_path / "e.gz", gzip.compress(many)[:-40]), "--json")
    assert packed.code == 1
    assert "the compressed data ends early" in packed.err


def test_a_folder(tmp_path: Path) -> None:
    assert scan(tmp_path).err.startswith(f"error: cannot read {tmp_path}: Is a directory")
    assert scan(tmp_path).err.endswith(f"hint: name the files in it: {tmp_path}/*\n")
    assert scan(tmp_path).code == 2


def test_where_nothing_was_read_nothing_is_counted(tmp_path: Path) -> None:
    assert scan(tmp_path / "a").out == scan(tmp_path / "a", "--alerts").out == ""
    one = scan(tmp_path / "a", written(tmp_path / "e", line(CLEAN)))
    assert (one.code, one.out) == (2, "1 event, 0 findings\n")
    assert one.err.endswith("1 of 2 files not read: what is told above is not all\n")


def test_an_option_that_does_nothing_is_refused() -> None:
    assert scan(STREAM, "--all") == Done(2, "", "error: --all tells of clean events in JSON only\nhint: add --json\n")


def test_a_huge_line(tmp_path: Path) -> None:
    done = scan(written(tmp_path / "e", line(FOUND), line(FOUND, text="好" * 3_000_000), line(FOUND, id="f")), "--json")
    assert [json.loads(each)["id"] for each in done.out.splitlines()] == ["e", "f"]
    assert "e:2: the line has 9,000" in done.err or "e:2: the line has 9000" in done.err


def test_chinese_paths_and_names_that_are_no_text(tmp_path: Path) -> None:
    path = written(tmp_path / "十一月的 直播.ndjson", line(FOUND))
    assert f"{path}:1" in scan(path).out
    done = scan(f"{tmp_path}/\udcff.srt")
    assert done.code == 2
    assert f"cannot read {tmp_path}/\ufffd.srt" in done.err
    assert scan("a\0b").code == 2


def test_another_format_than_the_content_shows(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows", "text,time\n全网最好,1\n".encode())
    done = scan(rows, "--source-format", "csv", "--kind", "transcript", "--json")
    assert json.loads(done.out)["findings"][0]["spans"] == [{"start": 0, "end": 4, "text": "全网最好"}]
    packed = tmp_path / "rows.gz"
    packed.write_bytes(gzip.compress("text,time\n全网最好,1\n".encode("utf-16")))
    again = scan(packed, "--source-format", "csv", "--kind", "transcript", "--json")
    assert without_place(again.out) == without_place(done.out)
    refused = scan(rows, "--source-format", "docx")
    assert refused.code == 2
    assert refused.err.startswith("error: there is no source format 'docx'\nhint: one of danmaku_xml, ")


def test_what_the_caller_knows(tmp_path: Path) -> None:
    subtitles = tmp_path / "s.srt"
    subtitles.write_text("1\n00:00:01,500 --> 00:00:02,000\n全网最好\n", encoding="utf-8")
    words = ("--room", "1024", "--broadcast", "b7", "--started-at", "2024-06-01T20:00:00+08:00", "--source", "asr")
    alert = json.loads(scan(subtitles, *words, "--alerts", "--json").out)
    facts = alert["room"], alert["broadcast"], alert["at"], alert["offset_ms"]
    assert facts == ("1024", "b7", 1_717_243_201_500, 1500)
    assert json.loads(scan(subtitles, "--alerts", "--json").out)["room"] == "default"
    assert scan(subtitles, "--kind", "comment", "--json").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--started-at", "yesterday"], ["--started-at", "2024-06-01T20:00:00"],
        ["--source-format", "docx"], ["--utc-offset", "8"], ["--utc-offset", "+15:00"], ["--source", ""],
        ["--room", "r" * 257], ["--encoding", "klingon"], ["--rooms", "nowhere.yml"],
    ],
)  # fmt: skip
def test_options_that_cannot_be(words: list[str]) -> None:
    done = scan(STREAM, *words, "--json")
    assert (done.code, done.out) == (2, "")
    assert done.err
    assert "Traceback" not in done.err


def test_what_a_hint_names_can_be_set(tmp_path: Path) -> None:
    event = written(tmp_path / "e", line(FOUND), line(FOUND, id="f", at=1_717_243_200_000),
                    line(FOUND, id="g", at=1_717_243_202_000))
    settings = tmp_path / "redpost.toml"
    settings.write_text("[ingest]\ntext = 3\n", encoding="utf-8")
    assert "at most 3 are taken (split it into several events, or raise ingest.text)" in scan(
        event, "--config", settings).err
    settings.write_text("[alerts]\ngap_ms = 1000\n[tenant]\nzone = 'UTC'\n", encoding="utf-8")
    done = scan(event, "--alerts", "--config", settings)
    assert done.out.endswith("3 events, 3 alerts\n") and "06-01 12:00:00" in done.out
    assert "06-01 20:00:00" in (told := scan(event, "--alerts").out) and told.endswith("3 events, 2 alerts\n")
    settings.write_text("[ingest]\ntxt = 3\n", encoding="utf-8")
    assert "ingest.txt is no setting" in scan(event, "--config", settings).err


def test_a_hint_names_the_option_that_helps(tmp_path: Path) -> None:
    rows = written(tmp_path / "r", "text,time\n全网最好,2024-06-01 20:00:00\n".encode())
    assert "--utc-offset" in scan(rows).err
    assert "--utc-offset" not in scan(rows, "--utc-offset", "+08:00").err
    legacy = written(tmp_path / "g", "text,time\n全网最好的老板,1\n".encode("gb18030"))
    assert "--encoding" in scan(legacy).err
    assert "--encoding" not in scan(legacy, "--encoding", "gb18030").err
    assert "--source-format" in scan(written(tmp_path / "n", "只是一段话\n".encode())).err


def test_rules_hold_from_a_date_on(tmp_path: Path) -> None:
    """A recording without a date is judged as of today, one that says its day as of that day."""
    rules = tmp_path / "rules"
    (rules / "p").mkdir(parents=True)
    (rules / "clauses.yml").write_bytes((RULES / "clauses.yml").read_bytes())
    (rules / "p/pack.yml").write_text("id: p\ntitle: p\nversion: '1'\n", encoding="utf-8")
    text = (RULES / "shop/absolute.yml").read_text("utf-8").replace("shop.absolute", "p.absolute")
    (rules / "p/r.yml").write_text(text + "effective: {from: 2023-05-01}\n", encoding="utf-8")
    for event in (FOUND, FOUND | {"offset_ms": 5}, FOUND | {"at": 5}, FOUND | {"at": "2024-06-01T20:00:00+08:00"}):
        assert redpost("scan", written(tmp_path / "e", line(event)), "--rules", rules).code == 1, event
    assert redpost("scan", written(tmp_path / "e", line(FOUND, at=1_600_000_000_000)), "--rules", rules).code == 0
    old = ("--started-at", "2020-01-01T00:00:00+08:00")
    assert redpost("scan", written(tmp_path / "e", line(FOUND, offset_ms=5)), "--rules", rules, *old).code == 0


def test_what_rules_in_the_shadow_find_is_marked_and_is_no_finding(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    tried = (rules / "shop/absolute.yml").read_text("utf-8").replace("shop.absolute", "shop.tried").replace(
        "status: active", "status: shadow")
    (rules / "shop/tried.yml").write_text(tried, encoding="utf-8")
    events = written(tmp_path / "e", line(FOUND), line(CLEAN, id="c"))
    (found,) = map(json.loads, redpost("scan", events, "--rules", rules, "--json").out.splitlines())
    assert ([f["rule"] for f in found["findings"]], [f["rule"] for f in found["shadows"]]) == (
        ["shop.absolute"], ["shop.tried"])
    told = redpost("scan", events, "--rules", rules).out
    assert "  in the shadow high" in told.replace("   ", " ").replace("shadow  ", "shadow ") and "shop.tried" in told
    assert told.splitlines()[-1] == "2 events, 1 finding in 1 event; 1 in the shadow"
    (rules / "shop/absolute.yml").unlink()
    alone = redpost("scan", events, "--rules", rules, "--json")
    assert alone.code == 0 and json.loads(alone.out)["findings"] == []


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    many = written(tmp_path / "e", *(line(FOUND, id=f"e{n}") for n in range(20_000)))
    for words in ([], ["--json"]):
        command = [sys.executable, "-m", "monitor", "scan", str(many), "--rules", str(RULES), *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
            assert process.stdout is not None and process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 141


@pytest.mark.soak
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    code = ("import resource, sys; from monitor.cli.app import run; run(sys.argv[1:]); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)")
    peaks = []
    for count in (20_000, 600_000):
        with (tmp_path / "e").open("wb") as file:
            for n in range(count):
                file.write(line(CLEAN if n % 50 else FOUND, id=f"e{n}", at=1_717_243_200_000 + n))
        command = [sys.executable, "-c", code, "scan", str(tmp_path / "e"), "--rules", str(RULES), "--json"]
        done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[1] < peaks[0] + 30_000  # KiB


def test_scores_and_opinions_are_told_where_there_is_a_model(tmp_path: Path) -> None:
    said = written(tmp_path / "s.ndjson", line({"id": "1", "kind": "transcript", "room": "r", "text": "全网最好"}))

    def told(model: str) -> tuple[Any, list[Any]]:
        (item,) = [json.loads(each) for each in redpost(
            "scan", said, "--json", "--rules", RULES, model=model).out.splitlines()]
        return item["scores"], [finding.get("opinion") for finding in item["findings"]]

    assert told("none") == ({}, [None])
    for odds, opinion in ((3.0, "agrees"), (-3.0, "differs")):
        model = certain(tmp_path / f"m/{opinion}", {"absolute_claim": odds, "minors": 0.0})
        scores, opinions = told(str(model))
        assert scores == {"absolute_claim": pytest.approx(1 / (1 + math.exp(-odds)), abs=1e-4)}
        assert opinions == [opinion]
