"""redpost token new · list · revoke"""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data, operator
from monitor.cli.stores import with_store

if TYPE_CHECKING:
    from monitor.adapters.storage.store import SqlStore


def new(
    *,
    name: Annotated[str, Parameter(help="What the token is for; shown in the list.")],
    scopes: Annotated[str, Parameter(
        help="What it may do, separated by commas: ingest, read, label, review, organise, people, metrics, admin.")],
    tenant: Annotated[str, Parameter(show_default=True, help="Whose data it reaches.")] = "local",
    data: Data = None,
    config: Config = None,
) -> int:
    """Make a token. Its secret is printed once, on standard output, and kept nowhere.

    The service knows the token within seconds. Send it as `Authorization: Bearer rp_…`.

    ```
    redpost token new --name recorder --scopes ingest
    redpost token new --name ops --scopes read,metrics > ops.token
    ```
    """
    from monitor.adapters.clock import SystemClock
    from monitor.adapters.web.auth import new_token
    from monitor.cli.terminal import safe, tell
    from monitor.domain.audit import Deed

    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    secret, record = new_token(tenant, name, wanted, SystemClock().now())
    deed = Deed(tenant=tenant, by=operator(), at=record.created_at, what="token.new", on=record.id,
                facts={"name": name, "scopes": record.scopes})
    with_store(data, config, lambda store: store.save_token(record, [deed]), create=True)
    tell(safe(f"token {record.id} for {name}: {', '.join(record.scopes)}; keep the secret, it is not shown again"))
    print(secret)
    return 0


def list_(*, data: Data = None, config: Config = None) -> int:
    """List the tokens, without their secrets.

    ```
    redpost token list --data /var/lib/redpost
    ```
    """
    from monitor.cli.lists import print_list
    from monitor.cli.terminal import day

    tokens = with_store(data, config, lambda store: store.tokens())
    rows = [(token.id, token.name, ",".join(token.scopes), token.tenant, day(token.created_at),
             "" if token.revoked_at is None else day(token.revoked_at))
            for token in sorted(tokens, key=lambda each: each.created_at)]
    print_list(("id", "name", "scopes", "tenant", "made", "revoked"), rows, whole=("id",), nothing="no tokens")
    return 0


def revoke(
    id_: Annotated[str, Parameter(name="ID", help="The token's id, as `redpost token list` shows it.")], /, *,
    data: Data = None, config: Config = None,
) -> int:
    """Revoke a token; a running service refuses it within seconds.

    ```
    redpost token revoke t1a2b3c4d5e6f
    ```
    """
    import msgspec

    from monitor.adapters.clock import SystemClock
    from monitor.domain.audit import Deed
    from monitor.domain.errors import InputError

    async def work(store: "SqlStore") -> bool:
        """Whether it was valid until now."""
        for token in await store.tokens():
            if token.id == id_:
                if token.revoked_at is None:
                    now = SystemClock().now()
                    deed = Deed(tenant=token.tenant, by=operator(), at=now, what="token.revoke", on=token.id)
                    await store.save_token(msgspec.structs.replace(token, revoked_at=now), [deed])
                return token.revoked_at is None
        raise InputError(f"there is no token {id_[:40]!r}", hint="`redpost token list` shows them")

    print(f"{id_} is revoked" if with_store(data, config, work) else f"{id_} was revoked before")
    return 0
