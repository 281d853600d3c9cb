"""Which lanes a correlation needs, and so on whose clock it runs.

One that looks at a single lane runs on that lane's clock; one that mixes them needs the merged log. A correlation of
one lane that a mixed one refers to runs in both places, and is quiet in the second.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from monitor.domain.correlations import CorrelationRule, CorrelationType
from monitor.domain.events import HOST_SIDE, KINDS, ROLES, Kind, Role, lane_of
from monitor.domain.rules import Applies

AppliesOf = Callable[[str], Applies]
"""What the rule of this id (no correlation) is looked for in."""


class Placed(Struct, frozen=True):
    """What one correlator is made of."""

    rules: tuple[CorrelationRule, ...]
    quiet: frozenset[str]


def lanes_in(applies: Applies) -> frozenset[int]:
    """Lanes whose events these kinds and speakers choose. An unknown speaker may be a viewer or an official account."""
    kinds = [kind for kind in KINDS if kind is not Kind.SIGNAL and (applies.kinds is None or kind in applies.kinds)]
    roles = set(ROLES if applies.speakers is None else applies.speakers)
    if roles & {Role.VIEWER, Role.OFFICIAL}:
        roles.add(Role.UNKNOWN)
    return frozenset(lane_of(kind, role) for kind in kinds for role in roles)


def lanes_of(rule: CorrelationRule, rules: Mapping[str, CorrelationRule], applies: AppliesOf) -> frozenset[int]:
    """`rules`: all correlations by id. Signals are on the host side."""
    lanes = {HOST_SIDE} if rule.correlation.type is CorrelationType.ABSENCE else set()
    own = lanes_in(rule.applies)
    for name in rule.correlation.refers:
        lanes |= lanes_of(rules[name], rules, applies) if name in rules else lanes_in(applies(name)) & own
    return frozenset(lanes)


def placed(rules: Iterable[CorrelationRule], applies: AppliesOf) -> dict[frozenset[int], Placed]:
    """Lanes → the correlations of the correlator that is fed with these lanes; without those that nothing can reach."""
    by_id = {rule.id: rule for rule in rules}
    lanes = {rule.id: lanes_of(rule, by_id, applies) for rule in by_id.values()}
    found: dict[frozenset[int], Placed] = {}
    for place in sorted(set(lanes.values()) - {frozenset()}, key=sorted):
        own = [name for name in by_id if lanes[name] == place]
        needed = _referred(own, by_id) - set(own)
        found[place] = Placed(tuple(by_id[name] for name in by_id if name in needed or name in own), frozenset(needed))
    return found


def silenced(rules: Iterable[CorrelationRule]) -> frozenset[str]:
    """Rules that make no finding of their own: a correlation says so, or they recognise a statement that must be
    heard."""
    correlations = [rule.correlation for rule in rules]
    return frozenset(
        name for one in correlations for name in (one.unless if one.generate else one.refers))


def _referred(names: Iterable[str], by_id: Mapping[str, CorrelationRule]) -> set[str]:
    """The correlations that these refer to, and those that they refer to in turn."""
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        for name in by_id[ahead.pop()].correlation.refers:
            if name in by_id and name not in found:
                found.add(name)
                ahead.append(name)
    return found
