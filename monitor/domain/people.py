"""Who may do what, and where: one table of permissions, roles that are granted on units."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=128)]
ROOT: Final = ""
"""The whole tenant, above all its units."""


class Role(StrEnum):
    REVIEWER = "reviewer"
    LEAD = "lead"
    OPERATOR = "operator"
    UNIT_ADMIN = "unit_admin"
    COORDINATOR = "coordinator"
    AUDITOR = "auditor"
    OPS = "ops"


class Permission(StrEnum):
    SEE = "see"  # alerts, evidence, rooms, the queue
    REVIEW = "review"  # claim, decide, note
    LEAD = "lead"  # act on what others claimed, reopen, silences, release what is held
    CUE = "cue"  # tell host and control room
    ROSTER = "roster"  # shifts and hand-over notes
    PLAN = "plan"  # the evening's plan, products
    ORGANISE = "organise"  # units, rooms, hosts, posts, routes
    RULES = "rules"  # rules, exceptions, models
    PEOPLE = "people"  # users and their roles
    LINKS = "links"  # what crosses to another tenant
    AUDIT = "audit"  # the trail and the ledgers
    OPERATE = "operate"  # metrics, reloads, notifiers


MAY: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.REVIEWER: frozenset((Permission.SEE, Permission.REVIEW, Permission.CUE)),
    Role.LEAD: frozenset((
        Permission.SEE, Permission.REVIEW, Permission.LEAD, Permission.CUE, Permission.ROSTER, Permission.PLAN,
        Permission.LINKS, Permission.AUDIT,
    )),
    Role.OPERATOR: frozenset((Permission.SEE, Permission.PLAN, Permission.ORGANISE, Permission.RULES)),
    Role.UNIT_ADMIN: frozenset((
        Permission.SEE, Permission.ROSTER, Permission.PLAN, Permission.ORGANISE, Permission.RULES, Permission.PEOPLE,
        Permission.AUDIT,
    )),
    Role.COORDINATOR: frozenset((Permission.SEE, Permission.LINKS)),
    Role.AUDITOR: frozenset((Permission.SEE, Permission.AUDIT)),
    Role.OPS: frozenset((Permission.OPERATE,)),
}
"""Every role and all that it may do. Nothing else grants anything."""


SCOPED: Final[Mapping[str, frozenset[Permission]]] = {
    "read": frozenset((Permission.SEE, Permission.AUDIT)),
    "review": frozenset((Permission.SEE, Permission.REVIEW, Permission.LEAD, Permission.CUE, Permission.LINKS)),
    "organise": frozenset((
        Permission.SEE, Permission.ROSTER, Permission.PLAN, Permission.ORGANISE, Permission.RULES, Permission.LINKS)),
    "people": frozenset((Permission.SEE, Permission.PEOPLE)),
    "admin": frozenset(Permission),
}
"""What a token may do in its whole tenant, by its scopes."""


class Grant(Struct, frozen=True, forbid_unknown_fields=True):
    """A role on a unit and all that hangs below it; `ROOT`: on the whole tenant."""

    role: Role
    unit: Annotated[str, Meta(max_length=128)] = ROOT


class Actor(Struct, frozen=True, kw_only=True):
    """Who acts in a tenant. `id`: the login of a person, or the id of a token, whose permissions hold
    `everywhere` in the tenant; `homes`: the other tenants where they work, whose cases they must not rule on."""

    id: str
    tenant: str
    grants: tuple[Grant, ...] = ()
    everywhere: frozenset[Permission] = frozenset()
    homes: frozenset[str] = frozenset()

    def may(self, permission: Permission, unit_path: Iterable[str] = (ROOT,)) -> bool:
        """`unit_path`: the unit in question and all above it; the root is above everything."""
        where = {ROOT, *unit_path}
        return permission in self.everywhere or any(
            permission in MAY[grant.role] and grant.unit in where for grant in self.grants)

    def units(self, permission: Permission) -> frozenset[str]:
        """The units at which it is granted; it holds below them, too. `ROOT` among them: everywhere."""
        found = frozenset(grant.unit for grant in self.grants if permission in MAY[grant.role])
        return found | {ROOT} if permission in self.everywhere else found
