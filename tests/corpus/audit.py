"""A second labelling of a twentieth of the lines, from the taxonomy alone.

python -m tests.corpus.audit FILE BRIEF…     a sample of these briefs to be labelled: no labels, no type, no topic

The labels go to second.jsonl, one {"id", "labels"} a line; `python -m tests.corpus.report` compares them.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from monitor.domain.labelled import Labelled
from tests.corpus.lines import load
from tests.quality import second

SECOND: Final = Path(__file__).parent / "second.jsonl"
SHARE: Final = 0.05


def audited(lines: Iterable[Labelled]) -> list[Labelled]:
    """The lines of the briefs that second labels were given to."""
    twice = {each.id for each in second.labels_in(SECOND)}
    known = list(lines)
    briefs = {line.brief for line in known if line.id in twice}
    return [line for line in known if line.brief in briefs]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("briefs", nargs="+")
    given = parser.parse_args(arguments)
    lines = [line for line in load() if line.brief in given.briefs]
    second.hand_out(second.sample(lines, share=SHARE), given.file)


if __name__ == "__main__":
    main()
