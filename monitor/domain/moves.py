"""What people may ask for of an alert, as values that are also the form in which it comes over the wire."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final

from msgspec import Meta, Struct

from monitor.domain.record import Record

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=2_000)]


class Outcome(StrEnum):
    VIOLATION = "violation"
    NO_VIOLATION = "no_violation"
    EXEMPT = "exempt"
    UNCLEAR = "unclear"
    ATTENDED = "attended"  # care only: somebody looked after the person
    NOT_NEEDED = "not_needed"  # care only


OF_CARE: Final = frozenset((Outcome.ATTENDED, Outcome.NOT_NEEDED))


class Remedy(StrEnum):
    SAID = "said"
    CORRECTED_ON_AIR = "corrected_on_air"
    MUTED = "muted"
    COMMENT_WITHDRAWN = "comment_withdrawn"
    PRODUCT_REMOVED = "product_removed"
    LINK_REMOVED = "link_removed"
    ROOM_PAUSED = "room_paused"
    BROADCAST_ENDED = "broadcast_ended"
    REPORTED = "reported"


class Reason(Record, frozen=True, kw_only=True):
    """One line of the table of reasons. `outcomes`: those that it may be given for. `teaches`: whether a decision for
    this reason becomes a label for the classifier."""

    kind: ClassVar[str] = "reason"
    title: Text
    outcomes: tuple[Outcome, ...]
    teaches: bool = True


class Move(Struct, frozen=True, kw_only=True, tag_field="move", tag=str.lower, forbid_unknown_fields=True):
    """What somebody wants done. The form in which it comes over the wire is the form in which it is kept."""


class Claim(Move, frozen=True, tag="claim"):
    """For so long as the lease lasts, nobody else decides. Again by the same person: the lease begins anew."""


class Release(Move, frozen=True, tag="release"):
    """Back to where it was before the claim; of a held alert: into the queue."""


class HandOver(Move, frozen=True, tag="hand_over"):
    to: Id
    note: Text = ""


class Escalate(Move, frozen=True, tag="escalate"):
    """To the post of the unit above."""

    note: Text


class Decide(Move, frozen=True, tag="decide"):
    """`categories`: of those of the alert the ones that are meant; none: all."""

    outcome: Outcome
    reason: Id
    categories: Annotated[tuple[Id, ...], Meta(max_length=17)] = ()
    clause: Annotated[str, Meta(max_length=128)] = ""
    proof: Text = ""
    note: Text = ""


class Rectify(Move, frozen=True, tag="rectify"):
    remedy: Remedy
    note: Text = ""


class Close(Move, frozen=True, tag="close"):
    note: Text = ""


class Reopen(Move, frozen=True, tag="reopen"):
    note: Annotated[str, Meta(min_length=1, max_length=2_000)]


class Undo(Move, frozen=True, tag="undo"):
    """Of one's own decision, within `UNDO_MS`."""


class Note(Move, frozen=True, tag="note"):
    note: Annotated[str, Meta(min_length=1, max_length=2_000)]


AnyMove = Claim | Release | HandOver | Escalate | Decide | Rectify | Close | Reopen | Undo | Note
"""What people may ask for; what time and withdrawals do has functions of its own."""
