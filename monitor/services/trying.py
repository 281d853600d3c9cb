"""Where an alert would go, why, and what would hold it: asked without an alert being made."""

from typing import Annotated

from msgspec import Meta, Struct

from monitor.domain.alerts import Alert, AlertState
from monitor.domain.errors import NotFound
from monitor.domain.events import Kind, Stage
from monitor.domain.findings import Advice, Severity, Span, Tier
from monitor.domain.organisation import Organisation, Post
from monitor.domain.people import Actor, Permission
from monitor.domain.routing import Hop, at, route
from monitor.domain.suppression import Hold, Silence, holding
from monitor.services.dispatch import Dispatcher, labels_for
from monitor.services.holding import Holds
from monitor.services.organising import Organising
from monitor.services.ports import Clock
from monitor.services.review import ReviewDesk

Word = Annotated[str, Meta(max_length=256)]


class Trial(Struct, frozen=True, kw_only=True):
    """The labels of an alert that there is, or that there might be. `room` brings its unit, platform, vertical, profile
    and tags, where they are not given themselves. `category`, `tag`: several, with commas between."""

    alert: Word = ""
    room: Word = ""
    rule: Word = ""
    category: Word = ""
    sub: Word = ""
    severity: Severity = Severity.MEDIUM
    tier: Tier = Tier.STANDARD
    kind: Kind = Kind.TRANSCRIPT
    stage: Stage = Stage.LIVE
    unit: Word = ""
    platform: Word = ""
    vertical: Word = ""
    profile: Word = ""
    tag: Word = ""
    text: Annotated[str, Meta(max_length=10_000)] = ""


class Step(Struct, frozen=True, kw_only=True):
    """A route that matched. `unit`: whose tree, "" for the tenant's; `place`: in the tree, counted from 1, "" for its
    root; `match`, `unless`: what the route itself says."""

    unit: str
    place: str
    match: dict[str, list[str]]
    unless: dict[str, list[str]]
    post: str
    wait_s: int


class HeldBy(Struct, frozen=True, kw_only=True):
    why: Hold
    by: str


class Tried(Struct, frozen=True, kw_only=True):
    """`labels`: what was asked for. `post` "": nobody's; `also`: posts that see it as well; `why`: the routes that led
    there; `unrouted`: none did, so the post is the default one. `held`: what would hold it now, what counts first."""

    labels: dict[str, list[str]]
    post: str
    title: str
    also: list[str]
    why: list[Step]
    unrouted: bool
    wait_s: int
    held: list[HeldBy]


class RouteDesk:
    def __init__(
        self, dispatcher: Dispatcher, holds: Holds, review: ReviewDesk, organising: Organising, clock: Clock
    ) -> None:
        self._dispatcher, self._holds, self._review = dispatcher, holds, review
        self._organising, self._clock = organising, clock

    async def test(self, actor: Actor, trial: Trial) -> Tried:
        """Raises NotFound for an alert that is not there, and for what is not for this actor to see."""
        organisation, now = self._organising.of(actor.tenant), self._clock.now()
        _check_seen(actor, organisation, trial)
        alert, kind, stage = _imagined(actor.tenant, trial), str(trial.kind), str(trial.stage)
        if trial.alert:
            case = await self._review.case(actor, trial.alert)
            alert, kind, stage = case.alert, case.kept.kind, case.kept.stage
        labels = {**labels_for(organisation, alert, kind, stage), **_given(trial)}
        unit = trial.unit or organisation.unit_of(alert.room)
        if trial.unit:
            labels["unit"] = frozenset(name for name in organisation.above(unit) if name)
        routed = route(labels, organisation.trees(unit), default=organisation.default_post(unit))
        post = organisation.get(Post, routed.post)
        standing = await self._holds.standing(actor.tenant, alert.room)
        storms = {(tenant, rule): name for tenant, rule, name in await self._holds.standing_storms()}
        held = holding(
            tier=alert.tier, severity=alert.severity, category=alert.category, labels=labels, now=now,
            silences=organisation.every(Silence), excepted=self._dispatcher.excepted(organisation, alert, now),
            ruled=None, others=[other for other in standing if other.alert != alert.id],
            storm=storms.get((actor.tenant, alert.rule), ""))
        return Tried(
            labels={name: sorted(values) for name, values in labels.items() if values}, post=routed.post,
            title=post.title if post is not None else "", also=list(routed.also),
            why=[_step(organisation, hop) for hop in routed.why], unrouted=routed.unrouted, wait_s=routed.wait_s,
            held=[HeldBy(why=each.why, by=each.by_what) for each in held])


def _check_seen(actor: Actor, organisation: Organisation, trial: Trial) -> None:
    """Raises NotFound for a room or unit that is not for the actor to see, whether there is one or not."""
    for kind, name, unit in (("room", trial.room, organisation.unit_of(trial.room)), ("unit", trial.unit, trial.unit)):
        if name and not actor.may(Permission.SEE, organisation.above(unit)):
            raise NotFound(f"there is no {kind} {name[:80]}", hint=f"GET /api/v1/records/{kind} lists them")


def _imagined(tenant: str, trial: Trial) -> Alert:
    """An alert with these labels; its text, if there is one, is the hit."""
    spans = [Span(0, len(trial.text), trial.text, "", "plain")] if trial.text else []
    return Alert(
        id="", tenant=tenant, room=trial.room, broadcast="", lane=0, rule=trial.rule, rule_version="", title="",
        category=_several(trial.category), sub=trial.sub, tier=trial.tier, severity=trial.severity, clauses=[],
        scope="event", event_ids=[], at=0, last_at=0, offset_ms=None, accepted_at=0, recurrence=1,
        state=AlertState.OPEN, reason="", text=trial.text, spans=spans, evasive=None, advice=Advice())


def _given(trial: Trial) -> dict[str, frozenset[str]]:
    """What is asked for beyond what the room says of itself."""
    single = {name: getattr(trial, name) for name in ("platform", "vertical", "profile")}
    found = {name: frozenset((value,)) for name, value in single.items() if value}
    return {**found, "tag": frozenset(_several(trial.tag))} if trial.tag else found


def _several(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


def _step(organisation: Organisation, hop: Hop) -> Step:
    tree = dict(organisation.trees(hop.unit))[hop.unit]
    found = at(tree, hop.place)
    return Step(unit=hop.unit, place=".".join(str(number + 1) for number in hop.place), post=hop.post,
                wait_s=hop.wait_s, match={name: list(values) for name, values in found.match.items()},
                unless={name: list(values) for name, values in found.unless.items()})
