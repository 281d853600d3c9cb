"""redpost cue send · list · link · links · unlink"""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote as escaped

from cyclopts import Parameter

from monitor.cli.options import LOCAL, TokenFile, Url
from monitor.cli.reviewing import One

if TYPE_CHECKING:
    from monitor.domain.cues import Cue

RoomName = Annotated[str, Parameter(name="ROOM", help="The room, as events name it.")]


def send(
    alert: One, /, *,
    say: Annotated[str, Parameter(help="What the room is to say instead. Default: the advice of the rule.")] = "",
    quote: Annotated[str | None, Parameter(help="The words that are meant. Default: those that were found.")] = None,
    clause: Annotated[str | None, Parameter(help="The clause that it rests on. Default: the rule's first.")] = None,
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Tell the room of an alert what to say instead, at its links and by its channels, while it is on air.

    ```
    redpost cue send 8f3c0d5a… --say "请更正：不能说全网最好"
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.terminal import safe
    from monitor.domain.cues import Cue
    from monitor.services.cueing import Draft

    cue = call(url, token_file, "POST", f"alerts/{escaped(alert, safe='')}/cue", Cue,
               body=Draft(say=say, quote=quote, clause=clause))
    print(safe(f"{cue.id} to {cue.room}: {cue.say}"))
    return 0


def list_(alert: One, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """List what the room was told about an alert, what it answered, and whether the host corrected it on air.

    ```
    redpost cue list 8f3c0d5a…
    ```
    """
    from monitor.adapters.web.cues import CuesAnswer
    from monitor.cli.calling import call
    from monitor.cli.terminal import safe

    found = call(url, token_file, "GET", f"alerts/{escaped(alert, safe='')}/cues", CuesAnswer)
    for cue in found.cues:
        print(safe(told(cue)))
    if not found.cues:
        print("the room was told nothing")
    return 0


def told(cue: "Cue") -> str:
    """A cue in one line, with what came of it."""
    answer = {"": "no answer yet", "seen": "seen", "corrected": "corrected, it says", "not_so": "not so"}[cue.answered]
    after = f", corrected on air after {cue.corrected_after_s} s" if cue.corrected_at is not None else ""
    return f"{cue.by}: {cue.say} · {answer}{': ' + cue.word if cue.word else ''}{after}"


def link(
    room: RoomName, /, *,
    hours: Annotated[float, Parameter(show_default=True, help="How long it shows cues; at most 30 days.")] = 24,
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Make a link that shows host and control room what they are told, and takes their answers; it is printed once.

    Whoever has it needs no account, so pass it on as you would a password.

    ```
    redpost cue link 9001 --hours 8
    ```
    """
    from monitor.adapters.web.cues import LinkBody, LinkMade
    from monitor.cli.calling import call
    from monitor.cli.http import base_of
    from monitor.cli.terminal import tell

    made = call(url, token_file, "POST", f"rooms/{escaped(room, safe='')}/links", LinkMade,
                body=LinkBody(lasts_s=round(hours * 3_600)))
    print(base_of(url) + made.path)
    tell(f"until {_moment(made.link.expires_at)}; redpost cue unlink {room} {made.link.id} ends it", style="dim")
    return 0


def links(room: RoomName, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """List the links of a room, the newest first; their secrets are kept nowhere.

    ```
    redpost cue links 9001
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.lists import print_list
    from monitor.services.roomlinks import LinkPage

    page = call(url, token_file, "GET", f"rooms/{escaped(room, safe='')}/links", LinkPage, params={"limit": 1_000})
    rows = [(each.id, each.by, _moment(each.made_at), _moment(each.revoked_at or each.expires_at),
             "ended" if each.revoked_at else "") for each in page.links]
    print_list(("link", "by", "made", "until", "state"), rows, whole=("link",), nothing="the room has no links")
    return 0


def unlink(
    room: RoomName, link: Annotated[str, Parameter(name="LINK", help="Its id, as `redpost cue links` shows it.")], /, *,
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """End a link: it shows nothing any more, and pages that are open at it end at once.

    ```
    redpost cue unlink 9001 5d41402abc4b2a76
    ```
    """
    from monitor.cli.calling import call
    from monitor.domain.cues import RoomLink

    ended = call(url, token_file, "DELETE", f"rooms/{escaped(room, safe='')}/links/{escaped(link, safe='')}", RoomLink)
    print(f"{ended.id} has ended")
    return 0


def _moment(at: int) -> str:
    """In this machine's zone."""
    from datetime import datetime

    return datetime.fromtimestamp(at / 1_000).astimezone().strftime("%m-%d %H:%M")
