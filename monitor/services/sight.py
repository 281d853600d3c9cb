"""What of a tenant's alerts, rooms and events somebody may see: those of the units that they are granted."""

from msgspec import Struct

from monitor.domain.alerts import Alert
from monitor.domain.organisation import Organisation, Post, Room, Unit
from monitor.domain.people import ROOT, Actor, Permission


class Sight(Struct, frozen=True):
    """Alerts of these `units`, and those that lie before these `posts`; events and broadcasts of these `rooms`.
    None: no bounds."""

    units: tuple[str, ...] | None = None
    posts: tuple[str, ...] = ()
    rooms: tuple[str, ...] | None = None


WHOLE = Sight()


def sees(actor: Actor, organisation: Organisation, alert: Alert) -> bool:
    """Members of a post see what lies before it, wherever it comes from."""
    if actor.may(Permission.SEE) or actor.may(Permission.SEE, organisation.above(alert.unit)):
        return True
    post = organisation.get(Post, alert.post)
    return post is not None and actor.id in post.members


def below(organisation: Organisation, unit: str) -> tuple[str, ...]:
    """The unit itself, and all that hang below it; nothing where there is none of this name."""
    return tuple(name for name, _ in organisation.every(Unit) if unit in organisation.above(name))


def sight(actor: Actor, organisation: Organisation) -> Sight:
    granted = actor.units(Permission.SEE)
    if ROOT in granted:
        return WHOLE
    units = {name for name, _ in organisation.every(Unit) if not granted.isdisjoint(organisation.above(name))}
    return Sight(units=tuple(sorted(units)),
                 posts=tuple(name for name, post in organisation.every(Post) if actor.id in post.members),
                 rooms=tuple(name for name, room in organisation.every(Room) if room.unit in units))
