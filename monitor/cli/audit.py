"""redpost audit verify · show"""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data

if TYPE_CHECKING:
    from monitor.adapters.storage.database import Database
    from monitor.services.auditing import Checked

FOUND = 1


def verify(
    *,
    holds: Annotated[list[str], Parameter(
        help="A hash that was printed or logged earlier: it must still be in a chain.", consume_multiple=True)] = [],  # noqa: B006
    data: Data = None, config: Config = None,
) -> int:
    """Check that no row of the trail was changed, removed, put in or moved: each holds the hash of the one before.

    Rows that were cut off the end leave no gap, and whoever can write the database can make the whole chain anew. So
    keep the hash that is printed (the service logs it, too, as audit_anchor) where that person cannot write, and ask
    for it:

    ```
    redpost audit verify
    redpost audit verify --holds 5c1f0e9a7b…
    ```

    Exit codes: 0 all chains are whole, 1 one is broken or lacks a hash, 2 there is no store.
    """
    from monitor.adapters.storage.posts import SqlPosts
    from monitor.cli.stores import with_database
    from monitor.cli.terminal import safe, tell
    from monitor.services.auditing import follow

    async def work(database: "Database") -> "dict[str, Checked]":
        posts = SqlPosts(database)
        return {tenant: await follow(posts, tenant, wanted=holds) for tenant in await posts.audited()}

    found = with_database(data, config, work)
    for tenant, checked in found.items():
        if checked.broken is None:
            print(safe(f"{tenant}: {checked.rows:,} rows, whole; the last one is {checked.rows} {checked.hash}"))
        else:
            tell(safe(f"{tenant}: broken at row {checked.broken.seq}: {checked.broken.why}"))
    lacking = [wanted for wanted in holds if not any(wanted in checked.found for checked in found.values())]
    for wanted in lacking:
        tell(safe(f"no chain holds {wanted}: rows were cut off, or the chain was made anew"))
    if not found:
        print("the trail has no rows")
    return FOUND if lacking or any(checked.broken for checked in found.values()) else 0


def show(
    *,
    tenant: Annotated[str, Parameter(show_default=True, help="Whose trail.")] = "local",
    on: Annotated[str | None, Parameter(help="Only of this: an alert, a login, a record as kind/id.")] = None,
    after: Annotated[int, Parameter(show_default=True, help="Only rows behind this number.")] = 0,
    limit: Annotated[int, Parameter(show_default=True, help="How many rows at most.")] = 100,
    data: Data = None, config: Config = None,
) -> int:
    """Show who changed what, oldest first.

    ```
    redpost audit show --on zhang
    ```
    """
    import msgspec

    from monitor.adapters.storage.posts import SqlPosts
    from monitor.cli.stores import with_database
    from monitor.cli.terminal import safe

    rows = with_database(data, config, lambda database: SqlPosts(database).rows(
        tenant, after=after, limit=max(1, limit), on=on))
    for row in rows:
        deed = row.deed
        facts = msgspec.json.encode(deed.facts).decode() if deed.facts else ""
        print(safe(f"{row.seq:>6}  {_moment(deed.at)}  {deed.by}  {deed.what}  {deed.on}  {facts}").rstrip())
    if not rows:
        print("no rows")
    return 0


def _moment(at: int) -> str:
    """UTC, to the second."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
