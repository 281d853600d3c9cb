"""The second labelling: how it is drawn, what is compared, what it may show."""

import math
from pathlib import Path

import msgspec
import pytest

from tests.quality import second
from tests.quality.sets import CATEGORIES_AND_CARE, HALVES, Line, load


def lines(count: int, type_: str, *labels: str) -> list[Line]:
    return [Line(id=f"{type_}{''.join(labels)}{n}", type=type_, labels=list(labels), kind="comment", speaker="viewer",
                 vertical="tea", topic="t", text=f"{n}") for n in range(count)]


def test_kappa_of_the_textbook() -> None:
    """Two readers of 50 grants (Wikipedia, Cohen's kappa): both yes 20, both no 15, apart 5 and 10."""
    pairs = [(True, True)] * 20 + [(False, False)] * 15 + [(True, False)] * 5 + [(False, True)] * 10
    assert second.kappa(pairs) == pytest.approx(0.4)
    assert second.kappa([(True, True), (False, False)]) == 1
    assert math.isnan(second.kappa([(False, False)] * 3))


def test_agreement_tells_who_has_it_alone() -> None:
    found = second.agreement([({"minors"}, {"minors"}), ({"minors", "care"}, {"care"}), (set(), {"minors"}),
                              (set(), set())])
    assert found["minors"][:3] == (1, 1, 1) and found["minors"].kappa == 0
    assert found["care"][:3] == (0, 0, 1) and found["care"].kappa == 1
    assert found["any"][:3] == (0, 1, 2)
    assert found["all"][:3] == (1, 1, 2)


def test_every_stratum_is_drawn_from_by_its_share() -> None:
    some = [*lines(100, "V", "minors"), *lines(40, "N"), *lines(3, "E", "care")]
    drawn = second.sample(some, share=0.1)
    assert [sum(line.type == each for line in drawn) for each in "VNE"] == [10, 4, 1]
    assert {line.id for line in second.sample(some[::-1], share=0.1)} == {line.id for line in drawn}
    assert {line.id for line in second.sample(some, share=0.1, seed="other")} != {line.id for line in drawn}


def test_what_is_handed_out_holds_no_label(tmp_path: Path) -> None:
    file = tmp_path / "sample.jsonl"
    second.main([str(file)])
    rows = [msgspec.json.decode(row) for row in file.read_bytes().splitlines()]
    assert {key for row in rows for key in row} == {"id", "kind", "speaker", "vertical", "text"}
    labelled = msgspec.json.Decoder(second.Labels).decode_lines(second.SECOND.read_bytes())
    assert {row["id"] for row in rows} == {each.id for each in labelled}


def test_both_halves_are_labelled_twice_and_no_text_is_told() -> None:
    labelled = msgspec.json.Decoder(second.Labels).decode_lines(second.SECOND.read_bytes())
    assert {name for each in labelled for name in each.labels} == set(CATEGORIES_AND_CARE)
    twice, told = {each.id for each in labelled}, second.report()
    for half in HALVES:
        known = load("labelled", half)
        drawn = [line for line in known if line.id in twice]
        assert len(drawn) >= len(known) / 20
        assert not [line.id for line in drawn if line.text in told or line.id in told]
    assert f"{len(twice)} of " in told and "\nall " in told
