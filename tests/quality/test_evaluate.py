"""What the evaluation counts."""

from pathlib import Path

import pytest

from tests.quality import smallrules
from tests.quality.evaluate import Judge, measure
from tests.quality.sets import HALVES, READABLE, UNSEEN, Line, half_of, load


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(smallrules.write(tmp_path))


def line(text: str, type_: str = "V", *labels: str, plain: str = "") -> Line:
    return Line(id=text, type=type_, labels=list(labels), kind="transcript", speaker="host", vertical="finance",
                topic="t", text=text, plain=plain)


def test_a_rule_that_only_serves_others_is_no_finding(judge: Judge) -> None:
    said = line("投资有风险，收益不作保证", "N")
    assert judge.labels([said, line("这个保本保息")], [said.text, "这个保本保息"]) == [set(), {"promise_return"}]


def test_what_is_counted(judge: Judge) -> None:
    lines = [line("这个保本保息", "V", "promise_return"), line("跟着我稳赚", "V", "promise_return", "identity_ai"),
             line("别信保本保息", "N"), line("保·本·保·息", "E", "promise_return", plain="保本保息")]
    each, total = measure(judge, lines, [line("投资有风险", "O"), line("保本保息", "O")])
    counts = each["promise_return"]
    assert (counts.wanted, counts.found, counts.right, counts.hard_alarms) == (3, 3, 2, 1), counts
    assert "recall 0.667 precision 0.667 F1 0.667 · 1 alarms on hard negatives" in str(counts)
    assert each["identity_ai"].wanted == 1 and each["identity_ai"].right == 0
    assert total["recall"] == 1 / 3 and total["hard_alarms"] == 1 and total["ordinary_alarms"] == 0.5
    assert total["evasive_recall"] == total["plain_recall"] == total["evasive_of_plain"] == 1


def test_what_is_read_and_what_is_not_share_no_text() -> None:
    read, unseen = ({line.text for which in ("labelled", "ordinary") for half in halves for line in load(which, half)}
                    for halves in (READABLE, UNSEEN))
    assert len(read) > 10_000 and len(unseen) > 4_000
    assert not read & unseen


def test_the_halves_share_no_topic_of_an_author_and_no_text() -> None:
    where: dict[str, set[str]] = {}
    count = 0
    for which in ("labelled", "ordinary"):
        for half in HALVES:
            for each in load(which, half):
                count += 1
                assert half_of(each.id[0], each.topic) == half, each.id
                where.setdefault(each.text, set()).add(half)
    assert count > 7_000
    assert all(len(halves) == 1 for halves in where.values())
