"""A second labelling of a part of the sets, from the taxonomy alone: how far labels hang on who gives them.

python -m tests.quality.second FILE        the sample to be labelled: NDJSON without labels and without the kind of case

The labels go to data/second.jsonl, one {"id", "labels"} a line; `evaluate kappa` compares them with the first ones.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from monitor.domain.labelled import Labelled
from tests.quality.sets import CATEGORIES_AND_CARE, FOLDER, HALVES, Line, load

SECOND: Final = FOLDER / "second.jsonl"
SHARE: Final = 0.1
SEED: Final = "second"
Known = TypeVar("Known", Line, Labelled)


class Unlabelled(msgspec.Struct):
    id: str
    kind: str
    speaker: str
    vertical: str
    text: str


class Labels(msgspec.Struct, frozen=True):
    id: str
    labels: list[str]


class Agreement(NamedTuple):
    """Of one category: lines that only the first, only the second, both have it on; Cohen's kappa."""

    first: int
    second: int
    both: int
    kappa: float


def sample(lines: Iterable[Known], *, share: float = SHARE, seed: str = SEED) -> list[Known]:
    """A share, at least one line, of each stratum (kind of case, first label). The same whatever the lines' order."""
    strata: dict[tuple[str, ...], list[Known]] = defaultdict(list)
    for line in lines:
        strata[line.type, *line.labels[:1]].append(line)
    return [line for some in strata.values()
            for line in _shuffled(some, seed)[:max(1, round(len(some) * share))]]


def _shuffled(lines: Iterable[Known], seed: str = SEED) -> list[Known]:
    return sorted(lines, key=lambda line: blake2b(f"{seed}/{line.id}".encode()).digest())


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Cohen's: (observed - expected agreement) / (1 - expected), of two who say yes or no. NaN where both always say
    the same one thing."""
    n = len(pairs)
    first, second = (sum(pair[side] for pair in pairs) / n for side in (0, 1))
    observed = sum(a == b for a, b in pairs) / n
    expected = first * second + (1 - first) * (1 - second)
    return (observed - expected) / (1 - expected) if expected < 1 else float("nan")


def agreement(pairs: Sequence[tuple[set[str], set[str]]]) -> dict[str, Agreement]:
    """By category, `any` (is there a label at all) and `all` (every line with every category)."""
    by_name = {name: [(name in a, name in b) for a, b in pairs] for name in CATEGORIES_AND_CARE}
    by_name["any"] = [(bool(a), bool(b)) for a, b in pairs]
    by_name["all"] = [pair for name in CATEGORIES_AND_CARE for pair in by_name[name]]
    return {name: _agreement(some) for name, some in by_name.items()}


def _agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    counts = Counter(pairs)
    return Agreement(counts[True, False], counts[False, True], counts[True, True], kappa(pairs))


def report(lines: Iterable[Known] | None = None, file: Path = SECOND) -> str:
    """Counts and, of lines that differ, labels. No texts. Default lines: both halves."""
    known = {line.id: set(line.labels) for line in lines or _both_halves()}
    pairs = [(known[each.id], set(each.labels)) for each in labels_in(file) if each.id in known]
    told = [f"{len(pairs)} of {len(known)} labelled lines labelled twice; "
            f"{sum(a != b for a, b in pairs)} with other labels", "",
            f"{'':20} {'both':>5} {'first only':>10} {'second only':>11}   kappa"]
    told += [f"{name:20} {each.both:5} {each.first:10} {each.second:11}   {each.kappa:.3f}"
             for name, each in agreement(pairs).items()]
    differ = Counter((_named(a), _named(b)) for a, b in pairs if a != b)
    told += ["", "first → second, how often"]
    told += [f"{count:4}  {a} → {b}" for (a, b), count in sorted(differ.items(), key=lambda item: (-item[1], item[0]))]
    return "\n".join(told) + "\n"


def labels_in(file: Path) -> list[Labels]:
    return msgspec.json.Decoder(Labels).decode_lines(file.read_bytes())


def hand_out(lines: Iterable[Known], file: Path) -> None:
    """Writes what a second labeller may see of them."""
    file.write_bytes(b"".join(
        msgspec.json.encode(Unlabelled(line.id, line.kind, line.speaker, line.vertical, line.text)) + b"\n"
        for line in _shuffled(lines)))


def _both_halves() -> list[Line]:
    return [line for half in HALVES for line in load("labelled", half)]


def _named(labels: set[str]) -> str:
    return "+".join(sorted(labels)) or "none"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    lines = [line for half in HALVES for line in sample(load("labelled", half))]
    hand_out(lines, parser.parse_args(arguments).file)


if __name__ == "__main__":
    main()
