"""redpost held list · show · release · decide · preview; redpost routes test"""

from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from cyclopts import Parameter

from monitor.cli.options import LOCAL, TokenFile, Url

if TYPE_CHECKING:
    from monitor.services.trying import Tried

Why = Annotated[Literal["excepted", "silenced", "same_wording", "inhibited", "storm"], Parameter(
    name="WHY", help="For what reason they are held.")]
By = Annotated[str, Parameter(
    name="BY", help="The exception, silence, storm or alert, as `redpost held list` shows it.")]
Labels = Annotated[list[str] | None, Parameter(
    help="A label and values with commas between; several times for several.", negative="")]


def list_(*, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """List what is held back: how many alerts, for what reason, and by what.

    ```
    redpost held list
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.lists import print_list
    from monitor.services.holding import Holders

    found = call(url, token_file, "GET", "held", Holders)
    rows = [(each.why, each.by, f"{each.held:,}", each.about, each.sample.text[:40]) for each in found.holders]
    print_list(("why", "by", "held", "about", "for example"), rows, whole=("why", "by"), nothing="nothing is held")
    return 0


def show(
    why: Why, by: By, /, *, limit: Annotated[int, Parameter(show_default=True, help="How many at most (200).")] = 50,
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """List the alerts that one of these holds, the most urgent first.

    ```
    redpost held show silenced rehearsal
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.lists import print_list
    from monitor.services.records import AlertPage

    page = call(url, token_file, "GET", _path(why, by), AlertPage, params={"limit": limit})
    rows = [(alert.id, f"{alert.priority:,}", alert.severity, alert.room, alert.title, alert.text[:60])
            for alert in page.alerts]
    print_list(("alert", "urgent", "severity", "room", "what", "words"), rows, whole=("alert", "urgent", "severity"),
               nothing="it holds nothing", cut_at=limit if page.next else None)
    return 0


def release(why: Why, by: By, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Put all that it holds into the queues. Exit code 1 where some may not be released.

    ```
    redpost held release silenced rehearsal
    ```
    """
    return _move(why, by, {"move": "release"}, url, token_file)


def decide(
    why: Why, by: By, /, *,
    outcome: Annotated[Literal["violation", "no_violation", "exempt"], Parameter(help="What they are.")],
    reason: Annotated[str, Parameter(help="Why, by the table of reasons.")],
    clause: Annotated[str, Parameter(help="The clause that it rests on. Default: the rule's first.")] = "",
    proof: Annotated[str, Parameter(help="What an exemption rests on.")] = "",
    note: Annotated[str, Parameter(help="A word to it, kept in each history.")] = "",
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Decide all that it holds alike. Exit code 1 where some may not be decided.

    ```
    redpost held decide storm s5d41402abc4b2a76 --outcome no_violation --reason technical
    ```
    """
    move = {"move": "decide", "outcome": outcome, "reason": reason, "clause": clause, "proof": proof, "note": note}
    return _move(why, by, move, url, token_file)


def preview(
    *, match: Labels = None, unless: Labels = None, url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Count what a silence with such labels would hold, of the open alerts and of those of the last 24 h.

    ```
    redpost held preview --match rule=advertising.superlative --match room=9001,9002 --unless severity=critical
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.terminal import safe
    from monitor.services.holding import Preview

    body = {"match": _labels(match), "unless": _labels(unless)}
    found = call(url, token_file, "POST", "silences/preview", Preview, body=body)
    print(f"{found.standing:,} open alerts, {found.last_day:,} of the last 24 h"
          + ("" if found.complete else f" (of the newest {found.looked_at:,})"))
    for alert in found.sample:
        print(safe(f"  {alert.id}  {alert.room}  {alert.title}  {alert.text[:60]}"))
    return 0


def test(
    *,
    alert: Annotated[str, Parameter(help="An alert whose labels are taken.")] = "",
    room: Annotated[str, Parameter(help="A room; what its record says of it counts.")] = "",
    label: Labels = None,
    text: Annotated[str, Parameter(help="The words that were found, for exceptions.")] = "",
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Tell which post an alert would go to, why, and what would hold it back. Exit code 1 where no route answers.

    ```
    redpost routes test --room 9001 --label category=personal_info --label severity=high
    redpost routes test --alert 8f3c0d5a1b2c3d4e5f607182
    ```
    """
    from monitor.cli.calling import call
    from monitor.services.trying import Tried

    given = {name: ",".join(values) for name, values in _labels(label).items()}
    tried = call(url, token_file, "GET", "routes/test", Tried, params={
        **given, **{name: value or None for name, value in (("alert", alert), ("room", room), ("text", text))}})
    _tell(tried)
    return 1 if tried.unrouted else 0


def _tell(tried: "Tried") -> None:
    from monitor.cli.terminal import safe

    print("labels: " + safe(", ".join(f"{name}={'|'.join(values)}" for name, values in tried.labels.items())))
    for step in tried.why:
        tree = f"of unit {step.unit}" if step.unit else "of the tenant"
        says = [f"{name}={'|'.join(values)}" for name, values in step.match.items()]
        says += [f"not {name}={'|'.join(values)}" for name, values in step.unless.items()]
        print(safe(f"route {step.place or 'root'} {tree}: {', '.join(says) or 'everything'} → {step.post}"))
    post = f"{tried.post} ({tried.title})" if tried.title else tried.post
    if tried.unrouted:
        default = f"; the default post is {post}" if post else ", and there is no default post"
        print(safe(f"unrouted: no route answers{default}"))
    else:
        print(safe(f"post: {post}" + (f"; seen by {', '.join(tried.also)}" if tried.also else "")))
    for held in tried.held:
        print(safe(f"held: {held.why} by {held.by}"))


def _path(why: str, by: str) -> str:
    return f"held/{why}/{quote(by, safe='')}"


def _move(why: str, by: str, move: dict[str, Any], url: str, token_file: TokenFile) -> int:
    """In steps, each of which is told."""
    from monitor.cli.calling import call
    from monitor.cli.terminal import safe, tell
    from monitor.services.holding import MovedAll

    moved, refused, cursor = 0, dict[str, str](), None
    while True:
        done = call(url, token_file, "POST", _path(why, by), MovedAll, body={"move": move, "cursor": cursor})
        moved, cursor = moved + done.moved, done.next
        refused |= done.refused
        if cursor is None:
            break
        tell(f"{moved:,} done, {done.left:,} left", style="dim")
    print(f"{moved:,} alerts" + (f", {len(refused):,} refused" if refused else ""))
    for name, told in list(refused.items())[:20]:
        tell(safe(f"{name}: {told}"), style="yellow")
    return 1 if refused else 0


def _labels(given: list[str] | None) -> dict[str, list[str]]:
    """Raises InputError for what is no label with values."""
    from monitor.domain.errors import InputError

    found: dict[str, list[str]] = {}
    for word in given or []:
        name, mark, values = word.partition("=")
        several = [value.strip() for value in values.split(",") if value.strip()]
        if not (name and mark and several):
            raise InputError(f"{word[:80]!r} is no label with values", hint="write it as room=9001,9002")
        found.setdefault(name, []).extend(several)
    return found
