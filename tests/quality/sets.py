"""The evaluation sets: lines that authors who write no rules wrote and labelled from the taxonomy alone; see README.md.

`*_dev.jsonl`, `*_more.jsonl` and `*_voices.jsonl` may be read while rules are written; of `*_test.jsonl` and
`*_later.jsonl` only counts are printed. Dev and test are halves, split by author and topic, so that lines which
resemble one another rarely stand on both sides; more, voices and later are other authors'.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from monitor.domain.rules import CATEGORIES

FOLDER: Final = Path(__file__).parent / "data"
CORPUS: Final = Path(__file__).parents[2] / "models/corpus"
"""What may be read also trains the classifier."""
HALVES: Final = ("dev", "test")
READABLE: Final = ("dev", "more", "voices")
UNSEEN: Final = ("test", "later")
CARE: Final = "care"
CATEGORIES_AND_CARE: Final = (*CATEGORIES, CARE)


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`type`: V violation · E violation in an evasive spelling (`plain`: without it) · N hard negative · O ordinary."""

    id: str
    type: str
    labels: list[str]
    kind: str
    speaker: str
    vertical: str = ""
    topic: str = ""
    text: str
    plain: str = ""


def half_of(author: str, topic: str) -> str:
    return HALVES[blake2b(f"{author}/{topic}".encode(), digest_size=1).digest()[0] & 1]


def load(which: str, half: str) -> list[Line]:
    """`which`: labelled · ordinary; `half`: one of READABLE or UNSEEN."""
    return msgspec.json.Decoder(Line).decode_lines(_file(which, half).read_bytes())


def save(which: str, half: str, lines: list[Line]) -> None:
    data = b"".join(msgspec.json.encode(line) + b"\n" for line in sorted(lines, key=lambda line: line.id))
    _file(which, half).write_bytes(data)


def _file(which: str, half: str) -> Path:
    return (CORPUS if half in READABLE else FOLDER) / f"{which}_{half}.jsonl"
