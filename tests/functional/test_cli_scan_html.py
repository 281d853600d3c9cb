"""redpost scan --html: one page for people, whole by itself, with every line and every finding in its place."""

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import scan_html
from monitor.cli.report_page import Line, Mark, Missing, Told, marked, page, words
from monitor.domain import titles
from monitor.domain.alerts import AlertState
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Evasion, Opinion, Severity, Tier
from monitor.domain.moves import Outcome, Remedy
from monitor.domain.rules import CATEGORIES
from tests.functional.clikit import DATA, RULES, STREAM, Done, check_golden, redpost
from tests.functional.fakes import alert, finding_of

EMPTY: Final = ("meta", "input", "br")


class Page(HTMLParser):
    """What a browser would make of it. `text`: what people read, without the style and the script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [facts["id"]] if facts.get("id") else []  # type: ignore[list-item]
        self.links += [facts["href"]] if facts.get("href") else []  # type: ignore[list-item]
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script", "title"):
            self.text += data


def report(tmp_path: Path, *files: str | Path, code: int = 1, rules: Path = RULES) -> str:
    """The page, checked: whole, alone, with links that lead somewhere."""
    out = tmp_path / "report.html"
    done = redpost("scan", *files, "--rules", rules, "--html", out)
    assert done.code == code, done.err
    assert f"wrote {out}" in done.err
    text = out.read_text("utf-8")
    found = Page(text)
    assert len(found.ids) == len(set(found.ids))
    assert {link.removeprefix("#") for link in found.links} <= set(found.ids)
    assert found.tags.count("script") == found.tags.count("style") == 1
    assert not {"img", "link", "iframe", "base"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "style")]
    assert not re.search(r"https?:|url\(|@import", text)
    return text


def event(text: str, **more: Any) -> str:
    return json.dumps({"id": more.pop("id", "e"), "kind": "transcript", "text": text} | more) + "\n"


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(DATA)
    text = report(tmp_path, "stream.ndjson")
    check_golden("report.html", re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d 检查", "2026-11-23 20:00 检查", text))


def test_every_line_and_every_finding_is_in_it(tmp_path: Path) -> None:
    found = Page(report(tmp_path, STREAM))
    events = [json.loads(line) for line in STREAM.read_text("utf-8").splitlines()]
    said = [each["text"] for each in events if each["kind"] in ("transcript", "comment") and "1380" not in each["text"]]
    assert len(said) > 5
    for text in said:
        shown = text.replace("\x1b", "␛").replace("\x07", "␇").replace("\n", "⏎")
        assert re.sub(r"\d", "", shown) in re.sub(r"\d", "", found.text)  # apart from the numbers of findings
    lines = redpost("scan", STREAM, "--rules", RULES, "--json").out.splitlines()
    findings = sum(len(json.loads(line)["findings"]) for line in lines)
    assert findings > 5
    assert [name for name in found.ids if re.fullmatch(r"f\d+", name)] == [f"f{n}" for n in range(1, findings + 1)]
    assert {f"m{n}" for n in range(1, findings + 1)} <= set(found.ids)
    assert "有 1 项未能读取，没有检查" in found.text


def test_contact_data_is_masked_with_and_without_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    texts = "打13800138000", "今晚在13900139000", "全网最好 13700137000"
    path.write_text("".join(event(text, id=text) for text in texts), encoding="utf-8")
    text = report(tmp_path, path)
    assert text.count("***********") >= 3
    assert not re.search(r"13[789]00", text)


def test_a_text_is_text(tmp_path: Path) -> None:
    path = tmp_path / "<img src=x>.ndjson"
    hostile = "<script>alert(1)</script>\x00\x1b\u202e&amp;\"'全网最好"
    path.write_text(event(hostile, room="</style>"), encoding="utf-8")
    text = report(tmp_path, path)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;␀␛\ufffd&amp;amp;&quot;&#x27;" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_evasive_writing_is_told_with_what_it_stands_for(tmp_path: Path) -> None:
    found = Page(report(tmp_path, STREAM))
    assert "夹符号" in found.text
    assert "“加 微.信”即“加微信”" in found.text


def test_a_clause_is_named_with_its_source_and_its_doubts(tmp_path: Path) -> None:
    found = Page(report(tmp_path, STREAM))
    assert "直播行为守则 第十八条第五项 · 某协会 LSM-18-5 待核" in found.text
    assert "AD-09-3 待核" not in found.text


def test_only_the_fitting_rewrites_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text(event("全网最好"), encoding="utf-8")
    assert "全网最好 → 老客回购多的一款" in Page(report(tmp_path, path)).text


def test_what_says_the_same_of_the_same_words_is_one_remark(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(RULES, rules)
    rule = (rules / "shop/absolute.yml").read_text("utf-8").replace("shop.absolute", "shop.again")
    (rules / "shop/again.yml").write_text(re.sub("(?m)^severity: .*$", "severity: low", rule), encoding="utf-8")
    path = tmp_path / "e.ndjson"
    path.write_text(event("全网最好"), encoding="utf-8")
    found = Page(report(tmp_path, path, rules=rules))
    assert found.tags.count("article") == 1 and "1 处需要处理，在 1 行里" in found.text
    assert "另见低 绝对化用语 shop.again" in found.text


def test_a_script_is_a_script(tmp_path: Path) -> None:
    path = tmp_path / "台本.md"
    path.write_text("# 开场\n\n这个品质就是全网最好\n", encoding="utf-8")
    found = Page(report(tmp_path, path))
    assert found.text.lstrip().startswith("跳到全文\n\n台本检查报告\n台本.md")
    assert "第 3 行" in found.text
    assert "0:00" not in found.text  # no time is invented


def test_a_clean_file_and_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text(event("家人们晚上好"), encoding="utf-8")
    assert "没有发现问题" in Page(report(tmp_path, path, code=0)).text
    path.write_text("", encoding="utf-8")
    assert "没有可检查的内容" in Page(report(tmp_path, path, code=0)).text


def test_what_could_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "e.ndjson"
    path.write_text(event("好" * 1_000_000, id="long") + event("家人们晚上好"), encoding="utf-8")
    text = Page(report(tmp_path, path, tmp_path / "nowhere.srt", code=2)).text
    assert "有 1 项未能读取" in text
    assert "未能读取：" in text and "nowhere.srt" in text


def test_long_runs_of_clean_lines_are_folded_and_many_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_html, "CLEAN", 100)
    path = tmp_path / "e.ndjson"
    lines = [event("全网最好" if n == 50 else f"第{n}句", id=f"e{n}") for n in range(400)]
    path.write_text("".join(lines), encoding="utf-8")
    found = Page(report(tmp_path, path))
    assert "第 1 行起" not in found.text  # 50 lines: not folded
    assert "第 52 行起 349 行没有问题，其中 299 行未列出" in found.text
    assert "第99句" in found.text and "第199句" not in found.text
    monkeypatch.setattr(scan_html, "FOUND", 2)
    path.write_text("".join(event("全网最好", id=f"e{n}") for n in range(5)), encoding="utf-8")
    assert "另有 3 处问题未列出" in Page(report(tmp_path, path)).text


def test_a_finding_over_two_lines_is_marked_in_both(tmp_path: Path) -> None:
    path = tmp_path / "e.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\n这个品质就是全网\n\n"
                    "2\n00:00:02,000 --> 00:00:03,000\n最好的家人们\n", encoding="utf-8")
    text = report(tmp_path, path)
    assert '<mark class="high">全网</mark>' in text
    assert '<mark class="high">最好</mark><a class="ref high" id="m1" href="#f1">1</a>' in text


def refused(tmp_path: Path, out: Path) -> Done:
    path = tmp_path / "e.ndjson"
    path.write_text(event("全网最好"), encoding="utf-8")
    done = redpost("scan", path, "--rules", RULES, "--html", out)
    assert done.code == 2
    assert path.read_text("utf-8") == event("全网最好")
    return done


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "no/report.html"):
        done = refused(tmp_path, out)
        assert done.out == ""  # before anything is read
        assert "hint: name a file in a folder that exists" in done.err
    assert "is one of the files to scan" in refused(tmp_path, tmp_path / "e.ndjson").err
    assert "error: cannot write /dev/full: No space left on device" in refused(tmp_path, Path("/dev/full")).err


IN_TIME: Final = """\
id: shop.{name}
title: {title}
tier: standard
category: [identity_ai]
severity: high
status: active
clauses: [AD-09-3]
correlation: {correlation}
advice: {{say: 照提示语念一遍}}
cases:
  - {{events: [{{after: 0s, text: 好}}], until: 2h, expect: none}}
  - {{events: [{{after: 0s, text: 全网最好}}, {{after: 1s, text: 加微信}}], until: 2h, expect: finding}}
"""


@pytest.fixture
def in_time(tmp_path: Path) -> Path:
    """The rules with two in time: a statement that must follow, and one thing after another."""
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    for name, title, correlation in (
        ("notice", "没有更正", "{type: absence, after: {rule: shop.absolute}, unless: [care.despair], within: 60s}"),
        ("lured", "先夸后引", "{type: temporal_ordered, rules: [shop.absolute, shop.contact], timespan: 1h}"),
    ):
        (rules / f"shop/{name}.yml").write_text(
            IN_TIME.format(name=name, title=title, correlation=correlation), encoding="utf-8")
    return rules


def test_missing_statements_are_told_with_when_they_were_due(tmp_path: Path, in_time: Path) -> None:
    path = tmp_path / "e.ndjson"
    script = {"kind": "script", "stage": "preair"}
    for first, later, due in (
        ({"offset_ms": 5_000}, {"offset_ms": 125_000}, "到 0:01:05.0 还没有说"),
        ({"at": "2026-11-23T20:00:00+08:00"}, {"at": "2026-11-23T20:02:00+08:00"},
         "到 2026-11-23 20:01:00+08:00 还没有说"),
        (script, script, "台本里没有写"),
    ):
        path.write_text(event("全网最好", **first) + event("好的", id="f", **later), encoding="utf-8")
        text = Page(report(tmp_path, path, rules=in_time)).text
        assert "缺少 1 项声明" in text
        assert f"高 没有更正 {due} · shop.notice照提示语念一遍中华人民共和国广告法（2021修正） 第九条第三项" in text
        told = redpost("scan", path, "--rules", in_time).out
        where = "  not in the script\n" if first is script else "not said by then\n"
        assert f"{where} high  没有更正" in told
    assert "缺少" not in Page(report(tmp_path, path)).text


def test_a_finding_over_many_lines_is_marked_in_all(tmp_path: Path, in_time: Path) -> None:
    path = tmp_path / "e.ndjson"
    lines = [("全网最好", 0), *((f"第{n}句", n) for n in range(1, 100)), ("加微信", 100)]
    path.write_text("".join(event(text, id=f"e{n}", offset_ms=1000 * n) for text, n in lines), encoding="utf-8")
    text = report(tmp_path, path, rules=in_time)
    refs = re.findall(r'<a class="ref high"( id="m\d")? href="#f(\d)">', text)
    (number,) = {number for number, count in Counter(number for _, number in refs).items() if count == 2}
    assert f'id="f{number}"' in text and f'id="m{number}"' in text


def test_what_lacks_statements_only_is_not_called_clean() -> None:
    told = Told("内容检查报告", ["a"], "", [Line("a", 1, "", "", "好", {}, [])], {}, 1)
    assert "没有发现问题" in page(told)
    assert "没有发现问题" not in page(told._replace(missing=[Missing(finding_of(alert(1, tenant="local")), "")]))


MARKS: Final = st.lists(
    st.builds(Mark, st.integers(-2, 12), st.integers(-2, 12), st.integers(1, 4), st.sampled_from(Severity)), max_size=6)


@given(st.text(max_size=10), MARKS)
def test_marks_change_nothing_but_their_numbers(text: str, marks: list[Mark]) -> None:
    shown = re.sub(r'<a class="ref[^>]*>\d</a>', "", marked(text, marks))
    assert re.sub(r"</?mark[^>]*>", "", shown) == words(text)
    within = [mark for mark in marks if 0 <= mark.start < mark.end <= len(text)]
    assert (("<mark" in shown) == bool(within))
    assert {int(n) for n in re.findall(r'href="#f(\d)"', marked(text, marks))} == {mark.number for mark in within}


def test_everything_has_a_title() -> None:
    assert tuple(titles.CATEGORIES) == CATEGORIES
    for table, of in ((titles.SEVERITIES, Severity), (titles.TIERS, Tier), (titles.EVASIONS, Evasion),
                      (titles.ROLES, Role), (titles.KINDS, Kind), (titles.STAGES, Stage),
                      (titles.OPINIONS, Opinion), (titles.STATES, AlertState), (titles.OUTCOMES, Outcome),
                      (titles.REMEDIES, Remedy)):
        assert set(table) == set(of)
    assert list(titles.SEVERITIES) == list(reversed(Severity))
