"""redpost rules template · import: an agency's own norms, from the table to drafts that lint."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.functional.clikit import ROOT, redpost

STAR: Final = ("--pack", "star", "--issuer", "星辰传媒", "--document", "主播守则")


@pytest.fixture(autouse=True)
def here(tmp_path: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(tmp_path)
    yield
    os.chdir(before)


def worked_example() -> list[str]:
    """The table and what the command says of it, from the docs."""
    page = (ROOT / "docs/norms.md").read_text("utf-8").partition("## An example\n")[2]
    table = [line.strip("| ").split("|") for line in page.splitlines() if line.startswith("| ")]
    rows = [",".join(cell.strip() for cell in cells) for cells in table[:5]]
    Path("norms.csv").write_text("\n".join(rows), encoding="utf-8")
    return page.partition("```console\n$ ")[2].partition("```")[0].split("\n", 1)


def test_the_example_of_the_docs() -> None:
    command, told = worked_example()
    done = redpost(*command.replace("norms.xlsx", "norms.csv").split()[1:])
    assert (done.code, done.out, done.err) == (0, told, "")


@pytest.mark.parametrize("name", ["norms.csv", "norms.xlsx"])
def test_from_the_template_to_drafts_whose_cases_hold(name: str) -> None:
    assert redpost("rules", "template", name) == (0, f"{name}\n", "")
    assert redpost("rules", "import", name, *STAR).code == 0
    assert redpost("rules", "lint", "rules").code == 0
    missing = Path("rules/star/standard_1_missing.yml")
    missing.write_text(missing.read_text("utf-8").replace("# cases:", "cases:").replace("#   - {", "  - {"), "utf-8")
    assert redpost("rules", "test", "rules") == (0, "2 cases of 3 rules: 2 hold\n", "")
    again = redpost("rules", "import", name, *STAR)
    assert again.out.endswith("rules/star/norms.md\nrules/clauses_star.yml\n\n3 clauses, 3 drafts, 3 kept\n")


def test_a_faulty_table_is_told_by_row_and_column_and_nothing_is_written() -> None:
    Path("norms.csv").write_text("编号,层级,条文\n1,红,不骂人\n", encoding="gbk")
    assert redpost("rules", "import", "norms.csv", "--pack", "star") == (
        2, "", "norms.csv:2:2: 层级: there is no '红'\n      = did you mean 红线?\n1 fault\n")
    nowhere = redpost("rules", "import", "nowhere.csv", "--pack", "star")
    assert nowhere.err.startswith("error: cannot read or write nowhere.csv")
    assert not Path("rules").exists()


def test_a_term_that_folds_to_nothing_is_found_before_anything_is_written() -> None:
    Path("norms.csv").write_text("编号,层级,条文,类别,要找的说法\n1,红线,不骂人,辱骂骚扰,！！\n", encoding="utf-8")
    done = redpost("rules", "import", "norms.csv", "--pack", "star")
    assert done.code == 2
    assert "star/redline_1.yml" in done.err
    assert not Path("rules").exists()
