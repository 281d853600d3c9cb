"""Which post an alert goes to: a tree of matchers over its labels, inherited down the unit tree.

The tree of the room's own unit is asked first, then that of the unit above, up to the tenant's; the first one that has
an answer decides. What no tree answers is `unrouted`: it lies with the default post, is shown as such and counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from monitor.domain.events import Kind, Stage
from monitor.domain.findings import Severity, Tier
from monitor.domain.phrases import phrase

LABELS: Final = (
    "category", "sub", "severity", "tier", "kind", "stage", "rule", "unit", "platform", "vertical", "profile", "tag",
    "room",
)
"""What a matcher may ask for. An alert may have several categories, tags and units (its own and those above)."""

_DEEPEST: Final = 16
"""Routes below one another."""

Labels = Mapping[str, frozenset[str]]
Values = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=128)], ...], Meta(min_length=1, max_length=256)]


class Route(Struct, frozen=True, kw_only=True, rename={"go_on": "continue"}, forbid_unknown_fields=True):
    """`match`: one of the values of each label must be the alert's; `unless`: none may be. A child that matches decides
    before its parent. `post` "": the parent's. `go_on`: routes after this one are asked, too, and their posts see the
    alert as well. `wait_s`: a message about it waits for more of its room.
    """

    match: dict[str, Values] = {}
    unless: dict[str, Values] = {}
    post: Annotated[str, Meta(max_length=128)] = ""
    go_on: bool = False
    wait_s: Annotated[int, Meta(ge=0, le=3_600)] = 0
    routes: Annotated[tuple["Route", ...], Meta(max_length=256)] = ()

    def holds(self, labels: Labels) -> bool:
        nothing: frozenset[str] = frozenset()
        return all(not labels.get(name, nothing).isdisjoint(values) for name, values in self.match.items()) and all(
            labels.get(name, nothing).isdisjoint(values) for name, values in self.unless.items())


class Hop(Struct, frozen=True):
    """A route that matched: at which unit, and its place in the tree there (indices from the root)."""

    unit: str
    place: tuple[int, ...]
    post: str
    wait_s: int


class Routed(Struct, frozen=True):
    """`post` owns the alert, `also` see it; `why` leads there. `unrouted`: no route answered."""

    post: str
    also: tuple[str, ...] = ()
    why: tuple[Hop, ...] = ()
    wait_s: int = 0
    unrouted: bool = False


def route(labels: Labels, trees: Sequence[tuple[str, Route]], *, default: str) -> Routed:
    """`trees`: (unit, tree) from the room's unit upwards. `default`: the post of what none answers."""
    for unit, tree in trees:
        hops = [hop for hop in _matching(tree, labels, unit, (), "", 0) if hop.post]
        if hops:
            posts = tuple(dict.fromkeys(hop.post for hop in hops))
            return Routed(posts[0], posts[1:], tuple(hops), hops[0].wait_s)
    return Routed(default, unrouted=True)


def _matching(
    node: Route, labels: Labels, unit: str, place: tuple[int, ...], post: str, wait_s: int
) -> Iterator[Hop]:
    """Depth first; a node answers itself where none of its children does."""
    if not node.holds(labels):
        return
    post, wait_s = node.post or post, node.wait_s or wait_s
    answered = False
    for number, child in enumerate(node.routes):
        found = list(_matching(child, labels, unit, (*place, number), post, wait_s))
        yield from found
        answered = answered or bool(found)
        if found and not child.go_on:
            return
    if not answered:
        yield Hop(unit, place, post, wait_s)


def labels_of(
    *, category: Sequence[str], sub: str, severity: Severity, tier: Tier, rule: str, kind: str,
    stage: str, room: str, units: Sequence[str], platform: str, vertical: str, profile: str,
    tags: Sequence[str],
) -> dict[str, frozenset[str]]:
    """`units`: the room's own and those above it. "": there is none."""
    single = {"sub": sub, "severity": severity, "tier": tier, "rule": rule, "kind": kind, "stage": stage,
              "room": room, "platform": platform, "vertical": vertical, "profile": profile}
    several = {"category": category, "unit": units, "tag": tags}
    return {
        **{name: frozenset((str(value),) if value else ()) for name, value in single.items()},
        **{name: frozenset(values) for name, values in several.items()},
    }


def faults(tree: Route, posts: Sequence[str]) -> list[str]:
    """What is wrong with a tree, each with its place: labels that do not exist, values that no label can have, posts
    that there are not, routes that are never reached, and those that lie too deep."""
    found: list[str] = []
    _check(tree, set(posts), (), found)
    return found


_CLOSED: Final = {"severity": frozenset(Severity), "tier": frozenset(Tier), "kind": frozenset(Kind),
                  "stage": frozenset(Stage)}


def _named(place: tuple[int, ...]) -> str:
    return phrase("route {number}", number=".".join(str(n + 1) for n in place))


def _check(node: Route, posts: set[str], place: tuple[int, ...], found: list[str]) -> None:
    where = phrase("the root route") if not place else _named(place)
    for name, values in (*node.match.items(), *node.unless.items()):
        if name not in LABELS:
            found.append(phrase("{where}: there is no label {name}; one of {names}", where=where, name=repr(name[:40]),
                                names=", ".join(LABELS)))
        elif strangers := [value for value in values if name in _CLOSED and value not in _CLOSED[name]]:
            found.append(phrase("{where}: no {name} is {value}; one of {names}", where=where, name=name,
                                value=repr(strangers[0][:40]), names=", ".join(sorted(_CLOSED[name]))))
    if node.post and node.post not in posts:
        found.append(phrase("{where}: there is no post {post}; one of {names}", where=where, post=repr(node.post[:40]),
                            names=", ".join(sorted(posts))))
    if node.routes and len(place) == _DEEPEST:
        found.append(phrase("{where}: routes lie {most} deep at most", where=where, most=_DEEPEST))
        return
    open_before: int | None = None
    for number, child in enumerate(node.routes):
        if open_before is not None:
            found.append(phrase("{where}: never reached: {other} takes everything", where=_named((*place, number)),
                                other=_named((*place, open_before))))
        elif not child.match and not child.unless and not child.go_on:
            open_before = number
        _check(child, posts, (*place, number), found)


def at(tree: Route, place: Sequence[int]) -> Route:
    """The route at a place of the tree (indices from the root)."""
    for number in place:
        tree = tree.routes[number]
    return tree
