"""The lines of models/corpus, whatever files it holds."""

from pathlib import Path
from typing import Final

from monitor.adapters.ml.labelled import Columns, read_labelled
from monitor.domain.labelled import Labelled

FOLDER: Final = Path(__file__).parents[2] / "models/corpus"
HELD_OUT: Final = ("q", "s", "i")
"""Briefs that the bundled model is tested on."""


def load() -> list[Labelled]:
    return read_labelled(sorted(FOLDER.glob("*.jsonl")), Columns())


def of_one_plan(lines: list[Labelled]) -> list[Labelled]:
    """Lines of the briefs with a file of their own: each was asked for all types in one mix."""
    names = {path.stem for path in FOLDER.glob("*.jsonl")}
    return [line for line in lines if line.brief in names]
