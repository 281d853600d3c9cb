"""Lists on the terminal."""

import pytest

from monitor.cli.lists import print_list

NAME = "8f3c0d5a1b2c3d4e5f607182"


def test_an_id_stays_whole_however_narrow_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
                                                ) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    rows = [(NAME, "2,880", "demo-jewellery-and-more", "整个四川翻一遍也找不出第二家" * 2)]
    print_list(("alert", "urgent", "room", "words"), rows, whole=("alert",), nothing="none", cut_at=1)
    told = capsys.readouterr().out
    assert NAME in told and told.endswith("and more: --limit is 1\n")
    assert "…" not in told and "".join(told.split()).count("整") == 2


def test_where_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(("a",), [], nothing="nothing is held", cut_at=None)
    assert capsys.readouterr().out == "nothing is held\n"
