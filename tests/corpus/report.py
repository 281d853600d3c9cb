"""python -m tests.corpus.report: all figures of models/corpus/README.md, of the lines as they are."""

from collections import Counter
from collections.abc import Iterable, Sequence

from monitor.domain.labelled import Labelled
from tests.corpus import audit, giveaways, resemblance
from tests.corpus.lines import load, of_one_plan
from tests.quality import second

TYPES = "VENO"


def report(lines: Sequence[Labelled]) -> str:
    told = [f"{'brief':10} {'lines':>6}" + "".join(f"{each:>14}" for each in TYPES)]
    told += [mix(brief, (line for line in lines if line.brief == brief))
             for brief in sorted({line.brief for line in lines})]
    pairs = resemblance.resembling([line.text for line in lines])
    told += [mix("one plan", of_one_plan(list(lines))), mix("all", lines), "",
             f"{len(alike(pairs))} lines ({len(alike(pairs)) / len(lines):.2%}) resemble another", "",
             f"{'told by':14} {'one plan':>8} {'all':>8}   (AUC)"]
    told += [f"{probe:14} {giveaways.told_by(probe, of_one_plan(list(lines))):8.3f} "
             f"{giveaways.told_by(probe, lines):8.3f}" for probe in giveaways.PROBES]
    return "\n".join([*told, "", second.report(audit.audited(lines), audit.SECOND)])


def mix(name: str, lines: Iterable[Labelled]) -> str:
    types = Counter(line.type for line in lines)
    return f"{name:10} {types.total():6}" + "".join(
        f"{types[each]:8} {types[each] / types.total():4.0%} " for each in TYPES)


def alike(pairs: Iterable[resemblance.Pair]) -> set[int]:
    """Indices of the lines that resemble another."""
    return {each for pair in pairs for each in (pair.first, pair.second)}


if __name__ == "__main__":
    print(report(load()), end="")  # noqa: T201
