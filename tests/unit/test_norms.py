"""An agency's norms from a table: what each cell means, every fault at its row and column, and the files made of it."""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from monitor.adapters.rulefiles import load
from monitor.adapters.rulefiles.importing import Imported, import_norms
from monitor.adapters.rulefiles.norms import CATEGORY_NAMES, COLUMNS, SEVERITIES, TIERS, read_norms
from monitor.adapters.rulefiles.normsheets import MOST_BYTES, MOST_UNPACKED
from monitor.adapters.rulefiles.normtemplate import EXAMPLES, TITLES, write_template
from monitor.domain.correlations import After, CorrelationType
from monitor.domain.errors import InputError, RuleError
from monitor.domain.findings import Severity, Tier
from monitor.domain.rules import CATEGORIES, PROCESS_DUTY, Status
from monitor.domain.rulesets import RuleSet
from monitor.engine.engineset import EngineSet
from tests.unit.rulekit import ZONE, tables
from tests.unit.test_lane import Line, said

DOCS = Path(__file__).parents[2] / "docs/norms.md"
SHORT = ("编号", "层级", "条文", "类别", "要找的说法", "必须说的话", "期限")
Cells = Sequence[object]


def as_csv(path: Path, *rows: Cells, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def as_xlsx(path: Path, *rows: Cells, change: Callable[[Any], None] = lambda sheet: None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book.active)
    book.save(path)
    return path


def faults_of(path: Path) -> list[str]:
    with pytest.raises(RuleError) as caught:
        read_norms(path)
    return [f"{fault.line}:{fault.column} {fault.message}" for fault in caught.value.faults]


def imported(table: Path, folder: Path, **more: str) -> Imported:
    facts = {"pack": "star", "issuer": "星辰传媒", "document": "主播守则"} | more
    return import_norms(table, folder, check=lambda rules: None, **facts)


def test_only_the_drafts_of_the_pack_are_compiled(tmp_path: Path) -> None:
    table, folder, seen = tmp_path / "t.csv", tmp_path / "rules", list[RuleSet]()
    write_template(table)
    imported(table, folder)
    import_norms(table, folder, pack="moon", issuer="月", document="d", check=seen.append)
    (checked,) = seen
    assert {rule.pack for rule in checked.rules} == {"moon"}
    assert len(checked.rules) == 2 and any(path.startswith("star/") for path in checked.sources)


# --- What a table says ---


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_the_template_is_read_as_it_is_written(tmp_path: Path, name: str) -> None:
    write_template(tmp_path / name)
    redline, standard, orientation = read_norms(tmp_path / name)
    assert (redline.tier, redline.category, redline.severity) == (Tier.REDLINE, "absolute_claim", Severity.HIGH)
    assert (redline.terms, redline.exceptions) == (("全网最好", "史上最强"), ("没有最好只有更好",))
    assert (standard.tier, standard.category, standard.within, standard.every) == (
        Tier.STANDARD, "identity_ai", "5m", "30m")
    assert standard.statement == ("本直播间由数字人播报", "我是数字人主播")
    assert (orientation.tier, orientation.category, orientation.source) == (Tier.ORIENTATION, "", "主播守则 第一章")
    assert len(TITLES) == len(COLUMNS) == len(EXAMPLES[0])
    with pytest.raises(InputError, match="there already"):
        write_template(tmp_path / name)


def test_a_template_is_a_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.xlsx or \.csv"):
        write_template(tmp_path / "t.docx")


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("gbk", ","), ("gb18030", ";"), ("utf-8-sig", "\t"), ("utf-16", "\t"), ("utf-8", ",")])
def test_csv_as_it_is_saved_in_china(tmp_path: Path, encoding: str, delimiter: str) -> None:
    row = ("一", "禁止", "不许骂人\n不许起外号", "辱骂骚扰", "蠢货\n笨蛋 ； 废物", "", "")
    table = as_csv(tmp_path / "t.csv", SHORT, row, encoding=encoding, delimiter=delimiter)
    (norm,) = read_norms(table)
    assert (norm.text, norm.terms) == ("不许骂人 不许起外号", ("蠢货", "笨蛋", "废物"))


def test_columns_in_any_order_empty_rows_and_numbers_of_excel(tmp_path: Path) -> None:
    rows = ((), ("条文", "number", "层级"), (), ("不骂人", 1.0, "redline"), (), ("早睡", 2, "原则"))
    table = as_xlsx(tmp_path / "t.xlsx", *rows)
    assert [(n.row, n.number, n.name, n.category) for n in read_norms(table)] == [(4, "1", "1", ""), (6, "2", "2", "")]


@pytest.mark.parametrize(
    ("label", "name"),
    [("3", "3"), ("第十六条", "16"), ("（三）", "3"), ("2.1", "2_1"), ("一百零二", "102"), ("R-3", "r_3"), ("Ａ", "")])
def test_the_number_is_part_of_the_id(tmp_path: Path, label: str, name: str) -> None:
    table = as_csv(tmp_path / "t.csv", SHORT[:3], (label, "红线", "不骂人"))
    if name:
        assert [norm.name for norm in read_norms(table)] == [name]
    else:
        assert faults_of(table) == ["2:1 the number 'Ａ' has no digit and no Latin letter"]


@pytest.mark.parametrize(
    ("text", "times"),
    [("5分钟", ("5m", "")), ("60秒", ("60s", "")), ("开播后10分钟内", ("10m", "")), ("1小时", ("1h", "")),
     ("90s", ("90s", "")),
     ("5分钟，每30分钟", ("5m", "30m")), ("3分 每隔1个小时一次", ("3m", "1h")), ("5m, 每30m", ("5m", "30m"))])
def test_deadlines(tmp_path: Path, text: str, times: tuple[str, str]) -> None:
    table = as_csv(tmp_path / "t.csv", SHORT, ("1", "标准", "要说", "身份与AI标识", "", "我是数字人", text))
    (norm,) = read_norms(table)
    assert (norm.within, norm.every) == times


def test_the_docs_name_all_that_a_cell_may_say() -> None:
    page = DOCS.read_text("utf-8")
    rows = [f"| {titles[0]} | `{key}` |" for key, titles in COLUMNS.items()]
    rows += [f"| {name} | `{category}` |" for name, category in CATEGORY_NAMES.items()]
    assert [row for row in rows if row not in page] == []
    assert [word for word in (*TIERS, *SEVERITIES) if not word.isascii() and word not in page] == []
    assert set(CATEGORY_NAMES.values()) == {*CATEGORIES, PROCESS_DUTY}


# --- What is wrong with it ---

GOOD = ("1", "红线", "不骂人", "辱骂骚扰", "蠢货", "", "")
STANDARD = ("1", "标准", "要说", "身份与AI标识", "", "我是数字人", "5分钟")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], ["1:1 the table has no clauses"]),
        ([SHORT], ["1:1 the table has no clauses"]),
        ([("编号", "条文"), GOOD], ["1:1 the first row names no column 层级"]),
        ([("编号", "层级", "条文", "备住", "编号"), GOOD],
         ["1:4 there is no column '备住'", "1:5 the column 编号 stands twice"]),
        ([("编号", "层级", "", "条文"), GOOD[:4]], ["2:3 '不骂人' stands in a column without a title"]),
        ([SHORT, (*GOOD, "", "多的")], ["2:9 '多的' stands in a column without a title"]),
        ([SHORT, ("", "", "不骂人")], ["2:1 编号 is empty", "2:2 层级 is empty"]),
        ([SHORT, ("1", "红线", "")], ["2:3 条文 is empty"]),
        ([SHORT, ("1", "红", "不骂人")], ["2:2 层级: there is no '红'"]),
        ([SHORT, GOOD, STANDARD, ("一", *GOOD[1:])], ["4:1 the number '一' stands twice, first in row 2"]),
        ([SHORT, ("1", "红线", "不骂人", "", "蠢", "", "")], ["2:5 要找的说法: the term '蠢' is one character"]),
        ([SHORT, ("1", "红线", "不骂人", "辱骂骚拢", "", "", "")], ["2:4 there is no category '辱骂骚拢'"]),
        ([SHORT, ("1", "红线", "不骂人", "absolut_claim", "", "", "")], ["2:4 there is no category 'absolut_claim'"]),
        ([SHORT, ("1", "红线", "不骂人", "", "蠢货；蠢货", "", "")], ["2:5 要找的说法: '蠢货' stands twice"]),
        ([SHORT, ("1", "红线", "要说", "", "", "我是数字人", "")], ["2:6 a statement that must be said is a standard"]),
        ([SHORT, (*STANDARD[:5], "", "5分钟")], ["2:7 there is no statement for this deadline"]),
        ([SHORT, (*STANDARD[:6], "尽快")], ["2:7 '尽快' is no deadline"]),
        ([SHORT, (*STANDARD[:6], "25小时")], ["2:7 25h is out of bounds"]),
        ([SHORT, (*STANDARD[:6], "5分钟，每30秒")], ["2:7 30s is out of bounds"]),
        ([SHORT, ("1", "红线", "不" * 2_001)], ["2:3 条文 has 2001 characters, at most 2000 are taken"]),
        ([SHORT, *[("", "", "")] * 2_000, GOOD], ["2002:1 the table goes beyond row 2,000"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_every_fault_is_told_at_its_place(
    tmp_path: Path, write: Callable[..., Path], rows: list[Cells], told: list[str]
) -> None:
    found = faults_of(write(tmp_path / "t", *rows) if write is as_csv else write(tmp_path / "t.xlsx", *rows))
    assert len(found) == len(told)
    assert all(fault.startswith(start) for fault, start in zip(found, told, strict=True)), found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda sheet: sheet.merge_cells("B2:B3"), "2:2 the cells B2:B3 are merged"),
        (lambda sheet: sheet.cell(2, 3, "=A1&A2"), "2:3 the cell C2 holds a formula, '=A1&A2'"),
        (lambda sheet: sheet.cell(2, 1, date(2026, 1, 3)), "2:1 the cell A2 is a date, '2026-01-03 00:00:00'"),
        (lambda sheet: sheet.cell(2, 4, "#REF!"), "2:4 the cell D2 holds an error, '#REF!'"),
        (lambda sheet: sheet.cell(1_048_576, 1, "1"), "1048576:1 the table goes beyond row 2,000"),
    ],
)
def test_cells_that_are_no_texts(tmp_path: Path, change: Callable[[Any], None], told: str) -> None:
    table = as_xlsx(tmp_path / "t.xlsx", SHORT, GOOD, ("2", *GOOD[1:]), change=change)
    assert told in faults_of(table)


def packed(path: Path, **parts: str) -> Path:
    """A workbook with some of its parts replaced, by the ends of their names."""
    as_xlsx(path, SHORT, GOOD)
    with zipfile.ZipFile(path) as old:
        held = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in held.items():
            new.writestr(name, parts.get(Path(name).stem, data))
    return path


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


def sheet_row(number: int, cells: Sequence[str]) -> str:
    inside = "".join(f"<c r='{column}{number}' t='inlineStr'><is><t>{cell}</t></is></c>"
                     for column, cell in zip("ABC", cells, strict=False))
    return f"<row r='{number}'>{inside}</row>"


TITLED = "<sheetData>" + sheet_row(1, SHORT) + "{}</sheetData>"
WIDE = "".join(f"<row r='{n}'><c r='ZZZ{n}'/></row>" for n in range(2, 10_000))
ENTITIES = "".join(f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


def test_a_workbook_that_claims_a_million_rows_is_read_by_what_it_holds(tmp_path: Path) -> None:
    sheet = SHEET.format("<dimension ref='A1:XFD1048576'/>" + TITLED.format(sheet_row(2, GOOD)))
    assert len(read_norms(packed(tmp_path / "t.xlsx", sheet1=sheet))) == 1


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        ("<x>", "this workbook cannot be read"),
        (SHEET.format("<sheetData><row r='zz'/></sheetData>"), "this workbook cannot be read"),
        (SHEET.format(TITLED.format(WIDE)), "the table goes beyond"),
        (SHEET.format(TITLED.format("<row r='99999999999'><c r='A99999999999'><v>1</v></c></row>")), "has no clauses"),
        (SHEET.format(TITLED.format("") + '<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'),
         "the cells A1:XFD1048576 are merged"),
        (f"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>{ENTITIES}]>" + SHEET.format(TITLED.format(sheet_row(2, ["&i;"]))),
         "this workbook cannot be read"),
        (SHEET.format(" " * MOST_UNPACKED), "the workbook unpacks to over"),
    ],
    ids=["torn", "row", "wide rows", "far row", "all merged", "entities", "bomb"],
)
def test_workbooks_that_are_made_to_harm(tmp_path: Path, sheet: str, told: str) -> None:
    assert any(told in fault for fault in faults_of(packed(tmp_path / "t.xlsx", sheet1=sheet)))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PK\x03\x04 and no more", "this workbook cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a workbook of an old Excel, or one with a password"),
        (b"x" * (MOST_BYTES + 1), "the file has over 2,000,000 bytes"),
        (b"\x00\x01\x02", "this is no text and no workbook"),
        (b"\xff\xff\xff\xff", "this is no text and no workbook"),
        ('编号,层级,条文\n1,红线,"不骂人\n'.encode(), "2:1 the row cannot be read"),
        (b'a,"b"c\n', "1:1 the row cannot be read"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "t").write_bytes(data)
    assert told in faults_of(tmp_path / "t")[0]


def test_a_word_document_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "this workbook cannot be read" in faults_of(tmp_path / "t.xlsx")[0]


# --- What becomes of it ---

NORMS: list[Cells] = [
    (*SHORT, "严重度", "例外"),
    ("一", "红线", "不得用绝对化用语: 介绍“商品”", "绝对化用语", "全网最好；no", "", "", "高", "不是全网最好"),
    ("二", "红线", "不得引导粉丝离开平台交易", "站外引流与诈骗", "", "", "", "", ""),
    ("三", "红线", "不得谈论时事", "时政", "某某某事件", "", "", "高", "某某某新闻"),
    ("四", "红线", "着装得体", "", "低胸短裙", "", "", "", ""),
    ("一", "标准", "开播五分钟内说明由数字人播报", "身份与AI标识", "冒充真人", "我是数字人；数字人播报",
     "5分钟，每30分钟", "中", ""),
    ("二", "标准", "未成年人不得打赏要说明", "未成年人", "", "未成年人不要打赏", "", "", ""),
    ("三", "标准", "保存录像六十天", "经营义务", "", "", "", "", ""),
    ("一", "倡导", "夸人要真诚 | 不 <b> 浮夸", "绝对化用语", "浮夸的话", "", "", "", ""),
]


def test_a_document_of_three_tiers(tmp_path: Path) -> None:
    done = imported(as_csv(tmp_path / "t.csv", *NORMS), tmp_path / "rules")
    rules = load(tmp_path / "rules")
    assert {rule.status for rule in rules.all()} == {Status.DRAFT}
    assert [(rule.id, rule.tier, rule.clauses) for rule in rules.all()] == [
        ("star.redline_1", Tier.REDLINE, ("STAR-R-1",)),
        ("star.redline_2", Tier.REDLINE, ("STAR-R-2",)),
        ("star.standard_1", Tier.STANDARD, ("STAR-S-1",)),
        ("star.standard_1_missing", Tier.STANDARD, ("STAR-S-1",)),
        ("star.standard_1_said", Tier.STANDARD, ("STAR-S-1",)),
        ("star.standard_2_missing", Tier.STANDARD, ("STAR-S-2",)),
        ("star.standard_2_said", Tier.STANDARD, ("STAR-S-2",)),
    ]
    absolute = rules.rules[0]
    assert (absolute.title, absolute.severity) == ("不得用绝对化用语: 介绍“商品”", Severity.HIGH)
    assert [s.terms or s.allow for s in absolute.selections] == [("全网最好", "no"), ("不是全网最好",)]
    first, second = (rule.correlation for rule in rules.correlations)
    assert (first.type, first.after, first.unless) == (CorrelationType.ABSENCE, After(), ("star.standard_1_said",))
    assert (first.within_ms, first.every_ms, second.within_ms, second.every_ms) == (300_000, 1_800_000, 300_000, 0)
    clause = rules.clauses["STAR-R-1"]
    assert (clause.issuer, clause.document, clause.article) == ("星辰传媒", "主播守则", "红线 一")
    assert set(rules.clauses) == {"STAR-R-1", "STAR-R-2", "STAR-S-1", "STAR-S-2", "STAR-O-1"}
    assert set(rules.duties) == {"STAR-S-3"}
    assert [(fate.norm.number, fate.became) for fate in done.fates if not fate.rules] == [
        ("三", "not automated: outside the subject"), ("四", "not automated: outside the subject"),
        ("三", "not automated: a duty of the operator"), ("一", "not automated: a line of the checklist")]
    assert done.fates[1].needs == ("wording to look for", "a severity; it is medium for now", "a true and a false case")
    assert done.fates[5].needs == ("a severity; it is medium for now", "a deadline; it is 5m for now",
                                   "a true and a false case")


def test_a_missing_statement_is_found_once_its_drafts_are_active(tmp_path: Path) -> None:
    write_template(tmp_path / "t.csv")
    imported(tmp_path / "t.csv", tmp_path / "rules")
    for path in (tmp_path / "rules/star").glob("standard_1_*.yml"):
        text = path.read_text("utf-8").replace("status: draft", "status: active").replace("# cases:", "cases:")
        text = text.replace("#   - {", "  - {").replace("一句违规的话", "我是数字人主播")
        path.write_text(text, encoding="utf-8")
    judging = EngineSet(load(tmp_path / "rules"), tables(), zone=ZONE)
    for opening, expected in (("大家好", {"star.standard_1_missing"}), ("大家好，我是数字人主播", set())):
        line = Line(engine=judging)
        outcomes = [line.feed([said(second, opening if second == 40 else "接着讲")], accepted_at=second * 1_000)
                    for second in range(0, 400, 20)]
        assert {finding.rule for outcome in outcomes for finding in outcome.findings} == expected


def test_no_word_of_what_is_outside_the_subject_is_kept(tmp_path: Path) -> None:
    imported(as_csv(tmp_path / "t.csv", *NORMS), tmp_path / "rules")
    files = [path for path in (tmp_path / "rules").rglob("*") if path.is_file()]
    texts = "".join(path.read_text("utf-8") for path in files)
    assert "不得谈论时事" in texts and "全网最好" in texts
    assert [word for word in ("某某某", "低胸", "浮夸的话") if word in texts] == []
    assert "夸人要真诚 \\| 不 &lt;b> 浮夸" in (tmp_path / "rules/star/norms.md").read_text("utf-8")
    other = "".join(path.read_text("utf-8") for path in files if path.name != "norms.md")
    assert "时事" not in other


def test_once_more_keeps_drafts_and_follows_the_table(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    imported(as_csv(tmp_path / "t.csv", *NORMS), folder)
    (folder / "star/mine").mkdir()
    moved = (folder / "star/redline_1.yml").rename(folder / "star/mine/absolute.yml")
    moved.write_text(moved.read_text("utf-8").replace("全网最好", "全网最棒"), encoding="utf-8")
    rows = [*NORMS[:2], *NORMS[3:], ("五", "红线", "不骂人", "辱骂骚扰", "蠢货", "", "", "", "")]
    rows[1] = ("一", "红线", "不得夸大", *rows[1][3:])
    (folder / "star/redline_2.yml").unlink()
    done = imported(as_csv(tmp_path / "t.csv", *rows), folder)
    assert "star.redline_1" in done.kept
    assert done.written == ["star/norms.md", "clauses_star.yml", "duties_star.yml", "star/redline_5.yml"]
    rules = load(folder)
    assert rules.clauses["STAR-R-1"].requirement == "不得夸大"
    assert "全网最棒" in {term for rule in rules.rules for s in rule.selections for term in s.terms}


def test_nothing_is_written_if_the_folder_would_not_load(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    imported(as_csv(tmp_path / "t.csv", *NORMS), folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(RuleError, match="no register has the clause 'STAR-R-2'"):
        imported(as_csv(tmp_path / "t.csv", NORMS[0], NORMS[1], *NORMS[5:]), folder)
    with pytest.raises(RuleError, match="条文 is empty"):
        imported(as_csv(tmp_path / "t.csv", NORMS[0], ("1", "红线", "")), folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("pack", ["", "星辰", "../x", "a/b", "Star", "1st", "x" * 65])
def test_a_pack_needs_a_name(tmp_path: Path, pack: str) -> None:
    with pytest.raises(InputError, match="names no pack"):
        imported(as_csv(tmp_path / "t.csv", *NORMS), tmp_path / "rules", pack=pack)
    assert not (tmp_path / "rules").exists()


def test_the_contexts_of_the_folder_are_taken_along(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    negation = "{title: 否定, parts: [{terms: [不要], side: before, within: 4}]}"
    (folder / "contexts.yml").write_text(f"turns: [但是]\ncontexts: {{negation: {negation}}}\n", encoding="utf-8")
    imported(as_csv(tmp_path / "t.csv", *NORMS), folder, pack="star-two")
    by_id = {rule.id: rule for rule in load(folder).rules}
    assert [s.context for s in by_id["star_two.redline_1"].selections if s.veto] == [("negation",)]
    assert not any(s.context for s in by_id["star_two.standard_1_said"].selections)
