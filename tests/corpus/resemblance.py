"""Which texts resemble one another: Jaccard of their bags of character 3-grams."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

Bag = frozenset[tuple[str, int]]


class Pair(NamedTuple):
    first: int
    second: int
    jaccard: float


def bag(text: str) -> Bag:
    """Its 3-grams, each with its number among equal ones, so that 666 is not 666666; a shorter text is one gram."""
    seen = Counter[str]()
    found = []
    for at in range(max(len(text) - 2, 1)):
        gram = text[at : at + 3]
        seen[gram] += 1
        found.append((gram, seen[gram]))
    return frozenset(found)


def jaccard(one: Bag, other: Bag) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def resembling(texts: Sequence[str]) -> list[Pair]:
    """All pairs (indices into `texts`, first < second) of Jaccard ≥ 0.5.

    Two bags that share half of their union share one of the rarest grams of each, more than half of its bag (prefix
    filtering: Bayardo, Ma and Srikant, 2007); so only lines under the same rare gram are compared.
    """
    bags = [bag(text) for text in texts]
    common = Counter(gram for each in bags for gram in each)
    under: dict[tuple[str, int], list[int]] = defaultdict(list)
    pairs = []
    for this, own in enumerate(bags):
        rare = sorted(own, key=lambda gram: (common[gram], gram))[: len(own) // 2 + 1]
        for other in sorted({other for gram in rare for other in under[gram]}):
            if (alike := jaccard(own, bags[other])) >= 0.5:
                pairs.append(Pair(other, this, alike))
        for gram in rare:
            under[gram].append(this)
    return pairs
