"""redpost review miss · drafts · hand · handed · answer"""

from typing import Annotated, Literal

from cyclopts import Parameter

from monitor.cli.options import LOCAL, TokenFile, Url
from monitor.cli.reviewing import Note, One, OutcomeName


def miss(
    *,
    room: Annotated[str, Parameter(help="Its room.")],
    event: Annotated[str, Parameter(help="The kept event, as `GET /api/v1/events` names it.")],
    at: Annotated[int, Parameter(help="When it was, UTC milliseconds.")],
    category: Annotated[str, Parameter(help="What it breaks.")],
    words: Annotated[str, Parameter(help="The words that are meant. Default: the whole text.")] = "",
    source: Annotated[str, Parameter(show_default=True, help="The event's source.")] = "default",
    severity: Annotated[Literal["info", "low", "medium", "high", "critical"], Parameter(
        show_default=True, help="How grave it is.")] = "medium",
    clause: Annotated[str, Parameter(help="The clause that it breaks, if that is known.")] = "",
    note: Note = "",
    url: Url = LOCAL,
    token_file: TokenFile = None,
) -> int:
    """Report words that no rule found: they become an alert, a label and a draft case.

    ```
    redpost review miss --room 9001 --event 42-1 --at 1795435200000 --words 全网第一 --category absolute_claim
    ```
    """
    from monitor.adapters.web.misses import MissAnswer
    from monitor.cli.calling import call
    from monitor.domain.findings import Severity
    from monitor.domain.misses import Miss

    found = call(url, token_file, "POST", "misses", MissAnswer, body=Miss(
        room=room, event=event, at=at, category=category, words=words, source=source, severity=Severity(severity),
        clause=clause, note=note))
    print(f"{found.alert.id} {found.alert.state}" + ("" if found.new else ", reported before"))
    return 0


def drafts(*, url: Url = LOCAL, token_file: TokenFile = None) -> int:
    """Write the cases of misses as lines for rule files, by category. `missed` stands for the selection that is to find
    the words.

    ```
    redpost review drafts > cases.yml
    ```
    """
    import json

    from monitor.cli.calling import call
    from monitor.services.misses import DraftCase, DraftPage

    found: list[DraftCase] = []
    cursor: str | None = None
    while True:
        page = call(url, token_file, "GET", "cases/draft", DraftPage, params={"limit": 200, "cursor": cursor})
        found += page.cases
        cursor = page.next
        if cursor is None:
            break
    for category in sorted({case.category for case in found}):
        print(f"# {category}\ncases:")
        for case in found:
            if case.category == category:
                fields = {"text": case.text, "expect": ["missed"], "kind": case.kind, "speaker": case.speaker}
                told = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items())
                print(f"  - {{{told}}}  # {json.dumps(case.words, ensure_ascii=False)}, {case.alert}")
    return 0


def hand(
    alert: One, /, *, to: Annotated[str, Parameter(help="The tenant that is asked.")], note: Note,
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """Hand a frozen, masked copy of an alert to another tenant, over a link on which both have agreed.

    ```
    redpost review hand 8f3c0d5a… --to street --note "请指导"
    ```
    """
    from urllib.parse import quote

    from monitor.cli.calling import call
    from monitor.domain.links import Handed, HandTo

    found = call(url, token_file, "POST", f"alerts/{quote(alert, safe='')}/hand", Handed, body=HandTo(to, note))
    print(f"{found.id} waits for {found.to}")
    return 0


def handed(
    *, sent: Annotated[bool, Parameter(help="What this tenant has handed to others.")] = False,
    url: Url = LOCAL, token_file: TokenFile = None,
) -> int:
    """List what other tenants have handed over, newest first.

    ```
    redpost review handed
    redpost review handed --sent
    ```
    """
    from monitor.cli.calling import call
    from monitor.cli.terminal import safe
    from monitor.services.linking import HandedPage

    page = call(url, token_file, "GET", "handed", HandedPage, params={"box": "sent" if sent else None, "limit": 200})
    for one in page.handed:
        answer = f"{one.advice.outcome}: {one.advice.note}" if one.advice else "no answer yet"
        other = f"to {one.to}" if sent else f"from {one.tenant}"
        print(safe(f"{one.id} {other} · {one.copy.title} · 「{one.copy.text}」 · {one.note} · {answer}"))
    if not page.handed:
        print("nothing was handed over")
    return 0


def answer(
    handed_over: Annotated[str, Parameter(name="ID", help="As `redpost review handed` shows it.")],
    /,
    *,
    outcome: Annotated[OutcomeName, Parameter(help="What you think it is.")],
    note: Note,
    clause: Annotated[str, Parameter(help="What it rests on.")] = "",
    url: Url = LOCAL,
    token_file: TokenFile = None,
) -> int:
    """Advise on what another tenant has handed over; it decides itself.

    ```
    redpost review answer h51c2… --outcome violation --note "属绝对化用语"
    ```
    """
    from urllib.parse import quote

    from monitor.cli.calling import call
    from monitor.domain.links import AdviceGiven, Handed
    from monitor.domain.moves import Outcome

    advice = AdviceGiven(outcome=Outcome(outcome), note=note, clause=clause)
    found = call(url, token_file, "POST", f"handed/{quote(handed_over, safe='')}/answer", Handed, body=advice)
    print(f"{found.id} answered")
    return 0
