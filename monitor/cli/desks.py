"""A tenant's records, as commands reach them: by the API of a running service, or in the store of a data folder."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

from cyclopts import Parameter

from monitor.cli.options import Config, Data, TokenFile, operator

T = TypeVar("T")
Key = tuple[str, str]
"""Kind and id."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Which records."""

    url: Annotated[str, Parameter(help="Address of a running service. Default: the data folder is read and written, "
                                       "which a service that runs on it follows within seconds.")] = ""
    token_file: TokenFile = None
    tenant: Annotated[str, Parameter(show_default=True, help="Whose records. With --url: the token's.")] = "local"
    data: Data = None
    config: Config = None


class Desk(Protocol):
    async def everything(self) -> "Mapping[Key, Kept]":
        """All records as they stand, those that are shipped among them."""
        ...

    async def edit(self, changes: "Sequence[Change]") -> None:
        """All of them or none."""
        ...


@dataclass(frozen=True)
class Kept:
    """`version` 0: it is shipped, and nobody has changed it. `record` as in `monitor.domain.kinds`."""

    version: int
    record: Any


@dataclass(frozen=True)
class Change:
    """`version`: the one that was seen, 0 where there was none of the tenant's own."""

    kind: str
    id: str
    record: Any
    version: int


def at_desk(where: Where, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Raises ConfigError, StorageError, and what the service or the desk refuses."""
    import asyncio

    if where.url:
        return asyncio.run(_by_api(where.url, where.token_file, work))
    from monitor.adapters.storage.posts import SqlPosts
    from monitor.cli.stores import with_database
    from monitor.domain import tenants

    tenants.checked(where.tenant)

    async def at_store(database: Any) -> T:
        return await work(await _StoreDesk.opened(SqlPosts(database), where.tenant))

    return with_database(where.data, where.config, at_store, create=True)


class _StoreDesk:
    def __init__(self, organising: Any, actor: Any) -> None:
        self._organising, self._actor = organising, actor

    @classmethod
    async def opened(cls, posts: Any, tenant: str) -> "_StoreDesk":
        from monitor.adapters.bundled import bundled
        from monitor.adapters.clock import SystemClock
        from monitor.adapters.recordfiles import read_folder
        from monitor.domain.people import Actor, Permission
        from monitor.services.organising import Organising

        organising = Organising(posts, SystemClock(), read_folder(bundled("config") / "post"))
        await organising.refresh(tenant)
        actor = Actor(id=operator(), tenant=tenant, everywhere=frozenset(Permission))
        return cls(organising, actor)

    async def everything(self) -> Mapping[Key, Kept]:
        from monitor.domain.kinds import KINDS

        return {(one.kind, one.id): Kept(one.version, one.record)
                for kind in KINDS for one in await self._organising.listed(self._actor, kind)}

    async def edit(self, changes: Sequence[Change]) -> None:
        from monitor.services.recordings import Edit

        await self._organising.edit(self._actor, [
            Edit(kind=change.kind, id=change.id, record=change.record, expected=change.version) for change in changes])


async def _by_api(url: str, token_file: Path | None, work: Callable[[Desk], Awaitable[T]]) -> T:
    from aiohttp import ClientError, InvalidURL

    from monitor.cli.http import base_of, reason_of, session_for
    from monitor.domain.errors import InputError, StorageError

    base = base_of(url)
    try:
        async with session_for(token_file) as session:
            return await work(_ApiDesk(session, f"{base}/api/v1/records"))
    except InvalidURL as error:
        raise InputError(f"{url[:80]!r} is no address of a service",
                         hint="write it as http://127.0.0.1:8321") from error
    except (ClientError, TimeoutError) as error:
        raise StorageError(f"{base} does not answer: {reason_of(error)}",
                           hint="is the service running? `redpost serve` starts it") from error


class _ApiDesk:
    def __init__(self, session: Any, address: str) -> None:
        self._session, self._address = session, address

    async def everything(self) -> Mapping[Key, Kept]:
        import msgspec

        from monitor.domain.kinds import KINDS

        found = {}
        for kind, made in KINDS.items():
            where: dict[str, str] | None = {}
            while where is not None:
                answer = await self._asked(self._session.get(f"{self._address}/{kind}", params=where))
                for one in answer["records"]:
                    found[kind, one["id"]] = Kept(one["version"], msgspec.convert(one["record"], made))
                where = {"cursor": answer["next"]} if answer["next"] else None
        return found

    async def edit(self, changes: Sequence[Change]) -> None:
        import msgspec

        body = msgspec.json.encode({"edits": [
            {"kind": each.kind, "id": each.id, "version": each.version,
             "record": None if each.record is None else msgspec.to_builtins(each.record)} for each in changes]})
        await self._asked(self._session.post(self._address, data=body, headers={"Content-Type": "application/json"}))

    async def _asked(self, asking: Any) -> Any:
        """Raises ConfigError in the service's own words."""
        from monitor.cli.http import refusal

        async with asking as response:
            if response.status != 200:
                raise await refusal(response, self._address)
            return await response.json()
