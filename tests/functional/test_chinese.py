"""Whatever a page can show of what is refused or wrong has Chinese words: read from the source."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from monitor.adapters.web.chinese import SAID, fault_in_chinese, in_chinese
from monitor.adapters.web.validating import validation
from monitor.domain.errors import Fault
from monitor.domain.kinds import KINDS
from monitor.domain.people import Permission
from monitor.domain.phrases import phrase, together
from tests.architecture.test_repository import ROOT

SAYING = {
    "Refused": 1, "InputError": 0, "ConditionError": 0, "Unfit": 0, "Fault": 3, "CorrelationFault": 2, "_problem": 1,
    "_unreachable": 0,
}
"""Who takes a message, and from which argument on; what is told of a file goes by `faults.add` from the second."""
UNSEEN = (
    "cli", "bootstrap", "settings", "adapters/bus", "adapters/ml", "adapters/planfiles", "adapters/recordfiles",
    "adapters/rulefiles/norm", "adapters/rulefiles/drafts", "adapters/rulefiles/rooms.py", "adapters/storage/transfer",
    "adapters/sources/registry", "adapters/sources/model", "adapters/sources/csv", "adapters/sources/unpacking",
    "adapters/sources/encoding", "services/training", "services/replay", "services/retraining", "domain/splitting",
)
"""What people at a command line or programs are told, and nobody at a page."""
TELLING = (
    "domain/correlations", "domain/soundness", "domain/channels", "domain/clocks", "domain/suppression",
    "domain/rulelint", "adapters/rulefiles/registers", "adapters/rulefiles/cases",
)
"""Where messages are returned or yielded, too."""


def words(node: ast.expr, names: Mapping[str, ast.expr]) -> Iterator[str]:
    """The texts that an expression may come to; one that is put together without `phrase` is no text and fails."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name in names:
            yield from words(names[name], names)
        case ast.IfExp(body=body, orelse=other):
            yield from (*words(body, names), *words(other, names))
        case ast.BoolOp(values=values) | ast.Tuple(elts=values) | ast.List(elts=values):
            for value in values:
                yield from words(value, names)
        case ast.BinOp(left=left, right=right) if isinstance(node.op, ast.Add):
            for one in words(left, names):
                yield from (one + other for other in words(right, names))
        case ast.JoinedStr():
            yield f"put together without `phrase`: {ast.unparse(node)}"


def told(path: Path, tree: ast.Module) -> Iterator[str]:
    where = path.as_posix()
    names = {target.id: node.value for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AnnAssign)
             and node.value is not None and isinstance(node.value, ast.Constant | ast.BinOp)
             for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
             if isinstance(target, ast.Name) and target.id.isupper()}
    for node in ast.walk(tree):
        said: list[ast.expr] = []
        match node:
            case ast.Call(func=ast.Name(id="phrase")):
                said = node.args[:1]
            case ast.Call(func=ast.Name(id=name)) if name in SAYING:
                said = [*node.args[SAYING[name]:], *(key.value for key in node.keywords if key.arg == "hint")]
            case ast.Call(func=ast.Attribute(attr="add")) if "rulefiles" in where:
                said = node.args[1:]
            case ast.Return(value=ast.Tuple(elts=values)) if any(name in where for name in TELLING):
                said = values
            case ast.Yield(value=ast.Tuple(elts=values)) if any(name in where for name in TELLING):
                said = values[1:]
            case ast.Yield(value=ast.expr() as value) if any(name in where for name in TELLING):
                said = [value]
        for one in said:
            yield from words(one, names)


def everything() -> set[str]:
    found: set[str] = set()
    for path in sorted((ROOT / "monitor").rglob("*.py")):
        if not path.relative_to(ROOT / "monitor").as_posix().startswith(UNSEEN):
            found |= set(told(path, ast.parse(path.read_text(encoding="utf-8"))))
    return {text for text in found if re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", text)) or "{" in text}


def test_everything_that_a_page_can_show_has_chinese_words() -> None:
    found = everything()
    assert len(found) > 400
    assert sorted(found - set(SAID)) == []


def test_values_are_carried_over() -> None:
    for english, chinese in SAID.items():
        assert set(re.findall(r"\{\w+\}", chinese)) <= set(re.findall(r"\{\w+\}", english)), english


@pytest.mark.parametrize("name", [*KINDS, *Permission])
def test_words_of_closed_sets_are_known(name: str) -> None:
    assert name in SAID


def test_values_that_are_no_words_stay_as_they_are() -> None:
    said = phrase("{kind} {name}: {fault}", kind=phrase("room"), name="host", fault=phrase("there is no unit {unit}",
                                                                                       unit="lead"))
    assert (said, in_chinese(said)) == ("room host: there is no unit lead", "直播间 host：没有组织单元 lead")
    assert in_chinese(together([said, said])) == f"{in_chinese(said)}；{in_chinese(said)}"
    assert in_chinese("nobody says so") is None


def test_a_fault_keeps_its_place_and_what_has_no_words() -> None:
    fault = Fault("a/b.yml", 3, 4, phrase("{key} is no date", key="from"), "nobody says so")
    assert fault_in_chinese(fault) == Fault("a/b.yml", 3, 4, "from 不是日期", "nobody says so")


@pytest.mark.parametrize(("body", "chinese"), [
    (b'{"line": "x"}', "line 处应为整数，却是文字"), (b'{"path": "a"}', "缺少字段 line"), (b"{", "不是合法的 JSON"),
])
def test_what_msgspec_says_stays_its_own_in_english(body: bytes, chinese: str) -> None:
    with pytest.raises(msgspec.DecodeError) as caught:
        msgspec.json.decode(body, type=Fault)
    assert validation(caught.value) == str(caught.value)
    assert (in_chinese(validation(caught.value)) or "").replace("$.", "") == chinese
