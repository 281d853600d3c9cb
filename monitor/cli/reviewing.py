"""redpost review list · show · claim · release · hand-over · escalate · decide · undo · rectify · close · reopen …"""

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from monitor.cli.options import LOCAL, TokenFile, Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.domain.alerts import Alert
    from monitor.domain.moves import AnyMove
    from monitor.services.cases import Card
    from monitor.services.review import History

Alerts = Annotated[list[str], Parameter(name="ALERT", help="Ids, as `redpost review list` shows them.")]
One = Annotated[str, Parameter(name="ALERT", help="Its id, as `redpost review list` shows it.")]
Note = Annotated[str, Parameter(help="A word to it, kept in its history.")]
OutcomeName = Literal["violation", "no_violation", "exempt", "unclear", "attended", "not_needed"]
RemedyName = Literal["said", "corrected_on_air", "muted", "comment_withdrawn", "product_removed", "link_removed",
                     "room_paused", "broadcast_ended", "reported"]


def list_(
    *,
    post: Annotated[str, Parameter(help="Only this post's queue. Default: all that you may see.")] = "",
    room: Annotated[str, Parameter(help="Only this room.")] = "",
    severity: Annotated[Literal["info", "low", "medium", "high", "critical"] | None, Parameter(
        help="Only this severity.")] = None,
    mine: Annotated[bool, Parameter(help="Only what you have claimed.")] = False,
    limit: Annotated[int, Parameter(show_default=True, help="How many moments at most (200).")] = 50,
    url: Url = LOCAL,
    token_file: TokenFile = None,
) -> int:
    """List what somebody has to decide, the most urgent first.

    ```
    redpost review list
    redpost review list --post network-security --mine
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.lists import print_list
    from monitor.services.cases import QueuePage

    page = call(url, token_file, "GET", "queue", QueuePage, params={
        "post": post or None, "room": room or None, "severity": severity, "claimed_by": "me" if mine else None,
        "limit": limit})
    rows = [row for card in page.cards for row in _rows(card)]
    print_list(("alert", "urgent", "severity", "state", "post", "room", "what", "words"), rows,
               whole=("alert", "urgent", "severity"), nothing="nothing is to be decided",
               cut_at=limit if page.next else None)
    return 0


def show(alert: One, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Show an alert with its evidence, its clauses, what the room was told, and its history.

    ```
    redpost review show 8f3c0d5a1b2c3d4e5f60718293a4b5c6
    ```
    """
    from monitor.adapters.web.cues import CuesAnswer
    from monitor.cli.calling import call
    from monitor.cli.cueing import told as cue_told
    from monitor.cli.terminal import safe
    from monitor.services.records import Evidence
    from monitor.services.review import History

    found = call(url, token_file, "GET", f"alerts/{_safe_id(alert)}", Evidence)
    history = call(url, token_file, "GET", f"alerts/{_safe_id(alert)}/history", History)
    told = found.alert
    print(safe(f"{told.severity} · {told.title} · {', '.join(told.category)} · room {told.room} · {told.state}"))
    print(safe(f"rule {told.rule}, post {told.post or 'none'}" + (f", claimed by {told.claimed_by}"
                                                                 if told.claimed_by else "")))
    print(safe(f"「{told.text}」 {words_of(told)}"))
    for clause in found.clauses:
        print(safe(f"clause {clause.id} {clause.document} {clause.article}: {clause.requirement}"))
    if told.advice.say:
        print(safe(f"instead: {told.advice.say}"))
    for line in found.context:
        print(safe(f"  {_time(line.at)} {line.role} {line.text}"))
    for cue in call(url, token_file, "GET", f"alerts/{_safe_id(alert)}/cues", CuesAnswer).cues:
        print(safe(f"cue {cue_told(cue)}"))
    if (heard := history.case.kept.corrected) is not None:
        print(safe(f"corrected on air after {heard.after_s} s: 「{heard.quote}」"))
    _print_history(history)
    return 0


def alike(alert: One, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """List open alerts of other rooms with the same rule and words, to be decided together.

    ```
    redpost review alike 8f3c0d5a1b2c3d4e5f60718293a4b5c6
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.terminal import safe
    from monitor.services.holding import Alike

    found = call(url, token_file, "GET", f"alerts/{_safe_id(alert)}/alike", Alike)
    for each in found.alerts:
        print(safe(f"{each.id}  {each.state}  {each.room}  {words_of(each)}"))
    if not found.alerts:
        print("nowhere else")
    return 0


def claim(alerts: Alerts, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Claim alerts: until the lease ends, nobody else decides them.

    ```
    redpost review claim 8f3c0d5a…
    ```
    """
    from monitor.domain.moves import Claim

    return _move(alerts, Claim(), url, token_file)


def release(alerts: Alerts, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Give back what was claimed; let what is held into the queue.

    ```
    redpost review release 8f3c0d5a…
    ```
    """
    from monitor.domain.moves import Release

    return _move(alerts, Release(), url, token_file)


def hand_over(
    alerts: Alerts, /, *, to: Annotated[str, Parameter(help="Who goes on with it.")], note: Note = "",
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Hand claimed alerts over to somebody else.

    ```
    redpost review hand-over 8f3c0d5a… --to zhao --note "我要下班"
    ```
    """
    from monitor.domain.moves import HandOver

    return _move(alerts, HandOver(to=to, note=note), url, token_file)


def escalate(alerts: Alerts, /, *, note: Note = "", url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Pass alerts on to the post of the unit above.

    ```
    redpost review escalate 8f3c0d5a… --note "请上级看"
    ```
    """
    from monitor.domain.moves import Escalate

    return _move(alerts, Escalate(note=note), url, token_file)


def decide(
    alerts: Alerts,
    /,
    *,
    outcome: Annotated[OutcomeName, Parameter(
        help="What it is; of alerts about people in need attended or not_needed.")],
    reason: Annotated[str, Parameter(help="Why, by the table of reasons in docs/post.md, or one of the tenant's own.")],
    category: Annotated[list[str] | None, Parameter(
        help="Of the alert's categories, those that are meant; may be given several times. Default: all.")] = None,
    clause: Annotated[str, Parameter(help="What it breaks, or what exempts it. Default: the rule's first.")] = "",
    proof: Annotated[str, Parameter(help="What an exemption rests on.")] = "",
    note: Note = "",
    url: Url = LOCAL,
    token_file: TokenFile = None,
) -> int:
    """Decide alerts: all of them or, where one is refused, none. For ten seconds `redpost review undo` takes it back.

    ```
    redpost review decide 8f3c0d5a… --outcome violation --reason as_found
    redpost review decide 8f3c0d5a… --outcome exempt --reason legal_exemption --clause AD-09-3 --proof "证 17 号"
    ```
    """
    from monitor.domain.moves import Decide, Outcome

    move = Decide(outcome=Outcome(outcome), reason=reason, categories=tuple(category or ()), clause=clause, proof=proof,
                  note=note)
    return _move(alerts, move, url, token_file)


def undo(alerts: Alerts, /, *, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Take back what you decided less than ten seconds ago.

    ```
    redpost review undo 8f3c0d5a…
    ```
    """
    from monitor.domain.moves import Undo

    return _move(alerts, Undo(), url, token_file)


def rectify(
    alerts: Alerts, /, *, remedy: Annotated[RemedyName, Parameter(help="What was done.")], note: Note = "",
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Say what was done about violations.

    ```
    redpost review rectify 8f3c0d5a… --remedy corrected_on_air
    ```
    """
    from monitor.domain.moves import Rectify, Remedy

    return _move(alerts, Rectify(remedy=Remedy(remedy), note=note), url, token_file)


def close(alerts: Alerts, /, *, note: Note = "", url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Close violations about which nothing more is to be done.

    ```
    redpost review close 8f3c0d5a…
    ```
    """
    from monitor.domain.moves import Close

    return _move(alerts, Close(note=note), url, token_file)


def reopen(alerts: Alerts, /, *, note: Note, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Put what was decided back into the queue.

    ```
    redpost review reopen 8f3c0d5a… --note "重看"
    ```
    """
    from monitor.domain.moves import Reopen

    return _move(alerts, Reopen(note=note), url, token_file)


def note_(
    alerts: Alerts, /, *, note: Annotated[str, Parameter(help="The note.")], url: Url = LOCAL,
    token_file: TokenFile = None,
) -> int:
    """Add a note to alerts.

    ```
    redpost review note 8f3c0d5a… --note "已电话告知"
    ```
    """
    from monitor.domain.moves import Note as NoteMove

    return _move(alerts, NoteMove(note=note), url, token_file)


def words_of(alert: "Alert") -> str:
    return "…".join(dict.fromkeys(span.text for span in alert.spans)) or alert.text


def _rows(card: "Card") -> "Iterator[tuple[str, ...]]":
    """One for each alert of a card; for a storm, one that says how to see what it holds."""
    if card.storm is not None:
        first = card.alerts[0]
        yield (card.moment, f"{card.priority:,}", first.severity, f"{card.storm.waiting:,} held", card.post, "",
               first.title, "a storm: redpost held show storm, with this id")
        return
    for alert in card.alerts:
        state = alert.state + (f" {alert.claimed_by}" if alert.claimed_by else "")
        yield (alert.id, f"{card.priority:,}", alert.severity, state, card.post, alert.room, alert.title,
               words_of(alert))


def _move(alerts: list[str], move: "AnyMove", url: str, token_file: TokenFile) -> int:
    from monitor.adapters.web.review import MovesAnswer, MovesBody
    from monitor.cli.calling import call
    from monitor.cli.terminal import safe
    from monitor.services.review import Wanted

    body = MovesBody([Wanted(alert, move) for alert in alerts])
    answer = call(url, token_file, "POST", "moves", MovesAnswer, body=body)
    for alert in answer.alerts:
        print(safe(f"{alert.id} {alert.state}" + (f" by {alert.claimed_by}" if alert.claimed_by else "")))
    return 0


def _print_history(history: "History") -> None:
    from monitor.cli.terminal import safe

    for moved in history.moves:
        facts = " ".join(f"{name}={value}" for name, value in moved.move.items() if name != "move" and value)
        print(safe(f"  {_time(moved.at)} {moved.by}: {moved.move['move']} {facts} → {moved.after}"))


def _safe_id(alert: str) -> str:
    from urllib.parse import quote

    return quote(alert, safe="")


def _time(ms: int) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(ms / 1_000).astimezone().strftime("%H:%M:%S")
